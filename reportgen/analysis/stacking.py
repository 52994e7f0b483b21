"""How many layers an image has room for, with and without padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportgen.analysis.scores import leaderboard
from reportgen.analysis.verdicts import DOES_NOT, HOLDS, Finding, Numbers
from reportgen.layers import ShapeError, times, trace, window_size
from reportgen.text import PERCENT, digits_for, number_word, percent
from reportgen.words import tr, trn

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
    said = tr(
        "An image of {size} has room for {same} blocks of a 3×3 convolution and 2×2 pooling with same "
        "padding, and for {valid} without.",
        size=times(shape[:2]),
        same=number_word(same),
        valid=number_word(valid),
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


def _breaks(variant: Variant, results: Results) -> int:
    """Give the layer that would have no room if all convolutions had valid padding; 0 where there is none."""
    data = results.record.dataset
    layers = tuple(
        layer.model_copy(update={"padding": "valid"}) if hasattr(layer, "kernel") else layer
        for layer in variant.layers or ()
    )
    try:
        trace(layers, data.image_shape, len(data.classes))
    except ShapeError as error:
        return error.position
    return 0


def _told(variant: Variant, results: Results) -> tuple[str, Numbers]:
    board = leaderboard(results)
    score = next((one for one in board.scored if one.variant == variant.name), None)
    n = _convolutions(variant)
    position = _breaks(variant, results)
    kind = (variant.layers or ())[position - 1].keras_name
    head = trn(
        "{name} stacks {number} convolution; without padding its layer {position} ({kind}) would have no "
        "room.",
        "{name} stacks {number} convolutions; without padding its layer {position} ({kind}) would have no "
        "room.",
        n,
        name=variant.name,
        number=number_word(n),
        position=position,
        kind=kind,
    )
    breaks = f"layer {position} ({kind})"
    numbers: Numbers = {f"{variant.name}: convolutions": n, f"{variant.name}: no room": breaks}
    if score is None:
        none = tr("It has no finished training.")
        return f"{head} {none}", numbers
    digits = digits_for(board.n_test)
    reach = tr(
        "It classifies {share} ({low} to {high}, from Wilson intervals) of the test images correctly.",
        share=f"{percent(score.accuracy, digits)}{PERCENT}",
        low=percent(score.low, digits),
        high=percent(score.high, digits),
    )
    ends = {"accuracy": score.accuracy, "accuracy, low": score.low, "accuracy, high": score.high}
    numbers |= {f"{variant.name}: {what}": value for what, value in ends.items()}
    return f"{head} {reach}", numbers
