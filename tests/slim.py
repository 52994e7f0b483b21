"""Slim runs: only what is compared and said, from a table of what each training got right."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from reportgen.analysis.comparisons import comparisons
from reportgen.analysis.scores import wilson
from reportgen.jobs import DONE


def slim_run(answers: np.ndarray, baseline: int | None = 0, params: tuple[int, ...] = ()) -> Any:
    """Give a run of two classes; `answers` (n, variants, seeds) tells which test images are right."""
    n, variants, seeds = answers.shape
    names = [f"v{v}" for v in range(variants)]
    grid = [(name, seed + 1, answers[:, v, seed]) for v, name in enumerate(names) for seed in range(seeds)]
    label = np.arange(n) % 2
    predictions = pd.DataFrame(
        {
            "variant": pd.Categorical(np.repeat([name for name, _, _ in grid], n)).astype("object"),
            "seed": np.repeat([seed for _, seed, _ in grid], n),
            "index": np.tile(np.arange(n), len(grid)),
            "label": np.tile(label, len(grid)),
            "predicted": np.concatenate([np.where(right, label, 1 - label) for _, _, right in grid]),
            "confidence": 0.9,
        }
    )
    sizes = params or tuple(1000 * (v + 1) for v in range(variants))
    rows = [
        {
            "variant": name,
            "seed": seed,
            "status": DONE,
            "error": "",
            "params": sizes[names.index(name)],
            "test_accuracy": right.mean(),
            "test_loss": 0.1,
            "train_seconds": 1.0,
        }
        for name, seed, right in grid
    ]
    base = None if baseline is None else SimpleNamespace(name=names[baseline])
    protocol = SimpleNamespace(seeds=seeds, epochs=5, validation="test")
    dataset = SimpleNamespace(
        n_test=n, n_train=6 * n, name="mnist", title="MNIST", repeats=0, classes=("odd", "even")
    )
    record = SimpleNamespace(lab=SimpleNamespace(baseline=base, protocol=protocol), dataset=dataset)
    return SimpleNamespace(
        record=record,
        runs=pd.DataFrame(rows),
        predictions=predictions,
        confusion=_confusion(predictions),
        epochs=pd.DataFrame(columns=["variant", "seed", "epoch", "split", "metric", "value"]),
        layers=pd.DataFrame(columns=["variant", "type", "multiply_adds"]),
        variants=names,
    )


def _confusion(predictions: pd.DataFrame) -> pd.DataFrame:
    keys = ["variant", "seed", "label", "predicted"]
    return predictions.groupby(keys, sort=False).size().reset_index(name="count")


def compared(run: Any) -> dict[str, pd.DataFrame]:
    """Give the frames that sentences about differences need, without those that take long."""
    n = run.record.dataset.n_test
    rows = [
        {
            "variant": row.variant,
            "seed": row.seed,
            "metric": "accuracy",
            "value": row.test_accuracy,
            **dict(zip(("low", "high"), wilson(round(row.test_accuracy * n), n), strict=True)),
        }
        for row in run.runs.itertuples()
    ]
    return {"comparisons": comparisons(run, {}), "scores": pd.DataFrame(rows)}
