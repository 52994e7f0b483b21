"""What a person sees while jobs run: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from reportgen.jobs import DONE, Job, Observer, Outcome
from reportgen.layers import trace
from reportgen.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import Progress, TaskID

    from reportgen.data import Dataset


class Watch(Observer):
    """An observer that can also be told plain sentences; this one says nothing."""

    def say(self, text: str) -> None:
        """Hear a sentence for the user."""

    def begin(self, jobs: Sequence[Job], dataset: Dataset) -> None:
        """Hear which jobs will run."""


class Forecast:
    """Tell the seconds that are left, from the epochs measured so far.

    A job's first epoch also builds its graph: it is measured apart, once two epochs can be compared. An
    unmeasured variant's epoch is taken to cost what its multiply-adds cost in the largest one measured.
    """

    def __init__(self, jobs: Sequence[Job], dataset: Dataset) -> None:
        self._work = {job.variant.name: _work(job, dataset) for job in jobs}
        self._left = {(job.variant.name, job.seed): job.protocol.epochs for job in jobs}
        self._epochs = jobs[0].protocol.epochs
        self._first: dict[tuple[str, int], float] = {}
        self._later: dict[str, float] = {}
        self._start = 0.0

    def epoch_ended(self, job: Job, epoch: int, seconds: float) -> None:
        """Take an epoch's time."""
        name, key = job.variant.name, (job.variant.name, job.seed)
        self._left[key] = job.protocol.epochs - epoch
        if epoch == 1:
            self._first[key] = seconds
        if epoch > 1 or self._epochs == 1:
            self._later[name] = seconds
            self._start = max(self._first.get(key, seconds) - seconds, 0.0)

    def job_ended(self, job: Job) -> None:
        """Take a job that needs no more time, however it ended."""
        self._left[job.variant.name, job.seed] = 0

    def seconds_left(self) -> float | None:
        """Give the seconds left, or None before there is a whole measured epoch."""
        if not self._later:
            return None
        largest = max(self._later, key=lambda name: self._work[name])
        rate = self._later[largest] / self._work[largest]
        return sum(
            left * self._later.get(name, rate * self._work[name])
            + (self._start if left and (name, seed) not in self._first else 0.0)
            for (name, seed), left in self._left.items()
        )


def _work(job: Job, dataset: Dataset) -> float:
    """Weigh a job's epoch: multiply-adds an image, with a floor for what does not depend on them."""
    if job.variant.layers is None:
        return 2e6
    rows = trace(job.variant.layers, dataset.image_shape, dataset.n_classes)
    return 1e5 + sum(row.multiply_adds for row in rows)


def duration(seconds: float) -> str:
    """Write seconds as 8 s, 2 min 05 s or 1 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _ended(job: Job, outcome: Outcome) -> str:
    if outcome.status == DONE:
        return f"{_label(job)}: {outcome.train_seconds:.1f} s"
    return f"{_label(job)}: {outcome.status}: {outcome.error}"


def _label(job: Job) -> str:
    seed = f" seed {job.seed}" if job.protocol.seeds > 1 else ""
    return f"{job.variant.name}{seed}"


def _metrics(logs: dict[str, float]) -> str:
    return (
        f"loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.4f}  "
        f"validation loss {logs['val_loss']:.4f}  accuracy {logs['val_accuracy']:.4f}"
    )


class PlainWatch(Watch):
    """Print a line for each epoch, for logs and pipes."""

    def __init__(self) -> None:
        self._forecast: Forecast | None = None
        self._done = 0
        self._total = 0

    def say(self, text: str) -> None:
        # Whoever read this may have gone (`2>&1 | head`): no reason to lose the run.
        with suppress(BrokenPipeError):
            print(inert(text), file=sys.stderr, flush=True)

    def begin(self, jobs: Sequence[Job], dataset: Dataset) -> None:
        self._forecast, self._total = Forecast(jobs, dataset), len(jobs)
        self.say(_opening(jobs, dataset))

    def epoch_ended(self, job: Job, epoch: int, logs: dict[str, float], seconds: float) -> None:
        if self._forecast is None:
            return
        self._forecast.epoch_ended(job, epoch, seconds)
        left = self._forecast.seconds_left()
        self.say(
            f"[{self._done + 1}/{self._total}] {_label(job)}  epoch {epoch}/{job.protocol.epochs}  "
            f"{_metrics(logs)}  {seconds:.1f} s" + (f"  {duration(left)} left" if left else "")
        )

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        self._done += 1
        if self._forecast is not None:
            self._forecast.job_ended(job)
        if outcome.status != DONE:
            self.say(_ended(job, outcome))


def _opening(jobs: Sequence[Job], dataset: Dataset) -> str:
    epochs = jobs[0].protocol.epochs
    return (
        f"{dataset.title}: {dataset.n_train:,} training and {dataset.n_test:,} test images; "
        f"{len(jobs)} training{'s' if len(jobs) != 1 else ''} of {epochs} epoch{'s' if epochs != 1 else ''}"
    )


class LiveWatch(Watch):
    """Show one bar for the running job and one for the whole, with the time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._forecast: Forecast | None = None
        self._whole: TaskID | None = None
        self._job: TaskID | None = None
        self._left_at = (0.0, time.monotonic())

    def say(self, text: str) -> None:
        self._progress.console.print(inert(text), markup=False, highlight=False)

    def begin(self, jobs: Sequence[Job], dataset: Dataset) -> None:
        self._forecast = Forecast(jobs, dataset)
        self.say(_opening(jobs, dataset))
        epochs = sum(job.protocol.epochs for job in jobs)
        self._whole = self._progress.add_task("all trainings", total=epochs, note="starting")

    def job_started(self, job: Job) -> None:
        self._job = self._progress.add_task(_label(job), total=job.protocol.epochs, note="")

    def epoch_ended(self, job: Job, epoch: int, logs: dict[str, float], seconds: float) -> None:
        if self._forecast is None or self._job is None or self._whole is None:
            return
        self._forecast.epoch_ended(job, epoch, seconds)
        left = self._forecast.seconds_left()
        self._progress.update(self._job, completed=epoch, note=_metrics(logs))
        note = f"about {duration(left)} left" if left else ""
        self._progress.update(self._whole, advance=1, note=note)

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        if self._forecast is not None:
            self._forecast.job_ended(job)
        if self._job is not None:
            self._progress.remove_task(self._job)
            self._job = None
        self.say(_ended(job, outcome))


@contextmanager
def observer_for(quiet: bool) -> Iterator[Watch]:
    """Give what suits standard error: nothing if quiet, live bars on a terminal, else plain lines."""
    if quiet:
        yield Watch()
    elif sys.stderr.isatty():
        with _live_progress() as progress:
            yield LiveWatch(progress)
    else:
        yield PlainWatch()


def _live_progress() -> Any:
    from rich.console import Console  # noqa: PLC0415  only where there is a terminal
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
