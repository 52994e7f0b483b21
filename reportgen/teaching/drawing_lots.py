"""Choices that look random and are always the same for the same seed, in every version of Python."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Lots:
    """Draw lots; only Random.random() is promised to give the same numbers everywhere.

    https://docs.python.org/3/library/random.html#notes-on-reproducibility
    """

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def one(self, values: Sequence[T]) -> T:
        """Draw one of several values; raises IndexError where there is none."""
        return values[int(self._random.random() * len(values))]

    def other(self, values: Sequence[T], than: T) -> T:
        """Draw one of several values that is not the given one; that one where there is no other."""
        return self.one([value for value in values if value != than] or [than])
