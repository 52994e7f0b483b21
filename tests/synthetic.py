"""Made-up results of any size and oddity, laid out by the same code as real ones, without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reportgen.analysis.frames import Analysis, analyse
from reportgen.analysis.galleries import images_to_keep
from reportgen.data.dataset import Dataset
from reportgen.jobs import DIVERGED, DONE, FAILED, Outcome, plan
from reportgen.lab import Lab, Variant, parse_lab, trace_variant
from reportgen.lab.notes import SECTIONS_OF
from reportgen.report.document import Document
from reportgen.report.editions import edition
from reportgen.report.html import build, context_of, to_html
from reportgen.report.sections import SECTIONS
from reportgen.report.studio import Studio
from reportgen.report.templates import environment
from reportgen.results import DatasetRecord, JobRecord, Results, RunRecord, collect, with_images

SENTINELS = ("Quetzal-answer", "Ocelot-notes", "Axolotl-answer", "Narwhal-note")  # of a lab, for instructors
CHARTS = "REPORTGEN_TEST_CHARTS"  # the folder of the charts that this test session has drawn
DIGITS = tuple(str(n) for n in range(10))
COLOUR_CLASSES = (
    "aeroplane with two wings",
    "automobile (any colour)",
    "bird on a telegraph wire",
    "cat that looks like a dog",
    "deer in the evening light",
    "dog that looks like a cat",
    "frog",
    "horse",
    "ship",
    "truck",
)
SEVEN = (
    "mlp",
    "cnn-valid-s1",
    "cnn-same-s1",
    "cnn-valid-s2",
    "cnn-same-s2",
    "cnn-valid-s1-avg",
    "cnn-same-deep",
)
FAILURES = {
    FAILED: "ResourceExhaustedError: out of memory while allocating a tensor of 128x32x26x26",
    DIVERGED: "the loss was no longer a number in epoch 2",
}


@dataclass(frozen=True)
class MadeUp:
    """What a made-up run should be like; `unfinished` maps a variant to its status, failed or diverged."""

    names: Sequence[str] = SEVEN
    baseline: str | None = "mlp"
    accuracies: Sequence[float] | None = None
    unfinished: Mapping[str, str] = field(default_factory=dict)
    seeds: int = 1
    epochs: int = 5
    classes: Sequence[str] = DIGITS
    image_shape: tuple[int, int, int] = (28, 28, 1)
    n_test: int = 1000
    texts: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    fallback: str = ""


def made_up(**options: Any) -> Results:
    """Make up the results of a run; options are the fields of MadeUp."""
    wish = MadeUp(**options)
    lab = _lab(wish)
    dataset = _dataset(wish)
    jobs = plan(lab)
    given = wish.accuracies or np.linspace(0.95, 0.992, len(wish.names))
    accuracies = dict(zip(wish.names, given, strict=True))
    outcomes = [_outcome(wish, job.variant, job.seed, accuracies[job.variant.name], dataset) for job in jobs]
    results = collect(outcomes, dataset, _record(wish, lab, dataset, outcomes))
    return with_images(results, dataset.x_test, images_to_keep(results))


def _lab(wish: MadeUp) -> Lab:
    texts = dict(wish.texts)
    described = texts.pop("description", "A made-up network.")
    variants = [
        {
            "name": name,
            "baseline": name == wish.baseline,
            "description": described,
            "layers": _layers(n, name),
        }
        for n, name in enumerate(wish.names)
    ]
    stated = {"title": "A made-up lab", "course": "Testing", **texts}
    protocol = {"epochs": wish.epochs, "seeds": wish.seeds}
    return parse_lab(
        {"dataset": {"name": "mnist"}, "protocol": protocol, "variants": variants, **stated}, "t"
    )


def _layers(n: int, name: str) -> list[dict[str, Any]]:
    end = [{"flatten": True}, {"dense": 32 + n, "activation": "relu"}]
    end.append({"dense": "classes", "activation": "softmax"})
    if "mlp" in name:
        return [end[0], {"dense": 256, "activation": "relu"}, {"dropout": 0.2}, *end[1:]]
    conv = {"conv2d": 8 + n, "kernel": 3, "padding": "same", "strides": 1 + ("s2" in name)}
    deep = [conv, conv] if "deep" in name else [conv]
    return [
        *deep,
        {"max_pooling2d": 2, "padding": "same"},
        {**conv, "conv2d": 16},
        {"max_pooling2d": 2, "padding": "same"},
        *end,
    ]


def _dataset(wish: MadeUp) -> Dataset:
    rng = np.random.default_rng(0)
    k = len(wish.classes)
    labels = rng.permutation(np.arange(wish.n_test) % k).astype("int64")
    images = rng.integers(0, 40, (wish.n_test, *wish.image_shape), np.uint8)
    h, w, _ = wish.image_shape
    for image, label in zip(images, labels, strict=True):  # a bright bar, elsewhere for each class
        top = int(label * (h - 4) / max(k - 1, 1))
        image[top : top + 4, w // 5 : -w // 5] = 80 + 17 * (label % 10)
    return Dataset(
        name="made-up",
        title="Made-up bars",
        x_train=images,
        y_train=labels,
        x_test=images,
        y_test=labels,
        class_names=tuple(wish.classes),
        sha256="0" * 64,
        source="bars.npz",
        description="Bright bars, one height for each class.",
        warnings=tuple(wish.warnings),
    )


def _record(wish: MadeUp, lab: Lab, dataset: Dataset, outcomes: Sequence[Outcome]) -> RunRecord:
    return RunRecord(
        lab=lab,
        dataset=DatasetRecord.of(dataset),
        environment={"python": "3.12.0", "keras": "3.15.1", "processor": "a processor", "cores": 2},
        jobs=tuple(
            JobRecord(variant=one.variant, seed=one.seed, status=one.status, error=one.error)
            for one in outcomes
        ),
        started=datetime(2026, 11, 22, 3, 15, tzinfo=UTC),
        seconds=123.4,
        argv=("reportgen", "run", "made-up"),
        overrides={},
        fallback=wish.fallback,
    )


def _outcome(wish: MadeUp, variant: Variant, seed: int, accuracy: float, dataset: Dataset) -> Outcome:
    status = wish.unfinished.get(variant.name, DONE)
    rng = np.random.default_rng([seed, *variant.name.encode()])
    layers = layer_frame(variant, dataset) if status != FAILED else pd.DataFrame()
    params = int(layers["params"].sum()) if len(layers) else None
    if seed > 1:
        accuracy = min(accuracy + float(rng.normal(0, 0.002)), 1.0)
    probabilities = _probabilities(dataset, accuracy, rng) if status == DONE else None
    return Outcome(
        variant=variant.name,
        seed=seed,
        status=status,
        error=FAILURES.get(status, ""),
        params=params,
        trainable_params=params,
        train_seconds=(params or 0) / 8000 + float(rng.uniform(1, 3)),
        test_loss=_cross_entropy(probabilities, dataset.y_test),
        epochs=_epochs(wish, status, accuracy, rng),
        layers=layers,
        probabilities=probabilities,
    )


def _cross_entropy(probabilities: np.ndarray | None, labels: np.ndarray) -> float:
    if probabilities is None:
        return float("nan")
    given = probabilities[np.arange(len(labels)), labels].astype("float64")
    return float(-np.log(np.clip(given, 1e-7, 1)).mean())


def layer_frame(variant: Variant, dataset: Dataset) -> pd.DataFrame:
    """Lay a variant's layers out as training does."""
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
                trace_variant(variant, dataset.image_shape, dataset.n_classes), start=1
            )
        ]
    )


