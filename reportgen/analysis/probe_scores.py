"""How trained networks fared on changed test images, and how far two of them lie apart.

A network may be better everywhere, so that what counts is how its accuracy changed: that on the changed
images less that on the same images as they are, which the run's predictions tell. Of a changed image it is
not known which networks got it right, only how many images each did. So an interval is rather too wide:

- the changed images of two networks are taken as unpaired (Newcombe 1998, method 10), though as a rule two
  networks err alike on the same images;
- the levels of one network, all of the same images, are taken as one level's images, which bounds their part;
- the unmoved images are paired (Agresti and Min 2005), and the reaches of both intervals are added, which
  bounds any correlation between them.

With three seeds or more the means over the seeds are compared: Student's t, of a variance that has the seeds'
part, as Welch's has, and the images' part, bounded in the same ways.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from reportgen.analysis.comparisons import LEVEL, SEEDS_FOR_AN_ARCHITECTURE
from reportgen.analysis.differences import Difference, newcombe, wald_plus_2
from reportgen.data.probes import subset
from reportgen.words import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

NORMAL = 1e6  # degrees of freedom: Student's t is normal
UNPAIRED = mark("Newcombe's (1998, method 10) as of unpaired images")
ADDED = mark(
    "Newcombe's (1998, method 10) as of unpaired images, plus Wald+2 (Agresti and Min 2005) of the unmoved "
    "ones; rather too wide"
)
SEEDS_AND_IMAGES = mark("t over seeds and images, as of unpaired images; rather too wide")

Right = dict[tuple[str, int], "NDArray[np.bool_]"]


@dataclass(frozen=True, eq=False)
class Fared:
    """How one training fared: its mean share of n changed images, and which (n,) it gets right unmoved.

    Where `unmoved` is None, the share itself counts and not its change.
    """

    share: float
    n: int
    unmoved: NDArray[np.bool_] | None = field(default=None)

    @property
    def change(self) -> float:
        """Give how far the share lies from that of the unmoved images, or the share."""
        return self.share - (float(self.unmoved.mean()) if self.unmoved is not None else 0.0)

    @property
    def deviation(self) -> float:
        """Bound the standard deviation of an image's share, two hits and misses added (Agresti, Coull)."""
        share = (self.share * self.n + 2) / (self.n + 4)
        return sqrt(share * (1 - share))


def unmoved(predictions: pd.DataFrame, n: int) -> Right:
    """Tell which of a probe's n images (n,) each training got right as they are; empty where it is not known.

    A probe draws its images by the labels alone, so that the same ones are found again.
    """
    columns = predictions[["variant", "seed", "index", "label", "predicted"]]
    alone = [columns[name] == columns[name].iloc[0] for name in ("variant", "seed")]
    first = columns[alone[0] & alone[1]]
    if n > len(first):
        return {}
    chosen = subset(first.sort_values("index")["label"].to_numpy("int64"), n)
    rows = columns[columns["index"].isin(chosen)].sort_values("index", kind="stable")
    hits = (rows["label"] == rows["predicted"]).to_numpy(bool)
    groups = rows.groupby(["variant", "seed"], sort=False).indices
    return {(str(variant), int(seed)): hits[places] for (variant, seed), places in groups.items()}


def compared(a: Sequence[Fared], b: Sequence[Fared], pairs: int = 1) -> Difference:
    """Compare the means over the seeds, or the first training of each where there are too few.

    The interval is one of `pairs` that all hold together with 95 % (Bonferroni).
    """
    alpha = LEVEL / pairs
    if min(len(a), len(b)) >= SEEDS_FOR_AN_ARCHITECTURE:
        return _over_seeds(a, b, alpha)
    one, other = a[0], b[0]
    low, high = newcombe(one.share * one.n, other.share * other.n, one.n, other.n, alpha)
    if one.unmoved is None or other.unmoved is None:
        return Difference(one.share, other.share, low, high, UNPAIRED)
    only_a, only_b = (
        int((x & ~y).sum()) for x, y in ((one.unmoved, other.unmoved), (other.unmoved, one.unmoved))
    )
    least, most = wald_plus_2(only_a, only_b, one.n, alpha)
    return Difference(one.change, other.change, low - most, high - least, ADDED)


def _over_seeds(a: Sequence[Fared], b: Sequence[Fared], alpha: float) -> Difference:
    from scipy.stats import t  # noqa: PLC0415  half a second

    changes = [np.array([one.change for one in trainings]) for trainings in (a, b)]
    parts = [(float(one.var(ddof=1)) / len(one), len(one)) for one in changes]
    variance = sum(part for part, _ in parts) + _of_images(a, b) ** 2
    uncertain = sum(part**2 / (seeds - 1) for part, seeds in parts)
    freedom = max(variance**2 / uncertain, min(seeds for _, seeds in parts) - 1) if uncertain else NORMAL
    reach = float(t.ppf(1 - alpha / 2, freedom)) * sqrt(variance)
    one, other = (float(values.mean()) for values in changes)
    return Difference(one, other, other - one - reach, other - one + reach, SEEDS_AND_IMAGES)


def _of_images(a: Sequence[Fared], b: Sequence[Fared]) -> float:
    """Bound the images' part of the standard error of a difference."""
    squares = [float(np.mean([one.deviation for one in each])) ** 2 / each[0].n for each in (a, b)]
    kept = [[one.unmoved for one in each if one.unmoved is not None] for each in (a, b)]
    if not all(kept):
        return sqrt(sum(squares))
    differences = np.mean(kept[1], axis=0) - np.mean(kept[0], axis=0)
    return sqrt(sum(squares)) + float(differences.std(ddof=1)) / sqrt(len(differences))
