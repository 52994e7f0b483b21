"""Labels beside points, placed so that none covers another label or a point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reportgen.analysis.scores import Leaderboard
from reportgen.report import look
from reportgen.report.look import text_width, wrap_name

POINTS_PER_INCH = 72
LINE = 1.3  # ems from line to line
LEAST_COST = 0.01  # a logarithmic axis has no zero


@dataclass(frozen=True)
class _Box:
    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: _Box) -> float:
        """Compute the area shared with another box."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0) * max(height, 0)

    def outside(self, width: float, height: float) -> float:
        """Compute how far the box sticks out of a panel, in inches."""
        beyond = [-self.left, -self.bottom, self.right - width, self.top - height]
        return sum(max(part, 0) for part in beyond)


def labelled(board: Leaderboard, cost: str, width: float = look.HALF) -> pd.DataFrame:
    """Lay out the points of a cost chart and their labels, the best and the baseline labelled first."""
    scores = sorted(board.scored, key=lambda one: not one.baseline)
    data = pd.DataFrame(
        {
            "variant": [one.variant for one in scores],
            "x": [max(float(getattr(one, cost)), LEAST_COST) for one in scores],
            "y": [100 * one.accuracy for one in scores],
            "low": [100 * one.low for one in scores],
            "high": [100 * one.high for one in scores],
            "color": [look.CONTRAST if one.baseline else look.ACCENT for one in scores],
            "shape": ["baseline" if one.baseline else "variant" for one in scores],
        }
    )
    return place(data, width=width - 0.45, height=look.COST_HEIGHT[width] - 0.4, points=look.SIZE - 0.5)


def place(data: pd.DataFrame, width: float, height: float, points: float) -> pd.DataFrame:
    """Add label, label_x, label_y, far, lead_x, lead_y to points x (log scale), y with low to high.

    `width` and `height` are the panel's inches, `points` the size of the type. Labels go, one after
    another, where they cover least; one that would cover another label, a point, or the panel's edge is
    left out (an empty label). `far` marks those that need a line to their point; it ends at lead_x, lead_y.
    The limits of both axes, with room for the labels, are left in `attrs`.
    """
    x_limits, y_limits = _limits(data)
    log_limits = np.log10(x_limits)
    across = _inches(np.log10(data["x"].to_numpy()), log_limits, width)
    up = {c: _inches(data[c].to_numpy(), y_limits, height) for c in ("y", "low", "high")}
    panel = _Panel(points / POINTS_PER_INCH, width, height)
    for x, y, low, high in zip(across, up["y"], up["low"], up["high"], strict=True):
        panel.mark(x, y, low, high)
    names = [wrap_name(name, 16) for name in data["variant"]]
    rows = []
    for name, x, y in zip(names, across, up["y"], strict=True):
        spot = panel.label(name, x, y)
        box = spot.box if spot else _Box(x, y, x, y)
        lead = min(max(x, box.left), box.right), min(max(y, box.bottom), box.top)
        ends = ((box.left, (box.bottom + box.top) / 2), lead)
        places = [(10 ** _back(a, log_limits, width), _back(b, y_limits, height)) for a, b in ends]
        rows.append((name if spot else "", *places[0], bool(spot and spot.far), *places[1]))
    added = pd.DataFrame(
        rows, columns=["label", "label_x", "label_y", "far", "lead_x", "lead_y"], index=data.index
    )
    placed = pd.concat([data, added], axis=1)
    placed.attrs = {"x_limits": x_limits, "y_limits": y_limits}
    return placed


def label_size(name: str, em: float) -> tuple[float, float]:
    """Measure a label of one or more lines, in inches."""
    lines = name.split("\n")
    return max(text_width(line, em * POINTS_PER_INCH) for line in lines), len(lines) * LINE * em


@dataclass(frozen=True)
class _Spot:
    """A place for a label: `far` ones need a line to their point."""

    box: _Box
    far: bool


class _Panel:
    """A panel that fills with marks and labels; lengths in inches, `em` the size of the type."""

    def __init__(self, em: float, width: float, height: float) -> None:
        self.em, self.width, self.height = em, width, height
        self.bars: list[_Box] = []
        self.points: list[_Box] = []
        self.labels: list[_Box] = []

    def mark(self, x: float, y: float, low: float, high: float) -> None:
        """Take the room of a point and of its interval."""
        half = self.em / 3
        self.points.append(_Box(x - half, y - half, x + half, y + half))
        self.bars.append(_Box(x - half / 2, low, x + half / 2, high))

    def label(self, name: str, x: float, y: float) -> _Spot | None:
        """Find a place for a label, from the nearest outwards, and take it; None where there is none."""
        size = label_size(name, self.em)
        free = [spot for spot in self._candidates(x, y, size) if not self._blocked(spot.box)]
        if not free:
            return None
        crossed = [sum(spot.box.overlap(bar) for bar in self.bars) for spot in free]
        nearest = min(range(len(free)), key=lambda n: 100 * crossed[n] + 0.002 * n)
        self.labels.append(free[nearest].box)
        return free[nearest]

    def _blocked(self, box: _Box) -> bool:
        covered = any(box.overlap(other) > 0 for other in (*self.labels, *self.points))
        return covered or box.outside(self.width, self.height) > 0

    def _candidates(self, x: float, y: float, size: tuple[float, float]) -> list[_Spot]:
        (w, h), em = size, self.em
        near = 0.6 * em
        spots = []
        for far in (0.0, 1.1, 2.2, 3.3, 4.5):
            for side in (near, -near - w, near + far * em, -near - w - far * em, -w / 2):
                for lift in (0.0, 0.35, -0.35, 1.0, -1.0):
                    above = side == -w / 2
                    if above and abs(lift) < 1:
                        continue
                    rise = lift * (far * em + (0.5 * em + h / 2 if above or far else 0.35 * em))
                    left, middle = x + side, y + rise
                    box = _Box(left, middle - h / 2, left + w, middle + h / 2)
                    spots.append(_Spot(box, far > 0))
        return spots


def _limits(data: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    x = np.log10(data["x"].to_numpy())
    span = max(float(x.max() - x.min()), 0.5)
    room = max(float(data["high"].max() - data["low"].min()), 0.1) * 0.1
    x_limits = (float(10 ** (x.min() - 0.15 * span)), float(10 ** (x.max() + 0.4 * span)))
    return x_limits, (float(data["low"].min() - room), float(data["high"].max() + room))


def _inches(values: np.ndarray, limits: tuple[float, float] | np.ndarray, size: float) -> np.ndarray:
    return (values - limits[0]) / (limits[1] - limits[0]) * size


def _back(inches: float, limits: tuple[float, float] | np.ndarray, size: float) -> float:
    return float(limits[0] + inches / size * (limits[1] - limits[0]))
