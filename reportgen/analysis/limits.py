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
from reportgen.analysis.sentences import ended, together
from reportgen.text import PERCENT, count, inert, listing, number_word, percent, shorten
from reportgen.words import mark, tr, trn

if TYPE_CHECKING:
    from reportgen.analysis.scores import Score
    from reportgen.analysis.telling import Pair

CAN_TELL = mark("What this run can tell apart:")
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
        return Said(NOTHING, _all_can(len(pairs)), "", numbers)
    for one in level:
        numbers |= numbers_of(one)
    if len(level) == 1:
        pair = level[0]
        lead = tr("{one} and {other} cannot be told apart:", one=pair.better, other=pair.other)
        return Said(NOTE, lead, f"{ended(e.points(pair))}{_chance(pairs)}", numbers)
    named = [
        tr("{one} and {other} {points}", one=one.better, other=one.other, points=e.points(one))
        for one in level
    ]
    lead = _cannot(e.telling.architectures, len(level), len(pairs))
    return Said(NOTE, lead, f"{ended(together(named, MOST_PAIRS))}{_chance(pairs)}", numbers)


def _all_can(pairs: int) -> str:
    if pairs == 1:
        return tr("The two networks can be told apart.")
    return tr("All {number} pairs of networks can be told apart.", number=number_word(pairs))


def _cannot(architectures: bool, level: int, pairs: int) -> str:
    """Say how many pairs cannot be told apart, of several."""
    some, number = number_word(level).capitalize(), number_word(pairs)
    if level == pairs and architectures:
        return tr("None of {number} pairs of architectures can be told apart:", number=number)
    if level == pairs:
        return tr("None of {number} pairs of trained networks can be told apart:", number=number)
    if architectures:
        return trn(
            "{some} of {number} pairs of architectures cannot be told apart:",
            "{some} of {number} pairs of architectures cannot be told apart:",
            level,
            some=some,
            number=number,
        )
    return trn(
        "{some} of {number} pairs of trained networks cannot be told apart:",
        "{some} of {number} pairs of trained networks cannot be told apart:",
        level,
        some=some,
        number=number,
    )


def _chance(pairs: list[Pair]) -> str:
    """Explain the intervals where one that leaves 0 out may stand beside "cannot be told apart"."""
    if len(pairs) == 1:
        return ""
    return " " + tr(
        "In brackets each difference's own 95 % interval; whether two are told apart is decided over all "
        "{pairs} pairs together (Holm).",
        pairs=count(len(pairs)),
    )


def _too_few(e: Evidence) -> NotApplicable:
    return NotApplicable(tr(ONE_SCORE if e.board.scored else NOTHING_TRAINED))


def resolution(e: Evidence) -> Answer:
    """State what difference this budget can tell, in the median pair, tested as one of so many."""
    if len(e.board.scored) < 2:
        return _too_few(e)
    rows = e.telling.rows
    found = resolutions(rows).median()
    n, pairs = e.board.n_test, len(rows)
    if isnan(found):
        return NotApplicable(tr("there is no test image that only one of two networks gets right"))
    numbers: Numbers = {"test images": n, "pairs": pairs, "resolution": float(found)}
    values = {"points": e.minus(found), "images": e.images(), "pairs": count(pairs)}
    if e.telling.architectures:
        seeds = min(one.seeds for one in e.board.scored)
        rest = _between_architectures(pairs, {**values, "seeds": number_word(seeds)})
        return Said(ANSWER, tr(CAN_TELL), rest, numbers | {"seeds": seeds})
    discordant = float(((rows["only_a_right"] + rows["only_b_right"]) / rows["n"]).median())
    numbers["discordant"] = discordant
    if found >= discordant:
        rest = _too_few_discordant(pairs, {**values, "share": f"{percent(discordant, 1)}{PERCENT}"})
        return Said(ANSWER, tr("This run cannot tell small differences:"), rest, numbers)
    return Said(ANSWER, tr(CAN_TELL), _between_networks(pairs, values), numbers)


def _between_architectures(pairs: int, values: dict[str, str]) -> str:
    if pairs == 1:
        return tr(
            "differences of about {points} points or more between two architectures. With {seeds} seeds and "
            "{images}, the test of a pair, finds such a one in four of five runs.",
            **values,
        )
    return tr(
        "differences of about {points} points or more between two architectures. With {seeds} seeds and "
        "{images}, the test of a pair, one of {pairs} comparisons, finds such a one in four of five runs.",
        **values,
    )


