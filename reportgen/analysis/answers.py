"""Checks of the scores and of the comparisons: what came out.

A network is called better or worse only where the comparisons tell the two apart (`Telling`), so that all
sentences about differences together keep to one error of at most 5 %.
"""

from __future__ import annotations

from reportgen.analysis.evidence import (
    ANSWER,
    NOTE,
    NOTHING,
    Answer,
    Evidence,
    NotApplicable,
    Numbers,
    Said,
    Standing,
    numbers_of,
)
from reportgen.jobs import DONE
from reportgen.text import all_of, count, fraction, listing, number_word, seconds

SMALLER = 0.8  # of the baseline's parameters
NOTHING_TRAINED = "no training was finished"
ONE_SCORE = "only one network has a score"


def trainings(e: Evidence) -> Answer:
    """Say that no training was finished, or how many were."""
    runs = e.results.runs
    done = int((runs["status"] == DONE).sum())
    numbers: Numbers = {"trainings": len(runs), "finished": done}
    if done == len(runs):
        all_of_them = f"All {count(done)} trainings were" if done > 1 else "The one training was"
        return Said(NOTHING, f"{all_of_them} finished.", "", numbers)
    if done:
        lead = f"{count(done)} of {count(len(runs))} trainings were finished."
        return Said(NOTE, lead, "The others failed or diverged.", numbers)
    return Said(ANSWER, "No training was finished.", "The reasons stand in the table below.", numbers)


# --- against the baseline ------------------------------------------------------------------------


def against_baseline(e: Evidence) -> Answer:
    """Say how many networks are told apart from the baseline, and which are not."""
    why = _no_baseline(e)
    if why:
        return NotApplicable(why)
    base = e.standing(e.base)
    others = [one for one in e.standings if one.variant != e.base]
    above = [one for one in others if e.telling.above(one.variant, e.base)]
    below = [one for one in others if e.telling.above(e.base, one.variant)]
    level = [one for one in others if one not in above and one not in below]
    numbers: Numbers = {"above": len(above), "below": len(below), "not told apart": len(level)}
    numbers["pairs"] = len(e.telling.pairs)
    numbers |= {f"{one.variant}: accuracy": one.accuracy for one in e.standings}
    for one in others:
        numbers |= numbers_of(e.telling.pair(one.variant, e.base).seen_from(one.variant))
    rest = [*_ahead(e, above, base), *_level(e, level)]
    if below:
        rest.append(f"{_few(_names(below))} {_are(below)} clearly less accurate.")
    return Said(ANSWER, _lead(e, above, others), " ".join(rest), numbers)


def _no_baseline(e: Evidence) -> str:
    if not e.board.scored:
        return NOTHING_TRAINED
    if not e.base:
        return "the lab names no baseline"
    if e.board.baseline is None:
        return f"no training of the baseline {e.base} was finished"
    return ONE_SCORE if len(e.board.scored) == 1 else ""


def _lead(e: Evidence, above: list[Standing], others: list[Standing]) -> str:
    where = f"than the baseline {e.base}" + ("" if e.telling.architectures else " in this run")
    if not above:
        return f"No {e.subjects[:-1]} is clearly more accurate {where}."
    if len(others) == 1:
        return f"{others[0].variant} is more accurate {where}."
    if len(above) == len(others):
        return f"{all_of(len(others))} other {e.subjects} are more accurate {where}."
    some = number_word(len(above)).capitalize()
    return f"{some} of {number_word(len(others))} {e.subjects} {_are(above)} more accurate {where}."


def _ahead(e: Evidence, above: list[Standing], base: Standing) -> list[str]:
    if not above:
        return []
    best, worst = above[0], above[-1]
    reach = e.share(best.accuracy) if len(above) == 1 else e.range(worst.accuracy, best.accuracy)
    they = "It classifies" if len(above) == 1 else "They classify"
    pairs = [e.telling.pair(one.variant, base.variant) for one in above]
    least = min(pairs, key=lambda pair: pair.difference)
    which = "the least accurate of them is ahead by" if len(above) > 1 else "it is ahead by"
    beside = f"the baseline {e.share(base.accuracy)}; {which} {e.points(least)}."
    return [f"{they} {reach} of the test images correctly{e.over}, {beside}"]


def _level(e: Evidence, level: list[Standing]) -> list[str]:
    if not level:
        return []
    if len(level) == 1:
        one = level[0]
        gap = e.level_points(e.telling.pair(one.variant, e.base).seen_from(one.variant))
        return [f"{one.variant} ({e.share(one.accuracy)}) cannot be told apart from it: {gap}."]
    named = [f"{one.variant} ({e.share(one.accuracy)})" for one in level]
    return [f"{_few(named)} cannot be told apart from it."]


def _few(names: list[str]) -> str:
    """List up to six names, and of more than six the first three."""
    return listing(names, 6 if len(names) <= 6 else 4)


