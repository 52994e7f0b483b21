"""One job of a run, trained again: does it end with the weights that the run recorded?"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import disk, environment
from reportgen.data import load
from reportgen.errors import DataError, DatasetUnavailable, LabError, RunError, UsageError, did_you_mean
from reportgen.execution.keys import PACKAGES
from reportgen.execution.local import run_jobs
from reportgen.execution.plan import Workers, identify_all
from reportgen.execution.store import Store
from reportgen.execution.trainers import Trainers
from reportgen.jobs import FAILED, Job
from reportgen.lab import builtin_labs, lab_folder
from reportgen.results import load_results, read_record
from reportgen.text import shorten
from reportgen.verify import NOTE, OK, Row, short, stated_by, store_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reportgen.data import Dataset
    from reportgen.execution.plan import Identified
    from reportgen.jobs import Observer
    from reportgen.results import JobRecord, RunRecord

NOT_ALIKE = "equal weights cannot be expected"


@dataclass(frozen=True)
class Wanted:
    """Which job of a run is to be trained again, and where its data set lies if no longer where it was."""

    variant: str
    seed: int = 1
    data: Path | None = None


@dataclass(frozen=True)
class Retraining:
    """A job to train again, with all that it needs and what was recorded of it.

    `conditions` tells whether equal weights can be expected here.
    """

    planned: Identified
    dataset: Dataset
    workers: Workers
    folder: Path | None
    recorded: JobRecord
    conditions: Row


def prepare(run: Path, wanted: Wanted, say: Callable[[str], None]) -> Retraining:
    """Find everything that training a job again needs; raises InputError where something is missing."""
    record = read_record(run) or load_results(run).record  # which says why it cannot be read
    recorded = _recorded(run, record, wanted)
    places = _Places(run, record)
    folder = places.lab_folder()
    variant = next(one for one in record.lab.variants if one.name == recorded.variant)
    if variant.build is not None and folder is None:
        raise LabError(
            f"variant '{variant.name}': is built by {variant.build}, from a module beside the lab "
            f"'{places.source}', which is not there; do this in the folder in which the lab was run"
        )
    dataset = _dataset(record, wanted.data, places, say)
    threads = record.environment.get("threads")
    workers = Workers(1, threads) if isinstance(threads, int) else Workers.of(1)
    [planned] = identify_all([Job(variant, recorded.seed, record.lab.protocol)], dataset, workers, folder)
    conditions = _conditions(run, record, recorded, planned)
    return Retraining(planned, dataset, workers, folder, recorded, conditions)


def _recorded(run: Path, record: RunRecord, wanted: Wanted) -> JobRecord:
    """Find the job in run.json; one without weights cannot be compared."""
    named = [job for job in record.jobs if job.variant.lower() == wanted.variant.lower()]
    if not named:
        known = did_you_mean(wanted.variant, {job.variant for job in record.jobs})
        raise UsageError(f"--retrain: no variant '{wanted.variant}' in {run}; {known}")
    found = next((job for job in named if job.seed == wanted.seed), None)
    if found is None:
        seeds = ", ".join(str(job.seed) for job in named)
        raise UsageError(f"--seed: no {wanted.seed} of {named[0].variant} in {run}; known: {seeds}")
    if not found.weights_sha256:
        why = f"failed: {found.error}" if found.status == FAILED else "is of before they were recorded"
        raise RunError(
            f"{run}: has no weights of {found.variant}, seed {found.seed}, to compare with, as it {why}"
        )
    return found


# --- where things were ---------------------------------------------------------------------------


class _Places:
    """Where a run's command found its lab and its data: beside us, or where the command must have been given.

    The latter follows from the run directory, which lies in what --output named.
    """

    def __init__(self, run: Path, record: RunRecord) -> None:
        words = record.argv[2:]
        self.source = words[0] if words else ""
        self.options = dict(zip(words[1::2], words[2::2], strict=False))
        output = Path(self.options.get("--output", "output"))
        above = run.resolve().parent.parent
        ends_so = above.parts[-len(output.parts) :] == output.parts and len(above.parts) > len(output.parts)
        self._bases = [Path.cwd(), *([above.parents[len(output.parts) - 1]] if ends_so else [])]

    def find(self, path: str) -> Path | None:
        """Find what the command named by a path; None where it is not there."""
        return next((base / path for base in self._bases if path and (base / path).exists()), None)

    def lab_folder(self) -> Path | None:
        """Find the folder of the run's lab; None where it is not there."""
        if self.source in builtin_labs():
            return lab_folder(self.source)
        found = self.find(self.source)
        return lab_folder(found) if found else None


