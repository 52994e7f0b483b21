"""The lab's own words, each point beside its drawing and a fact of this run."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.analysis.facts import FACTS
from reportgen.lab import Point
from reportgen.report import drawings
from reportgen.report.document import Caption, Context
from reportgen.report.prose import ARTICLE, Block, blocks
from reportgen.text import inert
from reportgen.words import mark, tr

LONGEST_HEADING = 160
LONGEST_UNDIVIDED = 1500
CAPTIONS = {
    "shuffle": mark("An image, and its pixels shuffled."),
    "convolution": mark("A 3×3 window gives one value."),
    "pooling": mark("Max pooling, 2×2."),
    "stride": mark("A 3×3 window with stride 2."),
    "padding": mark("Same padding: zeros around the map."),
}


@dataclass(frozen=True)
class TaughtPoint:
    """One thing that the lab teaches, with a drawing and what this run's networks show of it."""

    title: str
    blocks: tuple[Block, ...]
    drawing: drawings.Drawing | None
    caption: Caption | None
    fact: str
    long: bool  # too long to be kept on one page


@dataclass(frozen=True)
class Narrative:
    """The lab's own words."""

    introduction: tuple[Block, ...]
    points: tuple[TaughtPoint, ...]


def narrative(context: Context) -> Narrative | None:
    """Set the lab's words, each point beside its drawing; None where it has none."""
    texts = context.lab.texts
    if not texts.introduction and not texts.points:
        return None
    points = tuple(_point(context, point) for point in texts.points)
    return Narrative(blocks(texts.introduction), points)


def _point(context: Context, point: Point) -> TaughtPoint:
    name = point.drawing or ""
    drawing = _shuffled(context) if name == "shuffle" else None
    if name in drawings.DRAWINGS:
        drawing = drawings.DRAWINGS[name]()
    fact = FACTS[name](context.results.layers) if name in FACTS else ""
    long = len(point.text) > LONGEST_UNDIVIDED
    title = inert(point.title, LONGEST_HEADING)
    caption = context.drawn("", tr(CAPTIONS[name])) if drawing else None
    return TaughtPoint(title, blocks(point.text, ARTICLE), drawing, caption, fact, long)


def _shuffled(context: Context) -> drawings.Drawing | None:
    images = context.results.images
    return drawings.shuffle(images[min(images)]) if images else None