def _names(standings: list[Standing]) -> list[str]:
    return [one.variant for one in standings]


def _are(some: list[Standing]) -> str:
    return "is" if len(some) == 1 else "are"


# --- the highest score ---------------------------------------------------------------------------


def best_score(e: Evidence) -> Answer:
    """Name the highest score and the networks that cannot be told apart from it, or state the only one."""
    if not e.board.scored:
        return NotApplicable(NOTHING_TRAINED)
    if len(e.standings) == 1:
        return _only_score(e)
    best, *others = e.standings
    ties = [one for one in e.standings if one.accuracy == best.accuracy]
    level = [one for one in others if not e.telling.apart(best.variant, one.variant)]
    numbers: Numbers = {"told apart": len(others) - len(level), **_score_numbers(e, best)}
    if len(ties) > 1:
        rest = f"{_score(e, best)}{_beside_ties(level, ties)}"
        return Said(ANSWER, f"{_few(_names(ties))} share the highest score:", rest, numbers)
    if not level:
        return Said(ANSWER, f"{best.variant} is the most accurate:", _score(e, best), numbers)
    nearest = e.telling.pair(best.variant, level[0].variant)
    numbers |= {"pairs": len(e.telling.pairs), **numbers_of(nearest)}
    rest = (
        f"{_score(e, best)} It cannot be told apart from {_whom(level, others)}: {e.level_points(nearest)}."
    )
    return Said(ANSWER, f"The highest score is {best.variant}'s:", rest, numbers)


def _beside_ties(level: list[Standing], ties: list[Standing]) -> str:
    """Name those that score less than several that share the highest score, and cannot be told apart."""
    less = [one for one in level if one not in ties]
    return f" {_few(_names(less))} cannot be told apart from {ties[0].variant}." if less else ""


def _whom(level: list[Standing], others: list[Standing]) -> str:
    """Name those that cannot be told apart from the best; the nearest, whose difference follows, last."""
    if len(level) == 1:
        return level[0].variant
    whom = "any other" if len(level) == len(others) else _few(_names(level))
    return f"{whom}; the nearest is {level[0].variant}"


def _score(e: Evidence, one: Standing) -> str:
    mistakes = count((1 - one.accuracy) * e.board.n_test)
    if e.telling.architectures:
        mistakes = f"on average {mistakes}"
    by_seed = "seed by seed " if e.telling.architectures else ""
    between = f"{by_seed}{e.range(one.low, one.high)}"
    s = "" if mistakes == "1" else "s"
    return f"{e.share(one.accuracy)}{e.over} ({between}), {mistakes} mistake{s} in {e.images()}."


def _score_numbers(e: Evidence, one: Standing) -> Numbers:
    return {
        f"{one.variant}: accuracy": one.accuracy,
        f"{one.variant}: accuracy, low": one.low,
        f"{one.variant}: accuracy, high": one.high,
        f"{one.variant}: mistakes": (1 - one.accuracy) * e.board.n_test,
        "test images": e.board.n_test,
    }


def _only_score(e: Evidence) -> Said:
    one = e.board.scored[0]
    several = one.seeds > 1
    low, high = (min(one.accuracies), max(one.accuracies)) if several else (one.low, one.high)
    mean = f"of {one.seeds} seeds, {e.range(low, high)}" if several else e.range(low, high)
    numbers: Numbers = {"accuracy": one.accuracy, "accuracy, low": low, "accuracy, high": high}
    return Said(
        ANSWER,
        f"{one.variant} classifies {e.share(one.accuracy)} of the test images correctly",
        f"({mean}), after {seconds(one.seconds)} seconds of training.",
        numbers | {"seconds": one.seconds, "seeds": one.seeds},
    )


# --- size ----------------------------------------------------------------------------------------


def smaller_but_better(e: Evidence) -> Answer:
    """Say it where a network with clearly fewer parameters is clearly above the baseline."""
    why = _no_baseline(e)
    if why:
        return NotApplicable(why)
    base = e.standing(e.base)
    if not base.params:
        return NotApplicable("the baseline's parameters are not known")
    small = [one for one in e.standings if one.params and one.params < SMALLER * base.params]
    better = [one for one in small if e.telling.above(one.variant, e.base)]
    if not better:
        return Said(NOTHING, "No network with far fewer parameters is clearly above the baseline.")
    one = min(better, key=lambda found: (found.params or 0, found.variant))
    params, pair = one.params or 0, e.telling.pair(one.variant, e.base)
    numbers: Numbers = {f"{one.variant}: parameters": params, f"{e.base}: parameters": base.params}
    numbers["share of the parameters"] = params / base.params
    return Said(
        ANSWER,
        "Accuracy does not come from size alone:",
        f"{one.variant} has {count(params)} parameters, {fraction(params / base.params)} of the baseline's "
        f"{count(base.params)}, and is more accurate by {e.points(pair)}.",
        numbers | numbers_of(pair),
    )
