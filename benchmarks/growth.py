"""How time and memory grow with the number of jobs: small data and one epoch, so that all else shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from measuring import REPORTGEN, Cost, measure, say
from table import Row, quantity
from trainings import Runs

SEEDS = (1, 5, 15)
MEMORY_LIMIT = 1.1  # of the fewest jobs' peak: what is sampled varies by some hundredths


def growth(runs: Runs) -> Iterator[Row]:
    """Run more and more jobs, each time into an empty output folder."""
    variants = len(runs.setup.lab.variants)
    costs = {variants * seeds: _run(runs, seeds) for seeds in SEEDS}
    for jobs, cost in costs.items():
        whole, largest = quantity(cost.tree_megabytes, "MB"), quantity(cost.megabytes, "MB")
        beside = f"{cost.trainers} at once; memory {whole}, the largest process {largest}"
        yield Row(f"{jobs} jobs of one epoch on digits", cost.wall, "s", beside)
    yield _line(costs)
    # Little work is not given as many processes: the memory of all is compared where there are as many.
    most = max(cost.trainers for cost in costs.values())
    yield _memory("all", {jobs: one.tree_megabytes for jobs, one in costs.items() if one.trainers == most})
    yield _memory("the largest process", {jobs: one.megabytes for jobs, one in costs.items()})


def _run(runs: Runs, seeds: int) -> Cost:
    say(f"growth: {seeds} seeds")
    command = [*REPORTGEN, "run", "mnist", "--dataset", "digits", "--epochs", "1", "--seeds", str(seeds)]
    command += ["--jobs", str(runs.setup.workers.count), "--output", f"growth-{seeds}", "--quiet"]
    return measure(command, runs.setup.folder, tree=True)


def _line(costs: dict[int, Cost]) -> Row:
    """Fit a straight line; gives its slope, and the furthest that a measured time lies from it."""
    jobs, seconds = list(costs), [cost.wall for cost in costs.values()]
    slope, start = np.polyfit(jobs, seconds, 1)
    line = slope * np.array(jobs) + start
    off = float(np.max(np.abs(seconds - line) / line))
    beside = f"{quantity(float(start), 's')} for none; at most {off:.1%} off a straight line"
    return Row("one more job", float(slope), "s", beside)


def _memory(what: str, megabytes: dict[int, float]) -> Row:
    jobs = list(megabytes)
    ratio = megabytes[jobs[-1]] / megabytes[jobs[0]]
    return Row(f"peak memory of {what}, {jobs[-1]} / {jobs[0]} jobs", ratio, "ratio", limit=MEMORY_LIMIT)
