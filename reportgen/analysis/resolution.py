"""What difference of accuracy a run can show with its images and seeds, and with four chances in five."""

from __future__ import annotations

from math import nan, sqrt
from statistics import NormalDist

import pandas as pd

from reportgen.analysis.comparisons import ARCHITECTURES, LEVEL

POWER = 0.8
Z_POWER = NormalDist().inv_cdf(POWER)


def resolution(n: int, discordant: float, level: float = LEVEL) -> float:
    """Compute the difference of accuracy that McNemar's test finds with 80 % power, two-sided at `level`.

    `discordant` is the share of n images that only one of two networks gets right (Connor 1987, Biometrics
    43: n = (z_a sqrt(psi) + z_b sqrt(psi - d^2))^2 / d^2), solved for d by bisection.
    """
    z = NormalDist().inv_cdf(1 - level / 2)
    low, high = 0.0, discordant
    for _ in range(60):
        middle = (low + high) / 2
        needed = (z * sqrt(discordant) + Z_POWER * sqrt(max(discordant - middle**2, 0))) ** 2
        low, high = (middle, high) if needed > n * middle**2 else (low, middle)
    return high


def resolution_over_seeds(error: float, freedom: float, level: float = LEVEL) -> float:
    """Compute the difference that a t test finds with 80 % power, two-sided at `level`.

    `error` is the standard error of the difference, which over it has a noncentral t distribution.
    """
    from scipy.special import nctdtrinc, stdtrit  # noqa: PLC0415  slow to import

    return float(nctdtrinc(freedom, 1 - POWER, stdtrit(freedom, 1 - level / 2)) * error)


def resolutions(pairs: pd.DataFrame) -> pd.Series:
    """Compute what difference each of these pairs could show with 80 % power, as one of so many.

    Each is tested at the level that Holm's first step leaves it, LEVEL times its weight: later steps are
    less strict, so that this is rather too large. NaN where no image is discordant.
    """
    found = []
    for row in pairs.itertuples():
        level = LEVEL * float(row.weight)
        if row.kind == ARCHITECTURES:
            found.append(resolution_over_seeds(row.error, row.freedom, level))
            continue
        discordant = (row.only_a_right + row.only_b_right) / row.n
        found.append(resolution(row.n, discordant, level) if discordant else nan)
    return pd.Series(found, index=pairs.index, dtype="float64")
