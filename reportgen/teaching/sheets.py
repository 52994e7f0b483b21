"""All exercises of a sheet, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain
from math import prod

from reportgen.arithmetic import BYTES
from reportgen.lab import trace_variant
from reportgen.layers import times
from reportgen.teaching import predictions, readings
from reportgen.teaching.drawing_lots import Lots
from reportgen.teaching.exercises import AFTER, Exercise, Source
from reportgen.text import count
from reportgen.words import ENGLISH, speaking

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

    An exercise that a lab or run gives no occasion for is left out; the lab's own come last, before and after
    the results. What is to be filled in stands nowhere else on the sheet, and in none of the lab's tables of
    layers.
    """
    made = _drawn(source, _seed(source, number), number) + readings.own(source)
    return sorted(made, key=lambda one: one.stands == AFTER)


def _seed(source: Source, number: int) -> str:
    """Find what gives nothing away; in English, so that a sheet is the same in every language."""
    seeds = [f"{source.lab.name}/{number}/{attempt}" for attempt in range(TRIES)]
    with speaking(ENGLISH):
        shown = _shown(source)
        return next((one for one in seeds if not _given_away(_drawn(source, one, number), shown)), seeds[-1])


def _drawn(source: Source, seed: str, number: int) -> list[Exercise]:
    # Each has lots of its own: one that is left out changes no other.
    made = [
        make(Lots(f"{seed}/{kind}", f"{source.lab.name}/{kind}", number - 1), source)
        for kind, make in EXERCISES.items()
    ]
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
    """List the shapes and counts of the lab's networks, and bytes: what the same document may say of them.

    They are worked out, so that a training that fails leaves the sheet as it is; a network of which only
    Keras knows the layers is looked up in the run.
    """
    data, lab = source.results.record.dataset, source.lab
    rows = [row for one in lab.variants for row in trace_variant(one, data.image_shape, len(data.classes))]
    shapes = [row.output_shape for row in rows]
    counts = [n for row in rows for n in (row.params, row.multiply_adds)]
    layers = source.results.layers
    built = layers[layers["variant"].isin([one.name for one in lab.variants if one.build])]
    shapes += [tuple(map(int, re.findall(r"\d+", text))) for text in built["output_shape"]]
    counts += [*built["params"], *built["multiply_adds"].dropna()]
    counts += list(map(prod, shapes))
    counts += [size * n for n in (*map(prod, shapes), *counts) for size in BYTES.values()]
    return _telling([*map(times, shapes), *map(count, counts)])
