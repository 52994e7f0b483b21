"""Trainings: what a seed fixes and what it does not, what is held out, and how one may end."""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.data import Dataset, load
from reportgen.data.sharing import share
from reportgen.errors import LabError
from reportgen.jobs import DIVERGED, DONE, FAILED, Job, Outcome, plan
from reportgen.lab import Lab, Protocol, Variant, load_lab, override, overrides, parse_lab
from reportgen.training.worker import Setup, Training, prepare
from support import DENSE_END, EVERY_LAYER, MODELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from conftest import TrainedRun

DROPOUT_NET = [{"flatten": True}, {"dense": 8, "activation": "relu"}, {"dropout": 0.2}]


@pytest.fixture(scope="module")
def dataset(tiny_npz: Path) -> Dataset:
    return load(path=tiny_npz)


def lab(*variants: dict[str, Any], **protocol: Any) -> Lab:
    return parse_lab(
        {
            "title": "Trainings",
            "dataset": {"name": "digits"},
            "protocol": {"epochs": 2, "batch_size": 32, **protocol},
            "variants": list(variants),
        },
        "lab.toml",
    )


def net(name: str = "net", *layers: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "layers": [*(layers or DROPOUT_NET), *DENSE_END[1 if not layers else 0 :]]}


def trained(jobs: list[Job], dataset: Dataset, folder: Path | None = None) -> list[Outcome]:
    """Do in this process what a worker does."""
    file, shared = share(dataset)
    with file, tempfile.TemporaryDirectory() as temporary:
        work = prepare(Setup(shared, folder))
        made = [work(Training(job, Path(temporary) / "model.keras"), lambda news: None) for job in jobs]
    assert all(isinstance(one, Outcome) for one in made)
    return made  # type: ignore[return-value]


def probabilities(outcome: Outcome) -> NDArray[np.float32]:
    assert outcome.probabilities is not None, outcome.error
    return outcome.probabilities


# Seeds


@pytest.fixture(scope="module")
def outcomes(dataset: Dataset) -> dict[tuple[str, int], Outcome]:
    jobs = plan(lab(net("net"), net("conv", {"conv2d": 2, "kernel": 3}), seeds=2))
    return {(one.variant, one.seed): one for one in trained(jobs, dataset)}


@pytest.mark.long
def test_a_job_gives_the_same_whatever_was_trained_before_it(
    dataset: Dataset, outcomes: dict[tuple[str, int], Outcome]
) -> None:
    jobs = plan(lab(net("net"), net("conv", {"conv2d": 2, "kernel": 3}), seeds=2))
    for again in trained(jobs[::-1], dataset):
        before = outcomes[again.variant, again.seed]
        np.testing.assert_array_equal(probabilities(again), probabilities(before))
        seconds = before.epochs["metric"] == "seconds"
        assert before.epochs[~seconds].equals(again.epochs[~seconds])
        assert before.layers["params"].equals(again.layers["params"])


@pytest.mark.long
def test_seeds_differ(outcomes: dict[tuple[str, int], Outcome]) -> None:
    assert (probabilities(outcomes["net", 1]) != probabilities(outcomes["net", 2])).any()


