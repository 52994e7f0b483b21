"""Text as Markdown that stays text: CommonMark with pipe tables, and the extensions of common course sites.

Whatever a lab or a data set says is escaped, so that no sign of it becomes markup, a link, a formula or the
command of a site's generator (https://spec.commonmark.org/0.31.2/#backslash-escapes).
"""

from __future__ import annotations

import re
from html import unescape

from markupsafe import Markup

from reportgen.text import inert

_SIGNS = re.compile(r"[\\`*_{}\[\]<>|~$#&^@]")
_LINK = re.compile(r"(?<=[A-Za-z]):(?=//)|(?<=\bwww)\.", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_BULLET = re.compile(r"^([-+=:])(?!\d)")
_NUMBER = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_CODE = re.compile(r"<code>(.*?)</code>", re.DOTALL)


def escape(text: object) -> Markup:
    """Write text on one line; it reads the same at the start of a paragraph, in a table and elsewhere."""
    return begun(signs(inert(text)).strip())


def words(marked: Markup) -> Markup:
    """Write words with code in them, as text.paragraphs() marks it up."""
    parts = _CODE.split(str(marked))
    written = [_code(unescape(part)) if n % 2 else signs(unescape(part)) for n, part in enumerate(parts)]
    return begun("".join(written).strip())


def signs(text: str) -> str:
    """Escape the signs that mark something up, wherever they stand."""
    flat = _SPACE.sub(" ", text)
    return _LINK.sub(r"\\\g<0>", _SIGNS.sub(r"\\\g<0>", flat))


def begun(text: str) -> Markup:
    """Keep what begins a text from beginning a list, a heading or a table's rule."""
    return Markup(_NUMBER.sub(r"\1\\\2", _BULLET.sub(r"\\\1", text)))  # noqa: S704  escaped as Markdown


def code(text: object) -> Markup:
    """Write a code span."""
    return Markup(_code(inert(text)))  # noqa: S704  escaped as Markdown


def fenced(text: object, language: str = "") -> Markup:
    """Write a block of code."""
    plain = inert(text)
    fence = "`" * max(3, 1 + _longest_run(plain))
    return Markup(f"{fence}{language}\n{plain}\n{fence}")  # noqa: S704  escaped as Markdown


def _code(text: str) -> str:
    flat = _SPACE.sub(" ", text).strip()
    if not flat:
        return ""
    fence = "`" * (1 + _longest_run(flat))
    room = " " if flat[0] == "`" or flat[-1] == "`" else ""
    return f"{fence}{room}{flat}{room}{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
