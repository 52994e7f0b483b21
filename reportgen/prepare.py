"""A lab and its options, all checked before any training: data, keys of trainings, documents to be had."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import environment, rundir
from reportgen.analysis.unanswerable import unanswerable
from reportgen.data import DATASETS, load, path_from_environment
from reportgen.documents import Wish
from reportgen.errors import DatasetUnavailable, LabError
from reportgen.execution.local import check_built
from reportgen.execution.plan import Identified, Workers, identify_all
from reportgen.execution.store import STORE, Store
from reportgen.execution.trainers import Trainers
from reportgen.jobs import Job, plan, plan_controls
from reportgen.lab import (
    Lab,
    Logo,
    Overrides,
    check_shapes,
    lab_folder,
    lab_path,
    load_lab,
    override,
    overrides,
    read_logo,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportgen.data import Dataset

OUTPUT = Path("output")


@dataclass(frozen=True)
class Prepared:
    """All that is checked before any training: nothing has been written yet."""

    lab: Lab
    dataset: Dataset
    planned: list[Identified]
    controls: list[Identified]
    workers: Workers
    folder: Path
    output: Path
    given: Overrides
    argv: tuple[str, ...]
    fallback: str
    wish: Wish = field(default_factory=Wish)
    logo: Logo | None = None

    @property
    def jobs(self) -> list[Job]:
        """List the jobs without their keys, the controls last."""
        return [one.job for one in self.all_planned]

    @property
    def all_planned(self) -> list[Identified]:
        """List all trainings: those of the variants, then the controls."""
        return [*self.planned, *self.controls]

    @property
    def store(self) -> Store:
        """Give the store that all runs below one output folder share."""
        return Store(self.output / STORE)

    @property
    def trainers(self) -> Trainers:
        """Give what starts worker processes for these jobs."""
        return Trainers(self.dataset, self.workers, self.folder)

    @property
    def environment(self) -> dict[str, Any]:
        """Describe what the jobs run on."""
        return environment.describe(jobs=self.workers.count, threads=self.workers.threads)


def prepare(
    source: Lab | str | Path = "mnist",
    given: Overrides | None = None,
    output: Path = OUTPUT,
    workers: Workers | None = None,
    say: Callable[[str], None] = print,
    wish: Wish | None = None,
) -> Prepared:
    """Read and check everything that a run needs; raises InputError, having written nothing."""
    given, workers, wish = given or overrides(), workers or Workers.of(), wish or Wish()
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
    _check_variants(lab, dataset, "" if isinstance(source, Lab) else str(lab_path(source)))
    for warning in unanswerable(stated):
        say(warning)
    said = command(lab.name if isinstance(source, Lab) else source, again, output)
    argv = (*said, *workers.options, *wish.options)
    planned = identify_all(plan(lab), dataset, workers, folder)
    controls = identify_all(plan_controls(lab), dataset, workers, folder)
    prepared = Prepared(lab, dataset, planned, controls, workers, folder, output, given, argv, fallback, wish)
    check_built(planned, prepared.store, prepared.trainers)
    logo = lab.branding.logo
    return replace(prepared, logo=read_logo(folder / logo)) if logo else prepared


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


def _check_variants(lab: Lab, dataset: Dataset, file: str) -> None:
    check_shapes(lab, dataset.image_shape, dataset.n_classes, file)
    if lab.protocol.validation != "test" and dataset.n_train < 2:
        raise LabError("protocol.validation: the training set has one image, nothing can be held out")
