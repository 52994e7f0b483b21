"""Markdown from the parsed Markdown of a lab: what its author marked up is, and all else stays text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from markupsafe import Markup

from reportgen.report.markdown_text import begun, code, fenced, signs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

# As the author has them: of two ways to write it, the other would mean something else beside its like.
MARKS = {"em_open", "em_close", "strong_open", "strong_close", "s_open", "s_close"}
BREAKS = {"hardbreak": "\\\n", "link_open": "["}
RULES = {"num": "--:", "centred": ":-:"}
LAST_NUMBER = 999_999_999
LANGUAGE = re.compile(r"[\w+#.-]*")


def written(tokens: Sequence[Token]) -> Markup:
    """Write blocks as Markdown."""
    return Markup("\n".join(_blocks(tokens)))  # noqa: S704  escaped as Markdown


def _blocks(tokens: Sequence[Token], tight: bool = False) -> list[str]:
    """Write blocks as lines, an empty one between two of them unless they stand in a tight list."""
    lines: list[str] = []
    for part in parts(tokens):
        made = WRITERS.get(part[0].type, _paragraph)(part)
        lines += [*([""] if lines and made and not tight else []), *made]
    return lines


def parts(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Divide tokens into blocks that stand in no other."""
    start, depth = 0, 0
    for n, token in enumerate(tokens, start=1):
        depth += token.nesting
        if depth == 0:
            yield tokens[start:n]
            start = n


def _paragraph(part: Sequence[Token]) -> list[str]:
    lines = [line.strip(" ") for line in _words(part[1]).split("\n")]
    return [str(begun(line)) for line in lines]


def _heading(part: Sequence[Token]) -> list[str]:
    return [f"{'#' * int(part[0].tag[1:])} {_words(part[1])}"]


def _code(part: Sequence[Token]) -> list[str]:
    language = LANGUAGE.match(part[0].info.strip())
    return str(fenced(part[0].content.rstrip("\n"), language[0] if language else "")).split("\n")


def _rule(part: Sequence[Token]) -> list[str]:
    return ["___"] * len(part)  # neither begins a list nor underlines a heading


def _quote(part: Sequence[Token]) -> list[str]:
    return [f"> {line}".rstrip() for line in _blocks(part[1:-1])]


def _list(part: Sequence[Token]) -> list[str]:
    """Write a list; where the parser hides the paragraphs of its items, no empty line divides them."""
    tight = any(one.hidden and one.level == part[0].level + 2 for one in part)
    ordered, sign = part[0].type == "ordered_list_open", part[0].markup
    number = int(part[0].attrs.get("start", 1))
    lines: list[str] = []
    for n, item in enumerate(parts(part[1:-1])):
        mark = f"{min(number + n, LAST_NUMBER)}{sign}" if ordered else sign
        first, *rest = _blocks(item[1:-1], tight) or [""]
        indented = [f"{' ' * (len(mark) + 1)}{line}".rstrip(" ") for line in rest]
        lines += [*([""] if lines and not tight else []), f"{mark} {first}".rstrip(" "), *indented]
    return lines


def _table(part: Sequence[Token]) -> list[str]:
    rows: list[list[str]] = []
    sides: list[str] = []
    for n, token in enumerate(part):
        if token.type == "tr_open":
            rows.append([])
        if token.type in {"th_open", "td_open"}:
            rows[-1].append(_words(part[n + 1], in_table=True))
            sides += [RULES.get(str(token.attrs.get("class")), "---")] * (len(rows) == 1)
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return [head, f"|{'|'.join(sides)}|", *body]


WRITERS: dict[str, Callable[[Sequence[Token]], list[str]]] = {
    "heading_open": _heading,
    "code_block": _code,
    "fence": _code,
    "hr": _rule,
    "blockquote_open": _quote,
    "bullet_list_open": _list,
    "ordered_list_open": _list,
    "frame_open": _table,
}


def _words(inline: Token, in_table: bool = False) -> str:
    """Write what stands in a line; what follows a break begins another one."""
    made: list[str] = []
    address = ""
    for token in inline.children or []:
        if token.type == "link_open":
            address = _address(str(token.attrs["href"]))
        if token.type == "code_inline":
            made.append(str(code(token.content)).replace("|", r"\|" if in_table else "|"))
        else:
            made.append(f"]({address})" if token.type == "link_close" else _word(token))
    return "".join(made).strip()


def _word(token: Token) -> str:
    if token.type in MARKS:
        return token.markup
    return BREAKS.get(token.type) or signs(token.content)


def _address(href: str) -> str:
    """Write a link's address, in which the parser has left no blank, bracket or backslash."""
    return re.sub(r"&(?=#?\w+;)", r"\&", href.replace("(", "%28").replace(")", "%29"))
