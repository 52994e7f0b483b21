"""Exercises that come before the results: what can be worked out of layers alone."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from reportgen.analysis.contrasts import epochs_written, slower, timing
from reportgen.analysis.knobs import one_knob_pairs
from reportgen.jobs import DONE
from reportgen.lab import trace_variant
from reportgen.layers import Dense, ShapeError, times
from reportgen.teaching import worked
from reportgen.teaching.exercises import BEFORE, LINES_FOR_WORDS, Answer, Blanks, Exercise
from reportgen.teaching.mistakes import two
from reportgen.teaching.stacks import altered, flattened, only_dense, rows
from reportgen.text import count, decimal, percent
from reportgen.words import tr

if TYPE_CHECKING:
    from reportgen.arithmetic import Step
    from reportgen.results import Results
    from reportgen.teaching.drawing_lots import Lots
    from reportgen.teaching.exercises import Source
    from reportgen.teaching.stacks import Stack

CLEARLY = 1.3  # times as many multiply-adds, at least, for a pair of which the quicker is asked for
UNITS = (24, 32, 40, 48, 56, 64)


def _reaches(stack: Stack) -> str:
    image = times(stack.image)
    if not stack.like:
        return tr("An image of {image} reaches these layers, which are of no lab's network.", image=image)
    return tr(
        "An image of {image} reaches these layers, which are like the first layers of `{variant}`, a little "
        "changed.",
        image=image,
        variant=stack.like,
    )


def shape(lots: Lots, source: Source) -> Exercise:
    """Ask for the shape that leaves each layer of a stack."""
    stack = flattened(lots, source.lab)
    steps = stack.steps
    outs = [times(step.row.output_shape) for step in steps]
    return Exercise(
        kind="shape",
        stands=BEFORE,
        title=tr("Predict a shape"),
        text=" ".join((_reaches(stack), tr("Fill in the shape that leaves each of them."))),
        tables=(Blanks((tr("Layer"), tr("Setting"), tr("Output")), tuple(rows(stack.layers)), 1),),
        answer=Answer(
            text=tr("The vector at the end has {n} values.", n=outs[-1]),
            filled=tuple((out,) for out in outs),
            work=tuple(worked.shape_line(n, step.layer, step.shape) for n, step in enumerate(steps, start=1)),
            notes=tr(
                "Usual slips: leaving out the channels when the image is flattened, and taking its side for "
                "its pixels. A dense layer gives as many values as it has units, whatever reaches it."
            )
            if only_dense(source.lab)
            else tr(
                "Usual slips: rounding valid padding up, forgetting the + 1, and taking the channels from "
                "the input in the place of the filters. Pooling keeps the channels."
            ),
        ),
    )


def parameters(lots: Lots, source: Source) -> Exercise:
    """Ask for the parameters of each layer; the shapes are given."""
    stack = flattened(lots, source.lab, [Dense(dense=lots.one(UNITS), activation="relu")])
    steps = stack.steps
    given = tuple(
        (*row, times(step.row.output_shape)) for row, step in zip(rows(stack.layers), steps, strict=True)
    )
    counts = [count(step.row.params) for step in steps]
    total = count(sum(step.row.params for step in steps))
    return Exercise(
        kind="parameters",
        stands=BEFORE,
        title=tr("Count parameters"),
        text=tr(
            "An image of {image} reaches these layers. How many parameters has each of them? Which one has "
            "most, and why?",
            image=times(stack.image),
        ),
        tables=(Blanks((tr("Layer"), tr("Setting"), tr("Output"), tr("Parameters")), given, 1),),
        lines=3,
        answer=Answer(
            text=" ".join((tr("Together they have {total} parameters.", total=total), _most(steps))),
            filled=tuple((one,) for one in counts),
            work=tuple(
                worked.Line(worked.layer_name(n, step.layer), worked.parameters(step.layer, step.shape))
                for n, step in enumerate(steps, start=1)
                if step.row.params
            ),
            notes=tr(
                "Flattening has none. Each unit of a dense layer has a weight for every value that reaches "
                "it, and one bias: the usual slip is to leave that out."
            )
            if only_dense(source.lab)
            else tr(
                "Pooling and flattening have none. A convolution's number depends on kernel and channels and "
                "not on the size of the map; a dense layer's depends on everything that reaches it."
            ),
        ),
    )


def _most(steps: list[Step]) -> str:
    n, largest = max(enumerate(steps, start=1), key=lambda one: one[1].row.params)
    share = percent(largest.row.params / max(sum(step.row.params for step in steps), 1), 0)
    name = largest.layer.keras_name
    if isinstance(largest.layer, Dense):
        return tr(
            "Layer {n}, {layer}, has {share} % of them: every unit is connected to every value of the map.",
            n=n,
            layer=name,
            share=share,
        )
    return tr(
        "Layer {n}, {layer}, has {share} % of them: each of its filters is as deep as what reaches it.",
        n=n,
        layer=name,
        share=share,
    )


def field(lots: Lots, source: Source) -> Exercise | None:
    """Ask how much of the image one value sees; None where no network of the lab has a window."""
    if only_dense(source.lab):
        return None
    stack = altered(lots, source.lab)
    steps = stack.steps
    seen = [tr("{size} pixels", size=times(step.field.size)) for step in steps]
    return Exercise(
        kind="field",
        stands=BEFORE,
        title=tr("Predict a receptive field"),
        text=tr(
            "How many pixels of the image can one value depend on after each of these layers? Leave out of "
            "account what the image's border cuts off."
        ),
        tables=(Blanks((tr("Layer"), tr("Setting"), tr("Receptive field")), tuple(rows(stack.layers)), 1),),
        answer=Answer(
            text=tr("After the last layer, one value sees {size}.", size=seen[-1]),
            filled=tuple((one,) for one in seen),
            work=tuple(worked.receptive(steps)),
            notes=tr(
                "Usual slips: adding the kernels up without the jump, and letting a layer's own stride count "
                "for its own window. Padding changes nothing here."
            ),
        ),
    )


# --- which trains faster -------------------------------------------------------------------------


def faster(lots: Lots, source: Source) -> Exercise | None:
    """Ask which of two variants trains faster, and why; None where no two differ clearly."""
    adds = _multiply_adds(source)
    pairs = _unlike(adds, [(one.a, one.b) for one in one_knob_pairs(source.lab.variants)])
    pairs = pairs or _unlike(adds, list(combinations(adds, 2)))
    if not pairs:
        return None
    pair = lots.in_turn(pairs)
    first, second = pair if lots.one((True, False)) else pair[::-1]
    return Exercise(
        kind="faster",
        stands=BEFORE,
        title=tr("Which trains faster?"),
        text=tr(
            "Before you turn to the results: does an epoch of `{first}` or of `{second}` take less time? "
            "Give a reason that you can count, then compare with the seconds in the results.",
            first=first,
            second=second,
        ),
        lines=LINES_FOR_WORDS,
        answer=_faster(source.results, {name: adds[name] for name in (first, second)}),
    )


def _multiply_adds(source: Source) -> dict[str, int]:
    data = source.results.record.dataset
    traces = {
        one.name: trace_variant(one, data.image_shape, len(data.classes)) for one in source.lab.variants
    }
    return {name: sum(row.multiply_adds for row in found) for name, found in traces.items() if found}


def _unlike(adds: dict[str, int], pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(a, b) for a, b in pairs if max(adds[a], adds[b]) >= CLEARLY * max(min(adds[a], adds[b]), 1)]


def _faster(results: Results, adds: dict[str, int]) -> Answer:
    quick, slow = sorted(adds, key=lambda name: adds[name])
    times_as_many = adds[slow] / max(adds[quick], 1)
    text = tr(
        "By the arithmetic, `{quick}`: one image takes {fewer} multiply-adds, and {more} in `{slow}`, "
        "{factor} times as many.",
        quick=quick,
        fewer=count(adds[quick]),
        more=count(adds[slow]),
        slow=slow,
        factor=decimal(times_as_many, 1),
    )
    return Answer(
        text=f"{text} {_measured(results, quick, slow)}".strip(),
        notes=tr(
            "Multiply-adds are not the whole of it: small layers wait for memory, many layers cost overhead, "
            "and a machine that does other work besides is slower. Parameters alone are a poor guide, "
            "because a convolution uses each of its own at every place."
        ),
    )


def _measured(results: Results, quick: str, slow: str) -> str:
    """Say what the run's seconds say of it, and no more than their interval carries."""
    runs = results.runs
    done = set(runs["variant"][runs["status"] == DONE])
    missing = [name for name in (quick, slow) if name not in done]
    if missing:
        return tr("This run cannot say: `{variant}` has no finished training.", variant=missing[0])
    found = slower(timing(results, quick), timing(results, slow))
    # As the table of the results has them.
    took = epochs_written(results, [name for name in results.variants if name in done])
    less, more = took[quick], took[slow]
    said = {"quick": quick, "less": less, "slow": slow, "more": more}
    if found.low > 0:
        return tr(
            "So it was in this run: an epoch of `{quick}` took {less} seconds, one of `{slow}` {more}.",
            **said,
        )
    if found.high < 0:
        return tr(
            "In this run it was the other way round: an epoch of `{quick}` took {less} seconds, one of "
            "`{slow}` {more}.",
            **said,
        )
    return tr(
        "In this run an epoch of `{quick}` took {less} seconds, one of `{slow}` {more}, which is not enough "
        "to tell them apart.",
        **said,
    )


