"""What is to run and how: jobs with their keys, workers with their threads, and how each job came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen import environment
from reportgen.data.probes import BORDER, SHIFT, Probe
from reportgen.errors import UsageError
from reportgen.execution.keys import Identity, fingerprint, identify
from reportgen.jobs import ON_PERMUTED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportgen.data import Dataset
    from reportgen.data.probes import Row
    from reportgen.jobs import Job, Outcome
    from reportgen.lab import Lab


# Each of them is looked at 25 times, for 6 pixels: half as many as of other probes give closer shares still.
SHIFT_IMAGES = 1000


@dataclass(frozen=True)
class Workers:
    """How many jobs run at once, the threads of each, and how long one may take (seconds)."""

    count: int
    threads: int
    timeout: float | None = None

    @classmethod
    def of(cls, count: int | None = None, timeout: float | None = None) -> Workers:
        """Share the machine's cores out: by default, one job a core.

        Measured on two cores, two trainings with one thread each finish more epochs a minute than one
        training with two. Raises UsageError for less than one job.
        """
        if count is not None and count < 1:
            raise UsageError(f"--jobs: {count}, expected 1 or more")
        cores = environment.usable_cores()
        count = count or cores
        return cls(count, max(1, cores // count), timeout)

    @property
    def options(self) -> list[str]:
        """Give the options of the command line that ask for this, where it is not the usual."""
        usual = self.count == environment.usable_cores()
        jobs = [] if usual else ["--jobs", str(self.count)]
        return jobs if self.timeout is None else [*jobs, "--job-timeout", f"{self.timeout:g}s"]

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables that must be set before TensorFlow starts."""
        names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
        threads = {name: str(self.threads) for name in names}
        # Keras would end an epoch or a training early by the last two, and nobody would know.
        whole = {"KERAS_MAX_EPOCHS": "", "KERAS_MAX_STEPS_PER_EPOCH": ""}
        return {**threads, **whole, "TF_CPP_MIN_LOG_LEVEL": "2"}


@dataclass(frozen=True)
class Identified:
    """A job and what it is known by."""

    job: Job
    identity: Identity

    @property
    def key(self) -> str:
        """Give the job's key in the store."""
        return self.identity.key


@dataclass(frozen=True)
class Probed:
    """How a trained model fared in one probe; without rows, why it was left out.

    `lasting` tells that another try would come to the same.
    """

    probe: str
    rows: tuple[Row, ...] = ()
    reason: str = ""
    lasting: bool = False


@dataclass(frozen=True)
class Ran:
    """How a job came out, whether its outcome was there already, and how its model fared in the probes."""

    key: str
    outcome: Outcome
    reused: bool
    probed: tuple[Probed, ...] = ()

    @property
    def is_control(self) -> bool:
        """Tell whether this was trained on permuted pixels, and is no part of the comparison."""
        return self.outcome.variant.endswith(ON_PERMUTED)


def probes_of(lab: Lab) -> tuple[Probe, ...]:
    """List what a lab asks the trained models about altered test images."""
    border = (Probe(BORDER),) if lab.probes.border else ()
    shift = Probe(SHIFT, pixels=lab.probes.shift, images=SHIFT_IMAGES)
    return (*border, shift) if lab.probes.shift else border


def identify_all(
    jobs: Sequence[Job], dataset: Dataset, workers: Workers, folder: Path | None
) -> list[Identified]:
    """Identify jobs as they will run; `folder` holds the modules of an instructor's own models."""
    machine = fingerprint(workers.threads)
    return [Identified(job, identify(job, dataset, machine, folder)) for job in jobs]
