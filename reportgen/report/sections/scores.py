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
from reportgen.words import mark, tr, trn

ROWS_UNDIVIDED = 12
DEFINED = mark(
    "Macro-F1 is the mean of the F1 of the classes that occur. Loss is the cross-entropy that Keras reports; "
    "NLL is the same, in nats, and Brier the squared error, summed over the classes, of the stored "
    "probabilities. ECE is the "
    "expected calibration error over {bins} bins of confidence of equal width. The gap is accuracy on train "
    "less that on validation, in the last epoch. Multiply-adds are those of one forward pass, by arithmetic."
)


@dataclass(frozen=True)
class Column:
    """One score: its heading in English, how many times its value is shown, and how it is written."""

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
        _table(context, "quality", (tr("How good."), _quality_words(context))),
        _table(context, "costs", (tr("At what cost."), _cost_words(context))),
    )
    missing = context.without_predictions([one.variant for one in context.board.scored])
    return Scores(_introduction(context), tr(DEFINED, bins=BINS), tables, class_figure(context), missing)


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
            firsts.setdefault(str(at[0]), []).append(tr(name))
    if not firsts:
        return ""
    if len(firsts) == 1:
        (name,) = firsts
        return tr(
            "{variant} comes first by {scores}. A lead may be chance.",
            variant=name,
            scores=listing(firsts[name]),
        )
    said = tr("; ").join(
        tr("{variant} by {scores}", variant=name, scores=listing(by)) for name, by in firsts.items()
    )
    return tr(
        "Which variant comes first depends on the score: {firsts}. A lead may be chance.",
        firsts=said,
    )


def _fixed(digits: int) -> Callable[[float], str]:
    return lambda value: signed(value, digits).removeprefix("+")


def _quality(digits: int) -> tuple[Column, ...]:
    return (
        Column("accuracy", mark("Accuracy, %"), 100, _fixed(digits)),
        Column("macro_f1", mark("Macro-F1, %"), 100, _fixed(digits)),
        Column("loss", mark("Loss"), 1, _fixed(4)),
        Column("nll", mark("NLL"), 1, _fixed(4)),
        Column("brier", mark("Brier"), 1, _fixed(4)),
        Column("ece", mark("ECE, points"), 100, _fixed(2)),
        Column("gap", mark("Gap, points"), 100, lambda value: signed(value, 2)),
    )


RANKED = {
    "accuracy": (mark("accuracy"), True),
    "macro_f1": (mark("macro-F1"), True),
    "loss": (mark("loss"), False),
    "brier": (mark("Brier score"), False),
    "ece": (mark("calibration error"), False),
}
COSTS = (
    Column("params", mark("Parameters"), 1, count),
    Column("multiply_adds", mark("Multiply-adds an image"), 1, count),
    Column("seconds_per_epoch", mark("Seconds an epoch"), 1, seconds),
)
DASHES = {
    "multiply_adds": mark("A dash under multiply-adds: only Keras knows this network's layers."),
    "seconds_per_epoch": mark("A dash under seconds: no epoch was timed by itself."),
}


def _table(context: Context, kind: str, words: tuple[str, str]) -> Table:
    columns = COSTS if kind == "costs" else _quality(digits_for(context.board.n_test))
    rows = tuple(_row(context, one, columns) for one in context.board.scores)
    headings = tuple(tr(column.heading) for column in columns)
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
    bounds = "" if isnan(low) else tr("{low} to {high}", low=column.write(low), high=column.write(high))
    return Cell(column.write(value), bounds, f"{value:.7g}")


def _quality_words(context: Context) -> str:
    if context.protocol.seeds == 1:
        return tr(
            "Beneath accuracy its 95 % Wilson interval, beneath macro-F1 one by bootstrap over test images."
        )
    finished = sorted({one.seeds for one in context.board.scored})
    fewest, most, alike = finished[0], finished[-1], len(finished) == 1
    if most < SEEDS_FOR_AN_ARCHITECTURE and alike:
        return trn(
            "Means over {n} seed, too few for an interval.",
            "Means over {n} seeds, too few for an interval.",
            fewest,
            n=fewest,
        )
    if most < SEEDS_FOR_AN_ARCHITECTURE:
        return tr("Means over the finished seeds, too few for an interval.")
    if alike:
        return tr(
            "Means over {n} seeds, beneath each its 95 % t interval over the seeds, within what the score "
            "can be.",
            n=fewest,
        )
    if fewest >= SEEDS_FOR_AN_ARCHITECTURE:
        return tr(
            "Means over the finished seeds, beneath each its 95 % t interval over the seeds, within what the "
            "score can be."
        )
    return tr(
        "Means over the finished seeds, beneath each its 95 % t interval over the seeds where there are "
        "three, within what the score can be."
    )


def _cost_words(context: Context) -> str:
    frame = context.analysis["scores"]
    scored = [one.variant for one in context.board.scored]
    unknown = frame[frame["variant"].isin(scored) & frame["value"].isna()]["metric"]
    said = [tr("Seconds are those of training, without validation.")]
    if context.protocol.epochs > 1:
        said = [
            tr(
                "Seconds are those of training, without validation, and without the first epoch, in which "
                "TensorFlow starts."
            )
        ]
    if context.protocol.seeds > 1:
        said.append(tr("Means over the seeds."))
    return " ".join([*said, *(tr(dash) for metric, dash in DASHES.items() if (unknown == metric).any())])
