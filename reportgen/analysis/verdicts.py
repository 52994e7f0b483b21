"""What numbers say of a claim: it holds, it does not, or they can't tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan

from reportgen.analysis import sentences
from reportgen.analysis.differences import Difference
from reportgen.text import number_word
from reportgen.words import mark, tr, trc, trn

HOLDS = mark("holds")
DOES_NOT = mark("does not hold")
CANT_TELL = mark("can't tell here")
MARGIN = 0.01  # shares that differ by less than one point are taken to be the same
SAME_MARGIN = mark("Less than a point either way, with all its interval, counts as the same.")

Numbers = dict[str, float | int | str]


@dataclass(frozen=True)
class Finding:
    """What a run says of a claim: the verdict, a sentence with its numbers, and the numbers by name."""

    verdict: str
    said: str
    numbers: Numbers = field(default_factory=dict)


def not_applicable(why: str) -> Finding:
    """Say why a run cannot speak of a claim."""
    return Finding(CANT_TELL, sentences.not_applicable(why))


def numbers_of(differences: Mapping[str, Difference]) -> Numbers:
    """Give each difference and the ends of its interval by name, as they were computed."""
    found: Numbers = {}
    for name, one in differences.items():
        ends = {name: one.effect, f"{name}, low": one.low, f"{name}, high": one.high}
        found |= {what: float(value) for what, value in ends.items() if not isnan(value)}
    return found


def agrees(one: Difference, expect: str, margin: float = 0.0) -> bool | None:
    """Tell whether a difference is as expected: wholly so, wholly otherwise, or None for neither.

    `expect` is "lower", "higher" or "same"; the same is what lies within `margin` with all its interval. What
    the comparisons cannot tell apart is no difference, whatever its own interval.
    """
    if isnan(one.low) or isnan(one.high):
        return None
    if expect == "same" and -margin <= one.low and one.high <= margin:
        return True
    if one.apart is False:
        return None
    if expect == "same":
        return False if one.low > margin or one.high < -margin else None
    if expect == "lower":
        one = one.turned()
    if one.low > 0:
        return True
    return False if one.high < 0 or one.low == one.high == 0 else None


def judge(differences: Sequence[Difference], expect: str, margin: float = 0.0) -> str:
    """Give the verdict on a claim of all these differences.

    It holds only if every one is as expected; one that is clearly otherwise is enough against it.
    """
    answers = [agrees(one, expect, margin) for one in differences]
    if answers and all(answers):
        return HOLDS
    return DOES_NOT if False in answers else CANT_TELL


def tally(differences: Sequence[Difference], expect: str, margin: float = 0.0) -> str:
    """Say how many of several differences are as expected, otherwise, or neither."""
    answers = [agrees(one, expect, margin) for one in differences]
    if len(answers) == 1:
        return ""
    number = number_word(len(answers))
    if all(answers):
        both = tr("Both comparisons are as the claim says.")
        return both if len(answers) == 2 else tr("All {n} comparisons are as the claim says.", n=number)
    if set(answers) == {None}:
        neither = tr("Neither of the two comparisons is clear.")
        return neither if len(answers) == 2 else tr("None of the {n} comparisons is clear.", n=number)
    so, otherwise, unclear = (answers.count(answer) for answer in (True, False, None))
    parts = [
        trn("{n} as the claim says", "{n} as the claim says", so, n=number_word(so)) if so else "",
        trn("{n} clearly otherwise", "{n} clearly otherwise", otherwise, n=number_word(otherwise))
        if otherwise
        else "",
        trn("{n} not clear", "{n} not clear", unclear, n=number_word(unclear)) if unclear else "",
    ]
    return tr("Of {n} comparisons, {parts}.", n=number, parts=trc("clauses", ", ").join(filter(None, parts)))
