"""Who is really better: each variant against the baseline, all pairs, and what this run can tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import pandas as pd

from reportgen.analysis.comparisons import (
    ARCHITECTURES,
    BASELINE,
    NETWORKS,
    OMNIBUS,
    PAIRS,
    spoken_of,
)
from reportgen.analysis.resolution import resolutions
from reportgen.analysis.sentences import reason
from reportgen.report import look
from reportgen.report.document import Caption, Context, Figure
from reportgen.report.sections.forest import Axis, Row, forest
from reportgen.text import count, digits_for, inert, listing, number_word, p_value, percent, signed

ROWS_UNDIVIDED = 15
MOST_PAIRS = 24  # in the table; the others are in the frame
LONGEST_REASON = 200


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


@dataclass(frozen=True)
class Comparisons:
    """The differences, in words, rows and a figure; `missing` says what cannot be said, and why."""

    introduction: str
    method: str
    axis: Axis | None
    rows: tuple[Row, ...]
    caption: Caption | None
    over_seeds: bool
    said: tuple[str, ...]
    figure: Figure | None
    pairs: tuple[PairRow, ...]
    pairs_caption: Caption | None
    missing: tuple[str, ...]
    long: bool


def comparisons(context: Context) -> Comparisons:
    """Compare every variant with the baseline, and all with each other."""
    frame = context.analysis["comparisons"]
    kind = spoken_of(frame)
    rows = frame[(frame["kind"] == kind) & frame["difference"].notna()]
    based, pairs = (rows[rows["family"] == family] for family in (BASELINE, PAIRS))
    axis, forested = forest(based, context.board) if len(based) else (None, ())
    caption = context.table("Against the baseline.", _caption(context, kind)) if forested else None
    figure = _matrix(context, pairs) if len(pairs) > 1 else None
    listed = _listed(context, pairs) if len(context.board.scored) > look.PAIRS_COUNTED else ()
    return Comparisons(
        introduction=_introduction(context, frame, kind),
        method=_method(kind, len(based) > 0) if len(context.board.scored) > 1 else "",
        axis=axis,
        rows=forested,
        caption=caption,
        over_seeds=kind == ARCHITECTURES,
        said=tuple(filter(None, (_omnibus(context, frame), _turned(based, pairs), _resolved(context, rows)))),
        figure=figure,
        pairs=listed[:MOST_PAIRS],
        pairs_caption=_pairs_caption(context, len(listed)) if listed else None,
        missing=_missing(context, based),
        long=len(forested) > ROWS_UNDIVIDED,
    )


# --- words ---------------------------------------------------------------------------------------


def _introduction(context: Context, frame: pd.DataFrame, kind: str) -> str:
    """Say what is compared: networks as they were trained, or architectures."""
    if len(context.board.scored) < 2:
        return ""
    seeds = context.protocol.seeds
    if kind == ARCHITECTURES:
        return (
            f"Every architecture was trained with {number_word(seeds)} seeds, so that this section speaks of "
            "the architectures: a difference counts where it stands out from what other seeds and other test "
            "images would change."
        )
    those = "these trained networks" if seeds == 1 else "the first training of each variant"
    said = (
        f"This section speaks of {those}, which answered the same {count(context.board.n_test)} test images; "
        "with other seeds the order may be another."
    )
    few = frame[(frame["kind"] == ARCHITECTURES) & (frame["note"] != "")]["note"]
    if seeds > 1 and len(few):
        why = reason(inert(few.iloc[0], LONGEST_REASON))
        said += f" Of the architectures it cannot speak, because {why}."
    return said


def _method(kind: str, based: bool) -> str:
    """Say when two can be told apart, and how the intervals and p were found."""
    how = {
        NETWORKS: "Intervals are Agresti and Min's Wald+2 for paired shares, p is McNemar's",
        ARCHITECTURES: "Intervals and p are Student's t, from a bootstrap over seeds and test images",
    }[kind]
    return (
        "Two can be told apart where p is below 0.05 and the 95 % interval of their difference leaves out "
        f"0. {how}, adjusted for the number of comparisons after Holm"
        f"{', with at least half of the weight on those with the baseline' if based else ''}."
    )


def _caption(context: Context, kind: str) -> str:
    base = context.board.baseline
    assert base is not None  # else there is no table
    said = (
        f"Test accuracy less that of {base.variant} (the orange line), in points, with 95 % intervals. "
        "Filled: can be told apart."
    )
    if kind == ARCHITECTURES:
        said += " Small circles: single seeds, less the baseline's mean. Reversed: how many of the pairs of "
        said += "single seeds stand the other way round."
    return said


def _omnibus(context: Context, frame: pd.DataFrame) -> str:
    """Say what Cochran's Q makes of all trained networks at once."""
    row = frame[frame["family"] == OMNIBUS].iloc[0]
    networks = len(context.board.scored)
    if pd.isna(row["p"]) or networks < 3:
        return ""
    sign = "they do not all err equally often" if row["p"] < 0.05 else "no sign that any errs more often"
    which = "" if context.protocol.seeds == 1 else ", the first training of each"
    p = p_value(row["p"]).replace("<", "< ")
    equals = "" if p.startswith("<") else "= "
    return (
        f"All {number_word(networks)} at once{which}: Cochran's Q is {row['statistic']:.1f} with "
        f"{networks - 1} degrees of freedom, p {equals}{p}: {sign}."
    )


