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
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import median, say
from table import Row, markdown, quantity

from reportgen.analysis.frames import analyse
from reportgen.data.dataset import Dataset
from reportgen.jobs import DONE, Job, Outcome, plan
from reportgen.lab import Lab, load_lab, parse_lab
from reportgen.results import DatasetRecord, JobRecord, Results, RunRecord, collect

N_TEST, CLASSES, EPOCHS, SEEDS = 10_000, 10, 5, 5
SECONDS = {7: 5.0, 30: 60.0}  # at most, by the number of variants
MEGABYTES = {7: 1000.0, 30: None}
SWEEP = {"filters": [8, 16, 24, 32, 48], "units": [32, 64, 128], "padding": ["valid", "same"]}


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
    results = _made_up(_lab(variants))
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


def _lab(variants: int) -> Lab:
    """Give the built-in lab with its claims, or one of 30 networks, many of which differ in one knob."""
    if variants == len(load_lab("mnist").variants):
        lab = load_lab("mnist")
    else:
        table = {
            "name": "cnn-{filters}-{units}-{padding}",
            "sweep": SWEEP,
            "layers": [
                {"conv2d": "{filters}", "kernel": 3, "padding": "{padding}", "activation": "relu"},
                {"max_pooling2d": 2},
                {"flatten": True},
                {"dense": "{units}", "activation": "relu"},
                {"dense": "classes", "activation": "softmax"},
            ],
        }
        stated = {"title": "Many", "dataset": {"name": "mnist"}, "protocol": {"epochs": EPOCHS}}
        lab = parse_lab({**stated, "variants": [table]}, "benchmark")
        first = lab.variants[0].model_copy(update={"baseline": True})
        lab = lab.model_copy(update={"variants": (first, *lab.variants[1:])})
    assert len(lab.variants) == variants
    return lab.model_copy(update={"protocol": lab.protocol.model_copy(update={"seeds": SEEDS})})


def _made_up(lab: Lab) -> Results:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, N_TEST)
    images = np.zeros((N_TEST, 28, 28, 1), np.uint8)
    digits = tuple(str(n) for n in range(CLASSES))
    arrays = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    words = {"sha256": "0" * 64, "source": "made up", "description": "", "warnings": ()}
    dataset = Dataset(name="mnist", title="Made up", class_names=digits, **arrays, **words)
    hard = rng.gamma(2.0, 1.2, N_TEST)  # an image that one network errs on is hard for the others, too
    outcomes = [_outcome(job, labels, hard, rng) for job in plan(lab)]
    return collect(outcomes, dataset, _record(lab, dataset, outcomes))


def _outcome(job: Job, labels: np.ndarray, hard: np.ndarray, rng: np.random.Generator) -> Outcome:
    logits = rng.normal(0, 1, (N_TEST, CLASSES)) * (0.6 + 0.5 * hard[:, None])
    logits[np.arange(N_TEST), labels] += 8.0
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype("float32")
    own = probabilities[np.arange(N_TEST), labels].astype("float64")
    rows = [(epoch, "train", "seconds", 5 + rng.random()) for epoch in range(1, EPOCHS + 1)]
    for split in ("train", "validation"):
        rows += [(epoch, split, "accuracy", 0.9 + 0.01 * epoch) for epoch in range(1, EPOCHS + 1)]
    return Outcome(
        variant=job.variant.name,
        seed=job.seed,
        status=DONE,
        error="",
        params=1000,
        trainable_params=1000,
        train_seconds=30.0,
        test_loss=float(-np.log(own).mean()),
        epochs=pd.DataFrame(rows, columns=["epoch", "split", "metric", "value"]),
        layers=pd.DataFrame(),
        probabilities=probabilities,
    )


def _record(lab: Lab, dataset: Dataset, outcomes: list[Outcome]) -> RunRecord:
    return RunRecord(
        lab=lab,
        dataset=DatasetRecord.of(dataset),
        environment={},
        jobs=tuple(
            JobRecord(variant=one.variant, seed=one.seed, status=one.status, error="") for one in outcomes
        ),
        started=datetime(2026, 11, 25, tzinfo=UTC),
        seconds=0.0,
        argv=(),
        overrides={},
        fallback="",
    )


if __name__ == "__main__":
    main()
