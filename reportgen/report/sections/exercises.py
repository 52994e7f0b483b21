"""Exercises, before and after the results; the instructor's have their answers."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.report.document import Context, Reference
from reportgen.report.prose import ARTICLE, Block, blocks, plain
from reportgen.report.sections.single import most_mistaken
from reportgen.report.sections.working import SetLine, set_lines
from reportgen.teaching.exercises import AFTER, BEFORE, CONFUSION, Answer, Blanks, Exercise, Source
from reportgen.teaching.sheets import sheet
from reportgen.text import inert
from reportgen.words import tr

LONGEST_TEXT = 4000


@dataclass(frozen=True)
class FillIn:
    """A table to be filled in: each row has what is given, then its blanks, which are "" for a student."""

    words: str
    headings: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


@dataclass(frozen=True)
class Solution:
    """What the instructor's edition has of an exercise beside it."""

    answer: tuple[Block, ...]
    work: tuple[SetLine, ...]
    notes: tuple[Block, ...]


@dataclass(frozen=True)
class SetExercise:
    """One exercise, ready to be set; `see` says where its figure is, `lines` is the room to write."""

    number: int
    title: str
    blocks: tuple[Block, ...]
    see: Reference | None
    tables: tuple[FillIn, ...]
    lines: int
    solution: Solution | None
    long: bool  # too long to be kept on one page


@dataclass(frozen=True)
class Exercises:
    """Some of the exercises of a sheet."""

    introduction: str
    exercises: tuple[SetExercise, ...]


def predictions(context: Context) -> Exercises:
    """Give what is to be answered before the results."""
    said = tr(
        "Answer these before you read on: the results that follow tell you what is right, and it is the "
        "surprise that teaches."
    )
    return Exercises(said, tuple(_set(n, one) for n, one in numbered(context) if one.stands == BEFORE))


def readings(context: Context) -> Exercises | None:
    """Give what is to be answered with the results at hand; None where there is nothing."""
    found = tuple(
        _set(n, one, context.numbers.matrix if one.kind == CONFUSION else None)
        for n, one in numbered(context)
        if one.stands == AFTER
    )
    return Exercises("", found) if found else None


def numbered(context: Context) -> list[tuple[int, Exercise]]:
    """List the sheet's exercises; only those of an edition with answers have any."""
    made = sheet(Source(context.results, most_mistaken(context)), context.sheet)
    return list(enumerate(made if context.answers else [one.unanswered for one in made], start=1))


def _set(number: int, one: Exercise, see: Reference | None = None) -> SetExercise:
    answer = one.answer
    return SetExercise(
        number=number,
        title=one.title,
        blocks=_words(one.text, one.markdown),
        see=see,
        tables=tuple(_fill_in(number, table, answer) for table in one.tables),
        lines=0 if answer else one.lines,
        solution=_solution(answer, one.markdown) if answer else None,
        long=len(one.text) > LONGEST_TEXT // 4,
    )


def _words(text: str, markdown: bool) -> tuple[Block, ...]:
    short = inert(text, LONGEST_TEXT)
    return blocks(short, ARTICLE) if markdown else plain(short)


def _fill_in(number: int, table: Blanks, answer: Answer | None) -> FillIn:
    nothing = ("",) * table.blank
    filled = answer.filled if answer and table.blank else (nothing,) * len(table.rows)
    words = tr("The layers of exercise {number}", number=number)
    return FillIn(words, table.headings, tuple(zip(table.rows, filled, strict=True)))


def _solution(answer: Answer, markdown: bool) -> Solution:
    text, notes = (_words(one, markdown) for one in (answer.text, answer.notes))
    return Solution(text, set_lines(answer.work), notes)
