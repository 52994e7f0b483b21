"""What the convolutions of a lab make of the map's size: they keep it, shrink it or enlarge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reportgen.analysis.knobs import setting, value_text
from reportgen.analysis.verdicts import DOES_NOT, HOLDS, Finding, Numbers, not_applicable
from reportgen.lab import Claim, trace_variant
from reportgen.layers import TracedLayer, times
from reportgen.text import number_word
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from reportgen.analysis.contrasts import Frames
    from reportgen.results import Results

CONVOLUTIONS = ("Conv2D", "SeparableConv2D", "DepthwiseConv2D")
# By what a claim expects: of the one convolution, and of so many of several.
ONE_DOES = {
    "same": mark("The one convolution with {what} keeps the map, for example from {example}."),
    "lower": mark("The one convolution with {what} shrinks the map, for example from {example}."),
    "higher": mark("The one convolution with {what} enlarges the map, for example from {example}."),
}
ONE_DOES_NOT = {
    "same": mark("The one convolution with {what} does not keep the map: it goes from {example}."),
    "lower": mark("The one convolution with {what} does not shrink the map: it goes from {example}."),
    "higher": mark("The one convolution with {what} does not enlarge the map: it goes from {example}."),
}
BOTH_DO = {
    "same": mark("Both convolutions with {what} keep the map, for example from {example}."),
    "lower": mark("Both convolutions with {what} shrink the map, for example from {example}."),
    "higher": mark("Both convolutions with {what} enlarge the map, for example from {example}."),
}
ALL_DO = {
    "same": mark("All {number} convolutions with {what} keep the map, for example from {example}."),
    "lower": mark("All {number} convolutions with {what} shrink the map, for example from {example}."),
    "higher": mark("All {number} convolutions with {what} enlarge the map, for example from {example}."),
}
SOME_DO = {
    "same": mark(
        "Only {some} of the {number} convolutions with {what} keep the map: it goes from {example}."
    ),
    "lower": mark(
        "Only {some} of the {number} convolutions with {what} shrink the map: it goes from {example}."
    ),
    "higher": mark(
        "Only {some} of the {number} convolutions with {what} enlarge the map: it goes from {example}."
    ),
}
ONLY_ONE_DOES = {
    "same": mark("Only one of the {number} convolutions with {what} keeps the map: it goes from {example}."),
    "lower": mark(
        "Only one of the {number} convolutions with {what} shrinks the map: it goes from {example}."
    ),
    "higher": mark(
        "Only one of the {number} convolutions with {what} enlarges the map: it goes from {example}."
    ),
}
NONE_DOES = {
    "same": mark("None of the {number} convolutions with {what} keeps the map: it goes from {example}."),
    "lower": mark("None of the {number} convolutions with {what} shrinks the map: it goes from {example}."),
    "higher": mark("None of the {number} convolutions with {what} enlarges the map: it goes from {example}."),
}


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
        before, after = times(self.before[:2]), times(self.after[:2])
        return tr("{before} to {after} in {name}", before=before, after=after, name=self.variant)


def shape(claim: Claim, results: Results, _: Frames) -> Finding:
    """Follow the map through every convolution whose knob has the claim's value.

    Of padding, only what moves by one pixel counts, so that the padding alone is at work; windows of one
    pixel are left out, as they need no padding.
    """
    knob, value = str(claim.knob), value_text(claim.value)
    expect = str(claim.expect)
    steps = _steps(results, knob, value)
    what = setting(knob, value)
    if knob == "padding":
        what = tr("{setting} and stride 1", setting=what)
    if not steps:
        return not_applicable(tr("no network of this run has a convolution with {what}", what=what))
    fitting = [step for step in steps if step.fits(expect)]
    numbers: Numbers = {"convolutions": len(steps), "as_claimed": len(fitting)}
    example = next((step for step in steps if len(fitting) < len(steps) and not step.fits(expect)), steps[0])
    numbers["example"] = str(example)
    verdict = HOLDS if len(fitting) == len(steps) else DOES_NOT
    return Finding(verdict, _said(expect, what, (len(fitting), len(steps)), str(example)), numbers)


def _said(expect: str, what: str, counts: tuple[int, int], example: str) -> str:
    """Say what so many of so many convolutions do."""
    fitting, of = counts
    values = {"what": what, "example": example, "number": number_word(of), "some": number_word(fitting)}
    if of == 1:
        return tr((ONE_DOES if fitting else ONE_DOES_NOT)[expect], **values)
    if fitting == of:
        return tr((BOTH_DO if of == 2 else ALL_DO)[expect], **values)
    if fitting > 1:
        return tr(SOME_DO[expect], **values)
    return tr((ONLY_ONE_DOES if fitting else NONE_DOES)[expect], **values)


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