def test_the_same_seed_ends_with_the_same_weights(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from reportgen.training import fit

    models: list[Any] = []

    def kept(model: Any, images: NDArray[Any]) -> NDArray[np.float32]:
        models.append([np.array(weights) for weights in model.get_weights()])
        return np.zeros((len(images), dataset.n_classes), "float32")

    monkeypatch.setattr(fit, "_predict", kept)
    job = plan(lab(net()))[0]
    fit.train(job, dataset)
    fit.train(job, dataset)
    for first, second in zip(*models, strict=True):
        np.testing.assert_array_equal(first, second)


def test_an_easy_task_is_learned(dataset: Dataset) -> None:
    [outcome] = trained(plan(lab(net(), epochs=15, learning_rate=0.01)), dataset)
    assert (probabilities(outcome).argmax(axis=1) == dataset.y_test).mean() > 0.9


# The order of the images


def orders(n: int, batch_size: int, seed: int, epochs: int = 3) -> list[list[int]]:
    """Read each epoch's order off the labels, which are the images' indices."""
    from reportgen.training.fit import Split, _training_batches

    images = np.zeros((n, 1, 1, 1), "uint8")
    parts = Split(images, np.arange(n), images, np.arange(n))
    protocol = Protocol(epochs=epochs, batch_size=batch_size, loss="sparse_categorical_crossentropy")
    job = Job(load_lab("mnist").variants[0], seed, protocol)
    batches = [y.numpy().tolist() for _, y in _training_batches(parts, job, n)]
    steps = -(-n // batch_size)
    assert len(batches) == steps * epochs
    assert {len(batch) for batch in batches} <= {batch_size, n % batch_size, n}
    seen = [label for batch in batches for label in batch]
    return [seen[epoch * n : (epoch + 1) * n] for epoch in range(epochs)]


@pytest.mark.parametrize(("n", "batch_size"), [(50, 8), (48, 8), (50, 64), (7, 1)])
def test_each_epoch_sees_each_image_once_in_an_order_of_its_own(n: int, batch_size: int) -> None:
    drawn = orders(n, batch_size, seed=1)
    for order in drawn:
        assert sorted(order) == list(range(n))
        assert order != list(range(n))
    assert len({tuple(order) for order in drawn}) == len(drawn)


def test_orders_follow_from_the_seed() -> None:
    first, again, other = orders(50, 8, 1), orders(50, 8, 1), orders(50, 8, 2)
    assert first == again
    assert not any(order in first for order in other)


def test_images_keep_their_labels_and_are_scaled() -> None:
    from reportgen.training.fit import Split, _training_batches

    labels = np.arange(20) % 5
    images = (labels * 51).astype("uint8").reshape(-1, 1, 1, 1)
    job = plan(lab(net(), batch_size=6))[0]
    for x, y in _training_batches(Split(images, labels, images, labels), job, 5):
        np.testing.assert_allclose(x.numpy().ravel(), y.numpy().argmax(axis=1) / 5, rtol=1e-6)
        assert y.shape[1] == 5


def test_no_thread_tunes_a_pipeline_and_is_waited_for_when_it_ends() -> None:
    from reportgen.training.fit import Split, _in_order, _training_batches

    images, labels = np.zeros((8, 1, 1, 1), "uint8"), np.arange(8) % 2
    job = plan(lab(net(), batch_size=4))[0]
    training = _training_batches(Split(images, labels, images, labels), job, 2)
    for batches in (training, _in_order(images), _in_order(images, labels)):
        assert batches.options().autotune.enabled is False


# Held out


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=80),
    st.floats(0.01, 0.99),
    st.integers(1, 50),
)
def test_what_is_held_out_is_stratified_seeded_and_leaves_something(
    labels: list[int], share: float, seed: int
) -> None:
    from reportgen.training.fit import held_out

    y = np.array(labels)
    held = held_out(y, share, seed)
    assert held.tolist() == sorted(set(held.tolist()))
    assert 1 <= len(held) < len(y)
    assert held.tolist() == held_out(y, share, seed).tolist()
    for label in np.unique(y):
        size, taken = int((y == label).sum()), int((y[held] == label).sum())
        assert abs(taken - share * size) <= 1


def test_seeds_hold_out_other_images(dataset: Dataset) -> None:
    from reportgen.training.fit import held_out

    held = [held_out(dataset.y_train, 0.25, seed).tolist() for seed in (1, 2)]
    assert held[0] != held[1]


def test_training_and_validation_share_no_image(dataset: Dataset) -> None:
    from reportgen.training.fit import split

    parts = split(dataset, 0.25, 1)
    assert (len(parts.y_train), len(parts.y_validation)) == (90, 30)
    assert np.bincount(parts.y_validation).tolist() == [10, 10, 10]
    training = {image.tobytes() for image in parts.x_train}
    assert not training & {image.tobytes() for image in parts.x_validation}


def test_the_test_set_validates_where_the_lab_says_so(dataset: Dataset) -> None:
    from reportgen.training.fit import split

    parts = split(dataset, "test", 1)
    assert parts.x_validation is dataset.x_test
    assert parts.x_train is dataset.x_train


# Losses, endings, layers


