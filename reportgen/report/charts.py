"""Charts: a frame in, a ggplot out. What varies is declared here; the look is theme.py's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    coord_cartesian,
    coord_fixed,
    element_blank,
    element_text,
    facet_wrap,
    geom_line,
    geom_linerange,
    geom_point,
    geom_segment,
    geom_text,
    geom_tile,
    ggplot,
    labs,
    scale_color_identity,
    scale_color_manual,
    scale_fill_gradient,
    scale_linetype_manual,
    scale_shape_manual,
    scale_x_continuous,
    scale_x_log10,
    scale_y_continuous,
    scale_y_reverse,
    theme,
)

from reportgen.analysis.scores import Leaderboard
from reportgen.report import theme as look
from reportgen.report.labels import place
from reportgen.text import inert

PANELS_IN_A_ROW = 4
WIDTH = 6.5  # inches: the text block of the page
HALF = 3.1
THIRD = 2.05


def learning_curves(epochs: pd.DataFrame, metric: str, variants: Sequence[str]) -> ggplot:
    """Draw one panel a variant: a metric by epoch, train and validation, each seed thin, the mean strong.

    `epochs` is the frame of that name. Every panel repeats the others' validation means as faint lines.
    """
    names = {variant: look.wrap_name(variant) for variant in variants}
    data = epochs[(epochs["metric"] == metric) & np.isfinite(epochs["value"].astype(float))]
    data = data[data["variant"].isin(variants)].astype({"value": float, "epoch": int, "seed": int})
    panel = pd.Categorical(data["variant"].map(names), list(names.values()), ordered=True)
    data = data.assign(panel=panel, line=data["split"] + data["seed"].astype(str))
    if metric == "accuracy":
        data = data.assign(value=100 * data["value"])
    means = data.groupby(["panel", "split", "epoch"], observed=True)["value"].mean().reset_index()
    others = means[means["split"] == "validation"].rename(columns={"panel": "other"})
    rows = -(-len(names) // PANELS_IN_A_ROW)
    tall = max(name.count("\n") for name in names.values()) * 0.13
    title = "accuracy, %" if metric == "accuracy" else "loss (cross-entropy)"
    lines: Any = [
        geom_line(aes(group="other"), others, color=look.HAIRLINE, size=0.5),
        geom_line(aes(group="line", linetype="split", color="split"), data, size=0.35, alpha=0.5),
        geom_line(aes(linetype="split", color="split"), size=0.8),
    ]
    if means["epoch"].nunique() == 1:  # one point makes no line
        lines = []
    return (
        ggplot(means, aes("epoch", "value"))
        + lines
        + geom_point(aes(shape="split", color="split"), size=1.5, stroke=0)
        + geom_point(aes(color="split"), _reported(means), size=2.4, stroke=0)
        + geom_text(aes(label="label", color="split"), _split_labels(means), ha="left", size=look.SIZE)
        + facet_wrap("panel", ncol=min(PANELS_IN_A_ROW, len(names)))
        + scale_linetype_manual({"train": (0, (2.5, 1.5)), "validation": "solid"})
        + scale_shape_manual({"train": "^", "validation": "o"})
        + _split_colors()
        + scale_x_continuous(breaks=_whole_breaks(int(means["epoch"].max())), expand=(0.06, 0))
        + coord_cartesian(ylim=_robust_limits(means["value"], metric))
        + labs(x="epoch", y=title)
        + look.base(WIDTH, (1.42 + tall) * rows + 0.25)
        + theme(panel_spacing_x=0.02, panel_spacing_y=0.03)
    )


def _split_colors() -> scale_color_manual:
    return scale_color_manual({"train": look.CONTRAST, "validation": look.ACCENT})


def _reported(means: pd.DataFrame) -> pd.DataFrame:
    """Take each panel's last validation point: the epoch that is reported."""
    return means[(means["split"] == "validation") & (means["epoch"] == means["epoch"].max())]


def _split_labels(means: pd.DataFrame) -> pd.DataFrame:
    """Name the two lines in the first panel, where they are furthest apart."""
    first = means[means["panel"] == means["panel"].iloc[0]]
    wide = first.pivot_table(index="epoch", columns="split", values="value", observed=True).dropna()
    if wide.empty or len(wide.columns) < 2:
        return first.head(0).assign(label="")
    inner = wide.iloc[1:] if len(wide) > 2 else wide
    epoch = (inner["train"] - inner["validation"]).abs().idxmax()
    row = wide.loc[epoch]
    span = max(float(means["value"].max() - means["value"].min()), 1e-9)
    up = 1 if row["validation"] >= row["train"] else -1
    return pd.DataFrame(
        {
            "panel": pd.Categorical([first["panel"].iloc[0]] * 2, dtype=means["panel"].dtype),
            "split": ["train", "validation"],
            "label": ["train", "validation"],
            "epoch": [epoch + 0.03 * len(wide)] * 2,
            "value": [row["train"] - up * 0.13 * span, row["validation"] + up * 0.13 * span],
        }
    )


