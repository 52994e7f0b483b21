"""How many layers an image has room for, with and without padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportgen.analysis.scores import leaderboard
from reportgen.analysis.verdicts import DOES_NOT, HOLDS, Finding, Numbers
from reportgen.layers import ShapeError, times, trace, window_size
from reportgen.text import PERCENT, digits_for, number_word, percent

if TYPE_CHECKING:
    from reportgen.analysis.contrasts import Frames
    from reportgen.lab import Claim, Variant
    from reportgen.results import Results

MOST_BLOCKS = 64  # an image of more than 2^64 pixels a side is none


def blocks(side: int, padding: str) -> int:
    """Count the blocks of a 3×3 convolution and a 2×2 pooling that fit on `side` pixels in turn."""
    for n in range(MOST_BLOCKS):
        side = window_size(side, 3, 1, padding)
        if side < 2:
            return n
        side = window_size(side, 2, 2, "valid")
    return MOST_BLOCKS


def stacking(_: Claim, results: Results, __: Frames) -> Finding:
    """Compare how deep a stack each padding allows, and name the networks that need the padding."""
    shape = results.record.dataset.image_shape
    side = min(shape[:2])
    same, valid = blocks(side, "same"), blocks(side, "valid")
    said = (
        f"An image of {times(shape[:2])} has room for {number_word(same)} blocks of a 3×3 convolution and "
        f"2×2 pooling with same padding, and for {number_word(valid)} without."
    )
    verdict = HOLDS if same > valid else DOES_NOT
    numbers: Numbers = {"height": shape[0], "width": shape[1], "blocks_same": same, "blocks_valid": valid}
    deep = _deepest(results)
    if deep:
        told, more = _told(deep, results)
        said, numbers = f"{said} {told}", numbers | more
    return Finding(verdict, said, numbers)


def _convolutions(variant: Variant) -> int:
    return sum(hasattr(layer, "kernel") for layer in variant.layers or ())


def _deepest(results: Results) -> Variant | None:
    """Find the network with most convolutions of those that would not fit without padding."""
    needing = [one for one in results.record.lab.variants if one.layers and _breaks(one, results)]
    return max(needing, key=_convolutions, default=None)


def _breaks(variant: Variant, results: Results) -> str:
    """Say where a network would have no room if its convolutions had valid padding; "" where it has."""
    data = results.record.dataset
    layers = tuple(
        layer.model_copy(update={"padding": "valid"}) if hasattr(layer, "kernel") else layer
        for layer in variant.layers or ()
    )
    try:
        trace(layers, data.image_shape, len(data.classes))
    except ShapeError as error:
        return str(error).split(")")[0] + ")"
    return ""


def _told(variant: Variant, results: Results) -> tuple[str, Numbers]:
    board = leaderboard(results)
    score = next((one for one in board.scored if one.variant == variant.name), None)
    n = _convolutions(variant)
    breaks = _breaks(variant, results)
    head = (
        f"{variant.name} stacks {number_word(n)} convolution{'s' if n != 1 else ''}; without padding its "
        f"{breaks} would have no room."
    )
    numbers: Numbers = {f"{variant.name}: convolutions": n, f"{variant.name}: no room": breaks}
    if score is None:
        return f"{head} It has no finished training.", numbers
    digits = digits_for(board.n_test)
    low, high = percent(score.low, digits), percent(score.high, digits)
    reach = f"{percent(score.accuracy, digits)}{PERCENT} ({low} to {high}, from Wilson intervals)"
    ends = {"accuracy": score.accuracy, "accuracy, low": score.low, "accuracy, high": score.high}
    numbers |= {f"{variant.name}: {what}": value for what, value in ends.items()}
    return f"{head} It classifies {reach} of the test images correctly.", numbers
