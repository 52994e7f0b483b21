"""How trained networks fare on changed test images: moved by some pixels, or up to an edge."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    coord_cartesian,
    element_line,
    element_text,
    facet_wrap,
    geom_line,
    geom_point,
    geom_segment,
    geom_text,
    ggplot,
    labs,
    scale_color_identity,
    scale_linetype_identity,
    scale_shape_identity,
    scale_x_continuous,
    scale_y_continuous,
    scale_y_reverse,
    theme,
)

from reportgen.report import look
from reportgen.report.charts.costs import nice_breaks, tick_labels
from reportgen.report.look import WIDTH
from reportgen.report.theme import base
from reportgen.words import mark, tr

EDGES = {"left": mark("left"), "right": mark("right"), "top": mark("top"), "bottom": mark("bottom")}
SHAPES = ("o", "s", "^", "v", "P", "X", "*")
LINES = ("solid", "dashed", "dotted", "dashdot")
MOST_LABELS = 20
MOST_ROWS = 48  # fill a page
ROW_HEIGHT = 0.168  # inches a variant
LABEL_HEIGHT = 0.125  # inches, that a line of chart type takes
ROOM = 0.42  # inches above and below the panel


def accuracy_by_shift(probes: pd.DataFrame, baseline: str) -> ggplot:
    """Draw a line a variant, accuracy by how many pixels the images were moved; names stand at the right.

    `probes` has the columns variant, pixels and accuracy, a row a variant and shift.
    """
    data = _marked(_prepared(probes, baseline)).assign(x=lambda one: one["pixels"].astype(float))
    last = float(data["x"].max())
    plot = _lines(data, last, _height(data))
    return (
        plot
        + scale_x_continuous(breaks=sorted(data["x"].unique()), labels=tick_labels)
        + labs(x=tr("pixels that the images were moved"), y=tr("accuracy, %"))
    )


def accuracy_at_edges(probes: pd.DataFrame, baseline: str) -> ggplot:
    """Draw a panel an edge and a row a variant, a dot with its interval each; the best on average on top.

    `probes` has the columns variant, level, accuracy, low and high, a row a variant and edge. Of more than
    MOST_ROWS variants, the best and the baseline are drawn.
    """
    edges = [edge for edge in EDGES if edge in set(probes["level"])]
    data = _prepared(probes[probes["level"].isin(edges)], baseline)
    names = _rows(data, baseline)
    data = data[data["variant"].isin(names)].assign(
        panel=lambda one: pd.Categorical(
            one["level"].map(EDGES).map(tr), [tr(EDGES[edge]) for edge in edges], ordered=True
        ),
        y=lambda one: one["variant"].map(names.index).astype(float),
        low=lambda one: 100 * one["low"].astype(float),
        high=lambda one: 100 * one["high"].astype(float),
        shape=lambda one: np.where(one["variant"] == baseline, "D", "o"),
    )
    limits = _limits(data)
    return (
        ggplot(data, aes("value", "y", color="color", shape="shape"))
        + geom_segment(aes("low", "y", xend="high", yend="y"), size=0.6)
        + geom_point(size=1.8, stroke=0)
        + facet_wrap("panel", ncol=len(EDGES))
        + scale_color_identity()
        + scale_shape_identity()
        + scale_x_continuous(breaks=nice_breaks(*limits), labels=tick_labels, expand=(0, 0))
        + scale_y_reverse(breaks=list(range(len(names))), labels=names, expand=(0, 0))
        + coord_cartesian(xlim=limits, ylim=(len(names) - 0.4, -0.6))
        + labs(x=tr("accuracy at the edge, %"), y="")
        + base(WIDTH, 0.65 + ROW_HEIGHT * len(names))
        + theme(
            panel_spacing_x=0.025,
            panel_grid_major_x=element_line(color=look.HAIRLINE, size=0.4),
            panel_grid_major_y=element_line(color=look.PALE, size=0.6),
            axis_text_y=element_text(ha="right", va="center", size=look.SIZE - 0.5),
        )
    )


def _rows(data: pd.DataFrame, baseline: str) -> list[str]:
    """List the variants from the best on average to the worst, as many as there is room for."""
    means = data.groupby("variant", sort=False)["value"].mean().sort_values(ascending=False, kind="stable")
    names = list(means.index)
    kept = names[:MOST_ROWS]
    if baseline in names[MOST_ROWS:]:
        kept[-1] = baseline
    return kept


def _limits(data: pd.DataFrame) -> tuple[float, float]:
    low, high = float(data["low"].min()), float(data["high"].max())
    room = 0.05 * max(high - low, 0.5)
    return max(low - room, -1.0), min(high + room, 101.0)


def _prepared(probes: pd.DataFrame, baseline: str) -> pd.DataFrame:
    data = probes.assign(variant=probes["variant"].astype(str), level=probes["level"].astype(str))
    is_baseline = data["variant"] == baseline
    return data.assign(
        value=100 * data["accuracy"].astype(float),
        color=np.where(is_baseline, look.CONTRAST, look.ACCENT),
        shape=np.where(is_baseline, "D", "o"),  # told apart without colour too
    )


def _marked(data: pd.DataFrame) -> pd.DataFrame:
    """Give each line a mark of its own: where lines cross, colour and names at their ends are not enough."""
    names = data.loc[data["shape"] != "D", "variant"].unique()
    marks = {
        name: (SHAPES[n % len(SHAPES)], LINES[n // len(SHAPES) % len(LINES)]) for n, name in enumerate(names)
    }
    own = [marks.get(name, ("D", "solid")) for name in data["variant"]]
    return data.assign(shape=[shape for shape, _ in own], line=[line for _, line in own])


def _height(data: pd.DataFrame) -> float:
    lines: int = min(data["variant"].nunique(), MOST_LABELS)
    return max(2.7, ROOM * 2 + lines * LABEL_HEIGHT * 1.2)


def _lines(data: pd.DataFrame, last: float, height: float) -> ggplot:
    span = max(float(data["value"].max() - data["value"].min()), 0.5)
    limits = (float(data["value"].min()) - 0.04 * span, min(float(data["value"].max()) + 0.04 * span, 100.2))
    ends = _spread(data[data["x"] == last], limits, height)
    wide = max(last, 1.0)
    ends = ends.assign(lead=last + 0.05 * wide, mark_x=last + 0.065 * wide, name_x=last + 0.08 * wide)
    longest = max((look.text_width(name, look.SIZE) for name in ends["variant"]), default=0.5)
    room = wide * 0.1 + wide * longest / (WIDTH - 0.6 - longest)
    return (
        ggplot(data, aes("x", "value", color="color"))
        + geom_line(
            aes(group="variant", linetype="line"),
            data[data.groupby("variant")["x"].transform("size") > 1],
            size=0.6,
        )
        + geom_point(aes(shape="shape"), size=2, stroke=0)
        + geom_segment(aes("x", "value", xend="lead", yend="y"), ends, color=look.GREY, size=0.25)
        + geom_point(aes("mark_x", "y", shape="shape"), ends, size=2, stroke=0)
        + geom_text(aes("name_x", "y", label="variant"), ends, ha="left", va="center", size=look.SIZE - 0.5)
        + scale_color_identity()
        + scale_shape_identity()
        + scale_linetype_identity()
        + scale_y_continuous(labels=tick_labels, expand=(0, 0))
        + coord_cartesian(xlim=(0, last + room), ylim=limits)
        + base(WIDTH, height)
    )


def _spread(ends: pd.DataFrame, limits: tuple[float, float], height: float) -> pd.DataFrame:
    """Set the names at the right one below the other where the lines end too close together.

    Beyond MOST_LABELS, the lines of the highest accuracies are named.
    """
    ends = ends.sort_values("value", ascending=False, kind="stable").head(MOST_LABELS)
    step = (limits[1] - limits[0]) * LABEL_HEIGHT / (height - ROOM)
    places: list[float] = []
    for value in ends["value"]:
        places.append(min(value, places[-1] - step) if places else min(value, limits[1] - step / 2))
    lowest = limits[0] + step / 2
    for n in range(len(places) - 1, -1, -1):  # pushed back up, where the last ones fell off the panel
        floor = lowest if n == len(places) - 1 else places[n + 1] + step
        places[n] = max(places[n], floor)
    return ends.assign(y=places)
