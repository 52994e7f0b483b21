"""What a lab claims, put to the test by what its run shows.

A claim names its kind of evidence; each kind is a function of EVIDENCE, which gives a verdict and a sentence
with the numbers behind it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportgen.analysis.comparisons import PAIRS, spoken_of
from reportgen.analysis.contrasts import Frames
from reportgen.analysis.differences import EXACT, NONE, PAIRED, RANGE, WELCH, Difference, is_clear
from reportgen.analysis.knobs import setting, value_text
from reportgen.analysis.probe_claims import probed
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
from reportgen.lab import Claim, trace_variant
from reportgen.layers import TracedLayer, times
from reportgen.text import all_of, count, number_word, signed

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
CONVOLUTIONS = ("Conv2D", "SeparableConv2D", "DepthwiseConv2D")
MOST_NAMED = 4  # pairs of networks in one sentence
_BRACKETS = {
    RANGE: "the range over the epochs of one training each, which is no confidence interval",
    PAIRED: f"{PAIRED}, of the trainings that are shown",
}
UNITS = {"params": "parameters", "multiply_adds": "multiply-adds", "map_size": "pixels of the last map"}


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
        return not_applicable("no network of this run has a pooling layer")
    total = int(pools["params"].sum())
    subject = "The one pooling layer of this lab has" if len(pools) == 1 else ""
    subject = subject or f"The {number_word(len(pools))} pooling layers of this lab together have"
    said = f"{subject} {count(total)} parameters."
    return Finding(DOES_NOT if total else HOLDS, said, {"layers": len(pools), "parameters": total})


@dataclass(frozen=True)
class _Step:
    """What a convolution does to its map."""

    variant: str
    before: tuple[int, ...]
    after: tuple[int, ...]

    def fits(self, expect: str) -> bool:
        pairs = list(zip(self.before[:2], self.after[:2], strict=True))
        if expect == "same":
            return all(a == b for a, b in pairs)
        return all(b < a if expect == "lower" else b > a for a, b in pairs)

    def __str__(self) -> str:
        return f"{times(self.before[:2])} to {times(self.after[:2])} in {self.variant}"


def shape(claim: Claim, results: Results, _: Frames) -> Finding:
    """Follow the map through every convolution whose knob has the claim's value.

    Of padding, only what moves by one pixel counts, so that the padding alone is at work; windows of one
    pixel are left out, as they need no padding.
    """
    knob, value = str(claim.knob), value_text(claim.value)
    expect = str(claim.expect)
    steps = _steps(results, knob, value)
    alone = " and stride 1" if knob == "padding" else ""
    what = f"{setting(knob, value)}{alone}"
    if not steps:
        return not_applicable(f"no network of this run has a convolution with {what}")
    fitting = [step for step in steps if step.fits(expect)]
    verb = {"same": "keep", "lower": "shrink", "higher": "enlarge"}[expect]
    numbers: Numbers = {"convolutions": len(steps), "as_claimed": len(fitting)}
    example = next((step for step in steps if len(fitting) < len(steps) and not step.fits(expect)), steps[0])
    numbers["example"] = str(example)
    if len(fitting) == len(steps):
        one = len(steps) == 1
        whose = f"The one convolution with {what} {verb}s" if one else ""
        whose = whose or f"{all_of(len(steps))} convolutions with {what} {verb}"
        return Finding(HOLDS, f"{whose} the map, for example from {example}.", numbers)
    some = f"Only {number_word(len(fitting))}" if fitting else "None"
    plural = "" if len(fitting) > 1 else "s"
    whose = f"{some} of the {number_word(len(steps))} convolutions with {what} {verb}{plural}"
    if len(steps) == 1:
        whose = f"The one convolution with {what} does not {verb}"
    return Finding(DOES_NOT, f"{whose} the map: it goes from {example}.", numbers)


def _steps(results: Results, knob: str, value: str) -> list[_Step]:
    data = results.record.dataset
    steps = []
    for variant in results.record.lab.variants:
        before: tuple[int, ...] = data.image_shape
        for row in trace_variant(variant, data.image_shape, len(data.classes)):
            if row.layer.keras_name in CONVOLUTIONS and _counts(row, knob, value):
                steps.append(_Step(variant.name, before, row.output_shape))
            before = row.output_shape
    return steps


def _counts(row: TracedLayer, knob: str, value: str) -> bool:
    layer: Any = row.layer
    if value_text(getattr(layer, knob, None)) != value or max(layer.kernel) == 1:
        return False
    return knob != "padding" or set(layer.strides) == {1}


def contrast(claim: Claim, results: Results, analysis: Frames) -> Finding:
    """Compare all pairs of networks that differ in the claim's change alone."""
    knob, quantity, expect = str(claim.knob), str(claim.quantity), str(claim.expect)
    assert claim.change is not None  # Claim has seen to it
    values = [value_text(value) for value in claim.change]
    pairs = _pairs(analysis["contrasts"], knob, (values[0], values[1]), quantity)
    change = f"{setting(knob, values[0])} and {setting(knob, values[1])}"
    if not pairs:
        return not_applicable(f"no two networks of this run differ in {change} alone")
    known = {name: one for name, one in pairs.items() if not isnan(one.effect)}
    if not known:
        return not_applicable(next(iter(pairs.values())).note)
    margin = MARGIN if quantity == "accuracy" else 0.0
    verdict = judge(list(pairs.values()), expect, margin)
    parts = [f"{name} {_told(one, quantity)}" for name, one in known.items()]
    named = "; ".join(parts[:MOST_NAMED])
    more = f"; and {len(parts) - MOST_NAMED} more" if len(parts) > MOST_NAMED else ""
    said = [f"{_what(quantity)}: {named}{more}.", tally(list(pairs.values()), expect, margin)]
    said += _said_of(list(known.values()))
    numbers = numbers_of(known)
    if quantity == "accuracy":
        compared = _compared(analysis["comparisons"])
        numbers["pairs compared"] = compared
        said += _of_accuracy(expect, compared)
    if quantity == "seconds_per_epoch":
        said += _of_seconds(results, _timed(results, known), numbers)
    return Finding(verdict, " ".join(one for one in said if one), numbers)


