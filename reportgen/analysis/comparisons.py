"""Who is really better: every difference with its interval, tested, and tested as one of many.

Two trained networks answered the same test images: they are compared by McNemar's test (Dietterich 1998).
Architectures are compared over seeds: a bootstrap draws seeds and test images anew.

Each pair has one verdict, whichever family it is listed in, so that a report cannot contradict itself: p is
adjusted over all pairs at once after Holm (1979), in his weighted form. The comparisons with the baseline are
declared beforehand and share at least half of the weight, which stands in a column of its own. So the chance
that a run in which no network is better than another states any difference is at most 5 %, over both families
together; and as a report speaks either of trained networks or of architectures (`spoken_of`), the two kinds
need no sharing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import nan, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportgen.analysis.differences import OVER_SEEDS, PAIRED, wald_plus_2
from reportgen.analysis.holm import holm, shares
from reportgen.analysis.scores import shown_seed
from reportgen.analysis.sentences import noted
from reportgen.text import count
from reportgen.words import tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from reportgen.results import Results

LEVEL = 0.05
EXACT_BELOW = 25  # discordant pairs
SEEDS_FOR_AN_ARCHITECTURE = 3
DRAWS = 2000
MANY = 1e6  # degrees of freedom: Student's t is normal
CHUNK = 100  # draws of whole test sets at a time, so that memory stays small
BASELINE, PAIRS, OMNIBUS = "baseline", "all pairs", "omnibus"
NETWORKS, ARCHITECTURES = "trained networks", "architectures"
STUDENT = "t, bootstrap over seeds and images"
KINDS = {
    "string": ("family", "kind", "a", "b", "interval", "test", "note"),
    "Int64": ("seed_a", "seed_b", "only_a_right", "only_b_right", "n"),
    "float64": (
        "difference",
        "low",
        "high",
        "error",
        "freedom",
        "statistic",
        "p",
        "weight",
        "p_holm",
        "reversed",
    ),
    "bool": ("apart",),
}
ORDER = [
    *("family", "kind", "a", "b", "seed_a", "seed_b", "difference", "low", "high", "interval", "error"),
    *("freedom", "only_a_right", "only_b_right", "n", "test", "statistic", "p", "weight", "p_holm", "apart"),
    *("reversed", "note"),
]

Row = dict[str, Any]


@dataclass(frozen=True)
class _Marked:
    """Which test images each training got right: (n,) for each seed of each variant."""

    right: dict[str, dict[int, NDArray[np.bool_]]]
    shown: dict[str, int]

    def of(self, variant: str) -> NDArray[np.bool_]:
        """Give the shown training's."""
        return self.right[variant][self.shown[variant]]


def comparisons(results: Results, _: object) -> pd.DataFrame:
    """Compare the baseline with each variant, then all pairs, then all at once.

    Columns: ORDER. A difference is the accuracy of b less that of a, `error` its standard error with
    `freedom` degrees (architectures only); `apart` tells that the two can be told apart: p_holm, which is p
    adjusted with `weight`, is below LEVEL and the interval leaves 0 out; `reversed` is the share of pairs of
    single seeds that stand the other way round.
    """
    marked = _marked(results)
    names = list(marked.right)
    base = results.record.lab.baseline.name if results.record.lab.baseline else ""
    drawn = _drawn(marked.right)
    least = _pooled(marked.right, drawn)
    pairs = list(combinations(names, 2))
    compared = {
        NETWORKS: _adjusted([_networks(marked, *pair) for pair in pairs], base),
        ARCHITECTURES: _adjusted([_architectures(marked, drawn, least, *pair) for pair in pairs], base),
    }
    rows = [
        {"family": BASELINE, "kind": kind, **_from(base, row)}
        for kind, found in compared.items()
        for row in found
        if base in (row["a"], row["b"])
    ]
    rows += [{"family": PAIRS, "kind": kind, **row} for kind, found in compared.items() for row in found]
    rows += _omnibus(marked)
    frame = pd.DataFrame(rows, columns=ORDER)
    frame["apart"] = [one is True for one in frame["apart"]]
    return frame.astype({name: kind for kind, listed in KINDS.items() for name in listed})


