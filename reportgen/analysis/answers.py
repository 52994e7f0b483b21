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
from reportgen.text import count, fraction, listing, number_word, seconds
from reportgen.words import mark, tr, trn

SMALLER = 0.8  # of the baseline's parameters
NOTHING_TRAINED = mark("no training was finished")
ONE_SCORE = mark("only one network has a score")


def trainings(e: Evidence) -> Answer:
    """Say that no training was finished, or how many were."""
    runs = e.results.runs
    done = int((runs["status"] == DONE).sum())
    numbers: Numbers = {"trainings": len(runs), "finished": done}
    if done == len(runs):
        every = tr("All {n} trainings were finished.", n=count(done))
        return Said(NOTHING, every if done > 1 else tr("The one training was finished."), "", numbers)
    if done:
        lead = tr("{n} of {all} trainings were finished.", n=count(done), all=count(len(runs)))
        return Said(NOTE, lead, tr("The others failed or diverged."), numbers)
    rest = tr("The reasons stand in the table below.")
    return Said(ANSWER, tr("No training was finished."), rest, numbers)


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
    rest = [*_ahead(e, above, base), *_level(e, level), *_below(below)]
    lead = _lead_of_architectures if e.telling.architectures else _lead_of_networks
    return Said(ANSWER, lead(e.base, above, len(others)), " ".join(rest), numbers)


def _no_baseline(e: Evidence) -> str:
    if not e.board.scored:
        return tr(NOTHING_TRAINED)
    if not e.base:
        return tr("the lab names no baseline")
    if e.board.baseline is None:
        return tr("no training of the baseline {name} was finished", name=e.base)
    return tr(ONE_SCORE) if len(e.board.scored) == 1 else ""


def _lead_of_architectures(base: str, above: list[Standing], others: int) -> str:
    if not above:
        return tr("No architecture is clearly more accurate than the baseline {base}.", base=base)
    if others == 1:
        return tr("{name} is more accurate than the baseline {base}.", name=above[0].variant, base=base)
    if len(above) == others == 2:
        return tr("Both other architectures are more accurate than the baseline {base}.", base=base)
    if len(above) == others:
        return tr(
            "All {number} other architectures are more accurate than the baseline {base}.",
            number=number_word(others),
            base=base,
        )
    return trn(
        "{some} of {number} architectures is more accurate than the baseline {base}.",
        "{some} of {number} architectures are more accurate than the baseline {base}.",
        len(above),
        some=number_word(len(above)).capitalize(),
        number=number_word(others),
        base=base,
    )


def _lead_of_networks(base: str, above: list[Standing], others: int) -> str:
    if not above:
        return tr(
            "No trained network is clearly more accurate than the baseline {base} in this run.", base=base
        )
    if others == 1:
        name = above[0].variant
        return tr("{name} is more accurate than the baseline {base} in this run.", name=name, base=base)
    if len(above) == others == 2:
        return tr(
            "Both other trained networks are more accurate than the baseline {base} in this run.", base=base
        )
    if len(above) == others:
        return tr(
            "All {number} other trained networks are more accurate than the baseline {base} in this run.",
            number=number_word(others),
            base=base,
        )
    return trn(
        "{some} of {number} trained networks is more accurate than the baseline {base} in this run.",
        "{some} of {number} trained networks are more accurate than the baseline {base} in this run.",
        len(above),
        some=number_word(len(above)).capitalize(),
        number=number_word(others),
        base=base,
    )


def _ahead(e: Evidence, above: list[Standing], base: Standing) -> list[str]:
    if not above:
        return []
    best, worst = above[0], above[-1]
    reach = e.share(best.accuracy) if len(above) == 1 else e.range(worst.accuracy, best.accuracy)
    pairs = [e.telling.pair(one.variant, base.variant) for one in above]
    least = min(pairs, key=lambda pair: pair.difference)
    values = {"reach": reach, "over": e.over, "base": e.share(base.accuracy), "points": e.points(least)}
    if len(above) == 1 and not e.over:
        said = tr(
            "It classifies {reach} of the test images correctly, the baseline {base}; it is ahead by "
            "{points}.",
            **values,
        )
    elif len(above) == 1:
        said = tr(
            "It classifies {reach} of the test images correctly {over}, the baseline {base}; it is ahead by "
            "{points}.",
            **values,
        )
    elif not e.over:
        said = tr(
            "They classify {reach} of the test images correctly, the baseline {base}; the least accurate of "
            "them is ahead by {points}.",
            **values,
        )
    else:
        said = tr(
            "They classify {reach} of the test images correctly {over}, the baseline {base}; the least "
            "accurate of them is ahead by {points}.",
            **values,
        )
    return [said]


def _level(e: Evidence, level: list[Standing]) -> list[str]:
    if not level:
        return []
    named = [tr("{name} ({share})", name=one.variant, share=e.share(one.accuracy)) for one in level]
    if len(level) == 1:
        gap = e.level_points(e.telling.pair(level[0].variant, e.base).seen_from(level[0].variant))
        return [tr("{name} cannot be told apart from it: {points}.", name=named[0], points=gap)]
    return [tr("{names} cannot be told apart from it.", names=_few(named))]


