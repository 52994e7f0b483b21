"""Whole runs, of the notebook and of reportgen, and what they timed: kept, as several figures share them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from measuring import REPORTGEN, Cost, measure, say
from notebook import peer_notebook

from reportgen.data import load
from reportgen.execution.plan import Workers
from reportgen.lab import Lab, load_lab

LIBRARIES = "import tensorflow, plotnine, weasyprint, statsmodels.stats.proportion, nbconvert, papermill"


@dataclass(frozen=True)
class Setup:
    """What is measured: on which data, for how long, how often, and how reportgen shares the cores out."""

    folder: Path
    data: Path
    epochs: int
    repeat: int
    seeds: int
    workers: Workers

    @property
    def lab(self) -> Lab:
        """Give the lab that everything is measured with."""
        return load_lab("mnist")

    def run_command(self, output: str, *more: str, lab: str = "mnist") -> list[str]:
        """Give the command of a run of reportgen on the data."""
        command = [*REPORTGEN, "run", lab, "--data", str(self.data), "--epochs", str(self.epochs)]
        return [*command, "--jobs", str(self.workers.count), "--output", output, "--quiet", *more]


@dataclass(frozen=True)
class Trainings:
    """One whole run: its wall seconds; each variant's seconds of training, by epoch, and its accuracies.

    `at_once` is the number of processes that trained side by side.
    """

    wall: float
    train_seconds: dict[str, list[float]]
    accuracies: dict[str, list[float]]
    path: Path
    at_once: int = 1

    def epoch_seconds(self) -> dict[str, float]:
        """Give each variant's mean seconds of an epoch, divided by the trainings at once.

        The first epoch, with its tracing, counts. The last trainings may have fewer beside them: only the
        wall time of the whole run shows that.
        """
        return {name: float(np.mean(seconds)) / self.at_once for name, seconds in self.train_seconds.items()}


class Runs:
    """Runs of both, made when they are asked for; asked for together, they take turns."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.of_peer: list[Trainings] = []
        self.of_ours: list[Trainings] = []

    def both(self, n: int) -> tuple[list[Trainings], list[Trainings]]:
        """Give n runs of each."""
        for i in range(n):
            self.peer(i + 1)
            self.ours(i + 1)
        return self.of_peer[:n], self.of_ours[:n]

    def peer(self, n: int) -> list[Trainings]:
        """Give n runs of the notebook."""
        while len(self.of_peer) < n:
            self.of_peer.append(self._run_notebook(self.setup.folder / f"peer-{len(self.of_peer)}"))
        return self.of_peer[:n]

    def ours(self, n: int) -> list[Trainings]:
        """Give n runs of reportgen, each into an empty output folder."""
        while len(self.of_ours) < n:
            self.of_ours.append(self._run_ours(f"ours-{len(self.of_ours)}"))
        return self.of_ours[:n]

    @cached_property
    def seeded(self) -> Trainings:
        """Give one run of reportgen with all seeds."""
        return self._run_ours("seeded", "--seeds", str(self.setup.seeds))

    def _run_notebook(self, folder: Path) -> Trainings:
        """Execute the notebook with papermill and export it with nbconvert."""
        setup, dataset = self.setup, load(path=self.setup.data)
        folder.mkdir()
        nbformat.write(peer_notebook(setup.lab, dataset.image_shape, dataset.n_classes), folder / "lab.ipynb")
        execute = [sys.executable, "-m", "papermill", "lab.ipynb", "report.ipynb", "--no-progress-bar"]
        for name, value in (("data", setup.data), ("record", "record.json"), ("epochs", setup.epochs)):
            execute += ["-p", name, str(value)]
        execute += ["-p", "batch_size", str(setup.lab.protocol.batch_size)]
        say("notebook: papermill")
        executed = measure(execute, folder)
        export = measure([sys.executable, "-m", "nbconvert", "--to", "html", "report.ipynb"], folder)
        say(f"notebook: {executed.wall:.1f} s, export {export.wall:.1f} s")
        record = json.loads((folder / "record.json").read_text())
        return Trainings(
            wall=executed.wall + export.wall,
            train_seconds={variant: one["train_seconds"] for variant, one in record.items()},
            accuracies={variant: [one["accuracy"]] for variant, one in record.items()},
            path=folder,
        )

    def _run_ours(self, output: str, *more: str) -> Trainings:
        say(f"reportgen run {' '.join(more)}".rstrip())
        cost = measure(self.setup.run_command(output, *more), self.setup.folder, tree=True)
        run = run_folder(self.setup, cost)
        epochs = pd.read_parquet(run / "frames" / "epochs.parquet")
        seconds = epochs[(epochs["metric"] == "seconds") & (epochs["split"] == "train")]
        runs = pd.read_parquet(run / "frames" / "runs.parquet")
        say(f"reportgen run: {cost.wall:.1f} s, {cost.trainers} training processes seen")
        return Trainings(
            wall=cost.wall,
            train_seconds=_lists(seconds, "value"),
            accuracies=_lists(runs, "test_accuracy"),
            path=run,
            # A look may catch a process that is ending beside the one that follows it.
            at_once=max(1, min(cost.trainers, self.setup.workers.count)),
        )


def warm(folder: Path) -> None:
    """Read all libraries once, so that whoever is first finds them in memory, too."""
    measure([sys.executable, "-c", LIBRARIES], folder)


def run_folder(setup: Setup, cost: Cost) -> Path:
    """Find the run that `reportgen run` wrote, by the path that it printed last."""
    return setup.folder / Path(cost.printed.splitlines()[-1]).parent


def _lists(frame: pd.DataFrame, column: str) -> dict[str, list[float]]:
    return {str(variant): one[column].tolist() for variant, one in frame.groupby("variant", sort=False)}
