"""Whether to trust what the networks say of themselves: confidence beside accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import pandas as pd

from reportgen.analysis.scoring import BINS
from reportgen.report import look
from reportgen.report.document import Context, Figure
from reportgen.text import count, listing, number_word, percent

CHANCE = 0.05  # of the intervals leave out what they are to hold
LEVEL = 0.05
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
    """Give the bins of the trainings that are shown, and whether each interval misses the confidence."""
    frame = context.analysis["calibration"]
    seeds = dict(context.shown())
    bins = frame[frame["seed"] == frame["variant"].map(seeds).astype("Int64")]
    over, under = bins["confidence"] > bins["high"], bins["confidence"] < bins["low"]
    return bins.assign(missed=over | under, over=over).reset_index(drop=True)


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
    return f"{said} {_missed(bins)}"


def _missed(bins: pd.DataFrame) -> str:
    """Count the bins whose interval leaves the confidence out, and say how many would by chance."""
    total, missed = len(bins), bins[bins["missed"]]
    chance = f"about {number_word(round(CHANCE * total))}" if CHANCE * total >= 0.5 else "hardly one"
    if missed.empty:
        return f"No interval of {count(total)} misses the line."
    said = f"Filled: {count(len(missed))} of {count(total)} intervals miss the line"
    if beyond_chance(len(missed), total) >= LEVEL:
        return f"{said}, which is no more than chance may do."
    over = int(missed["over"].sum())
    way = {0: "all above it", len(missed): "all below it"}
    where = way.get(over, f"{count(over)} below it, {count(len(missed) - over)} above")
    most = missed.groupby("variant", sort=False).size()
    most = most[most == most.max()]
    which = f"; most often {listing([str(name) for name in most.index])}" if len(most) <= MOST_NAMED else ""
    return f"{said}, more than chance would ({chance}): {where}{which}."


def beyond_chance(missed: int, total: int) -> float:
    """Compute the chance that at least so many of `total` 95 % intervals miss what they are to hold.

    A binomial tail; Wilson's intervals hold their 95 % on average only.
    """
    tail = (comb(total, n) * CHANCE**n * (1 - CHANCE) ** (total - n) for n in range(missed))
    return max(1.0 - sum(tail), 0.0)


def _figure(context: Context, bins: pd.DataFrame, part: list[str], words: tuple[str, str]) -> Figure:
    columns = ["variant", "lower", "upper", "count", "confidence", "accuracy", "low", "high", "missed"]
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
    names = {"count": "images", "missed": "interval misses confidence"}
    return rows.rename(columns=names)
