"""What a training's key depends on: every field of a lab, the data, the seed and the machine, one by one."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from reportgen import environment
from reportgen.data import Dataset, load
from reportgen.execution.keys import Identity, fingerprint, identify
from reportgen.execution.plan import Workers, identify_all
from reportgen.execution.sources import source_sha256
from reportgen.jobs import Job, plan
from reportgen.lab import (
    Claim,
    DatasetChoice,
    Fallback,
    Lab,
    Overrides,
    Point,
    Probes,
    Protocol,
    Texts,
    Variant,
    parse_lab,
)
from reportgen.layers import LAYERS
from reportgen.training import TRAINING_VERSION
from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

# Of every field: does another value train the network anew? A value of another kind stands where it does.
IN_THE_KEY: dict[type[BaseModel], dict[str, Any]] = {
    Protocol: {
        "epochs": 3,
        "batch_size": 16,
        "optimizer": "sgd",
        "learning_rate": 0.5,
        "loss": "sparse_categorical_crossentropy",
        "metric": None,  # only one value is possible
        "validation": 0.25,
        "precision": "bfloat16",
    },
    Variant: {"layers": [{"flatten": True}, {"dense": "classes", "activation": "softmax"}]},
}
NOT_IN_THE_KEY: dict[type[BaseModel], dict[str, Any]] = {
    Protocol: {"seeds": 3},  # how many trainings there are; each has its own seed
    Variant: {"name": "another", "baseline": True, "description": "Another."},
    Lab: {
        "name": "another",
        "title": "Another",
        "course": "Another",
        "texts": {"introduction": "Another."},
        "claims": [{"text": "Another.", "evidence": "stacking"}],
        "exercises": [{"text": "Why?", "answer": "So."}],
        "paper": "letter",
        "language": "zh",
        "notes": [{"section": "networks", "text": "Another."}],
        "branding": {"institution": "Another"},
        "probes": {"border": True, "shift": 3, "permutation": True},
    },
    DatasetChoice: {"name": "mnist", "path": "another.npz", "classes": list("xyz"), "fallback": None},
}
# Through what else these fields reach the key: a data set by its content, a variant by its own fields.
ELSEWHERE: dict[type[BaseModel], set[str]] = {
    Variant: {"build"},
    Lab: {"dataset", "protocol", "variants"},
    Texts: {"introduction", "points"},
    Point: {"title", "text", "drawing"},
    Claim: set(Claim.model_fields),
    Probes: {"border", "shift", "permutation"},  # the last has trainings of its own
    Fallback: {"name", "epochs", "batch_size"},
    Overrides: {"dataset", "data", "epochs", "batch_size", "seeds", "variants", "paper", "language"},
}
CONV = {"kernel": [5, 3], "strides": 2, "padding": "same", "activation": "relu", "use_bias": False}
POOL = {"strides": 1, "padding": "same"}
OTHER_VALUES: dict[str, dict[str, Any]] = {
    "dense": {"dense": 7, "activation": "relu", "use_bias": False},
    "conv2d": {"conv2d": 5, **CONV},
    "separable_conv2d": {"separable_conv2d": 5, "depth_multiplier": 2, **CONV},
    "depthwise_conv2d": {"depthwise_conv2d": 2, **CONV},
    "max_pooling2d": {"max_pooling2d": [3, 2], **POOL},
    "average_pooling2d": {"average_pooling2d": [3, 2], **POOL},
    "global_average_pooling2d": {"global_average_pooling2d": None},  # only true is possible
    "batch_normalization": {"batch_normalization": None},
    "dropout": {"dropout": 0.75},
    "flatten": {"flatten": None},
    "activation": {"activation": "tanh"},
}
FIRST_VALUES: dict[str, Any] = {
    **dict.fromkeys(("dense", "conv2d", "separable_conv2d"), 4),
    **dict.fromkeys(("max_pooling2d", "average_pooling2d"), 2),
    **dict.fromkeys(("global_average_pooling2d", "batch_normalization", "flatten"), True),
    "depthwise_conv2d": 1,
    "dropout": 0.5,
    "activation": "relu",
}
END = [{"flatten": True}, {"dense": "classes", "activation": "softmax"}]
MACHINE = fingerprint(threads=1)


def raw_lab(layers: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "title": "A lab",
        "dataset": {"name": "digits"},
        "protocol": {"epochs": 2, "batch_size": 8},
        "variants": [{"name": "net", "layers": layers or [{"conv2d": 4, "kernel": 3}, *END]}],
    }


@pytest.fixture(scope="module")
def dataset(tiny_npz: Path) -> Dataset:
    return load(path=tiny_npz)


@pytest.fixture(scope="module")
def key(dataset: Dataset) -> Callable[..., str]:
    """Give a function that gives the key of a raw lab's first job."""

    def of(raw: dict[str, Any], data: Dataset | None = None, machine: dict[str, Any] = MACHINE) -> str:
        return identify(plan(parse_lab(raw, "lab.toml"))[0], data or dataset, machine, None).key

    return of


