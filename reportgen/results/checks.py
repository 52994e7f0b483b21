"""Do the frames of a run directory belong together? What does not is refused, not drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from reportgen.errors import RunError
from reportgen.jobs import DIVERGED, DONE, FAILED
from reportgen.results.frames import COLUMNS
from reportgen.results.record import RunRecord

Frames = dict[str, pd.DataFrame]
JOB = ["variant", "seed"]


def check(folder: Path, frames: Frames, record: RunRecord) -> None:
    """Refuse frames that are not those of one run; raises RunError, naming the frame."""
    for name, problem in _problems(frames, record):
        raise RunError(f"{folder / 'frames' / name}.parquet: {problem}; run the lab again")


def _problems(frames: Frames, record: RunRecord) -> Iterator[tuple[str, str]]:
    """Find what is wrong, frame by frame; what comes later relies on what came before."""
    if frames["runs"].empty:
        yield "runs", "is empty"
    yield from _strangers(frames)
    yield from _beyond_the_classes(frames, len(record.dataset.classes))
    yield from _runs(frames["runs"])
    yield from _epochs(frames["epochs"], record.lab.protocol.epochs)
    yield from _predictions(frames, record.dataset.n_test)
    yield from _probes(frames["probes"], frames["runs"])


def _strangers(frames: Frames) -> Iterator[tuple[str, str]]:
    known = set(frames["runs"]["variant"])
    for name in COLUMNS:
        strangers = set(frames[name]["variant"]) - known
        if strangers:
            yield name, f"variant '{sorted(strangers)[0]}' is not in runs.parquet"


def _beyond_the_classes(frames: Frames, classes: int) -> Iterator[tuple[str, str]]:
    for name in ("predictions", "confusion"):
        for column in ("label", "predicted"):
            if not frames[name][column].between(0, classes - 1).all():
                yield name, f"column '{column}' goes beyond the {classes} classes"


def _runs(runs: pd.DataFrame) -> Iterator[tuple[str, str]]:
    unknown = set(runs["status"]) - {DONE, DIVERGED, FAILED}
    if unknown:
        said = f"column 'status' says '{sorted(unknown)[0]}'"
        yield "runs", f"{said}, expected {DONE}, {DIVERGED} or {FAILED}"
    if runs.duplicated(JOB).any():
        yield "runs", "has two rows for one variant and seed"
    done = runs[runs["status"] == DONE]
    if done["params"].isna().any():
        yield "runs", "column 'params' is missing where the training was done"
    if not done["test_accuracy"].between(0, 1).all():
        yield "runs", "column 'test_accuracy' is not from 0 to 1 where the training was done"


def _epochs(epochs: pd.DataFrame, last: int) -> Iterator[tuple[str, str]]:
    if not epochs["epoch"].between(1, last).all():
        yield "epochs", f"column 'epoch' is not from 1 to {last}"
    if not epochs["split"].isin(["train", "validation"]).all():
        yield "epochs", "column 'split' is neither train nor validation"


def _predictions(frames: Frames, n_test: int) -> Iterator[tuple[str, str]]:
    """Hold predictions and confusion against the trainings that were done, and against each other."""
    runs, predictions, confusion = frames["runs"], frames["predictions"], frames["confusion"]
    done = runs[runs["status"] == DONE].set_index(JOB)
    counted = predictions.groupby(JOB).size()
    if set(counted.index) != set(done.index) or not (counted == n_test).all():
        yield "predictions", f"does not have {n_test} rows for each training that was done"
        return
    if (confusion["count"] < 0).any():
        yield "confusion", "column 'count' is below 0"
    cells = [*JOB, "label", "predicted"]
    stated = confusion[confusion["count"] > 0].set_index(cells)["count"].sort_index()
    found = predictions.groupby(cells).size().sort_index()
    if list(stated.index) != list(found.index) or stated.tolist() != found.tolist():
        yield "confusion", "does not agree with predictions.parquet"
    right = (predictions["label"] == predictions["predicted"]).groupby([predictions[key] for key in JOB])
    if ((right.mean() - done["test_accuracy"]).abs() > 1e-6).any():
        yield "runs", "column 'test_accuracy' does not agree with predictions.parquet"


def _probes(probes: pd.DataFrame, runs: pd.DataFrame) -> Iterator[tuple[str, str]]:
    done = runs[runs["status"] == DONE].set_index(JOB).index
    if not probes.set_index(JOB).index.isin(done).all():
        yield "probes", "has rows of a training that was not done"
    if probes.duplicated([*JOB, "probe", "level"]).any():
        yield "probes", "has two rows for one variant, seed, probe and level"
    if not ((probes["n"] > 0) & (probes["right"] >= 0) & (probes["right"] <= probes["n"])).all():
        yield "probes", "column 'right' is not from 0 to n"
    if not ((probes["right"] / probes["n"] - probes["accuracy"]).abs() <= 1e-6).all():
        yield "probes", "column 'accuracy' does not agree with right and n"
