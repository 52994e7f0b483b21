"""What accuracy costs: parameters and seconds against it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reportgen.analysis.costs import reading
from reportgen.analysis.scores import Score
from reportgen.report import look
from reportgen.report.document import Context, Figure
from reportgen.report.labels import labelled
from reportgen.text import count, digits_for, percent, seconds

LABELS_IN_HALF = 8  # more variants take the whole width


@dataclass(frozen=True)
class Tradeoffs:
    """What accuracy costs; `missing` says why there is no chart."""

    figures: tuple[Figure, ...]
    missing: str


def tradeoffs(context: Context) -> Tradeoffs:
    """Set parameters and seconds against accuracy."""
    if not context.board.scored:
        return Tradeoffs((), "Not applicable, because no training was finished.")
    return Tradeoffs((_cost(context, "params"), _cost(context, "seconds")), "")


def _cost(context: Context, cost: str) -> Figure:
    board = context.board
    half = len(board.scored) <= LABELS_IN_HALF
    width = look.HALF if half else look.WIDTH
    chart = context.studio.order("cost_against_accuracy", board, cost, width)
    word = {"params": "Parameters", "seconds": "Seconds of training"}[cost]
    by_cost = sorted(board.scored, key=lambda one: float(getattr(one, cost)))
    amount = {"params": count, "seconds": seconds}[cost]
    listed = "; ".join(
        f"{one.variant} {amount(getattr(one, cost))}, {percent(one.accuracy, digits_for(board.n_test))} %"
        for one in by_cost
    )
    alt = f"{word} against test accuracy: {listed}."
    left_out = int((labelled(board, cost, width)["label"] == "").sum())
    caption = _caption(by_cost, reading(context.results, context.told, cost), left_out)
    size = "half" if half else "whole"
    return context.chart(chart, alt, f"{word} and accuracy.", caption, size, _behind(context, cost, word))


def _behind(context: Context, cost: str, word: str) -> pd.DataFrame:
    """Give the points and bars of a chart as a table."""
    scores = context.board.scored
    return pd.DataFrame(
        {
            "variant": [one.variant for one in scores],
            word.lower(): [getattr(one, cost) for one in scores],
            "test accuracy": [one.accuracy for one in scores],
            "low": [one.low for one in scores],
            "high": [one.high for one in scores],
        }
    )


def _caption(scores: list[Score], said: str, left_out: int) -> str:
    if len(scores) == 1:
        return "The bar is that of Table 1."
    caption = f"{said} Bars as in Table 1."
    if left_out:
        have = "point has" if left_out == 1 else "points have"
        caption += f" {count(left_out)} {have} no name beside them, for want of room."
    return caption
