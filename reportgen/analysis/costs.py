"""What a cost, parameters or seconds, has to do with accuracy in one run."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from reportgen.analysis.contrasts import Timing, slower, timing
from reportgen.analysis.differences import is_clear
from reportgen.analysis.scores import leaderboard
from reportgen.text import all_of, number_word

if TYPE_CHECKING:
    from reportgen.analysis.telling import Telling
    from reportgen.results import Results

THAT = {
    "params": "that can be told apart",
    "seconds": "that can be told apart and whose seconds an epoch differ clearly",
}
COSTLIER = {"params": "the one with more parameters", "seconds": "the one whose epochs took longer"}


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
    that, costlier = THAT[cost], COSTLIER[cost]
    if not total:
        of_cost = "of different cost " if cost == "params" else ""
        return f"There are no two networks {of_cost}{that}."
    if total == 1:
        way = "more" if ahead else "less"
        return f"In the one pair of networks {that}, {costlier} is the {way} accurate."
    pairs = f"pairs of networks {that}"
    if ahead == total:
        return f"In {all_of(total).lower()} {pairs}, {costlier} is the more accurate."
    if not ahead:
        return f"In none of the {number_word(total)} {pairs} is {costlier} the more accurate."
    return f"Of the {number_word(total)} {pairs}, {costlier} is the more accurate in {number_word(ahead)}."
