"""A chart's SVG made small: the same picture in a tenth of the elements, for WeasyPrint pays by the element.

Matplotlib writes each letter as an element of its own, inside three others. Here a line of text is one path,
and so are marks of one colour that follow one another, in whole hundredths of a point. Lines of text keep
their own origins and say what they spell, so that a PDF, which has the type, can write it as text. What
this module does not know it leaves alone: the SVG is then given back as it came.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from html import escape
from math import atan2, cos, degrees, hypot, radians, sin
from typing import TYPE_CHECKING
from xml.sax.saxutils import unescape

if TYPE_CHECKING:
    from collections.abc import Iterator

FINE = 100  # units a point
_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_RULES = "*{stroke-linejoin: round; stroke-linecap: butt}"  # matplotlib's one rule for all elements
_POINTS = {"M": 1, "L": 1, "Q": 2, "C": 3, "z": 0}
_LENGTHS = {"stroke-width", "stroke-dasharray", "stroke-dashoffset"}
_KNOWN = _LENGTHS | {"fill", "stroke", "stroke-linecap", "stroke-linejoin", "stroke-opacity", "fill-opacity"}
_KNOWN |= {"opacity", "stroke-miterlimit"}
_TRANSFORM = re.compile(r"(translate|scale|rotate)\(([^)]*)\)")

Matrix = tuple[float, float, float, float, float, float]
Style = dict[str, str]
Point = tuple[int, int]
PLAIN: Matrix = (1, 0, 0, 1, 0, 0)
# The charts' type by the names that matplotlib gives its letters, with the weights in the style sheet.
WEIGHTS = {"SourceSans3ExtraLight-Regular": 400, "SourceSans3ExtraLight-SemiBold": 600}
FAMILY = "Reportgen Sans"
_FONT_SCALE = 100  # points of the letters before they are scaled
_SPELT = re.compile(
    '<path data-text="([^"]*)" data-type="([^ "]+) ([^ "]+) ([^ "]+)"([^>]*?) transform="([^"]*)" d="[^"]*"/>'
)


class _UnknownError(Exception):
    """An SVG has what this module does not know."""


@dataclass(frozen=True)
class _Line:
    """A line of text: where it begins and, where the charts' type has all its letters, what it spells."""

    origin: Point
    spelt: str
    weight: int
    size: float
    turn: float

    def attributes(self) -> str:
        """Write what it spells and how; an empty text is not written."""
        if not self.spelt:
            return ""
        kind = f"{self.weight} {_number(self.size)} {_number(self.turn)}"
        return f' data-text="{escape(self.spelt)}" data-type="{kind}"'


@dataclass
class _Shape:
    """A path, or an element that stays as it is; neighbours that look alike become one."""

    style: Style
    clip: str
    line: _Line | None
    data: str
    whole: bool = False  # `data` is an element

    def joins(self, other: _Shape) -> bool:
        """Tell whether another that follows can be drawn in one go with this one, and look the same."""
        alike = (self.style, self.clip, self.line) == (other.style, other.clip, other.line)
        see_through = any("opacity" in name for name in self.style)
        filled = self.style.get("fill") != "none"
        stroked = self.style.get("stroke", "none") != "none"
        return alike and not (self.whole or other.whole or see_through) and not (filled and stroked)


def compact(svg: bytes) -> bytes:
    """Give the same picture in few elements."""
    try:
        return _Compacted(ET.fromstring(svg, _parser())).svg()
    except _UnknownError:
        return svg


def as_text(svg: str) -> str:
    """Write text in the place of its outlines, for where the charts' type is at hand."""
    looks = rf'font-family="{FAMILY}" font-weight="\2" font-size="\3"\5'
    return _SPELT.sub(rf'<text {looks} transform="\6 rotate(\4)">\1</text>', svg)


def _parser() -> ET.XMLParser:
    return ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))


