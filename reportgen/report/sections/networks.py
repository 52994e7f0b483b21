"""Each variant's layers, and how the feature map shrinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from reportgen.jobs import DIVERGED, DONE, FAILED
from reportgen.lab import Variant
from reportgen.layers import setting_text, times
from reportgen.report import drawings
from reportgen.report.document import Caption, Context
from reportgen.text import count, inert
from reportgen.words import mark, tr, trn

LONGEST_DESCRIPTION = 400
HOW_DRAWN = mark(
    "Squares are feature maps, all to one scale, with a sheet behind them for each doubling of the "
    "channels. Bars are vectors, on a logarithmic scale. Layers that only change values, such as dropout, "
    "are not drawn."
)
NO_LAYERS = {
    DONE: mark("No layers to show."),
    FAILED: mark("No layers to show: the training failed. {error}"),
    DIVERGED: mark("No layers to show: the training diverged. {error}"),
}
KEEPS_THE_SHAPE = {"Dropout", "BatchNormalization", "Activation"}


@dataclass(frozen=True)
class LayerRow:
    """One row of a layer table."""

    type: str
    setting: str
    shape: str
    params: str


@dataclass(frozen=True)
class Network:
    """One variant: its layers, and how the feature map shrinks."""

    variant: str
    baseline: bool
    description: str
    volumes: tuple[drawings.Volume, ...]
    trace: Caption | None
    rows: tuple[LayerRow, ...]
    caption: Caption | None
    reason: str


@dataclass(frozen=True)
class Networks:
    """Every variant's layers; `drawn` says how the drawings are to be read."""

    drawn: str
    networks: tuple[Network, ...]


def networks(context: Context) -> Networks:
    """List each variant's layers with output shapes and parameters."""
    variants = context.lab.variants
    made = tuple(_network(context, variant) for variant in variants)
    return Networks(tr(HOW_DRAWN) if any(one.volumes for one in made) else "", made)


def _network(context: Context, variant: Variant) -> Network:
    name = variant.name
    layers = context.results.layers[context.results.layers["variant"] == name]
    runs = context.results.runs[context.results.runs["variant"] == name]
    stated = (inert(variant.description, LONGEST_DESCRIPTION), variant.baseline)
    if layers.empty:
        run = runs.iloc[0]
        reason = tr(NO_LAYERS[run["status"]], error=run["error"])
        return Network(name, stated[1], stated[0], (), None, (), None, inert(reason, 300))
    steps = _steps(context, layers)
    trace = (
        context.drawn(tr("Shapes in {variant}.", variant=name), _trace_caption(steps))
        if len(steps) > 1
        else None
    )
    return Network(
        variant=name,
        baseline=stated[1],
        description=stated[0],
        volumes=drawings.volumes(steps) if len(steps) > 1 else (),
        trace=trace,
        rows=tuple(_layer_row(row) for row in layers.to_dict("records")),
        caption=context.table(tr("Layers of {variant}.", variant=name), _total(layers)),
        reason="",
    )


def _total(layers: pd.DataFrame) -> str:
    total, trained = int(layers["params"].sum()), int(layers["trainable"].sum())
    if total == trained:
        return trn("{n} parameter.", "{n} parameters.", total, n=count(total))
    return tr("{n} parameters, {trained} of them trained.", n=count(total), trained=count(trained))


def _steps(context: Context, layers: pd.DataFrame) -> list[tuple[str, tuple[int, ...]]]:
    image = tuple(context.dataset.image_shape)
    shapes = [(row["type"], row["output_shape"]) for row in layers.to_dict("records")]
    known = [
        (kind.removesuffix("2D"), tuple(map(int, text.split("x"))))
        for kind, text in shapes
        if _is_shape(text) and kind not in KEEPS_THE_SHAPE
    ]
    return [(tr("input"), image), *known] if known else []


def _is_shape(text: str) -> bool:
    return bool(text) and all(part.isdigit() for part in text.split("x"))


def _trace_caption(steps: list[tuple[str, tuple[int, ...]]]) -> str:
    maps = [shape for _, shape in steps if len(shape) == 3]
    if len(maps) < 2 and steps[1][0] == "Flatten":
        return tr("The image is laid out as a vector at once: which pixels were neighbours is lost.")
    first, last = maps[0], maps[-1]
    if len(maps) < 2:
        return ""
    if first[:2] == last[:2]:
        return tr("The map keeps its {size} pixels.", size=times(first[:2]))
    return tr(
        "The map shrinks from {first} to {last} pixels while its channels go from {few} to {many}.",
        first=times(first[:2]),
        last=times(last[:2]),
        few=first[2],
        many=last[2],
    )


def _layer_row(row: dict[str, Any]) -> LayerRow:
    shape = row["output_shape"].replace("x", " × ")
    return LayerRow(row["type"], setting_text(row["setting"]), shape, count(row["params"]))
