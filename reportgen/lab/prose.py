"""The Markdown in which a lab's words are written: CommonMark with tables and strikethrough, without HTML."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from reportgen.lab.values import shown
from reportgen.text import inert
from reportgen.words import unfolded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

READING = {"reading": True}  # the context in which a lab is validated that its author has just written
FOLLOWED = re.compile(r"(https?://|mailto:)", re.IGNORECASE)  # what a link may begin with


@cache
def parser() -> MarkdownIt:
    """Give the parser; HTML is text to it, and so is an address that is not marked as a link."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  a lab without links is read without it

    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # Every link is parsed, so that one that no report follows is refused rather than shown as it was typed.
    made.validateLink = lambda url: True  # type: ignore[method-assign]
    return made


def parse(text: str) -> list[Token]:
    """Parse Markdown; what entities stand for is made inert as well as what is written out."""
    tokens = parser().parse(inert(text))
    for token in tokens:
        _unfold(token.children or [])
    for token in each(tokens):
        token.content = inert(token.content)
    return tokens


def _unfold(tokens: list[Token]) -> None:
    """Take the end of a line out between Chinese characters, where a blank would stand for it."""
    for before, here, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if here.type == "softbreak" and not unfolded(f"{before.content[-1:]}\n{after.content[:1]}").count(
            "\n"
        ):
            here.type, here.content, here.tag = "text", "", ""


def each(tokens: list[Token]) -> Iterator[Token]:
    """List tokens with those inside them."""
    for token in tokens:
        yield token
        yield from each(token.children or [])


def refused(text: str) -> str:
    """Say what in a text no report shows: a picture, or a link that leads nowhere; else empty."""
    if "]" not in text and "<" not in text:
        return ""
    for token in each(parse(text)):
        if token.type == "image":
            return (
                f"has the image {shown(token.attrs['src'])}, expected words alone: a report fetches nothing"
            )
        if token.type == "link_open" and not FOLLOWED.match(str(token.attrs["href"])):
            address = shown(token.attrs["href"])
            return f"has a link to {address}, expected one that begins with https://, http:// or mailto:"
    return ""


def _fit(text: str, info: ValidationInfo) -> str:
    # A run's record has what an earlier version took: such a text is shown without its pictures and links.
    if info.context == READING and (problem := refused(text)):
        raise ValueError(problem)
    return text


def _said(text: str, info: ValidationInfo) -> str:
    if info.context == READING and not text.strip():
        raise ValueError("is empty, expected some words")
    return text


Prose = Annotated[str, AfterValidator(_fit)]
Said = Annotated[Prose, AfterValidator(_said), Field(json_schema_extra={"pattern": r"\S"})]
