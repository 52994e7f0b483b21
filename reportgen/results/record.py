"""What is known of a run beside its frames: run.json."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from reportgen.lab import Lab

if TYPE_CHECKING:
    from reportgen.data import Dataset

FORMAT_VERSION = 1


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class DatasetRecord(_Record):
    """What run.json says of the data set.

    `repeats` counts the test images that are in the training set too; None where an older run did not count.
    """

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
    repeats: int | None = None

    @classmethod
    def of(cls, dataset: Dataset) -> DatasetRecord:
        """Record a data set without its arrays."""
        return cls(
            name=dataset.name,
            title=dataset.title,
            description=dataset.description,
            source=dataset.source,
            sha256=dataset.sha256,
            image_shape=dataset.image_shape,
            n_train=dataset.n_train,
            n_test=dataset.n_test,
            classes=dataset.class_names,
            warnings=dataset.warnings,
            repeats=dataset.repeats,
        )


class JobRecord(_Record):
    """What run.json says of one training.

    `key` names its entry in the store; `reused` tells that it was there before this run.
    """

    variant: str
    seed: int
    status: str
    error: str
    key: str = ""
    weights_sha256: str = ""
    reused: bool = False


class LeftOut(_Record):
    """A probe that a training has no rows of, and why; `lasting` where another try would come to the same."""

    variant: str
    seed: int
    probe: str
    reason: str
    lasting: bool = False


class RunRecord(_Record):
    """What is known of a run beside its frames: run.json.

    `controls` are trainings on permuted pixels, which are no part of the comparison; `left_out` says which
    probes have no rows. `seconds` is the time that all trainings took; `fallback` says why another data set
    than the lab's own was taken, or is empty. `formats` are those that its report was to have.
    """

    format_version: int = FORMAT_VERSION
    lab: Lab
    dataset: DatasetRecord
    environment: dict[str, str | int]
    jobs: tuple[JobRecord, ...]
    controls: tuple[JobRecord, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    started: datetime
    seconds: float
    argv: tuple[str, ...]
    overrides: dict[str, Any]
    fallback: str
    formats: tuple[str, ...] = ("html", "pdf")
