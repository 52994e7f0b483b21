"""All exercises of a sheet, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain
from math import prod

from reportgen.teaching import predictions, readings
from reportgen.teaching.drawing_lots import Lots
from reportgen.teaching.exercises import Exercise, Source
from reportgen.text import count

# In the order in which they stand; what comes before the results first.
EXERCISES: dict[str, Callable[[Lots, Source], Exercise | None]] = {
    "shape": predictions.shape,
    "parameters": predictions.parameters,
    "field": predictions.field,
    "faster": predictions.faster,
    "mistake": predictions.mistake,
    "confusion": readings.confusion,
}
TRIES = 50
TELLING = re.compile(r"\d+×\d+×\d+|\d[\d,]{2,}")  # shapes, and numbers of three digits or more


def sheet(source: Source, number: int = 1) -> list[Exercise]:
    """Make a sheet: the same for the same lab, run and number; another number gives another, as hard.

    An exercise that a lab or run gives no occasion for is left out; the lab's own come last. What is to be
    filled in stands nowhere else on the sheet, and in none of the lab's tables of layers.
    """
    made: list[Exercise] = []
    for attempt in range(TRIES):
        made = _drawn(source, f"{source.lab.name}/{number}/{attempt}")
        if not _given_away(made, _shown(source)):
            break
    return made + readings.own(source)


def _drawn(source: Source, seed: str) -> list[Exercise]:
    # Each has lots of its own: one that is left out changes no other.
    made = [make(Lots(f"{seed}/{kind}"), source) for kind, make in EXERCISES.items()]
    return [one for one in made if one is not None]


def _given_away(made: list[Exercise], shown: set[str]) -> set[str]:
    """List what is to be found out and stands there anyhow."""
    answers = [cell for one in made if one.answer for row in one.answer.filled for cell in row]
    return _telling(answers) & (shown | _telling(chain.from_iterable(map(_words, made))))


def _words(one: Exercise) -> list[str]:
    return [one.text, *(cell for table in one.tables for row in table.rows for cell in row)]


def _telling(texts: Iterable[str]) -> set[str]:
    return {found for text in texts for found in TELLING.findall(text)}


def _shown(source: Source) -> set[str]:
    """List the shapes and counts of the lab's networks, and bytes: what the same document may say of them."""
    layers = source.results.layers
    shapes = [text.replace("x", "×") for text in layers["output_shape"]]
    values = [prod(map(int, re.findall(r"\d+", text))) for text in layers["output_shape"]]
    adds = layers["multiply_adds"].dropna()
    counts = [*layers["params"], *adds, *(size * n for n in (*values, *layers["params"]) for size in (2, 4))]
    return _telling([*shapes, *map(count, counts)])
