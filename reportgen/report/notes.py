"""An instructor's notes, set before and after the sections of one edition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reportgen.report.prose import Block, blocks
from reportgen.words import tr

if TYPE_CHECKING:
    from reportgen.lab import Lab


@dataclass(frozen=True)
class SetNote:
    """A note, ready to be set; one on teaching has a `lead`, which it begins with."""

    blocks: tuple[Block, ...]
    lead: str


@dataclass(frozen=True)
class SetNotes:
    """The notes in one section."""

    before: tuple[SetNote, ...] = ()
    after: tuple[SetNote, ...] = ()


def notes_of(lab: Lab, edition: str) -> dict[str, SetNotes]:
    """Set the notes that an edition has, and no other, by the sections in which they stand."""
    made: dict[str, SetNotes] = {}
    for one in lab.notes:
        if one.stands_in(edition):
            lead = tr("For teaching.") if one.for_teaching else ""
            there = made.get(one.section, SetNotes())
            both = (*getattr(there, one.place), SetNote(blocks(one.text), lead))
            made[one.section] = replace(there, **{one.place: both})
    return made
