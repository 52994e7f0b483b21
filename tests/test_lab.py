"""Labs: what the built-in ones hold, what is refused and how, and the schema beside the parser."""

from __future__ import annotations

import copy
import math
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.errors import LabError, UsageError
from reportgen.lab import (
    Lab,
    builtin_labs,
    json_schema,
    load_lab,
    override,
    overrides,
    parse_lab,
    trace_variant,
)
from reportgen.starter import TEMPLATE, write_lab
from support import TWO_VARIANTS, lab_text

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = "mine.toml"
STARTER = TEMPLATE.read_text(encoding="utf-8").replace("@NAME@", "starter")
SCHEMA = json_schema()
DENSE = [{"flatten": True}, {"dense": "classes", "activation": "softmax"}]


def document(**changed: Any) -> dict[str, Any]:
    """Give a valid document with some keys exchanged; None leaves a key out."""
    raw = {
        "title": "Mine",
        "dataset": {"name": "mnist"},
        "variants": [{"name": "mlp", "layers": copy.deepcopy(DENSE)}],
    }
    return {key: value for key, value in (raw | changed).items() if value is not None}


def refusal(raw: dict[str, Any]) -> str:
    """Give the one line with which a document is refused."""
    with pytest.raises(LabError) as refused:
        parse_lab(raw, FILE)
    message = str(refused.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(f"{FILE}: ")
    return message


def fits_schema(raw: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(raw))


# The built-in lab


def test_the_mnist_lab_has_the_seven_variants_in_order_with_their_parameters() -> None:
    lab = load_lab("mnist")
    params = {
        variant.name: sum(row.params for row in trace_variant(variant, (28, 28, 1), 10))
        for variant in lab.variants
    }
    assert list(params) == [
        "mlp",
        "cnn-valid-s1",
        "cnn-same-s1",
        "cnn-valid-s2",
        "cnn-same-s2",
        "cnn-valid-s1-avg",
        "cnn-same-deep",
    ]
    assert list(params.values())[:5] == [269_322, 225_034, 421_642, 53_002, 93_962]
    assert params["cnn-valid-s1-avg"] == params["cnn-valid-s1"]


def test_the_mnist_lab_follows_the_notebook() -> None:
    lab = load_lab("mnist")
    assert lab.baseline is not None
    assert lab.baseline.name == "mlp"
    protocol = lab.protocol.model_dump()
    assert protocol == {
        "epochs": 5,
        "batch_size": 128,
        "optimizer": "adam",
        "learning_rate": None,
        "loss": "categorical_crossentropy",
        "metric": "accuracy",
        "seeds": 1,
        "validation": "test",
        "precision": "float32",
    }
    assert [row.layer.setting() for row in trace_variant(lab.variants[0], (28, 28, 1), 10)] == [
        "",
        "relu",
        "0.2",
        "relu",
        "0.2",
        "softmax",
    ]


def test_the_mnist_lab_falls_back_on_digits_with_a_protocol_that_suits_them() -> None:
    fallback = load_lab("mnist").dataset.fallback
    assert fallback is not None
    assert (fallback.name, fallback.epochs, fallback.batch_size) == ("digits", 20, 32)


def test_the_deep_network_is_possible_with_same_padding_only() -> None:
    deep = load_lab("mnist").variants[-1]
    tables = [layer.model_dump(exclude_unset=True) for layer in deep.layers or ()]
    assert trace_variant(deep, (28, 28, 1), 10)
    for table in tables:
        table.pop("padding", None)
    valid = parse_lab(document(variants=[{"name": "deep-valid", "layers": tables}]), FILE)
    with pytest.raises(LabError, match=r"variant 'deep-valid': layer 8 .*does not fit"):
        trace_variant(valid.variants[0], (28, 28, 1), 10)


def test_labs_are_values_that_cannot_be_changed() -> None:
    lab = load_lab("mnist")
    assert lab == load_lab("mnist")
    with pytest.raises(ValueError, match="frozen"):
        lab.title = "other"  # type: ignore[misc]


def test_a_lab_survives_json() -> None:
    lab = load_lab("mnist")
    assert Lab.model_validate(lab.model_dump(mode="json")) == lab


def test_a_lab_is_named_after_its_file_or_folder(tmp_path: Path) -> None:
    text = lab_text("digits")
    (tmp_path / "My lab.toml").write_text(text, encoding="utf-8")
    (tmp_path / "week 3").mkdir()
    (tmp_path / "week 3" / "lab.toml").write_text(text, encoding="utf-8")
    assert load_lab(tmp_path / "My lab.toml").name == "My-lab"
    assert load_lab(tmp_path / "week 3").name == "week-3"


# What is refused: file, key, what was expected


LAYER = "variants 'mlp', layers[2]"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": (document(tilte="x"), "tilte: unknown key; did you mean 'title'?"),
    "unknown key in a claim": (
        document(claims=[{"text": "It is so.", "evidense": "stacking"}]),
        "claims[1].evidense: unknown key; did you mean 'evidence'?",
    ),
    "unknown evidence": (
        document(claims=[{"text": "It is so.", "evidence": "contrats"}]),
        "claims[1].evidence: 'contrats', did you mean 'contrast'?",
    ),
    "unknown knob": (
        document(claims=[{"text": "It is so.", "evidence": "contrast", "knob": "stride"}]),
        "claims[1].knob: 'stride', did you mean 'strides'?",
    ),
    "evidence without what it needs": (
        document(claims=[{"text": "It is so.", "evidence": "shape", "knob": "strides", "value": 2}]),
        'claims[1]: evidence "shape" needs expect',
    ),
    "evidence with what it does not take": (
        document(claims=[{"text": "It is so.", "evidence": "stacking", "knob": "padding"}]),
        'claims[1]: evidence "stacking" takes no knob',
    ),
    "a claim without words": (
        document(claims=[{"text": "", "evidence": "stacking"}]),
        "claims[1].text: is empty, expected at least one character",
    ),
    "seconds that stay the same": (
        document(
            claims=[
                {
                    "text": "It is so.",
                    "evidence": "contrast",
                    "knob": "padding",
                    "change": ["valid", "same"],
                    "quantity": "seconds_per_epoch",
                    "expect": "same",
                }
            ]
        ),
        'claims[1]: expect = "same" is not for seconds, which always differ a little',
    ),
    "a change of one value": (
        document(claims=[{"text": "It is so.", "evidence": "contrast", "change": [1]}]),
        "claims[1].change",
    ),
    "a note in an unknown section": (
        document(notes=[{"section": "netwroks", "text": "x"}]),
        "notes[1].section: 'netwroks', did you mean 'networks'?",
    ),
    "a note for an unknown edition": (
        document(notes=[{"section": "networks", "text": "x", "editions": ["handuot"]}]),
        "notes[1].editions[1]: 'handuot', did you mean 'handout'?",
    ),
    "a note in a section that its edition lacks": (
        document(notes=[{"section": "comparisons", "text": "x", "editions": ["handout"]}]),
        'notes[1]: edition "handout" has no section "comparisons", expected one of objectives, ',
    ),
    "a note without words": (
        document(notes=[{"section": "networks", "text": ""}]),
        "notes[1].text: is empty, expected at least one character",
    ),
    "a note of blanks": (
        document(notes=[{"section": "networks", "text": " \n"}]),
        "notes[1].text: is empty, expected some words",
    ),
    "a note of a book's length": (
        document(notes=[{"section": "networks", "text": "x" * 10_001}]),
        "notes[1].text: 'xxx",
    ),
    "an image": (
        document(texts={"introduction": "Look: ![a dog](https://example.org/dog.png)"}),
        "texts.introduction: has the image 'https://example.org/dog.png', expected words",
    ),
    "a link to a file": (
        document(exercises=[{"text": "See [this](notes.html).", "answer": "x"}]),
        "exercises[1].text: has a link to 'notes.html', expected one that begins with https://",
    ),
    "unknown key in a table": (
        document(protocol={"epoch": 3}),
        "protocol.epoch: unknown key; did you mean 'epochs'?",
    ),
    "unknown key in a variant": (
        document(variants=[{"name": "mlp", "layers": DENSE, "basline": True}]),
        "variants 'mlp', basline: unknown key; did you mean 'baseline'?",
    ),
    "unknown key in a layer": (
        document(variants=[{"name": "mlp", "layers": [DENSE[0], {"dense": 3, "activaton": "relu"}]}]),
        f"{LAYER}.activaton: unknown key; did you mean 'activation'?",
    ),
    "unknown key in the fallback": (
        document(dataset={"name": "mnist", "fallback": {"name": "digits", "epoch": 3}}),
        "dataset.fallback.epoch: unknown key; did you mean 'epochs'?",
    ),
    "unknown layer": (
        document(variants=[{"name": "mlp", "layers": [{"conv2": 3, "kernel": 3}]}]),
        "variants 'mlp', layers[1]: 'conv2' is not a layer; did you mean 'conv2d'?",
    ),
    "unknown activation": (
        document(variants=[{"name": "mlp", "layers": [DENSE[0], {"dense": 3, "activation": "rely"}]}]),
        f"{LAYER}.activation: 'rely', did you mean 'relu'?",
    ),
    "unknown precision": (
        document(protocol={"precision": "float16"}),
        "protocol.precision: 'float16', did you mean 'bfloat16'?",
    ),
    "unknown optimizer": (
        document(protocol={"optimizer": "adm"}),
        "protocol.optimizer: 'adm', did you mean 'adam'?",
    ),
    "missing title": (document(title=None), "title: is missing"),
    "missing dataset": (document(dataset=None), "dataset: is missing"),
    "missing variants": (document(variants=None), "variants: is missing"),
    "no variants": (document(variants=[]), "variants: is empty, expected at least one"),
    "no layers": (
        document(variants=[{"name": "mlp", "layers": []}]),
        "variants 'mlp', layers: is empty, expected at least one",
    ),
    "neither layers nor build": (
        document(variants=[{"name": "mlp"}]),
        "variants 'mlp': expected either layers or build",
    ),
    "both layers and build": (
        document(variants=[{"name": "mlp", "layers": DENSE, "build": "a:b"}]),
        "variants 'mlp': expected either layers or build",
    ),
    "a build that names no function": (
        document(variants=[{"name": "mlp", "build": "module.py"}]),
        "variants 'mlp', build: 'module.py', expected the form \"module:function\"",
    ),
    "two baselines": (
        document(
            variants=[
                {"name": "a", "baseline": True, "layers": DENSE},
                {"name": "b", "baseline": True, "layers": DENSE},
            ]
        ),
        "variants: a and b are both the baseline, expected at most one",
    ),
    "duplicate names": (
        document(variants=[{"name": "a", "layers": DENSE}, {"name": "a", "layers": DENSE}]),
        "variants: two are named 'a'; give each a name of its own",
    ),
    "duplicate names by case": (
        document(variants=[{"name": "Mlp", "layers": DENSE}, {"name": "mLP", "layers": DENSE}]),
        "variants: two are named 'mlp'; give each a name of its own",
    ),
    "a name with a slash": (
        document(variants=[{"name": "../mlp", "layers": DENSE}]),
        "variants '../mlp', name: '../mlp', expected letters, digits",
    ),
    "a long name": (
        document(variants=[{"name": "m" * 41, "layers": DENSE}]),
        f"variants '{'m' * 41}', name: '" + "m" * 41 + "', expected at most 40 characters",
    ),
    "a variant that is no table": (document(variants=["mlp"]), "variants[1]: 'mlp', expected a table"),
    "variants that are a table": (
        document(variants={"name": "mlp"}),
        "variants: {'name': 'mlp'}, expected a list",
    ),
    "a layer that is no table": (
        document(variants=[{"name": "mlp", "layers": ["flatten"]}]),
        "variants 'mlp', layers[1]: expected a table such as { dense = 128 }",
    ),
    "text for a count": (
        document(protocol={"epochs": "5"}),
        "protocol.epochs: '5', expected a whole number",
    ),
    "a fraction for a count": (
        document(protocol={"batch_size": 12.5}),
        "protocol.batch_size: 12.5, expected a whole number",
    ),
    "a whole float for a count": (
        document(protocol={"batch_size": 12.0}),
        "protocol.batch_size: 12.0, expected a whole number",
    ),
    "a number for text": (document(title=5), "title: 5, expected text in quotes"),
    "an empty title": (document(title=""), "title: is empty"),
    "text for a boolean": (
        document(variants=[{"name": "mlp", "baseline": "yes", "layers": DENSE}]),
        "variants 'mlp', baseline: 'yes', expected true or false",
    ),
    "false where only true makes sense": (
        document(variants=[{"name": "mlp", "layers": [{"flatten": False}]}]),
        "variants 'mlp', layers[1].flatten: false, expected true",
    ),
    "a kernel of three numbers": (
        document(variants=[{"name": "mlp", "layers": [DENSE[0], {"conv2d": 3, "kernel": [3, 3, 3]}]}]),
        f"{LAYER}.kernel: [3, 3, 3], expected one whole number or a list of two",
    ),
    "a wrong dropout": (
        document(variants=[{"name": "mlp", "layers": [DENSE[0], {"dropout": 1.0}]}]),
        f"{LAYER}.dropout: 1.0, expected less than 1",
    ),
    "wrong padding": (
        document(variants=[{"name": "m", "layers": [{"conv2d": 3, "kernel": 3, "padding": "sane"}]}]),
        "variants 'm', layers[1].padding: 'sane', did you mean 'same'?",
    ),
    "a validation share of one": (
        document(protocol={"validation": 1.0}),
        "protocol.validation: 1.0, expected",
    ),
    "a dataset without name and path": (
        document(dataset={}),
        'dataset: expected a name such as "mnist", or a path',
    ),
    "too many epochs": (
        document(protocol={"epochs": 10_001}),
        "protocol.epochs: 10001, expected at most 10000",
    ),
    "an unknown dataset": (
        document(dataset={"name": "minst"}),
        "dataset.name: 'minst', did you mean 'mnist'?",
    ),
    "an unknown fallback": (
        document(dataset={"name": "mnist", "fallback": {"name": "digit"}}),
        "dataset.fallback.name: 'digit', did you mean 'digits'?",
    ),
}


