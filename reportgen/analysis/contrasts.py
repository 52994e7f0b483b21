"""What one knob does: pairs of networks that differ in nothing else, and how far they lie apart."""

from __future__ import annotations

from math import nan, prod
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reportgen.analysis.differences import (
    EXACT,
    PAIRED,
    RANGE,
    WELCH,
    Difference,
    ranges,
    wald_plus_2,
    welch,
)
from reportgen.analysis.knobs import Pair, one_knob_pairs
from reportgen.analysis.scores import shown_seed
from reportgen.jobs import DONE
from reportgen.lab import trace_variant
from reportgen.text import count, listing

if TYPE_CHECKING:
    from reportgen.layers import TracedLayer
    from reportgen.results import Results

ENOUGH_SEEDS = 3  # to say anything of an architecture
COLUMNS = {
    "knob": "string",
    "from_value": "string",
    "to_value": "string",
    "layers": "string",
    "fixed": "string",
    "a": "string",
    "b": "string",
    "quantity": "string",
    "value_a": "float64",
    "value_b": "float64",
    "effect": "float64",
    "low": "float64",
    "high": "float64",
    "interval": "string",
    "n_seeds": "Int64",
    "note": "string",
}
Frames = dict[str, pd.DataFrame]  # those of the analyses so far, by name
Hits = dict[str, tuple[int, np.ndarray[tuple[int], np.dtype[np.bool_]]]]  # by variant: seed, right or not
Traces = dict[str, list["TracedLayer"]]


