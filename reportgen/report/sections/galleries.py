"""Hits and mistakes: the first of each network, the surest and least sure, and where networks disagree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen.analysis import galleries as choice
from reportgen.report.document import Caption, Context
from reportgen.report.sections.cells import Mistakes, mistakes
from reportgen.report.tiles import Panel, Tile, not_kept
from reportgen.results import GALLERY_SIZE
from reportgen.text import count, number_word
from reportgen.words import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import pandas as pd


# Why there is nothing to show of where networks disagree.
ONE_NETWORK = mark(
    "Where networks disagree with the baseline: not applicable, because only one network has predictions."
)
NO_BASELINE = mark(
    "Where networks disagree with the baseline: not applicable, because the lab names no baseline."
)
WITHOUT_PREDICTIONS = mark(
    "Where networks disagree with the baseline: not applicable, because the baseline {baseline} has no "
    "predictions."
)


@dataclass(frozen=True)
class Block:
    """The galleries of one figure."""

    name: str
    baseline: bool
    caption: Caption
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Galleries:
    """All galleries: of each variant, of each against the baseline, of all, and all mistakes by cell.

    `classes` are the names of the classes, as JSON.
    """

    intro: str
    variants: tuple[Block, ...]
    disagreement: str
    against: tuple[Block, ...]
    everyone: Block | None
    mistakes: tuple[Mistakes, ...]
    mistakes_intro: str
    classes: str
    missing: tuple[str, ...]


def galleries(context: Context) -> Galleries:
    """Show hits and mistakes of each variant, and where variants disagree."""
    trainings = context.trainings
    base = context.lab.baseline.name if context.lab.baseline else None
    names = [context.class_name(n) for n in range(len(context.dataset.classes))]
    compared = _compared(context, base)
    some = context.extent.tiles > 0
    shown = trainings if some else {}
    variants = tuple(block_of(context, name, one, name == base) for name, one in shown.items())
    against = tuple(_against(context, base, name) for name in compared if base is not None and some)
    everyone = _everyone(context) if some else None
    blocks = mistakes(context)
    return Galleries(
        intro=_intro(context) if variants else "",
        variants=variants,
        disagreement=_disagreement(base) if against else "",
        against=against,
        everyone=everyone,
        mistakes=blocks,
        mistakes_intro=_of_all_mistakes(blocks),
        classes=json.dumps(names),
        missing=_missing(context, base, compared),
    )


def _compared(context: Context, base: str | None) -> list[str]:
    return [name for name in context.trainings if name != base] if base in context.trainings else []


def _missing(context: Context, base: str | None, compared: list[str]) -> tuple[str, ...]:
    said = [context.left_out(), context.without_predictions(list(context.trainings))]
    if context.trainings and not compared:
        if len(context.trainings) == 1:
            reason = ONE_NETWORK
        else:
            reason = NO_BASELINE if base is None else WITHOUT_PREDICTIONS
        said.append(tr(reason, baseline=base))
    return tuple(one for one in said if one)


def _intro(context: Context) -> str:
    if context.protocol.seeds == 1:
        return explained()
    shown = tr("Shown is one training of each variant, its first finished seed.")
    return f"{explained()} {shown}"


def explained() -> str:
    """Say which images a variant's galleries show, and what stands beneath them."""
    return tr(
        "First come the first {number} hits and the first {number} mistakes in the "
        "order of the test set; then the mistakes of which the network was surest and the hits of which it "
        "was least sure, {few} of a pair of classes at most where there are pairs enough. Beneath each image "
        "stand its true and its predicted class, the probability that the network gave to its prediction, "
        "and the image's index in the test set.",
        number=number_word(GALLERY_SIZE),
        few=number_word(choice.A_PAIR_AT_MOST),
    )


def _panel(
    context: Context,
    named: tuple[str, str, str],
    rows: pd.DataFrame,
    tile: Callable[[dict[str, Any]], Tile],
) -> Panel:
    """Show the chosen images of which the run has pictures, and say how many it has none of.

    `named` are the panel's kind, its title, and what it says where there is nothing to choose from.
    """
    kind, title, none = named
    wanted = rows.to_dict("records")
    there = [row for row in wanted if row["index"] in context.pictures]
    note = not_kept(len(wanted) - len(there), len(wanted)) if wanted else none
    return Panel(kind, title, tuple(tile(row) for row in there[: context.extent.tiles]), note)


