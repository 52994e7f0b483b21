"""One test image with what was said of it: what all galleries are made of."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any

from reportgen.report.images import png_uri
from reportgen.results import GALLERY_SIZE
from reportgen.text import PERCENT, decimal, inert, number_word, percent
from reportgen.words import tr, trc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

ALL = "*"  # in the place of a variant: what is shown is of all of them
MARKUP = 420  # bytes of a tile beside its picture, on average
ROOM_FOR_MISTAKES = 2_500_000  # bytes
CLASS_NAME = 24  # characters of a class's name under an image


@dataclass(frozen=True)
class Extent:
    """How much of the galleries a report has room for.

    `tiles` stand in each, and `mistakes` bytes of them in the HTML's cells; `limit` is the size that the
    report was to have, 0 for any.
    """

    tiles: int = GALLERY_SIZE
    mistakes: int = ROOM_FOR_MISTAKES
    limit: int = 0


@dataclass(frozen=True)
class Tile:
    """One image of a gallery; `lines` stand beneath it, each with a class of the style sheet.

    `variant` is the network whose prediction and confidence these are, or ALL.
    """

    uri: str
    alt: str
    variant: str
    label: int
    predicted: int
    index: int
    confidence: float
    lines: tuple[tuple[str, str], ...]


class Pictures:
    """The images that a run has kept, as data URIs; each is made once."""

    def __init__(self, images: dict[int, NDArray[np.uint8]], classes: Sequence[str]) -> None:
        self._images, self._classes = images, classes
        self._uris: dict[int, str] = {}

    def __contains__(self, index: int) -> bool:
        return index in self._images

    def uri(self, index: int) -> str:
        """Give an image as a data URI."""
        if index not in self._uris:
            self._uris[index] = png_uri(self._images[index])
        return self._uris[index]

    def name(self, label: int) -> str:
        """Give a class's name, short enough to stand under an image."""
        return inert(self._classes[label], CLASS_NAME)

    def tile(self, row: dict[str, Any], variant: str) -> Tile:
        """Show what one network said of an image."""
        name = self.name(row["predicted"])
        share = sureness(row["confidence"])
        said = tr("predicted {label} with probability {share}", label=name, share=share)
        return self._tile(row, variant, said, [("pred", tr("Pred: {label}", label=name))])

    def against(self, row: dict[str, Any], variant: str, base: str) -> Tile:
        """Show what the baseline and another network said of an image."""
        words = {
            base: (row["base_predicted"], row["base_confidence"]),
            variant: (row["predicted"], row["confidence"]),
        }
        both = [(name, self.name(label), sureness(share)) for name, (label, share) in words.items()]
        said = trc("clauses", ", ").join(
            tr("{variant} says {label} with probability {share}", variant=name, label=label, share=share)
            for name, label, share in both
        )
        kinds = ("base hit", "pred miss") if row["base_right"] else ("base miss", "pred hit")
        (_, theirs, base_share), (_, mine, share) = both
        lines = [
            (kinds[0], tr("Base: {label} ({share})", label=theirs, share=base_share)),
            (kinds[1], tr("Pred: {label} ({share})", label=mine, share=share)),
        ]
        return self._tile(row, variant, said, lines, detail=_number(row))

    def of_all(self, row: dict[str, Any], variants: int) -> Tile:
        """Show an image with what most networks say of it; the confidence is the mean of all."""
        name = self.name(row["predicted"])
        lines = [("pred", tr("Pred: {label}", label=name)), ("detail", _voices(row, variants))]
        said = tr(
            "predicted {label} by {votes} of {n} networks, with probability {share} on average",
            label=name,
            votes=row["votes"],
            n=variants,
            share=sureness(row["confidence"]),
        )
        return self._tile(row, ALL, said, lines)

    def example(self, row: dict[str, Any], variants: int) -> Tile:
        """Show an image of a confused pair: the surest prediction, and how many networks make it."""
        name = self.name(row["predicted"])
        said = tr(
            "predicted {label} by {votes} of {n} networks, with probability up to {share}",
            label=name,
            votes=row["votes"],
            n=variants,
            share=sureness(row["confidence"]),
        )
        detail = f"{sureness(row['confidence'])} · {_number(row)}"
        lines = [("pred", tr("Pred: {label}", label=name))]
        lines += [("detail", _voices(row, variants))] if variants > 1 else []
        return self._tile(row, row["variant"], said, lines, detail)

    def _tile(
        self,
        row: dict[str, Any],
        variant: str,
        said: str,
        lines: Sequence[tuple[str, str]],
        detail: str = "",
    ) -> Tile:
        label, index = int(row["label"]), int(row["index"])
        name = self.name(label)
        detail = detail or f"{sureness(row['confidence'])} · {_number(row)}"
        return Tile(
            uri=self.uri(index),
            alt=tr("Test image {index}, true class {label}, {said}", index=index, label=name, said=said),
            variant=variant,
            label=label,
            predicted=int(row["predicted"]),
            index=index,
            confidence=round(float(row["confidence"]), 4),
            lines=(("true", tr("True: {label}", label=name)), *lines, ("detail", detail)),
        )


def _voices(row: dict[str, Any], variants: int) -> str:
    return tr("{votes} of {n}", votes=row["votes"], n=variants)


def _number(row: dict[str, Any]) -> str:
    return f"#{row['index']}"


def sureness(share: float) -> str:
    """Write a probability as a percentage; what is not quite 1 never becomes 100 %."""
    if share < 0.995:
        return f"{percent(share, 0)}{PERCENT}"
    return f"100{PERCENT}" if share >= 1 else f"{decimal(min(floor(1000 * share) / 10, 99.9), 1)}{PERCENT}"


@dataclass(frozen=True)
class Panel:
    """A small gallery with a title: `kind` is a class of the style sheet; `note` says what is not there."""

    kind: str
    title: str
    tiles: tuple[Tile, ...]
    note: str = ""


def not_kept(missing: int, of: int) -> str:
    """Say that a run has no pictures of some images; empty where it has all."""
    if not missing:
        return ""
    if missing == of:
        return tr("This run kept no picture of these images.")
    return tr(
        "This run kept no picture of {missing} of these {images} images.",
        missing=number_word(missing),
        images=number_word(of),
    )


def that_fit(rows: pd.DataFrame, pictures: Pictures, room: int) -> pd.DataFrame:
    """Take rows from the beginning, of those whose picture there is, until `room` bytes of tiles are full."""
    known = rows[rows["index"].map(pictures.__contains__).astype(bool)]
    used = 0
    for n, index in enumerate(known["index"]):
        used += MARKUP + len(pictures.uri(index))
        if used > room:
            return known.head(n)
    return known
