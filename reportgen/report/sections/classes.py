"""How each class fares: precision, recall and F1 of the baseline and of the best, among all others."""

from __future__ import annotations

import pandas as pd

from reportgen.report import look
from reportgen.report.document import Context, Figure
from reportgen.text import count, inert, listing, percent
from reportgen.words import tr

METRICS = ("recall", "precision", "f1")
WORST_SHOWN = 20
CLASS_LABEL = 22  # characters of a class's name


def class_figure(context: Context) -> Figure | None:
    """Draw the scores by class; None where there are none."""
    roles = _roles(context)
    frame = _shown(context).assign(role=lambda one: one["variant"].map(roles).fillna("other"))
    if frame.empty:
        return None
    labels = _order(frame)
    rows = frame[frame["label"].isin(labels)]
    names = {label: _name(context, label) for label in labels}
    order = [names[label] for label in labels]
    drawn = rows.assign(name=rows["label"].map(names))[
        ["name", "variant", "role", "metric", "value", "low", "high"]
    ]
    chart = context.studio.order("class_scores", drawn.reset_index(drop=True), order)
    best = next(name for name, role in roles.items() if role == "best")
    alt = " ".join((tr("Precision, recall and F1 by class."), _worst(context, rows, best)))
    caption = _caption(context, rows, roles)
    return context.chart(chart, alt, tr("Class by class."), caption, data=_behind(context, rows))


def _shown(context: Context) -> pd.DataFrame:
    """Give the scores by class of the trainings that are shown."""
    frame = context.analysis["per_class"]
    seeds = dict(context.shown())
    return frame[frame["seed"] == frame["variant"].map(seeds).astype("Int64")]


def _roles(context: Context) -> dict[str, str]:
    """Tell which variants stand out: the baseline, and the best of the others."""
    base = context.board.baseline
    others = [one for one in context.board.scored if one is not base]
    roles = {others[0].variant: "best"} if others else {}
    if base is None:
        return roles
    return {**roles, base.variant: "baseline" if roles else "best"}


def _order(frame: pd.DataFrame) -> list[int]:
    """List the classes in their own order; of many, those of the lowest F1 of any variant."""
    labels = sorted(int(label) for label in frame["label"].unique())
    if len(labels) <= WORST_SHOWN:
        return labels
    f1 = frame[(frame["metric"] == "f1") & (frame["role"] == "best")].set_index("label")["value"]
    return [int(label) for label in f1.sort_values(kind="stable").index[:WORST_SHOWN]]


def _name(context: Context, label: int) -> str:
    name = inert(context.dataset.classes[label], CLASS_LABEL).replace("\n", " ")
    twice = sum(inert(one, CLASS_LABEL) == name for one in context.dataset.classes) > 1
    return f"{label}" if twice or not look.can_draw(name) else name


def _caption(context: Context, rows: pd.DataFrame, roles: dict[str, str]) -> str:
    said = [tr("Bars are 95 % intervals: Wilson's, for F1 by way of the Jaccard index.")]
    if context.protocol.seeds > 1:
        said.append(tr("The first training of each variant."))
    total = len(context.dataset.classes)
    if total > WORST_SHOWN:
        said.append(
            tr(
                "Of {classes} classes, the {n} with the lowest F1 of the best variant.",
                classes=count(total),
                n=WORST_SHOWN,
            )
        )
    base, best = (
        next((name for name, role in roles.items() if role == one), "") for one in ("baseline", "best")
    )
    if any(role == "other" for role in rows["role"]):
        said.append(tr("Grey ticks: the other variants."))
    said.append(_worst(context, rows, best))
    if base:
        said.append(_apart(context, rows, base, best))
    said.append(tr("All numbers stand in {frame}.", frame="frames/per_class.parquet"))
    return " ".join(said)


def _worst(context: Context, rows: pd.DataFrame, variant: str) -> str:
    """Name the class of which a variant finds the smallest share."""
    recall = rows[(rows["metric"] == "recall") & (rows["variant"] == variant)].dropna(subset="value")
    if recall.empty:
        return ""
    one = recall.loc[recall["value"].idxmin()]
    return tr(
        "{variant} misses {class_name} most: it finds {share} % of them ({low} to {high} %).",
        variant=variant,
        class_name=quoted(context, int(one["label"])),
        share=percent(one["value"], 1),
        low=percent(one["low"], 1),
        high=percent(one["high"], 1),
    )


def _apart(context: Context, rows: pd.DataFrame, base: str, best: str) -> str:
    """Say in how many classes the recalls of the baseline and the best have intervals that do not meet."""
    recall = rows[rows["metric"] == "recall"].set_index("label")
    one, other = (recall[recall["variant"] == name] for name in (best, base))
    above = [int(n) for n in one.index if one.loc[n, "low"] > other.loc[n, "high"]]
    below = [int(n) for n in one.index if other.loc[n, "low"] > one.loc[n, "high"]]
    if not above and not below:
        return tr(
            "In no class are the recalls of {best} and {baseline} clearly apart: their intervals meet.",
            best=best,
            baseline=base,
        )
    higher, lower = (
        listing([quoted(context, n) for n in labels]) if labels else "" for labels in (above, below)
    )
    if not lower:
        return tr(
            "The interval of its recall lies wholly above that of {baseline} for {classes}.",
            baseline=base,
            classes=higher,
        )
    if not higher:
        return tr(
            "The interval of its recall lies wholly below that of {baseline} for {classes}.",
            baseline=base,
            classes=lower,
        )
    return tr(
        "The interval of its recall lies wholly above that of {baseline} for {higher} and below that of "
        "{baseline} for {lower}.",
        baseline=base,
        higher=higher,
        lower=lower,
    )


def quoted(context: Context, label: int) -> str:
    """Name a class, between quotation marks where it has more than one word."""
    name = context.class_name(label)
    return tr("“{name}”", name=name) if " " in name else name


def _behind(context: Context, rows: pd.DataFrame) -> pd.DataFrame:
    names = {label: context.class_name(int(label)) for label in rows["label"].unique()}
    data = rows.assign(**{"class": rows["label"].map(names)})
    return data[["variant", "seed", "class", "metric", "value", "low", "high", "n"]].reset_index(drop=True)
