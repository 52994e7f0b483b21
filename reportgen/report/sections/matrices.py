"""A confusion matrix for each variant, and how each differs from the baseline's."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.analysis import confusion as cells
from reportgen.report import look
from reportgen.text import count, listing

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
    alt = f"Confusion matrix of {name}. {in_place}"
    size = "half" if width == look.HALF else "third"
    figure = context.chart(chart, alt, f"{name}.", words, size, _behind(context, frame, ["count"]))
    return Matrix(figure, _counts(made, variant))


def _all_counts(made: Confused, variant: str) -> str:
    """Write a matrix row by row, leaving out its zeros."""
    name = made.context.class_name
    return " ".join(
        f"True class {name(label)}: "
        + ", ".join(f"{n} as {name(predicted)}" for _, predicted, n in rows.itertuples(index=False) if n)
        + "."
        for label, rows in made.frames[variant].groupby("label")
        if rows["count"].sum()
    )


def _behind(context: Context, rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Give the cells of a chart as a table, with the classes' names."""
    names = {"true": "label", "predicted": "predicted"}
    cells = {name: [context.class_name(n) for n in rows[column]] for name, column in names.items()}
    return rows[columns].reset_index(drop=True).assign(**cells)[[*columns[:-1], *names, columns[-1]]]


def _in_words(context: Context, frame: pd.DataFrame) -> str:
    wrong = cells.mistakes(frame)
    mistakes = f"{count(wrong)} mistake{'s' if wrong != 1 else ''}"
    pairs = cells.pairs(frame).head(3)
    pairs = pairs[pairs["count"] > 1]
    if not wrong:
        return "No mistake."
    if pairs.empty:
        return f"{mistakes}, no pair more than once."
    rows = pairs[["label", "predicted", "count"]].to_dict("records")
    return f"{mistakes}; most often {listing([_taken_for(context, **row) for row in rows])}."


def ordered(made: Confused, frame: pd.DataFrame, width: float) -> Order:
    """Order the chart of a matrix."""
    return made.context.studio.order("confusion_matrix", frame, made.axis_names, made.darkest, width)


def _taken_for(context: Context, label: int, predicted: int, count: int | str) -> str:
    return f"{_quoted(context, label)} taken for {_quoted(context, predicted)} ({count})"


def _quoted(context: Context, label: int) -> str:
    name = context.class_name(label)
    return f"“{name}”" if " " in name else name


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
    words = f"{n}: {names[0]} taken for {names[1]}"
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
    said = _largest_change(context, rows)
    words = f"Fewer mistakes than the baseline makes are blue, more are orange. {said}" if is_first else said
    if is_first:
        words += " Each network is one training here: a few images more or fewer can be chance."
    alt = f"Difference of each confusion matrix to that of the baseline {made.base}. {said}"
    width = "half" if columns == 1 else "whole"
    behind = _behind(context, rows, ["variant", "difference"])
    return context.chart(chart, alt, f"Difference to {made.base}.", words, width, behind)


def _largest_change(context: Context, rows: pd.DataFrame) -> str:
    """Name the cells that changed most in each direction."""
    wrong = rows[rows["label"] != rows["predicted"]].sort_values(
        ["difference", "label", "predicted"], kind="stable"
    )
    fewest, most = wrong.iloc[0], wrong.iloc[-1]
    said = []
    for row, way in ((fewest, "fewer"), (most, "more")):
        n = int(row["difference"])
        if (n < 0) == (way == "fewer") and n:
            name = _taken_for(context, int(row["label"]), int(row["predicted"]), f"{abs(n)} {way}")
            said.append(f"{name} by {row['variant']}")
    return f"Furthest apart: {listing(said)}." if said else "No cell differs."
