"""Reliability diagrams: how often a network is right when it says how sure it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    coord_cartesian,
    facet_wrap,
    geom_linerange,
    geom_point,
    geom_rect,
    geom_segment,
    geom_text,
    ggplot,
    labs,
    scale_color_identity,
    scale_fill_identity,
    scale_x_continuous,
    scale_y_continuous,
    theme,
)

from reportgen.report import look
from reportgen.report.look import HALF, WIDTH
from reportgen.report.theme import base
from reportgen.text import decimal
from reportgen.words import tr

BAR = "#e6e8ec"
PALE = "#a9c1dc"
DASH = (0, (4, 3))
SMALL = look.SIZE - 0.8
MOST = 60  # per cent of all images in one column: it is said beside it


def reliability(bins: pd.DataFrame, variants: Sequence[str]) -> ggplot:
    """Draw a panel a variant: accuracy with its interval against confidence, bin by bin.

    `bins` has variant, lower, upper, count, confidence, accuracy, low, high and off (clearly, as one of so
    many bins). Grey columns are the shares of all images; bins of fewer than FEW images are pale.
    All panels share the axes.
    """
    names = {variant: look.wrap_name(variant) for variant in variants}
    data = _prepared(bins, names)
    left = float(np.floor(10 * bins["lower"].min()) * 10)
    ends = pd.DataFrame({"x": [left], "end": [100.0]})
    columns = look.panel_columns(len(names))
    rows = -(-len(names) // columns)
    tall = (1.5 if rows < 3 else 1.36) + max(name.count("\n") for name in names.values()) * 0.13
    return (
        ggplot(data, aes("confidence", "accuracy"))
        + geom_rect(aes(xmin="lower", xmax="upper", ymin=0, ymax="share"), fill=BAR)
        + geom_segment(aes("x", "x", xend="end", yend="end"), ends, color=look.GREY, size=0.35, linetype=DASH)
        + geom_linerange(aes(ymin="low", ymax="high", color="color"), size=0.6)
        + geom_point(aes(fill="fill", color="color"), size=1.6, stroke=0.45)
        + geom_text(aes("x", "y", label="label"), _top(data), ha="right", size=SMALL, color=look.GREY)
        + facet_wrap("panel", ncol=columns)
        + scale_color_identity()
        + scale_fill_identity()
        + scale_x_continuous(breaks=_breaks(left), expand=(0, 0))
        + scale_y_continuous(breaks=[0, 25, 50, 75, 100], expand=(0, 0))
        + coord_cartesian(xlim=(left, 101.5), ylim=(0, 102))
        + labs(x=tr("confidence, %"), y=tr("accuracy, %"))
        + base(WIDTH if columns > 1 else HALF, tall * rows + 0.25)
        + theme(panel_spacing_x=0.02, panel_spacing_y=0.03)
    )


def _prepared(bins: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    data = bins[bins["variant"].isin(list(names))]
    shares = ["lower", "upper", "confidence", "accuracy", "low", "high"]
    data = data.assign(**{name: 100 * data[name].astype(float) for name in shares})
    total = data.groupby("variant")["count"].transform("sum")
    panel = pd.Categorical(data["variant"].map(names), list(names.values()), ordered=True)
    color = np.select([data["off"], data["count"] < look.FEW], [look.CONTRAST, PALE], look.ACCENT)
    return data.assign(
        share=100 * data["count"] / total,
        panel=panel,
        color=color,
        fill=np.where(data["off"], look.CONTRAST, "#ffffff"),
    )


def _breaks(left: float) -> list[int]:
    """Choose three ticks or more for the confidence axis, none at its left end, where panels meet."""
    step = next(step for below, step in ((50, 20), (80, 10), (90, 5), (101, 2)) if left < below)
    return [n for n in range(0, 101, step) if n >= left + 0.08 * (100 - left)]


def _top(data: pd.DataFrame) -> pd.DataFrame:
    """Say beside the highest column how many of the images it holds, where it holds most of them."""
    most = data.loc[data.groupby("panel", observed=True)["share"].idxmax()]
    most = most[(most["share"] >= MOST) & (most["lower"] > data["lower"].min() + 30)]
    label = [tr("{share} % of images", share=decimal(share, 0)) for share in most["share"]]
    return most.assign(label=label, x=most["lower"] - 1.5, y=8.0)
