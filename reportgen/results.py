"""One run's results: tidy frames, saved to and loaded from a run directory.

A run directory holds run.json, frames/*.parquet and images.npz; FORMAT_VERSION counts up with any change
that an older reader would misread. It stands on its own: a copy on another machine can be rendered there.
"""

from __future__ import annotations

import html
import io
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from reportgen.data.formats import DAMAGED
from reportgen.errors import RunError
from reportgen.jobs import DIVERGED, DONE, FAILED
from reportgen.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reportgen.data import Dataset
    from reportgen.jobs import Outcome

FORMAT_VERSION = 1
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
}
# What a training that failed has none of, and the value of a metric that diverged.
MAY_BE_MISSING = {"multiply_adds", "params", "trainable_params", "test_loss", "test_accuracy", "value"}
_DTYPES = {"i": "Int64", "f": "float64", "s": "string", "p": "float32"}
_KINDS = {"i": "a whole number", "f": "a number", "s": "text", "p": "a number"}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class DatasetRecord(_Record):
    """What run.json says of the data set."""

    name: str
    title: str
    description: str
    source: str
    sha256: str
    image_shape: tuple[int, int, int]
    n_train: int
    n_test: int
    classes: tuple[str, ...]
    warnings: tuple[str, ...]


class JobRecord(_Record):
    """What run.json says of one training."""

    variant: str
    seed: int
    status: str
    error: str


class RunRecord(_Record):
    """What is known of a run beside its frames: run.json.

    `seconds` is the time that all trainings took; `fallback` says why another data set than the lab's own
    was taken, or is empty.
    """

    format_version: int = FORMAT_VERSION
    lab: Lab
    dataset: DatasetRecord
    environment: dict[str, str | int]
    jobs: tuple[JobRecord, ...]
    started: datetime
    seconds: float
    argv: tuple[str, ...]
    overrides: dict[str, Any]
    fallback: str


@dataclass(frozen=True)
class Results:
    """The frames of one run (columns: see COLUMNS) and what is known of it.

    `predictions` also has one column for each class's probability, p_0, p_1, ...; `images` maps an index of
    the test set to the image (h, w, c) uint8, for those that the galleries show; `record` is run.json.
    """

    record: RunRecord
    runs: pd.DataFrame
    epochs: pd.DataFrame
    layers: pd.DataFrame
    predictions: pd.DataFrame
    confusion: pd.DataFrame
    images: dict[int, NDArray[np.uint8]] = field(repr=False)
    path: Path | None = None

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


# --- outcomes become frames ----------------------------------------------------------------------


def collect(outcomes: Sequence[Outcome], dataset: Dataset, record: RunRecord) -> Results:
    """Lay the outcomes of one run out as frames."""
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
    )


def _frame(name: str, parts: list[pd.DataFrame], n_classes: int = 0) -> pd.DataFrame:
    columns = _columns(name, n_classes)
    parts = [part for part in parts if len(part)]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return frame[list(columns)].astype({column: _DTYPES[kind] for column, kind in columns.items()})


def _columns(name: str, n_classes: int) -> dict[str, str]:
    """Give a frame's columns with their kinds, those of the classes too."""
    if name != "predictions":
        return COLUMNS[name]
    return COLUMNS[name] | {f"p_{k}": "p" for k in range(n_classes)}


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


def _gallery_images(predictions: pd.DataFrame, images: NDArray[Any]) -> dict[int, NDArray[np.uint8]]:
    return {index: _uint8(images[index]) for index in _gallery_indices(predictions)}


def _gallery_indices(predictions: pd.DataFrame) -> list[int]:
    """List the test images that the galleries of all trainings show."""
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


# --- saving --------------------------------------------------------------------------------------


def save(results: Results, folder: Path) -> None:
    """Write a run directory; `folder` exists and is empty."""
    (folder / "frames").mkdir()
    for name in COLUMNS:
        getattr(results, name).to_parquet(folder / "frames" / f"{name}.parquet", index=False)
    indices = np.array(list(results.images), dtype="int64")
    images = list(results.images.values())
    stacked = np.stack(images) if images else np.zeros((0, 1, 1, 1), "uint8")
    with (folder / "images.npz").open("wb") as file:
        np.savez_compressed(file, index=indices, images=stacked)
    text = json.dumps(results.record.model_dump(mode="json"), indent=2)
    (folder / "run.json").write_text(text + "\n", encoding="utf-8")


# --- loading -------------------------------------------------------------------------------------


def load_results(path: str | Path) -> Results:
    """Read a run directory, or a lab's folder of runs (its latest).

    Raises RunError where there is no run, or where a part of it is missing or damaged.
    """
    folder = _run_folder(Path(path))
    record = _load_record(folder)
    n_classes = len(record.dataset.classes)
    frames = {name: _load_frame(folder, name, n_classes) for name in COLUMNS}
    _check_together(folder, frames, record)
    images = _load_images(folder, frames["predictions"], record.dataset.image_shape)
    return Results(record=record, images=images, path=folder, **frames)


