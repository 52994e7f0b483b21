"""What accuracy costs: parameters and seconds against it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from reportgen.analysis.costs import reading
from reportgen.analysis.scores import Score
from reportgen.report import look
from reportgen.report.document import Context, Figure
from reportgen.report.labels import labelled
from reportgen.text import count, digits_for, percent, seconds
from reportgen.words import mark, tr, trn

LABELS_IN_HALF = 8  # more variants take the whole width
AMOUNT = {"params": count, "seconds": seconds}
LEAD = {"params": mark("Parameters and accuracy."), "seconds": mark("Seconds of training and accuracy.")}
ALT = {
    "params": mark("Parameters against test accuracy: {points}."),
    "seconds": mark("Seconds of training against test accuracy: {points}."),
}
COLUMN = {"params": mark("parameters"), "seconds": mark("seconds of training")}


@dataclass(frozen=True)
class Tradeoffs:
    """What accuracy costs; `missing` says why there is no chart."""

    figures: tuple[Figure, ...]
    missing: str


def tradeoffs(context: Context) -> Tradeoffs:
    """Set parameters and seconds against accuracy."""
    if not context.board.scored:
        return Tradeoffs((), tr("Not applicable, because no training was finished."))
    return Tradeoffs((_cost(context, "params"), _cost(context, "seconds")), "")


def _cost(context: Context, cost: str) -> Figure:
    board = context.board
    half = len(board.scored) <= LABELS_IN_HALF
    width = look.HALF if half else look.WIDTH
    chart = context.studio.order("cost_against_accuracy", board, cost, width)
    by_cost = sorted(board.scored, key=lambda one: float(getattr(one, cost)))
    digits = digits_for(board.n_test)
    listed = tr("; ").join(
        f"{one.variant} {AMOUNT[cost](getattr(one, cost))}, {percent(one.accuracy, digits)} %"
        for one in by_cost
    )
    left_out = int((labelled(board, cost, width)["label"] == "").sum())
    caption = _caption(by_cost, reading(context.results, context.told, cost), left_out)
    size = "half" if half else "whole"
    alt = tr(ALT[cost], points=listed)
    figure = context.chart(chart, alt, tr(LEAD[cost]), caption, size, _behind(context, cost))
    return replace(figure, refers="table-1")


def _behind(context: Context, cost: str) -> pd.DataFrame:
    """Give the points and bars of a chart as a table."""
    scores = context.board.scored
    return pd.DataFrame(
        {
            mark("variant"): [one.variant for one in scores],
            COLUMN[cost]: [getattr(one, cost) for one in scores],
            mark("test accuracy"): [one.accuracy for one in scores],
            mark("low"): [one.low for one in scores],
            mark("high"): [one.high for one in scores],
        }
    )


def _caption(scores: list[Score], said: str, left_out: int) -> str:
    if len(scores) == 1:
        return tr("The bar is that of Table 1.")
    bars = tr("Bars as in Table 1.")
    if not left_out:
        return f"{said} {bars}"
    unnamed = trn(
        "{n} point has no name beside it, for want of room.",
        "{n} points have no name beside them, for want of room.",
        left_out,
        n=count(left_out),
    )
    return f"{said} {bars} {unnamed}"
