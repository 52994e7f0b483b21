"""The store: finished jobs on disk, each in a folder named by its key.

    output/.store/<key>/          outcome.json  epochs.parquet  layers.parquet  probabilities.npy
                                  model.keras   manifest.json
    output/.store/.locks/<key>    locked by the process that is training the job
    output/.store/.new/           entries that are being written
    output/.store/.damaged/       entries that were set aside

An entry is written under `.new`, brought down to the disk, given its manifest and renamed. What a job's state
is follows from the disk and is stored nowhere: a valid manifest is "done", a held lock "running", else
"unfinished".
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import disk
from reportgen.execution.keys import Identity
from reportgen.jobs import DONE as OUTCOME_DONE
from reportgen.jobs import Job, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STORE = ".store"
RUNS = ".runs"
DONE, RUNNING, UNFINISHED = "done", "running", "unfinished"
DAMAGED = "damaged"
FRAMES = ("epochs", "layers")
MODEL = "model.keras"
_KEY = re.compile(r"[0-9a-f]{64}")
_SCALARS = (
    "variant",
    "seed",
    "status",
    "error",
    "params",
    "trainable_params",
    "train_seconds",
    "test_loss",
    "weights_sha256",
)


class Claim:
    """The right to train one job, held until it is given back; `folder` is where its entry is made."""

    def __init__(self, lock: disk.FileLock, folder: Path) -> None:
        self._lock, self.folder = lock, folder

    def empty(self) -> None:
        """Take away what an attempt that died has left."""
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)

    def release(self) -> None:
        """Give the right back, and take what was not published away."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()


@dataclass(frozen=True)
class Entry:
    """One finished job in the store: what it is, its bytes, when it was last used (seconds since 1970).

    `status` is the outcome's, or "damaged"; what a damaged entry no longer says is "" and 0.
    """

    key: str
    variant: str
    seed: int
    status: str
    dataset: str
    bytes: int
    used: float


