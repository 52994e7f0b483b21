"""Pictures that stand by themselves, for a page that cannot lay them out: rows of test images, drawings."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from reportgen.report import look
from reportgen.report.templates import environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportgen.report.drawings import Drawing, Volume
    from reportgen.report.tiles import Panel

BOX = 84  # pixels of an image's longer side
GAP = 16
LINE = 16  # from one line of text to the next
POINTS = 13
ON_SCREEN = 1.75  # pixels for a point of paper
_IN_POINTS = re.compile(rb'(width|height)="([\d.]+)pt"')
WHITE = b' style="background:#fff"'  # a site may be dark
SITE_TYPE = "Source Sans 3, system-ui, sans-serif"  # what a site may have in the place of our type
SPACE = 26  # between the steps of a trace
LETTER = 6.2  # pixels of an average one beneath a step


# --- test images ---------------------------------------------------------------------------------


def panel_row(panel: Panel) -> bytes:
    """Draw a panel's images side by side, each above what was said of it, as a PNG."""
    lines = [[(_colour(panel.kind, kind), text) for kind, text in tile.lines] for tile in panel.tiles]
    return row([tile.uri for tile in panel.tiles], lines)


def row(uris: Sequence[str], lines: Sequence[Sequence[tuple[str, str]]]) -> bytes:
    """Draw images, given as data URIs, side by side, each above lines of (colour, text), as a PNG."""
    images = [_enlarged(uri) for uri in uris]
    height = max(image.height for image in images)
    most = max(len(one) for one in lines)
    size = (len(images) * (BOX + GAP), height + (10 + most * LINE if most else 0))
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for n, (image, said) in enumerate(zip(images, lines, strict=True)):
        left = n * (BOX + GAP) + GAP // 2
        sheet.paste(image, (left + (BOX - image.width) // 2, 0))
        for k, (colour, text) in enumerate(said):
            font, short = _that_fits(text)
            pen.text((left + BOX / 2, height + 6 + k * LINE), short, colour, font, anchor="ma")
    buffer = io.BytesIO()
    sheet.quantize(colors=64).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _enlarged(uri: str) -> Image.Image:
    """Read an image and bring its longer side near to BOX; small pixels stay square."""
    image = Image.open(io.BytesIO(b64decode(uri.partition(",")[2]))).convert("RGB")
    longer = max(image.size)
    share = BOX // longer if longer <= BOX else BOX / longer
    size = tuple(max(round(side * share), 1) for side in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.BOX)


def _colour(panel: str, kind: str) -> str:
    if kind == "detail":
        return look.GREY
    if "miss" in kind or (panel == "incorrect" and "pred" in kind):
        return look.CONTRAST
    return look.ACCENT if "hit" in kind or (panel == "correct" and "pred" in kind) else look.INK


def _that_fits(text: str) -> tuple[ImageFont.FreeTypeFont, str]:
    """Choose a typeface that has the letters, and cut the text to a tile's width."""
    font = _font(look.type_for(text))
    room = BOX + GAP - 4
    if font.getlength(text) <= room:
        return font, text
    most = next(n for n in range(len(text) - 1, -1, -1) if font.getlength(text[:n] + "…") <= room)
    return font, text[:most].rstrip() + "…"


@cache
def _font(file: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(file), POINTS)


# --- drawings ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One step of a trace: its drawing, where that stands, and where the middle of its words is."""

    volume: Volume
    x: float
    y: float
    middle: float


def chart_svg(svg: bytes) -> bytes:
    """Give a chart larger than it is printed, and on white, for a page on a screen."""
    root, end, rest = svg.partition(b">")
    return _IN_POINTS.sub(_in_pixels, root) + WHITE + end + rest


def _in_pixels(size: re.Match[bytes]) -> bytes:
    return f'{size[1].decode()}="{ON_SCREEN * float(size[2]):g}"'.encode()


def drawing_svg(drawing: Drawing) -> bytes:
    """Give a drawing of rectangles and arrows as an SVG file."""
    return svg_file("drawing", one=drawing)


def trace_svg(volumes: Sequence[Volume]) -> bytes:
    """Give the steps of a shape trace side by side as an SVG file."""
    tallest = max(one.height + one.depth for one in volumes)
    steps, x = [], 0.0
    for one in volumes:
        wide = max(one.width + one.depth, LETTER * max(len(one.label), len(one.layer)))
        left = x + (wide - one.width - one.depth) / 2
        steps.append(Step(one, left, tallest - one.height - one.depth, x + wide / 2))
        x += wide + SPACE
    return svg_file("trace", steps=steps, width=x - SPACE, height=tallest + 36, words_at=tallest + 16)


def svg_file(template: str, **values: object) -> bytes:
    """Render the template of an SVG as a file that stands by itself."""
    made = environment().get_template(f"markdown/{template}.svg.jinja").render(**values)
    root, end, rest = made.replace("Reportgen Sans", SITE_TYPE).encode().partition(b">")
    return root + WHITE + end + rest
