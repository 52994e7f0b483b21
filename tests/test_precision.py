"""Precision: bfloat16 for who asks for it, float32 where it counts, and no defaults but Keras' own."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from reportgen.data import Dataset, load
from reportgen.errors import LabError
from reportgen.jobs import DONE, Outcome, plan
from reportgen.lab import Lab, Protocol, Variant, parse_lab
from support import DENSE_END, EVERY_LAYER, ROOT, lab_text
from synthetic import example, html_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran
    from reportgen.results import Results

IMAGE, CLASSES = (12, 12, 1), 3
NET: list[dict[str, Any]] = [
    {"conv2d": 2, "kernel": 3, "activation": "relu"},
    {"dropout": 0.2},
    *DENSE_END,
]
BUILDING = """
import keras


def _model(image, n, **last):
    return keras.Sequential(
        [
            keras.Input(image),
            keras.layers.Flatten(),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(n, **last),
        ]
    )


def rounded(image, n):
    return _model(image, n, activation="softmax")


def whole(image, n):
    return _model(image, n, activation="softmax", dtype="float32")


def whole_logits(image, n):
    return _model(image, n, activation="relu", dtype="float32")


def meddles(image, n):
    keras.config.set_floatx("float16")
    keras.config.set_epsilon(0.5)
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("float16")
    raise ValueError("after all that")
