"""The main job: a lab in; trainings, frames and both documents out."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import environment, rundir
from reportgen.data import DATASETS, load, path_from_environment
from reportgen.errors import EXIT_DONE, EXIT_IN_PART, DatasetUnavailable, LabError, PdfUnavailable
from reportgen.execution.local import run_jobs
from reportgen.jobs import Job, Observer, Outcome, plan
from reportgen.lab import (
    Lab,
    Overrides,
    lab_folder,
    load_lab,
    override,
    overrides,
    trace_variant,
)
from reportgen.results import DatasetRecord, JobRecord, Results, RunRecord, collect, save

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportgen.data import Dataset

OUTPUT = Path("output")
FORMATS = ("html", "pdf")


@dataclass(frozen=True)
class Finished:
    """A finished run: its results, its documents by format, and what did not work."""

    results: Results
    documents: dict[str, Path]
    problems: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Give 0, or 3 where a variant failed or a document could not be made."""
        return EXIT_IN_PART if self.problems else EXIT_DONE


@dataclass(frozen=True)
class Prepared:
    """All that is checked before any training: nothing has been written yet."""

    lab: Lab
    dataset: Dataset
    jobs: list[Job]
    folder: Path
    output: Path
    given: Overrides
    argv: tuple[str, ...]
    fallback: str


def prepare(
    source: Lab | str | Path = "mnist",
    given: Overrides | None = None,
    output: Path = OUTPUT,
    say: Callable[[str], None] = print,
) -> Prepared:
    """Read and check everything that a run needs; raises InputError, having written nothing."""
    given = given or overrides()
    if isinstance(source, Lab):
        stated, folder = source, Path.cwd()
    else:
        stated, folder = load_lab(source), lab_folder(source)
    lab = override(stated, given)
    rundir.check_lab_folder(output / lab.name)
    dataset, fallback = _dataset(lab, given, folder, say)
    for warning in dataset.warnings:
        say(warning)
    again = _with_data_of_the_environment(lab, given)
    if fallback:
        lab = _with_fallback_protocol(lab, given)
        again = _stated_outright(lab, given)
    _check_variants(lab, dataset, folder)
    argv = tuple(command(lab.name if isinstance(source, Lab) else source, again, output))
    return Prepared(lab, dataset, plan(lab), folder, output, given, argv, fallback)


def command(source: str | Path, given: Overrides, output: Path) -> list[str]:
    """Give the command that makes a run again."""
    words = ["reportgen", "run", str(source)]
    for key, value in given.stated().items():
        text = ",".join(value) if isinstance(value, list) else str(value)
        words += [f"--{key.replace('_', '-')}", text]
    return words if output == OUTPUT else [*words, "--output", str(output)]


def _dataset(lab: Lab, given: Overrides, folder: Path, say: Callable[[str], None]) -> tuple[Dataset, str]:
    """Load the data set; gives also why the lab's fallback was taken, or ""."""
    choice = lab.dataset
    name = given.dataset
    path = given.data
    # The lab's names of classes are those of its own data set.
    classes = choice.classes if name is None else None
    if name is None and path is None:
        name = choice.name
        path = folder / choice.path if choice.path else None
    try:
        return load(name, path, classes, say=say), ""
    except DatasetUnavailable as error:
        if choice.fallback is None or given.dataset is not None:
            raise
        dataset = load(choice.fallback.name)
        wanted = DATASETS[str(choice.name)].title
        reason = f"{wanted} is not on this machine and could not be downloaded ({_reason(error)})"
        say(f"{reason}; going on with {dataset.title} ({dataset.source})")
        return dataset, reason


def _reason(error: DatasetUnavailable) -> str:
    cause = error.__cause__
    return getattr(cause, "strerror", None) or str(cause or error)


def _with_fallback_protocol(lab: Lab, given: Overrides) -> Lab:
    fallback = lab.dataset.fallback
    update = {
        key: value
        for key in ("epochs", "batch_size")
        if (value := getattr(fallback, key)) is not None and getattr(given, key) is None
    }
    return lab.model_copy(update={"protocol": lab.protocol.model_copy(update=update)})


def _with_data_of_the_environment(lab: Lab, given: Overrides) -> Overrides:
    """Put the path that REPORTGEN_DATA gives into the command: elsewhere, it may not be set."""
    name = given.dataset or lab.dataset.name
    path = path_from_environment(name) if name and not given.data and not lab.dataset.path else None
    return given.model_copy(update={"dataset": name, "data": path}) if path else given


def _stated_outright(lab: Lab, given: Overrides) -> Overrides:
    """Put a fallback that was taken into the command: elsewhere, the lab's own data may be at hand."""
    fallback = lab.dataset.fallback
    name = fallback.name if fallback else None
    protocol = lab.protocol
    return given.model_copy(
        update={"dataset": name, "epochs": protocol.epochs, "batch_size": protocol.batch_size}
    )


