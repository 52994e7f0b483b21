"""The sections of the report, in order: each turns the results into what its template prints."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from reportgen.analysis.findings import Sentence, findings
from reportgen.analysis.scores import WILSON, Score, most_confused, shown_seed
from reportgen.report import charts, drawings
from reportgen.report.document import Caption, Context, Figure
from reportgen.report.images import png_uri
from reportgen.lab import Point, Variant
from reportgen.report.theme import to_svg
from reportgen.results import gallery
from reportgen.text import (
    count,
    digits_for,
    inert,
    listing,
    number_word,
    paragraphs,
    percent,
    seconds,
)

CLASS_NAME = 24  # characters of a class's name under an image


def _class(context: Context, label: int) -> str:
    return inert(context.dataset.classes[label], CLASS_NAME)


def _epochs(context: Context) -> str:
    epochs = context.protocol.epochs
    return f"{epochs} epoch{'s' if epochs != 1 else ''}"


# --- 1 what came out -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One row of the leaderboard; `low`, `point`, `high` are shares of the drawn axis, 0 to 1."""

    variant: str
    baseline: bool
    params: str
    accuracy: str
    loss: str
    seconds: str
    low: float
    point: float
    high: float
    reason: str


@dataclass(frozen=True)
class Summary:
    """The answer first."""

    sentences: tuple[Sentence, ...]
    rows: tuple[Row, ...]
    axis: tuple[str, str]
    interval: str
    caption: Caption


def summary(context: Context) -> Summary:
    """Say what came out, and list every variant with its scores."""
    board = context.board
    lows = [one.low for one in board.scored] or [0.0]
    highs = [one.high for one in board.scored] or [1.0]
    axis = (min(lows), max(max(highs), min(lows) + 1e-4))
    rows = tuple(_row(one, axis, digits_for(board.n_test)) for one in board.scores)
    digits = digits_for(board.n_test)
    several = board.interval != WILSON
    kind = (
        f"mean of {context.protocol.seeds} seeds; the bar is their range"
        if several
        else "the bar is the 95 % Wilson interval"
    )
    text = (
        f"Test accuracy after the last of {_epochs(context)}, over {count(board.n_test)} images "
        f"({kind}). Seconds: the whole training{', mean over seeds' if several else ''}."
    )
    return Summary(
        tuple(findings(board)),
        rows,
        (percent(axis[0], digits), percent(axis[1], digits)),
        "range over seeds" if several else "95 % interval",
        context.table("All variants.", text),
    )


def _row(one: Score, axis: tuple[float, float], digits: int) -> Row:
    def share(value: float) -> float:
        return (value - axis[0]) / (axis[1] - axis[0]) if one.scored else 0.0

    return Row(
        variant=one.variant,
        baseline=one.baseline,
        params=count(one.params) if one.params is not None else "–",
        accuracy=percent(one.accuracy, digits) if one.scored else "–",
        loss=f"{one.loss:.4f}" if one.scored else "–",
        seconds=seconds(one.seconds) if one.scored else "–",
        low=share(one.low),
        point=share(one.accuracy),
        high=share(one.high),
        reason=inert(one.reason, 200),
    )


# --- 2 what the lab teaches --------------------------------------------------------------------------


@dataclass(frozen=True)
class TaughtPoint:
    """One thing that the lab teaches, with a drawing and what this run's networks show of it."""

    title: str
    paragraphs: tuple[Markup, ...]
    drawing: drawings.Drawing | None
    fact: str


@dataclass(frozen=True)
class Narrative:
    """The lab's own words."""

    introduction: tuple[Markup, ...]
    points: tuple[TaughtPoint, ...]


def narrative(context: Context) -> Narrative:
    """Set the lab's words, each point beside its drawing."""
    texts = context.lab.texts
    points = tuple(_point(context, point) for point in texts.points)
    return Narrative(tuple(paragraphs(texts.introduction)), points)