"""


@pytest.fixture(scope="module")
def dataset(tiny_npz: Path) -> Dataset:
    return load(path=tiny_npz)


@pytest.fixture
def builders(tmp_path: Path) -> Path:
    (tmp_path / "precise.py").write_text(BUILDING, encoding="utf-8")
    return tmp_path


def lab(*variants: dict[str, Any], **protocol: Any) -> Lab:
    return parse_lab(
        {
            "title": "Precision",
            "dataset": {"name": "digits"},
            "protocol": {"epochs": 2, "batch_size": 32, **protocol},
            "variants": list(variants) or [{"name": "net", "layers": NET}],
        },
        "lab.toml",
    )


def trained(stated: Lab, dataset: Dataset, folder: Path | None = None) -> Outcome:
    from reportgen.training import fit

    [job] = plan(stated)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as where jobs are run
        outcome = fit.train(job, dataset, folder=folder)
    assert outcome.status == DONE, outcome.error
    assert outcome.probabilities is not None
    return outcome


def state() -> tuple[Any, ...]:
    import keras

    config = keras.config
    return config.floatx(), config.epsilon(), config.image_data_format(), config.dtype_policy().name


# What is computed in what


def test_layers_compute_in_bfloat16_with_float32_weights_and_probabilities() -> None:
    from reportgen.training.models import build

    for tables in (NET, EVERY_LAYER):
        stated = lab({"name": "net", "layers": tables}, precision="bfloat16").variants[0]
        model = build(stated, IMAGE, CLASSES, precision="bfloat16")
        assert {layer.compute_dtype for layer in model.layers[:-1]} == {"bfloat16"}
        assert model.layers[-1].compute_dtype == "float32"
        assert {weight.dtype for weight in model.weights} == {"float32"}
        images = np.random.default_rng(1).random((50, *IMAGE), "float32")
        given = np.asarray(model(images))
        assert given.dtype == np.float32
        np.testing.assert_allclose(given.sum(axis=1), 1, rtol=0, atol=1e-6)


@pytest.mark.long
@pytest.mark.parametrize("tables", [NET, EVERY_LAYER], ids=["net", "every layer"])
def test_bfloat16_trains_repeatably_and_gives_other_numbers(
    dataset: Dataset, tables: list[dict[str, Any]]
) -> None:
    variant = {"name": "net", "layers": tables}
    stated = lab(variant, precision="bfloat16")
    first, again = trained(stated, dataset), trained(stated, dataset)
    exact = trained(lab(variant), dataset)
    assert first.probabilities is not None
    assert first.probabilities.dtype == np.float32
    np.testing.assert_allclose(first.probabilities.sum(axis=1), 1, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(first.probabilities, again.probabilities)
    assert (first.probabilities != exact.probabilities).any()
    np.testing.assert_allclose(first.probabilities, exact.probabilities, atol=0.1)
    assert first.params == exact.params


@pytest.mark.long
def test_bfloat16_learns_an_easy_task(dataset: Dataset) -> None:
    outcome = trained(lab(precision="bfloat16", epochs=15, learning_rate=0.01), dataset)
    assert outcome.probabilities is not None
    assert (outcome.probabilities.argmax(axis=1) == dataset.y_test).mean() > 0.9


def test_losses_and_metrics_are_those_of_the_float32_probabilities(dataset: Dataset) -> None:
    outcome = trained(lab(precision="bfloat16"), dataset)
    assert outcome.probabilities is not None
    right = outcome.probabilities[np.arange(dataset.n_test), dataset.y_test]
    assert outcome.test_loss == pytest.approx(-np.log(right.astype("float64")).mean(), rel=1e-6)
    last = outcome.epochs.query("epoch == 2 and split == 'validation'").set_index("metric")["value"]
    accuracy = (outcome.probabilities.argmax(axis=1) == dataset.y_test).mean()
    assert last["accuracy"] == pytest.approx(accuracy, rel=1e-6)
    assert last["loss"] == pytest.approx(outcome.test_loss, rel=1e-6)


@pytest.mark.long
def test_float32_is_what_keras_gives_to_one_who_says_nothing_of_it(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from reportgen.training import fit

    def plainly(*_: Any) -> Any:
        return keras.Sequential(
            [
                keras.Input(IMAGE),
                keras.layers.Conv2D(2, 3, activation="relu"),
                keras.layers.Dropout(0.2),
                keras.layers.Flatten(),
                keras.layers.Dense(CLASSES, activation="softmax"),
            ]
        )

    unsaid, said = trained(lab(), dataset), trained(lab(precision="float32"), dataset)
    monkeypatch.setattr(fit, "build", plainly)
    by_hand = trained(lab(), dataset)
    for one in (said, by_hand):
        np.testing.assert_array_equal(unsaid.probabilities, one.probabilities)
        assert unsaid.test_loss == one.test_loss


# A function that builds


@pytest.mark.long
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_function_that_ends_in_float32_trains(dataset: Dataset, builders: Path, precision: str) -> None:
    from reportgen.training.models import build

    stated = lab({"name": "mine", "build": "precise:whole"}, precision=precision)
    model = build(stated.variants[0], IMAGE, CLASSES, builders, precision)
    assert [layer.compute_dtype for layer in model.layers] == [precision, precision, "float32"]
    assert {weight.dtype for weight in model.weights} == {"float32"}
    outcome = trained(stated, dataset, builders)
    assert outcome.probabilities is not None
    np.testing.assert_allclose(outcome.probabilities.sum(axis=1), 1, rtol=0, atol=1e-6)


def refusal(builders: Path, function: str, precision: str) -> str:
    from reportgen.training.models import build

    with pytest.raises(LabError) as refused:
        build(Variant(name="mine", build=f"precise:{function}"), IMAGE, CLASSES, builders, precision)
    message = str(refused.value)
    start = f"variant 'mine': build = \"precise:{function}\": "
    assert message.startswith(start)
    assert len(message.splitlines()) == 1
    return message.removeprefix(start)


def test_a_function_that_ends_in_bfloat16_is_refused_in_one_line(builders: Path) -> None:
    from reportgen.training.models import build

    assert refusal(builders, "rounded", "bfloat16") == (
        "the model gives bfloat16, expected float32: "
        'with precision = "bfloat16", give its last layer dtype="float32"'
    )
    assert build(Variant(name="mine", build="precise:rounded"), IMAGE, CLASSES, builders)


def test_probabilities_are_asked_for_in_bfloat16_too(builders: Path) -> None:
    assert refusal(builders, "whole_logits", "bfloat16").endswith("3 probabilities; end it with a softmax")


def test_run_and_show_refuse_it_before_any_training(
    cli: Callable[..., Ran], tiny_npz: Path, builders: Path
) -> None:
    variant = '[[variants]]\nname = "mine"\nbuild = "precise:rounded"\n'
    text = lab_text(tiny_npz, variant, precision="bfloat16")
    (builders / "mine.toml").write_text(text, encoding="utf-8")
    for command in ("run", "show"):
        ran = cli(command, "mine.toml")
        assert ran.code == 2
        assert 'give its last layer dtype="float32"' in ran.err[-1]
    assert not (builders / "output").exists()


# Nothing of it is left behind, nothing of the user's comes in


@pytest.mark.long
def test_keras_has_its_settings_back_afterwards(dataset: Dataset, builders: Path) -> None:
    import keras

    from reportgen.training.models import as_shipped, build

    shipped = state()
    try:
        keras.config.set_floatx("float64")
        keras.config.set_epsilon(0.25)
        keras.config.set_image_data_format("channels_first")
        keras.config.set_dtype_policy("mixed_float16")
        mine = state()
        with as_shipped("mixed_bfloat16"):
            assert state() == ("float32", 1e-7, "channels_last", "mixed_bfloat16")
        assert state() == mine
        refusal(builders, "meddles", "bfloat16")
        assert state() == mine
        model = build(lab().variants[0], IMAGE, CLASSES)
        assert {layer.compute_dtype for layer in model.layers} == {"float32"}
        assert model.output_shape == (None, CLASSES)
        assert state() == mine
        outcome = trained(lab(precision="bfloat16"), dataset)
        assert state() == mine
    finally:
        keras.config.set_floatx(shipped[0])
        keras.config.set_epsilon(shipped[1])
        keras.config.set_image_data_format(shipped[2])
        keras.config.set_dtype_policy(shipped[3])
    plain = trained(lab(precision="bfloat16"), dataset)
    np.testing.assert_array_equal(outcome.probabilities, plain.probabilities)


IN_A_FRESH_PROCESS = """
import json, sys
from pathlib import Path
import keras
import numpy as np
from reportgen.data import load
from reportgen.jobs import plan
from reportgen.lab import load_lab
from reportgen.training.fit import train

