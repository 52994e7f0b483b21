"""Shapes and parameters that are worked out here are those that Keras builds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from reportgen.errors import LabError
from reportgen.lab import Variant, load_lab, trace_variant
from reportgen.layers import (
    LAYERS,
    AnyLayer,
    ShapeError,
    layer_kind,
    times,
    trace,
    window_size,
)
from support import DENSE_END

CLASSES = 3
Table = dict[str, Any]


def variant(*tables: Table, name: str = "made-up") -> Variant:
    adapter = TypeAdapter(tuple[AnyLayer, ...])
    return Variant(name=name, layers=adapter.validate_python(tables))


# A window's positions


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 12))
def test_valid_windows_are_as_many_as_fit(n: int, kernel: int, stride: int) -> None:
    fitting = [start for start in range(0, n, stride) if start + kernel <= n]
    assert max(window_size(n, kernel, stride, "valid"), 0) == len(fitting)


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 12))
def test_same_windows_begin_at_every_stride(n: int, kernel: int, stride: int) -> None:
    assert window_size(n, kernel, stride, "same") == len(range(0, n, stride))


# Beside Keras


WINDOWS: list[Table] = [
    {"conv2d": 5, "kernel": 3},
    {"conv2d": 5, "kernel": [2, 4], "use_bias": False},
    {"separable_conv2d": 5, "kernel": 3},
    {"separable_conv2d": 5, "kernel": [4, 3], "depth_multiplier": 2, "use_bias": False},
    {"depthwise_conv2d": 1, "kernel": 3},
    {"depthwise_conv2d": 3, "kernel": [3, 2], "use_bias": False},
    {"max_pooling2d": 2},
    {"max_pooling2d": [3, 2]},
    {"average_pooling2d": 3},
]
STRIDES: tuple[Table, ...] = tuple({"strides": s} for s in (1, 2, 3, [2, 1]))
GRID = [
    {**table, **strides, "padding": padding}
    for table in WINDOWS
    for padding in ("valid", "same")
    for strides in (*STRIDES, *([{}] if "kernel" not in table else []))
]
OTHERS: list[list[Table]] = [
    [{"batch_normalization": True}],
    [{"dropout": 0.25}],
    [{"activation": "gelu"}],
    [{"global_average_pooling2d": True}, {"dense": 4, "activation": "tanh", "use_bias": False}],
    [{"flatten": True}, {"batch_normalization": True}, {"dense": 7}, {"dropout": 0.0}],
]


def _ended(tables: list[Table]) -> list[Table]:
    flat = any("flatten" in table or "global_average_pooling2d" in table for table in tables)
    return [*tables, *(DENSE_END[1:] if flat else DENSE_END)]


@pytest.mark.parametrize("image", [(13, 10, 2), (12, 12, 1)], ids=times)
def test_output_shapes_and_parameters_are_those_of_keras(image: tuple[int, int, int]) -> None:
    from reportgen.training.models import build

    for tables in [*([table] for table in GRID), *OTHERS]:
        stated = variant(*_ended(tables))
        rows = trace_variant(stated, image, CLASSES)
        model = build(stated, image, CLASSES)
        shapes = [tuple(layer.output.shape[1:]) for layer in model.layers]
        assert [row.output_shape for row in rows] == shapes, tables
        assert [row.params for row in rows] == [layer.count_params() for layer in model.layers]
        assert sum(row.params for row in rows) == model.count_params()


def test_every_activation_is_one_that_keras_knows() -> None:
    from reportgen.layers import Activate
    from reportgen.training.models import build

    names = Activate.model_json_schema()["properties"]["activation"]["enum"]
    tables = [{"activation": name} for name in names]
    assert build(variant(*tables, *DENSE_END), (4, 4, 1), CLASSES)


def test_every_layer_has_its_keras_counterpart() -> None:
    import keras

    from reportgen.training.models import KERAS

    assert set(KERAS) == set(LAYERS.values())
    assert all(hasattr(keras.layers, layer.keras_name) for layer in LAYERS.values())


def test_the_mnist_lab_has_the_parameters_that_keras_counts() -> None:
    from reportgen.training.models import build

    for stated in load_lab("mnist").variants:
        rows = trace_variant(stated, (28, 28, 1), 10)
        model = build(stated, (28, 28, 1), 10)
        assert sum(row.params for row in rows) == model.count_params()


def test_multiply_adds_count_each_weight_at_each_place() -> None:
    tables = [
        {"conv2d": 5, "kernel": 3, "padding": "same"},
        {"depthwise_conv2d": 2, "kernel": 3, "padding": "same"},
        {"separable_conv2d": 4, "kernel": [1, 3], "padding": "same", "depth_multiplier": 2},
        {"flatten": True},
        {"dense": "classes", "activation": "softmax"},
    ]
    rows = trace_variant(variant(*tables), (6, 7, 2), CLASSES)
    places = 6 * 7
    assert [row.multiply_adds for row in rows] == [
        places * 5 * 9 * 2,
        places * 10 * 9,
        places * (20 * 3 + 20 * 4),
        0,
        places * 4 * CLASSES,
    ]


# What is refused


@pytest.mark.parametrize("table", [{"conv2d": 4, "kernel": 3}, {"max_pooling2d": 3}])
def test_a_map_that_would_shrink_below_one_pixel_is_refused_naming_the_layer(table: Table) -> None:
    stated = variant({"max_pooling2d": 2}, {"max_pooling2d": 2}, table, *DENSE_END, name="small")
    with pytest.raises(LabError) as refused:
        trace_variant(stated, (11, 11, 1), CLASSES)
    assert str(refused.value).startswith(
        f"variant 'small': layer 3 ({LAYERS[next(iter(table))].keras_name}): its 3×3 window does not "
        'fit the 2×2 feature map that reaches it; use padding = "same"'
    )
    assert trace_variant(stated, (12, 12, 1), CLASSES)[2].output_shape[:2] == (1, 1)


def test_a_map_too_narrow_in_one_direction_is_refused() -> None:
    stated = variant({"conv2d": 1, "kernel": [1, 5]}, *DENSE_END)
    with pytest.raises(LabError, match=r"layer 1 \(Conv2D\): its 1×5 window does not fit the 9×4"):
        trace_variant(stated, (9, 4, 1), CLASSES)


MISPLACED: list[tuple[list[Table], str]] = [
    ([{"flatten": True}, {"conv2d": 1, "kernel": 1}], "layer 2 (Conv2D): needs an image"),
    ([{"flatten": True}, {"max_pooling2d": 2}], "layer 2 (MaxPooling2D): needs an image"),
    (
        [{"flatten": True}, {"global_average_pooling2d": True}],
        "layer 2 (GlobalAveragePooling2D): needs feature maps",
    ),
    ([{"dense": 3}], "layer 1 (Dense): needs a vector, and a 8×8×1 feature map reaches it"),
    ([{"flatten": True}], "layer 1 (Flatten) is the last one and gives 64, expected 3"),
    (
        [{"flatten": True}, {"dense": 4, "activation": "softmax"}],
        "layer 2 (Dense) is the last one and gives 4, expected 3",
    ),
    (
        [{"flatten": True}, {"dense": "classes", "activation": "sigmoid"}],
        "layer 2 (Dense) is the last one and must give probabilities",
    ),
]


@pytest.mark.parametrize(("tables", "said"), MISPLACED, ids=lambda part: str(part)[:40])
def test_a_layer_in_the_wrong_place_is_refused_with_the_next_step(tables: list[Table], said: str) -> None:
    with pytest.raises(ShapeError) as refused:
        trace(variant(*tables).layers or (), (8, 8, 1), CLASSES)
    assert str(refused.value).startswith(said)
    assert len(str(refused.value).splitlines()) == 1


def test_a_softmax_may_stand_by_itself() -> None:
    tables = [{"flatten": True}, {"dense": 3}, {"activation": "softmax"}]
    assert trace_variant(variant(*tables), (8, 8, 1), CLASSES)


def test_a_network_beyond_any_memory_is_refused() -> None:
    tables = [{"flatten": True}, {"dense": 1_000_000}, {"dense": 1_000_000}]
    with pytest.raises(LabError, match="has 1,000,069,000,003 parameters, expected at most 1,000,000,000"):
        trace_variant(variant(*tables, *DENSE_END[1:]), (8, 8, 1), CLASSES)


def test_a_table_is_the_layer_that_its_key_names() -> None:
    for kind in LAYERS:
        assert layer_kind({kind: 1}) == kind
        assert layer_kind({kind: 1, "unknown": 2}) == (kind if kind != "activation" else None)
    assert layer_kind({"flatten": True, "dropout": 0.5}) is None
    assert layer_kind({"activation": "relu", "dense": 3}) == "dense"
    assert layer_kind({"units": 3}) is None
    assert layer_kind([]) is None