def _epochs(wish: MadeUp, status: str, accuracy: float, rng: np.random.Generator) -> pd.DataFrame:
    last = {DONE: wish.epochs, DIVERGED: 2}.get(status, 0)
    rows = []
    for epoch in range(1, last + 1):
        lost = float("nan") if status == DIVERGED and epoch == 2 else 0.0
        for split, lag in (("train", 0.6), ("validation", 0.3)):
            missed = (1 - accuracy) * (1 + lag * 4 / epoch) + float(rng.uniform(0, 0.002))
            rows.append((epoch, split, "loss", 3 * missed + lost))
            rows.append((epoch, split, "accuracy", max(1 - missed, 0.0)))
    return pd.DataFrame(rows, columns=["epoch", "split", "metric", "value"])


def _probabilities(dataset: Dataset, accuracy: float, rng: np.random.Generator) -> Any:
    """Give probabilities (n_test, k) float32 of which exactly the nearest share to `accuracy` is right."""
    n, k = dataset.n_test, dataset.n_classes
    predicted = dataset.y_test.copy()
    wrong = rng.permutation(n)[: n - round(accuracy * n)] if k > 1 else []
    predicted[wrong] = (predicted[wrong] + rng.geometric(0.4, len(wrong)).clip(max=max(k - 1, 1))) % k
    sure = rng.uniform(0.6, 0.999, n)
    given = np.repeat(((1 - sure) / max(k - 1, 1))[:, None], k, axis=1)
    given[np.arange(n), predicted] = sure if k > 1 else 1.0
    return given.astype("float32")


