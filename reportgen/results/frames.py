"""One run's results: tidy frames, laid out from the outcomes of its jobs."""

from __future__ import annotations

import html
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportgen.jobs import DONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from reportgen.data import Dataset
    from reportgen.data.probes import Row
    from reportgen.jobs import Outcome
    from reportgen.lab.logo import Logo

from reportgen.results.record import RunRecord

GALLERY_SIZE = 9  # images in one gallery, as in the lab notebook

# The columns of each frame and their kinds: i whole number, f number, s text.
COLUMNS: dict[str, dict[str, str]] = {
    "runs": {
        "variant": "s",
        "seed": "i",
        "status": "s",
        "error": "s",
        "params": "i",
        "trainable_params": "i",
        "train_seconds": "f",
        "test_loss": "f",
        "test_accuracy": "f",
    },
    "epochs": {
        "variant": "s",
        "seed": "i",
        "epoch": "i",
        "split": "s",
        "metric": "s",
        "value": "f",
    },
    "layers": {
        "variant": "s",
        "position": "i",
        "layer": "s",
        "type": "s",
        "setting": "s",
        "output_shape": "s",
        "params": "i",
        "trainable": "i",
        "multiply_adds": "i",
    },
    "predictions": {
        "variant": "s",
        "seed": "i",
        "index": "i",
        "label": "i",
        "predicted": "i",
        "confidence": "f",
    },
    "confusion": {"variant": "s", "seed": "i", "label": "i", "predicted": "i", "count": "i"},
    "probes": {
        "variant": "s",
        "seed": "i",
        "probe": "s",
        "level": "s",
        "pixels": "i",
        "right": "i",
        "n": "i",
        "accuracy": "f",
    },
}
OPTIONAL = {"probes"}  # empty where an older run has none
# What a training that failed has none of, the value of a metric that diverged, and the way of a probe in
# which it differs from image to image.
MAY_BE_MISSING = {
    "multiply_adds",
    "params",
    "pixels",
    "trainable_params",
    "test_loss",
    "test_accuracy",
    "value",
}
DTYPES = {"i": "Int64", "f": "float64", "s": "string", "p": "float32"}
KINDS = {"i": "a whole number", "f": "a number", "s": "text", "p": "a number"}


@dataclass(frozen=True)
class Score:
    """How one training fared at one level of a probe."""

    variant: str
    seed: int
    probe: str
    row: Row


@dataclass(frozen=True)
class Results:
    """The frames of one run (columns: see COLUMNS) and what is known of it.

    `predictions` also has one column for each class's probability, p_0, p_1, ...; `images` maps an index of
    the test set to the image (h, w, c) uint8, for those that the galleries show; `record` is run.json.
    `probes` has a row for each training, probe and level: how many of n altered images it got right, and by
    how many pixels they were moved. It is empty where the lab states no probes.
    """

    record: RunRecord
    runs: pd.DataFrame
    epochs: pd.DataFrame
    layers: pd.DataFrame
    predictions: pd.DataFrame
    confusion: pd.DataFrame
    images: dict[int, NDArray[np.uint8]] = field(repr=False)
    path: Path | None = None
    probes: pd.DataFrame = field(default_factory=lambda: empty("probes"))
    logo: Logo | None = None

    def __repr__(self) -> str:
        """Say in one line what this is; the frames are attributes."""
        done = int((self.runs["status"] == DONE).sum())
        title = self.record.lab.title[:60]
        return f"<Results of {title!r}: {done} of {len(self.runs)} trainings done, {self.path}>"

    @property
    def variants(self) -> list[str]:
        """List the variants in the order of the lab."""
        return list(dict.fromkeys(self.runs["variant"]))

    @property
    def complete(self) -> bool:
        """Tell whether every job ended well."""
        return bool((self.runs["status"] == DONE).all())

    def _repr_html_(self) -> str:
        """Show one row a training in Jupyter."""
        table = self.runs.drop(columns=["error", "trainable_params"])
        styled = table.to_html(index=False, na_rep="–", float_format=lambda x: f"{x:.4f}")
        title = html.escape(self.record.lab.title)
        return f"<p><strong>{title}</strong> · {html.escape(str(self.path or ''))}</p>{styled}"


def collect(
    outcomes: Sequence[Outcome], dataset: Dataset, record: RunRecord, probes: Sequence[Score] = ()
) -> Results:
    """Lay the outcomes of one run, and how its models fared in the probes, out as frames."""
    done = [outcome for outcome in outcomes if outcome.probabilities is not None]
    predictions = _frame(
        "predictions", [_predictions(one, dataset.y_test) for one in done], dataset.n_classes
    )
    return Results(
        record=record,
        runs=_frame("runs", [_run_row(one, dataset.y_test) for one in outcomes]),
        epochs=_frame("epochs", [_named(one, one.epochs) for one in outcomes]),
        layers=_frame("layers", _layers(outcomes)),
        predictions=predictions,
        confusion=_frame("confusion", [_confusion(one, dataset) for one in done]),
        images=_gallery_images(predictions, dataset.x_test),
        probes=_frame("probes", [_probe_row(one) for one in probes]),
    )


