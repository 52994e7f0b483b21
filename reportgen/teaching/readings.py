"""Exercises that come after the results: reading them, and the lab's own questions."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import TYPE_CHECKING

from reportgen.analysis import confusion as cells
from reportgen.analysis.scores import shown_seed
from reportgen.lab.prose import parse
from reportgen.teaching.exercises import AFTER, BEFORE, CONFUSION, LINES_FOR_WORDS, Answer, Exercise
from reportgen.teaching.worked import Line
from reportgen.text import inert, listing, percent
from reportgen.words import tr, trn

if TYPE_CHECKING:
    import pandas as pd

    from reportgen.teaching.drawing_lots import Lots
    from reportgen.teaching.exercises import Source

CLASSES_READ = 20  # more have no matrix to be read
CLASS_NAME = 24
LINES_BELOW_A_TABLE = 2
ENOUGH = 3  # mistakes, for the question to be worth asking


def confusion(lots: Lots, source: Source) -> Exercise | None:
    """Ask what a confusion matrix says; None where no network has one that is worth reading."""
    results, shown = source.results, source.shown
    classes = results.record.dataset.classes
    if shown is None or not 2 <= len(classes) <= CLASSES_READ:
        return None
    frame = cells.of_training(results, shown, shown_seed(results, shown) or 1)
    asked = _worth_asking(frame)
    if cells.mistakes(frame) < ENOUGH or not asked:
        return None
    one, other = lots.in_turn(list(permutations(asked, 2)) or [(asked[0], asked[0])])
    names = [_quoted(inert(name, CLASS_NAME)) for name in classes]
    return Exercise(
        kind=CONFUSION,
        stands=AFTER,
        title=tr("Read a confusion matrix"),
        text=tr(
            "Look at the confusion matrix of `{variant}`. Which class is taken for which other one most "
            "often? What share of the images of class {label} is recognised (recall)? What share of the "
            "images that are called {predicted} is of that class (precision)?",
            variant=shown,
            label=names[one],
            predicted=names[other],
        ),
        lines=LINES_FOR_WORDS,
        answer=Answer(
            text=_most(frame, names),
            work=(_recall(frame, one, names[one]), _precision(frame, other, names[other])),
            notes=tr(
                "Recall goes along a row, precision down a column: whoever mixes them up divides by the "
                "wrong sum."
            ),
        ),
    )


def _quoted(name: str) -> str:
    return tr("“{name}”", name=name) if " " in name else name


def _worth_asking(frame: pd.DataFrame) -> list[int]:
    """List the classes that are missed at times, and that something else is taken for at times."""
    wrong = frame[(frame["label"] != frame["predicted"]) & (frame["count"] > 0)]
    return sorted(set(wrong["label"]) & set(wrong["predicted"]))


def _most(frame: pd.DataFrame, names: list[str]) -> str:
    pairs = cells.pairs(frame)
    top = pairs[pairs["count"] == pairs["count"].iloc[0]]
    said = [
        tr("{label} for {predicted}", label=names[row.label], predicted=names[row.predicted])
        for row in top.itertuples()
    ]
    n = int(top["count"].iloc[0])
    if len(said) == 1:
        return trn(
            "Most often it takes {pair}: {n} image.",
            "Most often it takes {pair}: {n} images.",
            n,
            pair=said[0],
            n=n,
        )
    return trn(
        "Most often it takes {pairs}: {n} image each.",
        "Most often it takes {pairs}: {n} images each.",
        n,
        pairs=listing(said),
        n=n,
    )


def _share(words: str, hits: int, total: int) -> Line:
    return Line(words, f"[{hits} | {total}] = {percent(hits / total, 1)} %")


def _recall(frame: pd.DataFrame, label: int, name: str) -> Line:
    row = frame[frame["label"] == label]
    hits = int(row["count"][row["predicted"] == label].sum())
    return _share(tr("recall of {label}, along its row", label=name), hits, int(row["count"].sum()))


def _precision(frame: pd.DataFrame, label: int, name: str) -> Line:
    column = frame[frame["predicted"] == label]
    hits = int(column["count"][column["label"] == label].sum())
    return _share(tr("precision of {label}, down its column", label=name), hits, int(column["count"].sum()))


def _lines(text: str) -> int:
    """Choose the room to write below a question; a table with empty cells has room in itself."""
    tokens = parse(text) if "|" in text else []
    cells = pairwise(tokens)
    blank = any(cell.type == "td_open" and not inside.content for cell, inside in cells)
    return LINES_BELOW_A_TABLE if blank else LINES_FOR_WORDS


def own(source: Source) -> list[Exercise]:
    """Give the lab's own questions."""
    return [
        Exercise(
            kind="own",
            stands=BEFORE if one.place == "before" else AFTER,
            title=one.title,
            text=one.text,
            answer=Answer(one.answer, notes=one.notes),
            lines=_lines(one.text) if one.lines is None else one.lines,
            markdown=True,
        )
        for one in source.lab.exercises
    ]
