"""Which trained models are to be probed, by whom, and how they fared: the second kind of work for processes.

Probes are handed out when no training waits. They are cheap, and a report can do without: what fails is left
out with its reason and tried again by the next run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen.execution.plan import Probed
from reportgen.execution.scores import Scores
from reportgen.execution.store import MODEL
from reportgen.jobs import DONE
from reportgen.processes import Answer, Death, Message, Worker
from reportgen.training import worker as training

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportgen.data.probes import Probe, Row
    from reportgen.execution.plan import Identified
    from reportgen.execution.store import Claim, Store
    from reportgen.execution.trainers import Trainers
    from reportgen.jobs import Outcome

ATTEMPTS = 2  # a probe whose process dies is tried once more
NOT_SAVED = "its model could not be saved by Keras"


@dataclass(eq=False)
class _Task:
    """One probe of one trained model; `key` is the score's."""

    one: Identified
    probe: Probe
    key: str
    attempts: int = 0
    claim: Claim | None = None
    started: float = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def release(self) -> None:
        if self.claim is not None:
            self.claim.release()
        self.claim = None


class Probing:
    """Score trained models, those whose scores are not stored."""

    def __init__(self, probes: Sequence[Probe], store: Store, trainers: Trainers) -> None:
        self._probes, self._store, self._scores = probes, store, Scores(store)
        self._trainers, self._timeout = trainers, trainers.limits.timeout
        self._todo: list[_Task] = []
        self.busy: dict[Worker, _Task] = {}
        self._given: dict[tuple[str, str], Probed] = {}

    @property
    def waits(self) -> bool:
        """Tell whether any probe has no process."""
        return bool(self._todo)

    @property
    def goes_on(self) -> bool:
        """Tell whether any probe is to be done."""
        return bool(self._todo or self.busy)

    @property
    def is_elsewhere(self) -> bool:
        """Tell whether other runs are scoring what is to be done."""
        return any(task.claim is None for task in self._todo)

    def add(self, one: Identified, outcome: Outcome) -> None:
        """Take a model up, once its training has come out."""
        if outcome.status != DONE or one.job.permuted:
            return
        for probe in self._probes:
            task = _Task(one, probe, probe.key(one.key, self._trainers.dataset.sha256))
            if self._reuse(task):
                continue
            if (self._store.folder / one.key / MODEL).exists():
                self._todo.append(task)
            else:
                self._keep(task, Probed(probe.name, reason=NOT_SAVED, lasting=True))

    def given(self, outcome: str) -> tuple[Probed, ...]:
        """Give how the model of an outcome fared, in the order of the probes."""
        return tuple(
            self._given[outcome, probe.name] for probe in self._probes if (outcome, probe.name) in self._given
        )

    def claim(self) -> bool:
        """Claim a probe that another run is not at; tells whether there is one to hand out.

        What others have scored meanwhile is taken.
        """
        if any(task.claim is not None for task in self._todo):
            return True
        for task in list(self._todo):
            task.claim = self._scores.claim(task.key)
            if task.claim is None:
                continue
            if not self._reuse(task):
                return True
            task.release()
            self._todo.remove(task)
        return False

    def give(self, worker: Worker) -> None:
        """Hand the claimed probe to a process."""
        task = next(task for task in self._todo if task.claim is not None)
        self._todo.remove(task)
        task.attempts += 1
        task.started = time.monotonic()
        self.busy[worker] = task
        model = self._store.folder / task.one.key / MODEL
        worker.give(training.Probing(task.one.job, model, task.probe))

    def hear(self, worker: Worker, message: Message) -> bool:
        """Hear of a probe; tells whether its process is free again."""
        task = self.busy[worker]
        if not isinstance(message, (Answer, Death)):
            return False
        del self.busy[worker]
        if isinstance(message, Answer):
            self._take(task, message.content)
            return True
        worker.kill()
        if task.attempts < ATTEMPTS:
            self._todo.insert(0, task)
        else:
            self._keep(
                task, Probed(task.probe.name, reason=f"{message.reason}; it was tried {ATTEMPTS} times")
            )
        return False

    def patience(self) -> list[float]:
        """Give the seconds until each probe that goes on has taken too long."""
        if self._timeout is None:
            return []
        return [max(0.0, self._timeout - task.seconds) for task in self.busy.values()]

    def stop_the_late(self) -> None:
        """Stop what takes longer than a training may."""
        limit = self._timeout
        for worker, task in list(self.busy.items()):
            if limit is not None and task.seconds >= limit:
                del self.busy[worker]
                worker.kill()
                reason = f"took longer than {limit:g} s, and was stopped (--job-timeout)"
                self._keep(task, Probed(task.probe.name, reason=reason))

    def release(self) -> None:
        """Give all claims back."""
        for task in [*self._todo, *self.busy.values()]:
            task.release()

    def _reuse(self, task: _Task) -> bool:
        rows = self._scores.load(task.key)
        if rows is not None:
            self._given[task.one.key, task.probe.name] = Probed(task.probe.name, rows)
        return rows is not None

    def _take(self, task: _Task, answer: tuple[Row, ...] | training.Unscored) -> None:
        if isinstance(answer, training.Unscored):
            self._keep(task, Probed(task.probe.name, reason=answer.reason))
            return
        if self._trainers.has_changed(task.one):
            reason = "the module that builds it was changed during the run"
            self._keep(task, Probed(task.probe.name, reason=reason))
            return
        assert task.claim is not None
        try:
            self._scores.save(task.claim, task.key, task.one.key, task.probe, answer)
        finally:
            task.release()
        self._keep(task, Probed(task.probe.name, answer))

    def _keep(self, task: _Task, probed: Probed) -> None:
        task.release()
        self._given[task.one.key, task.probe.name] = probed