# Every field is decided upon


MODELS = [Claim, Lab, DatasetChoice, Fallback, Protocol, Variant, Texts, Point, Overrides]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_of_every_field_of_a_lab_it_is_decided_whether_it_belongs_to_the_key(model: type[BaseModel]) -> None:
    decided = [
        *IN_THE_KEY.get(model, {}),
        *NOT_IN_THE_KEY.get(model, {}),
        *ELSEWHERE.get(model, set()),
    ]
    assert sorted(decided) == sorted(model.model_fields), (
        f"{model.__name__} has a field that this file does not know: decide whether another value of it "
        "trains the networks anew, put it into one of the tables above, and into keys.py if it does"
    )


@pytest.mark.parametrize("name", LAYERS)
def test_of_every_field_of_a_layer_there_is_another_value_to_try(name: str) -> None:
    assert set(OTHER_VALUES[name]) == set(LAYERS[name].model_fields)


# What trains anew


@pytest.mark.parametrize("field", [name for name, value in IN_THE_KEY[Protocol].items() if value is not None])
def test_another_protocol_trains_anew(field: str, key: Callable[..., str]) -> None:
    raw = raw_lab()
    raw["protocol"][field] = IN_THE_KEY[Protocol][field]
    assert key(raw) != key(raw_lab())


LAYER_FIELDS = [
    (name, field)
    for name, others in OTHER_VALUES.items()
    for field, value in others.items()
    if value is not None
]


def one_layer(name: str, **other: Any) -> dict[str, Any]:
    stated = {name: FIRST_VALUES[name]}
    if "kernel" in LAYERS[name].model_fields:
        stated["kernel"] = 3
    return raw_lab([stated | other, *END])


@pytest.mark.parametrize(("name", "field"), LAYER_FIELDS)
def test_another_value_of_a_layer_trains_anew(name: str, field: str, key: Callable[..., str]) -> None:
    assert key(one_layer(name, **{field: OTHER_VALUES[name][field]})) != key(one_layer(name))


def test_kinds_of_layers_with_the_same_values_are_told_apart(key: Callable[..., str]) -> None:
    keys = [key(one_layer(name)) for name in LAYERS]
    assert len(set(keys)) == len(keys)


def test_layers_in_another_order_or_number_train_anew(key: Callable[..., str]) -> None:
    a, b = {"conv2d": 4, "kernel": 3}, {"dropout": 0.5}
    stacks = [[a, b, *END], [b, a, *END], [a, a, b, *END], [a, *END]]
    assert len({key(raw_lab(stack)) for stack in stacks}) == len(stacks)


@given(st.integers(0, 3), st.integers(0, 10_000))
def test_another_byte_of_the_data_trains_anew(dataset: Dataset, which: int, place: int) -> None:
    from reportgen.data.dataset import content_sha256
    from reportgen.data.formats import Arrays

    names = ("x_train", "y_train", "x_test", "y_test")
    arrays = {name: np.array(getattr(dataset, name)) for name in names}
    assert content_sha256(Arrays(**arrays)) == dataset.sha256
    flat = arrays[names[which]].reshape(-1)
    flat[place % len(flat)] ^= 1
    other = replace(dataset, sha256=content_sha256(Arrays(**arrays)))
    job = plan(parse_lab(raw_lab(), "lab.toml"))[0]
    assert identify(job, other, MACHINE, None).key != identify(job, dataset, MACHINE, None).key


def test_another_number_of_classes_trains_anew(key: Callable[..., str], dataset: Dataset) -> None:
    assert key(raw_lab(), replace(dataset, class_names=tuple("abcd"))) != key(raw_lab())


def test_another_seed_trains_anew(dataset: Dataset) -> None:
    raw = raw_lab()
    raw["protocol"]["seeds"] = 20
    keys = {identify(job, dataset, MACHINE, None).key for job in plan(parse_lab(raw, "lab.toml"))}
    assert len(keys) == 20


def test_another_number_of_threads_trains_anew(key: Callable[..., str]) -> None:
    assert key(raw_lab(), machine=fingerprint(2)) != key(raw_lab())


