"""Hits and mistakes: the first of each variant, as the lab notebook shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reportgen.report.document import Caption, Context
from reportgen.report.images import png_uri
from reportgen.results import gallery
from reportgen.text import number_word


@dataclass(frozen=True)
class Tile:
    """One image of a gallery."""

    uri: str
    true: str
    predicted: str
    confidence: str
    index: int

    @property
    def alt(self) -> str:
        """Say what the picture is of."""
        return f"Test image {self.index}, true class {self.true}, predicted {self.predicted}"


@dataclass(frozen=True)
class Gallery:
    """The first hits or mistakes of one variant."""

    correct: bool
    tiles: tuple[Tile, ...]
    caption: Caption
    missing: str


@dataclass(frozen=True)
class VariantGalleries:
    """One variant's galleries."""

    variant: str
    baseline: bool
    galleries: tuple[Gallery, ...]


@dataclass(frozen=True)
class Galleries:
    """All galleries."""

    variants: tuple[VariantGalleries, ...]
    missing: str


def galleries(context: Context) -> Galleries:
    """Show the first hits and mistakes of each variant, as the lab notebook does."""
    shown = context.shown()
    base = next((v.name for v in context.lab.variants if v.baseline), None)
    made = tuple(
        VariantGalleries(
            name,
            name == base,
            tuple(_gallery(context, name, seed, correct) for correct in (True, False)),
        )
        for name, seed in shown
    )
    return Galleries(made, context.without_predictions([name for name, _ in shown]))


def _gallery(context: Context, variant: str, seed: int, correct: bool) -> Gallery:
    frame = context.results.predictions
    chosen = gallery(frame[(frame["variant"] == variant) & (frame["seed"] == seed)], correct)
    tiles = tuple(_tile(context, row) for row in chosen.to_dict("records"))
    kind = "right" if correct else "wrong"
    many = f"first {number_word(len(tiles))}" if len(tiles) > 1 else "only one"
    name = f"{variant} (seed {seed})" if context.protocol.seeds > 1 else variant
    text = f"The {many} of the test set that {name} gets {kind}, with probability and index."
    missing = "" if tiles else f"{variant} gets no image of the test set {kind}."
    lead = "Correct!" if correct else "Incorrect!"
    return Gallery(correct, tiles, context.drawn(lead, missing or text), missing)


def _tile(context: Context, row: dict[str, Any]) -> Tile:
    return Tile(
        uri=png_uri(context.results.images[row["index"]]),
        true=context.class_name(row["label"]),
        predicted=context.class_name(row["predicted"]),
        confidence=f"{100 * row['confidence']:.0f} %",
        index=row["index"],
    )
