"""What accuracy costs: parameters and seconds against it."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.report import charts
from reportgen.report.document import Context, Figure
from reportgen.report.theme import to_svg
from reportgen.text import count, percent, seconds


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
    svg = to_svg(charts.cost_against_accuracy(board, cost))
    word = {"params": "Parameters", "seconds": "Seconds of training"}[cost]
    by_cost = sorted(board.scored, key=lambda one: float(getattr(one, cost)))
    amount = {"params": count, "seconds": seconds}[cost]
    listed = "; ".join(
        f"{one.variant} {amount(getattr(one, cost))}, {percent(one.accuracy)} %" for one in by_cost
    )
    least, most = by_cost[0], by_cost[-1]
    unit = "parameters" if cost == "params" else "s"
    caption = (
        f"From {least.variant} ({amount(getattr(least, cost))} {unit}) to {most.variant} "
        f"({amount(getattr(most, cost))} {unit}); bars as in Table 1."
        if len(by_cost) > 1
        else "The bar is that of Table 1."
    )
    alt = f"{word} against test accuracy: {listed}."
    return context.chart(svg, alt, f"{word} and accuracy.", caption, "half")
