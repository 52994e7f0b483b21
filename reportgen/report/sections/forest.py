"""Differences to the baseline, one row a variant, each with its interval drawn on one axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isnan
from typing import TYPE_CHECKING, Any

from reportgen.analysis.comparisons import ARCHITECTURES
from reportgen.text import count, digits_for, p_value, percent, signed
from reportgen.words import tr

if TYPE_CHECKING:
    import pandas as pd

    from reportgen.analysis.scores import Leaderboard

WIDTH = 190  # units of the drawing, which are pixels on a screen
MARGIN = 6
MOST_TICKS = 5
STEPS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)  # points


@dataclass(frozen=True)
class Axis:
    """The axis that all rows share, from `low` to `high` points."""

    low: float
    high: float
    width: int = WIDTH

    @classmethod
    def around(cls, values: list[float], width: int = WIDTH) -> Axis:
        """Span an axis over values in points, 0 among them."""
        low, high = min([0.0, *values]), max([0.0, *values])
        room = 0.04 * (high - low) or 0.1
        return cls(low - room, high + room, width)

    def x(self, value: float) -> float:
        """Place a value of points on the drawing."""
        share = (value - self.low) / (self.high - self.low)
        return round(MARGIN + share * (self.width - 2 * MARGIN), 1)

    @property
    def zero(self) -> float:
        """Place the baseline."""
        return self.x(0.0)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Choose round values: where they stand, and how they are written."""
        span = self.high - self.low
        most = max(MOST_TICKS * self.width / WIDTH, 4)
        step = next((one for one in STEPS if span / one <= most), STEPS[-1])
        digits = 2 if step < 0.1 else 1 if step < 1 else 0
        values = [step * n for n in range(ceil(self.low / step), floor(self.high / step) + 1)]
        return tuple((self.x(value), signed(value, digits) if value else "0") for value in values)


@dataclass(frozen=True)
class Row:
    """One variant against the baseline: numbers as text, places on the axis, values to sort by."""

    variant: str
    apart: bool
    value: float  # points
    difference: str
    bounds: str
    p: str
    p_value: float
    ends: tuple[float, float, float]  # low, difference, high
    points: tuple[float, ...]  # the single seeds, where architectures are compared
    alone: tuple[str, str]  # images that only it, and only the baseline, gets right
    turned: str  # how often single seeds stand the other way round


def forest(rows: pd.DataFrame, board: Leaderboard) -> tuple[Axis, tuple[Row, ...]]:
    """Lay out the differences of a family of comparisons with the baseline, in the leaderboard's order."""
    order = [one.variant for one in board.scored]
    rows = rows.sort_values("b", key=lambda names: names.map(order.index), kind="stable")
    seeds = _seeds(board) if (rows["kind"] == ARCHITECTURES).all() else {}
    spread = [100 * float(value) for name in ("low", "high") for value in rows[name]]
    axis = Axis.around([*spread, *(value for values in seeds.values() for value in values)])
    digits = digits_for(board.n_test)
    return axis, tuple(_row(one, axis, digits, seeds.get(str(one.b), ())) for one in rows.itertuples())


def _seeds(board: Leaderboard) -> dict[str, tuple[float, ...]]:
    """Give each seed's distance from the baseline's mean, in points."""
    base = board.baseline
    assert base is not None  # else nothing was compared with it
    return {
        one.variant: tuple(100 * (value - base.accuracy) for value in one.accuracies)
        for one in board.scored
        if one is not base
    }


def _row(one: Any, axis: Axis, digits: int, seeds: tuple[float, ...]) -> Row:
    low, middle, high = (100 * float(value) for value in (one.low, one.difference, one.high))
    counted = not isnan(float(one.only_a_right)) if one.kind != ARCHITECTURES else False
    return Row(
        variant=str(one.b),
        apart=bool(one.apart),
        value=round(middle, 6),
        difference=signed(middle, digits),
        bounds=tr("{low} to {high}", low=signed(low, digits), high=signed(high, digits)),
        p=p_value(one.p_holm),
        p_value=float(f"{one.p_holm:.4g}"),
        ends=(axis.x(low), axis.x(middle), axis.x(high)),
        points=tuple(axis.x(value) for value in seeds),
        alone=(count(one.only_b_right), count(one.only_a_right)) if counted else ("", ""),
        turned="" if counted or isnan(one.reversed) else percent(one.reversed, 0),
    )