def _between_networks(pairs: int, values: dict[str, str]) -> str:
    if pairs == 1:
        return tr(
            "differences of about {points} points or more between two trained networks. With {images}, "
            "McNemar's test, finds such a one in four of five runs.",
            **values,
        )
    return tr(
        "differences of about {points} points or more between two trained networks. With {images}, "
        "McNemar's test, one of {pairs} comparisons, finds such a one in four of five runs.",
        **values,
    )


def _too_few_discordant(pairs: int, values: dict[str, str]) -> str:
    if pairs == 1:
        return tr("of {images}, two networks differ on {share}, too few for any to be found.", **values)
    return tr(
        "of {images}, two networks differ on {share} (median over {pairs} pairs), too few for any to be "
        "found.",
        **values,
    )


def reversed_order(e: Evidence) -> Answer:
    """Say how often single seeds would have put two networks into the other order."""
    if len(e.board.scored) < 2:
        return _too_few(e)
    if not e.telling.architectures:
        return NotApplicable(tr("it needs at least three finished seeds of every network"))
    pairs = [one for one in e.telling.pairs.values() if not isnan(one.reversed)]
    turned = sorted((one for one in pairs if one.reversed > 0), key=lambda one: -one.reversed)
    apart = [one for one in pairs if one.apart]
    numbers: Numbers = {"pairs": len(pairs), "could be reversed": len(turned), "told apart": len(apart)}
    if not turned:
        lead = tr("No two single seeds stand in another order than the means.")
        return Said(NOTHING, lead, "", numbers)
    worst = turned[0]
    numbers |= {f"{worst.better} − {worst.other}, reversed": worst.reversed, **numbers_of(worst)}
    numbers["told apart and could be reversed"] = sum(one.apart for one in turned)
    return Said(NOTE, _with_one_seed(turned, pairs), _most_often(e, worst, apart), numbers)


def _with_one_seed(turned: list[Pair], pairs: list[Pair]) -> str:
    return tr(
        "With one seed of each network, the order of {some} of {number} pairs could have come out reversed:",
        some=number_word(len(turned)),
        number=number_word(len(pairs)),
    )


def _most_often(e: Evidence, worst: Pair, apart: list[Pair]) -> str:
    said = tr(
        "most often that of {one} and {other}, in {share} of the pairs of seeds ({points} points between "
        "their means).",
        one=worst.better,
        other=worst.other,
        share=f"{percent(worst.reversed, 0)}{PERCENT}",
        points=e.minus(worst.difference),
    )
    some = sum(one.reversed > 0 for one in apart)
    if not apart:
        return said
    holds = tr("Of the pairs that are told apart, this holds of none.")
    if some:
        holds = tr("Of the pairs that are told apart, this holds of {number}.", number=number_word(some))
    return f"{said} {holds}"


# --- what is missing -----------------------------------------------------------------------------


def unfinished(e: Evidence) -> Answer:
    """Name the networks that have no score because they failed or diverged."""
    failed = e.board.failed
    if not e.board.scored:
        return NotApplicable(tr(NOTHING_TRAINED))
    numbers: Numbers = {"networks": len(e.board.scores), "without a score": len(failed)}
    if not failed:
        return Said(NOTHING, tr("No network failed or diverged."), "", numbers)
    lead = tr("No score for {names}:", names=listing([one.variant for one in failed]))
    if len({one.reasons for one in failed}) > 1:
        return Said(ANSWER, lead, tr("the reasons stand in the table below."), numbers)
    return Said(ANSWER, lead, ended(shorten(inert(failed[0].reasons[0]), LONGEST_REASON)), numbers)


def seeds_missing(e: Evidence) -> Answer:
    """Name the networks of which only some seeds were finished."""
    if e.results.record.lab.protocol.seeds < 2:
        return NotApplicable(tr("the lab asks for one seed only"))
    if not e.board.scored:
        return NotApplicable(tr(NOTHING_TRAINED))
    partial = [one for one in e.board.scored if one.reasons]
    numbers: Numbers = {one.variant: one.seeds for one in e.board.scored}
    if not partial:
        return Said(NOTHING, tr("Every network with a score has all its seeds."), "", numbers)
    named = [_finished(one) for one in partial]
    reason = shorten(inert(partial[0].reasons[0]), LONGEST_REASON)
    return Said(
        WARNING,
        tr("Not every seed was finished: {names}.", names=listing(named)),
        ended(f"{partial[0].variant} {reason}"),
        numbers,
    )


def _finished(one: Score) -> str:
    return tr(
        "{name} ({seeds} of {planned})", name=one.variant, seeds=count(one.seeds), planned=count(one.planned)
    )
