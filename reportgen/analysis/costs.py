"""What a cost, parameters or seconds, has to do with accuracy in one run."""

from __future__ import annotations

from itertools import combinations

from reportgen.analysis.findings import clearly_above
from reportgen.analysis.scores import Leaderboard, Score
from reportgen.text import number_word


def pairs_apart(board: Leaderboard, cost: str) -> tuple[int, int]:
    """Count the pairs of variants that can be told apart, and those in which the costlier one is ahead.

    `cost` is "params" or "seconds"; pairs of equal cost are left out.
    """
    ordered = [_ordered(one, other, cost) for one, other in combinations(board.scored, 2)]
    apart = [pair for pair in ordered if pair and (clearly_above(*pair) or clearly_above(*pair[::-1]))]
    return len(apart), sum(clearly_above(costly, cheap) for costly, cheap in apart)


def _ordered(one: Score, other: Score, cost: str) -> tuple[Score, Score] | None:
    """Put the costlier of two scores first; None where they cost the same."""
    a, b = getattr(one, cost), getattr(other, cost)
    if a == b or a is None or b is None:
        return None
    return (one, other) if a > b else (other, one)


def reading(board: Leaderboard, cost: str) -> str:
    """Say whether a higher cost went with a higher accuracy, among the pairs that are told apart."""
    total, ahead = pairs_apart(board, cost)
    that = "whose intervals are apart"
    costlier = "the one with more parameters" if cost == "params" else "the one that trained longer"
    if not total:
        return "No two networks have intervals that are apart."
    if total == 1:
        way = "more" if ahead else "less"
        return f"In the one pair of networks {that}, {costlier} is the {way} accurate."
    pairs = f"{number_word(total)} pairs of networks {that}"
    if ahead == total:
        return f"In all {pairs}, {costlier} is the more accurate."
    if not ahead:
        return f"In none of the {pairs} is {costlier} the more accurate."
    return f"Of the {pairs}, {costlier} is the more accurate in {number_word(ahead)}."
