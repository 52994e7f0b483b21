"""What a cost, parameters or seconds, has to do with accuracy in one run."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from reportgen.analysis.scores import Leaderboard, Score
from reportgen.text import number_word

if TYPE_CHECKING:
    from reportgen.analysis.telling import Telling


def pairs_apart(board: Leaderboard, told: Telling, cost: str) -> tuple[int, int]:
    """Count the pairs of variants that can be told apart, and those in which the costlier one is ahead.

    `cost` is "params" or "seconds"; pairs of equal cost are left out.
    """
    ordered = [_ordered(one, other, cost) for one, other in combinations(board.scored, 2)]
    apart = [pair for pair in ordered if pair and told.apart(*pair)]
    return len(apart), sum(told.above(costly, cheap) for costly, cheap in apart)


def _ordered(one: Score, other: Score, cost: str) -> tuple[str, str] | None:
    """Put the costlier of two variants first; None where they cost the same."""
    a, b = getattr(one, cost), getattr(other, cost)
    if a == b or a is None or b is None:
        return None
    return (one.variant, other.variant) if a > b else (other.variant, one.variant)


def reading(board: Leaderboard, told: Telling, cost: str) -> str:
    """Say whether a higher cost went with a higher accuracy, among the pairs that are told apart."""
    total, ahead = pairs_apart(board, told, cost)
    that = "that can be told apart"
    costlier = "the one with more parameters" if cost == "params" else "the one that trained longer"
    if not total:
        return f"There are no two networks of different cost {that}."
    if total == 1:
        way = "more" if ahead else "less"
        return f"In the one pair of networks {that}, {costlier} is the {way} accurate."
    pairs = f"{number_word(total)} pairs of networks {that}"
    if ahead == total:
        return f"In all {pairs}, {costlier} is the more accurate."
    if not ahead:
        return f"In none of the {pairs} is {costlier} the more accurate."
    return f"Of the {pairs}, {costlier} is the more accurate in {number_word(ahead)}."
