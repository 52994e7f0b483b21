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

GAP = 1.06  # points between the tiles of a matrix


def confusion_matrix(
    confusion: pd.DataFrame, classes: Sequence[str], darkest: float, width: float = HALF
) -> ggplot:
    """Draw one training's confusion: mistakes coloured by their share of the row, the diagonal grey.

    `confusion` has label, predicted, count; `darkest` is the share that takes the darkest colour, the same
    for all variants of a report, so that matrices can be compared. There are CLASSES_COUNTED classes at most.
    """
    k = len(classes)
    data = _cells(confusion, darkest)
    points = look.SIZE - (0.5 if width == HALF else 1.2)
    axes = _MatrixAxes.fit(classes, width, points)
    # Tiles of one colour that follow one another become one path.
    side = 1 - GAP * k / (72 * axes.panel)
    tiles = geom_tile(aes(fill="fill"), data.sort_values("fill", kind="stable"), width=side, height=side)
    plot = (
        ggplot(data, aes("predicted", "label"))
        + tiles
        + scale_fill_identity()
        + scale_x_continuous(breaks=axes.breaks, labels=axes.labels, expand=(0, 0), limits=(-0.5, k - 0.5))
        + scale_y_reverse(breaks=axes.breaks, labels=axes.labels, expand=(0, 0), limits=(k - 0.5, -0.5))
        + coord_fixed()
        + labs(x="predicted", y="true")
        + base(width, axes.height)
        + theme(
            panel_grid_major_y=element_blank(),
            axis_ticks=element_blank(),
            axis_title=element_text(size=look.SIZE - (0 if width == HALF else 1)),
            axis_text=element_text(size=points),
        )
    )
    if axes.upright:
        plot += theme(axis_text_x=element_text(rotation=90, ha="center", va="top"))
    size = min(look.SIZE - 0.5, 27 * axes.panel / k)  # points that let four figures into a cell
    written = data[data["right"] | (data["count"] > 0)]
    return plot + geom_text(aes(label="count", color="ink"), written, size=size) + scale_color_identity()


def confusion_differences(
    differences: pd.DataFrame, panels: Sequence[str], classes: Sequence[str], most: int, columns: int
) -> ggplot:
    """Draw, a panel a variant, how many more mistakes than the baseline each cell has; the diagonal is grey.

    `differences` has variant, label, predicted, difference; `most` is the one that takes the full colour.
    Blue, with a minus, is fewer; orange, with a plus, is more.
    """
    k, width = len(classes), look.WIDTH / columns
    points = look.SIZE - 1.2
    axes = _MatrixAxes.fit(classes, width - 0.1, points)
    data = _changes(differences, most)
    data["variant"] = pd.Categorical(data["variant"], list(panels))
    rows = ceil(len(panels) / columns)
    side = 1 - GAP * k / (72 * axes.panel)
    size = min(look.SIZE - 1.5, 30 * axes.panel / k)
    scale = {"breaks": axes.breaks, "labels": axes.labels, "expand": (0, 0)}
    plot = (
        ggplot(data, aes("predicted", "label"))
        + geom_tile(aes(fill="fill"), data.sort_values("fill", kind="stable"), width=side, height=side)
        + geom_text(aes(label="text", color="ink"), data[data["text"] != ""], size=size)
        + facet_wrap("variant", ncol=columns)
        + scale_fill_identity()
        + scale_color_identity()
        + scale_x_continuous(limits=(-0.5, k - 0.5), **scale)
        + scale_y_reverse(limits=(k - 0.5, -0.5), **scale)
        + coord_fixed()
        + labs(x="predicted", y="true")
        + base(width * min(columns, len(panels)), rows * (axes.panel + 0.32) + axes.height - axes.panel)
        + theme(
            panel_grid_major_y=element_blank(),
            axis_ticks=element_blank(),
            axis_title=element_text(size=look.SIZE - 1),
            axis_text=element_text(size=points),
        )
    )
    if axes.upright:
        plot += theme(axis_text_x=element_text(rotation=90, ha="center", va="top"))
    return plot


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
    text = ["" if same or n == 0 else signed(n, 0) for same, n in zip(right, change, strict=True)]
    return data.assign(fill=fill, ink=ink, text=text)


def _cells(confusion: pd.DataFrame, darkest: float) -> pd.DataFrame:
    """Give every cell its colour, `fill`, and that of its count, `ink`."""
    data = confusion.astype({"label": int, "predicted": int, "count": int})
    totals = data.groupby("label")["count"].transform("sum").clip(lower=1)
    share = (data["count"] / totals / max(darkest, 1e-9)).clip(upper=1)
    right = data["label"] == data["predicted"]
    shades = LinearSegmentedColormap.from_list("mistakes", ["#f7fafd", look.ACCENT])
    fill = np.where(right, look.PALE, [to_hex(shades(one)) for one in share])
    ink = np.select([right, share > 0.55], [look.GREY, "white"], look.INK)
    return data.assign(right=right, fill=fill, ink=ink)


@dataclass(frozen=True)
class _MatrixAxes:
    """The class names beside a matrix: which are written, whether upright, and the room they leave."""

    breaks: list[int]
    labels: list[str]
    upright: bool
    panel: float  # inches
    height: float

    @classmethod
    def fit(cls, classes: Sequence[str], width: float, points: float) -> _MatrixAxes:
        names = [inert(name, look.CLASS_LABEL).replace("\n", " ") for name in classes]
        longest = max(look.text_width(name, points) for name in names)
        panel = width - longest - 0.3
        k = len(names)
        breaks = list(range(0, k, ceil(k * 1.3 * points / 72 / panel)))
        upright = longest > 0.9 * panel / k and longest > 1.3 * points / 72
        below = longest if upright else points / 72
        return cls(breaks, [names[n] for n in breaks], upright, panel, panel + below + 0.26)
