"""Padding, receptive fields and memory that are worked out here are what Keras does to an image."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from reportgen.arithmetic import Along, Field, fields, memory, same_padding, steps
from reportgen.lab import Variant, trace_variant
from reportgen.layers import AnyLayer, Layer, ShapeError

Table = dict[str, Any]
LAYER: TypeAdapter[tuple[Layer, ...]] = TypeAdapter(tuple[AnyLayer, ...])
END: list[Table] = [{"flatten": True}, {"dense": "classes", "activation": "softmax"}]
KERNELS = (1, 2, 3, 4, 5)
STRIDES = (1, 2, 3)
PADDINGS = ("valid", "same")


def layers(*tables: Table) -> tuple[Layer, ...]:
    return LAYER.validate_python(tables)


def keras_layer(layer: Layer) -> Any:
    from reportgen.training.models import KERAS

    return KERAS[type(layer)](layer)


# --- beside Keras: sizes and parameters ----------------------------------------------------------


def grid() -> list[Table]:
    """List windows of every kind, kernel, stride and padding."""
    windows = product(KERNELS, STRIDES, PADDINGS)
    made: list[Table] = []
    for kernel, strides, padding in windows:
        common = {"strides": strides, "padding": padding}
        made += [
            {"conv2d": 3, "kernel": kernel, **common},
            {"depthwise_conv2d": 2, "kernel": kernel, **common},
            {"separable_conv2d": 3, "kernel": kernel, "use_bias": False, **common},
            {"max_pooling2d": kernel, **common},
            {"average_pooling2d": kernel, **common},
        ]
    return made


def test_sizes_and_parameters_are_those_of_keras_over_a_grid() -> None:
    counted: dict[tuple[type[Layer], Any], int] = {}
    for table in grid():
        [layer] = layers(table)
        theirs = keras_layer(layer)
        for image in ((9, 12, 2), (10, 11, 2)):
            shape = theirs.compute_output_shape((None, *image))
            assert layer.output_shape(image) == tuple(shape[1:]), (table, image)
        of = type(layer), layer.window()[0]  # type: ignore[attr-defined]
        if of not in counted:  # to make weights takes a while, and strides and padding have none
            theirs.build((None, 9, 12, 2))
            counted[of] = theirs.count_params()
        assert layer.params((9, 12, 2)) == counted[of], table


# --- by experiment: which pixels change which output ---------------------------------------------


def reached(tables: list[Table], n: int) -> np.ndarray:
    """Tell which pixels of a row of `n` change which outputs of Keras' layers: (pixels, outputs) bool.

    Each image has a single one in it. All weights are ones, so that nothing cancels out.
    """
    images = np.eye(n, dtype="float32").reshape(n, 1, n, 1)
    for layer in layers(*tables):
        made = keras_layer(layer)
        made.build(images.shape)
        made.set_weights([np.ones_like(one) for one in made.get_weights()])
        blank = np.asarray(made(np.zeros_like(images[:1])))
        images = (np.asarray(made(images)) != blank).astype("float32")[..., :1]
    return images[:, 0, :, 0] > 0


def row_of(table: Table) -> Table:
    """Make a window that looks along a row of pixels."""
    turned = dict(table)
    for key in ("kernel", "strides", "max_pooling2d", "average_pooling2d"):
        if key in turned:
            turned[key] = [1, turned[key]]
    return turned


@pytest.mark.parametrize("padding", PADDINGS)
def test_zeros_stand_where_keras_puts_them(padding: str) -> None:
    for n, kernel, stride in product((7, 8), (1, 2, 3, 4, 5), STRIDES):
        window = Along(n, kernel, stride, padding)
        seen = reached(
            [
                row_of(
                    {"conv2d": 1, "kernel": kernel, "strides": stride, "padding": padding, "use_bias": False}
                )
            ],
            n,
        )
        assert seen.shape == (n, window.out)
        before, _ = window.zeros
        for place in range(window.out):
            start = place * stride - before
            expected = [max(start, 0), min(start + kernel, n) - 1]
            assert [int(seen[:, place].argmax()), n - 1 - int(seen[::-1, place].argmax())] == expected
            assert seen[:, place].sum() == expected[1] - expected[0] + 1
        assert n - 1 - np.flatnonzero(seen.any(axis=1))[-1] == window.unseen


STACKS: list[list[Table]] = [
    [{"conv2d": 1, "kernel": 3}],
    [{"conv2d": 1, "kernel": 3, "padding": "same"}, {"max_pooling2d": 2}, {"conv2d": 1, "kernel": 3}],
    [{"conv2d": 1, "kernel": 3, "strides": 2}, {"average_pooling2d": 2}, {"conv2d": 1, "kernel": 5}],
    [{"conv2d": 1, "kernel": 5, "strides": 3, "padding": "same"}, {"max_pooling2d": 3, "strides": 2}],
    [{"separable_conv2d": 1, "kernel": 3}, {"depthwise_conv2d": 1, "kernel": 3, "strides": 2}] * 2,
    [{"conv2d": 1, "kernel": 3, "padding": "same"}] * 6,
]


@pytest.mark.parametrize("stack", STACKS, ids=len)
def test_one_value_changes_with_the_pixels_of_its_receptive_field_and_no_others(stack: list[Table]) -> None:
    seen = reached([row_of(table) for table in stack], 61)
    field = fields(layers(*stack))[-1]
    middle = seen.shape[1] // 2
    assert seen[:, middle].sum() == field.size[1]
    first, last = np.flatnonzero(seen[:, middle])[[0, -1]]
    assert last - first + 1 == field.size[1], "they lie side by side"
    following = np.flatnonzero(seen[:, middle + 1])
    assert following[0] - first == field.jump[1]


def test_a_field_is_counted_in_each_direction() -> None:
    found = fields(layers({"conv2d": 1, "kernel": [3, 5], "strides": [1, 2]}, {"max_pooling2d": [2, 3]}))
    assert [(one.size, one.jump) for one in found] == [((3, 5), (1, 2)), ((4, 9), (2, 6))]


def test_a_layer_of_no_window_leaves_the_field_and_a_dense_one_sees_everything() -> None:
    found = fields(
        layers(
            {"conv2d": 1, "kernel": 3},
            {"batch_normalization": True},
            {"dropout": 0.5},
            {"flatten": True},
            {"dense": 3},
            {"activation": "softmax"},
        )
    )
    assert [one.size for one in found] == [(3, 3)] * 6
    assert [one.whole for one in found] == [False] * 4 + [True] * 2
    assert fields(layers({"global_average_pooling2d": True})) == [Field(whole=True)]


# --- arithmetic by itself ------------------------------------------------------------------------

SIZES = st.integers(1, 200)
SMALL = st.integers(1, 12)


@given(SIZES, SMALL, SMALL)
def test_padding_is_just_what_the_last_window_lacks(n: int, kernel: int, stride: int) -> None:
    before, after = same_padding(n, kernel, stride)
    assert 0 <= after - before <= 1
    window = Along(n, kernel, stride, "same")
    end = (window.out - 1) * stride + kernel
    assert before + n + after == max(end, n)


@given(SIZES, SMALL, SMALL)
def test_valid_leaves_less_than_a_step_unseen(n: int, kernel: int, stride: int) -> None:
    window = Along(n, kernel, stride, "valid")
    if window.out >= 1:
        assert 0 <= window.unseen < stride
        assert window.zeros == (0, 0)


@given(st.lists(st.tuples(SMALL, SMALL, st.booleans()), min_size=1, max_size=6))
def test_a_field_holds_the_pixels_between_the_first_and_the_last(
    windows: list[tuple[int, int, bool]],
) -> None:
    stack = layers(
        *(
            {"max_pooling2d": k, "strides": s} if pools else {"conv2d": 1, "kernel": k, "strides": s}
            for k, s, pools in windows
        )
    )
    # From the top: what so many values beside each other were made from.
    values = 1
    for k, s, _ in reversed(windows):
        values = (values - 1) * s + k
    assert fields(stack)[-1].size == (values, values)


def test_memory_is_counted_in_bytes_and_parameters_stay_float32() -> None:
    stated = Variant(name="a", layers=layers({"conv2d": 4, "kernel": 3}, *END))
    rows = trace_variant(stated, (8, 8, 1), 3)
    assert [memory(row).activations for row in rows] == [4 * 36 * 4, 4 * 144, 4 * 3]
    assert [memory(row, "bfloat16").activations for row in rows] == [2 * 36 * 4, 2 * 144, 2 * 3]
    assert [memory(row, "bfloat16").parameters for row in rows] == [4 * 40, 0, 4 * 145 * 3]


def test_steps_say_what_reaches_and_what_leaves_each_layer() -> None:
    stated = Variant(name="a", layers=layers({"conv2d": 4, "kernel": 3}, *END))
    found = steps(trace_variant(stated, (8, 8, 1), 3), (8, 8, 1))
    assert [one.shape for one in found] == [(8, 8, 1), (6, 6, 4), (144,)]
    assert [one.is_view for one in found] == [False, True, False]
    assert found[0].field.size == (3, 3)


def test_what_has_no_room_is_still_refused_by_the_layer() -> None:
    with pytest.raises(ShapeError):
        layers({"conv2d": 1, "kernel": 5})[0].output_shape((4, 4, 1))
