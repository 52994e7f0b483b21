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

from reportgen.analysis.contrasts import Frames
from reportgen.analysis.differences import EXACT, NONE, PAIRED, RANGE, Difference
from reportgen.analysis.knobs import setting, value_text
from reportgen.analysis.probe_claims import probed
from reportgen.analysis.stacking import stacking
from reportgen.analysis.verdicts import (
    DOES_NOT,
    HOLDS,
    MARGIN,
    Finding,
    judge,
    not_applicable,
    tally,
)
from reportgen.lab import Claim, trace_variant
from reportgen.layers import TracedLayer, times
from reportgen.text import all_of, count, number_word, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportgen.results import Results

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
    numbers: dict[str, float | int | str] = {"convolutions": len(steps), "as_claimed": len(fitting)}
    if len(fitting) == len(steps):
        one = len(steps) == 1
        whose = f"The one convolution with {what} {verb}s" if one else ""
        whose = whose or f"{all_of(len(steps))} convolutions with {what} {verb}"
        return Finding(HOLDS, f"{whose} the map, for example from {steps[0]}.", numbers)
    against = next(step for step in steps if not step.fits(expect))
    some = f"Only {number_word(len(fitting))}" if fitting else "None"
    plural = "" if len(fitting) > 1 else "s"
    whose = f"{some} of the {number_word(len(steps))} convolutions with {what} {verb}{plural}"
    if len(steps) == 1:
        whose = f"The one convolution with {what} does not {verb}"
    return Finding(DOES_NOT, f"{whose} the map: it goes from {against}.", numbers)


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


def contrast(claim: Claim, _: Results, analysis: Frames) -> Finding:
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
    interval = next(iter(known.values())).interval
    said = f"{_what(quantity)}: {named}{more}. {tally(list(pairs.values()), expect, margin)}"
    numbers = {name: round(one.effect, 6) for name, one in known.items()}
    return Finding(verdict, f"{said.strip()}{_said_of(interval)}", dict(numbers))


def _pairs(frame: pd.DataFrame, knob: str, values: tuple[str, str], quantity: str) -> dict[str, Difference]:
    """Give the pairs that change a knob from the first value to the second; the means over seeds go first."""
    rows = frame[(frame["knob"] == knob) & (frame["quantity"] == quantity)]
    found: dict[str, Difference] = {}
    for row in rows.itertuples():
        ends = (row.from_value, row.to_value)
        one = Difference(row.value_a, row.value_b, row.low, row.high, row.interval, row.note)
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
    return f"{effect} ({signed(scale * one.low, digits)} to {signed(scale * one.high, digits)})"


def _said_of(interval: str) -> str:
    if interval == EXACT:
        return " By arithmetic."
    if interval == NONE:
        return " One timing each has no spread to judge by."
    if interval == RANGE:
        return " In brackets the range over the epochs of one training each, which is no confidence interval."
    return f" In brackets {interval}{', of the trainings that are shown' if interval == PAIRED else ''}."


EVIDENCE: dict[str, Callable[[Claim, Results, Frames], Finding]] = {
    "pooling-parameters": pooling_parameters,
    "shape": shape,
    "contrast": contrast,
    "probe": probed,
    "stacking": stacking,
}