@cache
def example() -> Results:
    """Give the small fixed run that golden files and the PDF's tests are made from."""
    return made_up(
        names=("mlp", "cnn-same-s1", "cnn-valid-s2", "cnn-broken"),
        accuracies=(0.8, 0.95, 0.85, 0.5),
        unfinished={"cnn-broken": FAILED},
        epochs=3,
        classes=("circle", "square", "star"),
        image_shape=(8, 8, 1),
        n_test=200,
        texts={
            "texts": {
                "introduction": "Three networks look at `8x8` shapes.\n\nA second paragraph.",
                "points": [
                    {"title": "A dense network sees no space", "text": "It is so.", "drawing": "shuffle"},
                    {"title": "A stride skips", "text": "Every second place.", "drawing": "stride"},
                    {"title": "No drawing here", "text": "Only words & <signs>."},
                ],
            },
            "exercises": [
                {"text": "Why is `8x8` enough?", "answer": SENTINELS[0], "notes": SENTINELS[1]},
                {"text": "And <if> not?\n\nThen & there.", "answer": f"`{SENTINELS[2]}` it is."},
            ],
            "notes": [
                {
                    "section": "networks",
                    "text": f"Say **why**: {SENTINELS[3]}.",
                    "editions": ["instructor"],
                },
            ],
            "claims": [
                {"text": "`Pooling` has nothing to learn & <never> did.", "evidence": "pooling-parameters"},
                {
                    "text": "A stride of two keeps the map.",
                    "evidence": "shape",
                    "knob": "strides",
                    "value": 2,
                    "expect": "same",
                },
                {
                    "text": "It copes with what moved.",
                    "evidence": "probe",
                    "probe": "shift",
                    "expect": "higher",
                },
            ],
        },
        warnings=("3 test images are also in the training set.",),
        fallback="MNIST was not to be had",
    )


@cache
def studio() -> Studio:
    """Give a studio that knows the charts that any process of this test session has drawn."""
    folder = os.environ.get(CHARTS)
    return Studio(Path(folder) if folder else None, processes=0)


@cache
def document_of(run: Callable[[], Results]) -> Document:
    """Lay a made-up run out once for all tests."""
    return build(run(), studio())


@cache
def edition_of(run: Callable[[], Results], name: str, sheet: int = 1) -> Document:
    """Lay an edition of a made-up run out once for all tests."""
    return build(run(), studio(), analysis_of(run), None, edition(name, sheet))


@cache
def analysis_of(run: Callable[[], Results]) -> Analysis:
    """Analyse a made-up run once for all its editions."""
    return analyse(run())


@cache
def edition_html(run: Callable[[], Results], name: str, sheet: int = 1) -> str:
    """Render an edition of a made-up run once for all tests."""
    return to_html(edition_of(run, name, sheet))


@cache
def edition_pdf(run: Callable[[], Results], name: str) -> bytes:
    """Make the PDF of an edition of a made-up run once for all tests."""
    from reportgen.report.pdf import to_pdf

    return to_pdf(edition_html(run, name), edition_of(run, name).extras)


@cache
def html_of(run: Callable[[], Results]) -> str:
    """Render a made-up run once for all tests."""
    return to_html(document_of(run))


@cache
def pdf_of(run: Callable[[], Results]) -> bytes:
    """Make the PDF of a made-up run once for all tests."""
    from reportgen.report.pdf import to_pdf

    return to_pdf(html_of(run), document_of(run).extras)


def section_html(run: Results, anchor: str) -> str:
    """Render one section of a run's report; empty where it has none."""
    body = SECTIONS[anchor][1](context_of(run, studio(), analyse(run)))
    template = environment().get_template(f"sections/{anchor}.html.jinja")
    return "" if body is None else template.render(body=body)


PROSE = """
Before *all*, a **word** on `code` and [a book](https://example.org/a_(b)?c=1&d=2).

# First

1. one
2. two

   - inner

##### Deep

> quoted

| Layer | | Count |
|:--|:-:|--:|
| `a\\|b` | x | 3 |

```python
x = 1


y = 2
```
"""


@cache
def prose() -> Results:
    """Give a run whose lab has Markdown wherever it may, in every section of every edition."""
    notes = [
        {"section": section, "place": place, "text": f"{place} {section} {PROSE.lstrip()}"}
        for section in dict.fromkeys(one for many in SECTIONS_OF.values() for one in many)
        for place in ("before", "after")
    ]
    point = {"title": "A point", "text": PROSE, "drawing": "stride"}
    return made_up(
        names=("mlp", "cnn"),
        epochs=1,
        classes=("circle", "square", "star"),
        image_shape=(8, 8, 1),
        n_test=60,
        texts={
            "texts": {"introduction": PROSE, "points": [point]},
            "exercises": [{"text": PROSE, "answer": PROSE, "notes": PROSE}],
            "notes": notes,
        },
    )


HOSTILE = "<b>bold</b> $x^2$ \x00\x07\u202e\u2067right\u2069\u200f & <script>alert(1)</script> "


@cache
def hostile() -> Results:
    """Give a run whose every text tries to be more than text."""
    long = HOSTILE + "w" * 10_000
    points = [
        {"title": HOSTILE, "text": HOSTILE, "drawing": "padding"},
        {"title": long, "text": long, "drawing": "shuffle"},
    ]
    return made_up(
        names=("mlp", "cnn-a"),
        epochs=2,
        classes=(HOSTILE, "v" * 10_000, "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "$a_b$"),
        n_test=100,
        texts={
            "title": HOSTILE + "t" * 10_000,
            "course": HOSTILE + "c" * 10_000,
            "description": HOSTILE + "d" * 10_000,
            "texts": {"introduction": HOSTILE + "i" * 10_000, "points": points},
            "exercises": [{"text": long, "answer": long, "notes": HOSTILE}],
        },
        warnings=(long,),
    )