class _Compacted:
    """One SVG, flattened."""

    def __init__(self, root: ET.Element) -> None:
        self.root = root
        self.by_id = {f"#{one.get('id')}": one for one in root.iter() if one.get("id")}
        self.clips: dict[str, str] = {}
        self.shapes: list[_Shape] = []
        for shape in self._walk(root, PLAIN, {}, "", None):
            if self.shapes and self.shapes[-1].joins(shape):
                self.shapes[-1].data += shape.data
            else:
                self.shapes.append(shape)

    def svg(self) -> bytes:
        """Write it."""
        box = " ".join(_number(FINE * float(part)) for part in self.root.attrib["viewBox"].split())
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{self.root.attrib["width"]}" height="{self.root.attrib["height"]}" viewBox="{box}">'
        ]
        clip = ""
        body = []
        for shape in self.shapes:
            if shape.clip != clip:
                body.append("</g>" if clip else "")
                body.append(f'<g clip-path="url(#{self._clip(shape.clip)})">' if shape.clip else "")
                clip = shape.clip
            body.append(_element(shape))
        body.append("</g>" if clip else "")
        rects = [f'<clipPath id="{name}">{self._rect(of)}</clipPath>' for of, name in self.clips.items()]
        parts += ["<defs>", *rects, "</defs>"] if rects else []
        return "".join([*parts, '<g stroke-linejoin="round">', *body, "</g></svg>"]).encode()

    def _clip(self, of: str) -> str:
        return self.clips.setdefault(of, f"c{len(self.clips)}")

    def _rect(self, of: str) -> str:
        inside = list(self.by_id[of])
        if len(inside) != 1 or inside[0].tag != f"{_SVG}rect":
            raise _UnknownError(of)
        sizes = {name: _number(FINE * float(value)) for name, value in inside[0].attrib.items()}
        return "<rect " + " ".join(f'{name}="{value}"' for name, value in sizes.items()) + "/>"

    def _walk(
        self, node: ET.Element, matrix: Matrix, style: Style, clip: str, line: _Line | None
    ) -> Iterator[_Shape]:
        """List what a node draws, in order."""
        tag = node.tag.removeprefix(_SVG)
        if tag in ("metadata", "defs"):
            self._check_rules(node)
            return
        if tag == "image":
            yield _Shape({}, self._clip_of(node, clip), None, _image(node, matrix), whole=True)
            return
        if tag not in ("svg", "g", "path", "use"):
            raise _UnknownError(tag)
        matrix = _times(matrix, _matrix(node.get("transform", "")))
        style = _with_style(style, node.get("style", ""))
        clip = self._clip_of(node, clip)
        if tag == "path":
            yield from _path(node.get("d", ""), matrix, style, clip, line)
        elif tag == "use":
            target = self.by_id[node.attrib[f"{_XLINK}href"]]
            place = (1.0, 0.0, 0.0, 1.0, float(node.get("x", 0)), float(node.get("y", 0)))
            yield from self._walk(target, _times(matrix, place), style, clip, line)
        else:
            said = ""
            for child in node:
                if not isinstance(child.tag, str):  # a comment: matplotlib says what the next line spells
                    said = unescape(child.text or "").strip()
                    continue
                moved = child.tag == f"{_SVG}g" and child.get("transform")  # as only lines of text are
                inner = _line(child, said, style) if moved else line
                yield from self._walk(child, matrix, style, clip, inner)

    def _check_rules(self, node: ET.Element) -> None:
        if any((one.text or "").strip() != _RULES for one in node.iter(f"{_SVG}style")):
            raise _UnknownError("style")

    def _clip_of(self, node: ET.Element, clip: str) -> str:
        own = node.get("clip-path", "").removeprefix("url(").removesuffix(")")
        if own and clip and own != clip:
            raise _UnknownError("clip-path")
        return own or clip


def _matrix(text: str) -> Matrix:
    """Read a transform attribute."""
    matrix = PLAIN
    for name, values in _TRANSFORM.findall(text):
        first, *rest = (float(value) for value in values.replace(",", " ").split())
        second = rest[0] if rest else (first if name == "scale" else 0.0)
        if name == "translate":
            step: Matrix = (1, 0, 0, 1, first, second)
        elif name == "scale":
            step = (first, 0, 0, second, 0, 0)
        else:
            angle = radians(first)
            step = (cos(angle), sin(angle), -sin(angle), cos(angle), 0, 0)
        matrix = _times(matrix, step)
    if _TRANSFORM.sub("", text).strip():
        raise _UnknownError(text)
    return matrix


def _times(m: Matrix, n: Matrix) -> Matrix:
    return (
        m[0] * n[0] + m[2] * n[1],
        m[1] * n[0] + m[3] * n[1],
        m[0] * n[2] + m[2] * n[3],
        m[1] * n[2] + m[3] * n[3],
        m[0] * n[4] + m[2] * n[5] + m[4],
        m[1] * n[4] + m[3] * n[5] + m[5],
    )


