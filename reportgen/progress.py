"""What a person sees while jobs run: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from heapq import heapreplace
from threading import Lock
from typing import TYPE_CHECKING, Any

from reportgen.jobs import DONE, Job, Observer, Outcome
from reportgen.layers import trace
from reportgen.text import inert, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.console import Console, ConsoleOptions
    from rich.measure import Measurement
    from rich.progress import Progress, Task, TaskID
    from rich.text import Text

    from reportgen.data import Dataset

Key = tuple[str, int]  # a job's variant and seed


class Watch(Observer):
    """An observer that can also be told plain sentences; this one says nothing."""

    def say(self, text: str) -> None:
        """Hear a sentence for the user."""

    def begin(self, jobs: Sequence[Job], dataset: Dataset, workers: int = 1) -> None:
        """Hear, before anything of them, which jobs are wanted and how many can run at once."""


# --- the time left -------------------------------------------------------------------------------


class Forecast:
    """Tell the seconds that are left, from the epochs measured so far.

    A job's first epoch also builds its graph: it is measured apart, once two epochs can be compared. An
    unmeasured variant's epoch is taken to cost what its multiply-adds cost in the largest one measured.
    The time since a running job was last heard of counts as work on its next epoch, up to the whole of it.
    A job that another run trains takes none of our workers; it is taken to have begun when we met it.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        dataset: Dataset,
        workers: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = {job.variant.name: _work(job, dataset) for job in jobs}
        self._epochs = {_key(job): job.protocol.epochs for job in jobs}
        self._left = dict(self._epochs)
        self._workers, self._clock = workers, clock
        self._heard: dict[Key, float] = {}  # when a running job was last heard of
        self._elsewhere: dict[Key, float] = {}  # since when we wait for another run's job
        self._first: dict[Key, float] = {}
        self._later: dict[str, float] = {}
        self._start = 0.0
        self._lock = Lock()  # a live display asks from a thread of its own

    def job_started(self, job: Job) -> None:
        """Take a job that begins with its first epoch now."""
        with self._lock:
            self._restart(job)
            self._heard[_key(job)] = self._clock()

    def epoch_ended(self, job: Job, epoch: int, seconds: float) -> None:
        """Take an epoch's time."""
        key, epochs = _key(job), job.protocol.epochs
        with self._lock:
            self._heard[key] = self._clock()
            self._left[key] = epochs - epoch
            if epoch == 1:
                self._first[key] = seconds
            if epoch > 1 or epochs == 1:
                self._later[job.variant.name] = seconds
                self._start = max(self._first.get(key, seconds) - seconds, 0.0)

    def job_ended(self, job: Job) -> None:
        """Take a job that needs no more time, however it ended and wherever its outcome came from."""
        with self._lock:
            self._restart(job)
            self._left[_key(job)] = 0

    def job_waits(self, job: Job) -> None:
        """Take a job that another run trains."""
        with self._lock:
            self._restart(job)
            self._elsewhere[_key(job)] = self._clock()

    def job_retried(self, job: Job) -> None:
        """Take a job that has all its epochs before it again, and no worker."""
        with self._lock:
            self._restart(job)

    def _restart(self, job: Job) -> None:
        key = _key(job)
        self._left[key] = job.protocol.epochs
        for known in (self._heard, self._elsewhere, self._first):
            known.pop(key, None)

    @property
    def jobs_done(self) -> int:
        """Count the jobs that have no epoch left."""
        with self._lock:
            return sum(not left for left in self._left.values())

    @property
    def epochs_done(self) -> int:
        """Count the epochs that are over; a job that has ended counts with all of its own."""
        with self._lock:
            return sum(self._epochs.values()) - sum(self._left.values())

    def seconds_left(self) -> float | None:
        """Give the seconds left, or None before there is a whole measured epoch."""
        with self._lock:
            if not any(self._left.values()):
                return 0.0
            if not self._later:
                return None
            now = self._clock()
            wanted = self._left.keys() - self._elsewhere.keys()
            ours = makespan(
                [self._running_seconds(key, now) for key in wanted & self._heard.keys()],
                [self._whole_seconds(key) for key in wanted - self._heard.keys()],
                self._workers,
            )
            theirs = [self._whole_seconds(key) - (now - since) for key, since in self._elsewhere.items()]
            return max([ours, *theirs])

    def _whole_seconds(self, key: Key) -> float:
        """Give what a job's epochs take without what has been done of the next one."""
        left = self._left[key]
        start = self._start if left and key not in self._first else 0.0
        return left * self._epoch_seconds(key[0]) + start

    def _running_seconds(self, key: Key, now: float) -> float:
        """Give what a job still takes; an epoch that takes longer than thought says nothing of the next."""
        whole, later = self._whole_seconds(key), max(self._left[key] - 1, 0)
        return max(whole - (now - self._heard[key]), later * self._epoch_seconds(key[0]))

    def _epoch_seconds(self, name: str) -> float:
        if name in self._later:
            return self._later[name]
        largest = max(self._later, key=lambda measured: self._work[measured])
        return self._later[largest] / self._work[largest] * self._work[name]


