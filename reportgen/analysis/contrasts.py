"""What one knob does: pairs of networks that differ in nothing else, and how far they lie apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportgen.analysis.comparisons import (
    ARCHITECTURES,
    PAIRS,
    SEEDS_FOR_AN_ARCHITECTURE,
    spoken_of,
)
from reportgen.analysis.differences import EXACT, RANGE, WELCH, Difference, ranges, welch
from reportgen.analysis.knobs import Pair, one_knob_pairs
from reportgen.jobs import DONE
from reportgen.lab import trace_variant
from reportgen.text import count, durations, listing, number_word
from reportgen.words import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reportgen.layers import TracedLayer
    from reportgen.results import Results

FEWEST_EPOCHS = 4  # whose ranges lie apart by chance in 1 of 35 pairs of equal speed; of 3 epochs in 1 of 10
OF_MEANS = mark("means over the seeds")
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
    "apart": "bool",
    "n_seeds": "Int64",
    "note": "string",
}
Frames = dict[str, pd.DataFrame]  # those of the analyses so far, by name
Compared = dict[tuple[str, str], list[dict[str, Any]]]  # rows of comparisons(), by pair
Traces = dict[str, list["TracedLayer"]]


def contrasts(results: Results, analysis: Frames) -> pd.DataFrame:
    """Compare all pairs of variants that differ in one knob; columns are COLUMNS, effects are b minus a.

    Accuracies are shares, times seconds, map_size the pixels (height times width) of the last feature map.
    Accuracies are those of `analysis["comparisons"]`, so that one difference has one interval and one
    verdict, `apart` (of other quantities always false): the shown trainings', and with three seeds or more a
    second row over the seeds. The row of the kind that the report speaks of stands last.
    """
    variants = results.record.lab.variants
    data = results.record.dataset
    traces = {one.name: trace_variant(one, data.image_shape, len(data.classes)) for one in variants}
    compared = _compared(analysis["comparisons"])
    pairs = one_knob_pairs(variants)
    rows = [row for pair in pairs for row in _rows(results, traces, compared, pair)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _compared(frame: pd.DataFrame) -> Compared:
    """Give the comparisons that were made of each pair, the kind that the report speaks of last."""
    found: Compared = {}
    spoken = spoken_of(frame)
    for row in frame[(frame["family"] == PAIRS) & frame["difference"].notna()].to_dict("records"):
        found.setdefault((row["a"], row["b"]), []).append(row)
    return {pair: sorted(rows, key=lambda row: row["kind"] == spoken) for pair, rows in found.items()}


def _rows(results: Results, traces: Traces, compared: Compared, pair: Pair) -> list[dict[str, object]]:
    missing = [name for name in (pair.a, pair.b) if _done(results, name).empty]
    found: list[tuple[str, Difference]] = []
    if missing:
        note = trn(
            "{names} has no finished training",
            "{names} have no finished training",
            len(missing),
            names=listing(missing),
        )
        nothing = Difference(nan, nan, note=note)
        found += [("accuracy", nothing), ("seconds_per_epoch", nothing)]
    else:
        found += [("accuracy", one) for one in _accuracies(results, compared, pair)]
        found += [("seconds_per_epoch", slower(*(timing(results, name) for name in (pair.a, pair.b))))]
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
        "apart": one.apart is True,
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
        note = tr(OF_MEANS)
        return Difference(a, b, row["low"], row["high"], row["interval"], note, bool(row["apart"]))
    one, other = row["seed_a"], row["seed_b"]
    a, b = (float(values[seed]) for values, seed in zip(done.values(), (one, other), strict=True))
    note = tr("the trainings with seed {seed}", seed=one)
    if one != other:
        note = tr("the trainings with seeds {one} and {other}", one=one, other=other)
    return Difference(a, b, row["low"], row["high"], row["interval"], note, bool(row["apart"]))


def _welch(a: Sequence[float], b: Sequence[float]) -> Difference:
    low, high = welch(a, b)
    note = tr("the seeds do not differ") if np.isnan(low) else tr(OF_MEANS)
    return Difference(float(np.mean(a)), float(np.mean(b)), low, high, WELCH, note)


@dataclass(frozen=True)
class Timing:
    """How long the epochs of one variant's finished trainings took, in seconds.

    `epochs` are those of its first training without the first epoch, `means` are one a training; `whole` are
    each whole training's seconds divided by its epochs, for where no epoch was timed by itself.
    """

    epochs: tuple[float, ...]
    means: tuple[float, ...]
    whole: tuple[float, ...]


def timing(results: Results, variant: str) -> Timing:
    """Collect what is known of the speed of a variant with a finished training."""
    epochs, done = results.epochs, _done(results, variant)
    chosen = epochs[(epochs["variant"] == variant) & (epochs["metric"] == "seconds")]
    timed = chosen[chosen["seed"].isin(done["seed"])].dropna(subset="value")
    if (timed["epoch"] > 1).any():
        timed = timed[timed["epoch"] > 1]  # TensorFlow starts in the first
    first = timed[timed["seed"] == timed["seed"].min()]["value"]
    means = timed.groupby("seed")["value"].mean()
    whole = done["train_seconds"].astype(float) / results.record.lab.protocol.epochs
    return Timing(tuple(first), tuple(means), tuple(whole))


def seconds_an_epoch(results: Results, variant: str) -> float:
    """Give the mean seconds of an epoch's training over the seeds of a variant with a finished training.

    As of `timing`: the first epoch is left out where there are more. NaN where no epoch was timed.
    """
    means = timing(results, variant).means
    return float(np.mean(means)) if means else nan


def epochs_written(results: Results, variants: Iterable[str]) -> dict[str, str]:
    """Write the seconds of an epoch of variants with finished trainings, all with as many decimals."""
    took = {name: seconds_an_epoch(results, name) for name in variants}
    return dict(zip(took, durations(took.values()), strict=True))


def slower(a: Timing, b: Timing) -> Difference:
    """Compare the seconds of an epoch's training: over enough seeds, else over one's epochs.

    The range over fewer than FEWEST_EPOCHS is no range to judge by, and is left out.
    """
    timed = bool(a.epochs and b.epochs)
    means = (a.means, b.means) if timed else (a.whole, b.whole)
    if min(map(len, means)) >= SEEDS_FOR_AN_ARCHITECTURE:
        return _welch(*means)
    if not timed:
        return Difference(a.whole[0], b.whole[0], note=tr("the epochs were not timed by themselves"))
    one, other = (float(np.mean(values)) for values in (a.epochs, b.epochs))
    fewest = min(len(a.epochs), len(b.epochs))
    if fewest < FEWEST_EPOCHS:
        return Difference(one, other, note=_too_few(fewest))
    note = tr("one training each; no confidence interval")
    return Difference(one, other, *ranges(a.epochs, b.epochs), RANGE, note)


def _too_few(epochs: int) -> str:
    return trn(
        "one epoch each is too few ({needed} are needed)",
        "{number} epochs of one training each are too few ({needed} are needed)",
        epochs,
        number=number_word(epochs),
        needed=number_word(FEWEST_EPOCHS),
    )


def _arithmetic(a: list[TracedLayer], b: list[TracedLayer]) -> list[tuple[str, Difference]]:
    """Compare what is known without training."""
    found = [
        (name, _exact(*(sum(getattr(row, name) for row in rows) for rows in (a, b))))
        for name in ("params", "multiply_adds")
    ]
    maps = [last_map(rows) for rows in (a, b)]
    if maps[0] and maps[1]:
        note = " → ".join(f"{count(h)}×{count(w)}" for h, w in (maps[0], maps[1]))
        found.append(("map_size", _exact(prod(maps[0]), prod(maps[1]), note)))
    return found


def _exact(a: int, b: int, note: str = "") -> Difference:
    return Difference(float(a), float(b), float(b - a), float(b - a), EXACT, note)


def last_map(rows: list[TracedLayer]) -> tuple[int, int] | None:
    """Give height and width of a network's last feature map; None where it has none of its own."""
    maps = [row.output_shape for row in rows if len(row.output_shape) == 3]
    return (maps[-1][0], maps[-1][1]) if maps else None
