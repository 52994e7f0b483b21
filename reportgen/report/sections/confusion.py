"""What the networks confuse: a matrix for each variant."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reportgen.analysis.scores import most_confused
from reportgen.report import look
from reportgen.report.document import Context, Figure
from reportgen.report.studio import Order
from reportgen.text import count, inert, listing, percent

MATRICES_IN_PAIRS = 4  # more of them stand three in a row
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Confusions:
    """A confusion matrix for each variant."""

    intro: str
    figures: tuple[Figure, ...]
    missing: str


def confusion(context: Context) -> Confusions:
    """Draw each variant's confusion, all on one colour scale."""
    shown = context.shown()
    missing = context.without_predictions([name for name, _ in shown])
    if not shown:
        return Confusions("", (), missing)
    darkest = _darkest(context, shown)
    numbers = ", numbers are counts" if len(context.dataset.classes) <= look.CLASSES_COUNTED else ""
    intro = (
        f"Rows are true classes, columns predictions{numbers}. Colour shows what share of its row a mistake "
        f"is, up to {percent(darkest, 0)} % in all matrices alike; the diagonal is left grey, so that "
        "mistakes, not hits, catch the eye."
    )
    names = _axis_names(context)
    if names != context.dataset.classes:
        key = listing([f"{n} {context.class_name(n)}" for n in range(len(names))], most=len(names))
        intro += f" The numbers on the axes stand for the classes: {key}."
    if context.protocol.seeds > 1:
        intro += " Shown is one training of each variant, its first finished seed."
    width = _width(context, len(shown))
    figures = tuple(_matrix(context, *one, darkest, width) for one in shown)
    return Confusions(intro, figures, missing)


def order_ahead(context: Context) -> None:
    """Order the matrices of the variants that are finished, as they will be if the others do well too."""
    shown = context.shown()
    darkest, width = _darkest(context, shown), _width(context, len(context.lab.variants))
    for one in shown:
        _ordered(context, _confusion_of(context, *one), darkest, width)


def _darkest(context: Context, shown: list[tuple[str, int]]) -> float:
    """Choose the share that takes the darkest colour: a round one, which one more variant seldom changes."""
    largest = max((_largest_share(_confusion_of(context, *one)) for one in shown), default=0.0)
    return next(step for step in SHARES if step >= largest)


def _width(context: Context, matrices: int) -> float:
    return look.HALF if matrices <= MATRICES_IN_PAIRS or _wide(context) else look.THIRD


def _axis_names(context: Context) -> tuple[str, ...]:
    """Give the classes' names, or their numbers where the charts' type cannot write one of the names."""
    classes = context.dataset.classes
    if all(look.can_draw(inert(name).replace("\n", " ")) for name in classes):
        return classes
    return tuple(str(n) for n in range(len(classes)))


def _wide(context: Context) -> bool:
    """Tell whether the classes are too many, or their names too long, for a third of the page."""
    classes = context.dataset.classes
    return len(classes) > 12 or max(len(name) for name in classes) > 5


def _confusion_of(context: Context, variant: str, seed: int) -> pd.DataFrame:
    frame = context.results.confusion
    return frame[(frame["variant"] == variant) & (frame["seed"] == seed)]


def _largest_share(confusion: pd.DataFrame) -> float:
    totals = confusion.groupby("label")["count"].transform("sum").clip(lower=1)
    wrong = confusion["label"] != confusion["predicted"]
    return float((confusion["count"] / totals)[wrong].max()) if wrong.any() else 0.0


def _matrix(context: Context, variant: str, seed: int, darkest: float, width: float) -> Figure:
    frame = _confusion_of(context, variant, seed)
    chart = _ordered(context, frame, darkest, width)
    wrong = int(frame["count"][frame["label"] != frame["predicted"]].sum())
    pairs = most_confused(frame)
    mistakes = f"{count(wrong)} mistake{'s' if wrong != 1 else ''}"
    pairs = pairs[pairs["count"] > 1]
    if not wrong:
        words = "No mistake."
    elif pairs.empty:
        words = f"{mistakes}, no pair more than once."
    else:
        rows = pairs[["label", "predicted", "count"]].to_dict("records")
        said = [_taken_for(context, **row) for row in rows]
        words = f"{mistakes}; most often {listing(said)}."
    name = f"{variant}, seed {seed}" if context.protocol.seeds > 1 else variant
    alt = f"Confusion matrix of {name}. {words}"
    return context.chart(chart, alt, f"{name}.", words, "half" if width == look.HALF else "third")


def _ordered(context: Context, confusion: pd.DataFrame, darkest: float, width: float) -> Order:
    counts = confusion[["label", "predicted", "count"]].reset_index(drop=True)
    return context.studio.order("confusion_matrix", counts, _axis_names(context), darkest, width)


def _taken_for(context: Context, label: int, predicted: int, count: int) -> str:
    return f"{_quoted(context, label)} taken for {_quoted(context, predicted)} ({count})"


def _quoted(context: Context, label: int) -> str:
    name = context.class_name(label)
    return f"“{name}”" if " " in name else name
