"""Confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, to_hex
from plotnine import (
    aes,
    coord_fixed,
    element_blank,
    element_text,
    facet_wrap,
    geom_text,
    geom_tile,
    ggplot,
    labs,
    scale_color_identity,
    scale_fill_identity,
    scale_x_continuous,
    scale_y_reverse,
    theme,
)

from reportgen.report import look
from reportgen.report.look import HALF
from reportgen.report.theme import base
from reportgen.text import inert, signed
from reportgen.words import tr, trc

GAP = 1.06  # points between the tiles of a matrix
LEGIBLE = 5  # points
FIGURES = 108  # points a figure and inch of a cell's side: figures are half as wide as high, with some air
ASIDE, ABOVE = 0.12, 0.3  # inches between matrices beside and above each other


def confusion_matrix(
    confusion: pd.DataFrame, classes: Sequence[str], darkest: float, width: float = HALF
) -> ggplot:
    """Draw one training's confusion: mistakes coloured by their share of the row, the diagonal grey.

    `confusion` has label, predicted, count; `darkest` is the share that takes the darkest colour, the same
    for all variants of a report, so that matrices can be compared. There are CLASSES_COUNTED classes at most.
    """
    points = look.SIZE - (0.5 if width == HALF else 1.2)
    axes = _MatrixAxes.fit(classes, width, points)
    cells, size = _with_room(_cells(confusion, darkest), axes.panel / len(classes), points)
    title = look.SIZE - (0 if width == HALF else 1)
    return _drawn(cells, axes, size) + base(width, axes.height) + _type(axes, points, title)


def _with_room(cells: pd.DataFrame, side: float, points: float) -> tuple[pd.DataFrame, float]:
    """Choose the size of the counts in cells of `side` inches: all of them, else mistakes, else none."""
    right = cells["label"] == cells["predicted"]
    for written in (cells["text"], cells["text"].where(~right, "")):
        size = min(points, FIGURES * side / max(int(written.str.len().max()), 1))
        if size >= LEGIBLE:
            return cells.assign(text=written), size
    return cells.assign(text=""), LEGIBLE


def confusion_differences(
    differences: pd.DataFrame, panels: Sequence[str], classes: Sequence[str], most: int, columns: int
) -> ggplot:
    """Draw, a panel a variant, how many more mistakes than the baseline each cell has; the diagonal is grey.

    `differences` has variant, label, predicted, difference; `most` is the one that takes the full colour.
    Blue, with a minus, is fewer; orange, with a plus, is more. A difference of one image has its colour only,
    and so has any in cells that have no room for legible type.
    """
    points = look.SIZE - 1.2
    width = look.WIDTH if columns > 1 else HALF
    axes, rows = _MatrixAxes.fit(classes, width, points, columns), ceil(len(panels) / columns)
    data = _changes(differences, most)
    data["variant"] = pd.Categorical(data["variant"], list(panels))
    return (
        _drawn(data, axes, min(look.SIZE - 1.5, 30 * axes.panel / len(classes)))
        + facet_wrap("variant", ncol=columns)
        + base(width, rows * (axes.panel + ABOVE) + axes.height - axes.panel)
        + _type(axes, points, look.SIZE - 1)
        + theme(panel_spacing_x=ASIDE / width, panel_spacing_y=0.1 / width)
    )


def _drawn(data: pd.DataFrame, axes: _MatrixAxes, size: float) -> ggplot:
    """Draw cells with their `fill`, and in them `text` in the colour `ink`, `size` points high."""
    k = axes.classes
    side = 1 - GAP * k / (72 * axes.panel)
    # Tiles of one colour that follow one another become one path.
    in_order = data.sort_values("fill", kind="stable")
    breaks, names = axes.breaks, axes.labels
    return (
        ggplot(data, aes("predicted", "label"))
        + geom_tile(aes(fill="fill"), in_order, width=side, height=side)
        + geom_text(aes(label="text", color="ink"), data[(data["text"] != "") & (size >= LEGIBLE)], size=size)
        + scale_fill_identity()
        + scale_color_identity()
        + scale_x_continuous(breaks=breaks, labels=names, expand=(0, 0), limits=(-0.5, k - 0.5))
        + scale_y_reverse(breaks=breaks, labels=names, expand=(0, 0), limits=(k - 0.5, -0.5))
        + coord_fixed()
        + labs(x=tr("predicted"), y=trc("class", "true"))
    )


def _type(axes: _MatrixAxes, points: float, title: float) -> theme:
    below = {"axis_text_x": element_text(rotation=90, ha="center", va="top")} if axes.upright else {}
    return theme(
        panel_grid_major_y=element_blank(),
        axis_ticks=element_blank(),
        axis_title=element_text(size=title),
        axis_text=element_text(size=points),
        **below,
    )


def _changes(differences: pd.DataFrame, most: int) -> pd.DataFrame:
    """Give every cell its colour, `fill`, its signed count, `text`, and that one's colour, `ink`."""
    data = differences.astype({"label": int, "predicted": int, "difference": int})
    change = data["difference"].to_numpy()
    right = (data["label"] == data["predicted"]).to_numpy()
    share = np.clip(np.abs(change) / max(most, 1), 0, 1)
    fewer = LinearSegmentedColormap.from_list("fewer", ["#f2f7fc", look.ACCENT])
    more = LinearSegmentedColormap.from_list("more", ["#fdf5ef", look.CONTRAST])
    shades = [to_hex((fewer if n < 0 else more)(one)) for n, one in zip(change, share, strict=True)]
    fill = np.where(right, look.PALE, np.where(change == 0, "#fafafa", shades))
    ink = np.where(share > 0.55, "white", look.INK)
    text = ["" if same or abs(n) < 2 else signed(n, 0) for same, n in zip(right, change, strict=True)]
    return data.assign(fill=fill, ink=ink, text=text)


def _cells(confusion: pd.DataFrame, darkest: float) -> pd.DataFrame:
    """Give every cell its colour, `fill`, its count, `text`, and that one's colour, `ink`."""
    data = confusion.astype({"label": int, "predicted": int, "count": int})
    totals = data.groupby("label")["count"].transform("sum").clip(lower=1)
    share = (data["count"] / totals / max(darkest, 1e-9)).clip(upper=1)
    right = data["label"] == data["predicted"]
    shades = LinearSegmentedColormap.from_list("mistakes", ["#f7fafd", look.ACCENT])
    fill = np.where(right, look.PALE, [to_hex(shades(one)) for one in share])
    ink = np.select([right, share > 0.55], [look.GREY, "white"], look.INK)
    text = np.where(right | (data["count"] > 0), data["count"].astype(str), "")
    return data.assign(fill=fill, ink=ink, text=text)


@dataclass(frozen=True)
class _MatrixAxes:
    """The class names beside a matrix: which are written, whether upright, and the room they leave."""

    breaks: list[int]
    labels: list[str]
    upright: bool
    classes: int
    panel: float  # inches
    height: float

    @classmethod
    def fit(cls, classes: Sequence[str], width: float, points: float, beside: int = 1) -> _MatrixAxes:
        names = [inert(name, look.CLASS_LABEL).replace("\n", " ") for name in classes]
        longest = max(look.text_width(name, points) for name in names)
        panel = (width - longest - 0.3 - (beside - 1) * ASIDE) / beside
        k = len(names)
        breaks = list(range(0, k, ceil(k * 1.3 * points / 72 / panel)))
        upright = longest > 0.9 * panel / k and longest > 1.3 * points / 72
        below = longest if upright else points / 72
        return cls(breaks, [names[n] for n in breaks], upright, k, panel, panel + below + 0.26)