def _point(context: Context, point: Point) -> TaughtPoint:
    name = point.drawing or ""
    drawing = _shuffled(context) if name == "shuffle" else None
    if name in drawings.DRAWINGS:
        drawing = drawings.DRAWINGS[name]()
    fact = FACTS[name](context.results.layers) if name in FACTS else ""
    return TaughtPoint(point.title, tuple(paragraphs(point.text)), drawing, fact)


def _shuffled(context: Context) -> drawings.Drawing | None:
    images = context.results.images
    return drawings.shuffle(images[min(images)]) if images else None


def _first_of(layers: pd.DataFrame, kind: str) -> pd.Series | None:
    found = layers[(layers["type"] == kind) & (layers["params"] > 0)]
    return found.iloc[0] if len(found) else None


def fact_shuffle(layers: pd.DataFrame) -> str:
    """Count what a dense layer that sees every pixel has to learn."""
    dense = _first_of(layers, "Dense")
    if dense is None:
        return ""
    return (
        f"The first dense layer of {dense['variant']} has {count(dense['params'])} parameters: "
        f"one for each of its inputs and units, and one bias a unit."
    )


def fact_convolution(layers: pd.DataFrame) -> str:
    """Count what a convolution has to learn."""
    conv = _first_of(layers, "Conv2D")
    if conv is None:
        return ""
    return (
        f"The first convolution of {conv['variant']} ({conv['setting']}) has {count(conv['params'])} "
        f"parameters, wherever on the image its filters look."
    )


def fact_pooling(layers: pd.DataFrame) -> str:
    """Count the parameters of all pooling layers."""
    pools = layers[layers["type"].isin(["MaxPooling2D", "AveragePooling2D"])]
    if pools.empty:
        return ""
    total = int(pools["params"].sum())
    one = len(pools) == 1
    return f"The {'one pooling layer' if one else f'{number_word(len(pools))} pooling layers'} of this lab " \
           f"{'has' if one else 'have'} {number_word(total)} parameters{'' if one else ' in all'}."


def fact_stride(layers: pd.DataFrame) -> str:
    """Compare the maps that leave a first convolution of stride 1 and of stride 2."""
    return _compare(layers, ("stride 1", "stride 2"))


def fact_padding(layers: pd.DataFrame) -> str:
    """Compare the maps that leave a first convolution with valid and with same padding."""
    return _compare(layers, ("valid", "same"))


def _compare(layers: pd.DataFrame, settings: tuple[str, str]) -> str:
    first = layers[(layers["position"] == 1) & (layers["type"] == "Conv2D")]
    found = []
    for setting in settings:
        rows = first[first["setting"].str.split(", ").map(lambda parts, s=setting: s in parts)]
        if rows.empty:
            return ""
        found.append(rows.iloc[0])
    one, two = (f"{r['output_shape'].replace('x', '×')} in {r['variant']}" for r in found)
    return f"After its first convolution the map measures {one}, {two}."


FACTS: dict[str, Callable[[pd.DataFrame], str]] = {
    "shuffle": fact_shuffle,
    "convolution": fact_convolution,
    "pooling": fact_pooling,
    "stride": fact_stride,
    "padding": fact_padding,
}


# --- 3 how training went ------------------------------------------------------------------------------


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
    figures = tuple(_curve(context, metric, drawn) for metric in ("accuracy", "loss"))
    return Curves(_validation(context), figures, note)


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


def _curve(context: Context, metric: str, drawn: list[str]) -> Figure:
    svg = to_svg(charts.learning_curves(context.results.epochs, metric, drawn))
    several = context.protocol.seeds > 1
    caption = (
        "Solid: validation; dashed: train, averaged while the weights still change, with dropout on, so it "
        "may lie below validation. Faint: the other variants' validation."
    )
    if several:
        caption += " Thin lines are single seeds, strong ones their mean."
    if metric == "loss":
        caption = "As the figure before, for the loss; lower is better. " + _gap(context, drawn)
    last = _last(context.results.epochs, metric, "validation")
    ends = ", ".join(f"{name} {last[name]:.4f}" for name in drawn if name in last)
    alt = f"Learning curves of {metric} by epoch, one panel a variant. Validation at the end: {ends}."
    return context.chart(svg, alt, f"{metric.capitalize()} by epoch.", caption)


