"""The shipped typefaces: as WOFF2 inside the HTML, as plain files for charts and PDFs.

A PDF is made from plain files, for WeasyPrint would unpack each WOFF2 anew in a third of a second.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from reportgen.report.images import data_uri
from reportgen.report.templates import template_folder

if TYPE_CHECKING:
    from pathlib import Path

FONTS = {
    ("Reportgen Serif", 400, "normal"): "source-serif-4-latin-400-normal",
    ("Reportgen Serif", 400, "italic"): "source-serif-4-latin-400-italic",
    ("Reportgen Serif", 600, "normal"): "source-serif-4-latin-600-normal",
    ("Reportgen Sans", 400, "normal"): "source-sans-3-latin-400-normal",
    ("Reportgen Sans", 600, "normal"): "source-sans-3-latin-600-normal",
    ("Reportgen Sans", 700, "normal"): "source-sans-3-latin-700-normal",
    ("Reportgen Mono", 400, "normal"): "source-code-pro-latin-400-normal",
}
SCHEME = "reportgen-font:"


def font_file(stem: str, kind: str = "ttf") -> Path:
    """Give the file of a typeface."""
    return template_folder() / "fonts" / f"{stem}.{kind}"


@cache
def faces_inside() -> str:
    """Declare the typefaces with their files inside the style sheet."""
    return _faces(
        {one: data_uri(font_file(one, "woff2").read_bytes(), "font/woff2") for one in FONTS.values()}, "woff2"
    )


@cache
def faces_by_name() -> str:
    """Declare the typefaces by names that `file_by_name` knows."""
    return _faces({stem: SCHEME + stem for stem in FONTS.values()}, "truetype")


def file_by_name(uri: str) -> Path | None:
    """Give the file that a name of `faces_by_name` stands for, or None for any other URI."""
    stem = uri.removeprefix(SCHEME)
    return font_file(stem) if uri.startswith(SCHEME) and stem in FONTS.values() else None


def _faces(uris: dict[str, str], kind: str) -> str:
    return "\n".join(
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:{style};'
        f'src:url("{uris[stem]}") format("{kind}")}}'
        for (family, weight, style), stem in FONTS.items()
    )