def _dataset(record: RunRecord, given: Path | None, places: _Places, say: Callable[[str], None]) -> Dataset:
    """Load the data set of a run from a path that is given, or as the run found it."""
    known = record.dataset
    name, path = (None, given) if given else _choice(record, places)
    what = f"{known.title} (SHA-256 {short(known.sha256)})"
    try:
        dataset = load(name, path, known.classes, say=say)
    except DatasetUnavailable as error:
        raise DatasetUnavailable(f"{error.__cause__ or error}; name {what} with --data PATH") from None
    if dataset.sha256 != known.sha256:
        raise DataError(
            f"{path or name}: its content has the SHA-256 {short(dataset.sha256)}, the run was trained on "
            f"{what}; name that with --data PATH"
        )
    return dataset


def _choice(record: RunRecord, places: _Places) -> tuple[str | None, Path | None]:
    """Give the name or the path by which a run found its data set; raises DataError."""
    choice, folder = record.lab.dataset, places.lab_folder()
    if "--data" in places.options:
        stated, path = places.options["--data"], places.find(places.options["--data"])
    elif "--dataset" in places.options or choice.path is None:
        return places.options.get("--dataset", choice.name), None
    else:
        stated = str(choice.path)
        path = folder / choice.path if folder else places.find(stated)
    if path is None or not path.exists():
        what = f"{record.dataset.title} (SHA-256 {short(record.dataset.sha256)})"
        raise DataError(f"{stated}: the data set of the run is not there; name {what} with --data PATH")
    return None, path


# --- what it is trained on -----------------------------------------------------------------------


def _conditions(run: Path, record: RunRecord, recorded: JobRecord, planned: Identified) -> Row:
    """Hold the job's key here against the recorded one, and say what differs as far as can be told."""
    if planned.key == recorded.key:
        return Row(OK, "conditions", "the same as in the run: equal weights are to be expected")
    stated = stated_by(store_of(run), recorded.key)
    if stated is not None:
        here = json.loads(json.dumps(planned.identity.content))
        differ = list(_differences(stated["identity"], here))
    else:
        names = (*PACKAGES, "system", "processor", "onednn")
        now = environment.describe()
        then = {name: record.environment[name] for name in names if name in record.environment}
        differ = list(_differences(then, {name: now[name] for name in then}))
    unknown = (
        "neither the versions nor the processor's name, but the training's own version, the processor's "
        "instructions, a variable such as XLA_FLAGS or a module's source; the store no longer tells"
    )
    return Row(NOTE, "conditions", f"differ: {'; '.join(differ) or unknown}: {NOT_ALIKE}")


def _differences(then: dict[str, Any], now: dict[str, Any], inside: str = "") -> Iterator[str]:
    """Name what differs between two identities."""
    for name in sorted(then.keys() | now.keys()):
        before, after = then.get(name), now.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _differences(before, after, f"{inside}{name}.")
        elif name == "vector":
            yield _instructions(str(before).split(), str(after).split())
        else:
            yield f"{inside}{name} {_shown(before)} then, {_shown(after)} now"


def _instructions(then: list[str], now: list[str]) -> str:
    only = {"then": sorted(set(then) - set(now)), "now": sorted(set(now) - set(then))}
    said = ", ".join(f"{' '.join(names)} {when}" for when, names in only.items() if names)
    return f"vector instructions {said}"


def _shown(value: Any) -> str:
    return shorten(str(value), 40) if value not in (None, "") else "none"


# --- training ------------------------------------------------------------------------------------


def retrain(prepared: Retraining, observer: Observer) -> Row:
    """Train the job in a process and a store of its own; gives whether the weights are the recorded ones."""
    temporary = Path(tempfile.gettempdir())
    with disk.disk_errors(temporary), tempfile.TemporaryDirectory(prefix="reportgen-") as folder:
        trainers = Trainers(prepared.dataset, prepared.workers, prepared.folder)
        [ran] = run_jobs([prepared.planned], Store(Path(folder)), trainers, observer)
    recorded, outcome = prepared.recorded, ran.outcome
    name = f"{recorded.variant}, seed {recorded.seed}, again"
    if outcome.status == FAILED:
        return Row.of(name, f"its training failed: {outcome.error}", "")
    theirs, ours = recorded.weights_sha256, outcome.weights_sha256
    differ = f"other weights: {short(theirs)} in the run, {short(ours)} here"
    return Row.of(name, "" if ours == theirs else differ, f"the same weights {short(ours)}")
