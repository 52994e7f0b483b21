"""The main job: a lab in; trainings, frames and documents out."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import disk, rundir
from reportgen.analysis.galleries import images_to_keep
from reportgen.data.probes import PERMUTATION
from reportgen.documents import CHARTS, Wish, draw, what_to_do
from reportgen.errors import (
    EXIT_DONE,
    EXIT_IN_PART,
    RenderError,
    SizeError,
    UsageError,
)
from reportgen.execution.local import run_jobs
from reportgen.execution.plan import Ran, Workers, probes_of
from reportgen.execution.store import DONE, STORE
from reportgen.jobs import FAILED, Observer, Outcome
from reportgen.lab import (
    Lab,
    Logo,
    overrides,
)
from reportgen.prepare import OUTPUT, Prepared, prepare
from reportgen.report.copies import REPORT, copies_of
from reportgen.report.formats import DEFAULT, files_of, formats_of, with_charts
from reportgen.results import (
    DatasetRecord,
    JobRecord,
    LeftOut,
    Results,
    RunRecord,
    collect,
    documents_intact,
    left_out,
    load_results,
    read_record,
    save,
    scores_of,
    with_images,
)
from reportgen.text import read_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reportgen.report.studio import Studio


@dataclass(frozen=True)
class Finished:
    """A finished run: its results, its documents as `Copies.files` has them, and what did not work."""

    results: Results
    documents: dict[str, Path]
    problems: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Give 0, or 3 where a variant failed or a document could not be made."""
        return EXIT_IN_PART if self.problems else EXIT_DONE


@dataclass(frozen=True)
class Unchanged:
    """A run that need not be made again: the latest of its lab, and what did not work in it."""

    run: Path
    problems: tuple[str, ...]
    files: dict[str, str]

    @property
    def documents(self) -> dict[str, Path]:
        """Give the documents as `Copies.files` has them."""
        return {key: self.run / name for key, name in self.files.items()}

    @property
    def exit_code(self) -> int:
        """Give 0, or 3 where a training diverged."""
        return EXIT_IN_PART if self.problems else EXIT_DONE


def unchanged(prepared: Prepared) -> Unchanged | None:
    """Give the latest run of the lab, if this one would be the same in all but its time."""
    if prepared.wish.copies.templates:
        return None  # who knows what has changed in them
    latest = (prepared.output / prepared.lab.name / "latest").resolve()
    record = read_record(latest)
    files = prepared.wish.files
    if record is None or not documents_intact(latest, files.values()) or disk.damage(latest):
        return None
    jobs = [(one.key, one.status == FAILED) for one in (*record.jobs, *record.controls)]
    same = (
        record.lab == prepared.lab
        and record.dataset == DatasetRecord.of(prepared.dataset)
        and record.environment == prepared.environment
        and (record.argv, record.fallback) == (prepared.argv, prepared.fallback)
        and jobs == [(one.key, False) for one in prepared.all_planned]
        and all(one.lasting for one in record.left_out)
        and _same_logo(latest, prepared.logo)
    )
    if not same or not _small_enough(latest, prepared.wish):
        return None
    rundir.sweep(latest.parent)  # a run that was killed may have left something since
    stands = prepared.output / prepared.lab.name / latest.name
    return Unchanged(stands, tuple(_failures((*record.jobs, *record.controls))), files)


def _same_logo(run: Path, logo: Logo | None) -> bool:
    if logo is None:
        return True  # the lab is the same, and has none
    path = run / logo.file
    return path.is_file() and path.read_bytes() == logo.content


def _small_enough(run: Path, wish: Wish) -> bool:
    """Tell whether the documents of a run, which may have been drawn again since, fit a size."""
    files = [files_of(run, name, stem) for stem in wish.copies.stems for name in wish.formats]
    sizes = [sum(path.stat().st_size for path in paths) for paths in files]
    return not wish.max_size or max(sizes) <= wish.max_size


