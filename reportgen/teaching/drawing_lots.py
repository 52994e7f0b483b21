"""Choices that look random and are always the same for the same seed, in every version of Python."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
STEP = 101  # from one attempt to the next: beyond the sheets of a course


class Lots:
    """Draw lots; only Random.random() is promised to give the same numbers everywhere.

    https://docs.python.org/3/library/random.html#notes-on-reproducibility
    """

    def __init__(self, seed: str, series: str = "", turn: int = 0) -> None:
        self._random = Random(seed)
        self._series = series  # what all sheets of an exercise share
        self._turn = turn  # the sheet's place among them, from 0

    def in_turn(self, values: Sequence[T], attempt: int = 0) -> T:
        """Draw one of several values such that other sheets have others, as long as there are any.

        Another attempt gives another one; raises IndexError where there is none.
        """
        shuffled, left = [], list(values)
        order = Random(self._series)
        while left:
            shuffled.append(left.pop(int(order.random() * len(left))))
        return shuffled[(self._turn + attempt * STEP) % len(shuffled)]

    def one(self, values: Sequence[T]) -> T:
        """Draw one of several values; raises IndexError where there is none."""
        return values[int(self._random.random() * len(values))]

    def other(self, values: Sequence[T], than: T) -> T:
        """Draw one of several values that is not the given one; that one where there is no other."""
        return self.one([value for value in values if value != than] or [than])
