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

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import pandas as pd


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
            reason = "only one network has predictions"
        elif base is None:
            reason = "the lab names no baseline"
        else:
            reason = f"the baseline {base} has no predictions"
        said.append(f"Where networks disagree with the baseline: not applicable, because {reason}.")
    return tuple(one for one in said if one)


def _intro(context: Context) -> str:
    shown = " Shown is one training of each variant, its first finished seed."
    return explained() + (shown if context.protocol.seeds > 1 else "")


def explained() -> str:
    """Say which images a variant's galleries show, and what stands beneath them."""
    return (
        f"First come, as in the lab notebook, the first {number_word(GALLERY_SIZE)} hits and the "
        f"first {number_word(GALLERY_SIZE)} mistakes in the order of the test set; then the mistakes "
        "of which the network was surest and the hits of which it was least sure, "
        f"{number_word(choice.A_PAIR_AT_MOST)} of a pair of classes at most where there are pairs enough. "
        "Beneath each image stand its true and its predicted class, the probability that the network gave "
        "to its prediction, and the image's index in the test set."
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
    none = f"{name} gets no image of the test set"
    chosen = [
        (("correct", "Correct!", f"{none} right."), choice.first(one, True)),
        (("incorrect", "Incorrect!", f"{none} wrong."), choice.first(one, False)),
        (("incorrect", "Surest mistakes", "No mistake."), choice.surest_mistakes(one)),
        (("correct", "Least sure hits", "No hit."), choice.least_sure_hits(one)),
    ]
    panels = tuple(
        _panel(context, named, rows, lambda row: context.pictures.tile(row, name)) for named, rows in chosen
    )
    wrong = int((~choice.right(one)).sum())
    full_name = f"{name}, seed {_seed(context, name)}" if context.protocol.seeds > 1 else name
    words = f"{count(wrong)} mistake{'s' if wrong != 1 else ''} in {count(len(one))} test images."
    return Block(name, baseline, context.drawn(f"{full_name}.", words), panels)


def _seed(context: Context, name: str) -> int:
    return dict(context.shown())[name]


def _disagreement(base: str | None) -> str:
    return (
        f"Each network beside the baseline {base}, on images that exactly one of the two gets right: those "
        "come first on which the other one was surest of its mistake."
    )


def _against(context: Context, base: str, name: str) -> Block:
    rows = choice.disagreements(context.trainings[base], context.trainings[name])
    lost = int(rows["base_right"].sum())
    won = len(rows) - lost
    chosen = [
        (("won", f"Only {name} right", "No image."), choice.only_one_right(rows, base_right=False)),
        (("lost", f"Only {base} right", "No image."), choice.only_one_right(rows, base_right=True)),
    ]
    panels = tuple(
        _panel(context, named, part, lambda row: context.pictures.against(row, name, base))
        for named, part in chosen
    )
    words = (
        f"{count(won)} image{'s' if won != 1 else ''} that only {name} gets right, {count(lost)} that only "
        f"{base} gets right."
    )
    return Block(name, False, context.drawn(f"{name} and {base}.", words), panels)


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
    many = f"{count(len(rows))} image{'s' if len(rows) != 1 else ''}"
    none = "neither of the two" if len(trainings) == 2 else f"none of the {number_word(len(trainings))}"
    first = "; those come first on which they were surest on average" if len(rows) > 1 else ""
    words = (
        f"{many} that {none} networks gets right{first}. Pred is what most of them say; beneath, how many "
        "do, and the mean probability of all predictions."
    )
    return Block("", False, context.drawn("Wrong in every network.", words), (panel,))


def _of_all_mistakes(blocks: tuple[Mistakes, ...]) -> str:
    shown, total = sum(one.shown for one in blocks), sum(one.total for one in blocks)
    if not total:
        return ""
    if not shown:
        return ""
    if shown == total:
        return "Every mistake of every network, by true and predicted class."
    return (
        f"{count(shown)} of the {count(total)} mistakes of all networks, by true and predicted class: chosen "
        "evenly over networks and pairs of classes, the surest first."
    )
