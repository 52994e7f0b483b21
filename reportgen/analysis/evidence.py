"""What the checks of a report look at, and what each of them may answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING, Any

from reportgen.analysis.scores import Leaderboard, leaderboard, shown_seed
from reportgen.analysis.telling import Pair, Telling, telling
from reportgen.text import PERCENT, count, digits_for, inert, percent
from reportgen.words import tr, trn

if TYPE_CHECKING:
    import pandas as pd

    from reportgen.results import DatasetRecord, Results

ANSWER = "answer"  # belongs on the first page
WARNING = "warning"  # weakens what the numbers say, or a network that went wrong
NOTE = "note"  # good to know
NOTHING = "nothing found"  # the check was made and has nothing to object to
NOT_APPLICABLE = "not applicable"
CLASS_NAME = 24  # characters of a class's name in a sentence

Numbers = dict[str, float | int | str]


@dataclass(frozen=True)
class Said:
    """A finding in words: what it says first, the rest, and each of its numbers by name."""

    level: str
    lead: str
    rest: str = ""
    numbers: Numbers = field(default_factory=dict)


@dataclass(frozen=True)
class NotApplicable:
    """Why a check cannot be made of this run: a clause that reads on after "because"."""

    why: str


Answer = Said | NotApplicable


@dataclass(frozen=True)
class Standing:
    """One network's accuracy as the comparisons see it.

    Of an architecture: the mean over its seeds, from the least to the most accurate; of a trained network:
    that of the shown training, with its Wilson interval.
    """

    variant: str
    accuracy: float
    low: float
    high: float
    params: int | None


@dataclass(frozen=True)
class Evidence:
    """A run and the frames that the analyses made of it so far, with what most checks ask for."""

    results: Results
    analysis: dict[str, pd.DataFrame]

    @property
    def dataset(self) -> DatasetRecord:
        """Give what is known of the data set."""
        return self.results.record.dataset

    @property
    def base(self) -> str:
        """Name the lab's baseline; empty where there is none."""
        base = self.results.record.lab.baseline
        return base.name if base else ""

    @cached_property
    def board(self) -> Leaderboard:
        """Give all variants, the most accurate first."""
        return leaderboard(self.results)

    @cached_property
    def telling(self) -> Telling:
        """Tell which variants with a score can be told apart."""
        return telling(self.analysis["comparisons"], [one.variant for one in self.board.scored])

    @cached_property
    def seeds(self) -> dict[str, int]:
        """Give the seed of each variant that is shown, of those that have one."""
        found = {name: shown_seed(self.results, name) for name in self.results.variants}
        return {name: seed for name, seed in found.items() if seed is not None}

    @cached_property
    def standings(self) -> list[Standing]:
        """List the variants with a score, the most accurate first."""
        made = [self._standing(one.variant, one.accuracies, one.params) for one in self.board.scored]
        order = {name: n for n, name in enumerate(self.results.variants)}
        return sorted(made, key=lambda one: (-one.accuracy, order[one.variant]))

    def standing(self, variant: str) -> Standing:
        """Give one variant's."""
        return next(one for one in self.standings if one.variant == variant)

    def _standing(self, variant: str, accuracies: tuple[float, ...], params: int | None) -> Standing:
        if self.telling.architectures:
            mean = sum(accuracies) / len(accuracies)
            return Standing(variant, mean, min(accuracies), max(accuracies), params)
        row = self.score(variant, "accuracy")
        return Standing(variant, float(row["value"]), float(row["low"]), float(row["high"]), params)

    @cached_property
    def _shown_scores(self) -> dict[tuple[str, str], dict[str, Any]]:
        frame = self.analysis["scores"]
        mine = frame[frame["seed"] == frame["variant"].map(self.seeds).astype("Int64")]
        return {(row["variant"], row["metric"]): row for row in mine.to_dict("records")}

    def score(self, variant: str, metric: str) -> dict[str, Any]:
        """Give a score of a variant's shown training, a row of scores(); NaN where there is none."""
        return self._shown_scores.get((variant, metric), {"value": nan, "low": nan, "high": nan})

    # --- words ---------------------------------------------------------------------------------------

    @property
    def over(self) -> str:
        """Say what an accuracy is of, where there are several trainings of a network."""
        if self.telling.architectures:
            finished = sorted({one.seeds for one in self.board.scored})
            fewest, most = count(finished[0]), count(finished[-1])
            if len(finished) == 1:
                return tr("on average over {seeds} seeds", seeds=fewest)
            return tr("on average over {fewest} to {most} seeds", fewest=fewest, most=most)
        return tr("in the first training") if self.board.seeds > 1 else ""

    def share(self, value: float) -> str:
        """Write a share of the test images as "98.05 %"."""
        return f"{percent(value, digits_for(self.board.n_test))}{PERCENT}"

    def range(self, low: float, high: float) -> str:
        """Write the ends of an interval as "97.77 to 98.30 %"."""
        least = percent(low, digits_for(self.board.n_test))
        return tr("{low} to {high}", low=least, high=self.share(high))

    def points(self, pair: Pair) -> str:
        """Write a difference with its interval as "0.05 points (−0.10 to 0.20)"."""
        return self.points_between(pair.difference, pair.low, pair.high)

    def points_between(self, difference: float, low: float, high: float) -> str:
        """Write a difference of shares in points, with the ends of its interval."""
        points, least, most = (self.minus(value) for value in (difference, low, high))
        return tr("{points} points ({low} to {high})", points=points, low=least, high=most)

    def level_points(self, pair: Pair) -> str:
        """Write the difference of two that cannot be told apart, though by itself it may look clear."""
        if pair.low <= 0 <= pair.high:
            return self.points(pair)
        return tr(
            "{points} points ({low} to {high}, which is not enough among {pairs} pairs)",
            points=self.minus(pair.difference),
            low=self.minus(pair.low),
            high=self.minus(pair.high),
            pairs=count(len(self.telling.pairs)),
        )

    def minus(self, value: float) -> str:
        """Write a difference of shares in points, with a true minus sign."""
        text = percent(abs(value), digits_for(self.board.n_test))
        return f"−{text}" if value < 0 and any(digit in text for digit in "123456789") else text

    def class_name(self, label: int) -> str:
        """Give a class's name, short enough for a sentence."""
        return inert(self.dataset.classes[label], CLASS_NAME)

    def images(self) -> str:
        """Write how many test images there are, to stand after "in", "of" or "with"."""
        n = self.board.n_test
        # Translators: it follows "in", "of" or "with"
        return trn("{n} test image", "{n} test images", n, n=count(n))


def numbers_of(pair: Pair) -> Numbers:
    """Give the numbers of a comparison by name."""
    what = f"{pair.better} − {pair.other}"
    return {what: pair.difference, f"{what}, low": pair.low, f"{what}, high": pair.high}
