"""Measure the analysis: all frames that a report states, from made-up predictions. Needs no TensorFlow.

    .venv/bin/python benchmarks/analysis.py [--repeat 3] [--json analysis.json]

Prints a Markdown table. Each size is made up and analysed in a process of its own. The seconds are those of
`analysis.frames.analyse` alone, the imports that it asks for among them; the peak memory is the operating
system's account of the whole process, libraries and predictions included. Beside them stands what a plain
loop with scikit-learn takes in the same process for a part of it: accuracy, log loss, and precision, recall
and F1 by class of each training, no interval and no comparison.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from made_up import CLASSES, N_TEST, lab_of, made_up
from measuring import median, say
from table import Row, markdown, quantity

from reportgen.analysis.frames import analyse

SEEDS = 5
SECONDS = {7: 5.0, 30: 60.0}  # at most, by the number of variants
MEGABYTES = {7: 1000.0, 30: None}


def main() -> None:
    """Measure both sizes and print them."""
    parser = argparse.ArgumentParser(description="Measure the analysis of made-up runs.")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_measured(options.child)))
        return
    rows = [row for variants in SECONDS for row in _size(variants, options.repeat)]
    print(markdown(rows))
    if options.json:
        options.json.write_text(json.dumps([row.record() for row in rows], indent=1) + "\n")


def _size(variants: int, repeat: int) -> Iterator[Row]:
    say(f"{variants} variants")
    command = [sys.executable, str(Path(__file__).resolve()), "--child", str(variants)]
    cost = median(command, Path.cwd(), repeat)
    found = json.loads(cost.printed)
    ratio = found["seconds"] / found["scikit-learn"]
    plain = quantity(found["scikit-learn"], "s")
    what = f"{variants} variants × {SEEDS} seeds × {N_TEST:,} test images"
    beside = f"{ratio:.1f} × a plain loop with scikit-learn ({plain}); CPU {quantity(found['cpu'], 's')}"
    yield Row(f"analysis of {what}", found["seconds"], "s", beside, SECONDS[variants])
    yield Row("its peak memory", cost.megabytes, "MB", f"{found['rows']:,} predictions", MEGABYTES[variants])


# --- in a process of its own ---------------------------------------------------------------------


def _measured(variants: int) -> dict[str, float]:
    results = made_up(lab_of(variants, SEEDS))
    start, cpu = time.perf_counter(), time.process_time()
    found = analyse(results)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert all(len(frame) for name, frame in found.items() if name != "claims")
    start = time.perf_counter()
    _with_scikit_learn(results.predictions)
    plain = time.perf_counter() - start
    return {"seconds": seconds, "cpu": cpu, "scikit-learn": plain, "rows": len(results.predictions)}


def _with_scikit_learn(predictions: pd.DataFrame) -> None:
    from sklearn.metrics import accuracy_score, log_loss, precision_recall_fscore_support  # noqa: PLC0415

    names = [f"p_{n}" for n in range(CLASSES)]
    for _, part in predictions.groupby(["variant", "seed"]):
        labels, predicted = part["label"].to_numpy(int), part["predicted"].to_numpy(int)
        given = part[names].to_numpy("float64")
        accuracy_score(labels, predicted)
        log_loss(labels, given / given.sum(axis=1, keepdims=True), labels=range(CLASSES))
        precision_recall_fscore_support(labels, predicted, labels=range(CLASSES), zero_division=0)


if __name__ == "__main__":
    main()
