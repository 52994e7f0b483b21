"""Which classes a training takes for which: shares, pairs, and the difference to the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from reportgen.results import Results

CELL = ["label", "predicted"]


def of_training(results: Results, variant: str, seed: int) -> pd.DataFrame:
    """Give one training's confusion: label, predicted, count, a row for every pair of classes."""
    frame = results.confusion
    rows = frame[(frame["variant"] == variant) & (frame["seed"] == seed)]
    return rows[[*CELL, "count"]].astype("int64").reset_index(drop=True)


def shares(confusion: pd.DataFrame) -> pd.Series:
    """Compute what share of its true class each cell is; 0 where there is no image of that class."""
    totals = confusion.groupby("label")["count"].transform("sum").clip(lower=1)
    return confusion["count"] / totals


def largest_share(confusion: pd.DataFrame) -> float:
    """Give the largest share of a true class that is one kind of mistake."""
    wrong = confusion["label"] != confusion["predicted"]
    return float(shares(confusion)[wrong].max()) if wrong.any() else 0.0


def mistakes(confusion: pd.DataFrame) -> int:
    """Count the mistakes."""
    return int(confusion["count"][confusion["label"] != confusion["predicted"]].sum())


def pairs(confusion: pd.DataFrame) -> pd.DataFrame:
    """List the pairs that are confused at all, the most frequent first: label, predicted, count."""
    wrong = confusion[(confusion["label"] != confusion["predicted"]) & (confusion["count"] > 0)]
    return wrong.sort_values(["count", *CELL], ascending=[False, True, True]).reset_index(drop=True)


def difference(base: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Count, cell by cell, how many more images `other` has there than `base`: label, predicted, difference.

    The diagonal holds how many more it gets right.
    """
    both = other.merge(base, on=CELL, how="outer", suffixes=("", "_base")).fillna(0)
    both["difference"] = (both["count"] - both["count_base"]).astype("int64")
    return both[[*CELL, "difference"]].sort_values(CELL).reset_index(drop=True)
