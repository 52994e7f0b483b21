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
    SEEDS_FOR_AN_ARCHITECTURE,
    spoken_of,
)
from reportgen.analysis.resolution import resolutions
from reportgen.report import look
from reportgen.report.document import Caption, Context, Figure
from reportgen.report.sections.all_pairs import MOST_PAIRS, PairRow, pairs_caption, told_apart, triangle
from reportgen.report.sections.forest import Axis, Row, forest
from reportgen.text import count, decimal, digits_for, number_word, p_value, percent
from reportgen.words import mark, tr, trn

ROWS_UNDIVIDED = 15
# By the kind of the comparisons, and whether those with the baseline are among them.
METHODS = {
    (NETWORKS, False): mark(
        "Intervals are Agresti and Min's Wald+2 for paired shares, p is McNemar's, adjusted for the number "
        "of comparisons after Holm."
    ),
    (NETWORKS, True): mark(
        "Intervals are Agresti and Min's Wald+2 for paired shares, p is McNemar's, adjusted for the number "
        "of comparisons after Holm, with at least half of the weight on those with the baseline."
    ),
    (ARCHITECTURES, False): mark(
        "Intervals and p are Student's t, from a bootstrap over seeds and test images, adjusted for the "
        "number of comparisons after Holm."
    ),
    (ARCHITECTURES, True): mark(
        "Intervals and p are Student's t, from a bootstrap over seeds and test images, adjusted for the "
        "number of comparisons after Holm, with at least half of the weight on those with the baseline."
    ),
}
# By whether p is small, and whether there are several seeds.
COCHRAN = {
    (True, False): mark(
        "All {number} at once: Cochran's Q is {q} with {freedom} degrees of freedom, p {p}: they do not all "
        "err equally often."
    ),
    (True, True): mark(
        "All {number} at once, the first training of each: Cochran's Q is {q} with {freedom} degrees of "
        "freedom, p {p}: they do not all err equally often."
    ),
    (False, False): mark(
        "All {number} at once: Cochran's Q is {q} with {freedom} degrees of freedom, p {p}: no sign that any "
        "errs more often."
    ),
    (False, True): mark(
        "All {number} at once, the first training of each: Cochran's Q is {q} with {freedom} degrees of "
        "freedom, p {p}: no sign that any errs more often."
    ),
}


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
    caption = context.table(tr("Against the baseline."), _caption(context, kind)) if forested else None
    listed = told_apart(context, pairs) if len(context.board.scored) > look.PAIRS_COUNTED else ()
    return Comparisons(
        introduction=_introduction(context, frame, kind),
        method=_method(kind, len(based) > 0) if len(context.board.scored) > 1 else "",
        axis=axis,
        rows=forested,
        caption=caption,
        over_seeds=kind == ARCHITECTURES,
        said=tuple(filter(None, (_omnibus(context, frame), _turned(based, pairs), _resolved(context, rows)))),
        figure=triangle(context, pairs) if len(pairs) > 1 else None,
        pairs=listed[:MOST_PAIRS],
        pairs_caption=pairs_caption(context, len(listed)) if listed else None,
        missing=_missing(context, based),
        long=len(forested) > ROWS_UNDIVIDED,
    )


def _introduction(context: Context, frame: pd.DataFrame, kind: str) -> str:
    """Say what is compared: networks as they were trained, or architectures."""
    if len(context.board.scored) < 2:
        return ""
    seeds = context.protocol.seeds
    images = count(context.board.n_test)
    if kind == ARCHITECTURES:
        return tr(
            "Every architecture was trained with {number} seeds, so that this section speaks of "
            "the architectures: a difference counts where it stands out from what other seeds and other test "
            "images would change.",
            number=number_word(seeds),
        )
    if seeds == 1:
        return tr(
            "This section speaks of these trained networks, which answered the same {images} test images; "
            "with other seeds the order may be another.",
            images=images,
        )
    said = tr(
        "This section speaks of the first training of each variant, which answered the same {images} test "
        "images; with other seeds the order may be another.",
        images=images,
    )
    return f"{said} {_of_architectures(context, frame)}".strip()


def _of_architectures(context: Context, frame: pd.DataFrame) -> str:
    """Say why architectures are not compared; empty where they are."""
    few = frame[(frame["kind"] == ARCHITECTURES) & (frame["note"] != "")]
    if few.empty:
        return ""
    pair = set(few.iloc[0][["a", "b"]])
    seeds = {one.variant: one.seeds for one in context.board.scored}
    found = {name: seeds.get(name, 0) for name in context.results.variants if name in pair}
    name = next((name for name, n in found.items() if n < SEEDS_FOR_AN_ARCHITECTURE), "")
    return trn(
        "Of the architectures it cannot speak, because {variant} has {n} finished seed, and {needed} are "
        "needed to speak of an architecture.",
        "Of the architectures it cannot speak, because {variant} has {n} finished seeds, and {needed} are "
        "needed to speak of an architecture.",
        found.get(name, 0),
        variant=name,
        n=found.get(name, 0),
        needed=SEEDS_FOR_AN_ARCHITECTURE,
    )


