"""All mistakes of each network, cell by cell of its confusion matrix, for the HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen.analysis import galleries as choice
from reportgen.text import count
from reportgen.words import tr, trn

if TYPE_CHECKING:
    import pandas as pd

    from reportgen.report.document import Context
    from reportgen.report.tiles import Tile


@dataclass(frozen=True)
class Cell:
    """The mistakes of one network that take one class for another; `note` says how many are not shown."""

    anchor: str
    label: int
    predicted: int
    title: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Mistakes:
    """The mistakes of one network: `shown` of `total`."""

    variant: str
    title: str
    shown: int
    total: int
    cells: tuple[Cell, ...]


def anchor_of(variant: str, label: int, predicted: int) -> str:
    """Name the place of a cell's images; a variant's name may stand in an id as it is."""
    return f"cell-{variant}-{label}-{predicted}"


def mistakes(context: Context) -> tuple[Mistakes, ...]:
    """Show the mistakes of each network that has any."""
    shown = context.mistakes_shown
    found = []
    for name, one in context.trainings.items():
        wrong = one[~choice.right(one)]
        rows = shown[shown["variant"] == name]
        if len(rows):
            found.append(_of_variant(context, name, wrong, rows))
    return tuple(found)


def _of_variant(context: Context, name: str, wrong: pd.DataFrame, rows: pd.DataFrame) -> Mistakes:
    totals = wrong.groupby(choice.PAIR).size()
    ordered = rows.sort_values(
        [*choice.PAIR, "confidence", "index"], ascending=[True, True, False, True], kind="stable"
    )
    cells = tuple(
        _cell(context, name, label, predicted, part, int(totals[label, predicted]))
        for (label, predicted), part in ordered.groupby(choice.PAIR, sort=True)
    )
    return Mistakes(name, _title(len(rows), len(wrong)), len(rows), len(wrong), cells)


def _title(shown: int, total: int) -> str:
    """Begin a heading that a network's name ends."""
    # Translators: the three "mistakes of" are followed by the name of a network
    if shown < total:
        return tr("{shown} of the {total} mistakes of", shown=count(shown), total=count(total))
    return trn("The one mistake of", "All {total} mistakes of", total, total=count(total))


def _cell(context: Context, variant: str, label: int, predicted: int, rows: pd.DataFrame, total: int) -> Cell:
    said = {"true": context.class_name(label), "predicted": context.class_name(predicted)}
    said |= {"shown": count(len(rows)), "total": count(total)}
    if len(rows) < total:
        title = tr("{true} taken for {predicted}: {shown} of {total} images shown", **said)
    else:
        title = trn(
            "{true} taken for {predicted}: {total} image",
            "{true} taken for {predicted}: {total} images",
            total,
            **said,
        )
    tiles = tuple(context.pictures.tile(row, variant) for row in rows.to_dict("records"))
    return Cell(anchor_of(variant, label, predicted), label, predicted, title, tiles)