@pytest.mark.long
def test_sparse_and_categorical_loss_are_the_same_training(
    dataset: Dataset, outcomes: dict[tuple[str, int], Outcome]
) -> None:
    [sparse] = trained(plan(lab(net(), loss="sparse_categorical_crossentropy")), dataset)
    np.testing.assert_allclose(probabilities(sparse), probabilities(outcomes["net", 1]), rtol=1e-4, atol=1e-6)


@pytest.mark.long
def test_one_job_that_diverges_or_raises_does_not_stop_the_next(tmp_path: Path, dataset: Dataset) -> None:
    (tmp_path / "models_that_fail.py").write_text(MODELS, encoding="utf-8")
    jobs = plan(
        lab(
            {"name": "raises", "build": "models_that_fail:raises"},
            {"name": "nan", "build": "models_that_fail:not_a_number"},
            net(),
        )
    )
    raises, nan, well = trained(jobs, dataset, tmp_path)
    assert (raises.status, nan.status, well.status) == (FAILED, DIVERGED, DONE)
    assert "no luck" in raises.error
    assert len(raises.error.splitlines()) == 1
    assert nan.error == "the loss or the predictions were no longer numbers after epoch 1"
    assert nan.epochs["epoch"].unique().tolist() == [1]
    assert raises.probabilities is None
    assert nan.probabilities is None
    assert well.error == ""


def test_a_learning_rate_beyond_reason_is_recorded_as_diverged(dataset: Dataset) -> None:
    jobs = plan(lab(net(), optimizer="sgd", learning_rate=1e38, epochs=4))
    [outcome] = trained(jobs, dataset)
    assert outcome.status == DIVERGED


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop", "nadam"])
def test_every_optimizer_can_be_made(optimizer: str) -> None:
    from reportgen.training.models import build, compile_model

    made = lab(net(), optimizer=optimizer, learning_rate=0.5)
    model = build(made.variants[0], (4, 4, 1), 3)
    compile_model(model, made.protocol, 1)
    assert type(model.optimizer).__name__.lower() == optimizer
    assert float(model.optimizer.learning_rate) == 0.5


@pytest.mark.long
def test_every_kind_of_layer_trains(dataset: Dataset) -> None:
    [outcome] = trained(plan(lab({"name": "all", "layers": EVERY_LAYER}, epochs=1)), dataset)
    assert outcome.status == DONE, outcome.error
    assert outcome.layers["type"].tolist() == [
        "Conv2D",
        "BatchNormalization",
        "Activation",
        "SeparableConv2D",
        "DepthwiseConv2D",
        "MaxPooling2D",
        "AveragePooling2D",
        "Dropout",
        "GlobalAveragePooling2D",
        "Dense",
        "Activation",
    ]
    assert outcome.params == outcome.layers["params"].sum()
    assert outcome.trainable_params == outcome.layers["trainable"].sum()
    assert outcome.params - outcome.trainable_params == 4  # moving mean and variance of 2 channels


def test_recorded_parameters_are_those_that_keras_counts(trained_run: TrainedRun) -> None:
    from reportgen.training.models import build

    results = trained_run.results
    dataset = results.record.dataset
    for variant in results.record.lab.variants:
        model = build(variant, dataset.image_shape, len(dataset.classes))
        rows = results.runs[results.runs["variant"] == variant.name]
        assert set(rows["params"]) == {model.count_params()}


def test_a_model_in_the_store_is_without_the_state_of_its_optimizer(trained_run: TrainedRun) -> None:
    import h5py

    stored = sorted((trained_run.cwd / "output/.store").glob("*/model.keras"))
    assert len(stored) == 4
    for path in stored:
        with zipfile.ZipFile(path) as model:
            assert not json.loads(model.read("config.json"))["compile_config"]
            with h5py.File(io.BytesIO(model.read("model.weights.h5"))) as weights:
                assert "optimizer" not in weights
                assert "layers" in weights


def test_the_last_epoch_s_validation_is_the_test_score(trained_run: TrainedRun) -> None:
    results = trained_run.results
    last = results.epochs.query("split == 'validation' and epoch == 2")
    values = last.set_index(["variant", "seed", "metric"])["value"]
    for row in results.runs.itertuples():
        assert values[row.variant, row.seed, "accuracy"] == pytest.approx(row.test_accuracy)
        assert values[row.variant, row.seed, "loss"] == pytest.approx(row.test_loss, rel=1e-4)


