"""How well each variant did, with an interval beside every score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.jobs import DONE

if TYPE_CHECKING:
    from reportgen.results import Results

WILSON = "wilson"
RANGE = "range"


@dataclass(frozen=True)
class Score:
    """One variant's scores, averaged over its finished seeds.

    `low` and `high` bound the test accuracy: the 95 % Wilson interval of one training, or the range over
    several (which is not a confidence interval). `sample` is the Wilson interval in any case, of the mean:
    what a test set of this size leaves open. `reason` says why there is no score.
    """

    variant: str
    baseline: bool
    params: int | None
    seeds: int
    accuracy: float
    low: float
    high: float
    loss: float
    seconds: float
    mistakes: float
    sample: tuple[float, float]
    reason: str = ""

    @property
    def scored(self) -> bool:
        """Tell whether any training of the variant was finished."""
        return self.seeds > 0


@dataclass(frozen=True)
class Leaderboard:
    """All variants, the most accurate first, those without a score last."""

    scores: tuple[Score, ...]
    interval: str
    n_test: int

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


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Compute the 95 % Wilson score interval (Brown, Cai and DasGupta 2001)."""
    from statsmodels.stats.proportion import proportion_confint  # noqa: PLC0415  slow to import

    low, high = proportion_confint(successes, trials, alpha=0.05, method="wilson")
    return float(low), float(high)


def leaderboard(results: Results) -> Leaderboard:
    """Score every variant of a run."""
    several = int(results.runs["seed"].nunique()) > 1
    n_test = results.record.dataset.n_test
    base = results.record.lab.baseline
    scores = [
        _score(variant, rows, n_test, several, base is not None and base.name == variant)
        for variant, rows in results.runs.groupby("variant", sort=False)
    ]
    scores.sort(key=lambda one: (not one.scored, -one.accuracy if one.scored else 0.0))
    return Leaderboard(tuple(scores), RANGE if several else WILSON, n_test)


def _score(variant: str, rows: pd.DataFrame, n_test: int, several: bool, baseline: bool) -> Score:
    done = rows[rows["status"] == DONE]
    params = rows["params"].dropna()
    if done.empty:
        nan = float("nan")
        return Score(
            variant,
            baseline,
            int(params.iloc[0]) if len(params) else None,
            0,
            nan,
            nan,
            nan,
            nan,
            nan,
            nan,
            (nan, nan),
            reason=f"{rows['status'].iloc[0]}: {rows['error'].iloc[0]}",
        )
    accuracy = done["test_accuracy"]
    sample = wilson(round(float(accuracy.mean()) * n_test), n_test)
    low, high = (float(accuracy.min()), float(accuracy.max())) if several else sample
    return Score(
        variant=variant,
        baseline=baseline,
        params=int(params.iloc[0]),
        seeds=len(done),
        accuracy=float(accuracy.mean()),
        low=low,
        high=high,
        loss=float(done["test_loss"].mean()),
        seconds=float(done["train_seconds"].mean()),
        mistakes=float((1 - accuracy).mean() * n_test),
        sample=sample,
    )


def shown_seed(results: Results, variant: str) -> int | None:
    """Give the seed whose predictions a variant's confusion and galleries show: its first finished one."""
    done = results.runs[(results.runs["variant"] == variant) & (results.runs["status"] == DONE)]
    return int(done["seed"].min()) if len(done) else None


def most_confused(confusion: pd.DataFrame, most: int = 3) -> pd.DataFrame:
    """List the pairs that one training confuses most: label, predicted, count; largest first."""
    wrong = confusion[(confusion["label"] != confusion["predicted"]) & (confusion["count"] > 0)]
    return wrong.sort_values(["count", "label", "predicted"], ascending=[False, True, True]).head(most)
