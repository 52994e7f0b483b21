"""What each knob does: pairs of networks that differ in one setting, each with its interval drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from reportgen.analysis.differences import OVER_SEEDS, RANGE, WELCH
from reportgen.analysis.knobs import said_value, setting
from reportgen.report.sections.all_pairs import more_pairs
from reportgen.report.sections.forest import Axis
from reportgen.text import digits_for, signed
from reportgen.words import mark, tr

if TYPE_CHECKING:
    import pandas as pd

    from reportgen.report.document import Caption, Context

ROWS_UNDIVIDED = 12
MOST_PAIRS = 24  # in the table; the others are in the frame
WIDTH = 104  # of the drawn axis, in pixels
# By whether the accuracies' intervals are over seeds.
ACCURACY = {
    False: mark(
        "Pairs that differ in one setting, the second less the first. Accuracy with its own 95 % interval, "
        "image by image (Agresti and Min's Wald+2), filled where the two can be told apart, adjusted for all "
        "pairs as in the comparisons above."
    ),
    True: mark(
        "Pairs that differ in one setting, the second less the first. Accuracy with its own 95 % interval "
        "over seeds and images, filled where the two can be told apart, adjusted for all pairs as in the "
        "comparisons above."
    ),
}


@dataclass(frozen=True)
class Effect:
    """An effect as text with the range that belongs to it, and as a value to sort by."""

    text: str
    bounds: str
    value: str


@dataclass(frozen=True)
class Row:
    """One pair of networks that differ in one knob: b against a.

    `ends` places the accuracy's low end, effect and high end on the axis; None where there is none.
    """

    change: str
    fixed: str
    pair: str
    accuracy: Effect
    ends: tuple[float, float, float] | None
    clear: bool  # the comparisons tell the two apart by their accuracy
    seconds: Effect
    params: Effect
    size: str


@dataclass(frozen=True)
class Contrasts:
    """The table of single knobs."""

    axis: Axis
    rows: tuple[Row, ...]
    caption: Caption
    long: bool  # too long to be kept on one page


def contrasts(context: Context) -> Contrasts | None:
    """List the pairs that differ in one knob; None where there are none."""
    frame = context.analysis["contrasts"]
    if frame.empty:
        return None
    pairs = _pairs(frame)
    shown = pairs[:MOST_PAIRS]
    axis = _axis(shown)
    digits = digits_for(context.board.n_test)
    rows = tuple(_row(pair, axis, digits) for pair in shown)
    caption = context.table(tr("One knob at a time."), _caption(shown, len(pairs)))
    return Contrasts(axis, rows, caption, long=len(rows) > ROWS_UNDIVIDED)


def _pairs(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Divide the frame into pairs, those of one knob beside each other."""
    ordered = frame.assign(place=range(len(frame)))
    keys = ["knob", "from_value", "to_value", "a", "b"]
    first = ordered.groupby(keys, sort=False)["place"].min().reset_index().sort_values(["knob", "place"])
    indexed = frame.set_index(["a", "b"])
    return [indexed.loc[[(key.a, key.b)]] for key in first.itertuples()]


def _by_quantity(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Give the row of each quantity; of several, the last is what the report speaks of."""
    return {str(quantity): part.iloc[-1] for quantity, part in rows.groupby("quantity", sort=False)}


def _axis(pairs: list[pd.DataFrame]) -> Axis:
    rows = [_by_quantity(pair)["accuracy"] for pair in pairs]
    values = [100 * float(row[name]) for row in rows for name in ("low", "effect", "high")]
    return Axis.around([value for value in values if not isnan(value)], WIDTH)


def _row(rows: pd.DataFrame, axis: Axis, digits: int) -> Row:
    one = rows.iloc[0]
    (a, b) = rows.index[0]
    by = _by_quantity(rows)
    knob = str(one["knob"])
    low, middle, high = (100 * float(by["accuracy"][name]) for name in ("low", "effect", "high"))
    known = not isnan(low)
    return Row(
        change=f"{setting(knob, str(one['from_value']))} → {said_value(str(one['to_value']))}",
        fixed=str(one["fixed"]),
        pair=f"{a} → {b}",
        accuracy=_effect(by["accuracy"], 100, digits),
        ends=(axis.x(low), axis.x(middle), axis.x(high)) if known else None,
        clear=bool(by["accuracy"]["apart"]),
        seconds=_effect(by["seconds_per_epoch"], 1, 2),
        params=Effect(signed(by["params"]["effect"], 0), "", f"{by['params']['effect']:.0f}"),
        size=str(by["map_size"]["note"]) if "map_size" in by else "–",
    )


def _effect(row: pd.Series, scale: float, digits: int) -> Effect:
    """Write an effect with the range that belongs to it."""
    if isnan(row["effect"]):
        return Effect("–", "", "")
    low, value, high = (scale * float(row[name]) for name in ("low", "effect", "high"))
    bounds = "" if isnan(low) else tr("{low} to {high}", low=signed(low, digits), high=signed(high, digits))
    return Effect(signed(value, digits), bounds, f"{value:.7g}")


def _caption(shown: list[pd.DataFrame], pairs: int) -> str:
    accuracies, seconds = (
        {str(_by_quantity(pair)[name]["interval"]) for pair in shown}
        for name in ("accuracy", "seconds_per_epoch")
    )
    said = [
        tr(ACCURACY[OVER_SEEDS in accuracies]),
        _of_seconds(seconds),
        tr("Map: the last before the dense layers."),
    ]
    if any(pair["value_a"].isna().any() for pair in shown):
        said.append(tr("A dash: a training is missing."))
    if pairs > MOST_PAIRS:
        said.append(more_pairs(pairs - MOST_PAIRS, "frames/contrasts.parquet"))
    return " ".join(filter(None, said))


def _of_seconds(kinds: set[str]) -> str:
    if RANGE in kinds:
        return tr("Seconds with the range over the epochs of one training each, no confidence interval.")
    return tr("Seconds with their 95 % interval over seeds (Welch's t).") if WELCH in kinds else ""
