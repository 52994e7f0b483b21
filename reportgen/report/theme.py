"""The shared base that each chart declares itself on, and how a chart becomes an SVG."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from matplotlib import font_manager, rc_context
from plotnine import element_blank, element_line, element_text, ggplot, theme, theme_minimal

from reportgen.errors import RenderError
from reportgen.report.look import GREY, HAIRLINE, INK, SIZE, chart_type, more_types
from reportgen.report.svg import compact

SANS = "Reportgen Sans"
CHINESE = "Reportgen Chinese"
# The last, matplotlib's own, has letters that the others lack. No list: plotnine gives the first of three
# panels' titles the first name of a list of three, the second title the second, and so on.
FAMILIES: Any = dict.fromkeys((SANS, CHINESE, "DejaVu Sans"))
# A dollar sign in a class's name is a dollar sign; the same plot gives the same bytes.
SETTINGS: Any = {"text.parse_math": False, "svg.hashsalt": "reportgen", "axes.unicode_minus": True}


@cache
def use_fonts() -> None:
    """Make the shipped type known to matplotlib, under a name of our own.

    The files' own family names carry their weights.
    """
    # The semibold stands in as bold, a weight that the fallback type has too.
    for shipped, weight in ((400, 400), (600, 700)):
        for name, file in ((SANS, chart_type(shipped)), *((CHINESE, one) for one in more_types(shipped))):
            entry = font_manager.FontEntry(fname=str(file), name=name, weight=weight)
            font_manager.fontManager.ttflist.append(entry)


def base(width: float, height: float) -> theme:
    """Give the shared theme: a white page, hairlines, no frame; sizes in inches."""
    return theme_minimal(base_size=SIZE) + theme(
        figure_size=(width, height),
        text=element_text(family=FAMILIES, color=INK, size=SIZE),
        axis_text=element_text(color=INK, size=SIZE - 0.5),
        axis_title=element_text(color=GREY, size=SIZE),
        panel_grid_major_y=element_line(color=HAIRLINE, size=0.4),
        panel_grid_major_x=element_blank(),
        panel_grid_minor=element_blank(),
        strip_text=element_text(weight="bold", size=SIZE + 0.5, ha="left", color=INK, lineheight=0.9),
        legend_position="none",
        plot_margin=0.01,
    )


def to_svg(plot: ggplot) -> bytes:
    """Draw a plot; text becomes paths, so that it looks the same everywhere. Raises RenderError."""
    use_fonts()
    buffer = io.BytesIO()
    metadata: dict[str, Any] = {"Date": None, "Creator": None}
    try:
        with rc_context(SETTINGS):
            plot.save(buffer, format="svg", verbose=False, metadata=metadata)
    except Exception as error:  # plotnine raises many kinds; each is a bug of ours
        raise RenderError(f"a chart could not be drawn: {type(error).__name__}: {error}") from error
    return compact(buffer.getvalue())
