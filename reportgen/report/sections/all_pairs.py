"""All pairs of variants: as a triangle, and, of many, those that can be told apart in a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.report import look
from reportgen.text import count, digits_for, inert, listing, p_value, signed
from reportgen.words import mark, tr, trn

if TYPE_CHECKING:
    from reportgen.report.document import Caption, Context, Figure

MOST_PAIRS = 24  # in the table; the others are in the frame


@dataclass(frozen=True)
class PairRow:
    """Two variants that can be told apart."""

    better: str
    worse: str
    difference: str
    value: float
    bounds: str
    p: str
    p_value: float


def triangle(context: Context, pairs: pd.DataFrame) -> Figure:
    """Draw all pairs, the variants in the order of the leaderboard."""
    names = [one.variant for one in context.board.scored]
    cells = _ahead(pairs, names)
    base = context.board.baseline.variant if context.board.baseline else ""
    digits = digits_for(context.board.n_test)
    drawn = cells[["ahead", "behind", "points", "apart"]]
    chart = context.studio.order("pair_matrix", drawn, names, base, digits)
    apart = cells[cells["apart"]]
    told = [
        tr(
            "{first} before {second} {points}",
            first=one.ahead,
            second=one.behind,
            points=signed(one.points, digits),
        )
        for one in apart.itertuples()
    ]
    alt = tr("All pairs of networks. Told apart, in points: none.")
    if told:
        alt = tr("All pairs of networks. Told apart, in points: {pairs}.", pairs=inert(tr("; ").join(told)))
    return context.chart(chart, alt, tr("All pairs."), _matrix_caption(cells, names), data=_behind(cells))


def _ahead(pairs: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Turn each pair so that the variant that stands higher in `names` comes first; differences in points."""
    rank = {name: n for n, name in enumerate(names)}
    turn = pairs["b"].map(rank) < pairs["a"].map(rank)
    swapped = pairs.rename(columns={"a": "behind", "b": "ahead"})
    kept = pairs.assign(low=-pairs["high"], high=-pairs["low"], difference=-pairs["difference"])
    kept = kept.rename(columns={"a": "ahead", "b": "behind"})
    found = pd.concat([swapped[turn], kept[~turn]]).sort_index()
    points = {name: 100 * found[name] for name in ("low", "high")}
    points["points"] = 100 * found["difference"]
    text = {name: found[name].astype(str) for name in ("ahead", "behind")}
    return found.assign(**points, **text).reset_index(drop=True)


def _matrix_caption(cells: pd.DataFrame, names: list[str]) -> str:
    apart = int(cells["apart"].sum())
    if len(names) <= look.PAIRS_COUNTED:
        said = tr(
            "Each cell says by how many points the network at the head of its column is ahead of the one at "
            "the end of its row."
        )
    else:
        said = tr(
            "Each cell says whether the network at the head of its column is ahead of the one at the end of "
            "its row."
        )
    return f"{said} {_colours(apart, len(cells))} {_level_with_first(cells, names)}"


def _colours(n: int, of: int) -> str:
    if n == of:
        return tr("Blue: can be told apart, as all {pairs} can. Grey: cannot.", pairs=count(of))
    if not n:
        return tr("Blue: can be told apart, none of {pairs} pairs. Grey: cannot.", pairs=count(of))
    return tr(
        "Blue: can be told apart, {n} of {pairs} pairs. Grey: cannot.",
        n=count(n),
        pairs=count(of),
    )


def _level_with_first(cells: pd.DataFrame, names: list[str]) -> str:
    """Name those that cannot be told from the first of the leaderboard."""
    level = cells[(cells["ahead"] == names[0]) & ~cells["apart"]]["behind"].tolist()
    if not level:
        return tr(
            "{variant} has the highest accuracy, and can be told apart from every other.", variant=names[0]
        )
    if len(level) == len(names) - 1:
        return tr("{variant} has the highest accuracy, and can be told apart from none.", variant=names[0])
    return tr(
        "{variant} has the highest accuracy, and cannot be told apart from {others}.",
        variant=names[0],
        others=listing(level),
    )


def _behind(cells: pd.DataFrame) -> pd.DataFrame:
    columns = {"ahead": mark("first"), "behind": mark("second"), "points": mark("points ahead")}
    columns |= {"low": mark("low"), "high": mark("high")}
    columns |= {"p_holm": mark("p after Holm"), "apart": mark("told apart")}
    return cells[list(columns)].rename(columns=columns)


def told_apart(context: Context, pairs: pd.DataFrame) -> tuple[PairRow, ...]:
    """List the pairs that are told apart, the widest first."""
    digits = digits_for(context.board.n_test)
    cells = _ahead(pairs, [one.variant for one in context.board.scored])
    cells = cells[cells["apart"]].sort_values("points", ascending=False, kind="stable")
    return tuple(
        PairRow(
            better=one.ahead,
            worse=one.behind,
            difference=signed(one.points, digits),
            value=round(one.points, 6),
            bounds=tr("{low} to {high}", low=signed(one.low, digits), high=signed(one.high, digits)),
            p=p_value(one.p_holm),
            p_value=float(f"{one.p_holm:.4g}"),
        )
        for one in cells.itertuples()
    )


def pairs_caption(context: Context, listed: int) -> Caption:
    """Say what the table of pairs shows, and how many of `listed` it leaves out."""
    text = tr(
        "Accuracy in points with its 95 % interval, the widest differences first; p adjusted after Holm."
    )
    if listed > MOST_PAIRS:
        text = f"{text} {more_pairs(listed - MOST_PAIRS, 'frames/comparisons.parquet')}"
    return context.table(tr("Pairs that can be told apart."), text)


def more_pairs(n: int, frame: str) -> str:
    """Say where the pairs stand that a table leaves out."""
    return trn(
        "{n} more pair stands in {frame}.", "{n} more pairs stand in {frame}.", n, n=count(n), frame=frame
    )
