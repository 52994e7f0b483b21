"""Which networks can be told apart, and by how much: what every word and letter of a report goes by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING, Any

from reportgen.analysis.comparisons import ARCHITECTURES, NETWORKS, PAIRS, spoken_of, tie_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


@dataclass(frozen=True)
class Pair:
    """How far the accuracy of one network lies above another's, with its 95 % interval.

    `reversed` is the share of pairs of single seeds that stand the other way round, NaN where there are none.
    """

    better: str
    other: str
    difference: float
    low: float
    high: float
    apart: bool
    reversed: float
    discordant: float  # the share of the test images that only one of them gets right; NaN for architectures

    def seen_from(self, variant: str) -> Pair:
        """Say by how much one of the two lies above the other; less than 0 where it lies below."""
        if variant == self.better:
            return self
        turned = replace(self, better=self.other, other=self.better, difference=-self.difference)
        return replace(turned, low=-self.high, high=-self.low)


@dataclass(frozen=True)
class Telling:
    """The verdict on each pair of variants, of one kind: trained networks, or architectures over seeds."""

    kind: str
    pairs: Mapping[frozenset[str], Pair]
    letters: Mapping[str, str]
    rows: pd.DataFrame  # of comparisons(), one for each pair

    @property
    def architectures(self) -> bool:
        """Tell whether what is said holds of the architectures, not of single trained networks only."""
        return self.kind == ARCHITECTURES

    def pair(self, one: str, other: str) -> Pair:
        """Give the comparison of two variants, whichever is the better."""
        return self.pairs[frozenset((one, other))]

    def apart(self, one: str, other: str) -> bool:
        """Tell whether two variants can be told apart."""
        return self.pair(one, other).apart

    def above(self, one: str, other: str) -> bool:
        """Tell whether the first of two variants is clearly the more accurate."""
        pair = self.pair(one, other)
        return pair.apart and pair.better == one


def telling(frame: pd.DataFrame, names: Sequence[str]) -> Telling:
    """Read the frame of comparisons(); `names` has the variants with a score in the leaderboard's order."""
    kind = spoken_of(frame)
    rows = frame[(frame["family"] == PAIRS) & (frame["kind"] == kind)]
    pairs = {frozenset((row.a, row.b)): _pair(row) for row in rows.itertuples()}
    return Telling(kind, pairs, tie_groups(frame, names), rows)


def _pair(row: Any) -> Pair:
    """Turn a row so that its difference is not negative."""
    a, b, difference, low, high = row.a, row.b, row.difference, row.low, row.high
    if difference < 0:
        a, b, difference, low, high = b, a, -difference, -high, -low
    counted = row.kind == NETWORKS
    return Pair(
        better=str(b),
        other=str(a),
        difference=float(difference),
        low=float(low),
        high=float(high),
        apart=bool(row.apart),
        reversed=float(row.reversed),
        discordant=float((row.only_a_right + row.only_b_right) / row.n) if counted else nan,
    )
