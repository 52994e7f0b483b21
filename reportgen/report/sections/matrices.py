"""A confusion matrix for each variant, and how each differs from the baseline's."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.analysis import confusion as cells
from reportgen.report import look
from reportgen.report.sections.classes import quoted
from reportgen.text import count, listing
from reportgen.words import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportgen.report.document import Context, Figure
    from reportgen.report.sections.confused import Confused
    from reportgen.report.studio import Order

LEAST_SCALE = 5  # images: a difference of one is never strongly coloured


@dataclass(frozen=True)
class Cell:
    """One cell of a confusion table: `share` of the darkest colour, `href` where its images stand."""

    text: str
    kind: str  # right, none or wrong: a class of the style sheet
    share: str = ""
    href: str = ""
    words: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a confusion table."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Counts:
    """A confusion matrix as a table, for the screen."""

    variant: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: drawn, and as a table."""

    figure: Figure
    counts: Counts


def matrix(made: Confused, variant: str) -> Matrix:
    """Draw a variant's matrix, with the same as a table; say what is confused most."""
    words = _in_words(made.context, made.frames[variant])
    return _drawn(made, variant, made.width_for(len(made.frames)), words, words)


def unexplained(made: Confused, variant: str, words: str) -> Matrix:
    """Draw a variant's matrix for others to read: its alternative text has the counts and says no more."""
    return _drawn(made, variant, made.width_for(1), words, _all_counts(made, variant))


def _drawn(made: Confused, variant: str, width: float, words: str, in_place: str) -> Matrix:
    context, frame = made.context, made.frames[variant]
    chart = ordered(made, frame, width)
    name = made.named(variant)
    alt = tr("Confusion matrix of {variant}.", variant=name)
    size = "half" if width == look.HALF else "third"
    figure = context.chart(
        chart,
        f"{alt} {in_place}",
        tr("{sentence}.", sentence=name),
        words,
        size,
        _behind(context, frame, ["count"]),
    )
    return Matrix(figure, _counts(made, variant))


def _all_counts(made: Confused, variant: str) -> str:
    """Write a matrix row by row, leaving out its zeros."""
    name = made.context.class_name
    return " ".join(
        tr(
            "True class {true}: {predictions}.",
            true=name(label),
            predictions=tr(", ").join(
                tr("{n} as {predicted}", n=n, predicted=name(predicted))
                for _, predicted, n in rows.itertuples(index=False)
                if n
            ),
        )
        for label, rows in made.frames[variant].groupby("label")
        if rows["count"].sum()
    )