def block_of(context: Context, name: str, one: pd.DataFrame, baseline: bool) -> Block:
    """Show the hits and mistakes of one variant."""
    no_hit = tr("{variant} gets no image of the test set right.", variant=name)
    no_mistake = tr("{variant} gets no image of the test set wrong.", variant=name)
    chosen = [
        (("correct", tr("Correct!"), no_hit), choice.first(one, True)),
        (("incorrect", tr("Incorrect!"), no_mistake), choice.first(one, False)),
        (("incorrect", tr("Surest mistakes"), tr("No mistake.")), choice.surest_mistakes(one)),
        (("correct", tr("Least sure hits"), tr("No hit.")), choice.least_sure_hits(one)),
    ]
    panels = tuple(
        _panel(context, named, rows, lambda row: context.pictures.tile(row, name)) for named, rows in chosen
    )
    wrong = int((~choice.right(one)).sum())
    lead = tr("{sentence}.", sentence=name)
    if context.protocol.seeds > 1:
        lead = tr("{variant}, seed {seed}.", variant=name, seed=_seed(context, name))
    words = trn(
        "{n} mistake in {images} test images.",
        "{n} mistakes in {images} test images.",
        wrong,
        n=count(wrong),
        images=count(len(one)),
    )
    return Block(name, baseline, context.drawn(lead, words), panels)


def _seed(context: Context, name: str) -> int:
    return dict(context.shown())[name]


def _disagreement(base: str | None) -> str:
    return tr(
        "Each network beside the baseline {baseline}, on images that exactly one of the two gets right: "
        "those come first on which the other one was surest of its mistake.",
        baseline=base,
    )


def _against(context: Context, base: str, name: str) -> Block:
    rows = choice.disagreements(context.trainings[base], context.trainings[name])
    lost = int(rows["base_right"].sum())
    won = len(rows) - lost
    titles = [tr("Only {variant} right", variant=one) for one in (name, base)]
    chosen = [
        (("won", titles[0], tr("No image.")), choice.only_one_right(rows, base_right=False)),
        (("lost", titles[1], tr("No image.")), choice.only_one_right(rows, base_right=True)),
    ]
    panels = tuple(
        _panel(context, named, part, lambda row: context.pictures.against(row, name, base))
        for named, part in chosen
    )
    words = trn(
        "{won} image that only {variant} gets right, {lost} that only {baseline} gets right.",
        "{won} images that only {variant} gets right, {lost} that only {baseline} gets right.",
        won,
        won=count(won),
        lost=count(lost),
        variant=name,
        baseline=base,
    )
    lead = tr("{variant} and {baseline}.", variant=name, baseline=base)
    return Block(name, False, context.drawn(lead, words), panels)


def _everyone(context: Context) -> Block | None:
    trainings = context.trainings
    if len(trainings) < 2:
        return None
    rows = choice.everyone_wrong(trainings)
    if rows.empty:
        return None
    panel = _panel(
        context,
        ("incorrect", "", ""),
        choice.spread(rows),
        lambda row: context.pictures.of_all(row, len(trainings)),
    )
    explanation = tr(
        "Pred is what most of them say; beneath, how many do, and the mean probability of all predictions."
    )
    words = f"{_nobody_right(len(rows), len(trainings))} {explanation}"
    return Block("", False, context.drawn(tr("Wrong in every network."), words), (panel,))


def _nobody_right(images: int, networks: int) -> str:
    if networks == 2:
        return trn(
            "{n} image that neither of the two networks gets right.",
            "{n} images that neither of the two networks gets right; those come first on which they were "
            "surest on average.",
            images,
            n=count(images),
        )
    return trn(
        "{n} image that none of the {networks} networks gets right.",
        "{n} images that none of the {networks} networks gets right; those come first on which they were "
        "surest on average.",
        images,
        n=count(images),
        networks=number_word(networks),
    )


def _of_all_mistakes(blocks: tuple[Mistakes, ...]) -> str:
    shown, total = sum(one.shown for one in blocks), sum(one.total for one in blocks)
    if not total:
        return ""
    if not shown:
        return ""
    if shown == total:
        return tr("Every mistake of every network, by true and predicted class.")
    return tr(
        "{shown} of the {total} mistakes of all networks, by true and predicted class: chosen evenly over "
        "networks and pairs of classes, the surest first.",
        shown=count(shown),
        total=count(total),
    )