@pytest.mark.parametrize(("raw", "said"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_lab_is_refused_with_file_key_and_expectation(raw: dict[str, Any], said: str) -> None:
    assert f"{FILE}: {said}" in refusal(raw)


def _in_layer(key: str, value: Any) -> dict[str, Any]:
    tables = {"conv2d": {"conv2d": 8, "kernel": 3}, "max_pooling2d": {"max_pooling2d": 2}}
    table = tables["max_pooling2d" if key == "max_pooling2d" else "conv2d"]
    return document(variants=[{"name": "m", "layers": [{**table, key: value}]}])


COUNTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "protocol.epochs": lambda n: document(protocol={"epochs": n}),
    "protocol.batch_size": lambda n: document(protocol={"batch_size": n}),
    "protocol.seeds": lambda n: document(protocol={"seeds": n}),
    "dataset.fallback.epochs": lambda n: document(
        dataset={"name": "mnist", "fallback": {"name": "digits", "epochs": n}}
    ),
    "variants 'm', layers[1].dense": lambda n: document(variants=[{"name": "m", "layers": [{"dense": n}]}]),
    "variants 'm', layers[1].conv2d": lambda n: _in_layer("conv2d", n),
    "variants 'm', layers[1].kernel": lambda n: _in_layer("kernel", n),
    "variants 'm', layers[1].strides": lambda n: _in_layer("strides", n),
    "variants 'm', layers[1].max_pooling2d": lambda n: _in_layer("max_pooling2d", n),
}
NO_COUNTS = {"0": 0, "-1": -1, "nan": math.nan, "inf": math.inf, "True": True, "False": False}


@pytest.mark.parametrize("shown", NO_COUNTS)
@pytest.mark.parametrize("key", COUNTS)
def test_zero_negative_nan_and_boolean_are_no_counts(key: str, shown: str) -> None:
    message = refusal(COUNTS[key](NO_COUNTS[shown]))
    assert message.startswith(f"{FILE}: {key}")
    assert shown.lower() in message
    assert "expected" in message
    assert "whole number" in message or "at least 1" in message


@pytest.mark.parametrize("value", [0, -0.1, math.nan, math.inf, True, "fast"])
def test_a_learning_rate_is_a_positive_number(value: Any) -> None:
    message = refusal(document(protocol={"learning_rate": value}))
    assert message.startswith(f"{FILE}: protocol.learning_rate: ")
    assert "expected" in message


# Files


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "broken.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


MALFORMED = {
    "no toml": "title = ",
    "an unclosed table": "[protocol\nepochs = 3",
    "a key twice": 'title = "a"\ntitle = "b"',
    "not utf-8": b'title = "\xff"',
    "a NUL": 'title = "\0"',
    "nested too deeply": "a = " + "[" * 100_000,
    "a number of 5,000 digits": "a = " + "9" * 5000,
    "an impossible date": "a = 2024-02-31",
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_file_is_refused_in_one_line(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(LabError) as refused:
        load_lab(written(tmp_path, content))
    assert len(str(refused.value).splitlines()) == 1
    assert "broken.toml: is not " in str(refused.value)


@pytest.mark.parametrize("deep", [50, 150, 300, 450])
def test_deep_nesting_and_huge_numbers_are_refused_in_one_line(tmp_path: Path, deep: int) -> None:
    nested = "[" * deep + "]" * deep
    huge = "0x" + "f" * 100 * deep
    for value in (nested, huge):
        for text in (
            f"title = {value}",
            f'[protocol]\nepochs = {value}\ntitle = "x"',
            f'[[variants]]\nname = "a-{{k}}"\nsweep.k = [1]\nlayers = [{value}]',
            f'[[variants]]\nname = "a-{{k}}"\nsweep.k = [{value}]',
            f'[[variants]]\nname = "a-{{k}}"\nsweep.k = {value}',
        ):
            with pytest.raises(LabError) as refused:
                load_lab(written(tmp_path, text))
            assert len(str(refused.value).splitlines()) == 1


def test_an_unknown_lab_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(LabError, match=r"^mnsit: no lab of that name.*did you mean 'mnist'"):
        load_lab("mnsit")
    with pytest.raises(LabError, match=r"gone\.toml: no such lab file; `reportgen init DIR`"):
        load_lab("gone.toml")


@pytest.mark.parametrize("source", ["a" * 300, "a/" * 3000, "a\0b", "", "/dev/null/lab.toml"])
def test_a_lab_whose_path_cannot_be_is_refused(source: str) -> None:
    with pytest.raises(LabError):
        load_lab(source)


# Sweeps


def swept(sweep: Any, name: str = "cnn-{padding}", **layer: Any) -> dict[str, Any]:
    layers = [{"conv2d": 4, "kernel": 3, "padding": "{padding}", **layer}, *DENSE]
    return document(variants=[{"name": name, "sweep": sweep, "layers": layers}])


def test_a_sweep_makes_a_variant_of_each_combination_the_last_knob_fastest() -> None:
    raw = swept({"padding": ["valid", "same"], "kernel": [3, 5]}, "c-{padding}-{kernel}", kernel="{kernel}")
    lab = parse_lab(raw, FILE)
    assert [variant.name for variant in lab.variants] == [
        "c-valid-3",
        "c-valid-5",
        "c-same-3",
        "c-same-5",
    ]
    kernels = [variant.layers[0].window()[0] for variant in lab.variants if variant.layers]  # type: ignore[attr-defined]
    assert kernels == [(3, 3), (5, 5), (3, 3), (5, 5)]


SWEEPS: dict[str, tuple[dict[str, Any], str]] = {
    "no table": (swept(["valid"]), "variants 'cnn-{padding}': sweep: expected a table of lists"),
    "empty": (swept({}), "variants 'cnn-{padding}': sweep: expected a table of lists"),
    "no list": (
        swept({"padding": "same"}),
        "variants 'cnn-{padding}': sweep.padding: 'same', expected a table of lists",
    ),
    "an empty list": (swept({"padding": []}), "sweep.padding: [], expected a table of lists"),
    "a knob not in the name": (
        swept({"padding": ["same"]}, "cnn"),
        "variants 'cnn': its name must say {padding}",
    ),
    "an unknown knob": (
        swept({"padding": ["same"]}, "cnn-{padding}-{paddin}"),
        "{paddin} is not in its sweep; did you mean 'padding'?",
    ),
    "an unknown knob alone in a value": (
        swept({"padding": ["same"]}, strides="{stride}"),
        "{stride} is not in its sweep",
    ),
    "values that give one name": (
        swept({"padding": ["same", "same"]}),
        "variants: two are named 'cnn-same'",
    ),
    "a value that a layer refuses": (
        swept({"padding": ["sane"]}),
        "variants 'cnn-sane', layers[1].padding: 'sane', did you mean 'same'?",
    ),
    "too many": (
        swept({"padding": ["same"], "n": list(range(201))}, "c-{padding}-{n}"),
        "sweep: makes 201 variants, at most 200",
    ),
    "no name": (
        document(variants=[{"sweep": {"n": [1]}, "layers": DENSE}]),
        "its name must say {n}",
    ),
}


@pytest.mark.parametrize(("raw", "said"), SWEEPS.values(), ids=SWEEPS)
def test_a_wrong_sweep_is_refused(raw: dict[str, Any], said: str) -> None:
    assert said in refusal(raw)


# The schema


LABS = {name: path.read_text(encoding="utf-8") for name, path in builtin_labs().items()}


@pytest.mark.parametrize("text", [*LABS.values(), STARTER, lab_text("digits", TWO_VARIANTS)])
def test_labs_fit_the_schema_and_the_parser(text: str) -> None:
    raw = tomllib.loads(text)
    jsonschema.validate(raw, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert parse_lab(raw, FILE)


def test_the_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


BEYOND_A_SCHEMA = {
    "a note in a section that its edition lacks",
    "an image",
    "a link to a file",
    "two baselines",
    "seconds that stay the same",
    "duplicate names",
    "duplicate names by case",
    "a whole float for a count",
    "a long name",  # it may hold a sweep's placeholders, and be shorter once they are filled
    "a name with a slash",
}


@pytest.mark.parametrize("case", [case for case in REFUSED if case not in BEYOND_A_SCHEMA])
def test_what_the_parser_refuses_does_not_fit_the_schema(case: str) -> None:
    assert not fits_schema(REFUSED[case][0])


@pytest.mark.parametrize("shown", ["0", "-1", "True", "False"])
@pytest.mark.parametrize("key", COUNTS)
def test_no_counts_do_not_fit_the_schema(key: str, shown: str) -> None:
    assert not fits_schema(COUNTS[key](NO_COUNTS[shown]))


def test_init_writes_a_lab_that_names_the_schema_beside_it(tmp_path: Path) -> None:
    path = write_lab(tmp_path / "My new lab")
    assert load_lab(path).name == "My-new-lab"
    assert path.read_text(encoding="utf-8").startswith("#:schema ./lab.schema.json\n")
    assert (path.parent / "lab.schema.json").is_file()


# Overrides


def test_overrides_take_the_place_of_the_lab() -> None:
    given = overrides(epochs=1, batch_size=7, seeds=3, variants=("CNN-same-s2", "mlp"))
    lab = override(load_lab("mnist"), given)
    assert (lab.protocol.epochs, lab.protocol.batch_size, lab.protocol.seeds) == (1, 7, 3)
    assert [variant.name for variant in lab.variants] == ["mlp", "cnn-same-s2"]


@pytest.mark.parametrize("option", ["epochs", "batch_size", "seeds"])
@pytest.mark.parametrize("value", [0, -3, True, math.nan, "5", 2.0])
def test_overrides_are_as_strict_as_the_lab(option: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"^--{option.replace('_', '-')}: .*expected"):
        overrides(**{option: value})


def test_an_unknown_override_or_variant_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'epochs'"):
        overrides(epoch=1)
    with pytest.raises(UsageError, match="--variants: no 'mpl' in lab 'mnist'; did you mean 'mlp'"):
        override(load_lab("mnist"), overrides(variants=("mpl",)))
    with pytest.raises(UsageError, match="--variants: is empty"):
        overrides(variants=())


# Anything else either parses or is one LabError


TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["{n}", "{", "a\nb", "classes", "softmax", "mnist", "../x", "\x1b[2J", "$x$"]),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.sampled_from([10**400, 2**70, -(2**70)]),
    st.floats(),
    TEXTS,
    st.dates(),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [*Lab.model_fields, "sweep", "name", "layers", "build", "epochs", "dense", "conv2d", "kernel"]
)


def holds(raw: Any) -> None:
    """Parse, or refuse in one line that names the file."""
    try:
        lab = parse_lab(raw, FILE)
    except LabError as error:
        assert len(str(error).splitlines()) == 1
        assert str(error).startswith(FILE)
    else:
        assert Lab.model_validate(lab.model_dump(mode="json")) == lab


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.dictionaries(KEYS | TEXTS, TREES, max_size=5))
def test_any_tree_parses_or_is_refused_in_one_line(raw: dict[str, Any]) -> None:
    holds(raw)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the path of every value in a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = []
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.data())
def test_any_edit_of_the_starter_lab_parses_or_is_refused_in_one_line(data: st.DataObject) -> None:
    raw = tomllib.loads(STARTER)
    for _ in range(data.draw(st.integers(1, 3))):
        *above, key = data.draw(st.sampled_from(places(raw)))
        table: Any = raw
        for part in above:
            table = table[part]
        match data.draw(st.sampled_from(["exchange", "remove", "add"])):
            case "exchange":
                table[key] = data.draw(TREES)
            case "remove":
                del table[key]
            case "add" if isinstance(table, dict):
                table[data.draw(KEYS | TEXTS)] = data.draw(TREES)
            case _:
                table.append(data.draw(TREES))
    holds(raw)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(lab_text("digits"), encoding="utf-8-sig")
    assert load_lab(path).variants


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (
            "{ conv2D = 4, kernel = 3, activation = 'relu' }",
            "'conv2D' is not a layer; did you mean 'conv2d'?",
        ),
        ("{ flatten = true, dropout = 0.5 }", "names dropout and flatten, expected one layer in each table"),
        ("{ conv2d = '{k}', kernel = 3 }", "{k} stands for the value of a sweep, and the variant has none"),
    ],
)
def test_a_layer_that_is_not_one_layer_is_refused(layer: str, says: str) -> None:
    raw = tomllib.loads(f"layers = [{layer}]")
    lab = {"title": "x", "dataset": {"name": "digits"}, "variants": [{"name": "a", **raw}]}
    with pytest.raises(LabError) as caught:
        parse_lab(lab, FILE)
    assert says in str(caught.value)


def test_a_knob_that_changes_only_the_name_is_refused() -> None:
    variant = {"name": "a-{k}", "sweep": {"k": [3, 5]}, "layers": [{"flatten": True}]}
    lab = {"title": "x", "dataset": {"name": "digits"}, "variants": [variant]}
    with pytest.raises(LabError, match=r"sweep.k: \{k\} stands in none of its layers"):
        parse_lab(lab, FILE)


def test_a_class_name_that_stands_twice_is_refused() -> None:
    lab = {"title": "x", "dataset": {"name": "digits", "classes": ["a", "b", "a"]}, "variants": TWO_VARIANTS}
    with pytest.raises(LabError, match=r"dataset.classes: 'a' stands there twice"):
        parse_lab(lab, FILE)