def execute(
    prepared: Prepared,
    observer: Observer | None = None,
    say: Callable[[str], None] = print,
) -> Finished:
    """Train what the store does not have, save the frames and draw the report.

    A run that is interrupted keeps every training that was finished, in the store.
    """
    from reportgen.report.studio import Studio  # noqa: PLC0415

    started = datetime.now(UTC)
    with prepared.store.at_work(), Studio(prepared.output / STORE / CHARTS) as studio:
        ran = _outcomes(prepared, observer or Observer(), _Ahead(prepared, studio, started), say)
        return _report(prepared, ran, studio, started, say)


def _outcomes(prepared: Prepared, observer: Observer, ahead: _Ahead, say: Callable[[str], None]) -> list[Ran]:
    store = prepared.store
    try:
        with disk.disk_errors(store.folder):
            if all(store.status(one.key) == DONE for one in prepared.all_planned):
                ahead.begin()
            probes = probes_of(prepared.lab)
            return run_jobs(prepared.all_planned, store, prepared.trainers, observer, ahead, probes)
    except KeyboardInterrupt:
        _say_what_is_kept(prepared, say)
        raise


class _Ahead:
    """Draw what is finished while the last trainings run and a core has nothing else to do."""

    def __init__(self, prepared: Prepared, studio: Studio, started: datetime) -> None:
        self._prepared, self._studio, self._started = prepared, studio, started
        self._seen = 0

    def begin(self) -> None:
        """Have the process that prints import what it needs."""
        if "pdf" in self._prepared.wish.formats:
            self._studio.start(charts=False)

    def __call__(self, ran: list[Ran]) -> None:
        """Hear what is finished; called again and again."""
        from reportgen.report import ahead  # noqa: PLC0415

        done = [one for one in ran if one.outcome.probabilities is not None]
        formats = self._prepared.wish.formats
        if len(done) > self._seen and not all(one.is_control for one in done) and with_charts(formats):
            self._seen = len(done)
            self._studio.start(pdf="pdf" in formats)
            ahead(_collect(self._prepared, done, self._started), self._studio)
        self._studio.pump()


def _report(
    prepared: Prepared, ran: Sequence[Ran], studio: Studio, started: datetime, say: Callable[[str], None]
) -> Finished:
    """Save the frames, draw the documents beside them, and let others see the run once all is there."""
    lab_runs = prepared.output / prepared.lab.name
    with disk.disk_errors(lab_runs), rundir.partial_run(lab_runs, started) as partial:
        results = _collect(prepared, ran, started)
        results = with_images(results, prepared.dataset.x_test, images_to_keep(results))
        results = replace(results, logo=prepared.logo)
        save(results, partial)
        say("drawing the report")
        try:
            drawn = draw(results, partial, prepared.wish, studio)
        except (RenderError, SizeError, UsageError):
            run = rundir.publish(partial, lab_runs, started)
            say(f"the trainings are kept in {run}; `reportgen render {run}` draws them")
            raise
        run = rundir.publish(partial, lab_runs, started)
        if not drawn.missing:
            rundir.point_latest(run)
    _say_what_is_left_out(results.record.left_out, say)
    for text in drawn.left_out:
        say(text)
    problems = [*_failures(one.outcome for one in ran), *what_to_do(drawn.missing, run)]
    paths = {name: run / path.name for name, path in drawn.documents.items()}
    return Finished(replace(results, path=run), paths, tuple(problems))


def _say_what_is_left_out(left_out: Sequence[LeftOut], say: Callable[[str], None]) -> None:
    for one in left_out:
        if one.probe != PERMUTATION:  # a control that failed is among the problems
            say(f"{one.variant} (seed {one.seed}) is left out of the probe '{one.probe}': {one.reason}")


def _say_what_is_kept(prepared: Prepared, say: Callable[[str], None]) -> None:
    planned = prepared.all_planned
    kept = sum(prepared.store.status(one.key) == DONE for one in planned)
    if kept:
        say(f"{kept} of {len(planned)} trainings are kept: the same command goes on with the rest")


