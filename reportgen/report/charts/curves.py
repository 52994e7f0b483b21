"""Learning curves: a metric by epoch, a panel a variant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    coord_cartesian,
    facet_wrap,
    geom_line,
    geom_point,
    geom_text,
    ggplot,
    labs,
    scale_color_manual,
    scale_linetype_manual,
    scale_shape_manual,
    scale_x_continuous,
    scale_y_continuous,
    theme,
)

from reportgen.report import look
from reportgen.report.charts.costs import tick_labels
from reportgen.report.look import HALF, PANELS_IN_A_FIGURE, WIDTH
from reportgen.report.theme import base
from reportgen.words import mark, tr

MOST_MARKED = 12  # epochs
SPLITS = {"train": mark("train"), "validation": mark("validation")}
TITLES = {"accuracy": mark("accuracy, %"), "loss": mark("loss (cross-entropy)")}


def learning_curves(epochs: pd.DataFrame, metric: str, variants: Sequence[str]) -> ggplot:
    """Draw one panel a variant: a metric by epoch, train and validation, each seed thin, the mean strong.

    `epochs` is the frame of that name. Every panel repeats the validation means of all its variants as
    faint lines, and all figures made of one frame share their axes.
    """
    names = {variant: look.wrap_name(variant) for variant in variants}
    data, means = _curve_data(epochs, metric)
    limits = _robust_limits(means["value"], metric)
    others = _lines(means[means["split"] == "validation"], "variant")
    data, means = _in_panels(data, names), _in_panels(means, names)
    columns = look.panel_columns(len(names))
    rows = -(-len(names) // columns)
    tall = (1.42 if rows < 3 else 1.34) + max(name.count("\n") for name in names.values()) * 0.13
    faint = 0.5 if others["variant"].nunique() <= PANELS_IN_A_FIGURE else 0.2
    return (
        ggplot(means, aes("epoch", "value"))
        + geom_line(aes(group="variant"), others, color=look.HAIRLINE, size=faint)
        + geom_line(
            aes(group="line", linetype="split", color="split"), _lines(data, "line"), size=0.35, alpha=0.5
        )
        + geom_line(aes(linetype="split", color="split"), _lines(means, "line"), size=0.8)
        + geom_point(aes(shape="split", color="split"), _marked(means), size=1.5, stroke=0)
        + geom_point(aes(color="split"), _reported(means), size=2.4, stroke=0)
        + geom_text(
            aes(label="label", color="split"), _split_labels(means, limits), ha="left", size=look.SIZE
        )
        + facet_wrap("panel", ncol=columns)
        + scale_linetype_manual({"train": (0, (2.5, 1.5)), "validation": "solid"})
        + scale_shape_manual({"train": "^", "validation": "o"})
        + _split_colors()
        + scale_x_continuous(breaks=_whole_breaks(int(means["epoch"].max())), expand=(0.06, 0))
        + scale_y_continuous(labels=tick_labels)
        + coord_cartesian(xlim=_epoch_limits(means), ylim=limits)
        + labs(x=tr("epoch"), y=tr(TITLES[metric]))
        + base(WIDTH if columns > 1 else HALF, tall * rows + 0.25)
        + theme(panel_spacing_x=0.02, panel_spacing_y=0.03)
    )


def _curve_data(epochs: pd.DataFrame, metric: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give a metric's finite values, an accuracy in per cent, and their means over the seeds."""
    data = epochs[(epochs["metric"] == metric) & np.isfinite(epochs["value"].astype(float))]
    data = data.astype({"variant": str, "split": str, "value": float, "epoch": int, "seed": int})
    data = data.assign(line=data["variant"] + data["split"] + data["seed"].astype(str))
    if metric == "accuracy":
        data = data.assign(value=100 * data["value"])
    means = data.groupby(["variant", "split", "epoch"], sort=False)["value"].mean().reset_index()
    return data, means.assign(line=means["variant"] + means["split"])


def _in_panels(data: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    data = data[data["variant"].isin(list(names))]
    panel = pd.Categorical(data["variant"].map(names), list(names.values()), ordered=True)
    return data.assign(panel=panel)


def _lines(data: pd.DataFrame, group: str) -> pd.DataFrame:
    """Leave out what makes no line: groups of one point."""
    return data[data.groupby(group)["epoch"].transform("size") > 1]


def _marked(means: pd.DataFrame) -> pd.DataFrame:
    """Mark every epoch, unless they stand too close."""
    return means if means["epoch"].max() <= MOST_MARKED else means[means["epoch"] == means["epoch"].max()]


def _epoch_limits(means: pd.DataFrame) -> tuple[float, float]:
    last = float(means["epoch"].max())
    return (1.0, last) if last > 1 else (0.7, 1.9)


def _split_colors() -> scale_color_manual:
    return scale_color_manual({"train": look.CONTRAST, "validation": look.ACCENT})


def _reported(means: pd.DataFrame) -> pd.DataFrame:
    """Take each panel's last validation point: the epoch that is reported."""
    return means[(means["split"] == "validation") & (means["epoch"] == means["epoch"].max())]


def _split_labels(means: pd.DataFrame, limits: tuple[float, float]) -> pd.DataFrame:
    """Name the two lines in the first panel, each near its own line and clear of both."""
    first = means[means["panel"] == means["panel"].iloc[0]]
    wide = first.pivot_table(index="epoch", columns="split", values="value", observed=True).dropna()
    spots: list[tuple[str, float, float]] = []
    if len(wide) and len(wide.columns) == 2:
        for split, other in (("validation", "train"), ("train", "validation")):
            spot = _spot_by_line(wide[split], wide[other], limits, [one[1:] for one in spots])
            spots += [(split, *spot)] if spot else []
    frame = pd.DataFrame(spots, columns=["split", "epoch", "value"])
    panel = pd.Categorical([first["panel"].iloc[0]] * len(frame), dtype=means["panel"].dtype)
    return frame.assign(label=[tr(SPLITS[split]) for split in frame["split"]], panel=panel)


def _spot_by_line(
    own: pd.Series, other: pd.Series, limits: tuple[float, float], taken: list[tuple[float, float]]
) -> tuple[float, float] | None:
    """Find where a label starts that is near its own line, clear of both and of other labels, or None."""
    epochs = own.index.to_numpy(float)
    wide = (epochs[-1] - epochs[0]) * 0.4  # a label's width, in a panel a quarter of the page wide
    tall = (limits[1] - limits[0]) * 0.11
    if len(epochs) == 1:  # beside the point, and off the other's label
        return 1.08, float(own.iloc[0]) + (0.5 * tall if own.iloc[0] >= other.iloc[0] else -0.5 * tall)
    best = None
    for start in np.linspace(epochs[0] + 0.1 * wide, epochs[-1] - wide, 12):
        across = np.linspace(start - 0.1 * wide, start + wide, 25)
        lines = [np.interp(across, epochs, line.to_numpy(float)) for line in (own, other)]
        for value in np.linspace(limits[0] + 0.6 * tall, limits[1] - 0.6 * tall, 30):
            near, off = (float(np.abs(value - line).min()) for line in lines)
            crossed = any(line.min() < value < line.max() for line in lines)
            free = not crossed and all(
                abs(value - y) > 1.2 * tall or abs(start - x) > 1.1 * wide for x, y in taken
            )
            if not free or near < 0.7 * tall or off < 0.7 * tall or near > off:
                continue
            cost = near - 0.2 * min(off, 3 * tall)
            if best is None or cost < best[0]:
                best = (cost, float(start), float(value))
    return best[1:] if best else None


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