def _last(epochs: pd.DataFrame, metric: str, split: str) -> dict[str, float]:
    rows = epochs[(epochs["metric"] == metric) & (epochs["split"] == split)]
    rows = rows.sort_values("epoch").groupby(["variant", "seed"], sort=False).last()
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


# --- 4 size, time and accuracy -------------------------------------------------------------------------


@dataclass(frozen=True)
class Tradeoffs:
    """What accuracy costs; `missing` says why there is no chart."""

    figures: tuple[Figure, ...]
    missing: str


def tradeoffs(context: Context) -> Tradeoffs:
    """Set parameters and seconds against accuracy."""
    if not context.board.scored:
        return Tradeoffs((), "Not applicable, because no training was finished.")
    return Tradeoffs((_cost(context, "params"), _cost(context, "seconds")), "")


def _cost(context: Context, cost: str) -> Figure:
    board = context.board
    svg = to_svg(charts.cost_against_accuracy(board, cost))
    word = {"params": "Parameters", "seconds": "Seconds of training"}[cost]
    by_cost = sorted(board.scored, key=lambda one: float(getattr(one, cost)))
    amount = {"params": count, "seconds": seconds}[cost]
    listed = "; ".join(
        f"{one.variant} {amount(getattr(one, cost))}, {percent(one.accuracy)} %" for one in by_cost
    )
    least, most = by_cost[0], by_cost[-1]
    unit = "parameters" if cost == "params" else "s"
    caption = (
        f"From {least.variant} ({amount(getattr(least, cost))} {unit}) to {most.variant} "
        f"({amount(getattr(most, cost))} {unit}); bars as in Table 1."
        if len(by_cost) > 1
        else "The bar is that of Table 1."
    )
    alt = f"{word} against test accuracy: {listed}."
    return context.chart(svg, alt, f"{word} and accuracy.", caption, half=True)


# --- 5 the networks --------------------------------------------------------------------------------------


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
    total: str
    trainable: str
    caption: Caption | None
    reason: str


@dataclass(frozen=True)
class Networks:
    """Every variant's layers."""

    networks: tuple[Network, ...]


def networks(context: Context) -> Networks:
    """List each variant's layers with output shapes and parameters."""
    variants = context.lab.variants
    return Networks(tuple(_network(context, variant) for variant in variants))


def _network(context: Context, variant: Variant) -> Network:
    name = variant.name
    layers = context.results.layers[context.results.layers["variant"] == name]
    runs = context.results.runs[context.results.runs["variant"] == name]
    stated = (variant.description, variant.baseline)
    if layers.empty:
        reason = f"No layers to show, because {runs['status'].iloc[0]}: {runs['error'].iloc[0]}"
        return Network(name, stated[1], stated[0], (), None, (), "", "", None, inert(reason, 300))
    total, trained = int(layers["params"].sum()), int(layers["trainable"].sum())
    steps = _steps(context, layers)
    trace = context.drawn(f"{name}, to scale.", _trace_caption(steps)) if len(steps) > 1 else None
    return Network(
        variant=name,
        baseline=stated[1],
        description=stated[0],
        volumes=drawings.volumes(steps) if len(steps) > 1 else (),
        trace=trace,
        rows=tuple(_layer_row(row) for row in layers.to_dict("records")),
        total=count(total),
        trainable="" if total == trained else count(trained),
        caption=context.table(f"Layers of {name}.", f"{count(total)} parameters."),
        reason="",
    )


def _steps(context: Context, layers: pd.DataFrame) -> list[tuple[str, tuple[int, ...]]]:
    image = tuple(context.dataset.image_shape)
    shapes = [(row["type"], row["output_shape"]) for row in layers.to_dict("records")]
    known = [(kind, tuple(map(int, text.split("x")))) for kind, text in shapes if _is_shape(text)]
    return [("input", image), *known]


def _is_shape(text: str) -> bool:
    return bool(text) and all(part.isdigit() for part in text.split("x"))