def _collect(prepared: Prepared, ran: Sequence[Ran], started: datetime) -> Results:
    outcomes = [one.outcome for one in ran if not one.is_control]
    scores = scores_of(ran, prepared.dataset.y_test)
    return collect(outcomes, prepared.dataset, _record(prepared, ran, started), scores)


def _record(prepared: Prepared, ran: Sequence[Ran], started: datetime) -> RunRecord:
    return RunRecord(
        lab=prepared.lab,
        dataset=DatasetRecord.of(prepared.dataset),
        environment=prepared.environment,
        jobs=tuple(_job_record(one) for one in ran if not one.is_control),
        controls=tuple(_job_record(one) for one in ran if one.is_control),
        left_out=left_out(ran),
        started=started.replace(microsecond=0),
        seconds=round(sum(one.outcome.train_seconds for one in ran), 3),
        argv=prepared.argv,
        overrides=prepared.given.stated(),
        fallback=prepared.fallback,
        formats=prepared.wish.formats,
    )


def _job_record(ran: Ran) -> JobRecord:
    outcome = ran.outcome
    return JobRecord(
        variant=outcome.variant,
        seed=outcome.seed,
        status=outcome.status,
        error=outcome.error,
        key=ran.key,
        weights_sha256=outcome.weights_sha256,
        reused=ran.reused,
    )


def _failures(ends: Iterable[Outcome | JobRecord]) -> list[str]:
    return [f"{one.variant} (seed {one.seed}) {one.status}: {one.error}" for one in ends if one.error]


def _bytes(size: int | str) -> int:
    try:
        return size if isinstance(size, int) else read_size(size)
    except ValueError as error:
        raise UsageError(f"max_size: {error}") from None


def run(  # noqa: PLR0913  the options of the command line, by name
    lab: Lab | str | os.PathLike[str] = "mnist",
    *,
    output: str | os.PathLike[str] = OUTPUT,
    quiet: bool = False,
    jobs: int | None = None,
    job_timeout: float | None = None,
    format: str = ",".join(DEFAULT),
    edition: str = REPORT,
    sheet: int = 1,
    max_size: int | str = 0,
    template_dir: str | os.PathLike[str] | None = None,
    **stated: Any,
) -> Results:
    """Run a lab and give its results, as `reportgen run` does; one that has not changed is read again.

    `jobs` trainings run at once, none longer than `job_timeout` seconds. The report is written in each
    `format`, such as "html,pdf,json", none larger than `max_size` bytes, which may be "10MB"; `edition` may
    be "handout,instructor" besides, with the exercises of a `sheet`; templates in the folder `template_dir`
    take the place of reportgen's. `stated` takes
    dataset, data, epochs, batch_size, seeds and variants, each in the place of the lab's own. The report lies
    in `results.path`. Raises ReportgenError for bad input; a variant that fails is a row of `results.runs`.
    """
    from reportgen.progress import observer_for  # noqa: PLC0415

    data = stated.get("data")
    if isinstance(data, os.PathLike):
        stated["data"] = str(data)
    given = overrides(**stated)
    source = lab if isinstance(lab, (str, Lab)) else Path(lab)
    formats = formats_of(format)
    own = Path(template_dir) if template_dir is not None else None
    wish = Wish(formats, _bytes(max_size), copies_of(edition, sheet, whole_run=True, templates=own))
    with observer_for(quiet) as watch:
        prepared = prepare(source, given, Path(output), Workers.of(jobs, job_timeout), watch.say, wish)
        same = unchanged(prepared)
        if same is not None:
            return load_results(same.run)
        watch.begin(prepared.jobs, prepared.dataset, prepared.workers.count)
        finished = execute(prepared, watch, watch.say)
    for problem in finished.problems:
        watch.say(problem)
    return finished.results