def _turned(based: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Say how often single seeds would have shown the other order; empty without enough seeds."""
    known = pairs["reversed"].dropna()
    if known.empty:
        return ""
    often = int((known > 0).sum())
    if not often:
        return "One seed of each would have shown the same order, whichever had been taken."
    said = (
        f"Had there been one seed of each, the order would have depended on the seed in {count(often)} of "
        f"{count(len(known))} pairs. Over all pairs, {percent(float(known.mean()), 0)} % of the combinations "
        "of two single seeds stand the other way round"
    )
    worst = based.dropna(subset="reversed").nlargest(1, "reversed")
    if len(worst) and worst.iloc[0]["reversed"] > 0:
        one = worst.iloc[0]
        return f"{said}; of those of {one['b']} and the baseline, {percent(one['reversed'], 0)} %."
    return f"{said}."


def _resolved(context: Context, rows: pd.DataFrame) -> str:
    """Say what difference this budget of images and seeds can resolve."""
    pairs = rows[rows["family"] == PAIRS]
    if pairs.empty:
        return ""
    found = resolutions(pairs).median()
    if isnan(found):
        return "What this budget can resolve: not applicable, because the networks err on the same images."
    share = percent(found, digits_for(context.board.n_test))
    if (pairs["kind"] == ARCHITECTURES).all():
        return (
            f"What this budget can resolve: in the median pair, a true difference of {share} points would be "
            f"told apart in four of five such runs, as one of {count(len(pairs))}; a smaller one less often."
        )
    disagree = float(((pairs["only_a_right"] + pairs["only_b_right"]) / pairs["n"]).median())
    return (
        "What this budget can resolve: in the median pair, one of the two networks alone is right on "
        f"{percent(disagree)} % of the {count(context.board.n_test)} images. McNemar's test, as one of "
        f"{count(len(pairs))}, then finds a true difference of {share} points in four of five such runs, a "
        "smaller one less often."
    )


def _missing(context: Context, based: pd.DataFrame) -> tuple[str, ...]:
    """Say which comparisons cannot be made, and why."""
    scored = [one.variant for one in context.board.scored]
    if len(scored) < 2:
        have = f"only {scored[0]} has" if scored else "no variant has"
        return (f"Not applicable, because {have} predictions, and it takes two to compare.",)
    found = []
    if based.empty:
        why = "this lab names none" if context.lab.baseline is None else "it has no predictions"
        found.append(f"Against the baseline: not applicable, because {why}.")
    found.append(context.without_predictions(scored))
    return tuple(filter(None, found))


# --- all pairs -----------------------------------------------------------------------------------


def _matrix(context: Context, pairs: pd.DataFrame) -> Figure:
    """Draw all pairs, the variants in the order of the leaderboard."""
    names = [one.variant for one in context.board.scored]
    cells = _ahead(pairs, names)
    base = context.board.baseline.variant if context.board.baseline else ""
    digits = digits_for(context.board.n_test)
    drawn = cells[["ahead", "behind", "points", "apart"]]
    chart = context.studio.order("pair_matrix", drawn, names, base, digits)
    apart = cells[cells["apart"]]
    told = [f"{one.ahead} before {one.behind} {signed(one.points, digits)}" for one in apart.itertuples()]
    alt = "All pairs of networks. Told apart, in points: " + (inert("; ".join(told)) or "none") + "."
    return context.chart(chart, alt, "All pairs.", _matrix_caption(cells, names), data=_behind(cells))


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
    how = "by how many points" if len(names) <= look.PAIRS_COUNTED else "whether"
    said = (
        f"Each cell says {how} the network at the head of its column is ahead of the one at the end of its "
        f"row. Blue: can be told apart, {_of_all(apart, len(cells))}. Grey: cannot."
    )
    alone = _level_with_first(cells, names)
    return f"{said} {alone}".strip()


def _of_all(n: int, of: int) -> str:
    if n == of:
        return f"as all {count(of)} can"
    return f"{count(n)} of {count(of)} pairs" if n else f"none of {count(of)} pairs"


def _level_with_first(cells: pd.DataFrame, names: list[str]) -> str:
    """Name those that cannot be told from the first of the leaderboard."""
    level = cells[(cells["ahead"] == names[0]) & ~cells["apart"]]["behind"].tolist()
    if not level:
        return f"{names[0]} has the highest accuracy, and can be told apart from every other."
    if len(level) == len(names) - 1:
        return f"{names[0]} has the highest accuracy, and can be told apart from none."
    return f"{names[0]} has the highest accuracy, and cannot be told apart from {listing(level)}."


def _behind(cells: pd.DataFrame) -> pd.DataFrame:
    columns = {"ahead": "first", "behind": "second", "points": "points ahead", "low": "low", "high": "high"}
    columns |= {"p_holm": "p after Holm", "apart": "told apart"}
    return cells[list(columns)].rename(columns=columns)


def _listed(context: Context, pairs: pd.DataFrame) -> tuple[PairRow, ...]:
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
            bounds=f"{signed(one.low, digits)} to {signed(one.high, digits)}",
            p=p_value(one.p_holm),
            p_value=float(f"{one.p_holm:.4g}"),
        )
        for one in cells.itertuples()
    )


def _pairs_caption(context: Context, listed: int) -> Caption:
    text = "Accuracy in points with its 95 % interval, the widest differences first; p adjusted after Holm."
    if listed > MOST_PAIRS:
        text += f" {count(listed - MOST_PAIRS)} more pairs stand in frames/comparisons.parquet."
    return context.table("Pairs that can be told apart.", text)
