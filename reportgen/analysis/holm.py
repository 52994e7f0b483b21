"""Many tests at once: p adjusted so that any false claim among them is as rare as one test's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def shares(first: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Divide the weight 1 among tests: at least half of it among those declared first (n,)."""
    n, k = len(first), int(first.sum())
    if k in (0, n):
        return np.full(n, 1 / n) if n else np.empty(0)
    part = max(0.5, k / n)
    return np.where(first, part / k, (1 - part) / (n - k))


def holm(p: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust p (n,) after Holm (1979, Scandinavian Journal of Statistics 6), with a weight for each test.

    Statsmodels has it for equal weights only. The family-wise error stays below the level, whichever of the
    hypotheses are true.
    """
    order = np.argsort(p / weights, kind="stable")
    left = np.cumsum(weights[order][::-1])[::-1]
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] / weights[order] * left), 1.0)
    return adjusted
