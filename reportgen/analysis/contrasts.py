"""What one knob does: pairs of networks that differ in nothing else, and how far they lie apart."""

from __future__ import annotations

from math import nan, prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportgen.analysis.comparisons import ARCHITECTURES, NETWORKS, PAIRS
from reportgen.analysis.differences import EXACT, RANGE, WELCH, Difference, ranges, welch
from reportgen.analysis.knobs import Pair, one_knob_pairs
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
Compared = dict[tuple[str, str], list[dict[str, Any]]]  # rows of comparisons(), by pair
Traces = dict[str, list["TracedLayer"]]


def contrasts(results: Results, analysis: Frames) -> pd.DataFrame:
    """Compare all pairs of variants that differ in one knob; columns are COLUMNS, effects are b minus a.

    Accuracies are shares, times seconds, map_size the pixels (height times width) of the last feature map.
    Accuracies are those of `analysis["comparisons"]`, so that one difference has one interval: the shown
    trainings', and with three seeds or more a second row over the seeds.
    """
    variants = results.record.lab.variants
    data = results.record.dataset
    traces = {one.name: trace_variant(one, data.image_shape, len(data.classes)) for one in variants}
    compared = _compared(analysis["comparisons"])
    pairs = one_knob_pairs(variants)
    rows = [row for pair in pairs for row in _rows(results, traces, compared, pair)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _compared(frame: pd.DataFrame) -> Compared:
    """Give the comparisons that were made of each pair, the trained networks' first."""
    found: Compared = {}
    for row in frame[(frame["family"] == PAIRS) & frame["difference"].notna()].to_dict("records"):
        found.setdefault((row["a"], row["b"]), []).append(row)
    return {pair: sorted(rows, key=lambda row: row["kind"] != NETWORKS) for pair, rows in found.items()}


def _rows(results: Results, traces: Traces, compared: Compared, pair: Pair) -> list[dict[str, object]]:
    missing = [name for name in (pair.a, pair.b) if _done(results, name).empty]
    found: list[tuple[str, Difference]] = []
    if missing:
        have = "have" if len(missing) > 1 else "has"
        nothing = Difference(nan, nan, note=f"{listing(missing)} {have} no finished training")
        found += [("accuracy", nothing), ("seconds_per_epoch", nothing)]
    else:
        found += [("accuracy", one) for one in _accuracies(results, compared, pair)]
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


def _accuracies(results: Results, compared: Compared, pair: Pair) -> list[Difference]:
    """Give the accuracies of a pair as they were compared: of the shown trainings, and over enough seeds."""
    rows = compared.get((pair.a, pair.b))
    if rows is not None:
        return [_accuracy(results, row) for row in rows]
    return [_accuracy(results, row).turned() for row in compared[pair.b, pair.a]]


def _accuracy(results: Results, row: dict[str, Any]) -> Difference:
    done = {name: _done(results, name).set_index("seed")["test_accuracy"] for name in (row["a"], row["b"])}
    if row["kind"] == ARCHITECTURES:
        a, b = (float(one.mean()) for one in done.values())
        return Difference(a, b, row["low"], row["high"], row["interval"], "means over the seeds")
    seeds = row["seed_a"], row["seed_b"]
    a, b = (float(one[seed]) for one, seed in zip(done.values(), seeds, strict=True))
    note = (
        f"the trainings with seed{f's {seeds[0]} and {seeds[1]}' if len(set(seeds)) > 1 else f' {seeds[0]}'}"
    )
    return Difference(a, b, row["low"], row["high"], row["interval"], note)


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
