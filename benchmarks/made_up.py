"""Labs of any number of variants, and results made up for them, of the size of MNIST's."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from reportgen.data import load
from reportgen.data.dataset import Dataset
from reportgen.jobs import DONE, Job, Outcome, plan
from reportgen.lab import Lab, load_lab, parse_lab, trace_variant
from reportgen.results import DatasetRecord, JobRecord, Results, RunRecord, collect

N_TEST, CLASSES, EPOCHS = 10_000, 10, 5
SIDE = 28
SWEEP = {"filters": [8, 16, 24, 32, 48], "units": [32, 64, 128], "padding": ["valid", "same"]}
LAYERS = [
    {"conv2d": "{filters}", "kernel": 3, "padding": "{padding}", "activation": "relu"},
    {"max_pooling2d": 2},
    {"flatten": True},
    {"dense": "{units}", "activation": "relu"},
    {"dense": "classes", "activation": "softmax"},
]


def lab_of(variants: int, seeds: int) -> Lab:
    """Give the built-in lab with its claims, or the first so many of 30 networks that differ in few knobs."""
    lab = load_lab("mnist")
    if variants != len(lab.variants):
        table = {"name": "cnn-{filters}-{units}-{padding}", "sweep": SWEEP, "layers": LAYERS}
        stated = {"title": "Many", "dataset": {"name": "mnist"}, "protocol": {"epochs": EPOCHS}}
        lab = parse_lab({**stated, "variants": [table]}, "benchmark")
        first = lab.variants[0].model_copy(update={"baseline": True})
        lab = lab.model_copy(update={"variants": (first, *lab.variants[1:variants])})
    assert len(lab.variants) == variants
    return lab.model_copy(update={"protocol": lab.protocol.model_copy(update={"seeds": seeds})})


def made_up(lab: Lab) -> Results:
    """Make up what trainings of a lab give, without one: predictions of 10,000 images and their layers."""
    rng = np.random.default_rng(0)
    dataset = dataset_of()
    hard = rng.gamma(2.0, 1.2, N_TEST)  # an image that one network errs on is hard for the others, too
    outcomes = [_outcome(job, dataset, hard, rng) for job in plan(lab)]
    return collect(outcomes, dataset, _record(lab, dataset, outcomes))


def dataset_of() -> Dataset:
    """Give scikit-learn's digits three times as large, again and again, as 10,000 images of 28x28 pixels."""
    digits = load("digits")
    index = np.arange(N_TEST) % digits.n_test
    height, width, _ = digits.image_shape
    large = digits.x_test.repeat(SIDE // height, axis=1).repeat(SIDE // width, axis=2)
    rows, columns = SIDE - large.shape[1], SIDE - large.shape[2]
    margins = ((0, 0), (rows // 2, -(-rows // 2)), (columns // 2, -(-columns // 2)), (0, 0))
    images, labels = np.pad(large, margins)[index], digits.y_test[index]
    arrays = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    words = {"sha256": "0" * 64, "source": "made up", "description": "", "warnings": ()}
    return Dataset(name="mnist", title="Made up", class_names=digits.class_names, **arrays, **words)


def _outcome(job: Job, dataset: Dataset, hard: np.ndarray, rng: np.random.Generator) -> Outcome:
    labels = dataset.y_test
    logits = rng.normal(0, 1, (N_TEST, CLASSES)) * (0.6 + 0.5 * hard[:, None])
    logits[np.arange(N_TEST), labels] += 8.0
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype("float32")
    own = probabilities[np.arange(N_TEST), labels].astype("float64")
    layers = _layers(job, dataset)
    return Outcome(
        variant=job.variant.name,
        seed=job.seed,
        status=DONE,
        error="",
        params=int(layers["params"].sum()),
        trainable_params=int(layers["params"].sum()),
        train_seconds=30.0,
        test_loss=float(-np.log(own).mean()),
        epochs=_epochs(rng),
        layers=layers,
        probabilities=probabilities,
    )


def _epochs(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for epoch in range(1, EPOCHS + 1):
        rows.append((epoch, "train", "seconds", 5 + rng.random()))
        for split in ("train", "validation"):
            rows += [(epoch, split, "accuracy", 0.9 + 0.01 * epoch), (epoch, split, "loss", 0.5 / epoch)]
    return pd.DataFrame(rows, columns=["epoch", "split", "metric", "value"])


def _layers(job: Job, dataset: Dataset) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "position": position,
                "layer": f"{row.layer.keras_name.lower()}_{position}",
                "type": row.layer.keras_name,
                "setting": row.layer.setting(),
                "output_shape": "x".join(map(str, row.output_shape)),
                "params": row.params,
                "trainable": row.params,
                "multiply_adds": row.multiply_adds,
            }
            for position, row in enumerate(
                trace_variant(job.variant, dataset.image_shape, dataset.n_classes), start=1
            )
        ]
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