def makespan(running: Iterable[float], waiting: Iterable[float], workers: int) -> float:
    """Give the seconds until all jobs are done, the longest that waits going to the first free worker."""
    busy = [0.0] * max(workers, 1)
    for seconds in (*sorted(running, reverse=True), *sorted(waiting, reverse=True)):
        heapreplace(busy, busy[0] + seconds)
    return max(busy)


def _key(job: Job) -> Key:
    return job.variant.name, job.seed


def _work(job: Job, dataset: Dataset) -> float:
    """Weigh a job's epoch: multiply-adds an image, with a floor for what does not depend on them."""
    if job.variant.layers is None:
        return 2e6
    rows = trace(job.variant.layers, dataset.image_shape, dataset.n_classes)
    return 1e5 + sum(row.multiply_adds for row in rows)


# --- words ---------------------------------------------------------------------------------------

WAITS = ("waits for another run", "waits")


def duration(seconds: float) -> str:
    """Write seconds as 8 s, 2 min 05 s or 1 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _trainings(n: int) -> str:
    return f"{n} training{'s' if n != 1 else ''}"


def _opening(jobs: Sequence[Job], dataset: Dataset, workers: int) -> str:
    epochs = jobs[0].protocol.epochs
    at_once = min(workers, len(jobs))
    return (
        f"{dataset.title}: {dataset.n_train:,} training and {dataset.n_test:,} test images; "
        f"{_trainings(len(jobs))} of {epochs} epoch{'s' if epochs != 1 else ''}"
        + (f", {at_once} at once" if at_once > 1 else "")
    )


def _ended(job: Job, outcome: Outcome) -> str:
    if outcome.status == DONE:
        return f"{_label(job)}: {outcome.train_seconds:.1f} s"
    return f"{_label(job)}: {outcome.status}: {outcome.error}"


def _label(job: Job, most: int = 80) -> str:
    seed = f" seed {job.seed}" if job.protocol.seeds > 1 else ""
    return f"{shorten(job.variant.name, max(most - len(seed), 4))}{seed}"


def _metrics(logs: dict[str, float]) -> tuple[str, ...]:
    """Write an epoch's metrics, then shorter and shorter."""
    accuracy = f"accuracy {logs['accuracy']:.4f}"
    validated = f"{logs['val_accuracy']:.4f}"
    return (
        f"loss {logs['loss']:.4f}  {accuracy}  validation loss {logs['val_loss']:.4f}  accuracy {validated}",
        f"{accuracy}  validation {validated}",
        f"validation accuracy {validated}",
        f"validation {validated}",
    )


