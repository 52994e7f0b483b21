"""What each training scored, with an interval wherever one can be stated; by class, and calibration."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportgen.analysis.comparisons import SEEDS_FOR_AN_ARCHITECTURE
from reportgen.analysis.scores import wilson
from reportgen.analysis.sentences import noted
from reportgen.jobs import DIVERGED, DONE, FAILED
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from reportgen.results import Results

BINS = 15  # of equal width, as in Guo et al. 2017
DRAWS = 1000  # of the bootstrap
WILSON, BOOTSTRAP, STUDENT = "95 % Wilson", "95 % bootstrap over images", "95 % t over seeds"
OF_JACCARD = "95 % Wilson, of the Jaccard index"
FEW_SEEDS = mark("not applicable, because an interval over seeds needs at least 3")
NO_MISTAKE = mark("no interval, because a bootstrap of no mistake knows of none")
NOT_DONE = {
    FAILED: mark("the training failed: {error}"),
    DIVERGED: mark("the training diverged: {error}"),
}
# What a score can be at all; the others have no upper end.
RANGES = dict.fromkeys(("accuracy", "macro_f1", "ece"), (0.0, 1.0)) | {
    "brier": (0.0, 2.0),
    "gap": (-1.0, 1.0),
}

Row = dict[str, Any]


def scores(results: Results, _: object) -> pd.DataFrame:
    """Score every training, and every variant's mean over its finished seeds (seed missing).

    Columns: variant, seed, metric, value, low, high, interval, n (test images), note. Multi-class Brier score
    (0 to 2), negative log-likelihood (nats), precision, recall and F1 are scikit-learn's; macro-F1 is the
    mean over the classes that occur or are predicted; ECE over BINS bins of equal width.
    """
    rows = [row for run, own in _divided(results) for row in _training(own, run)]
    frame = _typed(pd.DataFrame(rows))
    means = [row for (variant, metric), part in _by(frame) for row in _mean(variant, metric, part)]
    return pd.concat([frame, _typed(pd.DataFrame(means))], ignore_index=True)


def per_class(results: Results, _: object) -> pd.DataFrame:
    """Give precision, recall and F1 of each class of each training.

    Columns: variant, seed, label, metric, value, low, high, interval, n (images that count), note.
    """
    rows = []
    for (variant, seed), part in results.confusion.groupby(["variant", "seed"], sort=False):
        for row in _classes(_square(part)):
            rows.append({"variant": variant, "seed": seed, **row})
    columns = ["variant", "seed", "label", "metric", "value", "low", "high", "interval", "n", "note"]
    return _typed(pd.DataFrame(rows, columns=columns))


def calibration(results: Results, _: object) -> pd.DataFrame:
    """Give each training's mean confidence and accuracy in BINS bins of confidence; empty bins are left out.

    Columns: variant, seed, bin (from 1), lower, upper, count, confidence, accuracy, low, high (Wilson).
    """
    columns = ["variant", "seed", "bin", "lower", "upper", "count", "confidence", "accuracy", "low", "high"]
    rows = []
    for (variant, seed), part in results.predictions.groupby(["variant", "seed"], sort=False):
        right = (part["label"] == part["predicted"]).to_numpy(bool)
        for row in binned(part["confidence"].to_numpy(float), right):
            low, high = wilson(round(row["accuracy"] * row["count"]), row["count"])
            rows.append({"variant": variant, "seed": seed, **row, "low": low, "high": high})
    return _typed(pd.DataFrame(rows, columns=columns))


def clearly_off(frame: pd.DataFrame, seeds: Mapping[str, int]) -> pd.DataFrame:
    """Give the bins of one training of each variant, and which of them lie off their confidence (`off`).

    `frame` is that of calibration(), `seeds` names the trainings. A bin is off where the exact interval of
    its accuracy (Clopper and Pearson 1934) at 5 % divided by the number of bins leaves its mean confidence
    out: one error at most in all of them (Bonferroni). Wilson's intervals hold too little so far out.
    """
    from statsmodels.stats.proportion import proportion_confint  # noqa: PLC0415  slow to import

    bins = frame[frame["seed"] == frame["variant"].map(dict(seeds)).astype("Int64")].reset_index(drop=True)
    if bins.empty:
        return bins.assign(off=False)
    of = bins["count"].to_numpy(float)
    hits = (bins["accuracy"].to_numpy(float) * of).round()
    low, high = proportion_confint(hits, of, alpha=0.05 / len(bins), method="beta")
    sure = bins["confidence"].to_numpy(float)
    return bins.assign(off=(sure < np.nan_to_num(low)) | (sure > np.nan_to_num(high, nan=1.0)))


# --- arithmetic ----------------------------------------------------------------------------------


def binned(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[Row]:
    """Sort predictions (n,) into BINS bins ]lower, upper] of confidence; empty ones are left out."""
    which = np.clip(np.ceil(confidence * BINS).astype(int), 1, BINS)
    counts = np.bincount(which, minlength=BINS + 1)
    sure = np.bincount(which, confidence, BINS + 1)
    hits = np.bincount(which, right, BINS + 1)
    return [
        {
            "bin": n,
            "lower": (n - 1) / BINS,
            "upper": n / BINS,
            "count": int(counts[n]),
            "confidence": sure[n] / counts[n],
            "accuracy": hits[n] / counts[n],
        }
        for n in range(1, BINS + 1)
        if counts[n]
    ]


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Compute the expected calibration error (Guo et al. 2017) over BINS bins of equal width."""
    rows = binned(confidence, right)
    return float(sum(row["count"] * abs(row["accuracy"] - row["confidence"]) for row in rows) / len(right))


