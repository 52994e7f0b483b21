"""Stacks of layers that a lab does not have, made from those that it has: no other page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from reportgen.arithmetic import Step, steps
from reportgen.layers import (
    AveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    MaxPooling2D,
    Shape,
    ShapeError,
    TracedLayer,
    Windowed,
    setting_text,
    times,
)
from reportgen.words import tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reportgen.lab import Lab, Variant
    from reportgen.teaching.drawing_lots import Lots

Window = Conv2D | MaxPooling2D | AveragePooling2D
FLATTEN = Flatten(flatten=True)
WINDOWS = 3  # in a stack: as many in every sheet, so that none is harder than another
TRIES = 200
# Of the first convolution, which moves by more than one: its kernel and stride, and the others' kernel.
GEOMETRIES = tuple(product((3, 4, 5, 6, 7), (2, 3), (2, 3, 4, 5)))
FILTERS = (4, 6, 8, 10, 12, 16, 20, 24)
IMAGES = (30, 31, 33, 35, 36, 37, 39, 41, 42, 43, 45, 47, 49, 50, 51)
CHANNELS = (1, 3)
PADDINGS = ("valid", "same")
# Of dense networks: the image's side, and the units of two layers.
DENSE = tuple(product((11, 12, 14, 15, 18, 20), ((48, 24), (56, 40), (72, 36), (96, 44), (112, 54))))
PLAIN: tuple[Window, ...] = (
    Conv2D(conv2d=16, kernel=(3, 3)),
    MaxPooling2D(max_pooling2d=(2, 2)),
    Conv2D(conv2d=32, kernel=(3, 3)),
)


@dataclass(frozen=True)
class Stack:
    """Layers, the images that reach them, and the variant that they were made from ("" for none)."""

    like: str
    image: tuple[int, int, int]
    layers: tuple[Layer, ...]

    @property
    def steps(self) -> list[Step]:
        """Work the stack out layer by layer; raises ShapeError where it cannot be built."""
        rows: list[TracedLayer] = []
        shape: Shape = self.image
        for layer in self.layers:
            out = layer.output_shape(shape)
            rows.append(TracedLayer(layer, out, layer.params(shape), layer.multiply_adds(shape)))
            shape = out
        return steps(rows, self.image)


def windows_of(variant: Variant) -> tuple[Window, ...]:
    """Give the first convolutions and poolings of a variant, each with square windows."""
    found = [layer for layer in variant.layers or () if isinstance(layer, Window)]
    return tuple(_square(layer) for layer in found[:WINDOWS])


def _square(layer: Window) -> Window:
    """Let height and width be alike, so that one line of arithmetic does for both."""
    kernel, strides, _ = layer.window()
    name = {Conv2D: "kernel", MaxPooling2D: "max_pooling2d", AveragePooling2D: "average_pooling2d"}[
        type(layer)
    ]
    update: dict[str, Any] = {name: (kernel[0], kernel[0])}
    if isinstance(layer, Conv2D) or layer.strides is not None:
        update["strides"] = (strides[0], strides[0])
    return layer.model_copy(update=update)


def models(lab: Lab) -> list[tuple[str, tuple[Window, ...]]]:
    """List what stacks are made from: the variants with most windows, or plain layers where there is none.

    A sheet is no harder for being made from another variant: all have WINDOWS windows, the last of them a
    convolution where a variant has fewer.
    """
    found = [(one.name, windows) for one in lab.variants if _has_convolution(windows := windows_of(one))]
    most = max((len(windows) for _, windows in found), default=0)
    chosen = [one for one in found if len(one[1]) == most] if most > 1 else [("", PLAIN)]
    return [(name, (*windows, *[PLAIN[2]] * (WINDOWS - len(windows)))) for name, windows in chosen]


def _has_convolution(windows: Iterable[Window]) -> bool:
    return any(isinstance(one, Conv2D) for one in windows)


def altered(lots: Lots, lab: Lab, ending: Sequence[Layer] = (), smallest: int = 2) -> Stack:
    """Make a stack like one of a lab's that can be built: other images, kernels, paddings, filters.

    Its last map has at least `smallest` pixels in each direction.
    """
    for attempt in range(TRIES):
        like, windows = lots.one(models(lab))
        first, strides, others = lots.in_turn(GEOMETRIES, attempt)
        if first == next(one.kernel[0] for one in windows if isinstance(one, Conv2D)):
            continue
        changed = _changed(lots, windows, (first, strides, others))
        stack = Stack(like, _image(lots), (*changed, *ending))
        if _fits(stack, smallest) and not _known(stack, lab):
            return stack
    return Stack("", (33, 33, 3), (*PLAIN, *ending))


def only_dense(lab: Lab) -> bool:
    """Tell whether no network of a lab has a window: its sheets ask of dense layers alone."""
    stated = [one.layers for one in lab.variants if one.layers]
    return bool(stated) and not any(isinstance(layer, Windowed) for layers in stated for layer in layers)


def dense(lots: Lots, lab: Lab, ending: Sequence[Layer] = ()) -> Stack:
    """Make a stack of dense layers like one of a lab's, for other images and with other units."""
    like = lots.one([one.name for one in lab.variants if one.layers])
    side, (first, second) = lots.in_turn(DENSE)
    layers = (FLATTEN, *(Dense(dense=units, activation="relu") for units in (first, second)))
    return Stack(like, (side, side, lots.one(CHANNELS)), (*layers, *ending))