def _marked(results: Results) -> _Marked:
    frame = results.predictions.sort_values("index", kind="stable")
    hits = (frame["label"] == frame["predicted"]).to_numpy(bool)
    right: dict[str, dict[int, NDArray[np.bool_]]] = {}
    groups = frame.groupby(["variant", "seed"], sort=False).indices
    for variant in results.variants:
        seeds = sorted(seed for name, seed in groups if name == variant)
        if seeds:
            right[variant] = {int(seed): hits[groups[variant, seed]] for seed in seeds}
    return _Marked(right, {name: int(shown_seed(results, name) or 0) for name in right})


def _from(base: str, row: Row) -> Row:
    """Turn a comparison round, where needed, so that it starts from the baseline."""
    if row["a"] == base:
        return row
    turned = {**row, "a": row["b"], "b": row["a"]}
    if row["note"]:
        return turned
    turned |= {"difference": -row["difference"], "low": -row["high"], "high": -row["low"]}
    for one, other in (("seed_a", "seed_b"), ("only_a_right", "only_b_right")):
        if one in row:
            turned |= {one: row[other], other: row[one]}
    if row["test"] == STUDENT:
        turned["statistic"] = -row["statistic"]
    return turned


# --- two trained networks ------------------------------------------------------------------------


def _networks(marked: _Marked, a: str, b: str) -> Row:
    one, other = marked.of(a), marked.of(b)
    only_a, only_b, n = int((one & ~other).sum()), int((~one & other).sum()), len(one)
    test, statistic, p = mcnemar(only_a, only_b)
    low, high = wald_plus_2(only_a, only_b, n)
    return {
        "a": a,
        "b": b,
        "seed_a": marked.shown[a],
        "seed_b": marked.shown[b],
        "difference": (only_b - only_a) / n,
        "low": low,
        "high": high,
        "interval": PAIRED,
        "only_a_right": only_a,
        "only_b_right": only_b,
        "n": n,
        "test": test,
        "statistic": statistic,
        "p": p,
        "note": "",
    }


def mcnemar(only_a: int, only_b: int) -> tuple[str, float, float]:
    """Test whether two trained networks err equally often; gives the test's name, statistic and p.

    Exact below EXACT_BELOW images that only one of them gets right, else chi-square with the continuity
    correction.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test  # noqa: PLC0415  nearly a second

    exact = only_a + only_b < EXACT_BELOW
    if only_a + only_b == 0:
        return "McNemar, exact", 0.0, 1.0
    found = test([[0, only_a], [only_b, 0]], exact=exact, correction=True)
    return f"McNemar, {'exact' if exact else 'chi-square'}", float(found.statistic), float(found.pvalue)


# --- architectures -------------------------------------------------------------------------------


def _drawn(right: dict[str, dict[int, NDArray[np.bool_]]]) -> dict[str, NDArray[np.float64]]:
    """Draw DRAWS mean accuracies (DRAWS,) of each variant with enough seeds: test images, then seeds.

    All variants see the same drawn images, so that the differences stay paired.
    """
    enough = {name: seeds for name, seeds in right.items() if len(seeds) >= SEEDS_FOR_AN_ARCHITECTURE}
    if not enough:
        return {}
    rng = np.random.default_rng(0)
    matrix = np.stack([one for seeds in enough.values() for one in seeds.values()], axis=1).astype("float32")
    accuracies = np.concatenate([_weights(rng, len(matrix)) @ matrix for _ in range(DRAWS // CHUNK)])
    found, start = {}, 0
    for name, seeds in enough.items():
        own = accuracies[:, start : start + len(seeds)] / len(matrix)
        picked = rng.multinomial(len(seeds), [1 / len(seeds)] * len(seeds), DRAWS) / len(seeds)
        found[name] = (own * picked).sum(axis=1).astype("float64")
        start += len(seeds)
    return found


def _weights(rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Count how often each of n images is drawn, (CHUNK, n)."""
    drawn = rng.integers(0, n, (CHUNK, n))
    drawn += np.arange(CHUNK)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=CHUNK * n).reshape(CHUNK, n).astype("float32")


