"""Checks of what a run cannot tell: who is level, how fine its budget resolves, and what is missing."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from reportgen.analysis.answers import NOTHING_TRAINED, ONE_SCORE
from reportgen.analysis.evidence import (
    ANSWER,
    NOTE,
    NOTHING,
    WARNING,
    Answer,
    Evidence,
    NotApplicable,
    Numbers,
    Said,
    numbers_of,
)
from reportgen.analysis.resolution import resolutions
from reportgen.text import PERCENT, count, inert, listing, number_word, shorten

if TYPE_CHECKING:
    from reportgen.analysis.telling import Pair

CAN_TELL = "What this run can tell apart:"
LONGEST_REASON = 200
MOST_PAIRS = 4  # named in one sentence


def cannot_tell(e: Evidence) -> Answer:
    """List the pairs that cannot be told apart, the nearest first."""
    if len(e.board.scored) < 2:
        return _too_few(e)
    pairs = list(e.telling.pairs.values())
    level = sorted((one for one in pairs if not one.apart), key=lambda one: one.difference)
    numbers: Numbers = {"pairs": len(pairs), "not told apart": len(level)}
    if not level:
        return Said(NOTHING, f"{_all(pairs)} can be told apart.", "", numbers)
    for one in level:
        numbers |= numbers_of(one)
    if len(level) == 1:
        pair = level[0]
        lead = f"{pair.better} and {pair.other} cannot be told apart:"
        return Said(NOTE, lead, f"{e.points(pair)}.{_chance(pairs)}", numbers)
    named = "; ".join(f"{one.better} and {one.other} {e.points(one)}" for one in level[:MOST_PAIRS])
    more = len(level) - MOST_PAIRS
    named += f"; and {count(more)} more" if more > 0 else ""
    some = "None" if len(level) == len(pairs) else number_word(len(level)).capitalize()
    can = "can" if len(level) == len(pairs) else "cannot"
    lead = f"{some} of {number_word(len(pairs))} pairs of {e.subjects} {can} be told apart:"
    return Said(NOTE, lead, f"{named}.{_chance(pairs)}", numbers)


def _all(pairs: list[Pair]) -> str:
    return "The two networks" if len(pairs) == 1 else f"All {number_word(len(pairs))} pairs of networks"


def _chance(pairs: list[Pair]) -> str:
    """Explain the intervals where one that leaves 0 out may stand beside "cannot be told apart"."""
    if len(pairs) == 1:
        return ""
    return (
        " In brackets each difference's own 95 % interval; whether two are told apart is decided over all "
        f"{count(len(pairs))} pairs together (Holm)."
    )


def _too_few(e: Evidence) -> NotApplicable:
    return NotApplicable(ONE_SCORE if e.board.scored else NOTHING_TRAINED)


def resolution(e: Evidence) -> Answer:
    """State what difference this budget can tell, in the median pair, tested as one of so many."""
    if len(e.board.scored) < 2:
        return _too_few(e)
    rows = e.telling.rows
    found = resolutions(rows).median()
    n, pairs = e.board.n_test, len(rows)
    if isnan(found):
        return NotApplicable("there is no test image that only one of two networks gets right")
    numbers: Numbers = {"test images": n, "pairs": pairs, "resolution": float(found)}
    finds = "finds such a one in four of five runs"
    as_one = f", one of {count(pairs)} comparisons" if pairs > 1 else ""
    if e.telling.architectures:
        seeds = min(one.seeds for one in e.board.scored)
        rest = (
            f"differences of about {e.minus(found)} points or more between two architectures. With "
            f"{number_word(seeds)} seeds and {e.images()}, the test of a pair{as_one}, {finds}."
        )
        return Said(ANSWER, CAN_TELL, rest, numbers | {"seeds": seeds})
    discordant = float(((rows["only_a_right"] + rows["only_b_right"]) / rows["n"]).median())
    numbers["discordant"] = discordant
    if found >= discordant:
        over = f" (median over {count(pairs)} pairs)" if pairs > 1 else ""
        rest = (
            f"of {e.images()}, two networks differ on {100 * discordant:.1f}{PERCENT}{over}, too few for any "
            "to be found."
        )
        return Said(ANSWER, "This run cannot tell small differences:", rest, numbers)
    rest = (
        f"differences of about {e.minus(found)} points or more between two trained networks. With "
        f"{e.images()}, McNemar's test{as_one}, {finds}."
    )
    return Said(ANSWER, CAN_TELL, rest, numbers)


def reversed_order(e: Evidence) -> Answer:
    """Say how often single seeds would have put two networks into the other order."""
    if len(e.board.scored) < 2:
        return _too_few(e)
    if not e.telling.architectures:
        return NotApplicable("it needs at least three finished seeds of every network")
    pairs = [one for one in e.telling.pairs.values() if not isnan(one.reversed)]
    turned = sorted((one for one in pairs if one.reversed > 0), key=lambda one: -one.reversed)
    apart = [one for one in pairs if one.apart]
    numbers: Numbers = {"pairs": len(pairs), "could be reversed": len(turned), "told apart": len(apart)}
    if not turned:
        return Said(NOTHING, "No two single seeds stand in another order than the means.", "", numbers)
    worst = turned[0]
    numbers |= {f"{worst.better} − {worst.other}, reversed": worst.reversed, **numbers_of(worst)}
    numbers["told apart and could be reversed"] = sum(one.apart for one in turned)
    return Said(NOTE, _with_one_seed(turned, pairs), _most_often(e, worst, apart), numbers)


def _with_one_seed(turned: list[Pair], pairs: list[Pair]) -> str:
    some = f"the order of {number_word(len(turned))} of {number_word(len(pairs))} pairs"
    return f"With one seed of each network, {some} could have come out reversed:"


def _most_often(e: Evidence, worst: Pair, apart: list[Pair]) -> str:
    said = (
        f"most often that of {worst.better} and {worst.other}, in {100 * worst.reversed:.0f}{PERCENT} of the "
        f"pairs of seeds ({e.minus(worst.difference)} points between their means)."
    )
    if apart:
        some = sum(one.reversed > 0 for one in apart)
        said += f" Of the pairs that are told apart, this holds of {number_word(some) if some else 'none'}."
    return said


# --- what is missing -----------------------------------------------------------------------------


def unfinished(e: Evidence) -> Answer:
    """Name the networks that have no score because they failed or diverged."""
    failed = e.board.failed
    if not e.board.scored:
        return NotApplicable(NOTHING_TRAINED)
    numbers: Numbers = {"networks": len(e.board.scores), "without a score": len(failed)}
    if not failed:
        return Said(NOTHING, "No network failed or diverged.", "", numbers)
    lead = f"No score for {listing([one.variant for one in failed])}:"
    if len({one.reasons for one in failed}) > 1:
        return Said(ANSWER, lead, "the reasons stand in the table below.", numbers)
    return Said(ANSWER, lead, f"{shorten(inert(failed[0].reasons[0]), LONGEST_REASON)}.", numbers)


def seeds_missing(e: Evidence) -> Answer:
    """Name the networks of which only some seeds were finished."""
    if e.results.record.lab.protocol.seeds < 2:
        return NotApplicable("the lab asks for one seed only")
    if not e.board.scored:
        return NotApplicable(NOTHING_TRAINED)
    partial = [one for one in e.board.scored if one.reasons]
    numbers: Numbers = {one.variant: one.seeds for one in e.board.scored}
    if not partial:
        return Said(NOTHING, "Every network with a score has all its seeds.", "", numbers)
    named = [f"{one.variant} ({one.seeds} of {one.planned})" for one in partial]
    reason = shorten(inert(partial[0].reasons[0]), LONGEST_REASON)
    return Said(
        WARNING,
        f"Not every seed was finished: {listing(named)}.",
        f"{partial[0].variant} {reason}.",
        numbers,
    )
