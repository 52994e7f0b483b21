"""Where runs are written: output/<lab>/<run-id>, made under a temporary name and then renamed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import disk
from reportgen.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator


PARTIAL = ".partial"
ATTEMPTS = 10  # to make a folder that other processes may take away
_RUN_ID = re.compile(r"\d{8}T\d{6}Z(-\d+)?")


def check_writable(folder: Path) -> None:
    """Make sure that `folder` can be written to, without leaving a trace; raises OutputError."""
    existing = next(p for p in [folder.absolute(), *folder.absolute().parents] if os.path.lexists(p))
    if not existing.is_dir():
        raise OutputError(f"{folder}: {existing.name} is a file, expected a folder; choose another")
    try:
        with suppress(FileNotFoundError):
            folder.stat()  # a name may be too long, or lie in a folder that is closed to us
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written to: {error.strerror}; choose another folder"
        ) from None


def check_lab_folder(lab_folder: Path) -> None:
    """Make sure that a lab's runs can be written, and the link to the latest; raises OutputError."""
    check_writable(lab_folder)
    latest = lab_folder / "latest"
    if os.path.lexists(latest) and not latest.is_symlink():
        raise OutputError(f"{latest}: is not the link to the latest run that it should be; move it away")


@contextmanager
def partial_run(lab_folder: Path, started: datetime) -> Iterator[Path]:
    """Give a new folder, hidden and empty, that is removed again if the block raises.

    It is locked as long as the block lasts: what a process that was killed has left is removed here too.
    """
    sweep(lab_folder)
    with _locked_folder(lab_folder, f".{run_id(started)}-") as folder:
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # a lab's folder with other runs in it stays
                lab_folder.rmdir()
            raise


@contextmanager
def _locked_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a hidden folder and lock it; another process may sweep it away before it is locked."""
    while True:
        folder = _new_folder(parent, prefix)
        with disk.lock_folder(folder) as mine:
            if mine:
                folder.chmod(0o755)  # mkdtemp's 0700 would hide the report from a web server
                yield folder
                return


def _new_folder(parent: Path, prefix: str) -> Path:
    """Make a hidden folder; a run that raises this moment may take the empty parent away once more."""
    for left in reversed(range(ATTEMPTS)):
        parent.mkdir(parents=True, exist_ok=True)
        try:
            return Path(tempfile.mkdtemp(dir=parent, prefix=prefix, suffix=PARTIAL))
        except FileNotFoundError:
            if not left:
                raise
    raise AssertionError("the last attempt returns or raises")


def sweep(lab_folder: Path) -> None:
    """Remove the half-made folders of processes that are no more."""
    for folder in lab_folder.glob(f".*{PARTIAL}"):
        with disk.lock_folder(folder) as nobodys:
            if nobodys:
                shutil.rmtree(folder, ignore_errors=True)
    sweep_files(lab_folder, ".latest-*")


def sweep_files(folder: Path, pattern: str) -> None:
    """Remove what processes that are no more meant to swap in; their ids end the names."""
    for left in folder.glob(pattern):
        if not _is_alive(left.name.rpartition("-")[2]):
            with suppress(OSError):  # another sweep, or a folder that is closed to us
                left.unlink()


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:  # another user's
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return True


def run_id(started: datetime) -> str:
    """Write a UTC time as 20261122T031500Z."""
    return started.strftime("%Y%m%dT%H%M%SZ")


def publish(partial: Path, lab_folder: Path, started: datetime) -> Path:
    """Rename a finished folder to its run-id, with a suffix where that is taken; gives the new path."""
    for attempt in count(1):
        final = lab_folder / (run_id(started) + (f"-{attempt}" if attempt > 1 else ""))
        if disk.publish(partial, final):
            return final
    raise AssertionError("numbers do not end")


def _order(name: str) -> tuple[str, int]:
    """Give what run-ids are sorted by: of one second, the tenth comes after the ninth."""
    second, _, suffix = name.partition("-")
    return second, int(suffix or 1)


def point_latest(run: Path) -> None:
    """Swap the link `latest`, beside the run, to point to it; a reader never finds it missing.

    A folder that is not a run's own, such as a copy elsewhere, and a link to a newer run are left alone.
    """
    run = run.resolve()
    latest = run.parent / "latest"
    shown = latest.readlink().name if latest.is_symlink() and latest.exists() else ""
    if not _RUN_ID.fullmatch(run.name) or (os.path.lexists(latest) and not latest.is_symlink()):
        return
    newer = _RUN_ID.fullmatch(shown) and _order(shown) > _order(run.name)
    if not newer:
        disk.swap_link(latest, run.name)
