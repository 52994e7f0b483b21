"""What a cost, parameters or seconds, has to do with accuracy in one run."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from reportgen.analysis.contrasts import Timing, slower, timing
from reportgen.analysis.differences import is_clear
from reportgen.analysis.scores import leaderboard
from reportgen.text import number_word
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from reportgen.analysis.telling import Telling
    from reportgen.results import Results

# By the cost: of no pair of networks, of one, of both, of all, of none of several, and of some.
NO_PAIR = {
    "params": mark("There are no two networks of different cost that can be told apart."),
    "seconds": mark(
        "There are no two networks that can be told apart and whose seconds an epoch differ clearly."
    ),
}
ONE_MORE = {
    "params": mark(
        "In the one pair of networks that can be told apart, the one with more parameters is the more "
        "accurate."
    ),
    "seconds": mark(
        "In the one pair of networks that can be told apart and whose seconds an epoch differ clearly, the "
        "one whose epochs took longer is the more accurate."
    ),
}
ONE_LESS = {
    "params": mark(
        "In the one pair of networks that can be told apart, the one with more parameters is the less "
        "accurate."
    ),
    "seconds": mark(
        "In the one pair of networks that can be told apart and whose seconds an epoch differ clearly, the "
        "one whose epochs took longer is the less accurate."
    ),
}
BOTH = {
    "params": mark(
        "In both pairs of networks that can be told apart, the one with more parameters is the more accurate."
    ),
    "seconds": mark(
        "In both pairs of networks that can be told apart and whose seconds an epoch differ clearly, the one "
        "whose epochs took longer is the more accurate."
    ),
}
ALL = {
    "params": mark(
        "In all {number} pairs of networks that can be told apart, the one with more parameters is the more "
        "accurate."
    ),
    "seconds": mark(
        "In all {number} pairs of networks that can be told apart and whose seconds an epoch differ clearly, "
        "the one whose epochs took longer is the more accurate."
    ),
}
NONE = {
    "params": mark(
        "In none of the {number} pairs of networks that can be told apart is the one with more parameters "
        "the more accurate."
    ),
    "seconds": mark(
        "In none of the {number} pairs of networks that can be told apart and whose seconds an epoch differ "
        "clearly is the one whose epochs took longer the more accurate."
    ),
}
SOME = {
    "params": mark(
        "Of the {number} pairs of networks that can be told apart, the one with more parameters is the more "
        "accurate in {some}."
    ),
    "seconds": mark(
        "Of the {number} pairs of networks that can be told apart and whose seconds an epoch differ clearly, "
        "the one whose epochs took longer is the more accurate in {some}."
    ),
}


def pairs_apart(results: Results, told: Telling, cost: str) -> tuple[int, int]:
    """Count the pairs of variants that can be told apart, and those in which the costlier one is ahead.

    `cost` is "params" or "seconds"; pairs of equal cost are left out. Seconds are those of an epoch, and are
    equal unless they are clearly apart, as in contrasts().
    """
    board = leaderboard(results)
    names = [one.variant for one in board.scored]
    apart = [pair for pair in combinations(names, 2) if told.apart(*pair)]
    if cost == "params":
        params = {one.variant: one.params for one in board.scored}
        ordered = [_larger(pair, params) for pair in apart]
    else:
        timings = {name: timing(results, name) for name in {name for pair in apart for name in pair}}
        ordered = [_slower(pair, timings) for pair in apart]
    ahead = [told.above(*pair) for pair in ordered if pair]
    return len(ahead), sum(ahead)


def _larger(pair: tuple[str, str], params: dict[str, int | None]) -> tuple[str, str] | None:
    """Put the larger of two variants first; None where they are of one size."""
    a, b = (params[name] for name in pair)
    if a is None or b is None or a == b:
        return None
    return pair if a > b else (pair[1], pair[0])


def _slower(pair: tuple[str, str], timings: dict[str, Timing]) -> tuple[str, str] | None:
    """Put the slower of two variants first; None where they are not clearly apart."""
    found = slower(*(timings[name] for name in pair))
    if not is_clear(found):
        return None
    return (pair[1], pair[0]) if found.effect > 0 else pair


def reading(results: Results, told: Telling, cost: str) -> str:
    """Say whether a higher cost went with a higher accuracy, among the pairs that are told apart."""
    total, ahead = pairs_apart(results, told, cost)
    if total < 2:
        message = (ONE_MORE if ahead else ONE_LESS) if total else NO_PAIR
    elif ahead == total:
        message = BOTH if total == 2 else ALL
    else:
        message = SOME if ahead else NONE
    return tr(message[cost], number=number_word(total), some=number_word(ahead))
