"""Scores by class: a dot with its interval for the baseline and for the best, ticks for all others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    coord_cartesian,
    element_line,
    element_text,
    facet_wrap,
    geom_point,
    geom_segment,
    geom_text,
    ggplot,
    labs,
    scale_color_identity,
    scale_shape_identity,
    scale_x_continuous,
    scale_y_reverse,
    theme,
)

from reportgen.report import look
from reportgen.report.charts.costs import nice_breaks, tick_labels
from reportgen.report.look import WIDTH
from reportgen.report.theme import base
from reportgen.words import mark, tr

PANELS = {"recall": mark("recall, %"), "precision": mark("precision, %"), "f1": mark("F1, %")}
OFFSETS = {"best": -0.17, "baseline": 0.17, "other": 0.0}
COLORS = {"best": look.ACCENT, "baseline": look.CONTRAST, "other": "#b9bfc8"}
SHAPES = {"best": "o", "baseline": "D", "other": "|"}
GRID = {"color": look.HAIRLINE, "size": 0.4}
TALL = 0.168  # inches a class


def class_scores(scores: pd.DataFrame, classes: Sequence[str]) -> ggplot:
    """Draw recall, precision and F1 of each class side by side; the names of who stands out go on top.

    `scores` has name (of the class), variant, role (best, baseline or other), metric, value, low and high;
    `classes` are the names in order.
    """
    data = _prepared(scores, classes)
    strong, faint = data[data["role"] != "other"], data[data["role"] == "other"]
    limits = _limits(strong, faint)
    breaks = nice_breaks(*limits)
    grid = pd.DataFrame({"x": breaks, "top": -0.5, "end": len(classes) - 0.4})  # clear of the names on top
    return (
        ggplot(strong, aes("value", "y", color="color", shape="shape"))
        + geom_segment(aes("x", "top", xend="x", yend="end"), grid, inherit_aes=False, **GRID)
        + geom_point(data=faint, size=1.7, stroke=0.35)
        + geom_segment(aes("low", "y", xend="high", yend="y"), size=0.6)
        + geom_point(size=1.8, stroke=0)
        + geom_text(aes("value", "y", label="label"), _key(strong, limits), ha="left", size=look.SIZE)
        + facet_wrap("panel", ncol=3)
        + scale_color_identity()
        + scale_shape_identity()
        + scale_x_continuous(breaks=breaks, labels=tick_labels, expand=(0, 0))
        + scale_y_reverse(breaks=list(range(len(classes))), labels=list(classes), expand=(0, 0))
        + coord_cartesian(xlim=limits, ylim=(len(classes) - 0.4, -1.9))
        + labs(x="", y="")
        + base(WIDTH, 0.5 + TALL * (len(classes) + 1.5))
        + theme(
            panel_spacing_x=0.02,
            axis_text_y=element_text(ha="right", size=look.SIZE - 0.5),
            panel_grid_major_y=element_line(color=look.PALE, size=0.6),
        )
    )


def _prepared(scores: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    data = scores.dropna(subset="value").assign(
        value=lambda one: 100 * one["value"].astype(float),
        low=lambda one: 100 * one["low"].astype(float),
        high=lambda one: 100 * one["high"].astype(float),
    )
    panels = {metric: tr(title) for metric, title in PANELS.items()}
    panel = pd.Categorical(data["metric"].map(panels), list(panels.values()), ordered=True)
    row = data["name"].map({name: n for n, name in enumerate(classes)}).astype(float)
    return data.assign(
        panel=panel,
        y=row + data["role"].map(OFFSETS).astype(float),
        color=data["role"].map(COLORS),
        shape=data["role"].map(SHAPES),
    )


def _limits(strong: pd.DataFrame, faint: pd.DataFrame) -> tuple[float, float]:
    """Span all panels over the intervals, and over the ticks as far as they do not squeeze these."""
    low, high = float(strong["low"].min()), float(strong["high"].max())
    if len(faint):
        low = min(low, max(float(faint["value"].min()), low - 0.5 * (high - low)))
    room = 0.03 * max(high - low, 0.5)
    return max(low - room, -1.0), min(high + room, 101.0)


def _key(strong: pd.DataFrame, limits: tuple[float, float]) -> pd.DataFrame:
    """Name the variants that stand out, above the first panel, in their own colours."""
    first = strong[strong["panel"] == strong["panel"].cat.categories[0]]
    named = first.drop_duplicates("role").sort_values("role", ascending=False, kind="stable")
    sign = {"best": "●", "baseline": "◆"}
    label = [f"{sign[role]} {name}" for role, name in zip(named["role"], named["variant"], strict=True)]
    places = np.linspace(-1.55, -0.85, len(named)) if len(named) > 1 else [-1.2]
    return named.assign(label=label, value=limits[0] + 0.02 * (limits[1] - limits[0]), y=places)