said = keras.config.floatx(), keras.config.image_data_format(), keras.config.epsilon()
[job] = plan(load_lab(sys.argv[1]))
outcome = train(job, load(path=Path(sys.argv[2])))
np.save(sys.argv[3], outcome.probabilities)
print(json.dumps([said, outcome.test_loss, outcome.layers["output_shape"].tolist()]))
"""


@pytest.mark.long
def test_a_keras_json_changes_nothing(tmp_path: Path, tiny_npz: Path, dataset: Dataset) -> None:
    home = tmp_path / "a keras home"
    home.mkdir()
    settings = {"floatx": "float64", "image_data_format": "channels_first", "epsilon": 0.1}
    (home / "keras.json").write_text(json.dumps({**settings, "backend": "tensorflow"}), encoding="utf-8")
    variant = '\n[[variants]]\nname = "cnn"\nlayers = ['
    variant += "{conv2d = 2, kernel = 3}, {flatten = true}, {batch_normalization = true}, "
    variant += '{dense = "classes", activation = "softmax"}]\n'
    (tmp_path / "lab.toml").write_text(lab_text(tiny_npz, variant), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", IN_A_FRESH_PROCESS, "lab.toml", tiny_npz, "given.npy"],
        cwd=tmp_path,
        env={**os.environ, "KERAS_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said, loss, shapes = json.loads(ran.stdout.splitlines()[-1])
    assert said == list(settings.values())
    from reportgen.lab import load_lab

    here = trained(load_lab(str(tmp_path / "lab.toml")), dataset)
    assert shapes == ["10x10x2", "200", "200", "3"]
    assert loss == here.test_loss
    np.testing.assert_array_equal(np.load(tmp_path / "given.npy"), here.probabilities)


# What is said of it


def test_every_precision_of_the_protocol_is_known_to_keras_and_the_report() -> None:
    from reportgen.report.sections.appendix import PRECISIONS
    from reportgen.training.models import POLICIES

    known = list(get_args(Protocol.model_fields["precision"].annotation))
    assert known == list(POLICIES) == list(PRECISIONS)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("float16", "'float16', did you mean 'bfloat16'?"),
        ("Float32", "'Float32', did you mean 'float32'?"),
        ("half", "'half', known: bfloat16, float32"),
        (16, "16, expected 'float32' or 'bfloat16'"),
    ],
)
def test_an_unknown_precision_is_refused_in_one_line(value: Any, said: str) -> None:
    with pytest.raises(LabError) as refused:
        lab(precision=value)
    assert str(refused.value) == f"lab.toml: protocol.precision: {said}"


def in_bfloat16() -> Results:
    results = example()
    protocol = results.record.lab.protocol.model_copy(update={"precision": "bfloat16"})
    stated = results.record.lab.model_copy(update={"protocol": protocol})
    return dataclasses.replace(results, record=results.record.model_copy(update={"lab": stated}))


def test_the_report_says_on_its_first_page_where_it_is_not_float32() -> None:
    plain, page = html_of(example), html_of(in_bfloat16)
    assert "batch 128, Adam, bfloat16 · 1 seed" in page
    assert "batch 128, Adam · 1 seed" in plain
    assert "bfloat16" not in plain
    row = '<tr><th scope="row">Precision</th><td><bdi>'
    assert f"{row}float32</bdi>" in plain
    assert f"{row}bfloat16 for what the layers compute; weights, probabilities and losses in float32<" in page


def test_runs_from_before_precision_was_a_choice_were_float32() -> None:
    raw = lab().model_dump(mode="json")
    del raw["protocol"]["precision"]
    assert Lab.model_validate_json(json.dumps(raw)).protocol.precision == "float32"
