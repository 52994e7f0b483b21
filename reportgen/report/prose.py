"""A lab's words, block by block: Markdown as clean HTML, and as Markdown again that is nothing but text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markdown_it.token import Token
from markupsafe import Markup

from reportgen.lab.prose import FOLLOWED, parse, parser
from reportgen.report.markdown_text import words
from reportgen.report.prose_markdown import parts, written
from reportgen.text import inert, paragraphs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nh3 import Cleaner

TITLE, SECTION, ARTICLE = 1, 2, 3  # levels of the headings below which words stand
LOWEST = 6
ALIGNED = {"text-align:right": "num", "text-align:center": "centred"}
WORDS = {"p", "em", "strong", "s", "code", "a", "br", "h3", "h4", "h5", "h6"}
TAGS = WORDS | {"pre", "ul", "ol", "li", "blockquote", "hr", "table", "thead", "tbody", "tr", "th", "td"}


@dataclass(frozen=True)
class Block:
    """A part of a lab's words; a `paragraph` is without its tags in `html`, and may be given a class."""

    html: Markup
    markdown: Markup
    paragraph: bool = True


def plain(text: str) -> tuple[Block, ...]:
    """Set words that are no Markdown, but for empty lines and `code`."""
    return tuple(Block(one, words(one)) for one in paragraphs(text))


def blocks(text: str, below: int = SECTION) -> tuple[Block, ...]:
    """Set Markdown that stands below a heading of some level."""
    return tuple(_block(part) for part in parts(settled(parse(text), below)))


def markdown(text: str, below: int) -> tuple[Markup, ...]:
    """Write Markdown anew that stands below a heading of some level."""
    return tuple(written(part) for part in parts(settled(parse(text), below)))


def _block(tokens: Sequence[Token]) -> Block:
    paragraph = tokens[0].type == "paragraph_open"
    made = parser().renderer.render(list(tokens[1:-1] if paragraph else tokens), parser().options, {})
    # Cleaned, and written by a renderer that escapes.
    return Block(Markup(_cleaner().clean(made).strip()), written(tokens), paragraph)  # noqa: S704


@cache
def _cleaner() -> Cleaner:
    """Give what takes all but a few tags and attributes out of HTML: a second lock, behind the parser's."""
    import nh3  # noqa: PLC0415  where there is nothing to clean

    classes = set(ALIGNED.values())
    return nh3.Cleaner(
        tags=TAGS | {"div"},
        attributes={"a": {"href"}, "ol": {"start"}},
        attribute_filter=lambda _, name, value: value if name != "href" or FOLLOWED.match(value) else None,
        allowed_classes={"div": {"scroll"}, "th": classes, "td": classes},
        set_tag_attribute_values={"th": {"scope": "col"}},
        url_schemes={"http", "https", "mailto"},
    )


# --- settling ------------------------------------------------------------------------------------


def settled(tokens: list[Token], below: int) -> list[Token]:
    """Fit parsed Markdown into a page: headings in order, no picture, nothing to follow without words."""
    made: list[Token] = []
    above: list[str] = []  # the levels of the author's headings that the next one may stand below
    for token in _with_words(tokens):
        if token.type == "heading_open":
            above = [*(one for one in above if one < token.tag), token.tag]
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(below + len(above), LOWEST)}"
        if token.type == "inline":
            token.children = _settled_words(token.children or [])
        made += _aligned(token)
    return made


def _with_words(tokens: list[Token]) -> list[Token]:
    """Leave out headings without words, and let header cells without any be cells."""
    made = list(tokens)
    for n, token in enumerate(tokens):
        if token.type != "inline" or token.content.strip():
            continue
        if tokens[n - 1].type == "heading_open":
            made[n - 1 : n + 2] = [Token("", "", 0, hidden=True)] * 3
        if tokens[n - 1].type == "th_open":
            tokens[n - 1].tag = tokens[n + 1].tag = "td"
    return [one for one in made if one.type]


def _aligned(token: Token) -> list[Token]:
    """Give a cell's side a class, and what is wider than the page a frame in which it scrolls."""
    if token.type in {"th_open", "td_open"}:
        side = ALIGNED.get(str(token.attrs.get("style", "")))
        token.attrs = {"class": side} if side else {}
    if token.type == "table_open":
        return [Token("frame_open", "div", 1, {"class": "scroll"}, level=token.level), token]
    if token.type == "table_close":
        return [token, Token("frame_close", "div", -1, level=token.level)]
    return [token]


def _settled_words(tokens: Sequence[Token]) -> list[Token]:
    made: list[Token] = []
    link = -1  # where the last link began
    for token in tokens:
        if token.type == "link_open":
            link = len(made) if FOLLOWED.match(str(token.attrs["href"])) else -1
            token.attrs = {"href": token.attrs["href"]}
        if token.type in {"link_open", "link_close"} and link < 0:
            continue
        if token.type == "link_close" and not "".join(one.content for one in made[link:]).strip():
            made.append(_text(str(made[link].attrs["href"])))
        made.append(_as_words(token))
    return made


def _as_words(token: Token) -> Token:
    """Put a picture's description in its place, and a blank at the end of a line."""
    if token.type == "image":
        return _text(token.content)
    return _text(" ") if token.type == "softbreak" else token


def _text(content: str) -> Token:
    return Token("text", "", 0, content=inert(content))
