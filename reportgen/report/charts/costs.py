"""What accuracy costs: parameters or seconds against it."""

from __future__ import annotations

from typing import Any

import numpy as np
from mizani.labels import label_number
from plotnine import (
    aes,
    geom_linerange,
    geom_point,
    geom_segment,
    geom_text,
    ggplot,
    labs,
    scale_color_identity,
    scale_shape_manual,
    scale_x_log10,
    scale_y_continuous,
)

from reportgen.analysis.scores import Leaderboard
from reportgen.report import look
from reportgen.report.labels import labelled
from reportgen.report.look import HALF
from reportgen.report.theme import base
from reportgen.text import decimal, general
from reportgen.words import mark, tr

TITLES = {"params": mark("parameters (log scale)"), "seconds": mark("seconds of training (log scale)")}


def cost_against_accuracy(board: Leaderboard, cost: str, width: float = HALF) -> ggplot:
    """Place each variant by what it costs ("params" or "seconds", log scale) and its test accuracy.

    Names that would cover one another are left out; `labelled` tells which stay.
    """
    data = labelled(board, cost, width)
    limits = data.attrs["x_limits"], data.attrs["y_limits"]
    return (
        ggplot(data, aes("x", "y", color="color"))
        + geom_linerange(aes(ymin="low", ymax="high"), size=0.7)
        + geom_point(aes(shape="shape"), size=2.4, stroke=0)
        + geom_segment(
            aes("x", "y", xend="lead_x", yend="lead_y"),
            data[data["far"]],
            color=look.GREY,
            size=0.25,
        )
        + geom_text(
            aes("label_x", "label_y", label="label"),
            ha="left",
            va="center",
            size=look.SIZE - 0.5,
            lineheight=0.9,
        )
        + scale_color_identity()
        + scale_shape_manual({"baseline": "D", "variant": "o"})
        + scale_x_log10(
            labels=_short_counts,
            breaks=_log_breaks(*limits[0]),
            minor_breaks=[],  # by default they are made from two breaks, and there may be one
            limits=limits[0],
            expand=(0, 0),
        )
        + scale_y_continuous(
            breaks=nice_breaks(*limits[1]), labels=tick_labels, limits=limits[1], expand=(0, 0)
        )
        + labs(x=tr(TITLES[cost]), y=tr("test accuracy, %"))
        + base(width, look.COST_HEIGHT[width])
    )


def _short_counts(values: Any) -> list[str]:
    return [_short(value) for value in values]


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{general(value / size)}{letter}"
    return general(value)


def _log_breaks(low: float, high: float) -> list[float]:
    """Choose two to six of 1, 2, 5 times a power of ten inside the limits."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), tuple(np.arange(1, 10, 0.5))):
        breaks = [s * 10.0**d for d in decades for s in steps if low <= s * 10.0**d <= high]
        if len(breaks) >= 3:
            return breaks if len(breaks) <= 6 else breaks[:: -(-len(breaks) // 6)]
    return breaks


def tick_labels(values: Any) -> list[str]:
    """Label ticks as plotnine does by itself, with the decimal sign of the language."""
    return list(label_number(decimal_mark=decimal(0.5, 1)[1])(values))


def nice_breaks(low: float, high: float) -> list[float]:
    """Choose three to six round values inside the limits, none beyond 100 %."""
    span = max(high - low, 1e-6)
    for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50):
        if span / step <= 6:
            first = np.ceil(low / step)
            return [round(step * n, 4) for n in np.arange(first, high / step) if step * n <= 100]
    return [0, 50, 100]
