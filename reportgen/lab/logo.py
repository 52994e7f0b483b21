"""A logo: a PNG, JPEG or SVG file of a lab's, made small and safe, which a run directory keeps.

What a picture brings along beside its picture, such as the place where a photograph was taken, is dropped.
Of an SVG only shapes are kept, with what its style sheet says of them: no scripts, no links, nothing that is
fetched. What is to be seen and cannot be kept is refused.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from reportgen.errors import LabError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 1_000_000  # bytes
MOST_PIXELS = 16_000_000
EXPECTED = "expected a PNG, JPEG or SVG file"
# What is to be seen, and would be missing.
REFUSED = {
    "text": "has text, which looks different on each machine; turn it into paths",
    "image": "has a picture inside; save it as a PNG",
}
BOX = (1200, 400)  # pixels: what a larger picture is made smaller to
PNG, SVG = "png", "svg"
TYPES = {PNG: "image/png", SVG: "image/svg+xml"}
NAMESPACE = "http://www.w3.org/2000/svg"
SHAPES = {
    *("svg", "g", "defs", "title", "desc", "symbol", "use", "clipPath"),
    *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon"),
    *("linearGradient", "radialGradient", "stop"),
}
LOOKS = {
    *(
        "id",
        "d",
        "x",
        "y",
        "x1",
        "y1",
        "x2",
        "y2",
        "cx",
        "cy",
        "r",
        "rx",
        "ry",
        "fx",
        "fy",
        "width",
        "height",
    ),
    *("points", "viewBox", "preserveAspectRatio", "transform", "gradientTransform", "gradientUnits"),
    *("spreadMethod", "offset", "clip-path", "clip-rule", "clipPathUnits", "fill", "fill-opacity"),
    *("fill-rule", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-dasharray"),
    *("stroke-dashoffset", "stroke-miterlimit", "stroke-opacity", "opacity", "stop-color", "stop-opacity"),
    *("color", "display", "visibility"),
}
INSIDE = re.compile(r"\s*url\(\s*['\"]?#[\w.-]+['\"]?\s*\)\s*")  # the only url() that may stay


@dataclass(frozen=True)
class Logo:
    """A logo as it is kept and shown: its kind, png or svg, and the file's content."""

    kind: str
    content: bytes

    @property
    def file(self) -> str:
        """Name its file in a run directory."""
        return f"logo.{self.kind}"


def read_logo(path: Path) -> Logo:
    """Read a logo's file; raises LabError for anything but a PNG, JPEG or SVG of at most 1 MB."""
    try:
        if path.stat().st_size > LARGEST:
            raise LabError(f"branding.logo: {path} has {path.stat().st_size} bytes, expected at most 1 MB")
        content = path.read_bytes()
    except OSError as error:
        raise LabError(f"branding.logo: {path}: {error.strerror}") from None
    try:
        return made_safe(content)
    except ValueError as error:
        raise LabError(f"branding.logo: {path}: {error}") from None


def made_safe(content: bytes) -> Logo:
    """Make a logo of a file's content; raises ValueError where it is none."""
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return Logo(SVG, _safe_svg(content))
    return Logo(PNG, _safe_png(content))


def _safe_png(content: bytes) -> bytes:
    """Draw a picture anew, not too large, without whatever else its file holds."""
    from PIL import Image, ImageFile, ImageOps  # noqa: PLC0415  for labs with a logo

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint turns it on
            picture = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError(f"has {picture.width}×{picture.height} pixels")
            turned = ImageOps.exif_transpose(picture)
            turned = turned.convert("RGBA" if "A" in turned.mode or turned.mode == "P" else "RGB")
    except ValueError:
        raise
    except Exception:  # noqa: BLE001  Pillow raises many kinds on damaged bytes
        raise ValueError(f"is no picture that can be read; {EXPECTED}") from None
    turned.thumbnail(BOX)
    plain = Image.new(turned.mode, turned.size)
    plain.paste(turned)
    buffer = io.BytesIO()
    plain.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _safe_svg(content: bytes) -> bytes:
    """Keep what draws shapes, and nothing else."""
    if b"<!DOCTYPE" in content.upper() or b"<!ENTITY" in content.upper() or b"\0" in content:
        raise ValueError("has a document type, which a drawing does without")
    try:
        root = ET.fromstring(content)
    except (ET.ParseError, ValueError, LookupError):
        raise ValueError("is not well-formed XML") from None
    if root.tag != f"{{{NAMESPACE}}}svg":
        raise ValueError(f"is no SVG; {EXPECTED}")
    for name, why in REFUSED.items():
        if root.find(f".//{{{NAMESPACE}}}{name}") is not None:
            raise ValueError(why)
    _style(root)
    drawn = _kept(root)
    if drawn is None or not _has_size(drawn):
        raise ValueError("has neither a viewBox nor width and height")
    return bytes(ET.tostring(drawn, encoding="utf-8"))


def _has_size(svg: ET.Element) -> bool:
    return "viewBox" in svg.attrib or {"width", "height"} <= set(svg.attrib)


def _kept(element: ET.Element, depth: int = 0) -> ET.Element | None:
    name = str(element.tag).removeprefix(f"{{{NAMESPACE}}}")
    if name not in SHAPES or depth > 40:
        return None
    kept = ET.Element(name, {"xmlns": NAMESPACE} if depth == 0 else {})
    for key, value in {**element.attrib, **_declared(element)}.items():
        short = key.removeprefix("{http://www.w3.org/1999/xlink}")
        if short == "href" and name == "use" and re.fullmatch(r"#[\w.-]+", value):
            kept.set("href", value)
        elif key in LOOKS and ("url(" not in value.lower() or INSIDE.fullmatch(value)):
            kept.set(key, value)
    kept.text = element.text if name in ("title", "desc") else None
    for child in element:
        inner = _kept(child, depth + 1)
        if inner is not None:
            kept.append(inner)
    return kept


def _style(root: ET.Element) -> None:
    """Write what the drawing's own style sheets say of shapes as attributes; a narrower or later rule wins.

    Raises ValueError for a selector that none knows.
    """
    import cssselect2  # noqa: PLC0415  for labs with a logo
    import tinycss2  # noqa: PLC0415

    sheets = "\n".join(one.text or "" for one in root.iter(f"{{{NAMESPACE}}}style"))
    rules = cssselect2.Matcher()
    for rule in tinycss2.parse_stylesheet(sheets, skip_comments=True, skip_whitespace=True):
        if rule.type != "qualified-rule":
            continue  # @media, @import and such
        try:
            selectors = cssselect2.compile_selector_list(rule.prelude)
        except cssselect2.SelectorError:
            raise ValueError("has a style sheet that cannot be read; put its colours on the shapes") from None
        said = tinycss2.parse_blocks_contents(rule.content)
        pairs = {
            one.lower_name: tinycss2.serialize(one.value).strip() for one in said if one.type == "declaration"
        }
        for selector in selectors:
            rules.add_selector(selector, pairs)
    for wrapper in cssselect2.ElementWrapper.from_xml_root(root).iter_subtree():
        for *_, pairs in rules.match(wrapper):
            wrapper.etree_element.attrib.update(pairs)


def _declared(element: ET.Element) -> dict[str, str]:
    """Read a style attribute, as drawing programs write it, as attributes."""
    pairs = (part.partition(":") for part in element.attrib.get("style", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if value.strip()}
