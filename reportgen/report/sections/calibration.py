"""Whether to trust what the networks say of themselves: confidence beside accuracy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from reportgen.analysis.scoring import BINS, clearly_off
from reportgen.report import look
from reportgen.report.document import Context, Figure
from reportgen.text import count, listing, percent
from reportgen.words import mark, tr, trn

MOST_NAMED = 2


@dataclass(frozen=True)
class Calibration:
    """Reliability diagrams, and what they show in words."""

    introduction: str
    figures: tuple[Figure, ...]
    missing: str


def calibration(context: Context) -> Calibration | None:
    """Set each network's confidence beside its accuracy; None where no training was finished."""
    bins = _bins(context)
    if bins.empty:
        return None
    names = [one.variant for one in context.board.scored if one.variant in set(bins["variant"])]
    size = look.PANELS_IN_A_FIGURE
    parts = [names[n : n + size] for n in range(0, len(names), size)]
    figures: list[Figure] = []
    for n, part in enumerate(parts, start=1):
        lead = tr("Reliability, {n} of {parts}.", n=n, parts=len(parts)) if parts[1:] else tr("Reliability.")
        caption = _caption(context, bins)
        if figures:
            caption = tr("As in Figure {number}.", number=figures[0].number)
        figure = _figure(context, bins, part, (lead, caption))
        figures.append(replace(figure, refers=f"figure-{figures[0].number}") if figures else figure)
    return Calibration(_introduction(bins), tuple(figures), context.without_predictions(names))


def _bins(context: Context) -> pd.DataFrame:
    """Give the bins of the trainings that are shown, and which are clearly off, as the findings have it."""
    bins = clearly_off(context.analysis["calibration"], dict(context.shown()))
    return bins.assign(over=bins["off"] & (bins["confidence"] > bins["accuracy"]))


def _introduction(bins: pd.DataFrame) -> str:
    """Say how sure the networks are, and how often they are right then."""
    top = bins[bins["bin"] == BINS].set_index("variant")
    if top.empty:
        return ""
    share = top["count"] / bins.groupby("variant")["count"].sum().loc[top.index]
    said = {
        "share": _between(share),
        "sure": percent(float(top["lower"].iloc[0]), 0),
        "right": _between(top["accuracy"]),
    }
    if len(top) > 1:
        return tr(
            "On {share} of the test images the networks are more than {sure} % sure of the answer, and of "
            "those answers {right} are right.",
            **said,
        )
    return tr(
        "On {share} of the test images {variant} is more than {sure} % sure of the answer, and of those "
        "answers {right} are right.",
        variant=top.index[0],
        **said,
    )


def _between(shares: pd.Series) -> str:
    low, high = percent(float(shares.min()), 1), percent(float(shares.max()), 1)
    return f"{low} %" if low == high else tr("{low} to {high} %", low=low, high=high)


def _caption(context: Context, bins: pd.DataFrame) -> str:
    said = tr(
        "Images sorted by the probability of the predicted class. On the dashed line a network is right as "
        "often as it says; below it, it is too sure. Bars: 95 % Wilson intervals. Grey columns: the share of "
        "images in each bin, on the same scale; pale: fewer than {few} images.",
        few=look.FEW,
    )
    first = tr("The first training of each variant.") if context.protocol.seeds > 1 else ""
    return " ".join(filter(None, (said, first, _off(bins))))


def _off(bins: pd.DataFrame) -> str:
    """Count the bins that are clearly off the line, as one of so many."""
    total, off = len(bins), bins[bins["off"]]
    if off.empty:
        return tr(
            "None of {bins} bins is clearly off the line, adjusted for their number.", bins=count(total)
        )
    most = off.groupby("variant", sort=False).size()
    most = most[most == most.max()]
    where = _where(int(off["over"].sum()), len(off))
    if len(most) <= MOST_NAMED:
        where = tr(
            "{where}; most often {variants}",
            where=where,
            variants=listing([str(name) for name in most.index]),
        )
    return trn(
        "Filled: {n} of {bins} bins is clearly off the line, adjusted for their number: {where}.",
        "Filled: {n} of {bins} bins are clearly off the line, adjusted for their number: {where}.",
        len(off),
        n=count(len(off)),
        bins=count(total),
        where=where,
    )


def _where(below: int, off: int) -> str:
    """Say on which side of the line bins are, `below` of those that are `off`."""
    if not below:
        return tr("above it")
    if below == off:
        return tr("below it")
    return tr("{below} below it, {above} above", below=count(below), above=count(off - below))


def _figure(context: Context, bins: pd.DataFrame, part: list[str], words: tuple[str, str]) -> Figure:
    columns = ["variant", "lower", "upper", "count", "confidence", "accuracy", "low", "high", "off"]
    rows = bins[bins["variant"].isin(part)][columns].reset_index(drop=True)
    # The axes are those of all panels of the report.
    chart = context.studio.order("reliability", bins[columns], part)
    ece = context.analysis["scores"]
    ece = ece[(ece["metric"] == "ece") & ece["variant"].isin(part)].dropna(subset="value")
    mean = ece.groupby("variant", sort=False)["value"].mean()
    told = tr("; ").join(f"{name} {percent(mean[name])}" for name in part if name in mean)
    alt = tr(
        "Reliability diagrams, one panel a variant. Expected calibration error in points: {errors}.",
        errors=told,
    )
    width = "whole" if len(part) > 1 else "half"
    return context.chart(chart, alt, *words, width, _behind(rows))


def _behind(rows: pd.DataFrame) -> pd.DataFrame:
    names = {"count": mark("images"), "off": mark("clearly off")}
    return rows.rename(columns=names)
