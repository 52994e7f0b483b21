"""The arithmetic of one of the lab's own networks, worked out line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from reportgen.arithmetic import Step, along, steps
from reportgen.lab import Variant, trace_variant
from reportgen.layers import Conv2D, Dense, Windowed, times
from reportgen.report.document import Caption, Context
from reportgen.report.formulas import Part, parse
from reportgen.teaching import worked
from reportgen.teaching.worked import Line
from reportgen.text import count, paragraphs, volume

if TYPE_CHECKING:
    from collections.abc import Iterable

LETTERS = (
    "n is the number of pixels that reach the layer, in height or in width, k that of its kernel, s its "
    "stride, and c counts channels."
)


@dataclass(frozen=True)
class SetLine:
    """A line of working, ready to be set."""

    words: str
    formula: tuple[Part, ...]


@dataclass(frozen=True)
class Block:
    """Some lines of working that belong together."""

    title: str
    text: tuple[Part, ...]
    lines: tuple[SetLine, ...]


@dataclass(frozen=True)
class StepRow:
    """One row of the table of steps."""

    layer: str
    setting: str
    output: str
    field: str
    params: str
    multiply_adds: str
    memory: str


@dataclass(frozen=True)
class Working:
    """Worked arithmetic of one network."""

    introduction: tuple[Markup, ...]
    letters: tuple[Part, ...]  # what they stand for
    blocks: tuple[Block, ...]
    rows: tuple[StepRow, ...]
    caption: Caption


def set_lines(lines: Iterable[Line]) -> tuple[SetLine, ...]:
    """Make lines ready to be set."""
    return tuple(SetLine(line.words, parse(line.formula)) for line in lines)


def working(context: Context) -> Working | None:
    """Work out one convolution and the network around it; None where no variant has stated layers."""
    variant = _variant(context)
    if variant is None:
        return None
    data = context.dataset
    rows = trace_variant(variant, data.image_shape, len(data.classes))
    found = steps(rows, data.image_shape, context.protocol.precision)
    step = next((one for one in found if isinstance(one.layer, Conv2D)), None)
    dense = next((one for one in found if isinstance(one.layer, Dense)), None)
    blocks = _of_convolution(step, found) if step else []
    if dense:
        blocks.append(_of_dense(dense, found))
    total = sum(one.row.params for one in found)
    text = (
        f"{count(total)} parameters, {count(sum(one.row.multiply_adds for one in found))} multiply-adds for "
        f"one image. Memory is what each layer gives for one image, in bytes of 1,000 to the kB."
    )
    caption = context.table(f"{variant.name}, step by step.", text)
    letters = parse(LETTERS) if step else ()
    return Working(_introduction(variant, step), letters, tuple(blocks), tuple(map(_row, found)), caption)


def _variant(context: Context) -> Variant | None:
    """Choose a variant: one that begins with a convolution that moves by more than one, if there is any."""
    stated = [one for one in context.lab.variants if one.layers]
    with_convolution = [one for one in stated if any(isinstance(layer, Conv2D) for layer in one.layers or ())]
    return next(
        (one for one in with_convolution if _strides(one) > 1), next(iter(with_convolution or stated), None)
    )


def _strides(variant: Variant) -> int:
    return next(layer.strides[0] for layer in variant.layers or () if isinstance(layer, Conv2D))


def _introduction(variant: Variant, step: Step | None) -> tuple[Markup, ...]:
    if step is None:
        return tuple(paragraphs(f"Worked here for `{variant.name}`."))
    layer = step.layer
    assert isinstance(layer, Conv2D)
    what = f"{layer.conv2d} filters, {layer.setting()}; {times(step.shape)} reaches it"
    return tuple(
        paragraphs(
            f"Worked here for the first convolution of `{variant.name}` ({what}), then for the network as a "
            f"whole."
        )
    )


def _block(title: str, text: str, lines: Iterable[Line]) -> Block:
    return Block(title, parse(text), set_lines(lines))


def _of_convolution(step: Step, found: list[Step]) -> list[Block]:
    layer = step.layer
    assert isinstance(layer, Conv2D)
    bias = ", and one bias" if layer.use_bias else ""
    return [
        _valid(layer, step),
        _same(layer, step),
        _block(
            "Parameters",
            f"Each filter has a weight for every pixel of its window in every channel{bias}.",
            [Line("parameters", worked.parameters(layer, step.shape))],
        ),
        _block(
            "Multiply-adds",
            "Each of the values that it gives takes one multiplication for each weight of a filter.",
            [Line("for one image", worked.multiply_adds(layer, step.shape))],
        ),
        _block("Memory", "", worked.memory(step)),
        _block(
            "Receptive field",
            "How many pixels of the image a value can depend on in one direction, r, and how many pixels "
            "apart two neighbours of the map look, j. Both begin with 1.",
            worked.receptive(found),
        ),
    ]


def _valid(layer: Conv2D, step: Step) -> Block:
    stated = layer.model_copy(update={"padding": "valid"})
    if min(one.out for one in along(stated, step.shape)) < 1:
        return _block(
            "Output size with valid padding", "The window does not fit the map that reaches it.", []
        )
    unseen = [
        f"{one.unseen} in {name}" if name else str(one.unseen)
        for name, one in worked.directions(stated, step.shape)
        if one.unseen
    ]
    left = f" Pixels at the far end that no window reaches: {', '.join(unseen)}." if unseen else ""
    return _block(
        "Output size with valid padding",
        f"The window stays inside; what is left over is rounded down.{left}",
        worked.sizes(stated, step.shape),
    )


def _same(layer: Conv2D, step: Step) -> Block:
    padded = layer.model_copy(update={"padding": "same"})
    lines = []
    for name, one in worked.directions(padded, step.shape):
        zeros = worked.padding(one)
        lines += [
            Line(name or "size", worked.output_size(one)),
            Line("zeros", zeros.formula),
            Line(zeros.words),
        ]
    return _block(
        "Output size with same padding",
        "Zeros are set around the map so that the window begins at every s-th pixel.",
        lines,
    )


def _of_dense(step: Step, found: list[Step]) -> Block:
    share = step.row.params / max(sum(one.row.params for one in found), 1)
    lines = [
        Line("parameters", worked.parameters(step.layer, step.shape)),
        Line("multiply-adds", worked.multiply_adds(step.layer, step.shape)),
    ]
    text = f"It has {100 * share:.0f} % of the network's parameters."
    return _block("Its first dense layer", text, lines)


def _row(step: Step) -> StepRow:
    field = "whole image" if step.field.whole else times(step.field.size)
    moves = isinstance(step.layer, Windowed) or step.field.whole
    return StepRow(
        layer=step.layer.keras_name,
        setting=step.layer.setting(),
        output=times(step.row.output_shape),
        field=field if moves else "",
        params=count(step.row.params),
        multiply_adds=count(step.row.multiply_adds),
        memory=volume(step.memory.activations),
    )
