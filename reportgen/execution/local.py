"""Jobs, one after another, in this process."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.jobs import FAILED, Job, Observer, Outcome
from reportgen.text import inert, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportgen.data import Dataset


def run_jobs(
    jobs: Sequence[Job], dataset: Dataset, observer: Observer, folder: Path | None = None
) -> Iterator[Outcome]:
    """Train each job; one that raises is recorded as failed, with its reason, and the others go on."""
    from reportgen.training import load_keras  # noqa: PLC0415  TensorFlow, only once it is needed

    load_keras()
    from reportgen.training.fit import train  # noqa: PLC0415

    for job in jobs:
        observer.job_started(job)
        start = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Keras' advice on how to use it is not for our users
                outcome = train(job, dataset, observer, folder)
        except Exception as error:  # noqa: BLE001  whatever one training dies of, the others go on
            outcome = failed(job, error, time.perf_counter() - start)
        observer.job_ended(job, outcome)
        yield outcome


def failed(job: Job, error: Exception, seconds: float) -> Outcome:
    """Record a job that raised."""
    return Outcome(
        variant=job.variant.name,
        seed=job.seed,
        status=FAILED,
        error=_reason(error),
        params=None,
        trainable_params=None,
        train_seconds=seconds,
        test_loss=float("nan"),
        epochs=pd.DataFrame(columns=["epoch", "split", "metric", "value"]),
        layers=pd.DataFrame(),
        probabilities=None,
    )


def _reason(error: Exception) -> str:
    """Say why, in one line, without the tensors that Keras lists behind its own words."""
    said = inert(error).partition("Arguments received by")[0]
    return shorten(" ".join(f"{type(error).__name__}: {said}".split()), 300)
