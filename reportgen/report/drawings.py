"""Small drawings that teach: grids, windows and feature maps, as shapes for one SVG macro."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import log2
from typing import TYPE_CHECKING

import numpy as np

from reportgen.report.images import png_uri
from reportgen.words import tr

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL = 10  # units of a drawing's view box


@dataclass(frozen=True)
class Rect:
    """A rectangle; `kind` is its class in the style sheet."""

    x: float
    y: float
    w: float
    h: float
    kind: str
    text: str = ""


@dataclass(frozen=True)
class Drawing:
    """A drawing of rectangles and arrows, with what it shows in words."""

    width: float
    height: float
    alt: str
    rects: tuple[Rect, ...] = ()
    arrows: tuple[tuple[float, float, float], ...] = ()  # x, y, length
    images: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # uri, alt


def _grid(n: int, x: float, y: float, kind: str = "cell", numbers: list[int] | None = None) -> list[Rect]:
    texts = [str(one) for one in numbers] if numbers else [""] * n * n
    return [Rect(x + CELL * (k % n), y + CELL * (k // n), CELL, CELL, kind, texts[k]) for k in range(n * n)]


def convolution() -> Drawing:
    """Draw a 3x3 window on a 7x7 map, and the one value that it gives."""
    rects = [
        *_grid(7, 0, 0),
        Rect(20, 10, 30, 30, "window"),
        *_grid(5, 110, 10),
        Rect(130, 20, 10, 10, "hit"),
    ]
    alt = tr("A 3 by 3 window on a 7 by 7 map gives one value of a 5 by 5 map.")
    return Drawing(160, 70, alt, tuple(rects), ((78, 35, 22),))


def pooling() -> Drawing:
    """Draw 2x2 max pooling with numbers."""
    numbers = [1, 3, 0, 2, 5, 4, 1, 1, 0, 2, 7, 6, 1, 2, 3, 8]
    grid = np.array(numbers).reshape(2, 2, 2, 2).max(axis=(1, 3)).ravel().tolist()
    wide = [Rect(r.x * 1.5, r.y * 1.5, 15, 15, r.kind, r.text) for r in _grid(4, 0, 0, "cell", numbers)]
    small = [
        Rect(110 + r.x * 1.5, 15 + r.y * 1.5, 15, 15, "hit", r.text) for r in _grid(2, 0, 0, "hit", grid)
    ]
    lines = [Rect(30 * a, 30 * b, 30, 30, "outline") for a in (0, 1) for b in (0, 1)]
    values = tr(", ").join(map(str, grid))
    alt = tr("Each 2 by 2 block of a 4 by 4 map keeps its largest value: {values}.", values=values)
    return Drawing(150, 60, alt, tuple(wide + lines + small), ((74, 30, 22),))


def stride() -> Drawing:
    """Draw where a 3x3 window stops on a 7x7 map when it moves by 2, and the 3x3 result."""
    stops = [Rect(10 + 20 * a, 10 + 20 * b, 10, 10, "hit") for b in range(3) for a in range(3)]
    rects = [*_grid(7, 0, 0), Rect(0, 0, 30, 30, "window"), *stops, *_grid(3, 110, 20, "hit")]
    alt = tr("Moving by 2, a 3 by 3 window stops at 9 places of a 7 by 7 map, which gives a 3 by 3 map.")
    return Drawing(150, 70, alt, tuple(rects), ((78, 35, 22),))


def padding() -> Drawing:
    """Draw a 5x5 map with a border of zeros, which stays 5x5."""
    rects = [
        *_grid(7, 0, 0, "zero"),
        *_grid(5, 10, 10),
        Rect(0, 0, 30, 30, "window"),
        *_grid(5, 110, 10),
        Rect(110, 10, 10, 10, "hit"),
    ]
    alt = tr("With a border of zeros, the window also centres on the corner: a 5 by 5 map stays 5 by 5.")
    return Drawing(160, 70, alt, tuple(rects), ((78, 35, 22),))


def shuffle(image: NDArray[np.uint8]) -> Drawing:
    """Show a test image and the same pixels under one fixed permutation."""
    h, w, c = image.shape
    order = np.random.default_rng(0).permutation(h * w)
    mixed = image.reshape(h * w, c)[order].reshape(h, w, c)
    both = (
        (png_uri(image), tr("A test image")),
        (png_uri(mixed), tr("The same pixels in a shuffled order, in which nothing can be seen")),
    )
    return Drawing(0, 0, "", images=both)


DRAWINGS: dict[str, Callable[[], Drawing]] = {
    "convolution": convolution,
    "pooling": pooling,
    "stride": stride,
    "padding": padding,
}


@dataclass(frozen=True)
class Volume:
    """One step of a shape trace: what leaves a layer, drawn to scale.

    `sheets` are offsets of the sheets that stand for channels; sizes in pixels of 1/96 inch.
    """

    layer: str
    label: str
    width: float
    height: float
    sheets: tuple[float, ...]
    vector: bool

    @property
    def depth(self) -> float:
        """Give how far the last sheet is moved."""
        return self.sheets[-1]


LARGEST = 36  # pixels of the widest map in a trace


def volumes(shapes: list[tuple[str, tuple[int, ...]]]) -> tuple[Volume, ...]:
    """Draw the shapes (layer, output shape) to one scale."""
    maps = [shape for _, shape in shapes if len(shape) == 3]
    scale = LARGEST / max((max(shape[:2]) for shape in maps), default=1)
    return tuple(_volume(layer, shape, scale) for layer, shape in shapes)


def _volume(layer: str, shape: tuple[int, ...], scale: float) -> Volume:
    label = "×".join(map(str, shape))
    if len(shape) != 3:
        units = shape[0] if shape else 1
        return Volume(layer, label, 5, 8 + 2.8 * log2(units + 1), (0.0,), vector=True)
    height, width, channels = shape
    sheets = tuple(1.7 * n for n in range(1 + min(round(log2(channels)), 7)))
    return Volume(layer, label, max(width * scale, 2), max(height * scale, 2), sheets, vector=False)