def _time_left(seconds: float | None) -> tuple[str, ...]:
    """Write the time left, then shorter and shorter."""
    if seconds is None:
        return ("time left not known yet",)
    if seconds < 1:
        return ("almost done",)
    return (f"about {duration(seconds)} left", f"{duration(seconds)} left", f"~{duration(seconds)}")


# --- those who watch -----------------------------------------------------------------------------


class _Telling(Watch):
    """Keep the forecast, and say of the store, of other runs and of retries what is to be said once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._forecast: Forecast  # begin() comes before all that asks it
        self._total = 0
        self._elsewhere: set[Key] = set()
        self._reused: list[tuple[Job, Outcome]] = []  # not yet said
        self._more = ""

    def _write(self, text: str) -> None:
        raise NotImplementedError

    def say(self, text: str) -> None:
        self._say_reused()
        self._write(inert(text))

    def begin(self, jobs: Sequence[Job], dataset: Dataset, workers: int = 1) -> None:
        self._forecast, self._total = Forecast(jobs, dataset, workers, self._clock), len(jobs)
        self.say(_opening(jobs, dataset, workers))

    def job_started(self, job: Job) -> None:
        self._say_reused()
        self._elsewhere.discard(_key(job))
        self._forecast.job_started(job)

    def epoch_ended(self, job: Job, epoch: int, logs: dict[str, float], seconds: float) -> None:
        self._forecast.epoch_ended(job, epoch, seconds)

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        self._elsewhere.discard(_key(job))
        self._forecast.job_ended(job)

    def job_reused(self, job: Job, outcome: Outcome) -> None:
        self._forecast.job_ended(job)
        if _key(job) not in self._elsewhere:
            self._reused.append((job, outcome))
            return
        self._elsewhere.discard(_key(job))
        self.say(f"{_label(job)}: another run has trained it")
        self._say_unless_done(job, outcome)

    def job_waits(self, job: Job) -> None:
        self._say_reused()
        self._elsewhere.add(_key(job))
        self._forecast.job_waits(job)

    def job_retried(self, job: Job, reason: str) -> None:
        self._forecast.job_retried(job)
        self.say(f"{_label(job)}: starts again: {reason}")

    def _say_reused(self) -> None:
        """Say what came from the store since this was last said, in one line."""
        reused, self._reused = self._reused, []
        if not reused:
            return
        are = "are" if len(reused) > 1 else "is"
        self._write(f"{len(reused)}{self._more} of {_trainings(self._total)} {are} in the store already")
        self._more = " more"
        for job, outcome in reused:
            self._say_unless_done(job, outcome)

    def _say_unless_done(self, job: Job, outcome: Outcome) -> None:
        if outcome.status != DONE:
            self.say(_ended(job, outcome))


class PlainWatch(_Telling):
    """Print a line for each epoch, for logs and pipes."""

    def _write(self, text: str) -> None:
        # Whoever read this may have gone (`2>&1 | head`): no reason to lose the run.
        with suppress(BrokenPipeError):
            print(text, file=sys.stderr, flush=True)

    def epoch_ended(self, job: Job, epoch: int, logs: dict[str, float], seconds: float) -> None:
        super().epoch_ended(job, epoch, logs, seconds)
        left = self._forecast.seconds_left()
        self.say(
            f"[{self._forecast.jobs_done}/{self._total}] {_label(job)}  epoch {epoch}/{job.protocol.epochs}  "
            f"{_metrics(logs)[0]}  {seconds:.1f} s" + (f"  {duration(left)} left" if left else "")
        )

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        super().job_ended(job, outcome)
        self._say_unless_done(job, outcome)

    def job_waits(self, job: Job) -> None:
        super().job_waits(job)
        self.say(f"{_label(job)}: {WAITS[0]}")


class LiveWatch(_Telling):
    """Show a bar for each job that runs or waits for another run, and one for the whole."""

    def __init__(self, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._progress = progress
        self._whole: TaskID
        self._bars: dict[Key, TaskID] = {}

    def _write(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False)

    def begin(self, jobs: Sequence[Job], dataset: Dataset, workers: int = 1) -> None:
        super().begin(jobs, dataset, workers)
        epochs = sum(job.protocol.epochs for job in jobs)
        self._whole = self._progress.add_task(self._tally(), total=epochs, notes=self._notes)

    def job_started(self, job: Job) -> None:
        super().job_started(job)
        self._show(job, ())

    def epoch_ended(self, job: Job, epoch: int, logs: dict[str, float], seconds: float) -> None:
        super().epoch_ended(job, epoch, logs, seconds)
        if _key(job) not in self._bars:
            self._show(job, ())
        self._progress.update(self._bars[_key(job)], completed=epoch, notes=_metrics(logs))
        self._count()

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        super().job_ended(job, outcome)
        self._hide(job)
        self.say(_ended(job, outcome))

    def job_reused(self, job: Job, outcome: Outcome) -> None:
        super().job_reused(job, outcome)
        self._hide(job)

    def job_waits(self, job: Job) -> None:
        super().job_waits(job)
        self._show(job, WAITS)

    def job_retried(self, job: Job, reason: str) -> None:
        super().job_retried(job, reason)
        self._hide(job)

    def _show(self, job: Job, notes: tuple[str, ...]) -> None:
        """Give a job a new bar at its first epoch."""
        self._hide(job)
        label = _label(job, self._label_width())
        self._bars[_key(job)] = self._progress.add_task(label, total=job.protocol.epochs, notes=notes)

    def _hide(self, job: Job) -> None:
        bar = self._bars.pop(_key(job), None)
        if bar is not None:
            self._progress.remove_task(bar)
        self._count()

    def _count(self) -> None:
        done = self._forecast.epochs_done
        self._progress.update(self._whole, completed=done, description=self._tally())

    def _tally(self) -> str:
        done = self._forecast.jobs_done
        full = f"{done} of {_trainings(self._total)}"
        return full if len(full) <= self._label_width() else f"{done} of {self._total}"

    def _label_width(self) -> int:
        return max(self._progress.console.width * 3 // 10, 12)

    def _notes(self) -> tuple[str, ...]:
        """Ask anew at every refresh, so that the time left counts down between epochs too."""
        return _time_left(self._forecast.seconds_left())


@contextmanager
def observer_for(quiet: bool) -> Iterator[Watch]:
    """Give what suits standard error: nothing if quiet, live bars on a terminal, else plain lines."""
    if quiet:
        yield Watch()
    elif sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415  only where there is a terminal

        with live_progress(Console(stderr=True)) as progress:
            yield LiveWatch(progress)
    else:
        yield PlainWatch()


def live_progress(console: Console) -> Progress:
    """Lay out the bars so that the notes behind them give way where the terminal is narrow."""
    from rich import progress  # noqa: PLC0415

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=min(max(console.width // 8, 4), 20), table_column=_rigid()),
        progress.MofNCompleteColumn(table_column=_rigid()),
        progress.TimeElapsedColumn(table_column=_rigid()),
        _note_column(),
        console=console,
        refresh_per_second=4,
        transient=True,
    )


def _rigid() -> Any:
    from rich.table import Column  # noqa: PLC0415

    return Column(no_wrap=True)


def _note_column() -> Any:
    from rich.progress import ProgressColumn  # noqa: PLC0415

    class NoteColumn(ProgressColumn):
        """Show a task's notes, or what it gives as notes when asked."""

        def render(self, task: Task) -> _Fitting:
            notes = task.fields["notes"]
            return _Fitting(notes() if callable(notes) else notes)

    return NoteColumn()


@dataclass(frozen=True)
class _Fitting:
    """The first of several texts that fits, or nothing."""

    texts: tuple[str, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text  # noqa: PLC0415

        yield Text(next((text for text in self.texts if len(text) <= options.max_width), ""))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.measure import Measurement  # noqa: PLC0415

        return Measurement(0, min(max(map(len, self.texts), default=0), options.max_width))
