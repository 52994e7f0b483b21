"""Altered images that probe a trained network: objects at the border, shifted images, permuted pixels.

Only arithmetic: nothing here knows a network. PROBE_VERSION counts up with any change of what a probe's
images or their number are: every stored score is then made anew.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from reportgen.data.dataset import Dataset

PROBE_VERSION = 1
BORDER: Literal["border"] = "border"
SHIFT: Literal["shift"] = "shift"
PERMUTATION = "permutation"
ORIGINAL, PERMUTED = "original", "permuted"
MOST_IMAGES = 2000  # a probe looks at each of them many times
INK = 0.1  # of the range, away from the background
PERMUTATION_SEED = 0
# Rows and columns that one step in a direction moves an image by.
DIRECTIONS = {"left": (0, -1), "right": (0, 1), "top": (-1, 0), "bottom": (1, 0)}


@dataclass(frozen=True)
class Probe:
    """What is done to test images, and to which: at most `images` of them, drawn by `seed`.

    `pixels` is the longest way of a shift; `ink` is how far a pixel must be from the background, as a share
    of the range, to belong to what the image shows.
    """

    name: Literal["border", "shift"]
    pixels: int = 0
    images: int = MOST_IMAGES
    ink: float = INK
    seed: int = 0

    def key(self, outcome: str, dataset: str) -> str:
        """Hash all that determines a score: the training's key, the data's SHA-256, the probe."""
        stated = {"outcome": outcome, "dataset": dataset, "version": PROBE_VERSION, **asdict(self)}
        text = json.dumps(stated, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Row:
    """How many of n images a network got right at one level of a probe; pixels is None where they differ."""

    level: str
    pixels: int | None
    right: int
    n: int


@dataclass(frozen=True, eq=False)
class View:
    """All images of a probe (n, h, w, c), altered in one way; a level may have several such ways."""

    level: str
    pixels: int | None
    images: NDArray[Any]


def views(probe: Probe, images: NDArray[Any]) -> Iterator[View]:
    """Alter images (n, h, w, c) in each of a probe's ways, one way at a time."""
    if probe.name == BORDER:
        for side in DIRECTIONS:
            yield View(side, None, to_border(images, side, probe.ink))
        return
    yield View("0", 0, images)
    for pixels in range(1, longest_shift(probe.pixels, images.shape) + 1):
        for rows, columns in DIRECTIONS.values():
            yield View(str(pixels), pixels, shifted(images, rows * pixels, columns * pixels))


def longest_shift(pixels: int, shape: tuple[int, ...]) -> int:
    """Cap a shift below half of the shorter side of images (n, h, w, c)."""
    return min(pixels, (min(shape[1:3]) - 1) // 2)


def background(images: NDArray[Any]) -> NDArray[Any]:
    """Give each image's background, (n, 1, 1, c): the value that is most frequent in its outermost pixels.

    Of two that are equally frequent the lower one is taken.
    """
    rim = np.ones(images.shape[1:3], bool)
    rim[1:-1, 1:-1] = False
    outermost = np.sort(images[:, rim, :], axis=1)  # (n, rim, c)
    n, length, channels = outermost.shape
    places = np.broadcast_to(np.arange(length)[None, :, None], outermost.shape)
    fresh = np.ones(outermost.shape, bool)
    fresh[:, 1:] = outermost[:, 1:] != outermost[:, :-1]
    began = np.maximum.accumulate(np.where(fresh, places, 0), axis=1)
    last = (places - began).argmax(axis=1)  # where the longest run of equal values ends
    values: NDArray[Any] = np.take_along_axis(outermost, last[:, None, :], axis=1)
    return values.reshape(n, 1, 1, channels)


def ink(images: NDArray[Any], ground: NDArray[Any], share: float = INK) -> NDArray[np.bool_]:
    """Tell which pixels (n, h, w) are away from the background by more than a share of the range."""
    most = 255.0 if images.dtype == np.uint8 else 1.0
    away = np.abs(images.astype("float32") - ground.astype("float32"))
    found: NDArray[np.bool_] = (away > share * most).any(axis=3)
    return found


def to_border(images: NDArray[Any], side: str, share: float = INK) -> NDArray[Any]:
    """Move each image towards a side until its ink touches it; one without ink stays where it is.

    Vacated pixels take the image's own background.
    """
    ground = background(images)
    rows, columns = DIRECTIONS[side]
    found: NDArray[np.bool_] = ink(images, ground, share)
    inked: NDArray[np.bool_] = np.any(found, axis=1 if rows == 0 else 2)  # (n, side): from left or top
    from_there = inked if rows + columns < 0 else np.flip(inked, axis=1)
    free = np.where(np.any(inked, axis=1), np.argmax(from_there, axis=1), 0)
    moved = images.copy()
    for way in np.unique(free[free > 0]).tolist():
        chosen = free == way
        moved[chosen] = _filled(images[chosen], rows * way, columns * way, ground[chosen])
    return moved


def shifted(images: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """Move images down by rows and right by columns; vacated pixels take each image's own background."""
    return _filled(images, rows, columns, background(images))


def _filled(images: NDArray[Any], rows: int, columns: int, ground: NDArray[Any]) -> NDArray[Any]:
    moved: NDArray[Any] = np.broadcast_to(ground, images.shape).copy()
    moved[:, _to(rows), _to(columns)] = images[:, _to(-rows), _to(-columns)]
    return moved


def _to(way: int) -> slice:
    """Take the places that something moved by so many arrives at."""
    return slice(way, None) if way >= 0 else slice(None, way)


def subset(labels: NDArray[np.int64], most: int, seed: int = 0) -> NDArray[np.int64]:
    """Draw at most so many indices, each class by its share; sorted, the same for the same labels."""
    if len(labels) <= most:
        return np.arange(len(labels))
    rng = np.random.default_rng(seed)
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        rank[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.sort(np.argsort(rank, kind="stable")[:most])


def permuted(dataset: Dataset) -> Dataset:
    """Put the pixels of all images into one other order: what is next to what is lost, and nothing else."""
    height, width, _ = dataset.image_shape
    order = np.random.default_rng(PERMUTATION_SEED).permutation(height * width)

    def put(images: NDArray[Any]) -> NDArray[Any]:
        flat = images.reshape(len(images), height * width, -1)
        return np.ascontiguousarray(flat[:, order]).reshape(images.shape)

    return replace(dataset, x_train=put(dataset.x_train), x_test=put(dataset.x_test))