# --- what cannot be built ------------------------------------------------------------------------


def mistake(lots: Lots, source: Source) -> Exercise:
    """Ask what is wrong with two stacks, neither of which can be built."""
    wrong = two(lots, source.lab)
    images = [times(one.stack.image) for one in wrong]
    names = ("A", "B")
    return Exercise(
        kind="mistake",
        stands=BEFORE,
        title=tr("Find the mistake"),
        text=tr(
            "Neither of these stacks can be built. Images of {image_a} reach A, which is for {classes_a} "
            "classes; images of {image_b} reach B, for {classes_b} classes. Name the layer at which each "
            "fails, say why, and mend it.",
            image_a=images[0],
            classes_a=wrong[0].classes,
            image_b=images[1],
            classes_b=wrong[1].classes,
        ),
        tables=tuple(
            Blanks((tr("{stack}: layer", stack=name), tr("Setting")), tuple(rows(one.stack.layers)))
            for name, one in zip(names, wrong, strict=True)
        ),
        lines=LINES_FOR_WORDS,
        answer=Answer(
            text=" ".join(
                tr("{name}: {values}", name=name, values=f"{one.said} {one.mended}")
                for name, one in zip(names, wrong, strict=True)
            ),
            work=tuple(_until(wrong[0].stack)),
            notes=tr(
                "Reading a stack from the top with the shape in mind finds both. Keras says the same when "
                "the model is built, not when it is trained."
            ),
        ),
    )


def _until(stack: Stack) -> list[worked.Line]:
    """Work a stack out as far as it can be built."""
    lines, shape = [], tuple(stack.image)
    for n, layer in enumerate(stack.layers, start=1):
        try:
            lines.append(worked.shape_line(n, layer, shape))
            shape = layer.output_shape(shape)
        except ShapeError:
            break
    return lines