def contrasts(results: Results, _: Frames) -> pd.DataFrame:
    """Compare all pairs of variants that differ in one knob; columns are COLUMNS, effects are b minus a.

    Accuracies are shares, times seconds, map_size the pixels (height times width) of the last feature map.
    With three seeds or more, accuracy has a second row: the means over the seeds, by Welch's t.
    """
    variants = results.record.lab.variants
    data = results.record.dataset
    traces = {one.name: trace_variant(one, data.image_shape, len(data.classes)) for one in variants}
    pairs = one_knob_pairs(variants)
    hits = _all_hits(results, {name for pair in pairs for name in (pair.a, pair.b)})
    rows = [row for pair in pairs for row in _rows(results, traces, hits, pair)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _rows(results: Results, traces: Traces, hits: Hits, pair: Pair) -> list[dict[str, object]]:
    missing = [name for name in (pair.a, pair.b) if name not in hits]
    found: list[tuple[str, Difference]] = []
    if missing:
        have = "have" if len(missing) > 1 else "has"
        nothing = Difference(nan, nan, note=f"{listing(missing)} {have} no finished training")
        found += [("accuracy", nothing), ("seconds_per_epoch", nothing)]
    else:
        found += [("accuracy", one) for one in _accuracies(results, hits, pair)]
        found += [("seconds_per_epoch", _seconds(results, pair))]
    found += _arithmetic(traces[pair.a], traces[pair.b])
    seeds = min(len(_done(results, name)) for name in (pair.a, pair.b))
    return [_row(pair, quantity, one, seeds) for quantity, one in found]


def _row(pair: Pair, quantity: str, one: Difference, seeds: int) -> dict[str, object]:
    return {
        "knob": pair.knob,
        "from_value": pair.from_value,
        "to_value": pair.to_value,
        "layers": ", ".join(str(position) for position in pair.layers),
        "fixed": pair.fixed,
        "a": pair.a,
        "b": pair.b,
        "quantity": quantity,
        "value_a": one.a,
        "value_b": one.b,
        "effect": one.effect,
        "low": one.low,
        "high": one.high,
        "interval": one.interval,
        "n_seeds": seeds,
        "note": one.note,
    }


def _done(results: Results, variant: str) -> pd.DataFrame:
    runs = results.runs
    return runs[(runs["variant"] == variant) & (runs["status"] == DONE)]


def _accuracies(results: Results, hits: Hits, pair: Pair) -> list[Difference]:
    """Compare the shown trainings image by image, and the means over enough seeds."""
    found = [_paired(hits, pair)]
    a, b = (_done(results, name)["test_accuracy"].astype(float).tolist() for name in (pair.a, pair.b))
    if min(len(a), len(b)) >= ENOUGH_SEEDS:
        found.append(_welch(a, b))
    return found


def _paired(hits: Hits, pair: Pair) -> Difference:
    (one, a), (other, b) = hits[pair.a], hits[pair.b]
    low, high = wald_plus_2(int((a & ~b).sum()), int((b & ~a).sum()), len(a))
    note = f"the trainings with seed{f's {one} and {other}' if one != other else f' {one}'}"
    return Difference(float(a.mean()), float(b.mean()), low, high, PAIRED, note)


def _all_hits(results: Results, variants: set[str]) -> Hits:
    """Tell for each test image whether the shown training is right, in the order of the test set.

    Variants without a finished training are left out.
    """
    seeds = {name: seed for name in variants if (seed := shown_seed(results, name)) is not None}
    given = results.predictions[["variant", "seed", "index", "label", "predicted"]]
    given = given[given["seed"] == given["variant"].map(seeds).astype("Int64")].sort_values("index")
    found = {}
    for name, one in given.groupby("variant", sort=False):
        right = np.asarray(one["label"].to_numpy("int64") == one["predicted"].to_numpy("int64"))
        found[str(name)] = (seeds[str(name)], right)
    return found


def _welch(a: list[float], b: list[float]) -> Difference:
    low, high = welch(a, b)
    note = "no interval, because the seeds do not differ" if np.isnan(low) else "means over the seeds"
    return Difference(float(np.mean(a)), float(np.mean(b)), low, high, WELCH, note)


def _seconds(results: Results, pair: Pair) -> Difference:
    """Compare the seconds of an epoch's training: over enough seeds, else over one's epochs."""
    a, b = (_epoch_seconds(results, name) for name in (pair.a, pair.b))
    if a.empty or b.empty:
        return _whole_seconds(results, pair)
    means = [one.groupby("seed")["value"].mean().tolist() for one in (a, b)]
    if min(map(len, means)) >= ENOUGH_SEEDS:
        return _welch(*means)
    first = [one[one["seed"] == one["seed"].min()]["value"].tolist() for one in (a, b)]
    note = "one training each; no confidence interval"
    one, other = (float(np.mean(values)) for values in first)
    if min(map(len, first)) == 1:
        return Difference(one, other, note="one epoch each, which has no spread")
    return Difference(one, other, *ranges(*first), RANGE, note)


def _epoch_seconds(results: Results, variant: str) -> pd.DataFrame:
    epochs = results.epochs
    done = _done(results, variant)["seed"]
    chosen = epochs[(epochs["variant"] == variant) & (epochs["metric"] == "seconds")]
    return chosen[chosen["seed"].isin(done)].dropna(subset="value")


def _whole_seconds(results: Results, pair: Pair) -> Difference:
    """Divide the whole training by its epochs, where no epoch was timed by itself."""
    epochs = results.record.lab.protocol.epochs
    a, b = ((_done(results, name)["train_seconds"].astype(float) / epochs) for name in (pair.a, pair.b))
    if min(len(a), len(b)) >= ENOUGH_SEEDS:
        return _welch(a.tolist(), b.tolist())
    return Difference(float(a.iloc[0]), float(b.iloc[0]), note="the epochs were not timed by themselves")


def _arithmetic(a: list[TracedLayer], b: list[TracedLayer]) -> list[tuple[str, Difference]]:
    """Compare what is known without training."""
    found = [
        (name, _exact(*(sum(getattr(row, name) for row in rows) for rows in (a, b))))
        for name in ("params", "multiply_adds")
    ]
    maps = [last_map(rows) for rows in (a, b)]
    if maps[0] and maps[1]:
        note = " and ".join(f"{count(h)}×{count(w)}" for h, w in (maps[0], maps[1]))
        found.append(("map_size", _exact(prod(maps[0]), prod(maps[1]), note)))
    return found


def _exact(a: int, b: int, note: str = "") -> Difference:
    return Difference(float(a), float(b), float(b - a), float(b - a), EXACT, note)


def last_map(rows: list[TracedLayer]) -> tuple[int, int] | None:
    """Give height and width of a network's last feature map; None where it has none of its own."""
    maps = [row.output_shape for row in rows if len(row.output_shape) == 3]
    return (maps[-1][0], maps[-1][1]) if maps else None
