"""How training went: learning curves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from reportgen.report import look
from reportgen.report.document import Context, Figure
from reportgen.text import decimal, general, listing
from reportgen.words import mark, tr

WORTH_SAYING = 0.01  # nats: a smaller gap between two losses is no finding
BY_EPOCH = {"accuracy": mark("Accuracy by epoch."), "loss": mark("Loss by epoch.")}
PART = {
    "accuracy": mark("Accuracy by epoch, {n} of {parts}."),
    "loss": mark("Loss by epoch, {n} of {parts}."),
}
ALT = {
    "accuracy": mark(
        "Learning curves of accuracy by epoch, one panel a variant. Validation at the end: {ends}."
    ),
    "loss": mark("Learning curves of loss by epoch, one panel a variant. Validation at the end: {ends}."),
}


@dataclass(frozen=True)
class Curves:
    """Learning curves; `missing` says which variants have none."""

    validation: str
    figures: tuple[Figure, ...]
    missing: str


def curves(context: Context) -> Curves:
    """Draw accuracy and loss by epoch."""
    drawn = {metric: _with_numbers(context, metric) for metric in ("accuracy", "loss")}
    missing = [name for name in context.results.variants if name not in drawn["loss"]]
    note = ""
    if missing:
        note = tr(
            "No loss curve for {variants}: no epoch ended with a loss that is a number.",
            variants=listing(missing),
        )
    return Curves(_validation(context), _all_curves(context, drawn), note)


def _with_numbers(context: Context, metric: str) -> list[str]:
    """List the variants that have any number of a metric."""
    rows = context.results.epochs[context.results.epochs["metric"] == metric]
    finite = set(rows["variant"][np.isfinite(rows["value"].astype(float))])
    return [name for name in context.results.variants if name in finite]


def _all_curves(context: Context, drawn: dict[str, list[str]]) -> tuple[Figure, ...]:
    size = look.PANELS_IN_A_FIGURE
    figures: list[Figure] = []
    for metric, names in drawn.items():
        parts = [names[n : n + size] for n in range(0, len(names), size)]
        for n, part in enumerate(parts, start=1):
            lead = tr(PART[metric], n=n, parts=len(parts)) if parts[1:] else tr(BY_EPOCH[metric])
            said = _gap(context, names) if metric == "loss" and n == 1 else ""
            caption = _lines_as_in(figures[0], metric, said) if figures else _line_types(context, len(names))
            figure = _curve(context, metric, part, lead, caption)
            figures.append(replace(figure, refers=f"figure-{figures[0].number}") if figures else figure)
    return tuple(figures)


def _line_types(context: Context, variants: int) -> str:
    if (context.results.layers["type"] == "Dropout").any():
        said = tr(
            "Solid: validation; dashed: train, averaged while the weights still change, with dropout on, so "
            "it may lie below validation."
        )
    else:
        said = tr(
            "Solid: validation; dashed: train, averaged while the weights still change, so it may lie below "
            "validation."
        )
    faint = tr("Faint: the other variants' validation.") if variants > 1 else ""
    thin = tr("Thin lines are single seeds, strong ones their mean.") if context.protocol.seeds > 1 else ""
    return " ".join(filter(None, (said, faint, thin)))


def _lines_as_in(first: Figure, metric: str, said: str) -> str:
    if metric != "loss":
        return tr("Lines as in Figure {number}.", number=first.number)
    lines = tr("Lines as in Figure {number}; lower is better.", number=first.number)
    return f"{lines} {said}".strip()


def _validation(context: Context) -> str:
    validation = context.protocol.validation
    if validation == "test":
        return tr(
            "Validation is the test set itself. Nothing was stopped or chosen by it: every score is the one "
            "after the last of a fixed number of epochs. Only the highest of several scores on one test set "
            "is, by being picked, a little optimistic."
        )
    return tr(
        "Validation is {share} % of the training set, stratified by class and drawn anew for each seed. The "
        "test set was used once, after the last epoch.",
        share=general(100 * validation),
    )


def _curve(context: Context, metric: str, panels: list[str], lead: str, caption: str) -> Figure:
    epochs = context.results.epochs
    of_metric = epochs[epochs["metric"] == metric].reset_index(drop=True)
    chart = context.studio.order("learning_curves", of_metric, metric, panels)
    last = _last(epochs, metric, "validation")
    ends = tr(", ").join(f"{name} {decimal(last[name], 4)}" for name in panels if name in last)
    alt = tr(ALT[metric], ends=ends)
    width = "whole" if len(panels) > 1 else "half"
    return context.chart(chart, alt, lead, caption, width, _behind(of_metric, metric, panels))


def _behind(rows: pd.DataFrame, metric: str, panels: list[str]) -> pd.DataFrame:
    """Give the points of the panels as a table."""
    rows = rows[rows["variant"].isin(panels)].reset_index(drop=True)
    return rows[["variant", "seed", "epoch", "split", "value"]].rename(columns={"value": metric})


def _last(epochs: pd.DataFrame, metric: str, split: str) -> dict[str, float]:
    """Give the mean over the seeds of each variant's last value, where that is a number."""
    rows = epochs[(epochs["metric"] == metric) & (epochs["split"] == split)]
    rows = rows.sort_values("epoch", kind="stable").groupby(["variant", "seed"], sort=False).tail(1)
    means = rows.groupby("variant", sort=False)["value"].mean()
    return {str(name): float(value) for name, value in means.items() if np.isfinite(value)}


def _gap(context: Context, drawn: list[str]) -> str:
    """Name the variant whose validation loss exceeds its training loss most at the end."""
    train = _last(context.results.epochs, "loss", "train")
    held = _last(context.results.epochs, "loss", "validation")
    gaps = {name: held[name] - train[name] for name in drawn if name in held and name in train}
    if not gaps:
        return ""
    name = max(gaps, key=lambda one: gaps[one])
    if gaps[name] < WORTH_SAYING:
        return ""
    return tr(
        "At the end, {variant} has the widest gap: {validation} on validation, {train} on train.",
        variant=name,
        validation=decimal(held[name], 3),
        train=decimal(train[name], 3),
    )
