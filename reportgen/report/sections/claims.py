"""What the lab claims, each claim with its verdict and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

import pandas as pd
from markupsafe import Markup

from reportgen.analysis.contrasts import ENOUGH_SEEDS
from reportgen.analysis.differences import RANGE, WELCH
from reportgen.analysis.knobs import setting
from reportgen.analysis.probe_claims import probes_of
from reportgen.analysis.verdicts import DOES_NOT, HOLDS
from reportgen.report.document import Caption, Context, Figure
from reportgen.text import count, inert, number_word, paragraphs, signed

LONGEST_CLAIM = 400
ROWS_UNDIVIDED = 12
MOST_PAIRS = 24  # in the table; the others are in the frame
EDGES = ("left", "right", "top", "bottom")
MOST_LABELS = 20  # lines that a chart names
_OF = {
    "accuracy_by_shift": "Test images, moved by so many pixels in each of four directions; 0 is as they are.",
    "accuracy_at_edges": "Test images whose content was moved until it touched one edge. The lines only lead "
    "the eye.",
}
SIGNS = {HOLDS: "holds", DOES_NOT: "refuted"}  # the shapes that the template draws


@dataclass(frozen=True)
class Judged:
    """One claim: its words, the verdict with the name of its sign, and the numbers behind it."""

    text: Markup
    verdict: str
    sign: str
    said: str


@dataclass(frozen=True)
class Row:
    """One pair of networks that differ in one knob: b against a."""

    change: str
    fixed: str
    pair: str
    accuracy: str
    seconds: str
    params: str
    size: str


@dataclass(frozen=True)
class Claims:
    """The claims, and what each knob does; `missing` says why there are no claims or no pairs."""

    introduction: str
    claims: tuple[Judged, ...]
    rows: tuple[Row, ...]
    caption: Caption | None
    figures: tuple[Figure, ...]
    missing: str
    long: bool  # the table is too long to be kept on one page


def claims(context: Context) -> Claims | None:
    """Set each claim beside its verdict; None where a lab claims nothing and no two networks compare."""
    judged, frame = context.analysis["claims"], context.analysis["contrasts"]
    if judged.empty and frame.empty:
        return None
    rows = _rows(frame)
    caption = context.table("One knob at a time.", _caption(context, frame, rows)) if rows else None
    return Claims(
        _introduction(context, judged),
        tuple(_judged(row) for row in judged.itertuples()),
        tuple(rows[:MOST_PAIRS]),
        caption,
        _figures(context),
        "" if rows else "No table of single knobs, because no two networks of this run differ in one only.",
        long=len(rows) > ROWS_UNDIVIDED,
    )


def _introduction(context: Context, judged: pd.DataFrame) -> str:
    if judged.empty:
        return "This lab states no claims; the table shows what each of its knobs did."
    total = {verdict: int((judged["verdict"] == verdict).sum()) for verdict in judged["verdict"].unique()}
    parts = [f"{number_word(n)} {_verb(verdict, n)}" for verdict, n in total.items()]
    seeds = context.protocol.seeds
    said = f"Of {number_word(len(judged))} claims, {'; '.join(parts)}."
    if seeds < ENOUGH_SEEDS:
        s = "s" if seeds != 1 else ""
        said += f" With {number_word(seeds)} seed{s}, a verdict on accuracy or "
        said += "time speaks of these trainings only."
    return said


def _verb(verdict: str, n: int) -> str:
    words = {HOLDS: ("holds", "hold"), DOES_NOT: ("does not hold", "do not hold")}
    return words.get(verdict, ("can't be told here",) * 2)[n != 1]


def _figures(context: Context) -> tuple[Figure, ...]:
    """Draw the probes of which this run has rows: those of each variant's first seed."""
    probes = probes_of(context.results)
    if probes.empty:
        return ()
    probes = probes[probes["seed"] == probes.groupby("variant")["seed"].transform("min")]
    shift = probes[probes["probe"] == "shift"].dropna(subset="pixels")
    edges = probes[(probes["probe"] == "border") & probes["level"].isin(list(EDGES))]
    found = []
    if len(shift):
        found.append(_figure(context, "accuracy_by_shift", shift, "Accuracy by shift."))
    if len(edges):
        found.append(_figure(context, "accuracy_at_edges", edges, "Accuracy at the edges."))
    return tuple(found)


