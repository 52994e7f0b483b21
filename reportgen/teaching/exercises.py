"""A sheet of exercises: questions with their answers, generated from a lab and one of its runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reportgen.lab import Lab
    from reportgen.results import Results
    from reportgen.teaching.worked import Line

BEFORE, AFTER = "before", "after"  # the results stand between
CONFUSION = "confusion"  # the kind that is about the confusion matrix that a handout shows
LINES_FOR_WORDS = 5


@dataclass(frozen=True)
class Blanks:
    """A table to be filled in: `rows` have what is given, `headings` name these columns, then the blanks."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    blank: int = 0  # columns left to fill in


@dataclass(frozen=True)
class Answer:
    """What is right, in a sentence; what stands in the blanks; the working; and notes for who teaches it."""

    text: str
    filled: tuple[tuple[str, ...], ...] = ()
    work: tuple[Line, ...] = ()
    notes: str = ""


@dataclass(frozen=True)
class Exercise:
    """One exercise; a student's sheet has no `answer`. `code` between backticks in its text is code.

    `stands` says where it stands: before or after the results. `lines` is the room to write.
    `markdown` says whether its words are Markdown.
    """

    kind: str
    stands: str
    title: str
    text: str
    answer: Answer | None
    tables: tuple[Blanks, ...] = ()
    lines: int = 2
    markdown: bool = False

    @property
    def unanswered(self) -> Exercise:
        """Give the exercise as a student has it."""
        return replace(self, answer=None)


@dataclass(frozen=True)
class Source:
    """What exercises are made from: a lab and a run of it, and the variant whose confusion is shown."""

    results: Results
    shown: str | None

    @property
    def lab(self) -> Lab:
        """Give the lab as it was run."""
        return self.results.record.lab
