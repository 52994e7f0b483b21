"""The editions of a run's document: which sections each has, in order, and what it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reportgen.report.document import Context
from reportgen.report.sections import SECTIONS
from reportgen.report.sections.caveats import caveats
from reportgen.report.sections.claims import claims
from reportgen.report.sections.curves import curves
from reportgen.report.sections.exercises import predictions, readings
from reportgen.report.sections.narrative import narrative
from reportgen.report.sections.networks import networks
from reportgen.report.sections.objectives import objectives
from reportgen.report.sections.single import one_gallery, one_matrix
from reportgen.report.sections.summary import summary
from reportgen.report.sections.working import working
from reportgen.words import mark, tr

Sections = Mapping[str, tuple[str, Callable[[Context], Any]]]


@dataclass(frozen=True)
class Edition:
    """One edition: `words` stand beside the course, `notes` beneath the title.

    `sheet` is the number of its sheet of exercises, `answers` says whether they have theirs, `attaches`
    whether its PDF carries the frames: an exercise may well ask for a number that stands in them. `signed`
    says whether there is room for a student's name.
    """

    name: str
    words: str
    sections: Sections = field(repr=False)
    all_mistakes: bool = False
    answers: bool = False
    attaches: bool = False
    signed: bool = False
    sheet: int = 1
    notes: tuple[str, ...] = ()

    def named(self, text: str) -> str:
        """Write beside a course or a description what this edition is; a report needs no saying."""
        if not self.words:
            return text
        words = tr(self.words)
        if self.sheet != 1:
            words = tr("{edition}, sheet {number}", edition=words, number=self.sheet)
        return f"{text} · {words}" if text else words


HANDOUT: Sections = {
    "objectives": (mark("What you will learn"), objectives),
    "narrative": (mark("What this lab is about"), narrative),
    "arithmetic": (mark("The arithmetic, step by step"), working),
    "predictions": (mark("Predict first"), predictions),
    "networks": (mark("The networks"), networks),
    "summary": (mark("What came out"), summary),
    "curves": (mark("How training went"), curves),
    "confusion": (mark("What one network confuses"), one_matrix),
    "galleries": (mark("Its hits and mistakes"), one_gallery),
    "readings": (mark("Look again"), readings),
}
INSTRUCTOR: Sections = {
    **HANDOUT,
    "claims": (mark("The lab's claims, put to the test"), claims),
    "caveats": (mark("What to keep in mind"), caveats),
}
NOT_FOR_STUDENTS = (
    mark(
        "Not for students: the handout with the answer after each exercise, in colour, and notes on teaching."
    ),
)

EDITIONS: dict[str, Edition] = {
    "report": Edition("report", "", SECTIONS, all_mistakes=True, attaches=True),
    "handout": Edition("handout", mark("Handout"), HANDOUT, signed=True),
    "instructor": Edition(
        "instructor", mark("Instructor's edition"), INSTRUCTOR, answers=True, notes=NOT_FOR_STUDENTS
    ),
}
REPORT = EDITIONS["report"]


def edition(name: str, sheet: int = 1) -> Edition:
    """Give an edition by its name, with a sheet of exercises."""
    return replace(EDITIONS[name], sheet=sheet)