def _behind(context: Context, rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Give the cells of a chart as a table, with the classes' names."""
    names = {mark("true"): "label", mark("predicted"): "predicted"}
    cells = {name: [context.class_name(n) for n in rows[column]] for name, column in names.items()}
    return rows[columns].reset_index(drop=True).assign(**cells)[[*columns[:-1], *names, columns[-1]]]


def _in_words(context: Context, frame: pd.DataFrame) -> str:
    wrong = cells.mistakes(frame)
    pairs = cells.pairs(frame).head(3)
    pairs = pairs[pairs["count"] > 1]
    if not wrong:
        return tr("No mistake.")
    if pairs.empty:
        return trn(
            "{n} mistake, no pair more than once.",
            "{n} mistakes, no pair more than once.",
            wrong,
            n=count(wrong),
        )
    rows = pairs[["label", "predicted", "count"]].to_dict("records")
    return trn(
        "{n} mistake; most often {pairs}.",
        "{n} mistakes; most often {pairs}.",
        wrong,
        n=count(wrong),
        pairs=listing([_taken_for(context, **row) for row in rows]),
    )


def ordered(made: Confused, frame: pd.DataFrame, width: float) -> Order:
    """Order the chart of a matrix."""
    return made.context.studio.order("confusion_matrix", frame, made.axis_names, made.darkest, width)


def _taken_for(context: Context, label: int, predicted: int, count: int) -> str:
    return tr("{true} taken for {predicted} ({n})", n=count, **_classes(context, label, predicted))


def _classes(context: Context, label: int, predicted: int) -> dict[str, str]:
    """Name the classes of a cell."""
    return {"true": quoted(context, label), "predicted": quoted(context, predicted)}


def _counts(made: Confused, variant: str) -> Counts:
    frame = made.frames[variant]
    shares = (cells.shares(frame) / max(made.darkest, 1e-9)).clip(upper=1)
    rows: dict[int, list[Cell]] = {}
    for (label, predicted, n), share in zip(frame.itertuples(index=False), shares, strict=True):
        rows.setdefault(label, []).append(_count(made, (variant, label, predicted), n, share))
    names = tuple(made.context.class_name(label) for label in rows)
    return Counts(variant, names, tuple(Row(names[label], tuple(row)) for label, row in rows.items()))


def _count(made: Confused, cell: tuple[str, int, int], n: int, share: float) -> Cell:
    _, label, predicted = cell
    if label == predicted:
        return Cell(str(n), "right")
    if not n:
        return Cell("", "none")
    names = made.context.class_name(label), made.context.class_name(predicted)
    words = tr("{n}: {true} taken for {predicted}", n=n, true=names[0], predicted=names[1])
    return Cell(str(n), "wrong", f"{share:.2f}", made.href(*cell), words)


# --- the difference to the baseline --------------------------------------------------------------


def differences(made: Confused) -> tuple[Figure, ...]:
    """Draw, for each variant, in which cells it has more or fewer images than the baseline."""
    if not made.compared or len(made.context.dataset.classes) < 2:
        return ()
    base = made.frames[str(made.base)]
    parts = [cells.difference(base, made.frames[name]).assign(variant=name) for name in made.compared]
    frame = pd.concat(parts, ignore_index=True)
    wrong = frame[frame["label"] != frame["predicted"]]
    most = max(int(wrong["difference"].abs().max()), LEAST_SCALE)
    panels = len(made.compared)
    size = ceil(panels / ceil(panels / look.PANELS_IN_A_FIGURE))  # no figure has one panel left over
    pages = [made.compared[n : n + size] for n in range(0, panels, size)]
    return tuple(_difference(made, frame, most, page, n == 0) for n, page in enumerate(pages))


def _difference(
    made: Confused, frame: pd.DataFrame, most: int, panels: Sequence[str], is_first: bool
) -> Figure:
    context = made.context
    rows = frame[frame["variant"].isin(panels)].reset_index(drop=True)
    # The diagonal is not shown: how many more are right makes no other chart.
    rows.loc[rows["label"] == rows["predicted"], "difference"] = 0
    columns = min(len(panels), 2 if made.wide else 3)
    chart = context.studio.order("confusion_differences", rows, list(panels), made.axis_names, most, columns)
    words = said = _largest_change(context, rows)
    if is_first:
        colours = tr("Fewer mistakes than the baseline makes are blue, more are orange.")
        chance = tr("Each network is one training here: a few images more or fewer can be chance.")
        words = f"{colours} {said} {chance}"
    alt = tr("Difference of each confusion matrix to that of the baseline {variant}.", variant=made.base)
    lead = tr("Difference to {variant}.", variant=made.base)
    width = "half" if columns == 1 else "whole"
    behind = _behind(context, rows, ["variant", mark("difference")])
    return context.chart(chart, f"{alt} {said}", lead, words, width, behind)


def _largest_change(context: Context, rows: pd.DataFrame) -> str:
    """Name the cells that changed most in each direction."""
    wrong = rows[rows["label"] != rows["predicted"]].sort_values(
        ["difference", "label", "predicted"], kind="stable"
    )
    fewest, most = wrong.iloc[0], wrong.iloc[-1]
    said = []
    if fewest["difference"] < 0:
        said.append(tr("{true} taken for {predicted} ({n} fewer) by {variant}", **_change(context, fewest)))
    if most["difference"] > 0:
        said.append(tr("{true} taken for {predicted} ({n} more) by {variant}", **_change(context, most)))
    return tr("Furthest apart: {cells}.", cells=listing(said)) if said else tr("No cell differs.")


def _change(context: Context, row: pd.Series) -> dict[str, str]:
    classes = _classes(context, int(row["label"]), int(row["predicted"]))
    return {**classes, "n": str(abs(int(row["difference"]))), "variant": str(row["variant"])}
