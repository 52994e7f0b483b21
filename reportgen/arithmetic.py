"""The arithmetic of windows beyond shapes: padding, receptive fields and memory, without TensorFlow.

Shapes, parameters and multiply-adds are those of `layers`. A receptive field is counted as in Araujo, Norris
and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019: r grows by (k - 1)
times the jump, the jump by a factor of s.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING

from reportgen.layers import (
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Layer,
    Shape,
    Windowed,
    window_size,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportgen.layers import TracedLayer

FLOAT32 = 4  # bytes of a value
BYTES = {"float32": FLOAT32, "bfloat16": 2}  # of a value that a layer computes
Pair = tuple[int, int]


def same_padding(n: int, kernel: int, stride: int) -> Pair:
    """Give the zeros that `same` padding sets before and after `n` pixels; an odd one stands after them.

    https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
    """
    total = max((window_size(n, kernel, stride, "same") - 1) * stride + kernel - n, 0)
    return total // 2, total - total // 2


@dataclass(frozen=True)
class Along:
    """A window along one direction: `n` pixels in, `out` out, with zeros before and after them."""

    n: int
    kernel: int
    stride: int
    padding: str

    @property
    def out(self) -> int:
        """Count the positions of the window."""
        return window_size(self.n, self.kernel, self.stride, self.padding)

    @property
    def zeros(self) -> Pair:
        """Give the zeros before and after the pixels."""
        return same_padding(self.n, self.kernel, self.stride) if self.padding == "same" else (0, 0)

    @property
    def unseen(self) -> int:
        """Count the pixels at the far end that no position of the window reaches."""
        return max(self.n - ((self.out - 1) * self.stride + self.kernel), 0)


def along(layer: Windowed, shape: Shape) -> tuple[Along, Along]:
    """Look at a layer's window along the height and the width of the map that reaches it."""
    kernel, strides, padding = layer.window()
    high, wide = (Along(n, k, s, padding) for n, k, s in zip(shape[:2], kernel, strides, strict=True))
    return high, wide


@dataclass(frozen=True)
class Field:
    """What one value sees of the image: `size` pixels in each direction, next to its neighbour's by `jump`.

    Both are (height, width); `whole` says that every value sees the whole image.
    """

    size: Pair = (1, 1)
    jump: Pair = (1, 1)
    whole: bool = False

    def after(self, layer: Layer) -> Field:
        """Give what one value sees after a layer."""
        if self.whole or isinstance(layer, Dense | GlobalAveragePooling2D):
            return Field(self.size, self.jump, whole=True)
        if not isinstance(layer, Windowed):
            return self
        kernel, strides, _ = layer.window()
        size = [r + (k - 1) * j for r, k, j in zip(self.size, kernel, self.jump, strict=True)]
        jump = [j * s for j, s in zip(self.jump, strides, strict=True)]
        return Field((size[0], size[1]), (jump[0], jump[1]))


def fields(layers: Sequence[Layer]) -> list[Field]:
    """Give what one value sees after each layer, not counting what the image's border cuts off.

    A dense layer and global average pooling mix all places: whatever comes after sees the whole image.
    """
    return list(accumulate(layers, Field.after, initial=Field()))[1:]


@dataclass(frozen=True)
class Memory:
    """What one image's forward pass and the parameters take, in bytes."""

    activations: int
    parameters: int


def memory(row: TracedLayer, precision: str = "float32") -> Memory:
    """Count the bytes of what a layer gives for one image, and of its parameters.

    Parameters are always kept as float32; what a layer computes is in the protocol's precision.
    """
    return Memory(prod(row.output_shape) * BYTES[precision], row.params * FLOAT32)


@dataclass(frozen=True)
class Step:
    """One layer of a network with all that can be worked out of it; `shape` is what reaches it."""

    shape: Shape
    row: TracedLayer
    field: Field
    memory: Memory

    @property
    def layer(self) -> Layer:
        """Give the layer itself."""
        return self.row.layer

    @property
    def is_view(self) -> bool:
        """Tell whether the layer only lays out anew what reaches it, without a value of its own."""
        return isinstance(self.layer, Flatten)


def steps(rows: Sequence[TracedLayer], image: Shape, precision: str = "float32") -> list[Step]:
    """Work out a traced network layer by layer; `image` is (h, w, c)."""
    shapes = [image, *(row.output_shape for row in rows)]
    seen = fields([row.layer for row in rows])
    return [
        Step(shape, row, field, memory(row, precision))
        for shape, row, field in zip(shapes, rows, seen, strict=False)
    ]
