"""What the networks confuse: a matrix for each variant."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reportgen.analysis.scores import most_confused
from reportgen.report import charts
from reportgen.report.document import Context, Figure
from reportgen.report.theme import to_svg
from reportgen.text import count, listing, percent

MATRICES_IN_PAIRS = 4  # more of them stand three in a row


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
    darkest = max(_largest_share(_confusion_of(context, *one)) for one in shown)
    intro = (
        "Rows are true classes, columns predictions, numbers are counts. Colour shows the share of a row that "
        f"went wrong, up to {percent(darkest, 1)} % in all matrices alike; the diagonal is left grey, so that "
        "mistakes, not hits, catch the eye."
    )
    if context.protocol.seeds > 1:
        intro += " Shown is each variant's first finished seed."
    width = charts.HALF if len(shown) <= MATRICES_IN_PAIRS else charts.THIRD
    figures = tuple(_matrix(context, *one, darkest, width) for one in shown)
    return Confusions(intro, figures, missing)


def _confusion_of(context: Context, variant: str, seed: int) -> pd.DataFrame:
    frame = context.results.confusion
    return frame[(frame["variant"] == variant) & (frame["seed"] == seed)]


def _largest_share(confusion: pd.DataFrame) -> float:
    totals = confusion.groupby("label")["count"].transform("sum").clip(lower=1)
    wrong = confusion["label"] != confusion["predicted"]
    return float((confusion["count"] / totals)[wrong].max()) if wrong.any() else 0.0


def _matrix(context: Context, variant: str, seed: int, darkest: float, width: float) -> Figure:
    frame = _confusion_of(context, variant, seed)
    svg = to_svg(charts.confusion_matrix(frame, context.dataset.classes, darkest, width))
    wrong = int(frame["count"][frame["label"] != frame["predicted"]].sum())
    pairs = most_confused(frame)
    if pairs.empty:
        words = "No mistake."
    else:
        said = [
            f"{context.class_name(row['label'])} taken for {context.class_name(row['predicted'])} ({row['count']})"
            for row in pairs.to_dict("records")
        ]
        words = f"{count(wrong)} mistake{'s' if wrong != 1 else ''}; most often {listing(said)}."
    alt = f"Confusion matrix of {variant}. {words}"
    return context.chart(svg, alt, f"{variant}.", words, "half" if width == charts.HALF else "third")
