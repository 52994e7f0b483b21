"""All pairs of variants, as a triangle with the names along its edge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    coord_cartesian,
    element_blank,
    geom_text,
    geom_tile,
    ggplot,
    scale_color_identity,
    scale_fill_identity,
    scale_x_continuous,
    scale_y_reverse,
    theme,
)

from reportgen.report import look
from reportgen.report.look import PAIRS_COUNTED, WIDTH
from reportgen.report.theme import base
from reportgen.text import signed

WIDEST = 0.66  # inches of a cell
GAP = 0.02  # inches between cells
PAD = 0.06  # inches before a name
TALL, SHORT = 0.235, 0.135  # inches of a row with numbers, and of one without


def pair_matrix(pairs: pd.DataFrame, names: Sequence[str], baseline: str, digits: int = 2) -> ggplot:
    """Draw a cell a pair, coloured where the two can be told apart; up to PAIRS_COUNTED with its points.

    `pairs` has the columns ahead, behind, points and apart; `names` are the variants in order. A name stands
    at the end of its row, which is also the head of its column.
    """
    rank = {name: n for n, name in enumerate(names)}
    counted = len(names) <= PAIRS_COUNTED
    tall, wide = (TALL if counted else SHORT), cell_width(names)
    data = pairs.assign(
        x=pairs["ahead"].map(rank).astype(float),
        y=pairs["behind"].map(rank).astype(float),
        label=[signed(value, digits) for value in pairs["points"]],
        fill=np.where(pairs["apart"], look.ACCENT, look.PALE),
        ink=np.where(pairs["apart"], "#ffffff", look.GREY),
    ).sort_values("fill", kind="stable")
    edge = pd.DataFrame({"x": [n - 0.5 + PAD / wide for n in range(len(names))], "name": list(names)})
    ink = [look.CONTRAST if name == baseline else look.INK for name in names]
    edge = edge.assign(y=np.arange(len(names), dtype=float), ink=ink)
    plot = (
        ggplot(data, aes("x", "y"))
        + geom_tile(aes(fill="fill"), width=1 - GAP / wide, height=1 - GAP / tall)
        + geom_text(aes(label="name", color="ink"), edge, ha="left", va="center", size=look.SIZE - 0.5)
        + scale_fill_identity()
        + scale_color_identity()
        + scale_x_continuous(expand=(0, 0))
        + scale_y_reverse(expand=(0, 0))
        + coord_cartesian(xlim=(-0.5, -0.5 + WIDTH / wide), ylim=(len(names) - 0.5, -0.5))
        + base(WIDTH, tall * len(names))
        + theme(
            panel_grid=element_blank(),
            axis_title=element_blank(),
            axis_text=element_blank(),
            axis_ticks=element_blank(),
            plot_margin=0,
        )
    )
    return plot + geom_text(aes(label="label", color="ink"), size=look.SIZE - 0.5) if counted else plot


def cell_width(names: Sequence[str]) -> float:
    """Choose a cell's width in inches that leaves every name its room at the right."""
    room = (
        (WIDTH - 2 * PAD - look.text_width(name, look.SIZE - 0.5)) / n for n, name in enumerate(names) if n
    )
    return min(WIDEST, *room)
