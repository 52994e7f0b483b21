"""What a lab claims, put to the test by what its run shows.

A claim names its kind of evidence; each kind is a function of EVIDENCE, which gives a verdict and a sentence
with the numbers behind it.
"""

from __future__ import annotations

import json
from math import isnan
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.analysis.comparisons import PAIRS, spoken_of
from reportgen.analysis.contrasts import Frames
from reportgen.analysis.differences import EXACT, NONE, PAIRED, RANGE, WELCH, Difference, is_clear
from reportgen.analysis.knobs import setting, value_text
from reportgen.analysis.probe_claims import probed
from reportgen.analysis.sentences import against, ended, together
from reportgen.analysis.shapes import shape
from reportgen.analysis.stacking import stacking
from reportgen.analysis.verdicts import (
    DOES_NOT,
    HOLDS,
    MARGIN,
    SAME_MARGIN,
    Finding,
    Numbers,
    judge,
    not_applicable,
    numbers_of,
    tally,
)
from reportgen.jobs import DONE
from reportgen.lab import Claim
from reportgen.text import count, number_word, signed
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportgen.results import JobRecord, Results

COLUMNS = {
    "position": "Int64",
    "text": "string",
    "evidence": "string",
    "verdict": "string",
    "said": "string",
    "numbers": "string",
}
POOLINGS = ("MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D")
Against = tuple[str, str]  # two networks, the one named first against the other
MOST_NAMED = 4  # pairs of networks in one sentence
_BRACKETS = {
    RANGE: mark("the range over the epochs of one training each, which is no confidence interval"),
    PAIRED: mark("95 %, Wald+2 for paired shares (Agresti and Min 2005), of the trainings that are shown"),
}
# What stands before the differences.
WHAT = {
    "accuracy": mark("Accuracy in points: {differences}."),
    "seconds_per_epoch": mark("Seconds an epoch: {differences}."),
    "params": mark("Parameters: {differences}."),
    "multiply_adds": mark("Multiply-adds: {differences}."),
    "map_size": mark("Pixels of the last map: {differences}."),
}


def claims(results: Results, analysis: Frames) -> pd.DataFrame:
    """Judge each claim of the lab: columns are COLUMNS; `numbers` is JSON, shares and seconds by name."""
    rows = []
    for position, claim in enumerate(results.record.lab.claims, start=1):
        found = EVIDENCE[claim.evidence](claim, results, analysis)
        numbers = json.dumps(found.numbers, allow_nan=False)
        rows.append((position, claim.text, claim.evidence, found.verdict, found.said, numbers))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def pooling_parameters(_: Claim, results: Results, __: Frames) -> Finding:
    """Add up the parameters of all pooling layers."""
    layers = results.layers
    pools = layers[layers["type"].isin(POOLINGS)]
    if pools.empty:
        return not_applicable(tr("no network of this run has a pooling layer"))
    total = int(pools["params"].sum())
    said = tr("The one pooling layer of this lab has {n} parameters.", n=count(total))
    if len(pools) > 1:
        said = tr(
            "The {number} pooling layers of this lab together have {n} parameters.",
            number=number_word(len(pools)),
            n=count(total),
        )
    return Finding(DOES_NOT if total else HOLDS, said, {"layers": len(pools), "parameters": total})


def contrast(claim: Claim, results: Results, analysis: Frames) -> Finding:
    """Compare all pairs of networks that differ in the claim's change alone."""
    knob, quantity, expect = str(claim.knob), str(claim.quantity), str(claim.expect)
    assert claim.change is not None  # Claim has seen to it
    values = [value_text(value) for value in claim.change]
    pairs = _pairs(analysis["contrasts"], knob, (values[0], values[1]), quantity)
    if not pairs:
        one, other = (setting(knob, value) for value in values)
        return not_applicable(
            tr("no two networks of this run differ in {one} and {other} alone", one=one, other=other)
        )
    known = {name: one for name, one in pairs.items() if not isnan(one.effect)}
    if not known:
        return not_applicable(next(iter(pairs.values())).note)
    margin = MARGIN if quantity == "accuracy" else 0.0
    verdict = judge(list(pairs.values()), expect, margin)
    parts = [f"{against(*name)} {_told(one, quantity)}" for name, one in known.items()]
    said = [
        tr(WHAT[quantity], differences=together(parts, MOST_NAMED)),
        tally(list(pairs.values()), expect, margin),
    ]
    said += _said_of(list(known.values()))
    numbers = numbers_of({f"{b} against {a}": one for (b, a), one in known.items()})
    if quantity == "accuracy":
        compared = _compared(analysis["comparisons"])
        numbers["pairs compared"] = compared
        said += _of_accuracy(expect, compared)
    if quantity == "seconds_per_epoch":
        said += _of_seconds(results, _timed(results, known), numbers)
    return Finding(verdict, " ".join(one for one in said if one), numbers)


