"""What a report may say in words: an ordered list of checks, each of which may yield a sentence.

No sentence claims a difference that the numbers do not carry: trained networks are told apart only where
the Wilson intervals of all their seeds lie apart, which is stricter than a paired test; and what is said is
said of this run's trainings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reportgen.analysis.scores import Leaderboard, Score
from reportgen.text import (
    PERCENT,
    count,
    digits_for,
    fraction,
    listing,
    number_word,
    percent,
    seconds,
    shorten,
)

LONGEST_REASON = 200


@dataclass(frozen=True)
class Sentence:
    """A finding in words: what it says first, and the numbers behind it."""

    lead: str
    rest: str


def clearly_above(one: Score, other: Score) -> bool:
    """Tell whether one score's interval lies wholly above the other's."""
    return one.low > other.high


def _shown(score: Score, board: Leaderboard) -> str:
    return f"{percent(score.accuracy, digits_for(board.n_test))}{PERCENT}"


def _bounds(score: Score, board: Leaderboard) -> str:
    digits = digits_for(board.n_test)
    return f"{percent(score.low, digits)} to {percent(score.high, digits)}{PERCENT}"


def against_baseline(board: Leaderboard) -> Sentence | None:
    """Say how many variants are clearly above the baseline, and which can't be told from it."""
    base = board.baseline
    others = [one for one in board.scored if not one.baseline]
    if base is None or not others:
        return None
    above = [one for one in others if clearly_above(one, base)]
    below = [one for one in others if clearly_above(base, one)]
    level = [one for one in others if one not in above and one not in below]
    if len(above) == len(others):
        return Sentence(_all_above(board, base), _spread(others, base, board))
    if not above:
        lead = f"No network is clearly more accurate than the baseline {base.variant} in this run."
    else:
        lead = f"{number_word(len(above)).capitalize()} of {number_word(len(others))} {_networks(board)} "
        lead += f"{_verb(above)} more accurate than the baseline {base.variant} in this run."
    rest = _spread(above, base, board) if above else ""
    if level:
        named = [f"{one.variant} ({_shown(one, board)})" for one in level]
        rest += f" {listing(named)} cannot be told apart from it."
    if below:
        rest += f" {listing([one.variant for one in below])} {_verb(below)} clearly less accurate."
    return Sentence(lead, rest.strip())


def _verb(scores: list[Score]) -> str:
    return "is" if len(scores) == 1 else "are"


def _networks(board: Leaderboard) -> str:
    """Say which networks are counted: those without a score are not."""
    return "trained networks" if board.failed else "networks"


def _all_above(board: Leaderboard, base: Score) -> str:
    others = [one for one in board.scored if one is not base]
    if len(others) == 1:
        return f"{others[0].variant} is more accurate than the baseline {base.variant} in this run."
    all_of_them = "Both" if len(others) == 2 else f"All {number_word(len(others))}"
    return (
        f"{all_of_them} other {_networks(board)} are more accurate than the baseline "
        f"{base.variant} in this run."
    )


def _spread(others: list[Score], base: Score, board: Leaderboard) -> str:
    best, worst = others[0], others[-1]
    reach = _shown(best, board)
    if len(others) > 1:
        reach = f"{percent(worst.accuracy, digits_for(board.n_test))} to {reach}"
    mean = " on average over the seeds" if board.seeds > 1 else ""
    subject = "They classify" if len(others) > 1 else "It classifies"
    return f"{subject} {reach} of the test images correctly, the baseline {_shown(base, board)}{mean}."


def best_score(board: Leaderboard) -> Sentence | None:
    """Name the highest score and the variants that can't be told from it."""
    if len(board.scored) < 2:
        return None
    best, *others = board.scored
    level = [one for one in others if not clearly_above(best, one)]
    mean = " on average" if best.seeds > 1 else ""
    numbers = f"{_shown(best, board)} ({_bounds(best, board)}), {count(best.mistakes)} mistakes in "
    numbers += f"{count(board.n_test)} images{mean}."
    ties = [one.variant for one in board.scored if one.accuracy == best.accuracy]
    if len(ties) > 1:
        return Sentence(f"{listing(ties)} share the highest score:", numbers)
    if not level:
        return Sentence(f"{best.variant} is the most accurate:", numbers)
    if len(level) == len(others):
        which = "the other" if len(others) == 1 else "any other"
        return Sentence(
            f"The highest score is {best.variant}'s:", f"{numbers} It cannot be told apart from {which}."
        )
    names = listing([one.variant for one in level])
    return Sentence(
        f"The highest score is {best.variant}'s:", f"{numbers} It cannot be told apart from {names}."
    )


def smallest_above_baseline(board: Leaderboard) -> Sentence | None:
    """Say it where a variant with clearly fewer parameters is clearly above the baseline."""
    base = board.baseline
    if base is None or not base.params:
        return None
    smaller = [
        one
        for one in board.scored
        if one.params and one.params < 0.8 * base.params and clearly_above(one, base)
    ]
    if not smaller:
        return None
    one = min(smaller, key=lambda score: (score.params or 0, score.variant))
    share = fraction((one.params or 0) / base.params)
    return Sentence(
        "Accuracy does not come from size alone:",
        f"{one.variant} has {count(one.params or 0)} parameters, {share} of the baseline's "
        f"{count(base.params)}, and {_shown(one, board)} against {_shown(base, board)}.",
    )


def only_score(board: Leaderboard) -> Sentence | None:
    """State the one score of a run with one variant."""
    if len(board.scored) != 1:
        return None
    one = board.scored[0]
    return Sentence(
        f"{one.variant} classifies {_shown(one, board)} of the test images correctly",
        f"({_bounds(one, board)}), after {seconds(one.seconds)} seconds of training.",
    )


def nothing_trained(board: Leaderboard) -> Sentence | None:
    """Say that no training was finished."""
    if board.scored:
        return None
    return Sentence("No training was finished.", "The reasons stand in the table below.")


def without_score(board: Leaderboard) -> Sentence | None:
    """Name the variants that have no score."""
    if not board.failed or not board.scored:
        return None
    names = listing([one.variant for one in board.failed])
    if len({one.reasons for one in board.failed}) > 1:
        return Sentence(f"No score for {names}:", "the reasons stand in the table below.")
    return Sentence(f"No score for {names}:", f"{shorten(board.failed[0].reasons[0], LONGEST_REASON)}.")


def seeds_missing(board: Leaderboard) -> Sentence | None:
    """Name the variants of which only some seeds were finished."""
    partial = [one for one in board.scored if one.reasons]
    if not partial:
        return None
    named = [f"{one.variant} ({one.seeds} of {one.planned})" for one in partial]
    reason = shorten(partial[0].reasons[0], LONGEST_REASON)
    return Sentence(f"Not every seed was finished: {listing(named)}.", f"{partial[0].variant} {reason}.")


FINDINGS: dict[str, Callable[[Leaderboard], Sentence | None]] = {
    "nothing-trained": nothing_trained,
    "only-score": only_score,
    "against-baseline": against_baseline,
    "smallest-above-baseline": smallest_above_baseline,
    "best-score": best_score,
    "without-score": without_score,
    "seeds-missing": seeds_missing,
}


def findings(board: Leaderboard) -> list[Sentence]:
    """Give the sentences that this run carries, in the order of FINDINGS."""
    found = (check(board) for check in FINDINGS.values())
    return [sentence for sentence in found if sentence is not None]
