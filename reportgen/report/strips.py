"""The intervals that the HTML draws inside its tables, as one picture beneath each table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen.report import look
from reportgen.report.pictures import svg_file
from reportgen.text import shorten
from reportgen.words import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportgen.report.sections.comparisons import Comparisons
    from reportgen.report.sections.contrasts import Contrasts
    from reportgen.report.sections.summary import Summary

WIDTH = 420  # pixels of the axis
ROW = 20
LETTER = 6.6  # pixels of an average one
LONGEST_NAME = 64


@dataclass(frozen=True)
class Strip:
    """One row: its interval from low over the value to high, in pixels, if it has one."""

    name: str
    colour: str
    filled: bool
    ends: tuple[float, float, float] | None
    points: tuple[float, ...] = ()


@dataclass(frozen=True)
class Strips:
    """Rows on one axis: where its ticks stand and what they say; `zero` is None or a place and a colour."""

    strips: tuple[Strip, ...]
    ticks: tuple[tuple[float, str], ...]
    zero: tuple[float, str] | None
    alt: str

    def svg(self) -> bytes:
        """Draw them as an SVG file."""
        left = 12 + LETTER * max(len(one.name) for one in self.strips)
        size = (left + WIDTH + 30, ROW * (len(self.strips) + 1) + 8)
        return svg_file("intervals", all=self, left=left, size=size, row=ROW)


def leaderboard(body: Summary) -> Strips | None:
    """Draw the intervals of the leaderboard; None where no variant has a score."""
    if body.axis is None:
        return None
    rows = [row for row in body.rows if not row.reason]
    strips = tuple(
        Strip(
            row.variant,
            look.CONTRAST if row.baseline else look.ACCENT,
            True,
            (WIDTH * row.low, WIDTH * row.point, WIDTH * row.high),
            tuple(WIDTH * point for point in row.points),
        )
        for row in rows
    )
    ticks = ((0.0, body.axis[0]), (float(WIDTH), body.axis[1]))
    return Strips(strips, ticks, None, _alt([(row.variant, row.bounds) for row in rows]))


def forest(body: Comparisons) -> Strips:
    """Draw the differences to the baseline."""
    assert body.axis is not None  # there are rows
    share = WIDTH / body.axis.width
    strips = tuple(
        Strip(
            row.variant,
            look.ACCENT if row.apart else look.GREY,
            row.apart,
            _scaled(row.ends, share),
            tuple(share * point for point in row.points),
        )
        for row in body.rows
    )
    ticks = tuple((share * x, text) for x, text in body.axis.ticks)
    alt = _alt([(row.variant, row.bounds) for row in body.rows])
    return Strips(strips, ticks, (share * body.axis.zero, look.CONTRAST), alt)


def contrasts(table: Contrasts) -> Strips:
    """Draw what single knobs do to accuracy."""
    share = WIDTH / table.axis.width
    strips = tuple(
        Strip(
            shorten(row.pair, LONGEST_NAME),
            look.ACCENT if row.clear else look.GREY,
            row.clear,
            _scaled(row.ends, share) if row.ends else None,
        )
        for row in table.rows
    )
    ticks = tuple((share * x, text) for x, text in table.axis.ticks)
    alt = _alt([(row.pair, row.accuracy.bounds or tr("none")) for row in table.rows])
    return Strips(strips, ticks, (share * table.axis.zero, look.GREY), alt)


def _scaled(ends: tuple[float, float, float], share: float) -> tuple[float, float, float]:
    low, middle, high = ends
    return share * low, share * middle, share * high


def _alt(said: Sequence[tuple[str, str]]) -> str:
    return tr("; ").join(f"{name} {bounds}" for name, bounds in said)
