"""An instructor's notes before and after the sections of a document."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from reportgen.lab.fields import Strict, listed
from reportgen.lab.prose import Said

LONGEST_NOTE = 10_000
EditionName = Literal["report", "handout", "instructor"]
SectionName = Literal[
    "summary",
    "narrative",
    "comparisons",
    "claims",
    "curves",
    "tradeoffs",
    "networks",
    "scores",
    "calibration",
    "confusion",
    "galleries",
    "caveats",
    "appendix",
    "objectives",
    "arithmetic",
    "predictions",
    "readings",
]
_HANDOUT: tuple[SectionName, ...] = (
    "objectives",
    "narrative",
    "arithmetic",
    "predictions",
    "networks",
    "summary",
    "curves",
    "confusion",
    "galleries",
    "readings",
)
_IN_HANDOUTS_ALONE = {"objectives", "arithmetic", "predictions", "readings"}
_REPORT = tuple(name for name in get_args(SectionName) if name not in _IN_HANDOUTS_ALONE)
# The sections of each edition, in order.
SECTIONS_OF: dict[EditionName, tuple[SectionName, ...]] = {
    "report": _REPORT,
    "handout": _HANDOUT,
    "instructor": (*_HANDOUT, "claims", "caveats"),
}


class Note(Strict):
    """Words of the lab's own in a section of its documents, in Markdown."""

    section: SectionName = Field(description="The section in which it stands.")
    place: Literal["before", "after"] = Field(
        "after", description="Before what the section shows, below its heading, or after it."
    )
    text: Said = Field(
        min_length=1,
        max_length=LONGEST_NOTE,
        description="Markdown without images and HTML; links begin with https://, http:// or mailto:.",
    )
    editions: Annotated[tuple[EditionName, ...], Field(min_length=1), BeforeValidator(listed)] | None = Field(
        None,
        description='The editions that have it, such as ["instructor"] for a note on teaching; '
        "default: all that have the section.",
    )

    @model_validator(mode="after")
    def _has_its_place(self) -> Note:
        for name in self.editions or ():
            if self.section not in SECTIONS_OF[name]:
                raise ValueError(
                    f'edition "{name}" has no section "{self.section}", expected one of '
                    f"{', '.join(SECTIONS_OF[name])}"
                )
        return self

    def stands_in(self, edition: str) -> bool:
        """Tell whether an edition has the note."""
        return self.editions is None or edition in self.editions

    @property
    def for_teaching(self) -> bool:
        """Tell whether the instructor's edition alone has the note."""
        return self.editions is not None and set(self.editions) == {"instructor"}