def empty(name: str) -> pd.DataFrame:
    """Give a frame without rows."""
    return _frame(name, [])


def _frame(name: str, parts: list[pd.DataFrame], n_classes: int = 0) -> pd.DataFrame:
    columns = columns_of(name, n_classes)
    parts = [part for part in parts if len(part)]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return frame[list(columns)].astype({column: DTYPES[kind] for column, kind in columns.items()})


def columns_of(name: str, n_classes: int) -> dict[str, str]:
    """Give a frame's columns with their kinds, those of the classes too."""
    if name != "predictions":
        return COLUMNS[name]
    return COLUMNS[name] | {f"p_{k}": "p" for k in range(n_classes)}


def _probe_row(score: Score) -> pd.DataFrame:
    row = score.row
    stated = {"variant": score.variant, "seed": score.seed, "probe": score.probe}
    pixels = pd.array([row.pixels], dtype="Int64")
    counts = {"pixels": pixels, "right": [row.right], "n": [row.n], "accuracy": [row.right / row.n]}
    return pd.DataFrame({**{key: [value] for key, value in stated.items()}, "level": [row.level], **counts})


def _named(outcome: Outcome, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(variant=outcome.variant, seed=outcome.seed)


def _run_row(outcome: Outcome, labels: NDArray[np.int64]) -> pd.DataFrame:
    accuracy = float("nan")
    if outcome.probabilities is not None:
        accuracy = float((outcome.probabilities.argmax(axis=1) == labels).mean())
    row = {
        "variant": outcome.variant,
        "seed": outcome.seed,
        "status": outcome.status,
        "error": outcome.error,
        "params": outcome.params,
        "trainable_params": outcome.trainable_params,
        "train_seconds": outcome.train_seconds,
        "test_loss": outcome.test_loss,
        "test_accuracy": accuracy,
    }
    return pd.DataFrame([row])


def _layers(outcomes: Sequence[Outcome]) -> list[pd.DataFrame]:
    """Take each variant's layers from its first training that got as far as having some."""
    first: dict[str, pd.DataFrame] = {}
    for outcome in outcomes:
        if len(outcome.layers):
            first.setdefault(outcome.variant, outcome.layers.assign(variant=outcome.variant))
    return list(first.values())


def _predictions(outcome: Outcome, labels: NDArray[np.int64]) -> pd.DataFrame:
    probabilities = np.asarray(outcome.probabilities)
    frame = pd.DataFrame(probabilities, columns=[f"p_{k}" for k in range(probabilities.shape[1])])
    return frame.assign(
        variant=outcome.variant,
        seed=outcome.seed,
        index=np.arange(len(labels)),
        label=labels,
        predicted=probabilities.argmax(axis=1),
        confidence=probabilities.max(axis=1),
    )


def _confusion(outcome: Outcome, dataset: Dataset) -> pd.DataFrame:
    """Count every pair of true and predicted class, those that never occur too."""
    k = dataset.n_classes
    predicted = np.asarray(outcome.probabilities).argmax(axis=1)
    counts = np.bincount(dataset.y_test * k + predicted, minlength=k * k)
    return pd.DataFrame(
        {
            "variant": outcome.variant,
            "seed": outcome.seed,
            "label": np.repeat(np.arange(k), k),
            "predicted": np.tile(np.arange(k), k),
            "count": counts,
        }
    )


def gallery(predictions: pd.DataFrame, correct: bool) -> pd.DataFrame:
    """Take the first hits or mistakes of one training by index in the test set, as the notebook does."""
    hits = predictions["label"] == predictions["predicted"]
    return predictions[hits == correct].sort_values("index").head(GALLERY_SIZE)


def with_images(results: Results, images: NDArray[Any], indices: Iterable[int]) -> Results:
    """Keep more of the test set's images (n, h, w, c) beside those that are there."""
    wanted = sorted({*results.images, *indices})
    return replace(results, images={index: _uint8(images[index]) for index in wanted})


def _gallery_images(predictions: pd.DataFrame, images: NDArray[Any]) -> dict[int, NDArray[np.uint8]]:
    return {index: _uint8(images[index]) for index in gallery_indices(predictions)}


def gallery_indices(predictions: pd.DataFrame) -> list[int]:
    """List the test images that a run has at the least: the first hits and mistakes of all trainings."""
    shown = [
        gallery(one, correct)["index"]
        for _, one in predictions.groupby(["variant", "seed"], sort=False)
        for correct in (True, False)
    ]
    return sorted({int(index) for part in shown for index in part})


def _uint8(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype == np.uint8:
        return image
    scaled: NDArray[np.uint8] = np.rint(image * 255).astype("uint8")
    return scaled