def _below(below: list[Standing]) -> list[str]:
    if not below:
        return []
    return [
        trn(
            "{names} is clearly less accurate.",
            "{names} are clearly less accurate.",
            len(below),
            names=_few(_names(below)),
        )
    ]


def _few(names: list[str]) -> str:
    """List up to six names, and of more than six the first three."""
    return listing(names, 6 if len(names) <= 6 else 4)


def _names(standings: list[Standing]) -> list[str]:
    return [one.variant for one in standings]


# --- the highest score ---------------------------------------------------------------------------


def best_score(e: Evidence) -> Answer:
    """Name the highest score and the networks that cannot be told apart from it, or state the only one."""
    if not e.board.scored:
        return NotApplicable(tr(NOTHING_TRAINED))
    if len(e.standings) == 1:
        return _only_score(e)
    best, *others = e.standings
    ties = [one for one in e.standings if one.accuracy == best.accuracy]
    level = [one for one in others if not e.telling.apart(best.variant, one.variant)]
    numbers: Numbers = {"told apart": len(others) - len(level), **_score_numbers(e, best)}
    if len(ties) > 1:
        rest = f"{_score(e, best)}{_beside_ties(level, ties)}"
        lead = tr("{names} share the highest score:", names=_few(_names(ties)))
        return Said(ANSWER, lead, rest, numbers)
    if not level:
        lead = tr("{name} is the most accurate:", name=best.variant)
        return Said(ANSWER, lead, _score(e, best), numbers)
    nearest = e.telling.pair(best.variant, level[0].variant)
    numbers |= {"pairs": len(e.telling.pairs), **numbers_of(nearest)}
    rest = f"{_score(e, best)} {_level_with_best(level, others, e.level_points(nearest))}"
    return Said(ANSWER, tr("The highest score is {name}'s:", name=best.variant), rest, numbers)


def _beside_ties(level: list[Standing], ties: list[Standing]) -> str:
    """Name those that score less than several that share the highest score, and cannot be told apart."""
    less = [one for one in level if one not in ties]
    if not less:
        return ""
    named = _few(_names(less))
    return " " + tr("{names} cannot be told apart from {name}.", names=named, name=ties[0].variant)


def _level_with_best(level: list[Standing], others: list[Standing], points: str) -> str:
    """Name those that cannot be told apart from the best; the nearest, whose difference follows, last."""
    nearest = level[0].variant
    if len(level) == 1:
        return tr("It cannot be told apart from {name}: {points}.", name=nearest, points=points)
    if len(level) == len(others):
        return tr(
            "It cannot be told apart from any other; the nearest is {name}: {points}.",
            name=nearest,
            points=points,
        )
    return tr(
        "It cannot be told apart from {names}; the nearest is {name}: {points}.",
        names=_few(_names(level)),
        name=nearest,
        points=points,
    )


def _score(e: Evidence, one: Standing) -> str:
    mistakes = count((1 - one.accuracy) * e.board.n_test)
    values = {"share": e.share(one.accuracy), "over": e.over, "range": e.range(one.low, one.high)}
    values |= {"mistakes": mistakes, "images": e.images()}
    if e.telling.architectures:
        return tr(
            "{share} {over} (seed by seed {range}), on average {mistakes} mistakes in {images}.", **values
        )
    n = round((1 - one.accuracy) * e.board.n_test)
    if not e.over:
        return trn(
            "{share} ({range}), {mistakes} mistake in {images}.",
            "{share} ({range}), {mistakes} mistakes in {images}.",
            n,
            **values,
        )
    return trn(
        "{share} {over} ({range}), {mistakes} mistake in {images}.",
        "{share} {over} ({range}), {mistakes} mistakes in {images}.",
        n,
        **values,
    )


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
    reach, seeds = e.range(low, high), count(one.seeds)
    after = tr("({range}), after {seconds} seconds of training.", range=reach, seconds=seconds(one.seconds))
    if several:
        after = tr(
            "(of {seeds} seeds, {range}), after {seconds} seconds of training.",
            seeds=seeds,
            range=reach,
            seconds=seconds(one.seconds),
        )
    share = e.share(one.accuracy)
    numbers: Numbers = {"accuracy": one.accuracy, "accuracy, low": low, "accuracy, high": high}
    return Said(
        ANSWER,
        tr("{name} classifies {share} of the test images correctly", name=one.variant, share=share),
        after,
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
        return NotApplicable(tr("the baseline's parameters are not known"))
    small = [one for one in e.standings if one.params and one.params < SMALLER * base.params]
    better = [one for one in small if e.telling.above(one.variant, e.base)]
    if not better:
        return Said(NOTHING, tr("No network with far fewer parameters is clearly above the baseline."))
    one = min(better, key=lambda found: (found.params or 0, found.variant))
    params, pair = one.params or 0, e.telling.pair(one.variant, e.base)
    numbers: Numbers = {f"{one.variant}: parameters": params, f"{e.base}: parameters": base.params}
    numbers["share of the parameters"] = params / base.params
    return Said(
        ANSWER,
        tr("Accuracy does not come from size alone:"),
        tr(
            "{name} has {params} parameters, {fraction} of the baseline's {base}, and is more accurate by "
            "{points}.",
            name=one.variant,
            params=count(params),
            fraction=fraction(params / base.params),
            base=count(base.params),
            points=e.points(pair),
        ),
        numbers | numbers_of(pair),
    )