def flattened(lots: Lots, lab: Lab, ending: Sequence[Layer] = ()) -> Stack:
    """Make a stack like one of a lab's that ends in a vector: of dense layers where the lab has no other."""
    return dense(lots, lab, ending) if only_dense(lab) else altered(lots, lab, [FLATTEN, *ending])


def _image(lots: Lots) -> tuple[int, int, int]:
    side = lots.one(IMAGES)
    return side, side, lots.one(CHANNELS)


def _changed(lots: Lots, windows: Sequence[Window], geometry: tuple[int, int, int]) -> list[Window]:
    """Change all convolutions' filters, kernels and paddings; the first moves by more than one."""
    first, strides, others = geometry
    convolutions = [n for n, one in enumerate(windows) if isinstance(one, Conv2D)]
    moved, padding = convolutions[0], lots.one(PADDINGS)
    paddings = {True: padding, False: lots.other(PADDINGS, padding)}  # both, in every sheet
    window = {True: (first, strides), False: (others, 1)}
    return [
        _convolution(lots, one, *window[n == moved], paddings[n == moved]) if isinstance(one, Conv2D) else one
        for n, one in enumerate(windows)
    ]


def _convolution(lots: Lots, layer: Conv2D, kernel: int, strides: int, padding: str) -> Conv2D:
    update = {"kernel": (kernel, kernel), "strides": (strides, strides), "padding": padding}
    return layer.model_copy(update={**update, "conv2d": lots.other(FILTERS, layer.conv2d)})


def _fits(stack: Stack, smallest: int) -> bool:
    try:
        maps = [step.row.output_shape for step in stack.steps if len(step.row.output_shape) == 3]
    except ShapeError:
        return False
    return min(maps[-1][:2]) >= smallest


def _known(stack: Stack, lab: Lab) -> bool:
    """Tell whether a lab has a network that begins with the same windows."""
    mine = _geometry(stack.layers)
    return any(_geometry(one.layers or ())[: len(mine)] == mine for one in lab.variants)


def _geometry(layers: Iterable[Layer]) -> list[Any]:
    return [layer.window()[:2] for layer in layers if isinstance(layer, Window)]


def rows(layers: Sequence[Layer]) -> list[tuple[str, str]]:
    """Name each layer with its settings, units and filters included."""
    return [(layer.keras_name, _setting(layer)) for layer in layers]


def _setting(layer: Layer) -> str:
    if isinstance(layer, Conv2D):
        filters = trn("{n} filter", "{n} filters", layer.conv2d, n=layer.conv2d)
        return tr(", ").join((filters, setting_text(layer.setting())))
    if isinstance(layer, Dense):
        units = trn("{n} unit", "{n} units", int(layer.dense), n=layer.dense)
        return tr(", ").join(filter(None, (units, setting_text(layer.setting()))))
    return setting_text(layer.setting())


def image_text(image: Shape) -> str:
    """Write an image's shape."""
    return times(image)
