"""Jobs on this machine, in worker processes that share the store with all other runs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import disk
from reportgen.errors import EngineError, LabError
from reportgen.execution.schedule import Schedule
from reportgen.processes import Answer, Death, wait
from reportgen.training import worker as training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportgen.data.probes import Probe
    from reportgen.execution.plan import Identified, Ran
    from reportgen.execution.store import Store
    from reportgen.execution.trainers import Trainers
    from reportgen.jobs import Observer
    from reportgen.lab import Variant

BUILD_TIMEOUT = 300.0  # seconds for a model to be built, where no training has a limit either


def run_jobs(
    jobs: Sequence[Identified],
    store: Store,
    trainers: Trainers,
    observer: Observer,
    idle: Callable[[list[Ran]], None] | None = None,
    probes: Sequence[Probe] = (),
) -> list[Ran]:
    """Give every job's outcome, in the order of the jobs: from the store, or trained and stored.

    So are the scores of the `probes` for each model; one that cannot be had is left out, with the reason.

    `idle` is called again and again while a core has no training, with what is finished. A job that
    raises is recorded as failed, with its reason, and the others go on; so is one that takes longer than it
    may, or whose process dies twice. Raises OutputError where the disk refuses an outcome, EngineError
    where no process can start.
    """
    with disk.disk_errors(store.folder), Schedule(jobs, store, trainers, observer, probes) as schedule:
        schedule.run(idle)
        return schedule.results()


def check_built(jobs: Sequence[Identified], store: Store, trainers: Trainers) -> None:
    """Build the models of an instructor's own functions, where they were never trained.

    Raises LabError where one cannot be used, or takes longer than a training may, else BUILD_TIMEOUT.
    """
    built = [one for one in jobs if one.job.variant.build is not None and store.damage(one.key)]
    variants = {one.job.variant.name: one.job for one in built}
    if not variants:
        return
    temporary = Path(tempfile.gettempdir())
    with disk.disk_errors(temporary), trainers, trainers.start() as process:
        message = process.hear()
        if isinstance(message, Death):
            raise EngineError(f"no training can start: {message.reason}; `reportgen doctor` says more")
        limit = trainers.limits.timeout or BUILD_TIMEOUT
        for job in variants.values():
            process.give(training.Check(job.variant, job.protocol))
            if not wait([process], limit):
                raise LabError(_never_built(job.variant, limit))
            message = process.hear()
            if isinstance(message, Death):
                raise LabError(f"variant '{job.variant.name}': while its model was built, {message.reason}")
            if isinstance(message, Answer) and message.content:
                raise LabError(str(message.content))


def _never_built(variant: Variant, limit: float) -> str:
    return (
        f"variant '{variant.name}': '{variant.build}' gave no model within {limit:g} s; "
        "let it return one, or give it longer with --job-timeout"
    )