def _with_style(style: Style, text: str) -> Style:
    stated = dict(part.split(":", 1) for part in text.split(";") if part.strip())
    found = {name.strip(): value.strip() for name, value in stated.items()}
    if found.keys() - _KNOWN:
        raise _UnknownError(text)
    if "opacity" in style and found:
        raise _UnknownError(text)  # the two would have to be multiplied
    return {**style, **found}


def _line(node: ET.Element, said: str, style: Style) -> _Line:
    """Read how a line of text stands, and check that it can be written with the charts' type."""
    a, b, _, _, x, y = _matrix(node.attrib["transform"])
    fonts = {use.attrib[f"{_XLINK}href"].lstrip("#").rpartition("-")[0] for use in node.iter(f"{_SVG}use")}
    weight = WEIGHTS.get(fonts.pop()) if len(fonts) == 1 else None
    looks = _with_style(style, node.get("style", ""))
    # Matplotlib breaks two dashes in a comment; and an SVG's text has no two spaces in a row.
    sure = (
        said.isprintable() and not re.search("- -|  ", said) and not any("opacity" in name for name in looks)
    )
    origin = round(FINE * x), round(FINE * y)
    size = FINE * _FONT_SCALE * hypot(a, b)
    return _Line(origin, said if weight and sure else "", weight or 0, size, degrees(atan2(b, a)))


def _path(data: str, matrix: Matrix, style: Style, clip: str, line: _Line | None) -> Iterator[_Shape]:
    stroked = style.get("stroke", "none") != "none"
    if style.get("fill") == "none" and not stroked:
        return
    if stroked and matrix[:4] != PLAIN[:4]:
        raise _UnknownError("a stroke that is scaled")
    x, y = line.origin if line else (0, 0)
    local = (*matrix[:4], matrix[4] - x / FINE, matrix[5] - y / FINE)
    if written := "".join(_segments(data.split(), local)):
        yield _Shape(style, clip, line, written)


def _segments(words: list[str], matrix: Matrix) -> Iterator[str]:
    """Write a path in whole numbers, each step from the point before it, which makes them short."""
    a, b, c, d, e, f = (FINE * part for part in matrix)
    at = start = (0, 0)
    n = 0
    while n < len(words):
        letter = words[n]
        if letter not in _POINTS:
            raise _UnknownError(letter)
        end = n + 1 + 2 * _POINTS[letter]
        values = [float(word) for word in words[n + 1 : end]]
        n = end
        points = [
            (round(a * x + c * y + e), round(b * x + d * y + f))
            for x, y in zip(values[::2], values[1::2], strict=True)
        ]
        if letter == "z":
            at = start
            yield "z"
        elif letter == "M":
            at = start = points[0]
            yield f"M{at[0]} {at[1]}"
        else:
            yield _step(letter, [(x - at[0], y - at[1]) for x, y in points])
            at = points[-1]


def _step(letter: str, moves: list[Point]) -> str:
    if letter == "L":
        x, y = moves[0]
        return f"h{x}" if y == 0 else f"v{y}" if x == 0 else f"l{x} {y}"
    return letter.lower() + " ".join(f"{x} {y}" for x, y in moves).replace(" -", "-")


def _element(shape: _Shape) -> str:
    if shape.whole:
        return shape.data
    line = shape.line
    spelt = line.attributes() if line else ""
    place = f' transform="translate({line.origin[0]} {line.origin[1]})"' if line else ""
    looks = "".join(f' {name}="{_finely(name, value)}"' for name, value in shape.style.items())
    return f'<path{spelt}{looks}{place} d="{shape.data}"/>'


def _finely(name: str, value: str) -> str:
    if name not in _LENGTHS or value == "none":
        return value
    return " ".join(_number(FINE * float(part)) for part in value.replace(",", " ").split())


def _image(node: ET.Element, matrix: Matrix) -> str:
    """Write an image as it is, at its place."""
    if node.get("style") or matrix != PLAIN:
        raise _UnknownError("image")
    known = {"width", "height", "x", "y", "transform"}
    kept = "".join(f' {name}="{node.attrib[name]}"' for name in sorted(known & set(node.attrib)))
    uri = node.attrib[f"{_XLINK}href"].replace("\n", "")
    return f'<g transform="scale({FINE})"><image{kept} xlink:href="{uri}"/></g>'


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
