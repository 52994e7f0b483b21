"""The look of charts: colours, type and the shared base that each chart declares itself on."""

from __future__ import annotations

import io
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import font_manager, rc_context
from matplotlib.ft2font import FT2Font, LoadFlags
from plotnine import element_blank, element_line, element_text, ggplot, theme, theme_minimal

from reportgen.errors import RenderError
from reportgen.report.templates import template_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCENT = "#0b5cad"
CONTRAST = "#c2570c"
GREY = "#6b7280"
HAIRLINE = "#d7dade"
PALE = "#f3f4f6"
INK = "#1b1f24"
SANS = "Reportgen Sans"
FALLBACK = "DejaVu Sans"  # comes with matplotlib
FAMILIES = [SANS, "DejaVu Sans"]  # the second has the letters that the first lacks
# A dollar sign in a class's name is a dollar sign; the same plot gives the same bytes.
SETTINGS: Any = {"text.parse_math": False, "svg.hashsalt": "reportgen", "axes.unicode_minus": True}
SIZE = 7.5  # points; charts are drawn at the size at which they are printed


@cache
def use_fonts() -> tempfile.TemporaryDirectory[str]:
    """Make the shipped type known to matplotlib, under a name of our own; gives where it is unpacked.

    The files' own family names carry their weights, and matplotlib reads no WOFF2: each is unpacked once
    for this process, and registered by file.
    """
    unpacked = tempfile.TemporaryDirectory(prefix="reportgen-fonts-")
    # The semibold stands in as bold, a weight that the fallback type has too.
    for stem, weight in (("400", 400), ("600", 700)):
        source = template_folder() / "fonts" / f"source-sans-3-latin-{stem}-normal.woff2"
        file = Path(unpacked.name) / f"{stem}.ttf"
        _unpack(source, file)
        font_manager.fontManager.ttflist.append(
            font_manager.FontEntry(fname=str(file), name=SANS, weight=weight)
        )
    return unpacked


def _unpack(source: Path, target: Path) -> None:
    from fontTools.ttLib import TTFont  # noqa: PLC0415  slow to import, and needed once

    font = TTFont(str(source))
    font.flavor = None
    font.save(str(target))


def text_width(text: str, points: float) -> float:
    """Measure a line of chart type, in inches."""
    return sum(_advance(character) for character in text) * points / 72


@cache
def _advance(character: str) -> float:
    """Give a character's width in ems; one that the type lacks is taken to be a full em wide."""
    font = _regular()
    if not font.get_char_index(ord(character)):
        return 1.0
    return float(font.load_char(ord(character), LoadFlags.NO_SCALE).horiAdvance / font.units_per_EM)


@cache
def _regular() -> FT2Font:
    return FT2Font(str(Path(use_fonts().name) / "400.ttf"))


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
    return buffer.getvalue()


def can_draw(text: str) -> bool:
    """Tell whether the charts' type has all characters of a text; those that it lacks would be boxes."""
    return {ord(character) for character in text} <= _drawn_characters()


@cache
def _drawn_characters() -> frozenset[int]:
    use_fonts()
    files = [font_manager.findfont(family) for family in (SANS, FALLBACK)]
    return frozenset(code for file in files for code in font_manager.get_font(file).get_charmap())


def wrap_name(name: str, width: int = 18) -> str:
    """Break a long name at its dashes, dots and underscores, into lines of at most `width`."""
    lines, line = [], ""
    for piece in _pieces(name, width):
        if len(line) + len(piece) > width and line:
            lines.append(line)
            line = ""
        line += piece
    return "\n".join([*lines, line])


def _pieces(name: str, width: int) -> Sequence[str]:
    pieces, piece = [], ""
    for character in name:
        piece += character
        if character in "-._ " or len(piece) == width:
            pieces.append(piece)
            piece = ""
    return [*pieces, piece] if piece else pieces
