"""Labels beside points, placed so that none covers another label or a point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reportgen.report.theme import wrap_name

CHARACTER = 0.52  # mean width of a character, in ems, of the sans type
POINTS_PER_INCH = 72


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


def place(data: pd.DataFrame, width: float, height: float, points: float) -> pd.DataFrame:
    """Add label, label_x, label_y and far to points x (log scale), y with intervals low to high.

    `width` and `height` are the panel's inches, `points` the size of the type. Labels go, one after
    another, where they cover least; `far` marks those that need a line to their point. The limits of both
    axes, with room for the labels, are left in `attrs`.
    """
    x_limits, y_limits = _limits(data)
    across = _inches(np.log10(data["x"].to_numpy()), np.log10(x_limits), width)
    up = {c: _inches(data[c].to_numpy(), y_limits, height) for c in ("y", "low", "high")}
    em = points / POINTS_PER_INCH
    taken = [
        _Box(x - em / 2, low, x + em / 2, high)
        for x, low, high in zip(across, up["low"], up["high"], strict=True)
    ]
    taken += [
        _Box(x - em / 2, y - em / 2, x + em / 2, y + em / 2) for x, y in zip(across, up["y"], strict=True)
    ]
    names = [wrap_name(name, 16) for name in data["variant"]]
    spots = []
    for name, x, y in zip(names, across, up["y"], strict=True):
        size = _text_size(name, em)
        box, far = _best(x, y, size, em, taken, (width, height))
        taken.append(box)
        spots.append((box.left, (box.bottom + box.top) / 2, far))
    label_x = [10 ** _back(spot[0], np.log10(x_limits), width) for spot in spots]
    label_y = [_back(spot[1], y_limits, height) for spot in spots]
    placed = data.assign(label=names, label_x=label_x, label_y=label_y, far=[s[2] for s in spots])
    placed.attrs = {"x_limits": x_limits, "y_limits": y_limits}
    return placed


def _text_size(name: str, em: float) -> tuple[float, float]:
    lines = name.split("\n")
    return max(len(line) for line in lines) * CHARACTER * em, len(lines) * 1.2 * em


def _best(
    x: float,
    y: float,
    size: tuple[float, float],
    em: float,
    taken: list[_Box],
    panel: tuple[float, float],
) -> tuple[_Box, bool]:
    """Try places from the nearest outwards; take the one that covers least."""
    w, h = size
    near = 0.75 * em
    candidates = []
    for far in (0.0, 1.1, 2.2, 3.3, 4.5):
        for side in (near, -near - w, -w / 2):
            for lift in (0.0, 1.0, -1.0):
                if side == -w / 2 and lift == 0 and far == 0:
                    continue
                rise = lift * (far * em + (0.5 * em + h / 2 if side == -w / 2 or far else 0.35 * em))
                left, middle = x + side, y + rise
                candidates.append((_Box(left, middle - h / 2, left + w, middle + h / 2), far > 0))
    costs = [
        sum(box.overlap(other) for other in taken) * 100 + box.outside(*panel) * 100 + n * 0.001
        for n, (box, _) in enumerate(candidates)
    ]
    return candidates[int(np.argmin(costs))]


def _limits(data: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    x = np.log10(data["x"].to_numpy())
    span = max(float(x.max() - x.min()), 0.3)
    room = max(float(data["high"].max() - data["low"].min()), 0.1) * 0.08
    x_limits = (float(10 ** (x.min() - 0.15 * span)), float(10 ** (x.max() + 0.4 * span)))
    return x_limits, (float(data["low"].min() - room), float(min(data["high"].max() + room, 100.2)))


def _inches(values: np.ndarray, limits: tuple[float, float] | np.ndarray, size: float) -> np.ndarray:
    return (values - limits[0]) / (limits[1] - limits[0]) * size


def _back(inches: float, limits: tuple[float, float] | np.ndarray, size: float) -> float:
    return float(limits[0] + inches / size * (limits[1] - limits[0]))
