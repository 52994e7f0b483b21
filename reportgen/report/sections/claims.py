"""What the lab claims, each claim with its verdict and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from reportgen.analysis.comparisons import SEEDS_FOR_AN_ARCHITECTURE
from reportgen.analysis.probe_claims import probes_of
from reportgen.analysis.scores import wilson
from reportgen.analysis.verdicts import CANT_TELL, DOES_NOT, HOLDS
from reportgen.report.document import Context, Figure
from reportgen.report.sections.contrasts import Contrasts, contrasts
from reportgen.text import PERCENT, count, general, inert, number_word, paragraphs, percent
from reportgen.words import mark, tr, trn

LONGEST_CLAIM = 400
EDGES = {"left": mark("left"), "right": mark("right"), "top": mark("top"), "bottom": mark("bottom")}
MOST_LABELS = 20  # lines that a chart names
MOST_ROWS = 48  # networks that a chart of rows has room for
_LEAD = {
    "accuracy_by_shift": mark("Accuracy by shift."),
    "accuracy_at_edges": mark("Accuracy at the edges."),
}
_OF = {
    "accuracy_by_shift": mark(
        "Test images, moved by so many pixels in each of four directions; 0 is as they are."
    ),
    "accuracy_at_edges": mark(
        "Test images whose content was moved until it touched one edge, with 95 % Wilson intervals; the "
        "networks that fare best on average stand on top."
    ),
}
# How the claims' verdicts are said, and the shapes that the template draws.
VERDICTS = {HOLDS: mark("holds"), DOES_NOT: mark("does not hold"), CANT_TELL: mark("can't tell here")}
SIGNS = {HOLDS: "holds", DOES_NOT: "refuted"}


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
    missing = tr("No table of single knobs, because no two networks of this run differ in one only.")
    return Claims(
        _introduction(context, judged),
        tuple(_judged(row) for row in judged.itertuples()),
        table,
        _figures(context),
        "" if table else missing,
    )


def _introduction(context: Context, judged: pd.DataFrame) -> str:
    if judged.empty:
        return tr("This lab states no claims; the table shows what each of its knobs did.")
    total = {verdict: int((judged["verdict"] == verdict).sum()) for verdict in judged["verdict"].unique()}
    said = trn(
        "Of {number} claim, {verdicts}.",
        "Of {number} claims, {verdicts}.",
        len(judged),
        number=number_word(len(judged)),
        verdicts=tr("; ").join(_how_many(verdict, n) for verdict, n in total.items()),
    )
    seeds = context.protocol.seeds
    if seeds >= SEEDS_FOR_AN_ARCHITECTURE:
        return said
    only = trn(
        "With {number} seed, a verdict on accuracy or time speaks of these trainings only.",
        "With {number} seeds, a verdict on accuracy or time speaks of these trainings only.",
        seeds,
        number=number_word(seeds),
    )
    return f"{said} {only}"


def _how_many(verdict: str, n: int) -> str:
    number = number_word(n)
    if verdict == HOLDS:
        return trn("{number} holds", "{number} hold", n, number=number)
    if verdict == DOES_NOT:
        return trn("{number} does not hold", "{number} do not hold", n, number=number)
    return trn("{number} can't be told here", "{number} can't be told here", n, number=number)


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
        found.append(_figure(context, "accuracy_by_shift", shift))
    if len(edges):
        found.append(_figure(context, "accuracy_at_edges", edges))
    return tuple(found)


def _figure(context: Context, function: str, rows: pd.DataFrame) -> Figure:
    base = context.board.baseline
    columns = rows[["variant", "level", "pixels", "accuracy"]].reset_index(drop=True)
    if function == "accuracy_at_edges":
        ends = [wilson(int(right), int(n)) for right, n in zip(rows["right"], rows["n"], strict=True)]
        columns[["low", "high"]] = ends
    columns = columns.assign(pixels=columns["pixels"].astype("Float64").astype(float))
    chart = context.studio.order(function, columns, base.variant if base else "")
    listed = [
        tr("{name}: {values}", name=variant, values=tr(", ").join(map(_share, one.itertuples())))
        for variant, one in columns.groupby("variant", sort=False)
    ]
    caption = [tr(_OF[function]), _seen(columns, base.variant if base else "")]
    if context.protocol.seeds > 1:
        caption.append(tr("The first training of each variant."))
    caption.append(_left_out(function, len(listed)))
    lead = tr(_LEAD[function])
    alt = f"{lead} {tr('{sentence}.', sentence=inert(tr('; ').join(listed)))}"
    return context.chart(chart, alt, lead, " ".join(filter(None, caption)), data=_behind(rows))


def _share(row: Any) -> str:
    return f"{_level(row)} {percent(row.accuracy, 1)}{PERCENT}"


def _level(row: Any) -> str:
    """Say how a probe's images were changed: an edge by its name."""
    return tr(EDGES[row.level]) if row.level in EDGES else str(row.level)


def _left_out(function: str, networks: int) -> str:
    """Say for how many networks a chart has no room."""
    at_edges = function == "accuracy_at_edges"
    left = networks - (MOST_ROWS if at_edges else MOST_LABELS)
    if left <= 0:
        return ""
    if at_edges:
        return trn(
            "{n} network that fared worse has no row, for want of room.",
            "{n} networks that fared worse have no row, for want of room.",
            left,
            n=count(left),
        )
    return trn(
        "{n} line has no name beside it, for want of room.",
        "{n} lines have no name beside them, for want of room.",
        left,
        n=count(left),
    )


def _seen(rows: pd.DataFrame, baseline: str) -> str:
    """Say how the baseline and the others fare at the largest shift, or on average over the edges."""
    if not rows["pixels"].notna().all():
        return tr("Over all edges, {shares}.", shares=_shares(rows, baseline))
    most = float(rows["pixels"].max())
    return trn(
        "Moved by {pixels} pixel, {shares}.",
        "Moved by {pixels} pixels, {shares}.",
        int(most) if most.is_integer() else 2,
        pixels=general(most),
        shares=_shares(rows[rows["pixels"] == most], baseline),
    )


def _shares(rows: pd.DataFrame, baseline: str) -> str:
    """Say what share the baseline gets right, and what the others do."""
    at = rows.groupby("variant", sort=False)["accuracy"].mean()
    others = at.drop(index=baseline, errors="ignore")
    low, high = percent(float(others.min()), 1), percent(float(others.max()), 1)
    if baseline not in at and len(others) > 1:
        return tr("the networks get {low} to {high} %", low=low, high=high)
    if baseline not in at:
        return tr("{variant} {share} %", variant=others.index[0], share=low)
    own = percent(float(at[baseline]), 1)
    if others.empty:
        return tr("{baseline} gets {share} % right", baseline=baseline, share=own)
    said = {"baseline": baseline, "share": own, "low": low}
    if len(others) > 1:
        return tr("{baseline} gets {share} % right, the others {low} to {high} %", high=high, **said)
    return tr("{baseline} gets {share} % right, {other} {low} %", other=others.index[0], **said)


def _behind(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the points of a probe's chart as a table."""
    names = {"level": mark("moved"), "right": mark("right images"), "n": mark("of")}
    columns = ["variant", "seed", "level", "right", "n", "accuracy"]
    return rows[columns].rename(columns=names).reset_index(drop=True)


def _judged(row: Any) -> Judged:
    words, verdict = paragraphs(inert(row.text, LONGEST_CLAIM)), str(row.verdict)
    return Judged(Markup(" ").join(words), tr(VERDICTS[verdict]), SIGNS.get(verdict, "open"), str(row.said))