def _whole_breaks(last: int) -> list[int]:
    step = max(1, -(-last // 6))
    if last > 6:
        step = next(nice for nice in (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if nice >= step)
    return [1] if last == 1 else [n for n in range(1, last + 1) if (n % step == 0 or step == 1)]


def _robust_limits(values: pd.Series, metric: str) -> tuple[float, float]:
    """Bound the axis by the data, with room for labels; an accuracy never goes beyond 100 %."""
    low, high = float(values.min()), float(values.max())
    room = 0.12 * max(high - low, 1e-6 if metric == "loss" else 0.5)
    top = min(high + room, 100.6) if metric == "accuracy" else high + room
    return (max(low - room, 0.0), top)


def cost_against_accuracy(board: Leaderboard, cost: str) -> ggplot:
    """Place each variant by what it costs ("params" or "seconds", log scale) and its test accuracy."""
    data = pd.DataFrame(
        {
            "variant": [one.variant for one in board.scored],
            "x": [float(getattr(one, cost)) for one in board.scored],
            "y": [100 * one.accuracy for one in board.scored],
            "low": [100 * one.low for one in board.scored],
            "high": [100 * one.high for one in board.scored],
            "color": [look.CONTRAST if one.baseline else look.ACCENT for one in board.scored],
            "shape": ["baseline" if one.baseline else "variant" for one in board.scored],
        }
    )
    height = 2.5
    data = place(data, width=HALF - 0.45, height=height - 0.4, points=look.SIZE - 0.5)
    limits = data.attrs["x_limits"], data.attrs["y_limits"]
    title = {"params": "parameters (log scale)", "seconds": "seconds of training (log scale)"}[cost]
    return (
        ggplot(data, aes("x", "y", color="color"))
        + geom_linerange(aes(ymin="low", ymax="high"), size=0.7)
        + geom_point(aes(shape="shape"), size=2.4, stroke=0)
        + geom_segment(
            aes("x", "y", xend="label_x", yend="label_y"),
            data[data["far"]],
            color=look.GREY,
            size=0.25,
        )
        + geom_text(aes("label_x", "label_y", label="label"), ha="left", va="center", size=look.SIZE - 0.5)
        + scale_color_identity()
        + scale_shape_manual({"baseline": "D", "variant": "o"})
        + scale_x_log10(labels=_short_counts, breaks=_log_breaks(*limits[0]), limits=limits[0], expand=(0, 0))
        + scale_y_continuous(breaks=_nice_breaks(*limits[1]), limits=limits[1], expand=(0, 0))
        + labs(x=title, y="test accuracy, %")
        + look.base(HALF, height)
    )


def _short_counts(values: Any) -> list[str]:
    return [_short(value) for value in values]


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _log_breaks(low: float, high: float) -> list[float]:
    """Choose two to six of 1, 2, 5 times a power of ten inside the limits."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), tuple(np.arange(1, 10, 0.5))):
        breaks = [s * 10.0**d for d in decades for s in steps if low <= s * 10.0**d <= high]
        if len(breaks) >= 3:
            return breaks if len(breaks) <= 6 else breaks[:: -(-len(breaks) // 6)]
    return breaks


def _nice_breaks(low: float, high: float) -> list[float]:
    """Choose three to six round values inside the limits, none beyond 100 %."""
    span = max(high - low, 1e-6)
    for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50):
        if span / step <= 6:
            first = np.ceil(low / step)
            return [round(step * n, 4) for n in np.arange(first, high / step) if step * n <= 100]
    return [0, 50, 100]


def confusion_matrix(
    confusion: pd.DataFrame, classes: Sequence[str], darkest: float, width: float = HALF
) -> ggplot:
    """Draw one training's confusion: mistakes coloured by their share of the row, the diagonal grey.

    `confusion` has label, predicted, count; `darkest` is the share that takes the darkest colour, the same
    for all variants of a report, so that matrices can be compared.
    """
    k = len(classes)
    data = confusion.astype({"label": int, "predicted": int, "count": int})
    totals = data.groupby("label")["count"].transform("sum").clip(lower=1)
    data = data.assign(share=data["count"] / totals, right=data["label"] == data["predicted"])
    wrong, right = data[~data["right"]], data[data["right"]]
    dark = wrong["share"] > 0.55 * darkest
    size = min(look.SIZE - 0.5, 26 * width / k)  # points that let four figures into a cell
    plot = (
        ggplot(data, aes("predicted", "label"))
        + geom_tile(aes(fill="share"), wrong, color="white", size=0.6)
        + geom_tile(data=right, fill=look.PALE, color="white", size=0.6)
        + scale_fill_gradient("#f7fafd", look.ACCENT, limits=(0, max(darkest, 1e-9)))
        + scale_x_continuous(breaks=_class_breaks(k), labels=_class_labels(classes), expand=(0, 0))
        + scale_y_reverse(breaks=_class_breaks(k), labels=_class_labels(classes), expand=(0, 0))
        + coord_fixed()
        + labs(x="predicted", y="true")
        + look.base(width, width)
        + theme(
            panel_grid_major_y=element_blank(),
            axis_ticks=element_blank(),
            axis_title=element_text(size=look.SIZE - (0 if width == HALF else 1)),
            axis_text=element_text(size=look.SIZE - (0.5 if width == HALF else 1.2)),
        )
    )
    if any(len(name) > 2 for name in classes):
        plot += theme(axis_text_x=element_text(rotation=45, ha="right", rotation_mode="anchor"))
    if k > 20:
        return plot
    counted = wrong["count"] > 0
    return (
        plot
        + geom_text(aes(label="count"), right, color=look.GREY, size=size)
        + geom_text(aes(label="count"), wrong[counted & ~dark], color=look.INK, size=size)
        + geom_text(aes(label="count"), wrong[counted & dark], color="white", size=size)
    )


def _class_breaks(k: int) -> list[int]:
    return list(range(0, k, -(-k // 25)))


def _class_labels(classes: Sequence[str]) -> list[str]:
    return [inert(classes[n], 14) for n in _class_breaks(len(classes))]
