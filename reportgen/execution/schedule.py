"""Who trains what, and when: jobs are handed to worker processes until each has an outcome."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reportgen.errors import EngineError
from reportgen.execution.plan import Ran
from reportgen.execution.probing import Probing
from reportgen.execution.store import MODEL
from reportgen.jobs import FAILED, Job, Observer, Outcome, failed
from reportgen.layers import trace
from reportgen.processes import Answer, Death, Message, News, Worker, wait
from reportgen.training import worker as training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from reportgen.data import Dataset
    from reportgen.data.probes import Probe
    from reportgen.execution.plan import Identified
    from reportgen.execution.store import Claim, Store
    from reportgen.execution.trainers import Trainers

POLL = 0.2  # seconds between two looks at what other runs are training
ATTEMPTS = 2  # a job whose process dies is tried once more
# TensorFlow keeps about 10 MB of every training for good, so a process is replaced after so many.
JOBS_OF_A_PROCESS = 8
STARTS = 3  # processes that may die, one after another, before any is ready
BUILT_WORK = 2e6  # multiply-adds an image, for a variant whose layers only Keras knows
# Multiply-adds that take about as long as the start of a process, which is mostly TensorFlow's import: for
# less than this, one process more ends no sooner.
WORTH_A_PROCESS = 5e10


@dataclass(eq=False)
class _Task:
    """The jobs with one key, by their places in the run: the first is trained for all."""

    twins: dict[int, Identified] = field(default_factory=dict)
    work: float = 0.0  # multiply-adds
    attempts: int = 0
    claim: Claim | None = None
    started: float = 0.0

    @property
    def first(self) -> Identified:
        return next(iter(self.twins.values()))

    @property
    def job(self) -> Job:
        return self.first.job

    @property
    def key(self) -> str:
        return self.first.key

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def release(self) -> None:
        if self.claim is not None:
            self.claim.release()
        self.claim = None


class Schedule:
    """Hand jobs to worker processes, the longest first, until each has an outcome."""

    def __init__(
        self,
        jobs: Sequence[Identified],
        store: Store,
        trainers: Trainers,
        observer: Observer,
        probes: Sequence[Probe] = (),
    ) -> None:
        self._store, self._trainers, self._observer = store, trainers, observer
        self._limits = trainers.limits
        self._ran: dict[int, Ran] = {}
        self._tasks = _tasks(jobs, trainers.dataset)
        self._todo = deque(self._tasks)
        self._probing = Probing(probes, store, trainers)
        self._elsewhere: list[_Task] = []  # claimed by other runs
        self._busy: dict[Worker, _Task] = {}
        self._free: list[Worker] = []
        self._starting: list[Worker] = []
        self._failed_starts = 0
        self._trained: Counter[Worker] = Counter()

    def __enter__(self) -> Schedule:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for worker in self._workers:
                worker.kill()
        finally:
            for task in self._tasks:  # wherever each is: a claim that is kept would stop all later runs
                task.release()
            self._probing.release()
            self._trainers.__exit__(kind, error, trace)

    def results(self) -> list[Ran]:
        """Give how each job came out, in the order of the jobs."""
        ran = [self._ran[place] for place in sorted(self._ran)]
        return [replace(one, probed=self._probing.given(one.key)) for one in ran]

    @property
    def _workers(self) -> list[Worker]:
        return [*self._busy, *self._probing.busy, *self._free, *self._starting]

    def run(self, idle: Callable[[list[Ran]], None] | None = None) -> None:
        """Work until every job has an outcome, and every model its scores."""
        self._todo = deque(task for task in self._todo if not self._reuse(task))
        while self._todo or self._elsewhere or self._busy or self._probing.goes_on:
            self._look_elsewhere()
            self._hand_out()
            at_work = len(self._busy) + len(self._probing.busy) + len(self._todo)
            spare = idle is not None and at_work < self._limits.count
            for worker in self._speaking(spare):
                self._hear(worker)
            self._stop_the_late()
            if idle is not None and spare:
                idle(self.results())

    def _speaking(self, spare: bool) -> list[Worker]:
        """Wait for what workers say, unless there is nothing to wait for: other runs may have done it all."""
        workers = self._workers
        elsewhere = self._elsewhere or self._probing.is_elsewhere
        if not elsewhere and not (workers and (self._busy or self._todo or self._probing.goes_on)):
            return []
        return wait(workers, self._patience(spare))

    def _patience(self, spare: bool) -> float | None:
        """Give the seconds until something must be looked at, whether or not a worker has spoken."""
        limits = [POLL] if self._elsewhere or self._probing.is_elsewhere or spare else []
        limits += self._probing.patience()
        if self._limits.timeout is not None:
            limits += [max(0.0, self._limits.timeout - task.seconds) for task in self._busy.values()]
        return min(limits, default=None)

    # --- what is there already, or is being made by another run

    def _reuse(self, task: _Task) -> bool:
        outcome = self._store.load(task.key, task.job)
        if outcome is not None:
            self._finish(task, outcome, reused=True)
        return outcome is not None

    def _look_elsewhere(self) -> None:
        """Take what other runs have finished, and take up what they have left."""
        waiting, self._elsewhere = self._elsewhere, []
        for task in waiting:
            if self._store.is_claimed(task.key):
                self._elsewhere.append(task)
            elif not self._reuse(task):
                self._todo.appendleft(task)

    # --- handing out

    def _hand_out(self) -> None:
        """Give jobs to free workers; start as many workers as there are jobs for, within the limit."""
        for worker in wait(self._free, 0):  # one that has nothing to do has nothing to say but that it died
            self._hear(worker)
        while self._todo and self._free:
            task = self._claimed()
            if task is not None:
                self._give(self._free.pop(), task)
        while self._free and not self._todo and self._probing.claim():
            self._probing.give(self._free.pop())
        if not self._todo and not self._probing.waits:
            self._dismiss()
        for _ in range(self._wanted()):
            if not self._claim_one_ahead():
                return
            self._starting.append(self._trainers.start())
        if not self._todo and not self._workers and self._probing.claim():  # all was trained before
            self._starting.append(self._trainers.start())

    def _wanted(self) -> int:
        """Count the processes that are worth starting now: none for work that ends before it has begun."""
        alive = len(self._workers)
        worth = 1 + int(sum(task.work for task in self._todo) / WORTH_A_PROCESS)
        return min(len(self._todo) - len(self._starting), min(worth, self._limits.count) - alive)

    def _claim_one_ahead(self) -> bool:
        """Claim a job before a process is started for it: where many runs begin at once, few need one.

        A job whose process died, before or after it had begun, is claimed still.
        """
        if sum(task.claim is not None for task in self._todo) > len(self._starting):
            return True
        for task in list(self._todo):
            if task.claim is None:
                self._todo.remove(task)
                if (claimed := self._claim(task)) is not None:
                    self._todo.appendleft(claimed)
                    return True
        return False

    def _claimed(self) -> _Task | None:
        task = self._todo.popleft()
        return task if task.claim is not None else self._claim(task)

    def _claim(self, task: _Task) -> _Task | None:
        """Claim a job; one that another run has claimed waits, one that it has finished is taken."""
        task.claim = self._store.claim(task.key)
        if task.claim is None:
            self._observer.job_waits(task.job)
            self._elsewhere.append(task)
            return None
        if self._reuse(task):
            return None
        return task

    def _give(self, worker: Worker, task: _Task) -> None:
        assert task.claim is not None
        task.attempts += 1
        task.started = time.monotonic()
        self._busy[worker] = task
        self._observer.job_started(task.job)
        worker.give(training.Training(task.job, task.claim.folder / MODEL))

    def _dismiss(self) -> None:
        """End the workers that nothing is left for: their memory and cores are of use elsewhere."""
        for worker in [*self._free, *self._starting]:
            worker.kill()
        self._free, self._starting = [], []

    # --- hearing

    def _hear(self, worker: Worker) -> None:
        message = worker.hear()
        if worker in self._busy:
            self._hear_of(self._busy[worker], worker, message)
        elif worker in self._probing.busy:
            if self._probing.hear(worker, message):
                self._free.append(worker)
        elif isinstance(message, Death):
            self._lose(worker, message)
        elif worker in self._starting:
            self._starting.remove(worker)
            self._free.append(worker)
            self._failed_starts = 0

    def _lose(self, worker: Worker, death: Death) -> None:
        """Bury a worker that had no job; where none gets as far as having one, give up."""
        worker.kill()
        if worker in self._free:
            self._free.remove(worker)
            return
        self._starting.remove(worker)
        self._failed_starts += 1
        if self._failed_starts >= STARTS:
            raise EngineError(f"no training can start: {death.reason}; `reportgen doctor` says more")

    def _hear_of(self, task: _Task, worker: Worker, message: Message) -> None:
        if isinstance(message, News):
            news: training.Epoch = message.content
            self._observer.epoch_ended(task.job, news.number, news.logs, news.seconds)
            return
        del self._busy[worker]
        if isinstance(message, Answer):
            self._trained[worker] += 1
            if self._trained[worker] < JOBS_OF_A_PROCESS:
                self._free.append(worker)
            else:
                worker.kill()
            self._take(task, message.content)
        elif isinstance(message, Death):
            worker.kill()
            self._retry(task, message.reason)

    def _take(self, task: _Task, answer: Outcome | training.NoRoom) -> None:
        try:
            self._keep(task, answer)
        finally:
            task.release()

    def _keep(self, task: _Task, answer: Outcome | training.NoRoom) -> None:
        if isinstance(answer, training.NoRoom):
            raise OSError(answer.code, answer.reason, answer.path)
        if answer.status != FAILED and self._trainers.has_changed(task.first):
            reason = "the module that builds it was changed during the run; run again"
            answer = failed(task.job, reason, answer.train_seconds)
        if answer.status != FAILED:  # a failure is tried again by the next run
            assert task.claim is not None
            self._store.save(task.claim, task.first.identity, answer)
        self._finish(task, answer)

    def _retry(self, task: _Task, reason: str) -> None:
        """Train a job once more whose process died; the second time, record it as failed."""
        if task.attempts < ATTEMPTS:
            assert task.claim is not None
            task.claim.empty()
            self._observer.job_retried(task.job, reason)
            self._todo.appendleft(task)
        else:
            self._finish(task, failed(task.job, f"{reason}; it was tried {ATTEMPTS} times", task.seconds))

    def _stop_the_late(self) -> None:
        self._probing.stop_the_late()
        limit = self._limits.timeout
        late = [worker for worker, task in self._busy.items() if limit is not None and task.seconds >= limit]
        for worker in late:
            task = self._busy.pop(worker)
            worker.kill()
            reason = f"took longer than {limit:g} s, and was stopped (--job-timeout)"
            self._finish(task, failed(task.job, reason, task.seconds))

    def _finish(self, task: _Task, outcome: Outcome, reused: bool = False) -> None:
        """Record an outcome for all jobs that it answers."""
        task.release()
        for place, twin in task.twins.items():
            own = replace(outcome, variant=twin.job.variant.name, seed=twin.job.seed)
            self._ran[place] = Ran(twin.key, own, reused)
            (self._observer.job_reused if reused else self._observer.job_ended)(twin.job, own)
            reused = True  # the twins of what was trained
        self._probing.add(task.first, outcome)


def _tasks(jobs: Sequence[Identified], dataset: Dataset) -> list[_Task]:
    """Put jobs of one key together: of each seed in turn, those that take longest first.

    So what slows the machine down for a while falls on several networks, not on all seeds of one.
    """
    tasks: dict[str, _Task] = {}
    for place, one in enumerate(jobs):
        tasks.setdefault(one.key, _Task(work=_work(one.job, dataset))).twins[place] = one
    return sorted(tasks.values(), key=lambda task: (task.job.seed, -task.work))


def _work(job: Job, dataset: Dataset) -> float:
    """Weigh a job by its multiply-adds, those of the backward pass taken to be twice the forward ones."""
    images = 3.0 * dataset.n_train * job.protocol.epochs
    if job.variant.layers is None:
        return BUILT_WORK * images
    rows = trace(job.variant.layers, dataset.image_shape, dataset.n_classes)
    return sum(row.multiply_adds for row in rows) * images
