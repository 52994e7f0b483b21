"""The arithmetic of one of the lab's own networks, worked out line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from reportgen.arithmetic import Step, along, steps
from reportgen.lab import Variant, trace_variant
from reportgen.layers import Conv2D, Dense, Windowed, setting_text, times
from reportgen.report.document import Caption, Context
from reportgen.report.formulas import Part, parse
from reportgen.teaching import worked
from reportgen.teaching.worked import Line
from reportgen.text import count, listing, paragraphs, percent, volume
from reportgen.words import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reportgen.layers import Layer

MOST_LINES = 12  # of all networks
LETTERS = mark(
    "n is the number of pixels that reach the layer, in height or in width, k that of its kernel, s its "
    "stride, and c counts channels."
)
UNSEEN = {"": mark("{n}"), "height": mark("{n} in height"), "width": mark("{n} in width")}


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

    variant: str
    introduction: tuple[Markup, ...]
    letters: tuple[Part, ...]  # what they stand for
    blocks: tuple[Block, ...]
    of_all: tuple[Block, ...]  # of every network of the lab
    steps: tuple[Step, ...]
    caption: Caption

    @property
    def rows(self) -> tuple[StepRow, ...]:
        """Write the steps as rows of a table."""
        return tuple(map(_row, self.steps))


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
    text = tr(
        "{parameters} parameters, {multiply_adds} multiply-adds for one image. Memory is what each layer "
        "gives for one image, in bytes of 1,000 to the kB.",
        parameters=count(total),
        multiply_adds=count(sum(one.row.multiply_adds for one in found)),
    )
    caption = context.table(tr("{variant}, step by step.", variant=variant.name), text)
    letters = parse(tr(LETTERS)) if step else ()
    return Working(
        variant=variant.name,
        introduction=_introduction(variant, step),
        letters=letters,
        blocks=tuple(blocks),
        of_all=tuple(_of_all(context)),
        steps=tuple(found),
        caption=caption,
    )


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
        return tuple(paragraphs(tr("Worked here for `{variant}`.", variant=variant.name)))
    layer = step.layer
    assert isinstance(layer, Conv2D)
    said = tr(
        "Worked here for the first convolution of `{variant}` ({filters}, {setting}; {shape} reaches it), "
        "then for the network as a whole.",
        variant=variant.name,
        filters=trn("{n} filter", "{n} filters", layer.conv2d, n=layer.conv2d),
        setting=setting_text(layer.setting()),
        shape=times(step.shape),
    )
    return tuple(paragraphs(said))


def _block(title: str, text: str, lines: Iterable[Line]) -> Block:
    return Block(title, parse(text), set_lines(lines))


def _of_convolution(step: Step, found: list[Step]) -> list[Block]:
    layer = step.layer
    assert isinstance(layer, Conv2D)
    if layer.use_bias:
        weights = tr("Each filter has a weight for every pixel of its window in every channel, and one bias.")
    else:
        weights = tr("Each filter has a weight for every pixel of its window in every channel.")
    return [
        _valid(layer, step),
        _same(layer, step),
        _block(
            tr("Parameters"),
            weights,
            [Line(tr("parameters"), worked.parameters(layer, step.shape))],
        ),
        _block(
            tr("Multiply-adds"),
            tr("Each of the values that it gives takes one multiplication for each weight of a filter."),
            [Line(tr("for one image"), worked.multiply_adds(layer, step.shape))],
        ),
        _block(tr("Memory"), "", worked.memory(step)),
        _block(
            tr("Receptive field"),
            tr(
                "How many pixels of the image a value can depend on in one direction, r, and how many pixels "
                "apart two neighbours of the map look, j. Both begin with 1."
            ),
            worked.receptive(found),
        ),
    ]


def _valid(layer: Conv2D, step: Step) -> Block:
    stated = layer.model_copy(update={"padding": "valid"})
    title = tr("Output size with valid padding")
    if min(one.out for one in along(stated, step.shape)) < 1:
        return _block(title, tr("The window does not fit the map that reaches it."), [])
    unseen = [
        tr(UNSEEN[name], n=one.unseen) for name, one in worked.directions(stated, step.shape) if one.unseen
    ]
    said = [tr("The window stays inside; what is left over is rounded down.")]
    if unseen:
        pixels = tr(", ").join(unseen)
        said.append(tr("Pixels at the far end that no window reaches: {pixels}.", pixels=pixels))
    return _block(title, " ".join(said), worked.sizes(stated, step.shape))


def _same(layer: Conv2D, step: Step) -> Block:
    padded = layer.model_copy(update={"padding": "same"})
    lines = []
    for name, one in worked.directions(padded, step.shape):
        zeros = worked.padding(one)
        lines += [
            Line(tr(name) or tr("size"), worked.output_size(one)),
            Line(tr("zeros"), zeros.formula),
            Line(zeros.words),
        ]
    return _block(
        tr("Output size with same padding"),
        tr("Zeros are set around the map so that the window begins at every s-th pixel."),
        lines,
    )


def _of_dense(step: Step, found: list[Step]) -> Block:
    share = step.row.params / max(sum(one.row.params for one in found), 1)
    lines = [
        Line(tr("parameters"), worked.parameters(step.layer, step.shape)),
        Line(tr("multiply-adds"), worked.multiply_adds(step.layer, step.shape)),
    ]
    text = tr("It has {share} % of the network's parameters.", share=percent(share, 0))
    return _block(tr("Its first dense layer"), text, lines)


def _of_all(context: Context) -> list[Block]:
    """Work out for every network what differs most between them; nothing where there is one network alone."""
    stated = [one for one in context.lab.variants if one.layers]
    data = context.dataset
    found = {
        one.name: steps(trace_variant(one, data.image_shape, len(data.classes)), data.image_shape)
        for one in stated
    }
    if len(found) < 2:
        return []
    blocks = []
    convolutions = _first_of(found, Conv2D)
    if len(convolutions) > 1:
        text = tr("How high the map is that leaves it, with each network's own padding and stride.")
        lines = {
            name: worked.sizes(one.layer, one.shape)[0].formula
            for name, one in convolutions.items()
            if isinstance(one.layer, Windowed)
        }
        blocks.append(_block(tr("The first convolution of every network"), text, _alike(lines)))
    dense = _first_of(found, Dense)
    if len(dense) > 1:
        text = tr("Its parameters: what the layers before it leave decides how many there are.")
        lines = {name: worked.parameters(one.layer, one.shape) for name, one in dense.items()}
        blocks.append(_block(tr("The first dense layer of every network"), text, _alike(lines)))
    return blocks


def _first_of(found: dict[str, list[Step]], kind: type[Layer]) -> dict[str, Step]:
    firsts = {
        name: next((one for one in many if isinstance(one.layer, kind)), None) for name, many in found.items()
    }
    return {name: one for name, one in firsts.items() if one is not None}


def _alike(formulas: dict[str, str]) -> list[Line]:
    """Write each formula once, with all the networks that it is of."""
    names: dict[str, list[str]] = {}
    for name, formula in formulas.items():
        names.setdefault(formula, []).append(name)
    lines = [Line(listing(those), formula) for formula, those in names.items()]
    left = sum(len(those) for those in list(names.values())[MOST_LINES:])
    more = trn(
        "{n} other network is worked out alike.", "{n} other networks are worked out alike.", left, n=left
    )
    return [*lines[:MOST_LINES], *([Line(more)] if left else [])]


def _row(step: Step) -> StepRow:
    field = tr("whole image") if step.field.whole else times(step.field.size)
    moves = isinstance(step.layer, Windowed) or step.field.whole
    return StepRow(
        layer=step.layer.keras_name,
        setting=setting_text(step.layer.setting()),
        output=times(step.row.output_shape),
        field=field if moves else "",
        params=count(step.row.params),
        multiply_adds=count(step.row.multiply_adds),
        memory=volume(step.memory.activations),
    )
