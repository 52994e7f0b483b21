"""Stacks with one mistake, which cannot be built; what is wrong is what the lab's own check says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reportgen.layers import Conv2D, Dense, Layer, ShapeError, times, trace
from reportgen.teaching.stacks import FLATTEN, Stack, altered, dense, only_dense
from reportgen.words import tr

if TYPE_CHECKING:
    from reportgen.lab import Lab
    from reportgen.teaching.drawing_lots import Lots

CLASSES = (5, 6, 8, 12, 15)
FILTERS = (8, 12, 16, 24)
SMALL = (11, 12, 13, 14, 15, 16, 17)
TRIES = 200
KERNELS = (3, 5, 7)


@dataclass(frozen=True)
class Wrong:
    """A stack that cannot be built, for a number of classes: why, and how it is mended."""

    stack: Stack
    classes: int
    said: str
    mended: str


def _softmax(units: int) -> Dense:
    return Dense(dense=units, activation="softmax")


def _wrong(stack: Stack, classes: int, mended: str) -> Wrong:
    """Have the lab's check say what is wrong, without its advice to a lab's author."""
    try:
        trace(stack.layers, stack.image, classes)
    except ShapeError as error:
        said = tr("{sentence}.", sentence=error.why[0].upper() + error.why[1:])
        return Wrong(stack, classes, said, mended)
    raise AssertionError(f"meant to be wrong: {stack.layers}")


def two(lots: Lots, lab: Lab) -> tuple[Wrong, Wrong]:
    """Make two stacks: one of which a window does not fit, if the lab has windows, and one other."""
    if only_dense(lab):
        return two_of_dense(lots, lab)
    return too_large(lots, lab), misplaced(lots, lab)


def two_of_dense(lots: Lots, lab: Lab) -> tuple[Wrong, Wrong]:
    """Make two stacks of dense layers: one that lacks its Flatten, and one for another number of classes."""
    first, second = dense(lots, lab), dense(lots, lab)
    classes, others = lots.one(CLASSES), lots.one(CLASSES)
    units = lots.other((others - 1, others + 1, 2 * others), others)
    flattened = tr("A Flatten layer belongs before the first dense layer.")
    mended = tr("The last dense layer needs {n} units.", n=others)
    return (
        _wrong(replace(first, layers=(*first.layers[1:], _softmax(classes))), classes, flattened),
        _wrong(replace(second, layers=(*second.layers, _softmax(units))), others, mended),
    )


def too_large(lots: Lots, lab: Lab) -> Wrong:
    """Make a stack of which one window is larger than the map that reaches it."""
    classes = lots.one(CLASSES)
    for _ in range(TRIES):
        found = altered(lots, lab, smallest=1)
        side = lots.one(SMALL)
        small = replace(found, image=(side, side, found.image[2]))
        shape = _end(small)
        if shape is None or min(shape[:2]) < 2:
            continue
        larger = [k for k in KERNELS if k > shape[0]]
        if larger:
            break
    else:
        small = Stack("", (9, 9, 1), (Conv2D(conv2d=8, kernel=(3, 3), strides=(2, 2)),))
        shape, larger = (4, 4, 8), [5]
    last = Conv2D(conv2d=lots.one(FILTERS), kernel=(larger[0], larger[0]), activation="relu")
    stack = replace(small, layers=(*small.layers, last, FLATTEN, _softmax(classes)))
    mended = tr(
        "With same padding, or a kernel of at most {kernel}, it can be built.", kernel=times(shape[:2])
    )
    return _wrong(stack, classes, mended)


def _end(stack: Stack) -> tuple[int, ...] | None:
    try:
        return stack.steps[-1].row.output_shape
    except ShapeError:
        return None


def misplaced(lots: Lots, lab: Lab) -> Wrong:
    """Make a stack of which one layer is out of its place, missing or of the wrong size."""
    return lots.in_turn((_no_flatten, _late_convolution, _wrong_ending))(lots, lab)


def _no_flatten(lots: Lots, lab: Lab) -> Wrong:
    classes, stack = lots.one(CLASSES), altered(lots, lab)
    layers: tuple[Layer, ...] = (*stack.layers, Dense(dense=64, activation="relu"), _softmax(classes))
    mended = tr("A Flatten layer belongs before the first dense layer.")
    return _wrong(replace(stack, layers=layers), classes, mended)


def _late_convolution(lots: Lots, lab: Lab) -> Wrong:
    classes, stack = lots.one(CLASSES), altered(lots, lab)
    late = Conv2D(conv2d=lots.one(FILTERS), kernel=(3, 3), activation="relu")
    layers: tuple[Layer, ...] = (*stack.layers, FLATTEN, late, _softmax(classes))
    mended = tr("The convolution belongs before the Flatten layer, where there still is a map.")
    return _wrong(replace(stack, layers=layers), classes, mended)


def _wrong_ending(lots: Lots, lab: Lab) -> Wrong:
    classes, stack = lots.one(CLASSES), altered(lots, lab)
    units = lots.other((classes - 1, classes + 1, 2 * classes), classes)
    layers: tuple[Layer, ...] = (*stack.layers, FLATTEN, Dense(dense=64, activation="relu"), _softmax(units))
    mended = tr("The last dense layer needs {n} units.", n=classes)
    return _wrong(replace(stack, layers=layers), classes, mended)