def _check_variants(lab: Lab, dataset: Dataset, folder: Path) -> None:
    for variant in lab.variants:
        trace_variant(variant, dataset.image_shape, dataset.n_classes)
    built = [variant for variant in lab.variants if variant.build is not None]
    if built:
        from reportgen.training import load_keras  # noqa: PLC0415  TensorFlow, only where needed

        load_keras()
        from reportgen.training.models import build  # noqa: PLC0415

        for variant in built:
            build(variant, dataset.image_shape, dataset.n_classes, folder)
    if lab.protocol.validation != "test" and dataset.n_train < 2:
        raise LabError("protocol.validation: the training set has one image, nothing can be held out")


def execute(
    prepared: Prepared,
    observer: Observer | None = None,
    say: Callable[[str], None] = print,
) -> Finished:
    """Train, save the frames and render; a run that is interrupted leaves nothing half-made."""
    started = datetime.now(UTC)
    lab_runs = prepared.output / prepared.lab.name
    with rundir.partial_run(lab_runs, started) as partial:
        outcomes = list(run_jobs(prepared.jobs, prepared.dataset, observer or Observer(), prepared.folder))
        results = collect(outcomes, prepared.dataset, _record(prepared, outcomes, started))
        with rundir.disk_errors(lab_runs):
            save(results, partial)
        run = rundir.publish(partial, lab_runs, started)
    results = replace(results, path=run)
    say("drawing the report")
    try:
        documents, problems = render(results, FORMATS, say)
    except BaseException:
        say(f"the trainings are kept in {run}; `reportgen render {run}` draws them")
        raise
    return Finished(results, documents, (*_failures(outcomes), *problems))


def _record(prepared: Prepared, outcomes: Sequence[Outcome], started: datetime) -> RunRecord:
    return RunRecord(
        lab=prepared.lab,
        dataset=DatasetRecord.of(prepared.dataset),
        environment=environment.describe(),
        jobs=tuple(
            JobRecord(variant=one.variant, seed=one.seed, status=one.status, error=one.error)
            for one in outcomes
        ),
        started=started.replace(microsecond=0),
        seconds=round(sum(one.train_seconds for one in outcomes), 3),
        argv=prepared.argv,
        overrides=prepared.given.stated(),
        fallback=prepared.fallback,
    )


def _failures(outcomes: Sequence[Outcome]) -> list[str]:
    return [f"{one.variant} (seed {one.seed}) {one.status}: {one.error}" for one in outcomes if one.error]


def render(
    results: Results, formats: Sequence[str], say: Callable[[str], None] = print
) -> tuple[dict[str, Path], list[str]]:
    """Write the documents into the run's directory; gives their paths and what could not be made.

    The link to the latest run follows once both documents are there.
    """
    from reportgen.report import write  # noqa: PLC0415  plotnine and WeasyPrint, only once needed

    if results.path is None:
        raise ValueError("results that were never saved cannot be rendered")
    documents: dict[str, Path] = {}
    problems: list[str] = []
    with rundir.disk_errors(results.path):
        for name, path_or_error in write(results, results.path, formats):
            if isinstance(path_or_error, PdfUnavailable):
                problems.append(f"{path_or_error}, then `reportgen render {results.path}`")
                # An older PDF beside a newer HTML would pass for its twin.
                with suppress(FileNotFoundError):
                    (results.path / "report.pdf").unlink()
            else:
                documents[name] = path_or_error
        if all((results.path / f"report.{name}").is_file() for name in FORMATS):
            rundir.point_latest(results.path)
    return documents, problems


def run(
    lab: Lab | str | os.PathLike[str] = "mnist",
    *,
    output: str | os.PathLike[str] = OUTPUT,
    quiet: bool = False,
    **stated: Any,
) -> Results:
    """Run a lab and give its results, as `reportgen run` does.

    `stated` takes dataset, data, epochs, batch_size, seeds and variants, each in the place of the lab's
    own. The report lies in `results.path`. Raises ReportgenError for bad input; a variant that fails is a
    row of `results.runs`.
    """
    from reportgen.progress import observer_for  # noqa: PLC0415

    data = stated.get("data")
    if isinstance(data, os.PathLike):
        stated["data"] = str(data)
    given = overrides(**stated)
    source = lab if isinstance(lab, (str, Lab)) else Path(lab)
    with observer_for(quiet) as watch:
        prepared = prepare(source, given, Path(output), watch.say)
        watch.begin(prepared.jobs, prepared.dataset)
        finished = execute(prepared, watch, watch.say)
    for problem in finished.problems:
        watch.say(problem)
    return finished.results
