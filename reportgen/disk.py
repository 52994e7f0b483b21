"""Write so that a kill, a power cut or a full disk leaves either the old state or the new one.

Every step on the disk that must not be lost is announced to Python's audit hooks (PEP 578) as
`reportgen.disk`, with what is about to be done and the path. Tests hook in there: they kill the process at
each step, or let the disk refuse it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

EVENT = "reportgen.disk"
MANIFEST = "manifest.json"
BLOCK = 1 << 20
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
Listed = dict[str, dict[str, object]]  # bytes and sha256 by a file's name
NOT_THE_DISK = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}  # says nothing of what is on the disk


def step(what: str, path: Path) -> None:
    """Announce a step: "write", "sync", "rename", "link" or "remove", and the path."""
    sys.audit(EVENT, what, str(path))


def write(path: Path, content: bytes) -> None:
    """Write a new file, down to the disk."""
    with naming(path):
        step("write", path)
        with path.open("xb") as file:
            file.write(content)
    sync(path)


def sync(path: Path) -> None:
    """Bring a file's content, or a folder's list of names, down to the disk."""
    with naming(path):
        step("sync", path)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            # macOS: fsync alone leaves it to the drive when to write.
            if hasattr(fcntl, "F_FULLFSYNC"):
                with suppress(OSError):
                    fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def swap_in(path: Path, content: bytes) -> Path:
    """Put a file in the place of another, whole; gives its path."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        write(temporary, content)
        with naming(path):
            step("rename", path)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)
    return path


def add_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put files into a folder, each whole, and leave alone those that are there with the same content."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            swap_in(path, content)
    sync(folder.parent)


def remove_others(folder: Path, kept: Iterable[str]) -> None:
    """Remove all files of a folder but some."""
    names = set(kept)
    for path in sorted(folder.iterdir()):
        if path.name not in names and path.is_file():
            step("remove", path)
            path.unlink(missing_ok=True)
    sync(folder)


def publish(temporary: Path, final: Path) -> bool:
    """Rename a finished folder; gives False, and leaves both, where there is something already.

    rename(2) puts a folder in the place of nothing or of an empty folder only.
    """
    sync(temporary)
    try:
        with naming(final):
            step("rename", final)
            temporary.rename(final)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            return False
        raise
    sync(final.parent)
    return True


def swap_link(link: Path, target: str) -> None:
    """Let a link point elsewhere; a reader never finds it missing."""
    temporary = link.with_name(f".{link.name}-{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        with naming(link):
            step("link", link)
            temporary.symlink_to(target)
            step("rename", link)
            temporary.replace(link)
    finally:
        temporary.unlink(missing_ok=True)
    sync(link.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder that nobody may find half removed: it is hidden first."""
    hidden = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".removed-"))
    try:
        with naming(folder), suppress(FileNotFoundError):
            step("remove", folder)
            folder.rename(hidden / folder.name)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error name the path: those of a full disk, from write(2) and fsync(2), name none."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Say plainly what the disk refused: an OutputError in the place of an OSError."""
    try:
        yield
    except OSError as error:
        raise refused(error, folder) from error


def refused(error: OSError, folder: Path) -> OutputError:
    """Word what the disk refused."""
    where = Path(os.fsdecode(error.filename)) if error.filename else folder
    temporary = Path(tempfile.gettempdir())
    if where.is_relative_to(temporary) and not folder.absolute().is_relative_to(temporary):
        advice = "make room or let TMPDIR name another folder"
    else:
        advice = f"{'make room' if error.errno in FULL else 'see to it'} or choose another folder"
        advice += " with --output DIR"
    return OutputError(f"{where}: {error.strerror or error}; {advice}")


# --- manifests: what a finished folder holds -----------------------------------------------------


def sha256(path: Path) -> str:
    """Hash a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def write_manifest(folder: Path) -> None:
    """List all files below a finished folder with sizes and checksums; written last."""
    write(folder / MANIFEST, manifest_of(folder, (path for path in folder.rglob("*") if path.is_file())))


def manifest_of(folder: Path, paths: Iterable[Path], noted: Listed | None = None) -> bytes:
    """Give a manifest of files below a folder, as JSON; what is `noted` of any of them is taken over."""
    files = {}
    for path in sorted(paths):
        name = path.relative_to(folder).as_posix()
        known = (noted or {}).get(name)
        files[name] = known or {"bytes": path.stat().st_size, "sha256": sha256(path)}
    return (json.dumps({"files": files}, indent=2) + "\n").encode()


def damage(folder: Path, manifest: str = MANIFEST) -> str:
    """Hold a folder against a manifest in it; gives the first thing that is wrong, or ""."""
    listed = listed_files(folder / manifest)
    if listed is None:
        return f"{manifest} is missing or damaged"
    for name, expected in listed.items():
        path = folder / name
        try:
            if path.stat().st_size != expected["bytes"]:
                return f"{name} has {path.stat().st_size} bytes, expected {expected['bytes']}"
            if sha256(path) != expected["sha256"]:
                return f"{name} is not what was written: its checksum differs"
        except OSError as error:
            if error.errno in NOT_THE_DISK:
                raise
            return f"{name}: {error.strerror}"
    return ""


def listed_files(manifest: Path) -> Listed | None:
    """Read a manifest: names to bytes and sha256; None where it is missing or damaged."""
    try:
        files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        known = all(set(entry) == {"bytes", "sha256"} for entry in files.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return dict(files) if known else None


# --- locks: the kernel's, so that a dead process leaves none behind ------------------------------


@contextmanager
def lock_folder(folder: Path) -> Iterator[bool]:
    """Hold a folder's lock in the block; gives whether it was to be had."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except (FileNotFoundError, PermissionError):
        yield False
        return
    try:
        yield _locked(descriptor) and folder.exists()
    finally:
        os.close(descriptor)


class FileLock:
    """A lock on a file that exists as long as the lock is held."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """Take the lock, or give None where another holds it."""
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            if not _locked(descriptor):
                os.close(descriptor)
                return None
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return cls(path, descriptor)
            os.close(descriptor)  # whoever held it took the file away: this one is nobody's

    def release(self) -> None:
        """Give the lock back, and take its file away."""
        with suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)


def is_locked(path: Path) -> bool:
    """Tell whether anyone holds a lock on a file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