def _trace_caption(steps: list[tuple[str, tuple[int, ...]]]) -> str:
    maps = [shape for _, shape in steps if len(shape) == 3]
    if len(maps) < 2:
        return "The image is laid out as a vector at once: which pixels were neighbours is lost."
    first, last = maps[0], maps[-1]
    if first[:2] == last[:2]:
        return f"The map keeps its {first[0]}×{first[1]} pixels."
    return (
        f"The map shrinks from {first[0]}×{first[1]} to {last[0]}×{last[1]} pixels while its channels go from "
        f"{first[2]} to {last[2]}."
    )


def _layer_row(row: dict[str, Any]) -> LayerRow:
    shape = row["output_shape"].replace("x", " × ")
    return LayerRow(row["type"], row["setting"], shape, count(row["params"]))


# --- 6 what they confuse -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Confusions:
    """A confusion matrix for each variant."""

    intro: str
    figures: tuple[Figure, ...]
    missing: str


def confusion(context: Context) -> Confusions:
    """Draw each variant's confusion, all on one colour scale."""
    shown = _shown(context)
    missing = _missing(context, [name for name, _ in shown])
    if not shown:
        return Confusions("", (), missing)
    darkest = max(_largest_share(_confusion_of(context, *one)) for one in shown)
    intro = (
        "Rows are true classes, columns predictions, numbers are counts. Colour shows the share of a row that "
        f"went wrong, up to {percent(darkest, 1)} % in all matrices alike; the diagonal is left grey, so that "
        "mistakes, not hits, catch the eye."
    )
    if context.protocol.seeds > 1:
        intro += " Shown is each variant's first finished seed."
    return Confusions(intro, tuple(_matrix(context, *one, darkest) for one in shown), missing)


def _shown(context: Context) -> list[tuple[str, int]]:
    """List the variants that have predictions, with the seed that is shown."""
    seeds = ((name, shown_seed(context.results, name)) for name in context.results.variants)
    return [(name, seed) for name, seed in seeds if seed is not None]


def _missing(context: Context, shown: list[str]) -> str:
    left = [name for name in context.results.variants if name not in shown]
    if not left:
        return ""
    return f"Not applicable to {listing(left)}, because {'they have' if len(left) > 1 else 'it has'} no predictions."


def _confusion_of(context: Context, variant: str, seed: int) -> pd.DataFrame:
    frame = context.results.confusion
    return frame[(frame["variant"] == variant) & (frame["seed"] == seed)]


def _largest_share(confusion: pd.DataFrame) -> float:
    totals = confusion.groupby("label")["count"].transform("sum").clip(lower=1)
    wrong = confusion["label"] != confusion["predicted"]
    return float((confusion["count"] / totals)[wrong].max()) if wrong.any() else 0.0


def _matrix(context: Context, variant: str, seed: int, darkest: float) -> Figure:
    frame = _confusion_of(context, variant, seed)
    svg = to_svg(charts.confusion_matrix(frame, context.dataset.classes, darkest))
    wrong = int(frame["count"][frame["label"] != frame["predicted"]].sum())
    pairs = most_confused(frame)
    if pairs.empty:
        words = "No mistake."
    else:
        said = [
            f"{_class(context, row['label'])} taken for {_class(context, row['predicted'])} ({row['count']})"
            for row in pairs.to_dict("records")
        ]
        words = f"{count(wrong)} mistake{'s' if wrong != 1 else ''}; most often {listing(said)}."
    alt = f"Confusion matrix of {variant}. {words}"
    return context.chart(svg, alt, f"{variant}.", words, half=True)


# --- 7 hits and mistakes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tile:
    """One image of a gallery."""

    uri: str
    true: str
    predicted: str
    confidence: str
    index: int

    @property
    def alt(self) -> str:
        """Say what the picture is of."""
        return f"Test image {self.index}, true class {self.true}, predicted {self.predicted}"


@dataclass(frozen=True)
class Gallery:
    """The first hits or mistakes of one variant."""

    correct: bool
    tiles: tuple[Tile, ...]
    caption: Caption
    missing: str