# A function that builds


BUILDERS = {
    "no module": ("gone:build", "cannot import 'gone'"),
    "no function": ("builders:gone", "module 'builders' has no function 'gone'"),
    "no model": ("builders:nothing", "gave NoneType, expected a keras.Model"),
    "raises": ("builders:raises", "ValueError: two lines"),
    "no probabilities": ("builders:logits", "expected 3 probabilities; end it with a softmax"),
    "too few classes": ("builders:two", "expected 3 probabilities; end it with a softmax"),
    "another image": ("builders:other", "the model does not take an image of 12×12×1"),
    "two outputs": ("builders:pair", "expected 3 probabilities; end it with a softmax"),
}
BUILDING = """
import keras


def _model(image, n, activation="softmax"):
    return keras.Sequential(
        [keras.Input(image), keras.layers.Flatten(), keras.layers.Dense(n, activation=activation)]
    )


def nothing(image, n):
    return None


def raises(image, n):
    raise ValueError("two\\nlines")


def logits(image, n):
    return _model(image, n, "relu")


def two(image, n):
    return _model(image, 2)


def other(image, n):
    return _model((5, 5, 1), n)


def pair(image, n):
    x = keras.Input(image)
    y = keras.layers.Dense(n, activation="softmax")(keras.layers.Flatten()(x))
    return keras.Model(x, [y, y])
"""


@pytest.mark.parametrize(("build", "said"), BUILDERS.values(), ids=BUILDERS)
def test_a_build_that_gives_no_classifier_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: str, said: str
) -> None:
    from reportgen.training import models

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "builders", raising=False)
    (tmp_path / "builders.py").write_text(BUILDING, encoding="utf-8")
    with pytest.raises(LabError) as refused:
        models.build(Variant(name="mine", build=build), (12, 12, 1), 3, tmp_path)
    message = str(refused.value)
    assert message.startswith(f"variant 'mine': build = \"{build}\"")
    assert said in message
    assert len(message.splitlines()) == 1


def test_two_labs_with_a_module_of_the_same_name_have_each_their_own_network(tmp_path: Path) -> None:
    from reportgen.training.models import build

    built = []
    for units in (3, 7):
        folder = tmp_path / f"lab-{units}"
        folder.mkdir()
        (folder / "sizes.py").write_text(f"UNITS = {units}\n")
        (folder / "mine.py").write_text(
            "import keras, runpy, os\n"
            "UNITS = runpy.run_path(os.path.join(os.path.dirname(__file__), 'sizes.py'))['UNITS']\n"
            "def build(shape, classes):\n"
            "    L = keras.layers\n"
            "    return keras.Sequential([keras.Input(shape), L.Flatten(), L.Dense(UNITS), "
            "L.Dense(classes, 'softmax')])\n"
        )
        before = list(sys.path)
        model = build(Variant(name="mine", build="mine:build"), (4, 4, 1), 2, folder)
        assert sys.path == before
        built.append(model.layers[-2].units)
    assert built == [3, 7]


# The real thing


@pytest.mark.mnist
@pytest.mark.long
def test_the_built_in_lab_reaches_the_notebook_s_accuracy_on_mnist(mnist_path: Path) -> None:
    stated = override(load_lab("mnist"), overrides(data=str(mnist_path)))
    results = trained(plan(stated), load(path=mnist_path))
    accuracy = {
        one.variant: float(
            one.epochs.query("split == 'validation' and metric == 'accuracy'")["value"].iloc[-1]
        )
        for one in results
    }
    params = {one.variant: one.params for one in results}
    assert 0.972 <= accuracy["mlp"] <= 0.986
    for name, value in accuracy.items():
        assert value >= (0.0 if name == "mlp" else 0.975 if "s2" in name else 0.985), name
    assert list(params.values())[:5] == [269_322, 225_034, 421_642, 53_002, 93_962]
    labels = load(path=mnist_path).y_test
    for one in results:
        assert one.probabilities is not None
        assert one.probabilities.shape == (10_000, 10)
        assert accuracy[one.variant] == pytest.approx((one.probabilities.argmax(axis=1) == labels).mean())
