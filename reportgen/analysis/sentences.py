"""How sentences are made of parts: several clauses in one, and why something cannot be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportgen.text import count
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

# Translators: {why} is a clause without a full stop, such as "no training was finished"
SENTENCE = mark("Not applicable, because {why}.")
# Translators: {why} is a clause without a full stop, such as "no training was finished"
NOTE = mark("not applicable, because {why}")


def not_applicable(why: str) -> str:
    """Say as a sentence that there is nothing to say, and why."""
    return tr(SENTENCE, why=why)


def noted(why: str) -> str:
    """Say the same as a note in a frame."""
    return tr(NOTE, why=why)


def reason(said: str) -> str:
    """Give the reason that not_applicable() or noted() was told, in the language in which it was."""
    for message in (SENTENCE, NOTE):
        before, after = tr(message).split("{why}")
        if said.startswith(before):
            return said.removeprefix(before).removesuffix(after)
    return said


def ended(clause: str) -> str:
    """End a sentence."""
    # Translators: only the full stop
    return tr("{clause}.", clause=clause)


def together(clauses: Sequence[str], most: int) -> str:
    """Write clauses one after the other; of more than `most`, how many more there are."""
    shown = tr("; ").join(clauses[:most])
    more = len(clauses) - most
    return tr("{clauses}; and {n} more", clauses=shown, n=count(more)) if more > 0 else shown


def against(one: str, other: str) -> str:
    """Name two networks, the first against the second."""
    return tr("{one} against {other}", one=one, other=other)
