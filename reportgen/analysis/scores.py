"""How well each variant did, with an interval beside every score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.jobs import DIVERGED, DONE, FAILED
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from reportgen.results import Results

Z = 1.959963984540054  # 95 % of a normal distribution lie within as many standard deviations
# Translators: these follow the name of a network, or stand alone
REASONS = {FAILED: mark("failed: {error}"), DIVERGED: mark("diverged: {error}")}


@dataclass(frozen=True)
class Score:
    """One variant's scores, averaged over its finished seeds.

    `low` and `high` bound the test accuracy: the 95 % Wilson interval of one training; of several, from the
    lowest to the highest end of their intervals, so that both the seeds and the size of the test set count.
    `reasons` says why trainings are missing.
    """

    variant: str
    baseline: bool
    params: int | None
    planned: int
    accuracies: tuple[float, ...] = ()
    low: float = nan
    high: float = nan
    loss: float = nan
    seconds: float = nan
    mistakes: float = nan
    reasons: tuple[str, ...] = ()

    @property
    def seeds(self) -> int:
        """Count the finished trainings."""
        return len(self.accuracies)

    @property
    def accuracy(self) -> float:
        """Give the mean test accuracy over the finished seeds."""
        return sum(self.accuracies) / len(self.accuracies) if self.accuracies else nan

    @property
    def scored(self) -> bool:
        """Tell whether any training of the variant was finished."""
        return self.seeds > 0


@dataclass(frozen=True)
class Leaderboard:
    """All variants, the most accurate first, those without a score last."""

    scores: tuple[Score, ...]
    n_test: int
    seeds: int

    @property
    def scored(self) -> list[Score]:
        """List the variants that have a score."""
        return [score for score in self.scores if score.scored]

    @property
    def failed(self) -> list[Score]:
        """List the variants that have none."""
        return [score for score in self.scores if not score.scored]

    @property
    def baseline(self) -> Score | None:
        """Give the baseline, if it has a score."""
        return next((score for score in self.scored if score.baseline), None)


def wilson(successes: int, trials: int, level: float = 0.05) -> tuple[float, float]:
    """Compute the Wilson score interval (Brown, Cai and DasGupta 2001), by default that of 95 %."""
    from statsmodels.stats.proportion import proportion_confint  # noqa: PLC0415  slow to import

    low, high = proportion_confint(successes, trials, alpha=level, method="wilson")
    return float(low) if successes > 0 else 0.0, float(high) if successes < trials else 1.0


def leaderboard(results: Results) -> Leaderboard:
    """Score every variant of a run."""
    n_test = results.record.dataset.n_test
    base = results.record.lab.baseline
    scores = [
        _score(variant, rows, n_test, base is not None and base.name == variant)
        for variant, rows in results.runs.groupby("variant", sort=False)
    ]
    scores.sort(key=lambda one: (not one.scored, -one.accuracy if one.scored else 0.0))
    return Leaderboard(tuple(scores), n_test, results.record.lab.protocol.seeds)


def _score(variant: str, rows: pd.DataFrame, n_test: int, baseline: bool) -> Score:
    done, rest = rows[rows["status"] == DONE], rows[rows["status"] != DONE]
    params = rows["params"].dropna()
    score = Score(
        variant=variant,
        baseline=baseline,
        params=int(params.iloc[0]) if len(params) else None,
        planned=len(rows),
        reasons=tuple(reason_of(row.status, row.error) for row in rest.itertuples()),
    )
    if done.empty:
        return score
    accuracies = tuple(float(value) for value in done["test_accuracy"])
    bounds = [wilson(round(value * n_test), n_test) for value in accuracies]
    return replace(
        score,
        accuracies=accuracies,
        low=min(low for low, _ in bounds),
        high=max(high for _, high in bounds),
        loss=float(done["test_loss"].mean()),
        seconds=float(done["train_seconds"].mean()),
        mistakes=float((1 - done["test_accuracy"]).mean() * n_test),
    )


def reason_of(status: str, error: str) -> str:
    """Say why a training has no score."""
    return tr(REASONS[status], error=error)


def shown_seed(results: Results, variant: str) -> int | None:
    """Give the seed whose predictions a variant's confusion and galleries show: its first finished one."""
    done = results.runs[(results.runs["variant"] == variant) & (results.runs["status"] == DONE)]
    return int(done["seed"].min()) if len(done) else None