@dataclass(frozen=True)
class VariantGalleries:
    """One variant's galleries."""

    variant: str
    baseline: bool
    galleries: tuple[Gallery, ...]


@dataclass(frozen=True)
class Galleries:
    """All galleries."""

    variants: tuple[VariantGalleries, ...]
    missing: str


def galleries(context: Context) -> Galleries:
    """Show the first hits and mistakes of each variant, as the lab notebook does."""
    shown = _shown(context)
    base = next((v.name for v in context.lab.variants if v.baseline), None)
    made = tuple(
        VariantGalleries(
            name,
            name == base,
            tuple(_gallery(context, name, seed, correct) for correct in (True, False)),
        )
        for name, seed in shown
    )
    return Galleries(made, _missing(context, [name for name, _ in shown]))


def _gallery(context: Context, variant: str, seed: int, correct: bool) -> Gallery:
    frame = context.results.predictions
    chosen = gallery(frame[(frame["variant"] == variant) & (frame["seed"] == seed)], correct)
    tiles = tuple(_tile(context, row) for row in chosen.to_dict("records"))
    kind = "right" if correct else "wrong"
    many = f"first {number_word(len(tiles))}" if len(tiles) > 1 else "only one"
    text = f"The {many} of the test set that {variant} gets {kind}: probability and index."
    missing = "" if tiles else f"{variant} gets no image of the test set {kind}."
    lead = "Correct!" if correct else "Incorrect!"
    return Gallery(correct, tiles, context.drawn(lead, missing or text), missing)


def _tile(context: Context, row: dict[str, Any]) -> Tile:
    return Tile(
        uri=png_uri(context.results.images[row["index"]]),
        true=_class(context, row["label"]),
        predicted=_class(context, row["predicted"]),
        confidence=f"{100 * row['confidence']:.0f} %",
        index=row["index"],
    )


# --- 8 how this report was made ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Appendix:
    """All that is needed to make the report again."""

    facts: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    command: str


def appendix(context: Context) -> Appendix:
    """State protocol, data, versions and the command."""
    run, protocol, dataset = context.results.record, context.protocol, context.dataset
    rate = protocol.learning_rate
    shape = "×".join(map(str, dataset.image_shape))
    validation = protocol.validation
    facts = [
        ("Data set", f"{dataset.title}: {count(dataset.n_train)} training and "
                     f"{count(dataset.n_test)} test images of {shape}, {len(dataset.classes)} classes"),
        ("Read from", dataset.source),
        ("SHA-256 of the data", dataset.sha256),
        ("Scaling", "pixels divided by 255, labels one-hot" if protocol.loss.startswith("cat")
                    else "pixels divided by 255, labels as numbers"),
        ("Epochs, batch size", f"{protocol.epochs}, {protocol.batch_size}"),
        ("Optimizer", protocol.optimizer + (f", learning rate {rate:g}" if rate else ", Keras' own settings")),
        ("Loss, metric", f"{protocol.loss}, {protocol.metric}; float32"),
        ("Seeds", ", ".join(str(n + 1) for n in range(protocol.seeds)) if protocol.seeds <= 12
                  else f"1 to {protocol.seeds}"),
        ("Validation", "the test set" if validation == "test" else f"{percent(validation, 0)} % of train, held out"),
        ("Started", f"{run.started:%d %B %Y, %H:%M} UTC, {count(run.seconds)} seconds of training"),
    ]
    if dataset.description:
        facts.insert(1, ("About the data", dataset.description))
    versions = [(key, str(value)) for key, value in run.environment.items()]
    return Appendix(tuple(facts), tuple(versions), shlex.join(run.argv))


SECTIONS: dict[str, tuple[str, Callable[[Context], Any]]] = {
    "summary": ("What came out", summary),
    "narrative": ("What this lab is about", narrative),
    "curves": ("How training went", curves),
    "tradeoffs": ("Size, time and accuracy", tradeoffs),
    "networks": ("The networks", networks),
    "confusion": ("What they confuse", confusion),
    "galleries": ("Hits and mistakes", galleries),
    "appendix": ("How this report was made", appendix),
}