def f_scores(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Compute F1 by class, (..., k), of confusion counts (..., k, k) with true classes in rows.

    For the many draws of a bootstrap, which scikit-learn has no function for. NaN for a class that neither
    occurs nor is predicted.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1).astype(float)
    either = counts.sum(axis=-1) + counts.sum(axis=-2)
    found: NDArray[np.float64] = np.divide(2 * hits, either, out=np.full_like(hits, nan), where=either > 0)
    return found


def resampled(counts: NDArray[np.int64], draws: int = DRAWS) -> Iterator[NDArray[np.int64]]:
    """Draw test sets of the same size with replacement, as confusion counts (some, k, k) at a time.

    To draw images is to draw the cells in which they stand: a multinomial of the observed shares.
    """
    n, k = int(counts.sum()), len(counts)
    filled = np.flatnonzero(counts)
    rng = np.random.default_rng(0)
    some = max(1, min(draws, 2_000_000 // (k * k)))
    for start in range(0, draws, some):
        drawn = np.zeros((min(some, draws - start), k * k), "int64")
        drawn[:, filled] = rng.multinomial(n, counts.ravel()[filled] / n, len(drawn))
        yield drawn.reshape(-1, k, k)


def over_seeds(values: NDArray[np.float64], ends: tuple[float, float] = (-inf, inf)) -> tuple[float, float]:
    """Compute the 95 % t interval of the mean of a value over independent seeds (n,), cut off at `ends`."""
    from statsmodels.stats.weightstats import DescrStatsW  # noqa: PLC0415  slow to import

    low, high = DescrStatsW(values).tconfint_mean()
    return max(float(low), ends[0]), min(float(high), ends[1])


# --- rows ----------------------------------------------------------------------------------------


def _divided(results: Results) -> Iterator[tuple[Any, Results]]:
    """Give each training with results that hold no others: to look for it in all of them takes long."""
    names = ("predictions", "epochs")
    frames = {name: getattr(results, name) for name in names}
    places = {name: one.groupby(["variant", "seed"], sort=False).indices for name, one in frames.items()}
    for run in results.runs.itertuples():
        own = {name: frames[name].take(places[name].get((run.variant, run.seed), [])) for name in names}
        yield run, replace(results, **own)


def _training(results: Results, run: Any) -> Iterator[Row]:
    stated = {"variant": run.variant, "seed": run.seed, "n": results.record.dataset.n_test}
    for row in _costs(results, run):
        yield {**stated, **row}
    if run.status != DONE:
        reason = noted(tr(NOT_DONE[run.status], error=run.error))
        for metric in ("accuracy", "loss", "macro_f1", "nll", "brier", "ece", "gap"):
            yield {**stated, **_row(metric, nan, note=reason)}
        return
    for row in (*_predicted(results, run), *_history(results)):
        yield {**stated, **row}


def _costs(results: Results, run: Any) -> Iterator[Row]:
    yield _row("params", nan if pd.isna(run.params) else float(run.params))
    layers = results.layers[results.layers["variant"] == run.variant]["multiply_adds"]
    unknown = noted(tr("only Keras knows this network's layers"))
    known = len(layers) > 0 and not layers.isna().any()
    yield _row("multiply_adds", float(layers.sum()) if known else nan, note="" if known else unknown)
    seconds = _series(results, "train", "seconds")
    seconds = seconds.iloc[1:] if len(seconds) > 1 else seconds  # the first has TensorFlow's start in it
    yield _row("seconds_per_epoch", float(seconds.mean()) if len(seconds) else nan)
    yield _row("train_seconds", nan if pd.isna(run.train_seconds) else float(run.train_seconds))


def _predicted(results: Results, run: Any) -> Iterator[Row]:
    part = results.predictions
    k = len(results.record.dataset.classes)
    labels = part["label"].to_numpy(int)
    predicted = part["predicted"].to_numpy(int)
    probabilities = part[[f"p_{n}" for n in range(k)]].to_numpy("float64")
    right = labels == predicted
    low, high = wilson(int(right.sum()), len(right))
    yield _row("accuracy", right.mean(), (low, high), WILSON)
    yield _row("loss", run.test_loss)
    yield _macro(labels, predicted, k)
    yield _row("nll", log_likelihood(labels, probabilities))
    yield _row("brier", brier(labels, probabilities))
    yield _row("ece", calibration_error(part["confidence"].to_numpy(float), right))


def log_likelihood(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Compute the mean negative log-likelihood, in nats, of labels (n,) under probabilities (n, k)."""
    from sklearn.metrics import log_loss  # noqa: PLC0415  slow to import

    if probabilities.shape[1] == 1:  # of one class alone: scikit-learn takes it for two
        return 0.0
    # float32 sums to 1 less exactly than scikit-learn wants it.
    whole = probabilities / probabilities.sum(axis=1, keepdims=True)
    return float(log_loss(labels, whole, labels=range(whole.shape[1])))


def brier(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Compute the Brier score, squared errors summed over the classes, of labels (n,) and shares (n, k)."""
    from sklearn.metrics import brier_score_loss  # noqa: PLC0415  slow to import

    k = probabilities.shape[1]
    if k == 1:
        return 0.0
    whole = probabilities / probabilities.sum(axis=1, keepdims=True)
    return float(brier_score_loss(labels, whole, labels=range(k), scale_by_half=False))


def _macro(labels: NDArray[np.int64], predicted: NDArray[np.int64], k: int) -> Row:
    from sklearn.metrics import f1_score  # noqa: PLC0415  slow to import

    value = f1_score(labels, predicted, average="macro", zero_division=0.0)
    if (labels == predicted).all():
        return _row("macro_f1", value, note=tr(NO_MISTAKE))
    counts = np.bincount(labels * k + predicted, minlength=k * k).reshape(k, k)
    drawn = np.concatenate([np.nanmean(f_scores(some), axis=-1) for some in resampled(counts)])
    low, high = np.percentile(drawn, [2.5, 97.5])
    return _row("macro_f1", value, (float(low), float(high)), BOOTSTRAP)


def _history(results: Results) -> Iterator[Row]:
    train = _series(results, "train", "accuracy")
    validation = _series(results, "validation", "accuracy")
    known = len(train) and len(validation)
    yield _row("gap", train.iloc[-1] - validation.iloc[-1] if known else nan)


def _series(results: Results, split: str, metric: str) -> pd.Series:
    frame = results.epochs
    part = frame[(frame["split"] == split) & (frame["metric"] == metric)]
    return part.sort_values("epoch")["value"].dropna()


def _classes(counts: NDArray[np.int64]) -> Iterator[Row]:
    for label in range(len(counts)):
        hits, true, said = int(counts[label, label]), int(counts[label].sum()), int(counts[:, label].sum())
        yield _share("recall", label, hits, true, tr("no image of the test set is of this class"))
        yield _share("precision", label, hits, said, tr("no image was taken for this class"))
        yield {"label": label, "n": true, **_f1(hits, true + said)}


def _f1(hits: int, either: int) -> Row:
    """Give F1 with an interval: it rises with the Jaccard index J, a share of images, as 2 J / (1 + J)."""
    if not either:
        return _row("f1", nan, note=noted(tr("no image is of this class or was taken for it")))
    low, high = (2 * end / (1 + end) for end in wilson(hits, either - hits))
    return _row("f1", 2 * hits / either, (low, high), OF_JACCARD)


def _share(metric: str, label: int, hits: int, of: int, reason: str) -> Row:
    if not of:
        return {"label": label, "n": 0, **_row(metric, nan, note=noted(reason))}
    return {"label": label, "n": int(of), **_row(metric, hits / of, wilson(int(hits), int(of)), WILSON)}


def _square(confusion: pd.DataFrame) -> NDArray[np.int64]:
    k = int(confusion["label"].max()) + 1
    counts = np.zeros((k, k), "int64")
    counts[confusion["label"].to_numpy(int), confusion["predicted"].to_numpy(int)] = confusion["count"]
    return counts


def _row(
    metric: str, value: float, bounds: tuple[float, float] = (nan, nan), interval: str = "", note: str = ""
) -> Row:
    low, high = bounds
    return {
        "metric": metric,
        "value": float(value),
        "low": float(low),
        "high": float(high),
        "interval": interval,
        "note": note,
    }


def _by(frame: pd.DataFrame) -> Any:
    return frame.groupby(["variant", "metric"], sort=False)


def _mean(variant: str, metric: str, part: pd.DataFrame) -> Iterator[Row]:
    values = part["value"].dropna().to_numpy(float)
    stated = {"variant": variant, "seed": pd.NA, "n": part["n"].iloc[0]}
    enough = len(values) >= SEEDS_FOR_AN_ARCHITECTURE
    known = not {"params", "multiply_adds"} & {metric}
    if not len(values):
        yield {**stated, **_row(metric, nan, note=part["note"].iloc[0])}
    elif enough and known:
        bounds = over_seeds(values, RANGES.get(metric, (0.0, inf)))
        yield {**stated, **_row(metric, values.mean(), bounds, STUDENT)}
    else:
        yield {**stated, **_row(metric, values.mean(), note=tr(FEW_SEEDS) if known else "")}


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    order = ["variant", "seed", "label", "bin", "metric", "value", "low", "high", "interval", "n", "note"]
    kinds = {"variant": "string", "metric": "string", "interval": "string", "note": "string"}
    kinds |= dict.fromkeys(("seed", "n", "label", "bin", "count"), "Int64")
    kinds |= dict.fromkeys(("value", "low", "high", "lower", "upper", "confidence", "accuracy"), "float64")
    columns = [name for name in order if name in frame] + [name for name in frame if name not in order]
    return frame[columns].astype({name: kinds[name] for name in columns})