def _run_folder(path: Path) -> Path:
    try:
        path.stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = "no such run directory" if isinstance(error, FileNotFoundError) else error
        raise RunError(f"{path}: {reason}; `reportgen run` makes one") from None
    if not path.is_dir():
        raise RunError(f"{path}: is a file, expected a run directory such as output/mnist/latest")
    if not (path / "run.json").exists() and (path / "latest").exists():
        return path / "latest"
    if not (path / "run.json").exists():
        raise RunError(f"{path}: has no run.json, expected a run directory such as output/mnist/latest")
    return path


def _load_record(folder: Path) -> RunRecord:
    where = folder / "run.json"
    try:
        run = json.loads(where.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{where}: is damaged: {error}; run the lab again") from None
    version = run.get("format_version") if isinstance(run, dict) else None
    if type(version) is int and version > FORMAT_VERSION:
        raise RunError(
            f"{where}: format_version {version}, this reportgen reads {FORMAT_VERSION}; update reportgen"
        )
    if type(version) is not int or version != FORMAT_VERSION:
        raise RunError(f"{where}: format_version {version!r}, expected {FORMAT_VERSION}; run the lab again")
    try:
        return RunRecord.model_validate(run)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RunError(f"{where}: {key}: {first['msg']}; run the lab again") from None


def _load_frame(folder: Path, name: str, n_classes: int) -> pd.DataFrame:
    where = folder / "frames" / f"{name}.parquet"
    try:
        frame = pd.read_parquet(where)
    except FileNotFoundError:
        raise RunError(f"{where}: is missing; run the lab again") from None
    except Exception as error:  # noqa: BLE001  pyarrow raises many kinds on damaged bytes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(f"{where}: is damaged: {reason}; run the lab again") from None
    for column, kind in _columns(name, n_classes).items():
        if column not in frame:
            raise RunError(f"{where}: has no column '{column}'; run the lab again")
        try:
            frame[column] = frame[column].astype(_DTYPES[kind])
        except (TypeError, ValueError, NotImplementedError):
            raise RunError(f"{where}: column '{column}' is not {_KINDS[kind]}; run the lab again") from None
        if column not in MAY_BE_MISSING and frame[column].isna().any():
            raise RunError(f"{where}: column '{column}' has missing values; run the lab again")
    return frame


def _check_together(folder: Path, frames: dict[str, pd.DataFrame], record: RunRecord) -> None:
    """Refuse frames that do not belong to one run."""
    if frames["runs"].empty:
        raise RunError(f"{folder / 'frames/runs.parquet'}: is empty; run the lab again")
    unknown = set(frames["runs"]["status"]) - {DONE, DIVERGED, FAILED}
    if unknown:
        raise RunError(
            f"{folder / 'frames/runs.parquet'}: column 'status' says '{sorted(unknown)[0]}', "
            f"expected {DONE}, {DIVERGED} or {FAILED}; run the lab again"
        )
    known = set(frames["runs"]["variant"])
    for name in COLUMNS:
        strangers = set(frames[name]["variant"]) - known
        if strangers:
            raise RunError(
                f"{folder / 'frames' / name}.parquet: variant '{sorted(strangers)[0]}' is not in "
                "runs.parquet; run the lab again"
            )
    classes = record.dataset.classes
    for name, column in (
        ("predictions", "label"),
        ("predictions", "predicted"),
        ("confusion", "label"),
        ("confusion", "predicted"),
    ):
        values = frames[name][column]
        if len(values) and not values.between(0, len(classes) - 1).all():
            raise RunError(
                f"{folder / 'frames' / name}.parquet: column '{column}' goes beyond the "
                f"{len(classes)} classes; run the lab again"
            )


def _load_images(
    folder: Path, predictions: pd.DataFrame, image_shape: tuple[int, int, int]
) -> dict[int, NDArray[np.uint8]]:
    where = folder / "images.npz"
    try:
        with np.load(io.BytesIO(where.read_bytes()), allow_pickle=False) as archive:
            index, images = archive["index"], archive["images"]
    except DAMAGED as error:
        raise RunError(f"{where}: is missing or damaged: {error}; run the lab again") from None
    if index.dtype.kind not in "iu" or index.ndim != 1 or images.dtype != np.uint8:
        raise RunError(f"{where}: expected whole numbers and uint8 images; run the lab again")
    if len(index) and images.shape != (len(index), *image_shape):
        raise RunError(
            f"{where}: has images of shape {images.shape}, expected {(len(index), *image_shape)}; "
            "run the lab again"
        )
    missing = sorted(set(_gallery_indices(predictions)) - set(index.tolist()))
    if missing:
        raise RunError(f"{where}: has no image {missing[0]}, which a gallery shows; run the lab again")
    return {int(i): image for i, image in zip(index, images, strict=True)}
