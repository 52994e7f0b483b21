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
description = "Fewer filters."
layers = [
  {{ conv2d = {filters}, kernel = 3, activation = "relu" }},
  {{ max_pooling2d = 2 }},
  {{ conv2d = 32, kernel = 3, activation = "relu" }},
  {{ max_pooling2d = 2 }},
  {{ flatten = true }},
  {{ dense = 128, activation = "relu" }},
  {{ dense = "classes", activation = "softmax" }},
]
"""


def again(runs: Runs) -> Iterator[Row]:
    """Run a lab, then once more as it is, with an edited text, and with one more variant."""
    say("again: first run")
    first = _run(runs)
    yield from _same(runs, first)
    yield _edited(runs, _seconds(runs, first))
    yield _added(runs)


def _same(runs: Runs, first: Cost) -> Iterator[Row]:
    say("again: nothing changed")
    again_and_again = [_run(runs) for _ in range(3)]
    if any(one.printed != first.printed for one in again_and_again):
        raise RuntimeError(
            f"a second run printed {again_and_again[0].printed!r}, the first {first.printed!r}"
        )
    # Set in the environment, it holds for the processes that the command starts, too.
    looked = _run(runs, env={"PYTHONPROFILEIMPORTTIME": "1"})
    heavy = imported(looked.said) & {"tensorflow", "keras"}
    beside = (
        f"imports {' and '.join(sorted(heavy))}" if heavy else "the same paths; TensorFlow is not imported"
    )
    wall = statistics.median(one.wall for one in again_and_again)
    yield Row("nothing changed", wall, "s", beside, SAME_LIMIT)


def _edited(runs: Runs, trained: pd.Series) -> Row:
    """Edit one text, another time in another way."""
    walls = []
    for n in range(runs.setup.repeat):
        say("again: one text edited")
        cost = _run(runs, _edited_lab(runs, n))
        walls.append(cost.wall)
        if not _seconds(runs, cost).equals(trained):
            raise RuntimeError("after a text was edited, something was trained anew")
    beside = f"all {len(trained)} trainings taken from the store"
    return Row("one text of the lab edited", statistics.median(walls), "s", beside, EDITED_LIMIT)


def _added(runs: Runs) -> Row:
    """Add a variant, another time with other filters."""
    rests = []
    for n in range(runs.setup.repeat):
        say("again: one variant added")
        cost = _run(runs, _edited_lab(runs, n, ADDED.format(filters=16 + n)))
        training = float(_seconds(runs, cost)["added"])
        rests.append((cost.wall - training, cost.wall, training))
    rest, wall, training = sorted(rests)[len(rests) // 2]
    beside = f"{quantity(wall, 's')} less {quantity(training, 's')} of its training"
    return Row("one variant added, beside its training", rest, "s", beside, ADDED_LIMIT)


def _edited_lab(runs: Runs, n: int, more: str = "") -> Path:
    """Write the built-in lab with an edited description, and with `more` at its end."""
    lab = runs.setup.folder / "mnist.toml"
    text = lab_path("mnist").read_text(encoding="utf-8")
    lab.write_text(text.replace('description = "', f'description = "Edit {n}. ', 1) + more, encoding="utf-8")
    return lab


def _seconds(runs: Runs, cost: Cost) -> pd.Series:
    """Give the seconds of each variant's training, as the run of a command recorded them."""
    frame = pd.read_parquet(run_folder(runs.setup, cost) / "frames" / "runs.parquet")
    return frame.set_index("variant")["train_seconds"]


def _run(runs: Runs, lab: Path | None = None, env: dict[str, str] | None = None) -> Cost:
    command = runs.setup.run_command(OUTPUT, lab=str(lab or "mnist"))
    return measure(command, runs.setup.folder, env)


def imported(said: str) -> set[str]:
    """Name the top-level packages in what `-X importtime` wrote."""
    return set(re.findall(r"^import time:[^|]*\|[^|]*\|\s*(\w+)", said, re.MULTILINE))
