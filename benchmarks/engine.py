"""Measure how jobs are run: beside a notebook with stock Keras, again, and with more and more of them.

    .venv/bin/pip install -e '.[bench]' -c constraints.txt
    .venv/bin/python benchmarks/engine.py --data mnist.npz --repeat 3 --learning --json engine.json
    .venv/bin/python benchmarks/engine.py --epochs 1 --only peer,epochs,again   # in minutes, on digits

Prints a Markdown table; progress goes to standard error. Parts, chosen by --only:

    peer         the whole run beside a notebook (see notebook.py) run by papermill and exported by nbconvert
    epochs       the training of one epoch beside stock `fit`
    whole-epoch  plain `fit` as reportgen calls it beside one graph for a whole epoch (see whole_epoch.py)
    flops        the arithmetic done in training beside a large matrix product
    again        a second run: nothing changed, a text edited, a variant added
    growth       wall time and memory of 7, 35 and 105 jobs
    learning     accuracies of several seeds beside stock `fit`; with --learning or --only

The seconds of an epoch are those from its begin to the begin of its validation, in both. Reportgen trains
several networks at once, the notebook one after another on all cores: reportgen's seconds are divided by the
number of processes seen to train. Both take turns --repeat times; the medians are compared. FLOPs are 3
(forward, and backward as two) × 2 × the multiply-adds of an image.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from again import again
from against_notebook import epochs, flops, learning, whole_run
from growth import growth
from measuring import say
from table import Row, markdown, quantity
from trainings import Runs, Setup, warm
from whole_epoch import compare

from reportgen import environment
from reportgen.data import load
from reportgen.execution.plan import Workers

GRAPH_VARIANTS = ("mlp", "cnn-valid-s1")
GRAPH_LIMIT = 1.1  # a tenth lost is a price for the plainer code


def whole_epoch(runs: Runs) -> Iterator[Row]:
    """Compare plain `fit` with one graph for a whole epoch."""
    setup = runs.setup
    for variant in GRAPH_VARIANTS:
        both = compare(setup.data, variant, setup.epochs, setup.workers, setup.repeat)
        plain, graph = both["plain"], both["graph"]
        seconds = f"{quantity(plain['seconds'], 's')} beside {quantity(graph['seconds'], 's')} an epoch"
        beside = f"{seconds}; training loss {plain['loss']:.3g} beside {graph['loss']:.3g}"
        ratio = plain["seconds"] / graph["seconds"]
        yield Row(f"plain `fit` / whole-epoch graph, {variant}", ratio, "ratio", beside, GRAPH_LIMIT)


PARTS: dict[str, Callable[[Runs], Iterator[Row]]] = {
    "peer": whole_run,
    "epochs": epochs,
    "whole-epoch": whole_epoch,
    "flops": flops,
    "again": again,
    "growth": growth,
    "learning": learning,
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how jobs are run.")
    parser.add_argument("--data", type=Path, help="mnist.npz; without it, the digits inside scikit-learn")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=1, help="runs of the notebook and of reportgen")
    parser.add_argument("--jobs", type=int, help="reportgen's trainings at once (default: its own)")
    parser.add_argument("--only", help=f"parts, with commas: {', '.join(PARTS)}")
    parser.add_argument("--learning", action="store_true", help="compare accuracies too; takes long")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each variant for --learning")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    parts = options.only.split(",") if options.only else [name for name in PARTS if name != "learning"]
    options.parts = [*parts, "learning"] if options.learning and "learning" not in parts else parts
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"--only: no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if options.seeds < 2:
        parser.error("--seeds: expected at least 2, as one accuracy has no spread")
    return options


def _digits(folder: Path) -> Path:
    """Write the digits inside scikit-learn as a file that the notebook can read, too."""
    dataset = load("digits")
    arrays = {name: getattr(dataset, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(folder / "digits.npz", **arrays)
    return folder / "digits.npz"


def _write(path: Path, options: argparse.Namespace, rows: dict[str, list[Row]]) -> None:
    record = {
        "environment": environment.describe(),
        "options": {key: str(value) for key, value in vars(options).items() if key != "json"},
        "load_average": os.getloadavg(),
        "parts": {name: [row.record() for row in part] for name, part in rows.items()},
    }
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _measure_part(name: str, runs: Runs, rows: list[Row]) -> bool:
    """Add a part's rows as they are measured; tells whether it got to its end, so that the others go on."""
    try:
        for row in PARTS[name](runs):
            say(row.markdown())
            rows.append(row)
    except RuntimeError as error:
        say(f"{name}: {error}")
        return False
    return True


def main() -> None:
    """Measure the chosen parts, print the table and write it where asked."""
    options = _options()
    rows: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        runs = Runs(
            Setup(
                folder=folder,
                data=options.data.resolve() if options.data else _digits(folder),
                epochs=options.epochs,
                repeat=options.repeat,
                seeds=options.seeds,
                workers=Workers.of(options.jobs),
            )
        )
        warm(folder)
        failed = [name for name in options.parts if not _measure_part(name, runs, rows.setdefault(name, []))]
    print(markdown(row for part in rows.values() for row in part))
    if options.json:
        _write(options.json, options, rows)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
