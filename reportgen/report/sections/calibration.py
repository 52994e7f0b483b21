"""Whether to trust what the networks say of themselves: confidence beside accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reportgen.analysis.scoring import BINS, clearly_off
from reportgen.report import look
from reportgen.report.document import Context, Figure
from reportgen.text import count, listing, percent

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
        which = f", {n} of {len(parts)}" if len(parts) > 1 else ""
        caption = f"As in Figure {figures[0].number}." if figures else _caption(context, bins)
        figures.append(_figure(context, bins, part, (f"Reliability{which}.", caption)))
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
    who = "the networks are" if len(top) > 1 else f"{top.index[0]} is"
    lower = percent(float(top["lower"].iloc[0]), 0)
    return (
        f"On {_between(share)} of the test images {who} more than {lower} % sure of the answer, and "
        f"of those answers {_between(top['accuracy'])} are right."
    )


def _between(shares: pd.Series) -> str:
    low, high = percent(float(shares.min()), 1), percent(float(shares.max()), 1)
    return f"{low} %" if low == high else f"{low} to {high} %"


def _caption(context: Context, bins: pd.DataFrame) -> str:
    said = (
        "Images sorted by the probability of the predicted class. On the dashed line a network is right as "
        "often as it says; below it, it is too sure. Bars: 95 % Wilson intervals. Grey columns: the share of "
        f"images in each bin, on the same scale; pale: fewer than {look.FEW} images."
    )
    if context.protocol.seeds > 1:
        said += " The first training of each variant."
    return f"{said} {_off(bins)}"


def _off(bins: pd.DataFrame) -> str:
    """Count the bins that are clearly off the line, as one of so many."""
    total, off = len(bins), bins[bins["off"]]
    if off.empty:
        return f"None of {count(total)} bins is clearly off the line, adjusted for their number."
    over = int(off["over"].sum())
    way = {0: "above it", len(off): "below it"}
    where = way.get(over, f"{count(over)} below it, {count(len(off) - over)} above")
    are = "is" if len(off) == 1 else "are"
    most = off.groupby("variant", sort=False).size()
    most = most[most == most.max()]
    which = f"; most often {listing([str(name) for name in most.index])}" if len(most) <= MOST_NAMED else ""
    return (
        f"Filled: {count(len(off))} of {count(total)} bins {are} clearly off the line, adjusted for their "
        f"number: {where}{which}."
    )


def _figure(context: Context, bins: pd.DataFrame, part: list[str], words: tuple[str, str]) -> Figure:
    columns = ["variant", "lower", "upper", "count", "confidence", "accuracy", "low", "high", "off"]
    rows = bins[bins["variant"].isin(part)][columns].reset_index(drop=True)
    # The axes are those of all panels of the report.
    chart = context.studio.order("reliability", bins[columns], part)
    ece = context.analysis["scores"]
    ece = ece[(ece["metric"] == "ece") & ece["variant"].isin(part)].dropna(subset="value")
    mean = ece.groupby("variant", sort=False)["value"].mean()
    told = "; ".join(f"{name} {percent(mean[name])}" for name in part if name in mean)
    alt = f"Reliability diagrams, one panel a variant. Expected calibration error in points: {told}."
    width = "whole" if len(part) > 1 else "half"
    return context.chart(chart, alt, *words, width, _behind(rows))


def _behind(rows: pd.DataFrame) -> pd.DataFrame:
    names = {"count": "images", "off": "clearly off"}
    return rows.rename(columns=names)
