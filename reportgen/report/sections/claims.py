"""What the lab claims, each claim with its verdict and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from reportgen.analysis.comparisons import SEEDS_FOR_AN_ARCHITECTURE
from reportgen.analysis.probe_claims import probes_of
from reportgen.analysis.scores import wilson
from reportgen.analysis.verdicts import DOES_NOT, HOLDS
from reportgen.report.document import Context, Figure
from reportgen.report.sections.contrasts import Contrasts, contrasts
from reportgen.text import count, inert, number_word, paragraphs, percent

LONGEST_CLAIM = 400
EDGES = ("left", "right", "top", "bottom")
MOST_LABELS = 20  # lines that a chart names
MOST_ROWS = 48  # networks that a chart of rows has room for
_OF = {
    "accuracy_by_shift": "Test images, moved by so many pixels in each of four directions; 0 is as they are.",
    "accuracy_at_edges": "Test images whose content was moved until it touched one edge, with 95 % Wilson "
    "intervals; the networks that fare best on average stand on top.",
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
class Claims:
    """The claims, and what each knob does; `missing` says why there are no claims or no pairs."""

    introduction: str
    claims: tuple[Judged, ...]
    contrasts: Contrasts | None
    figures: tuple[Figure, ...]
    missing: str


def claims(context: Context) -> Claims | None:
    """Set each claim beside its verdict; None where a lab claims nothing and no two networks compare."""
    judged, frame = context.analysis["claims"], context.analysis["contrasts"]
    if judged.empty and frame.empty:
        return None
    table = contrasts(context)
    return Claims(
        _introduction(context, judged),
        tuple(_judged(row) for row in judged.itertuples()),
        table,
        _figures(context),
        "" if table else "No table of single knobs, because no two networks of this run differ in one only.",
    )


def _introduction(context: Context, judged: pd.DataFrame) -> str:
    if judged.empty:
        return "This lab states no claims; the table shows what each of its knobs did."
    total = {verdict: int((judged["verdict"] == verdict).sum()) for verdict in judged["verdict"].unique()}
    parts = [f"{number_word(n)} {_verb(verdict, n)}" for verdict, n in total.items()]
    seeds = context.protocol.seeds
    said = f"Of {number_word(len(judged))} claims, {'; '.join(parts)}."
    if seeds < SEEDS_FOR_AN_ARCHITECTURE:
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
    if function == "accuracy_at_edges":
        ends = [wilson(int(right), int(n)) for right, n in zip(rows["right"], rows["n"], strict=True)]
        columns[["low", "high"]] = ends
    columns = columns.assign(pixels=columns["pixels"].astype("Float64").astype(float))
    chart = context.studio.order(function, columns, base.variant if base else "")
    listed = [
        f"{variant}: " + ", ".join(f"{row.level} {100 * row.accuracy:.1f} %" for row in one.itertuples())
        for variant, one in columns.groupby("variant", sort=False)
    ]
    caption = f"{_OF[function]} {_seen(columns, base.variant if base else '')}".strip()
    if context.protocol.seeds > 1:
        caption += " The first training of each variant."
    caption += _left_out(function, len(listed))
    alt = f"{lead} {inert('; '.join(listed))}."
    return context.chart(chart, alt, lead, caption, data=_behind(rows))


def _left_out(function: str, networks: int) -> str:
    """Say for how many networks a chart has no room."""
    at_edges = function == "accuracy_at_edges"
    left = networks - (MOST_ROWS if at_edges else MOST_LABELS)
    if left <= 0:
        return ""
    s, have = ("", "has") if left == 1 else ("s", "have")
    if at_edges:
        return f" {count(left)} network{s} that fared worse {have} no row, for want of room."
    return f" {count(left)} line{s} {have} no name beside {'it' if left == 1 else 'them'}, for want of room."


def _seen(rows: pd.DataFrame, baseline: str) -> str:
    """Say how the baseline and the others fare at the largest shift, or on average over the edges."""
    where = "Over all edges"
    if rows["pixels"].notna().all():
        most = float(rows["pixels"].max())
        rows = rows[rows["pixels"] == most]
        where = f"Moved by {most:g} pixel{'s' if most != 1 else ''}"
    at = rows.groupby("variant", sort=False)["accuracy"].mean()
    others = at.drop(index=baseline, errors="ignore")
    parts = [f"{baseline} gets {percent(float(at[baseline]), 1)} % right"] if baseline in at else []
    if len(others):
        low, high = percent(float(others.min()), 1), percent(float(others.max()), 1)
        who = "the others" if parts else "the networks get"
        parts.append(f"{who} {low} to {high} %" if len(others) > 1 else f"{others.index[0]} {low} %")
    return f"{where}, {', '.join(parts)}."


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
