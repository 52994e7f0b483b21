"""Formulas as parts: fractions, rounding and indices, which a template sets as MathML.

The notation is that of `reportgen.teaching`: `[a | b]` is a fraction, `⌊x⌋` and `⌈x⌉` round down and up,
`c_in` has an index. Of single letters, those that stand for a quantity are variables.
(MathML Core, https://www.w3.org/TR/mathml-core/.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reportgen.report.typography import SIGNS
from reportgen.words import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LETTER = "A-Za-zÀ-ɏ"  # of an alphabet: signs of Chinese may stand right beside a variable
BINARY = "=+−·×"
TOKENS = re.compile(
    rf"""
      (?P<mark>[⌊⌋⌈⌉\[\]|])
    | (?P<variable>(?<![{LETTER}'’])[chjknrsw](?:_[a-z]+)?(?![{LETTER}]))
    | (?P<space>[ ]+)
    | (?P<number>\d+(?:[.,\N{{NO-BREAK SPACE}}\N{{NARROW NO-BREAK SPACE}}]\d+)*
        (?:[ \N{{NO-BREAK SPACE}}]?%)?)
    | (?P<operator>[{BINARY}])
    | (?P<bracket>[()])
    | (?P<words>[{LETTER}]+|[{SIGNS}]|[^{LETTER}{SIGNS}{BINARY}⌊⌋⌈⌉\[\]|() \d]+)
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"[\d.,\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]+")
ROUNDINGS = {"⌊": ("floor", "⌋"), "⌈": ("ceiling", "⌉")}
PLAIN = ("words", "space", "number", "bracket")  # what a sentence has too


@dataclass(frozen=True)
class Part:
    """A part of a formula.

    Its kind is "words", "space", "number", "operator", "sign", "bracket", "variable" (with `index`),
    "fraction", "floor" or "ceiling". A fraction has `inner` above and `below` below its line, a rounding
    has `inner` between its brackets.
    """

    kind: str
    text: str = ""
    index: str = ""
    inner: tuple[Part, ...] = ()
    below: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Piece:
    """What is set as one: text of the sentence around, or parts of a formula with how they are read."""

    text: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def spoken(self) -> str:
        """Give the formula's words."""
        return spoken(self.parts)


def parse(formula: str) -> tuple[Part, ...]:
    """Divide a formula into parts; raises ValueError where a bracket has no partner."""
    tokens = [(str(found.lastgroup), found[0]) for found in TOKENS.finditer(formula)]
    parts = _until(tokens)
    if tokens:
        raise ValueError(f"{formula}: '{tokens[0][1]}' has no partner")
    return parts


def _until(tokens: list[tuple[str, str]]) -> tuple[Part, ...]:
    """Take parts from the tokens up to the end of what they stand in, which is left to be taken."""
    parts: list[Part] = []
    while tokens and tokens[0][1] not in "⌋⌉]|":
        parts.append(_part(tokens))
    return tuple(parts)


def _part(tokens: list[tuple[str, str]]) -> Part:
    kind, token = tokens.pop(0)
    if token in ROUNDINGS:
        name, end = ROUNDINGS[token]
        return Part(name, inner=_closed(tokens, end))
    if kind == "mark":  # an opening bracket, as no other is met here
        return Part("fraction", inner=_trimmed(_closed(tokens, "|")), below=_trimmed(_closed(tokens, "]")))
    if kind == "variable":
        letter, _, index = token.partition("_")
        return Part(kind, letter, index)
    return Part(kind, token)


def _closed(tokens: list[tuple[str, str]], end: str) -> tuple[Part, ...]:
    """Take parts up to that end, and the end."""
    parts = _until(tokens)
    if not tokens or tokens.pop(0)[1] != end:
        raise ValueError(f"'{end}' is missing")
    return parts


def _trimmed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Leave out the spaces at either end."""
    first = next((n for n, part in enumerate(parts) if part.kind != "space"), len(parts))
    last = next((n for n, part in enumerate(reversed(parts)) if part.kind != "space"), 0)
    return parts[first : len(parts) - last]


# --- what is set as one --------------------------------------------------------------------------


def pieces(parts: tuple[Part, ...]) -> tuple[Piece, ...]:
    """Divide a line into text and formulas, which end before each equals sign: there a line may be broken.

    Words belong to a formula where something is done with them, as in "(inputs + 1) · units".
    """
    inside = _inside(parts)
    runs: list[tuple[bool, list[Part]]] = []
    for n, (part, of_formula) in enumerate(zip(parts, inside, strict=True)):
        ends = of_formula and part.text == "=" and n > 0
        if not runs or runs[-1][0] != of_formula or ends:
            runs.append((of_formula, []))
        runs[-1][1].append(part)
    return tuple(piece for of_formula, run in runs for piece in _set(of_formula, tuple(run)))


def _set(of_formula: bool, run: tuple[Part, ...]) -> Iterator[Piece]:
    """Set a run; the spaces after a formula belong to the line."""
    if not of_formula:
        yield Piece("".join(part.text for part in run))
        return
    kept = tuple(_kept_apart(tuple(_signed(_trimmed(run)))))
    yield Piece(parts=kept)
    if run[-1].kind == "space":
        yield Piece(" ")


def _kept_apart(parts: tuple[Part, ...]) -> Iterator[Part]:
    """Keep a word apart from a number beside it: MathML has no space of its own there."""
    for n, part in enumerate(parts):
        beside = {one.kind for one in parts[max(n - 1, 0) : n + 2]}
        yield Part("words", "\N{NO-BREAK SPACE}") if beside == {"space", "number", "words"} else part


def _signed(parts: tuple[Part, ...]) -> Iterator[Part]:
    """Tell a minus that belongs to a number, as in "= −1", from one between two."""
    before = None
    for part in parts:
        alone = before is None or before.kind == "operator" or before.text == "("
        yield replace(part, kind="sign") if alone and part.text == "−" else part
        before = before if part.kind == "space" else part


def _inside(parts: tuple[Part, ...]) -> list[bool]:
    """Tell of each part of a line whether it belongs to a formula."""
    shown = [n for n, part in enumerate(parts) if part.kind != "space"]
    inside = {n: parts[n].kind not in PLAIN for n in shown}
    for before, n, after in zip([None, *shown], shown, [*shown[1:], None], strict=False):
        beside = [parts[one] for one in (before, after) if one is not None]
        if parts[n].kind in ("words", "number") and any(one.kind == "operator" for one in beside):
            inside[n] = True
    for order, step in ((reversed(shown), "("), (shown, ")")):
        near = False  # what an opening bracket stands before, what a closing one stands behind
        for n in order:
            if parts[n].text == step and parts[n].kind == "bracket":
                inside[n] = near
            near = inside[n]
    return [inside[n] if n in inside else _between(inside, n, len(parts)) for n in range(len(parts))]


def _between(inside: dict[int, bool], n: int, length: int) -> bool:
    """Tell whether a space stands inside a formula: between two of its parts."""
    return 0 < n < length - 1 and inside[n - 1] and inside[n + 1]


# --- in one line ---------------------------------------------------------------------------------


def plain(parts: Iterable[Part]) -> str:
    """Write a formula on one line: (n − k)/s, ⌊x⌋, c_in."""
    return "".join(_plain(part) for part in parts)


def spoken(parts: Iterable[Part]) -> str:
    """Write a formula as it is read to whoever hears it: rounding is said in words."""
    return "".join(_plain(part, {"floor": tr("floor of"), "ceiling": tr("ceiling of")}) for part in parts)


def _plain(part: Part, roundings: dict[str, str] | None = None) -> str:
    def write(parts: tuple[Part, ...]) -> str:
        return "".join(_plain(one, roundings) for one in parts)

    if part.kind == "fraction":
        return f"{_bracketed(write(part.inner))}/{_bracketed(write(part.below))}"
    if part.kind in ("floor", "ceiling"):
        if roundings:
            return f"{roundings[part.kind]} ({write(part.inner)})"
        opening, closing = next((key, end) for key, (kind, end) in ROUNDINGS.items() if kind == part.kind)
        return f"{opening}{write(part.inner)}{closing}"
    return f"{part.text}_{part.index}" if part.index else part.text


def _bracketed(written: str) -> str:
    return written if written.isalnum() or _NUMBER.fullmatch(written) else f"({written})"