class Store:
    """Finished jobs, shared by all runs below one output folder and by all processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def status(self, key: str) -> str:
        """Tell a job's state from what is on the disk."""
        if not self.damage(key):
            return DONE
        return RUNNING if self.is_claimed(key) else UNFINISHED

    def is_claimed(self, key: str) -> bool:
        """Tell whether a process holds the right to train a job."""
        return disk.is_locked(self._lock(key))

    def damage(self, key: str) -> str:
        """Say what is wrong with an entry, or ""."""
        return disk.damage(self.folder / key)

    def load(self, key: str, job: Job) -> Outcome | None:
        """Read a job's outcome; None where there is none, or one that is damaged."""
        folder = self.folder / key
        if self.damage(key):
            return None
        with suppress(OSError):  # a store that may only be read is of use too
            os.utime(folder / disk.MANIFEST)  # last used: pruning goes by it
        try:
            return _read(folder, job)
        except OSError:  # pruned by another process this moment
            return None

    def claim(self, key: str) -> Claim | None:
        """Take the right to train a job; None where another holds it.

        Whatever a dead process left of this job, or a damaged entry, is put out of the way first.
        """
        for name in (".locks", ".new"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        lock = disk.FileLock.take(self._lock(key))
        if lock is None:
            return None
        try:
            for left in (self.folder / ".new").glob(f"{key}-*"):
                shutil.rmtree(left, ignore_errors=True)
            self._set_aside(key)
            folder = Path(tempfile.mkdtemp(dir=self.folder / ".new", prefix=f"{key}-"))
            folder.chmod(0o755)
            return Claim(lock, folder)
        except BaseException:
            lock.release()
            raise

    def save(self, claim: Claim, identity: Identity, outcome: Outcome) -> None:
        """Publish a claimed job's outcome, beside the model that its training has saved already."""
        _write(claim.folder, identity, outcome)
        disk.publish(claim.folder, self.folder / identity.key)

    def entries(self) -> list[Entry]:
        """List the finished jobs, the one used last first; only sizes are held against the manifests."""
        found = [entry for key in self._keys() if (entry := _entry(self.folder / key)) is not None]
        return sorted(found, key=lambda entry: (-entry.used, entry.key))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Hold a lock as long as a run goes on: entries that it has used are then not pruned."""
        folder = self.folder / RUNS
        with disk.disk_errors(self.folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.anyone_at_work()
            descriptor, name = tempfile.mkstemp(dir=folder)
            os.close(descriptor)
            lock = disk.FileLock.take(Path(name))
        try:
            yield
        finally:
            if lock is not None:
                lock.release()

    def anyone_at_work(self) -> bool:
        """Tell whether any run goes on; what dead ones left of their locks is taken away."""
        held = False
        for path in list(self.folder.glob(f"{RUNS}/*")):
            lock = disk.FileLock.take(path)
            if lock is None:
                held = True
            else:
                lock.release()
        return held

    def claimed(self) -> list[str]:
        """List the keys of the jobs that are being trained now."""
        return sorted(lock.name for lock in self.folder.glob(".locks/*") if disk.is_locked(lock))

    def left_behind(self) -> list[Path]:
        """List the folders that dead processes left half written or half removed."""
        made = [left for left in self.folder.glob(".new/*-*") if not self.is_claimed(left.name.split("-")[0])]
        return [*made, *self.folder.glob(".removed-*")]

    def set_aside(self) -> list[Path]:
        """List the damaged entries that were set aside; their own times say when."""
        return list(self.folder.glob(".damaged/*"))

    def remove(self, key: str, before: float) -> bool:
        """Remove an entry that was last used before a time, unless a process is at it; tells whether."""
        (self.folder / ".locks").mkdir(exist_ok=True)
        lock = disk.FileLock.take(self._lock(key))
        if lock is None:
            return False
        try:
            entry = _entry(self.folder / key)
            unused = entry is not None and entry.used < before  # another run may have loaded it just now
            if unused:
                disk.remove_folder(self.folder / key)
        finally:
            lock.release()
        return unused

    def sweep(self, folders: Iterable[Path]) -> None:
        """Remove folders of left_behind() and set_aside(), and the locks of dead processes."""
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        for lock in self.folder.glob(".locks/*"):
            taken = disk.FileLock.take(lock)
            if taken is not None:
                taken.release()

    def _lock(self, key: str) -> Path:
        return self.folder / ".locks" / key

    def _keys(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if _KEY.fullmatch(path.name))

    def _set_aside(self, key: str) -> None:
        """Move a damaged entry out of the way; only the holder of its lock may."""
        folder = self.folder / key
        if not folder.exists() or not self.damage(key):
            return
        aside = self.folder / ".damaged"
        aside.mkdir(exist_ok=True)
        kept = Path(tempfile.mkdtemp(dir=aside, prefix=f"{key}-"))
        disk.step("rename", kept)
        folder.rename(kept / "entry")


def size(place: Path) -> int:
    """Give the bytes of a file, or of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for path in (place, *place.rglob("*")):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


# --- one entry -----------------------------------------------------------------------------------


def _entry(folder: Path) -> Entry | None:
    """Describe an entry without hashing it; None where it is gone."""
    try:
        sizes = {file.name: file.stat().st_size for file in os.scandir(folder)}
        used = (folder / (disk.MANIFEST if disk.MANIFEST in sizes else "")).stat().st_mtime
    except OSError:
        return None
    stated = _stated(folder)
    listed = disk.listed_files(folder / disk.MANIFEST)
    whole = stated and listed and all(sizes.get(name) == one["bytes"] for name, one in listed.items())
    return Entry(
        key=folder.name,
        variant=str(stated.get("variant", "")),
        seed=int(stated.get("seed", 0)),
        status=str(stated["status"]) if whole else DAMAGED,
        dataset=str(stated.get("dataset", "")),
        bytes=sum(sizes.values()),
        used=used,
    )


def _stated(folder: Path) -> dict[str, Any]:
    """Read what an entry says of itself; nothing where that is damaged."""
    try:
        stated = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
        scalars = {name: stated[name] for name in ("variant", "status")} | {"seed": int(stated["seed"])}
        return scalars | {"dataset": stated["identity"]["dataset"]["sha256"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _write(folder: Path, identity: Identity, outcome: Outcome) -> None:
    stated = {name: getattr(outcome, name) for name in _SCALARS}
    if isnan(outcome.test_loss):  # JSON has no such number
        stated["test_loss"] = None
    text = json.dumps({**stated, "identity": identity.content}, indent=2)
    disk.write(folder / "outcome.json", f"{text}\n".encode())
    for name in FRAMES:
        buffer = io.BytesIO()
        getattr(outcome, name).to_parquet(buffer, index=False)
        disk.write(folder / f"{name}.parquet", buffer.getvalue())
    if outcome.probabilities is not None:
        import numpy as np  # noqa: PLC0415  keeps `reportgen store` light

        buffer = io.BytesIO()
        np.save(buffer, outcome.probabilities, allow_pickle=False)
        disk.write(folder / "probabilities.npy", buffer.getvalue())
    disk.write_manifest(folder)


def _read(folder: Path, job: Job) -> Outcome:
    """Read an entry that is whole; its name is the job's: another variant may have the same layers."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    stated = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    scalars = {name: stated[name] for name in _SCALARS} | {"variant": job.variant.name, "seed": job.seed}
    if scalars["test_loss"] is None:
        scalars["test_loss"] = float("nan")
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in FRAMES}
    whole = stated["status"] == OUTCOME_DONE  # else it diverged, and has none
    load: Any = partial(np.load, allow_pickle=False)
    return Outcome(**scalars, **frames, probabilities=load(folder / "probabilities.npy") if whole else None)
