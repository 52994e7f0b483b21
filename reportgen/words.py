"""The languages of a report: every word that we put into one is looked up here.

English words stand in the code and are the keys (gettext's message ids); their translations lie as
`templates/locale/LANGUAGE.po`, in GNU gettext's format
(https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html). What has no translation stays English.
"""

from __future__ import annotations

import re
import tomllib
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from babel import Locale
    from babel.messages.catalog import Catalog

ENGLISH, SPANISH, CHINESE = "en", "es", "zh"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch", SPANISH: "Español", CHINESE: "中文"}
LOCALES = {CHINESE: "zh_Hans_CN"}  # of which the language alone does not say enough
IN_A_LAB = "lab"  # the context of built-in labs' texts
LAB_TEXTS = (
    "title",
    "course",
    "introduction",
    "text",
    "answer",
    "notes",
    "description",
)  # and the keys that they stand under
_FOLDED = re.compile(r"(?<=[\u3001-\u9fff\uff01-\uff5e])[^\S\n]*\n[^\S\n]*(?=[\u3001-\u9fff\uff01-\uff5e])")
_SPOKEN: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language() -> str:
    """Give the language that is spoken now, by its ISO 639-1 code."""
    return _SPOKEN.get()


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Have all words in this language for a while; never across the yield of a generator."""
    before = _SPOKEN.set(name)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def tr(message: str, /, **values: object) -> str:
    """Say a message in the language of the report, with values in the places that it names in braces.

    Values that are marked up make the whole marked up. Without any value, braces are just braces.
    """
    return _filled(_translated(message), values)


def trn(one: str, many: str, n: int, /, **values: object) -> str:
    """Say a message about n things; `one` is for one of them, in English."""
    if language() == ENGLISH:
        return _filled(one if n == 1 else many, values)
    found = catalog(language()).get(one)
    known = found is not None and not found.fuzzy
    forms = found.string if found is not None and known and isinstance(found.string, tuple) else ()
    form = forms[_plural_rule(language())(n)] if any(forms) else ""
    return _filled(form or (one if n == 1 else many), values)


def trc(context: str, message: str, /, **values: object) -> str:
    """Say a message that has other translations in other contexts, such as a short word."""
    return _filled(_translated(message, context), values)


def mark(message: str) -> str:
    """Mark a message, such as a constant, to be translated wherever it is said; gives it unchanged."""
    return message


def in_one_line(text: str) -> str:
    """Give a lab's text with a single space between words, and its paragraphs divided by one empty line."""
    parts = (" ".join(unfolded(part).split()) for part in re.split(r"\n\s*\n", text.strip()))
    return "\n\n".join(parts)


def unfolded(text: str) -> str:
    """Join lines that end and begin with Chinese characters or signs, between which no space is written."""
    return _FOLDED.sub("", text)


def from_lab(
    file: BinaryIO, keywords: object, tags: object, options: object
) -> Iterator[tuple[int, str, tuple[str, str], list[str]]]:
    """Give the texts of a built-in lab to Babel, as pyproject.toml asks for.

    An extraction method: https://babel.pocoo.org/en/latest/messages.html#writing-extraction-methods
    """
    for text in _texts(tomllib.loads(file.read().decode())):
        yield 0, "trc", (IN_A_LAB, in_one_line(text)), []


def _texts(table: object, key: str = "") -> Iterator[str]:
    if isinstance(table, dict):
        for name, value in table.items():
            yield from _texts(value, name)
    elif isinstance(table, list):
        for value in table:
            yield from _texts(value, key)
    elif isinstance(table, str) and key in LAB_TEXTS:
        yield table


def _translated(message: str, context: str | None = None) -> str:
    if language() == ENGLISH or not message:
        return message
    found = catalog(language()).get(message, context)
    return str(found.string) if found is not None and found.string and not found.fuzzy else message


def _filled(text: str, values: dict[str, object]) -> str:
    if not values:
        return text
    if any(isinstance(value, Markup) for value in values.values()):
        return Markup(escape(text)).format(**values)  # noqa: S704  escaped
    return text.format(**values)


def catalogue_file(name: str) -> Path | None:
    """Give a language's catalogue: in the installed package's templates, or beside it in a checkout."""
    if name == ENGLISH:
        return None
    package = Path(__file__).parent
    inside = package / "templates" / "locale"
    return (inside if inside.is_dir() else package.parent / "templates" / "locale") / f"{name}.po"


@cache
def catalog(name: str) -> Catalog:
    """Read a language's catalogue."""
    from babel.messages.pofile import read_po  # noqa: PLC0415  English needs none

    path = catalogue_file(name)
    assert path is not None  # whoever asks has another language than English
    with path.open("rb") as file:
        return read_po(file, locale=LOCALES.get(name, name))


def in_context(context: str) -> list[str]:
    """List the messages of a context; none in English, which has no catalogue."""
    if language() == ENGLISH:
        return []
    return [str(one.id) for one in catalog(language()) if one.context == context]


@cache
def locale(name: str) -> Locale:
    """Give what Unicode's CLDR knows of a language: how it writes numbers, dates and lists."""
    from babel import Locale  # noqa: PLC0415  English needs none

    return Locale.parse(LOCALES.get(name, name))


@cache
def _plural_rule(name: str) -> Callable[[int], int]:
    from gettext import c2py  # noqa: PLC0415  English needs none

    return c2py(catalog(name).plural_expr)