def _figure(context: Context, function: str, rows: pd.DataFrame, lead: str) -> Figure:
    base = context.board.baseline
    columns = rows[["variant", "level", "pixels", "accuracy"]].reset_index(drop=True)
    columns = columns.assign(pixels=columns["pixels"].astype("Float64").astype(float))
    chart = context.studio.order(function, columns, base.variant if base else "")
    listed = [
        f"{variant}: " + ", ".join(f"{row.level} {100 * row.accuracy:.1f} %" for row in one.itertuples())
        for variant, one in columns.groupby("variant", sort=False)
    ]
    caption = _OF[function]
    if context.protocol.seeds > 1:
        caption += " The first training of each variant."
    left = len(listed) - MOST_LABELS
    if left > 0:
        caption += f" {count(left)} lines have no name beside them, for want of room."
    alt = f"{lead} {inert('; '.join(listed))}."
    return context.chart(chart, alt, lead, caption, data=_behind(rows))


def _behind(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the points of a probe's chart as a table."""
    names = {"level": "moved", "right": "right images", "n": "of"}
    columns = ["variant", "seed", "level", "right", "n", "accuracy"]
    return rows[columns].rename(columns=names).reset_index(drop=True)


def _judged(row: Any) -> Judged:
    words = paragraphs(inert(row.text, LONGEST_CLAIM))
    return Judged(
        Markup(" ").join(words), str(row.verdict), SIGNS.get(str(row.verdict), "open"), str(row.said)
    )


def _rows(frame: pd.DataFrame) -> list[Row]:
    ordered = frame.assign(place=range(len(frame)))
    keys = ["knob", "from_value", "to_value", "a", "b"]
    first = ordered.groupby(keys, sort=False)["place"].min().reset_index().sort_values(["knob", "place"])
    indexed = frame.set_index(["a", "b"])
    return [_row(indexed.loc[[(key.a, key.b)]]) for key in first.itertuples()]


def _row(rows: pd.DataFrame) -> Row:
    one = rows.iloc[0]
    (a, b) = rows.index[0]
    by = {quantity: part.iloc[-1] for quantity, part in rows.groupby("quantity", sort=False)}
    knob = str(one["knob"])
    return Row(
        change=f"{setting(knob, str(one['from_value']))} → {one['to_value']}",
        fixed=str(one["fixed"]),
        pair=f"{a} → {b}",
        accuracy=_interval(by["accuracy"], 100, 2),
        seconds=_interval(by["seconds_per_epoch"], 1, 2),
        params=signed(by["params"]["effect"], 0),
        size=str(by["map_size"]["note"]).replace(" and ", " → ") if "map_size" in by else "–",
    )


def _interval(row: pd.Series, scale: float, digits: int) -> str:
    """Write an effect with the range that belongs to it."""
    if isnan(row["effect"]):
        return "–"
    effect = signed(scale * row["effect"], digits)
    if isnan(row["low"]):
        return effect
    return f"{effect} ({signed(scale * row['low'], digits)} to {signed(scale * row['high'], digits)})"


def _caption(context: Context, frame: pd.DataFrame, rows: list[Row]) -> str:
    kinds = set(frame["interval"])
    text = (
        "Pairs of networks that differ in one setting, the second against the first. Accuracy in points, "
        f"in brackets {_accuracy_interval(kinds)}; seconds an epoch{_seconds_interval(kinds)}; parameters; "
        "the last feature map before the dense layers. Each interval stands by itself, not adjusted for "
        "their number."
    )
    if frame["value_a"].isna().any():
        text += " A dash: a training is missing."
    if len(rows) > MOST_PAIRS:
        more = count(len(rows) - MOST_PAIRS)
        text += f" {more} more pairs stand in frames/contrasts.parquet."
    return text


def _accuracy_interval(kinds: set[str]) -> str:
    if WELCH in kinds:
        return "the 95 % interval over seeds (Welch's t)"
    return "the 95 % interval of the shown trainings, image by image (Agresti and Min's Wald+2)"


def _seconds_interval(kinds: set[str]) -> str:
    if RANGE in kinds:
        return ", in brackets the range over the epochs of one training each, which is no confidence interval"
    return ", in brackets the 95 % interval over seeds (Welch's t)" if WELCH in kinds else ""
