"""What a training process does: tasks come in, outcomes go out."""

from __future__ import annotations

import gc
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.data import Dataset
from reportgen.data.probes import Probe, Row, permuted
from reportgen.data.sharing import SharedDataset, attach
from reportgen.errors import LabError
from reportgen.jobs import Job, Observer, Outcome, failed
from reportgen.text import inert, shorten
from reportgen.training import load_keras

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportgen.lab import Protocol, Variant
    from reportgen.processes import Send

ENTRY = f"{__name__}:prepare"


@dataclass(frozen=True)
class Setup:
    """What all tasks of a process share; `folder` is where the modules of an instructor's models lie."""

    dataset: SharedDataset
    folder: Path | None


@dataclass(frozen=True)
class Training:
    """A task: train a job and save its model."""

    job: Job
    model_file: Path


@dataclass(frozen=True)
class Check:
    """A task: build a variant's model and give why it cannot be used, or ""."""

    variant: Variant
    protocol: Protocol


@dataclass(frozen=True)
class Probing:
    """A task: score a trained model on the altered test images of a probe."""

    job: Job
    model_file: Path
    probe: Probe


@dataclass(frozen=True)
class Unscored:
    """The answer where a model could not be scored, with the reason in one line."""

    reason: str


@dataclass(frozen=True)
class Epoch:
    """News of a training: an epoch's number, its metrics as Keras names them, and its seconds."""

    number: int
    logs: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class NoRoom:
    """The answer of a training whose model could not be written."""

    code: int
    reason: str
    path: str


Task = Training | Check | Probing
Given = Outcome | NoRoom | str | tuple[Row, ...] | Unscored


def prepare(setup: Setup) -> Callable[[Task, Send], Given]:
    """Import TensorFlow and map the dataset; gives what a process does with a task."""
    load_keras()
    warnings.simplefilter("ignore")  # Keras' advice on how to use it is not for our users
    dataset = attach(setup.dataset)

    def work(task: Task, send: Send) -> Given:
        if isinstance(task, Check):
            return _check(task, dataset, setup.folder)
        if isinstance(task, Probing):
            return _score(task, dataset, setup.folder)
        return _train(task, dataset, setup.folder, send)

    return work


class _Sender(Observer):
    """Send what an observer hears to the parent."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def epoch_ended(self, job: Job, epoch: int, logs: dict[str, float], seconds: float) -> None:
        self._send(Epoch(epoch, logs, seconds))


def _train(task: Training, dataset: Dataset, folder: Path | None, send: Send) -> Outcome | NoRoom:
    from reportgen.training.fit import NotSaved, train  # noqa: PLC0415  once Keras is there, in silence

    start = time.perf_counter()
    gc.collect()  # the model before this one, with its graph and its copy of the images, is full of cycles
    try:
        if task.job.permuted:
            return train(_bare(task.job), permuted(dataset), _Sender(send), folder, task.model_file)
        return train(task.job, dataset, _Sender(send), folder, task.model_file)
    except NotSaved as error:
        return NoRoom(error.errno or 0, error.strerror or "", str(error.filename or task.model_file))
    except Exception as error:  # noqa: BLE001  whatever one training dies of, the others go on
        return failed(task.job, _reason(error), time.perf_counter() - start)


def _bare(job: Job) -> Job:
    """Name a job's variant as the lab does: TensorFlow takes no spaces in names."""
    return replace(job, variant=job.variant.model_copy(update={"name": job.asked}))


def _score(task: Probing, dataset: Dataset, folder: Path | None) -> tuple[Row, ...] | Unscored:
    from reportgen.training.probes import score  # noqa: PLC0415

    gc.collect()
    try:
        return score(task.job, dataset, folder, task.model_file, task.probe)
    except Exception as error:  # noqa: BLE001  the report goes without this probe
        return Unscored(_reason(error))


def _check(task: Check, dataset: Dataset, folder: Path | None) -> str:
    from reportgen.training.models import build  # noqa: PLC0415

    try:
        build(task.variant, dataset.image_shape, dataset.n_classes, folder, task.protocol.precision)
    except LabError as error:
        return str(error)
    return ""


def _reason(error: Any) -> str:
    """Say why, in one line, without the tensors that Keras lists behind its own words."""
    said = inert(error).partition("Arguments received by")[0]
    return shorten(" ".join(f"{type(error).__name__}: {said}".split()), 300)
