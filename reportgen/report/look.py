"""Colours, measures and type of the charts, known without any drawing library."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.report.fonts import MORE_FONTS, font_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fontTools.ttLib import TTFont

ACCENT = "#0b5cad"
CONTRAST = "#c2570c"
GREY = "#6b7280"
HAIRLINE = "#d7dade"
PALE = "#f3f4f6"
INK = "#1b1f24"

WIDTH = 6.5  # inches: the text block of the page
HALF = 3.1
THIRD = 2.05
COST_HEIGHT = {HALF: 2.3, WIDTH: 3.2}
SIZE = 7.5  # points; charts are drawn at the size at which they are printed

PANELS_IN_A_ROW = 4
PANELS_IN_A_FIGURE = 12
CLASSES_COUNTED = 20
FEW = 10  # images; a bin of confidence with fewer is drawn pale
PAIRS_COUNTED = 10  # variants whose differences are written into the matrix of all pairs
CLASS_LABEL = 14  # characters of a class's name beside a matrix


def panel_columns(panels: int) -> int:
    """Choose the number of panels in a row, at most PANELS_IN_A_ROW, that leaves the last row fullest."""
    rows = -(-panels // PANELS_IN_A_ROW)
    return -(-panels // max(rows, 1))


def chart_type(weight: int) -> Path:
    """Give the file of the charts' type in a weight."""
    return font_file(f"source-sans-3-latin-{weight}-normal")


def more_types(weight: int) -> list[Path]:
    """Give the files, in a weight, of the types that some languages need besides."""
    return [
        font_file(stem) for faces in MORE_FONTS.values() for (_, w, _), stem in faces.items() if w == weight
    ]


def dejavu() -> Path:
    """Find the typeface that charts fall back to, which comes with matplotlib."""
    package = find_spec("matplotlib")
    folder = Path(str(package.origin)).parent if package else Path()
    return folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"


def text_width(text: str, points: float) -> float:
    """Measure a line of chart type, in inches."""
    return sum(_advance(character) for character in text) * points / 72


@cache
def _advance(character: str) -> float:
    """Give a character's width in ems; one that the type lacks is taken to be a full em wide."""
    font = _font(chart_type(400))
    name = font.getBestCmap().get(ord(character))
    return float(font["hmtx"][name][0] / font["head"].unitsPerEm) if name else 1.0


@cache
def _font(file: Path) -> TTFont:
    from fontTools.ttLib import TTFont  # noqa: PLC0415  needed by few

    return TTFont(str(file), lazy=True)


def can_draw(text: str) -> bool:
    """Tell whether the charts' type has all characters of a text; those that it lacks would be boxes."""
    return (text.isascii() and text.isprintable()) or {ord(one) for one in text} <= _drawn_characters()


@cache
def own_characters() -> frozenset[int]:
    """List what the charts' type itself has."""
    return frozenset(_font(chart_type(400)).getBestCmap())


@cache
def _drawn_characters() -> frozenset[int]:
    """List what the charts' type has, and what those that it falls back to have beyond it."""
    return own_characters().union(*(_font(one).getBestCmap() for one in (*more_types(400), dejavu())))


def type_for(text: str) -> Path:
    """Choose a type that has all letters of a text; DejaVu where none does."""
    types = [chart_type(400), *more_types(400)]
    return next((one for one in types if {*map(ord, text)} <= {*_font(one).getBestCmap()}), dejavu())


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