def _pooled(right: dict[str, dict[int, NDArray[np.bool_]]], drawn: dict[str, NDArray[np.float64]]) -> float:
    """Average the variance of accuracy over the seeds, over all variants with enough of them."""
    variances = [np.var([one.mean() for one in right[name].values()], ddof=1) for name in drawn]
    return float(np.mean(variances)) if variances else nan


def _architectures(
    marked: _Marked, drawn: dict[str, NDArray[np.float64]], least: float, a: str, b: str
) -> Row:
    few = [name for name in (a, b) if name not in drawn]
    if few:
        return {"a": a, "b": b, "p": nan, "note": noted(_few_seeds(few[0], len(marked.right[few[0]])))}
    one, other = (np.array([right.mean() for right in marked.right[name].values()]) for name in (a, b))
    n = len(marked.of(a))
    difference, error, freedom = spread((one, other), drawn[b] - drawn[a], least, n)
    low, high, statistic, p = student(difference, error, freedom)
    singles = np.sign(other[None, :] - one[:, None])
    return {
        "a": a,
        "b": b,
        "difference": difference,
        "low": low,
        "high": high,
        "interval": OVER_SEEDS,
        "error": error,
        "freedom": freedom,
        "n": n,
        "test": STUDENT,
        "statistic": statistic,
        "p": p,
        "reversed": float((singles == -np.sign(difference)).mean()) if difference else nan,
        "note": "",
    }


def _few_seeds(name: str, finished: int) -> str:
    return trn(
        "{name} has {n} finished seed, and {needed} are needed to speak of an architecture",
        "{name} has {n} finished seeds, and {needed} are needed to speak of an architecture",
        finished,
        name=name,
        n=count(finished),
        needed=count(SEEDS_FOR_AN_ARCHITECTURE),
    )


def spread(
    accuracies: tuple[NDArray[np.float64], NDArray[np.float64]],
    drawn: NDArray[np.float64],
    least: float,
    images: int,
) -> tuple[float, float, float]:
    """Give the difference of two mean accuracies, its standard error and its degrees of freedom.

    `accuracies` hold each seed's accuracy, `drawn` the bootstrap's differences. A bootstrap of few seeds is
    too narrow (Hesterberg 2015, The American Statistician 69): the seeds' part of its variance,
    s2 (s - 1) / s^2 for s seeds of variance s2, is raised to s2 / (s - 1). That is s / (s - 1) times what is
    unbiased: a margin for Satterthwaite's degrees of freedom, which are too many where by chance the seeds
    hardly differ. For the same reason no s2 counts for less than `least`, the mean over all variants: of
    many pairs, the tests that matter are those whose seeds agree best, by chance. The images' part is raised
    by what Wald+2 adds (Agresti and Min 2005), so that it is never 0.
    """
    one, other = accuracies
    own = [(float(values.var(ddof=1)), len(values)) for values in (one, other)]
    parts = [(max(s2, least), s) for s2, s in own]
    variance = float(drawn.var(ddof=1)) - sum(s2 * (s - 1) / s**2 for s2, s in own)
    variance = max(variance, 0.0) + (images + 2) ** -2 + sum(s2 / (s - 1) for s2, s in parts)
    return float(other.mean() - one.mean()), sqrt(variance), _freedom(variance, parts)


def _freedom(variance: float, parts: list[tuple[float, int]]) -> float:
    """Compute Satterthwaite's degrees of freedom, at least those of the scarcer seeds.

    What the images contribute to the variance is taken as known.
    """
    uncertain = sum((s2 / (s - 1)) ** 2 / (s - 1) for s2, s in parts)
    fewest = float(min(s - 1 for _, s in parts))
    return min(max(variance**2 / uncertain, fewest), MANY) if uncertain else MANY


