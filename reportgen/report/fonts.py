"""The shipped typefaces: as WOFF2 inside the HTML, as plain files for charts and PDFs.

A PDF is made from plain files, for WeasyPrint would unpack each WOFF2 anew in a third of a second.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from functools import cache
from html import unescape
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
    ("Reportgen Math", 400, "normal"): "stix-two-math-400-normal",  # brackets that grow
}
# What languages need besides: the characters of their catalogues.
MORE_FONTS = {
    "zh": {
        ("Reportgen Chinese", 400, "normal"): "noto-sans-sc-400-normal",
        ("Reportgen Chinese", 600, "normal"): "noto-sans-sc-600-normal",
    }
}
Faces = dict[tuple[str, int, str], str]
SCHEME = "reportgen-font:"
MOST_ASKED = 60  # characters that are looked for, one by one
_NO_TEXT = re.compile(r"<(style|script)\b.*?</\1>|<!-- screen -->.*?<!-- /screen -->|<[^>]*>", re.DOTALL)


def font_file(stem: str, kind: str = "ttf") -> Path:
    """Give the file of a typeface."""
    return template_folder() / "fonts" / f"{stem}.{kind}"


def faces_inside(language: str = "en") -> str:
    """Declare the typefaces with their files inside the style sheet."""
    more = MORE_FONTS.get(language)
    return _inside("") + ("\n" + _inside(language) if more else "")


def with_faces_by_name(html: str) -> str:
    """Declare the typefaces of a page by names that `file_by_name` knows."""
    for language, faces in {"": FONTS, **MORE_FONTS}.items():
        family = next(iter(faces))[0]
        if f'@font-face{{font-family:"{family}"' in html:
            named = _faces(faces, {stem: SCHEME + stem for stem in faces.values()}, "truetype")
            html = html.replace(_inside(language), named, 1)
    return html


def unprintable(html: str) -> str:
    """List the characters of a page's text that no typeface has, the shipped ones and this machine's.

    Empty, too, where fontconfig's fc-list is not here to tell.
    """
    finder = shutil.which("fc-list")
    text = unescape(_NO_TEXT.sub(" ", html))
    rest = sorted({one for one in text if unicodedata.category(one)[0] not in "CZ"} - _shipped())
    return "".join(one for one in rest[:MOST_ASKED] if finder and not _found(finder, one))


def _found(finder: str, character: str) -> bool:
    asked = [finder, f":charset={ord(character):x}", "family"]
    return bool(subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip())


@cache
def _shipped() -> frozenset[str]:
    from fontTools.ttLib import TTFont  # noqa: PLC0415  slow

    codes: set[int] = set()
    for stem in _stems():
        with TTFont(font_file(stem), lazy=True) as font:
            codes.update(font.getBestCmap())
    return frozenset(map(chr, codes))


@cache
def _inside(language: str) -> str:
    faces = MORE_FONTS[language] if language else FONTS
    files = {one: font_file(one, "woff2").read_bytes() for one in faces.values()}
    return _faces(faces, {one: data_uri(file, "font/woff2") for one, file in files.items()}, "woff2")


def file_by_name(uri: str) -> Path | None:
    """Give the file that a name of `faces_by_name` stands for, or None for any other URI."""
    stem = uri.removeprefix(SCHEME)
    return font_file(stem) if uri.startswith(SCHEME) and stem in _stems() else None


@cache
def _stems() -> frozenset[str]:
    return frozenset(stem for faces in (FONTS, *MORE_FONTS.values()) for stem in faces.values())


def _faces(faces: Faces, uris: dict[str, str], kind: str) -> str:
    return "\n".join(
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:{style};'
        f'src:url("{uris[stem]}") format("{kind}")}}'
        for (family, weight, style), stem in faces.items()
    )