def _pairs(frame: pd.DataFrame, knob: str, values: tuple[str, str], quantity: str) -> dict[str, Difference]:
    """Give the pairs that change a knob from the first value to the second, as the report speaks of them."""
    rows = frame[(frame["knob"] == knob) & (frame["quantity"] == quantity)]
    found: dict[str, Difference] = {}
    for row in rows.itertuples():
        ends = (row.from_value, row.to_value)
        apart = bool(row.apart) if quantity == "accuracy" else None
        one = Difference(row.value_a, row.value_b, row.low, row.high, row.interval, row.note, apart)
        if ends == values:
            found[f"{row.b} against {row.a}"] = one
        elif ends == values[::-1]:
            found[f"{row.a} against {row.b}"] = one.turned()
    return found


def _what(quantity: str) -> str:
    words = {"accuracy": "Accuracy in points", "seconds_per_epoch": "Seconds an epoch"}
    return words.get(quantity, UNITS.get(quantity, "").capitalize())


def _told(one: Difference, quantity: str) -> str:
    """Write a difference with its interval."""
    scale, digits = {"accuracy": (100, 2), "seconds_per_epoch": (1, 2)}.get(quantity, (1, 0))
    effect = signed(scale * one.effect, digits)
    if one.interval in (EXACT, NONE) or isnan(one.low):
        return effect
    alone = ", not enough among all pairs" if one.apart is False and is_clear(one) else ""
    return f"{effect} ({signed(scale * one.low, digits)} to {signed(scale * one.high, digits)}{alone})"


def _said_of(differences: list[Difference]) -> list[str]:
    """Say what the brackets hold, and why a difference has none."""
    kinds = dict.fromkeys(one.interval for one in differences if not isnan(one.low))
    if list(kinds) == [EXACT]:
        return ["By arithmetic."]
    reasons = dict.fromkeys(one.note for one in differences if isnan(one.low))
    without = [f"No interval to judge by, because {' and '.join(reasons)}."] if reasons else []
    if not kinds:
        return without
    return [f"In brackets {' or '.join(_BRACKETS.get(kind, kind) for kind in kinds)}.", *without]


def _compared(frame: pd.DataFrame) -> int:
    """Count the pairs over which the verdicts on accuracy are adjusted."""
    return int(frame.loc[(frame["family"] == PAIRS) & (frame["kind"] == spoken_of(frame)), "p"].notna().sum())


def _of_accuracy(expect: str, compared: int) -> list[str]:
    """Say when a difference of accuracies counts."""
    same = [SAME_MARGIN] if expect == "same" else []
    if compared < 2:
        return same
    adjusted = f"adjusted for all {count(compared)} pairs of this run"
    return [*same, f"A difference counts only where the comparisons tell the two apart, {adjusted}."]


def _timed(results: Results, differences: dict[str, Difference]) -> list[JobRecord]:
    """List the trainings whose seconds were compared: over seeds all of them, else each variant's first."""
    variants = {name for pair in differences for name in pair.split(" against ")}
    jobs = [one for one in results.record.jobs if one.variant in variants and one.status == DONE]
    if all(one.interval == WELCH for one in differences.values()):
        return jobs
    first = {one.variant: one for one in sorted(jobs, key=lambda one: -one.seed)}
    return list(first.values())


def _of_seconds(results: Results, jobs: list[JobRecord], numbers: Numbers) -> list[str]:
    """Say what the seconds of trainings depend on besides the networks."""
    at_once = int(results.record.environment.get("jobs", 1))
    reused = sum(one.reused for one in jobs)
    said = []
    if at_once > 1:
        at_a_time = f"up to {number_word(at_once)} trainings at a time shared the machine"
        said.append(f"{at_a_time}, so that seconds depend on the neighbour too")
    if reused:
        part = f"{number_word(reused)} of {number_word(len(jobs))}"
        amount = all_of(reused).lower() if reused == len(jobs) else part
        said.append(f"{amount} timings are of trainings from earlier runs")
    if not said:
        return []
    numbers |= {"trainings at once": at_once, "timings": len(jobs), "timings of earlier runs": reused}
    sentence = "; ".join(said)
    return [f"{sentence[0].upper()}{sentence[1:]}."]


EVIDENCE: dict[str, Callable[[Claim, Results, Frames], Finding]] = {
    "pooling-parameters": pooling_parameters,
    "shape": shape,
    "contrast": contrast,
    "probe": probed,
    "stacking": stacking,
}
