"""What a second run costs: nothing changed, one word changed, one variant added."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from measuring import Cost, measure, say
from table import Row, quantity
from trainings import Runs, run_folder

from reportgen.lab import lab_path

SAME_LIMIT = 2.0
EDITED_LIMIT = 6.0
ADDED_LIMIT = 8.0
OUTPUT = "again"
ADDED = """
[[variants]]
name = "added"
description = "Half as many filters."
layers = [
  { conv2d = 16, kernel = 3, activation = "relu" },
  { max_pooling2d = 2 },
  { conv2d = 32, kernel = 3, activation = "relu" },
  { max_pooling2d = 2 },
  { flatten = true },
  { dense = 128, activation = "relu" },
  { dense = "classes", activation = "softmax" },
]
"""


def again(runs: Runs) -> Iterator[Row]:
    """Run a lab, then once more as it is, with an edited text, and with one more variant."""
    say("again: first run")
    first = _run(runs)
    yield from _same(runs, first)
    lab = runs.setup.folder / "mnist.toml"
    text = lab_path("mnist").read_text(encoding="utf-8")
    edited = text.replace('description = "', 'description = "Edited. ', 1)
    lab.write_text(edited, encoding="utf-8")
    say("again: one text edited")
    yield Row("one text of the lab edited", _run(runs, lab).wall, "s", limit=EDITED_LIMIT)
    lab.write_text(edited + ADDED, encoding="utf-8")
    say("again: one variant added")
    yield _added(runs, _run(runs, lab))


def _same(runs: Runs, first: Cost) -> Iterator[Row]:
    say("again: nothing changed")
    seconds = [_run(runs) for _ in range(3)]
    if any(one.printed != first.printed for one in seconds):
        raise RuntimeError(f"a second run printed {seconds[0].printed!r}, the first {first.printed!r}")
    # Set in the environment, it holds for the processes that the command starts, too.
    looked = _run(runs, env={"PYTHONPROFILEIMPORTTIME": "1"})
    heavy = imported(looked.said) & {"tensorflow", "keras"}
    beside = (
        f"imports {' and '.join(sorted(heavy))}" if heavy else "the same paths; TensorFlow is not imported"
    )
    wall = statistics.median(one.wall for one in seconds)
    yield Row("nothing changed", wall, "s", beside, SAME_LIMIT)


def _added(runs: Runs, cost: Cost) -> Row:
    frame = pd.read_parquet(run_folder(runs.setup, cost) / "frames" / "runs.parquet")
    training = float(frame.set_index("variant").loc["added", "train_seconds"])
    beside = f"{quantity(cost.wall, 's')} less {quantity(training, 's')} of its training"
    return Row("one variant added, beside its training", cost.wall - training, "s", beside, ADDED_LIMIT)


def _run(runs: Runs, lab: Path | None = None, env: dict[str, str] | None = None) -> Cost:
    command = runs.setup.run_command(OUTPUT, lab=str(lab or "mnist"))
    return measure(command, runs.setup.folder, env)


def imported(said: str) -> set[str]:
    """Name the top-level packages in what `-X importtime` wrote."""
    return set(re.findall(r"^import time:[^|]*\|[^|]*\|\s*(\w+)", said, re.MULTILINE))
