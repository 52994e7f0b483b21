"""What passes between the lab, the trainings and the results: jobs, outcomes, and who watches them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from reportgen.lab import Lab, Protocol, Variant

DONE = "done"
DIVERGED = "diverged"
FAILED = "failed"
ON_PERMUTED = " (permuted)"  # ends the name of a variant that is trained on permuted pixels


@dataclass(frozen=True)
class Job:
    """One training: a variant under a protocol with one seed.

    `permuted` puts the pixels of all images, of training and test, into one other order.
    """

    variant: Variant
    seed: int
    protocol: Protocol
    permuted: bool = False

    @property
    def asked(self) -> str:
        """Give the name of the variant that the lab states."""
        return self.variant.name.removesuffix(ON_PERMUTED)


@dataclass(frozen=True)
class Outcome:
    """What one job gave.

    `epochs` has the columns epoch, split, metric, value; `layers` those of frames/layers.parquet without
    the variant; `test_loss` is Keras' own after the last epoch, and NaN unless the status is "done".
    `probabilities` is (n_test, n_classes) float32, and None unless the status is "done"; `weights_sha256`
    is of all weights after the last epoch, and empty where the training failed.
    """

    variant: str
    seed: int
    status: str
    error: str
    params: int | None
    trainable_params: int | None
    train_seconds: float
    test_loss: float
    epochs: pd.DataFrame
    layers: pd.DataFrame
    probabilities: NDArray[np.float32] | None
    weights_sha256: str = ""


class Observer:
    """Watch jobs as they run; every method may be left as it is."""

    def job_started(self, job: Job) -> None:
        """Hear that a job begins."""

    def epoch_ended(self, job: Job, epoch: int, logs: dict[str, float], seconds: float) -> None:
        """Hear an epoch's number (from 1), its metrics as Keras names them, and its time."""

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        """Hear how a job ended."""

    def job_reused(self, job: Job, outcome: Outcome) -> None:
        """Hear that a job's outcome was there already: nothing is trained."""

    def job_waits(self, job: Job) -> None:
        """Hear that another run is training a job, whose outcome will be taken from there."""

    def job_retried(self, job: Job, reason: str) -> None:
        """Hear that a job's process died, and that it begins again from its first epoch."""


def failed(job: Job, reason: str, seconds: float) -> Outcome:
    """Record a job that gave nothing, with the reason in one line."""
    import pandas as pd  # noqa: PLC0415  not needed to plan

    return Outcome(
        variant=job.variant.name,
        seed=job.seed,
        status=FAILED,
        error=reason,
        params=None,
        trainable_params=None,
        train_seconds=seconds,
        test_loss=float("nan"),
        epochs=pd.DataFrame(columns=["epoch", "split", "metric", "value"]),
        layers=pd.DataFrame(),
        probabilities=None,
    )


def plan(lab: Lab) -> list[Job]:
    """List a lab's jobs: every variant for every seed, seeds 1, 2, ..."""
    return [
        Job(variant, seed, lab.protocol)
        for variant in lab.variants
        for seed in range(1, lab.protocol.seeds + 1)
    ]


def plan_controls(lab: Lab) -> list[Job]:
    """List the trainings on permuted pixels that a lab asks for.

    They are named apart from the variants, of which none may have a space in its name.
    """
    return [
        Job(
            variant.model_copy(update={"name": variant.name + ON_PERMUTED}), seed, lab.protocol, permuted=True
        )
        for variant in lab.permuted
        for seed in range(1, lab.protocol.seeds + 1)
    ]