def _method(kind: str, based: bool) -> str:
    """Say when two can be told apart, and how the intervals and p were found."""
    when = tr(
        "Two can be told apart where p is below 0.05 and the 95 % interval of their difference leaves out 0."
    )
    return f"{when} {tr(METHODS[kind, based])}"


def _caption(context: Context, kind: str) -> str:
    base = context.board.baseline
    assert base is not None  # else there is no table
    said = tr(
        "Test accuracy less that of {baseline} (the orange line), in points, with 95 % intervals. "
        "Filled: can be told apart.",
        baseline=base.variant,
    )
    if kind != ARCHITECTURES:
        return said
    circles = tr(
        "Small circles: single seeds, less the baseline's mean. Reversed: how many of the pairs of single "
        "seeds stand the other way round."
    )
    return f"{said} {circles}"


def _omnibus(context: Context, frame: pd.DataFrame) -> str:
    """Say what Cochran's Q makes of all trained networks at once."""
    row = frame[frame["family"] == OMNIBUS].iloc[0]
    networks = len(context.board.scored)
    if pd.isna(row["p"]) or networks < 3:
        return ""
    p = p_value(row["p"])
    p = p.replace("<", "< ") if p.startswith("<") else "= " + p
    return tr(
        COCHRAN[bool(row["p"] < 0.05), context.protocol.seeds > 1],
        number=number_word(networks),
        q=decimal(row["statistic"], 1),
        freedom=networks - 1,
        p=p,
    )


def _turned(based: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Say how often single seeds would have shown the other order; empty without enough seeds."""
    known = pairs["reversed"].dropna()
    if known.empty:
        return ""
    often = int((known > 0).sum())
    if not often:
        return tr("One seed of each would have shown the same order, whichever had been taken.")
    depended = tr(
        "Had there been one seed of each, the order would have depended on the seed in {n} of {pairs} pairs.",
        n=count(often),
        pairs=count(len(known)),
    )
    return f"{depended} {_other_way(percent(float(known.mean()), 0), based)}"


def _other_way(mean: str, based: pd.DataFrame) -> str:
    """Say how many combinations of single seeds stand the other way round, most often with the baseline."""
    worst = based.dropna(subset="reversed").nlargest(1, "reversed")
    if len(worst) and worst.iloc[0]["reversed"] > 0:
        return tr(
            "Over all pairs, {share} % of the combinations of two single seeds stand the other way round; of "
            "those of {variant} and the baseline, {most} %.",
            share=mean,
            variant=worst.iloc[0]["b"],
            most=percent(worst.iloc[0]["reversed"], 0),
        )
    return tr(
        "Over all pairs, {share} % of the combinations of two single seeds stand the other way round.",
        share=mean,
    )


def _resolved(context: Context, rows: pd.DataFrame) -> str:
    """Say what difference this budget of images and seeds can resolve."""
    pairs = rows[rows["family"] == PAIRS]
    if pairs.empty:
        return ""
    found = resolutions(pairs).median()
    if isnan(found):
        return tr(
            "What this budget can resolve: not applicable, because the networks err on the same images."
        )
    points = percent(found, digits_for(context.board.n_test))
    if (pairs["kind"] == ARCHITECTURES).all():
        return tr(
            "What this budget can resolve: in the median pair, a true difference of {points} points would be "
            "told apart in four of five such runs, as one of {pairs}; a smaller one less often.",
            points=points,
            pairs=count(len(pairs)),
        )
    disagree = float(((pairs["only_a_right"] + pairs["only_b_right"]) / pairs["n"]).median())
    return tr(
        "What this budget can resolve: in the median pair, one of the two networks alone is right on "
        "{share} % of the {images} images. McNemar's test, as one of {pairs}, then finds a true difference "
        "of {points} points in four of five such runs, a smaller one less often.",
        share=percent(disagree),
        images=count(context.board.n_test),
        pairs=count(len(pairs)),
        points=points,
    )


def _missing(context: Context, based: pd.DataFrame) -> tuple[str, ...]:
    """Say which comparisons cannot be made, and why."""
    scored = [one.variant for one in context.board.scored]
    if not scored:
        return (tr("Not applicable, because no variant has predictions, and it takes two to compare."),)
    if len(scored) < 2:
        return (
            tr(
                "Not applicable, because only {variant} has predictions, and it takes two to compare.",
                variant=scored[0],
            ),
        )
    said = ""
    if based.empty and context.lab.baseline is None:
        said = tr("Against the baseline: not applicable, because this lab names none.")
    elif based.empty:
        said = tr("Against the baseline: not applicable, because it has no predictions.")
    return tuple(filter(None, (said, context.without_predictions(scored))))
