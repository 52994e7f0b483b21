"""A difference with its interval, and the published formulas that the intervals come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

from reportgen.words import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

PAIRED = mark("95 %, Wald+2 for paired shares (Agresti and Min 2005)")
OVER_SEEDS = mark("95 %, t with a bootstrap over seeds and images")
WELCH = mark("95 %, Welch's t over seeds")
RANGE = "range over epochs"
EXACT = "exact"
NONE = "none"


@dataclass(frozen=True)
class Difference:
    """How far `b` lies from `a`: `low` to `high` is the range that `interval` names, or NaN.

    `apart` is the comparisons' verdict, adjusted over all pairs: whether the two can be told apart; None
    where they gave none, and the interval stands for itself.
    """

    a: float
    b: float
    low: float = nan
    high: float = nan
    interval: str = NONE
    note: str = ""
    apart: bool | None = None

    @property
    def effect(self) -> float:
        """Give b minus a."""
        return self.b - self.a

    def turned(self) -> Difference:
        """Give the difference of a from b."""
        return replace(self, a=self.b, b=self.a, low=-self.high, high=-self.low)


def wald_plus_2(only_a: int, only_b: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """Compute the interval of a difference of two paired shares, b minus a.

    Agresti and Min (2005), Statistics in Medicine 24, 729-740, "Wald+2": half a pair is added to each of
    the four cells. `only_a` and `only_b` count the pairs of n in which only one of the two is right.
    """
    a, b, total = only_a + 0.5, only_b + 0.5, n + 2
    middle = (b - a) / total
    reach = NormalDist().inv_cdf(1 - alpha / 2) * sqrt(a + b - (b - a) ** 2 / total) / total
    return max(middle - reach, -1.0), min(middle + reach, 1.0)


def newcombe(
    right_a: float, right_b: float, n_a: float, n_b: float, level: float = 0.05
) -> tuple[float, float]:
    """Compute the interval, by default that of 95 %, of a difference of two unpaired shares, b minus a.

    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10, as statsmodels has it.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep  # noqa: PLC0415  slow to import

    counts = (right_b, n_b, right_a, n_a)
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=level)
    return float(low), float(high)


def welch(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Compute the 95 % t interval of a difference of two means, b minus a, of unequal variances.

    Welch (1947), Biometrika 34, 28-35, as statsmodels has it. NaN where neither side varies: seeds that
    all agree leave no spread to judge by.
    """
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW  # noqa: PLC0415  slow to import

    if len(set(a)) == 1 and len(set(b)) == 1:
        return nan, nan
    means = CompareMeans(DescrStatsW(list(b)), DescrStatsW(list(a)))
    low, high = means.tconfint_diff(usevar="unequal")
    return float(low), float(high)


def is_clear(one: Difference) -> bool:
    """Tell whether an interval leaves 0 out."""
    return one.low > 0 or one.high < 0


def ranges(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Give the least and the greatest difference of any value of b from any of a."""
    return min(b) - max(a), max(b) - min(a)