def _pairs(
    frame: pd.DataFrame, knob: str, values: tuple[str, str], quantity: str
) -> dict[Against, Difference]:
    """Give the pairs that change a knob from the first value to the second, as the report speaks of them."""
    rows = frame[(frame["knob"] == knob) & (frame["quantity"] == quantity)]
    found: dict[Against, Difference] = {}
    for row in rows.itertuples():
        ends = (row.from_value, row.to_value)
        apart = bool(row.apart) if quantity == "accuracy" else None
        one = Difference(row.value_a, row.value_b, row.low, row.high, row.interval, row.note, apart)
        if ends == values:
            found[str(row.b), str(row.a)] = one
        elif ends == values[::-1]:
            found[str(row.a), str(row.b)] = one.turned()
    return found


def _told(one: Difference, quantity: str) -> str:
    """Write a difference with its interval."""
    scale, digits = {"accuracy": (100, 2), "seconds_per_epoch": (1, 2)}.get(quantity, (1, 0))
    effect = signed(scale * one.effect, digits)
    if one.interval in (EXACT, NONE) or isnan(one.low):
        return effect
    low, high = signed(scale * one.low, digits), signed(scale * one.high, digits)
    if one.apart is False and is_clear(one):
        return tr("{effect} ({low} to {high}, not enough among all pairs)", effect=effect, low=low, high=high)
    return tr("{effect} ({low} to {high})", effect=effect, low=low, high=high)


def _said_of(differences: list[Difference]) -> list[str]:
    """Say what the brackets hold, and why a difference has none."""
    kinds = dict.fromkeys(one.interval for one in differences if not isnan(one.low))
    if list(kinds) == [EXACT]:
        return [tr("By arithmetic.")]
    reasons = dict.fromkeys(one.note for one in differences if isnan(one.low))
    why = tr(" and ").join(reasons)
    without = [tr("No interval to judge by, because {why}.", why=why)] if reasons else []
    if not kinds:
        return without
    held = tr(" or ").join(tr(_BRACKETS.get(kind, kind)) for kind in kinds)
    return [tr("In brackets {what}.", what=held), *without]


def _compared(frame: pd.DataFrame) -> int:
    """Count the pairs over which the verdicts on accuracy are adjusted."""
    return int(frame.loc[(frame["family"] == PAIRS) & (frame["kind"] == spoken_of(frame)), "p"].notna().sum())


def _of_accuracy(expect: str, compared: int) -> list[str]:
    """Say when a difference of accuracies counts."""
    same = [tr(SAME_MARGIN)] if expect == "same" else []
    if compared < 2:
        return same
    counts = tr(
        "A difference counts only where the comparisons tell the two apart, adjusted for all {n} pairs of "
        "this run.",
        n=count(compared),
    )
    return [*same, counts]


def _timed(results: Results, differences: dict[Against, Difference]) -> list[JobRecord]:
    """List the trainings whose seconds were compared: over seeds all of them, else each variant's first."""
    variants = {name for pair in differences for name in pair}
    jobs = [one for one in results.record.jobs if one.variant in variants and one.status == DONE]
    if all(one.interval == WELCH for one in differences.values()):
        return jobs
    first = {one.variant: one for one in sorted(jobs, key=lambda one: -one.seed)}
    return list(first.values())


def _of_seconds(results: Results, jobs: list[JobRecord], numbers: Numbers) -> list[str]:
    """Say what the seconds of trainings depend on besides the networks."""
    at_once = int(results.record.environment.get("jobs", 1))
    reused = sum(one.reused for one in jobs)
    said = [_shared(at_once)] if at_once > 1 else []
    said += [_from_earlier_runs(reused, len(jobs))] if reused else []
    if not said:
        return []
    numbers |= {"trainings at once": at_once, "timings": len(jobs), "timings of earlier runs": reused}
    sentence = ended(together(said, len(said)))
    return [f"{sentence[0].upper()}{sentence[1:]}"]


def _shared(at_once: int) -> str:
    return tr(
        "up to {number} trainings at a time shared the machine, so that seconds depend on the neighbour too",
        number=number_word(at_once),
    )


def _from_earlier_runs(reused: int, timings: int) -> str:
    if reused == timings == 2:
        return tr("both timings are of trainings from earlier runs")
    if reused == timings:
        return tr("all {number} timings are of trainings from earlier runs", number=number_word(timings))
    return tr(
        "{some} of {number} timings are of trainings from earlier runs",
        some=number_word(reused),
        number=number_word(timings),
    )


EVIDENCE: dict[str, Callable[[Claim, Results, Frames], Finding]] = {
    "pooling-parameters": pooling_parameters,
    "shape": shape,
    "contrast": contrast,
    "probe": probed,
    "stacking": stacking,
}
