"""How training went: learning curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reportgen.report import charts
from reportgen.report.document import Context, Figure
from reportgen.report.theme import to_svg
from reportgen.text import listing, percent


@dataclass(frozen=True)
class Curves:
    """Learning curves; `missing` says which variants have none."""

    validation: str
    figures: tuple[Figure, ...]
    missing: str


def curves(context: Context) -> Curves:
    """Draw accuracy and loss by epoch."""
    epochs = context.results.epochs
    finite = epochs[np.isfinite(epochs["value"].astype(float))]
    drawn = [name for name in context.results.variants if (finite["variant"] == name).any()]
    missing = [name for name in context.results.variants if name not in drawn]
    note = f"No curve for {listing(missing)}: no epoch was finished." if missing else ""
    if not drawn:
        return Curves(_validation(context), (), note)
    return Curves(_validation(context), _all_curves(context, drawn), note)


def _all_curves(context: Context, drawn: list[str]) -> tuple[Figure, ...]:
    size = charts.PANELS_IN_A_FIGURE
    parts = [drawn[n : n + size] for n in range(0, len(drawn), size)]
    figures: list[Figure] = []
    for metric in ("accuracy", "loss"):
        for n, part in enumerate(parts, start=1):
            which = f", {n} of {len(parts)}" if len(parts) > 1 else ""
            lead = f"{metric.capitalize()} by epoch{which}."
            said = _gap(context, drawn) if metric == "loss" and n == 1 else ""
            caption = _lines_as_in(figures[0], metric, said) if figures else _line_types(context, len(drawn))
            figures.append(_curve(context, metric, part, lead, caption))
    return tuple(figures)


def _line_types(context: Context, variants: int) -> str:
    caption = (
        "Solid: validation; dashed: train, averaged while the weights still change, with dropout on, so it "
        "may lie below validation."
    )
    if variants > 1:
        caption += " Faint: the other variants' validation."
    if context.protocol.seeds > 1:
        caption += " Thin lines are single seeds, strong ones their mean."
    return caption


def _lines_as_in(first: Figure, metric: str, said: str) -> str:
    lines = f"Lines as in Figure {first.number}"
    return f"{lines}; lower is better. {said}".strip() if metric == "loss" else f"{lines}."


def _validation(context: Context) -> str:
    validation = context.protocol.validation
    if validation == "test":
        return (
            "Validation is the test set itself, as in the lab notebook. With a fixed number of epochs "
            "nothing was selected on it: the scores of this report are those after the last epoch."
        )
    return (
        f"Validation is {percent(validation, 0)} % of the training set, held out by class and by seed. The "
        "test set was used once, after the last epoch."
    )


def _curve(context: Context, metric: str, panels: list[str], lead: str, caption: str) -> Figure:
    svg = to_svg(charts.learning_curves(context.results.epochs, metric, panels))
    last = _last(context.results.epochs, metric, "validation")
    ends = ", ".join(f"{name} {last[name]:.4f}" for name in panels if name in last)
    alt = f"Learning curves of {metric} by epoch, one panel a variant. Validation at the end: {ends}."
    return context.chart(svg, alt, lead, caption, "whole" if len(panels) > 1 else "half")


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
    if gaps[name] <= 0:
        return "At the end, no validation loss lies above its training loss."
    return (
        f"At the end, {name} has the widest gap: {held[name]:.3f} on validation, {train[name]:.3f} on train."
    )
