"""Formulas as parts that a template sets: fractions, rounding and indices, without MathML or a script.

The notation is that of `reportgen.teaching`: `[a | b]` is a fraction, `⌊x⌋` and `⌈x⌉` round down and up,
`c_in` has an index. Of single letters, those that stand for a quantity are variables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LETTER = "A-Za-zÀ-ɏ"  # of an alphabet: signs of Chinese may stand right beside a variable
TOKENS = re.compile(
    rf"[⌊⌋⌈⌉\[\]|]|(?<![{LETTER}])[chjknrsw](?:_[a-z]+)?(?![{LETTER}])|[^⌊⌋⌈⌉\[\]|{LETTER}]+|[{LETTER}]+"
)
VARIABLE = re.compile(r"([chjknrsw])(?:_([a-z]+))?")
ROUNDINGS = {"⌊": ("floor", "⌋"), "⌈": ("ceiling", "⌉")}


@dataclass(frozen=True)
class Part:
    """A part of a formula: "text", "variable" (with `index`), "fraction", "floor" or "ceiling".

    A fraction has `inner` above and `below` below its line, a rounding has `inner` between its brackets.
    """

    kind: str
    text: str = ""
    index: str = ""
    inner: tuple[Part, ...] = ()
    below: tuple[Part, ...] = ()


def parse(formula: str) -> tuple[Part, ...]:
    """Divide a formula into parts; raises ValueError where a bracket has no partner."""
    tokens = TOKENS.findall(formula)
    parts = _until(tokens, "")
    if tokens:
        raise ValueError(f"{formula}: '{tokens[0]}' has no partner")
    return parts


def _until(tokens: list[str], *ends: str) -> tuple[Part, ...]:
    """Take parts from the tokens up to one of the ends, which is left to be taken."""
    parts: list[Part] = []
    while tokens and tokens[0] not in ends:
        if tokens[0] in "⌋⌉]|":
            break
        parts.append(_part(tokens))
    return tuple(parts)


def _part(tokens: list[str]) -> Part:
    token = tokens.pop(0)
    if token in ROUNDINGS:
        kind, end = ROUNDINGS[token]
        inner = _until(tokens, end)
        _close(tokens, end)
        return Part(kind, inner=inner)
    if token == "[":
        above = _until(tokens, "|")
        _close(tokens, "|")
        below = _until(tokens, "]")
        _close(tokens, "]")
        return Part("fraction", inner=_trimmed(above), below=_trimmed(below))
    variable = VARIABLE.fullmatch(token)
    return Part("variable", variable[1], variable[2] or "") if variable else Part("text", token)


def _close(tokens: list[str], end: str) -> None:
    if not tokens or tokens.pop(0) != end:
        raise ValueError(f"'{end}' is missing")


def _trimmed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Leave out the spaces beside a fraction's line."""
    texts = [part.text for part in parts]
    if parts and parts[0].kind == "text":
        texts[0] = texts[0].lstrip()
    if parts and parts[-1].kind == "text":
        texts[-1] = texts[-1].rstrip()
    trimmed = (replace(part, text=text) for part, text in zip(parts, texts, strict=True))
    return tuple(part for part in trimmed if part.text or part.kind != "text")


def plain(parts: Iterable[Part]) -> str:
    """Write a formula on one line: (n − k)/s, ⌊x⌋, c_in."""
    return "".join(_plain(part) for part in parts)


def _plain(part: Part) -> str:
    if part.kind == "fraction":
        return f"{_bracketed(part.inner)}/{_bracketed(part.below)}"
    if part.kind in ("floor", "ceiling"):
        opening, closing = next((key, end) for key, (kind, end) in ROUNDINGS.items() if kind == part.kind)
        return f"{opening}{plain(part.inner)}{closing}"
    return f"{part.text}_{part.index}" if part.index else part.text


def _bracketed(parts: tuple[Part, ...]) -> str:
    written = plain(parts)
    return written if written.isalnum() else f"({written})"