@pytest.mark.parametrize("package", ["keras", "tensorflow", "numpy"])
def test_another_version_trains_anew(
    package: str, key: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = environment.installed_version
    monkeypatch.setattr(environment, "installed_version", lambda name: real(name) + ("x" * (name == package)))
    assert key(raw_lab(), machine=fingerprint(1)) != key(raw_lab())


def test_another_version_of_the_training_code_trains_anew(
    key: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reportgen.execution.keys.TRAINING_VERSION", TRAINING_VERSION + 1)
    assert key(raw_lab(), machine=fingerprint(1)) != key(raw_lab())


@pytest.mark.parametrize("name", ["TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", "XLA_FLAGS"])
def test_another_setting_of_the_numerical_libraries_trains_anew(
    name: str, key: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "0")
    assert key(raw_lab(), machine=fingerprint(1)) != key(raw_lab())


def test_the_usual_setting_stated_outright_trains_nothing(
    key: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    assert key(raw_lab(), machine=fingerprint(1)) == key(raw_lab())


def test_another_processor_trains_anew(key: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = environment.processor_features()
    monkeypatch.setattr(environment, "processor_features", lambda: {**real, "vector": "sse2"})
    assert key(raw_lab(), machine=fingerprint(1)) != key(raw_lab())


def test_another_graphics_card_trains_anew(key: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    keys = set()
    for cards in ([], ["NVIDIA L4"], ["NVIDIA A100"], ["NVIDIA A100", "NVIDIA A100"]):
        monkeypatch.setattr(environment, "graphics_cards", lambda cards=cards: cards)
        keys.add(key(raw_lab(), machine=fingerprint(1)))
    assert len(keys) == 4


def test_graphics_cards_are_named_as_linux_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for bus, model in (("0000:00:04.0", "NVIDIA L4"), ("0000:00:05.0", "NVIDIA A100")):
        (tmp_path / bus).mkdir()
        (tmp_path / bus / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 31\n")
    monkeypatch.setattr(environment, "Path", lambda _: tmp_path)
    assert environment.graphics_cards() == ["NVIDIA L4", "NVIDIA A100"]


# What does not


@pytest.mark.parametrize("field", NOT_IN_THE_KEY[Variant])
def test_a_variant_s_name_and_texts_train_nothing(field: str, key: Callable[..., str]) -> None:
    raw = raw_lab()
    raw["variants"][0][field] = NOT_IN_THE_KEY[Variant][field]
    assert key(raw) == key(raw_lab())


@pytest.mark.parametrize("field", NOT_IN_THE_KEY[Lab])
def test_a_lab_s_name_and_texts_train_nothing(field: str, key: Callable[..., str]) -> None:
    assert key({**raw_lab(), field: NOT_IN_THE_KEY[Lab][field]}) == key(raw_lab())


@pytest.mark.parametrize("field", [name for name, v in NOT_IN_THE_KEY[DatasetChoice].items() if v])
def test_the_same_data_from_elsewhere_train_nothing(field: str, key: Callable[..., str]) -> None:
    raw = raw_lab()
    raw["dataset"][field] = NOT_IN_THE_KEY[DatasetChoice][field]
    assert key(raw) == key(raw_lab())


def test_more_seeds_train_only_those_that_are_new(dataset: Dataset) -> None:
    keys = []
    for seeds in (2, 3):
        raw = raw_lab()
        raw["protocol"]["seeds"] = seeds
        planned = identify_all(plan(parse_lab(raw, "lab.toml")), dataset, Workers(1, 1), None)
        keys.append([one.key for one in planned])
    assert keys[1][:2] == keys[0]


def test_a_default_stated_outright_trains_nothing(key: Callable[..., str]) -> None:
    stated = {"conv2d": 4, "kernel": [3, 3], "strides": 1, "padding": "valid", "activation": "linear"}
    assert key(raw_lab([{**stated, "use_bias": True}, *END])) == key(raw_lab())


@given(st.permutations(range(4)))
def test_keys_do_not_depend_on_the_order_of_the_variants(dataset: Dataset, order: list[int]) -> None:
    def keys(places: list[int]) -> set[tuple[str, str]]:
        raw = raw_lab()
        raw["variants"] = [
            {"name": f"net-{n}", "layers": [{"conv2d": n + 1, "kernel": 3}, *END]} for n in places
        ]
        planned = identify_all(plan(parse_lab(raw, "lab.toml")), dataset, Workers(1, 1), None)
        return {(one.job.variant.name, one.key) for one in planned}

    assert keys(order) == keys([0, 1, 2, 3])


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans(), min_size=2))
def test_a_key_is_of_the_content_whatever_the_order_of_its_names(content: dict[str, Any]) -> None:
    key = Identity(content).key
    assert Identity(dict(reversed(content.items()))).key == key
    assert len(key) == 64
    assert int(key, 16) >= 0


def test_an_identity_can_be_read_again(dataset: Dataset) -> None:
    job = plan(parse_lab(raw_lab(), "lab.toml"))[0]
    one = identify(job, dataset, MACHINE, None)
    assert Identity(json.loads(json.dumps(one.content))).key == one.key


# An instructor's own functions


def build_lab(folder: Path, dataset: Dataset) -> str:
    raw = raw_lab()
    raw["variants"] = [{"name": "own", "build": "own_models:net"}]
    return identify(plan(parse_lab(raw, "lab.toml"))[0], dataset, MACHINE, folder).key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own_models.py").write_text("from helpers import depth\nimport blocks.small\n")
    (tmp_path / "helpers.py").write_text("import constants\ndepth = 2\n")
    (tmp_path / "constants.py").write_text("one = 1\n")
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "__init__.py").write_text("")
    (tmp_path / "blocks" / "small.py").write_text("size = 1\n")
    (tmp_path / "unrelated.py").write_text("text = 1\n")
    return tmp_path


@pytest.mark.parametrize("name", ["own_models.py", "helpers.py", "constants.py", "blocks/small.py"])
def test_another_text_of_a_module_or_of_what_it_imports_trains_anew(
    name: str, folder: Path, dataset: Dataset
) -> None:
    before = build_lab(folder, dataset)
    with (folder / name).open("a") as file:
        file.write("# changed\n")
    assert build_lab(folder, dataset) != before


def test_another_text_of_a_module_that_is_not_imported_trains_nothing(folder: Path, dataset: Dataset) -> None:
    before = build_lab(folder, dataset)
    (folder / "unrelated.py").write_text("text = 2\n")
    (folder / "lab.toml").write_text("")
    assert build_lab(folder, dataset) == before


def test_another_function_of_the_same_module_trains_anew(folder: Path, dataset: Dataset) -> None:
    raw = raw_lab()
    raw["variants"] = [{"name": n, "build": f"own_models:{n}"} for n in ("one", "two")]
    jobs = plan(parse_lab(raw, "lab.toml"))
    assert len({identify(job, dataset, MACHINE, folder).key for job in jobs}) == 2


def test_modules_that_import_each_other_have_a_hash(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import b\n")
    (tmp_path / "b.py").write_text("import a\n")
    assert source_sha256("a", tmp_path) != source_sha256("b.c", None)


def test_a_module_that_lies_elsewhere_is_known_by_its_package(tmp_path: Path) -> None:
    assert source_sha256("json.decoder", tmp_path) == source_sha256("json", None)
    assert source_sha256("json", None) != source_sha256("email", None)


def test_a_module_that_is_nowhere_or_no_python_has_a_hash_too(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (:\n")
    assert source_sha256("broken", tmp_path) != source_sha256("no_such_module", tmp_path)


# The training code


def test_every_field_of_a_job_is_in_its_key() -> None:
    assert {field.name for field in fields(Job)} == {"variant", "seed", "protocol", "permuted"}


def test_a_training_on_permuted_pixels_has_a_key_of_its_own(dataset: Dataset) -> None:
    job = plan(parse_lab(raw_lab(), "t"))[0]
    key, control = (identify(one, dataset, {}, None).key for one in (job, replace(job, permuted=True)))
    assert key != control
    assert "permuted" not in identify(job, dataset, {}, None).content


def test_what_a_training_gives_is_known_by_a_version() -> None:
    """Hold the sources of the training to the version that they had."""
    digest = hashlib.sha256()
    for path in sorted([*(ROOT / "reportgen/training").glob("*.py"), ROOT / "reportgen/layers.py"]):
        digest.update(path.read_bytes())
    golden = ROOT / "tests/golden/training.json"
    now = {"training_version": TRAINING_VERSION, "sources": digest.hexdigest()}
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    assert json.loads(golden.read_text(encoding="utf-8")) == now, (
        "the training's sources have changed: if a training now gives other weights or predictions, count "
        "TRAINING_VERSION up, so that none of the old ones is reused; in any case, then, "
        "UPDATE_GOLDEN=1 pytest tests/test_keys.py"
    )
