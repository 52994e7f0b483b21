"""Whole runs, epochs, accuracies and FLOP/s: reportgen beside the notebook and beside the machine."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import say, side_by_side
from scipy import stats
from table import Row, quantity
from trainings import Runs, Trainings

from reportgen.data import load

WALL_LIMIT = 0.5
MLP_LIMIT = 0.45
CNN_LIMIT = 0.7
FORWARD_AND_BACKWARD = 3  # a backward pass is counted as two forward ones
OF_A_MULTIPLY_ADD = 2


def whole_run(runs: Runs) -> Iterator[Row]:
    """Compare command to documents: reportgen's HTML and PDF, the notebook's HTML."""
    peer, ours = runs.both(runs.setup.repeat)
    theirs = statistics.median(one.wall for one in peer)
    own = statistics.median(one.wall for one in ours)
    yield Row("notebook: papermill, nbconvert to HTML", theirs, "s")
    yield Row("`reportgen run`, HTML and PDF", own, "s")
    yield Row("whole run, reportgen / notebook", own / theirs, "ratio", limit=WALL_LIMIT)


def epochs(runs: Runs) -> Iterator[Row]:
    """Compare the training of one epoch, for each variant and for the convolutional ones in sum."""
    peer, ours = runs.both(runs.setup.repeat)
    theirs, own = _epoch_seconds(peer), _epoch_seconds(ours)
    for variant, seconds in own.items():
        limit = MLP_LIMIT if variant == "mlp" else CNN_LIMIT
        yield _epoch_row(variant, seconds, theirs[variant], limit)
    cnns = [variant for variant in own if variant != "mlp"]
    yield _epoch_row("all CNNs", sum(own[v] for v in cnns), sum(theirs[v] for v in cnns), CNN_LIMIT)


def _epoch_row(name: str, own: float, theirs: float, limit: float) -> Row:
    beside = f"{quantity(own, 's')} beside {quantity(theirs, 's')}"
    return Row(f"training, {name}, an epoch, reportgen / `fit`", own / theirs, "ratio", beside, limit)


def _epoch_seconds(trainings: list[Trainings]) -> dict[str, float]:
    """Give each variant's seconds of an epoch, the median of the runs."""
    each = [one.epoch_seconds() for one in trainings]
    return {variant: statistics.median(one[variant] for one in each) for variant in each[0]}


def flops(runs: Runs) -> Iterator[Row]:
    """Compare the arithmetic done in training with a large matrix product on as many threads."""
    ours = runs.ours(1)[0]
    say("matrix product")
    command = [sys.executable, str(Path(__file__).with_name("matrix_peak.py"))]
    workers = replace(runs.setup.workers, count=ours.at_once)
    peak = sum(copy["flops"] for copy in side_by_side(command, workers))
    beside = f"{workers.count} at once, threads of each: {workers.threads}"
    yield Row("matrix product of 2048 × 2048, float32", peak / 1e9, "GFLOP/s", beside)
    done = _flops_of_an_epoch(ours.path, load(path=runs.setup.data).n_train)
    spent = ours.epoch_seconds()
    for variant, count in done.items():
        yield _flops_row(variant, count / spent[variant], peak)
    yield _flops_row("all variants", sum(done.values()) / sum(spent.values()), peak)


def _flops_of_an_epoch(run: Path, images: int) -> dict[str, float]:
    layers = pd.read_parquet(run / "frames" / "layers.parquet")
    forward = layers.groupby("variant", sort=False)["multiply_adds"].sum()
    return (forward * OF_A_MULTIPLY_ADD * FORWARD_AND_BACKWARD * images).astype(float).to_dict()


def _flops_row(name: str, reached: float, peak: float) -> Row:
    beside = quantity(reached / 1e9, "GFLOP/s")
    return Row(f"training, {name}, of the matrix product's FLOP/s", reached / peak, "%", beside)


def learning(runs: Runs) -> Iterator[Row]:
    """Compare the accuracies of several seeds, by Student's t with one spread for all variants.

    One network of reportgen and of the notebook may differ by chance in any variant, so that the 5 % are
    shared among the variants (Bonferroni). A row's value is the difference of the means, its limit that which
    chance allows; the sign is dropped in the value and stated beside it.
    """
    n = runs.setup.seeds
    theirs = {v: [run.accuracies[v][0] for run in runs.peer(n)] for v in runs.seeded.accuracies}
    own = runs.seeded.accuracies
    allowed = _allowed_difference([*theirs.values(), *own.values()], len(own))
    for variant, accuracies in own.items():
        difference = float(np.mean(accuracies) - np.mean(theirs[variant]))
        beside = f"{_spread(accuracies)} beside {_spread(theirs[variant])} ({difference:+.2%})"
        yield Row(
            f"accuracy, {variant}, {n} seeds, reportgen − `fit`", abs(difference), "%%", beside, allowed
        )


def _allowed_difference(groups: list[list[float]], tests: int) -> float:
    """Give the difference of two means that chance exceeds in 5 % of all comparisons of `tests` pairs."""
    n = len(groups[0])
    variance = float(np.mean([np.var(group, ddof=1) for group in groups]))
    quantile = stats.t.ppf(1 - 0.05 / (2 * tests), df=len(groups) * (n - 1))
    return float(quantile) * sqrt(2 * variance / n)


def _spread(values: list[float]) -> str:
    return f"{np.mean(values):.2%} ({min(values):.2%} to {max(values):.2%})"
