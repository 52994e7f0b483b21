"""Is a run still what was written, and does its training give the same weights again?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import disk
from reportgen.errors import RunError
from reportgen.execution.keys import Identity
from reportgen.execution.store import STORE, Store
from reportgen.jobs import FAILED
from reportgen.report.copies import THE_REPORT, asked_by
from reportgen.report.formats import DEFAULT
from reportgen.results import JobRecord, RunRecord, load_results, read_record
from reportgen.results.files import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OK, FAIL, NOTE, NONE = "ok", "FAIL", "note", "n/a"


@dataclass(frozen=True)
class Row:
    """One thing that was checked: "ok", "FAIL", "note" or "n/a", its name, and what was found."""

    mark: str
    name: str
    found: str

    @classmethod
    def of(cls, name: str, problem: str, found: str) -> Row:
        """Make a row of a problem, or of what was found where there is none."""
        return cls(FAIL, name, problem) if problem else cls(OK, name, found)

    @classmethod
    def not_applicable(cls, name: str, reason: str) -> Row:
        """Make a row of a check that cannot be made."""
        return cls(NONE, name, f"not applicable, because {reason}")


def find_run(path: Path) -> Path:
    """Find a run directory, or the latest of a lab's folder; raises RunError where there is none.

    One whose run.json is gone is still a run, as long as its manifest is there.
    """
    for folder in (path, path / "latest"):
        if any((folder / name).is_file() for name in ("run.json", disk.MANIFEST)):
            return folder
    if path.is_dir():
        raise RunError(f"{path}: has no run.json, expected a run directory such as output/mnist/latest")
    raise RunError(f"{path}: no such run directory; `reportgen run` makes one")


def verify(run: Path) -> Iterator[Row]:
    """Check a run directory's files, its documents, its frames, and its jobs in the store."""
    record = read_record(run)
    yield from _data(run)
    yield from _documents(run, record.formats if record else DEFAULT)
    yield _frames(run)
    if record is not None:
        yield from _jobs(run, record)


def _data(run: Path) -> Iterator[Row]:
    """Hold each file against manifest.json."""
    if not (run / disk.MANIFEST).exists():
        yield Row.not_applicable(disk.MANIFEST, "this run is of before reportgen noted checksums")
        return
    listed = disk.listed_files(run / disk.MANIFEST)
    if listed is None:
        yield Row(FAIL, disk.MANIFEST, "is damaged: the files cannot be checked")
        return
    for name, expected in listed.items():
        yield Row.of(name, _difference(run / name, expected), _checksum(expected))


def _difference(path: Path, expected: dict[str, object]) -> str:
    """Say how a file differs from what was noted of it, or ""."""
    try:
        found = path.stat().st_size
        if found != expected["bytes"]:
            return f"has {found:,} bytes, expected {expected['bytes']:,}"
        same = disk.sha256(path) == expected["sha256"]
        return "" if same else "is not what was written: its checksum differs"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _checksum(expected: dict[str, object]) -> str:
    return f"{expected['bytes']:,} bytes, SHA-256 {short(expected['sha256'])}"


def short(sha256: object) -> str:
    """Give the beginning of a hash."""
    return f"{str(sha256)[:12]}…"


def _documents(run: Path, formats: Sequence[str]) -> Iterator[Row]:
    """Hold each document against documents.json, which is written whenever they are drawn."""
    if not (run / DOCUMENTS).exists():
        yield Row.not_applicable(DOCUMENTS, "the documents' checksums were never noted")
        return
    listed = disk.listed_files(run / DOCUMENTS)
    if listed is None:
        yield Row(FAIL, DOCUMENTS, f"is damaged; `{_again(run)}` draws the documents again")
        return
    wanted = [f"report.{name}" for name in formats]
    there = sorted(path.name for path in run.iterdir() if asked_by(path.name))
    for name in dict.fromkeys((*wanted, *there, *listed)):
        again = _again(run, name)
        if name in listed:
            problem = _difference(run / name, listed[name])
            edited = f"{problem}: edited, or drawn by other means; `{again}` draws it again"
            yield Row.of(name, problem and edited, f"as it was drawn last, {_checksum(listed[name])}")
        elif name in there:
            yield Row(FAIL, name, "is not one that reportgen drew into this run")
        else:
            yield Row.not_applicable(name, f"it was not drawn; `{again}` draws it")


def _again(run: Path, file: str = "") -> str:
    """Give the command that draws a document, or what every run has."""
    copies, name = asked_by(file) or (THE_REPORT, DEFAULT[0])
    options = [*copies.options, *([] if name in DEFAULT else ["--format", name])]
    return " ".join(["reportgen render", str(run), *options])


def _frames(run: Path) -> Row:
    """Read everything as rendering does, which holds the frames against each other."""
    try:
        results = load_results(run)
    except RunError as error:
        return Row(FAIL, "frames", f"cannot be used: {error}")
    n = len(results.runs)
    return Row(OK, "frames", f"agree with each other: {n} training{'s' if n != 1 else ''}")


# --- the store -----------------------------------------------------------------------------------


def _jobs(run: Path, record: RunRecord) -> Iterator[Row]:
    """Hold each job against its entry in the store, where the run lies beside one."""
    store = store_of(run)
    if not store.folder.is_dir():
        yield Row.not_applicable("store", f"there is none at {store.folder}")
        return
    for job in record.jobs:
        yield _job(store, job)


def store_of(run: Path) -> Store:
    """Give the store that a run directory's output folder has, or would have."""
    return Store(run.resolve().parent.parent / STORE)


def _job(store: Store, job: JobRecord) -> Row:
    name = f"{job.variant}, seed {job.seed}"
    absent = _why_absent(store, job)
    if absent:
        return Row.not_applicable(name, absent)
    problem = store.damage(job.key)
    stated = stated_by(store, job.key)
    if problem or stated is None:
        return Row(FAIL, name, f"its entry in the store is damaged: {problem or 'it is of another job'}")
    theirs = str(stated.get("weights_sha256"))
    differ = f"other weights: {short(job.weights_sha256)} in the run, {short(theirs)} in the store"
    return Row.of(
        name,
        "" if theirs == job.weights_sha256 else differ,
        f"whole in the store, with the same weights {short(theirs)}",
    )


def _why_absent(store: Store, job: JobRecord) -> str:
    """Say why a job has no entry in the store, or ""."""
    if job.status == FAILED:
        return "its training failed: nothing was stored"
    if not job.key:
        return "this run is of before there was a store"
    return "" if (store.folder / job.key).is_dir() else "it is no longer in the store"


def stated_by(store: Store, key: str) -> dict[str, Any] | None:
    """Read what an entry says of itself; None where it is not there, or is not the key's."""
    try:
        stated = json.loads((store.folder / key / "outcome.json").read_text(encoding="utf-8"))
        return dict(stated) if Identity(stated["identity"]).key == key else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
