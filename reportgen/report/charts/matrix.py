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
    geom_raster,
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
from reportgen.report.look import CLASSES_COUNTED, HALF
from reportgen.report.theme import base
from reportgen.text import inert

GAP = 1.06  # points between the tiles of a matrix


def confusion_matrix(
    confusion: pd.DataFrame, classes: Sequence[str], darkest: float, width: float = HALF
) -> ggplot:
    """Draw one training's confusion: mistakes coloured by their share of the row, the diagonal grey.

    `confusion` has label, predicted, count; `darkest` is the share that takes the darkest colour, the same
    for all variants of a report, so that matrices can be compared. Counts are written up to CLASSES_COUNTED.
    """
    k = len(classes)
    data = _cells(confusion, darkest)
    points = look.SIZE - (0.5 if width == HALF else 1.2)
    axes = _MatrixAxes.fit(classes, width, points)
    # Tiles of one colour that follow one another become one path. Many cells are one image: thousands of
    # tiles are slow to draw and to read.
    side = 1 - GAP * k / (72 * axes.panel)
    tiles = geom_tile(aes(fill="fill"), data.sort_values("fill", kind="stable"), width=side, height=side)
    plot = (
        ggplot(data, aes("predicted", "label"))
        + (tiles if k <= CLASSES_COUNTED else geom_raster(aes(fill="fill")))
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
    if k > CLASSES_COUNTED:
        return plot
    size = min(look.SIZE - 0.5, 27 * axes.panel / k)  # points that let four figures into a cell
    written = data[data["right"] | (data["count"] > 0)]
    return plot + geom_text(aes(label="count", color="ink"), written, size=size) + scale_color_identity()


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
