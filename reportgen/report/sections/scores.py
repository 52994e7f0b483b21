"""How good, in more than one number: every score of every variant, and how each class fares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

import pandas as pd

from reportgen.analysis.comparisons import SEEDS_FOR_AN_ARCHITECTURE
from reportgen.analysis.scores import Score
from reportgen.analysis.scoring import BINS
from reportgen.report.document import Caption, Context, Figure
from reportgen.report.sections.classes import class_figure
from reportgen.text import count, digits_for, inert, listing, seconds, signed

ROWS_UNDIVIDED = 12
DEFINED = (
    "Macro-F1 is the mean of the F1 of the classes that occur. Loss is the cross-entropy that Keras reports; "
    "NLL is the same, in nats, and Brier the squared error, summed over the classes, of the stored "
    "probabilities. ECE is the "
    f"expected calibration error over {BINS} bins of confidence of equal width. The gap is accuracy on train "
    "less that on validation, in the last epoch. Multiply-adds are those of one forward pass, by arithmetic."
)


@dataclass(frozen=True)
class Column:
    """One score: its heading, how many times its value is shown, and how it is written."""

    metric: str
    heading: str
    scale: float
    write: Callable[[float], str]


@dataclass(frozen=True)
class Cell:
    """A value with its interval, both as text; `value` is what to sort by."""

    text: str
    bounds: str
    value: str


@dataclass(frozen=True)
class Row:
    """One variant's cells, or why there are none."""

    variant: str
    baseline: bool
    cells: tuple[Cell, ...]
    reason: str


@dataclass(frozen=True)
class Table:
    """A table of scores."""

    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    caption: Caption
    kind: str  # quality or costs, a class of the style sheet
    long: bool


@dataclass(frozen=True)
class Scores:
    """Tables of scores, and the figure of the classes; `missing` says what there is not, and why."""

    introduction: str
    defined: str
    tables: tuple[Table, ...]
    figure: Figure | None
    missing: str


def scores(context: Context) -> Scores | None:
    """List every score; None where no training was finished."""
    if not context.board.scored:
        return None
    tables = (
        _table(context, "quality", ("How good.", _quality_words(context))),
        _table(context, "costs", ("At what cost.", _cost_words(context))),
    )
    missing = context.without_predictions([one.variant for one in context.board.scored])
    return Scores(_introduction(context), DEFINED, tables, class_figure(context), missing)


def _introduction(context: Context) -> str:
    """Say which variant comes first by which score."""
    frame = context.analysis["scores"]
    frame = frame[frame["seed"].isna()]
    firsts: dict[str, list[str]] = {}
    for metric, (name, highest) in RANKED.items():
        rows = frame[frame["metric"] == metric].dropna(subset="value")
        best = rows["value"].max() if highest else rows["value"].min()
        at = rows[rows["value"] == best]["variant"].tolist()
        if len(rows) > 1 and len(at) == 1:
            firsts.setdefault(str(at[0]), []).append(name)
    if not firsts:
        return ""
    if len(firsts) == 1:
        (name,) = firsts
        return f"{name} comes first by {listing(firsts[name])}. A lead may be chance."
    said = "; ".join(f"{name} by {listing(by)}" for name, by in firsts.items())
    return f"Which variant comes first depends on the score: {said}. A lead may be chance."


def _fixed(digits: int) -> Callable[[float], str]:
    return lambda value: signed(value, digits).removeprefix("+")


def _quality(digits: int) -> tuple[Column, ...]:
    return (
        Column("accuracy", "Accuracy, %", 100, _fixed(digits)),
        Column("macro_f1", "Macro-F1, %", 100, _fixed(digits)),
        Column("loss", "Loss", 1, _fixed(4)),
        Column("nll", "NLL", 1, _fixed(4)),
        Column("brier", "Brier", 1, _fixed(4)),
        Column("ece", "ECE, points", 100, _fixed(2)),
        Column("gap", "Gap, points", 100, lambda value: signed(value, 2)),
    )


RANKED = {
    "accuracy": ("accuracy", True),
    "macro_f1": ("macro-F1", True),
    "loss": ("loss", False),
    "brier": ("Brier score", False),
    "ece": ("calibration error", False),
}
COSTS = (
    Column("params", "Parameters", 1, count),
    Column("multiply_adds", "Multiply-adds an image", 1, count),
    Column("seconds_per_epoch", "Seconds an epoch", 1, seconds),
)


def _table(context: Context, kind: str, words: tuple[str, str]) -> Table:
    columns = COSTS if kind == "costs" else _quality(digits_for(context.board.n_test))
    rows = tuple(_row(context, one, columns) for one in context.board.scores)
    headings = tuple(column.heading for column in columns)
    return Table(headings, rows, context.table(*words), kind, long=len(rows) > ROWS_UNDIVIDED)


def _row(context: Context, one: Score, columns: tuple[Column, ...]) -> Row:
    if not one.scored:
        return Row(one.variant, one.baseline, (), inert(one.reasons[0], 200))
    values = _values(context, one.variant)
    return Row(one.variant, one.baseline, tuple(_cell(values, column) for column in columns), "")


def _values(context: Context, variant: str) -> pd.DataFrame:
    """Give a variant's scores by metric: its mean over the seeds, or those of its one training."""
    frame = context.analysis["scores"]
    mine = frame[frame["variant"] == variant]
    mean = context.protocol.seeds > 1
    return mine[mine["seed"].isna() == mean].set_index("metric")


def _cell(values: pd.DataFrame, column: Column) -> Cell:
    row = values.loc[column.metric]
    if isnan(row["value"]):
        return Cell("–", "", "")
    value, low, high = (column.scale * float(row[name]) for name in ("value", "low", "high"))
    bounds = "" if isnan(low) else f"{column.write(low)} to {column.write(high)}"
    return Cell(column.write(value), bounds, f"{value:.7g}")


def _quality_words(context: Context) -> str:
    if context.protocol.seeds == 1:
        return (
            "Beneath accuracy its 95 % Wilson interval, beneath macro-F1 one by bootstrap over test images."
        )
    finished = sorted({one.seeds for one in context.board.scored})
    means = f"Means over {finished[0]} seeds" if len(finished) == 1 else "Means over the finished seeds"
    if finished[-1] < SEEDS_FOR_AN_ARCHITECTURE:
        return f"{means}, too few for an interval."
    where = "" if finished[0] >= SEEDS_FOR_AN_ARCHITECTURE else " where there are three"
    return f"{means}, beneath each its 95 % t interval over the seeds{where}, within what the score can be."


def _cost_words(context: Context) -> str:
    mean = " Means over the seeds." if context.protocol.seeds > 1 else ""
    frame = context.analysis["scores"]
    scored = [one.variant for one in context.board.scored]
    unknown = frame[frame["variant"].isin(scored) & frame["value"].isna()]["metric"]
    dashes = {
        "multiply_adds": " A dash under multiply-adds: only Keras knows this network's layers.",
        "seconds_per_epoch": " A dash under seconds: no epoch was timed by itself.",
    }
    first = ", and without the first epoch, in which TensorFlow starts" if context.protocol.epochs > 1 else ""
    return f"Seconds are those of training, without validation{first}.{mean}" + "".join(
        said for metric, said in dashes.items() if (unknown == metric).any()
    )
