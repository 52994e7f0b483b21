"""Exercises that come before the results: what can be worked out of layers alone."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from reportgen.analysis.contrasts import slower, timing
from reportgen.analysis.knobs import one_knob_pairs
from reportgen.jobs import DONE
from reportgen.lab import trace_variant
from reportgen.layers import Dense, Flatten, ShapeError, times
from reportgen.teaching import worked
from reportgen.teaching.exercises import BEFORE, LINES_FOR_WORDS, Answer, Blanks, Exercise
from reportgen.teaching.mistakes import misplaced, too_large
from reportgen.teaching.stacks import altered, rows
from reportgen.text import count, seconds

if TYPE_CHECKING:
    from reportgen.arithmetic import Step
    from reportgen.results import Results
    from reportgen.teaching.drawing_lots import Lots
    from reportgen.teaching.exercises import Source
    from reportgen.teaching.stacks import Stack

FLATTEN = Flatten(flatten=True)
CLEARLY = 1.3  # times as many multiply-adds, at least, for a pair of which the quicker is asked for
UNITS = (24, 32, 40, 48, 56, 64)


def _like(stack: Stack) -> str:
    return (
        f"like the first layers of `{stack.like}`, a little changed" if stack.like else "of no lab's network"
    )


def shape(lots: Lots, source: Source) -> Exercise:
    """Ask for the shape that leaves each layer of a stack."""
    stack = altered(lots, source.lab, [FLATTEN])
    steps = stack.steps
    outs = [times(step.row.output_shape) for step in steps]
    return Exercise(
        kind="shape",
        stands=BEFORE,
        title="Predict a shape",
        text=f"An image of {times(stack.image)} reaches these layers, which are {_like(stack)}. "
        "Fill in the shape that leaves each of them.",
        tables=(Blanks(("Layer", "Setting", "Output"), tuple(rows(stack.layers)), 1),),
        answer=Answer(
            text=f"The vector at the end has {outs[-1]} values.",
            filled=tuple((out,) for out in outs),
            work=tuple(worked.shape_line(n, step.layer, step.shape) for n, step in enumerate(steps, start=1)),
            notes="Usual slips: rounding valid padding up, forgetting the + 1, and taking the channels from "
            "the input in the place of the filters. Pooling keeps the channels.",
        ),
    )


def parameters(lots: Lots, source: Source) -> Exercise:
    """Ask for the parameters of each layer; the shapes are given."""
    dense = Dense(dense=lots.one(UNITS), activation="relu")
    stack = altered(lots, source.lab, [FLATTEN, dense])
    steps = stack.steps
    given = tuple(
        (*row, times(step.row.output_shape)) for row, step in zip(rows(stack.layers), steps, strict=True)
    )
    counts = [count(step.row.params) for step in steps]
    total = count(sum(step.row.params for step in steps))
    return Exercise(
        kind="parameters",
        stands=BEFORE,
        title="Count parameters",
        text=f"An image of {times(stack.image)} reaches these layers. How many parameters has each of them? "
        "Which one has most, and why?",
        tables=(Blanks(("Layer", "Setting", "Output", "Parameters"), given, 1),),
        lines=3,
        answer=Answer(
            text=f"Together they have {total} parameters. {_most(steps)}",
            filled=tuple((one,) for one in counts),
            work=tuple(
                worked.Line(f"layer {n}, {step.layer.keras_name}", worked.parameters(step.layer, step.shape))
                for n, step in enumerate(steps, start=1)
                if step.row.params
            ),
            notes="Pooling and flattening have none. A convolution's number depends on kernel and channels "
            "and not on the size of the map; a dense layer's depends on everything that reaches it.",
        ),
    )


def _most(steps: list[Step]) -> str:
    n, largest = max(enumerate(steps, start=1), key=lambda one: one[1].row.params)
    share = largest.row.params / max(sum(step.row.params for step in steps), 1)
    why = (
        "every unit is connected to every value of the map"
        if isinstance(largest.layer, Dense)
        else "each of its filters is as deep as what reaches it"
    )
    return f"Layer {n}, {largest.layer.keras_name}, has {100 * share:.0f} % of them: {why}."


def field(lots: Lots, source: Source) -> Exercise:
    """Ask how much of the image one value sees."""
    stack = altered(lots, source.lab)
    steps = stack.steps
    seen = [f"{step.field.size[0]}×{step.field.size[1]} pixels" for step in steps]
    return Exercise(
        kind="field",
        stands=BEFORE,
        title="Predict a receptive field",
        text="How many pixels of the image can one value depend on after each of these layers? Leave out of "
        "account what the image's border cuts off.",
        tables=(Blanks(("Layer", "Setting", "Receptive field"), tuple(rows(stack.layers)), 1),),
        answer=Answer(
            text=f"After the last layer, one value sees {seen[-1]}.",
            filled=tuple((one,) for one in seen),
            work=tuple(worked.receptive(steps)),
            notes="Usual slips: adding the kernels up without the jump, and letting a layer's own stride "
            "count for its own window. Padding changes nothing here.",
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
    pair = lots.one(pairs)
    first, second = pair if lots.one((True, False)) else pair[::-1]
    return Exercise(
        kind="faster",
        stands=BEFORE,
        title="Which trains faster?",
        text=f"Before you turn to the results: does an epoch of `{first}` or of `{second}` take less time? "
        "Give a reason that you can count, then compare with the seconds in the results.",
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
    text = (
        f"By the arithmetic, `{quick}`: one image takes {count(adds[quick])} multiply-adds, and "
        f"{count(adds[slow])} in `{slow}`, {times_as_many:.1f} times as many."
    )
    return Answer(
        text=f"{text} {_measured(results, quick, slow)}".strip(),
        notes="Multiply-adds are not the whole of it: small layers wait for memory, many layers cost "
        "overhead, and a machine that does other work besides is slower. Parameters alone are a poor guide, "
        "because a convolution uses each of its own at every place.",
    )


def _measured(results: Results, quick: str, slow: str) -> str:
    """Say what the run's seconds say of it, and no more than their interval carries."""
    runs = results.runs
    done = set(runs["variant"][runs["status"] == DONE])
    missing = [name for name in (quick, slow) if name not in done]
    if missing:
        return f"This run cannot say: `{missing[0]}` has no finished training."
    found = slower(timing(results, quick), timing(results, slow))
    said = f"an epoch of `{quick}` took {seconds(found.a)} seconds, one of `{slow}` {seconds(found.b)}"
    if found.low > 0:
        return f"So it was in this run: {said}."
    if found.high < 0:
        return f"In this run it was the other way round: {said}."
    return f"In this run {said}, which is not enough to tell them apart."


# --- what cannot be built ------------------------------------------------------------------------


def mistake(lots: Lots, source: Source) -> Exercise:
    """Ask what is wrong with two stacks, neither of which can be built."""
    wrong = [too_large(lots, source.lab), misplaced(lots, source.lab)]
    images = [times(one.stack.image) for one in wrong]
    names = ("A", "B")
    return Exercise(
        kind="mistake",
        stands=BEFORE,
        title="Find the mistake",
        text=f"Neither of these stacks can be built. Images of {images[0]} reach A, which is for "
        f"{wrong[0].classes} classes; images of {images[1]} reach B, for {wrong[1].classes} classes. Name "
        "the layer at which each fails, say why, and mend it.",
        tables=tuple(
            Blanks((f"{name}: layer", "Setting"), tuple(rows(one.stack.layers)))
            for name, one in zip(names, wrong, strict=True)
        ),
        lines=LINES_FOR_WORDS,
        answer=Answer(
            text=" ".join(f"{name}: {one.said} {one.mended}" for name, one in zip(names, wrong, strict=True)),
            work=tuple(_until(wrong[0].stack)),
            notes="Reading a stack from the top with the shape in mind finds both. Keras says the same when "
            "the model is built, not when it is trained.",
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