def student(difference: float, error: float, freedom: float) -> tuple[float, float, float, float]:
    """Give the 95 % interval of a difference, its t statistic and its two-sided p."""
    from scipy.stats import t  # noqa: PLC0415  half a second

    reach = float(t.ppf(1 - LEVEL / 2, freedom)) * error
    statistic = difference / error
    return difference - reach, difference + reach, statistic, float(2 * t.sf(abs(statistic), freedom))


# --- many at once --------------------------------------------------------------------------------


def _adjusted(rows: list[Row], base: str) -> list[Row]:
    """Adjust p over all pairs, and tell which of them are apart."""
    tested = [row for row in rows if row["p"] == row["p"]]
    first = np.array([base in (row["a"], row["b"]) for row in tested], bool)
    weights = shares(first)
    adjusted = holm(np.array([row["p"] for row in tested]), weights)
    for row, p, weight in zip(tested, adjusted, weights, strict=True):
        clear = row["low"] > 0 or row["high"] < 0
        row |= {"weight": float(weight), "p_holm": float(p), "apart": bool(p < LEVEL and clear)}
    return rows


def _omnibus(marked: _Marked) -> list[Row]:
    """Test by Cochran's Q whether all shown networks err equally often."""
    names = list(marked.right)
    row: Row = {"family": OMNIBUS, "kind": NETWORKS, "test": "Cochran's Q", "a": "", "b": "", "note": ""}
    if len(names) < 2:
        return [row | {"note": noted(tr("there are no two trained networks"))}]
    from statsmodels.stats.contingency_tables import cochrans_q  # noqa: PLC0415

    answers = np.stack([marked.of(name) for name in names], axis=1)
    row["n"] = len(answers)
    if (answers.all(axis=1) | ~answers.any(axis=1)).all():  # 0 / 0
        return [row | {"statistic": 0.0, "p": 1.0}]
    found = cochrans_q(answers.astype(int))
    return [row | {"statistic": float(found.statistic), "p": float(found.pvalue)}]


def spoken_of(frame: pd.DataFrame) -> str:
    """Tell what a report speaks of: architectures where every pair of them was compared, else networks."""
    over_seeds = frame[(frame["family"] == PAIRS) & (frame["kind"] == ARCHITECTURES)]
    return ARCHITECTURES if len(over_seeds) and over_seeds["p"].notna().all() else NETWORKS


def tie_groups(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, str]:
    """Give each variant letters; two that share one cannot be told apart.

    `names` is in the order of the leaderboard, `frame` is that of comparisons(); it decides by what it speaks
    of. The groups are the maximal cliques of what is not told apart (Bron and Kerbosch 1973).
    """
    pairs = frame[frame["family"] == PAIRS]
    kind = spoken_of(frame)
    apart = pairs[(pairs["kind"] == kind) & pairs["apart"]]
    level = {name: set(names) - {name} for name in names}
    for a, b in zip(apart["a"], apart["b"], strict=True):
        level[a].discard(b)
        level[b].discard(a)
    rank = {name: n for n, name in enumerate(names)}
    groups = sorted(sorted(rank[one] for one in group) for group in _cliques(level, set(), set(names), set()))
    letters: dict[str, str] = dict.fromkeys(names, "")
    for n, group in enumerate(groups):
        for place in group:
            letters[names[place]] += _letter(n)
    return letters


def _cliques(
    level: dict[str, set[str]], inside: set[str], candidates: set[str], done: set[str]
) -> Iterator[set[str]]:
    if not candidates and not done:
        yield inside
        return
    pivot = max(candidates | done, key=lambda one: (len(level[one] & candidates), one))
    for one in sorted(candidates - level[pivot]):
        yield from _cliques(level, inside | {one}, candidates & level[one], done & level[one])
        candidates = candidates - {one}
        done = done | {one}


def _letter(n: int) -> str:
    return chr(ord("a") + n) if n < 26 else f"{chr(ord('a') + n % 26)}{n // 26}"
