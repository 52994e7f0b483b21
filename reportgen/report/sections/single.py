"""One network's confusion matrix and gallery, as a handout has them: to be read, not explained."""

from __future__ import annotations

import json

from reportgen.analysis import galleries as choice
from reportgen.report.document import Context, Reference
from reportgen.report.sections.confused import Confused
from reportgen.report.sections.confusion import Confusions, key
from reportgen.report.sections.galleries import Block, Galleries, block_of, explained
from reportgen.report.sections.matrices import unexplained
from reportgen.report.sections.pairs import worst
from reportgen.words import tr


def most_mistaken(context: Context) -> str | None:
    """Name the variant whose shown training makes most mistakes: there is most to be read in them."""
    wrong = {name: int((~choice.right(one)).sum()) for name, one in context.trainings.items()}
    return max(wrong, key=lambda name: wrong[name]) if wrong else None


def _which(context: Context, name: str) -> str:
    chosen, seeds = len(context.trainings) > 1, context.protocol.seeds > 1
    if chosen and seeds:
        return tr(
            "Shown is {variant} (its first finished seed), which makes most mistakes of all.", variant=name
        )
    if chosen:
        return tr("Shown is {variant}, which makes most mistakes of all.", variant=name)
    if seeds:
        return tr("Shown is {variant} (its first finished seed).", variant=name)
    return tr("Shown is {variant}.", variant=name)


def one_matrix(context: Context) -> Confusions:
    """Show one confusion matrix and leave it to be read; a table of pairs where it has no room."""
    name = most_mistaken(context)
    if name is None:
        missing = (context.without_predictions([]),)
        return Confusions("", (), (), (), (), None, missing, linked=False)
    made = Confused(context)
    intro = _which(context, name)
    if not made.counted:
        pairs = worst(made, name)
        number = context.numbers.tables
        context.numbers.matrix = Reference(tr("See Table {number}.", number=number), f"table-{number}")
        return Confusions(intro, (), (pairs,), (), (), None, (), linked=False)
    explanation = tr(
        "Rows are true classes, columns predictions, numbers are counts. The more of its row a mistake is, "
        "the stronger its colour; the diagonal is left grey."
    )
    words = tr("How many test images of each class are called what.")
    matrices = (unexplained(made, name, words),)
    number = context.numbers.figures
    context.numbers.matrix = Reference(tr("See Figure {number}.", number=number), f"figure-{number}")
    return Confusions(f"{intro} {explanation}{key(made)}", matrices, (), (), (), None, (), linked=False)


def one_gallery(context: Context) -> Galleries:
    """Show hits and mistakes of the network whose confusion is shown."""
    name = most_mistaken(context)
    base = context.lab.baseline.name if context.lab.baseline else None
    blocks: tuple[Block, ...] = ()
    if name is not None and context.extent.tiles:
        blocks = (block_of(context, name, context.trainings[name], name == base),)
    missing = [context.left_out(), context.without_predictions([]) if name is None else ""]
    names = [context.class_name(n) for n in range(len(context.dataset.classes))]
    return Galleries(
        intro=explained() if blocks else "",
        variants=blocks,
        disagreement="",
        against=(),
        everyone=None,
        mistakes=(),
        mistakes_intro="",
        classes=json.dumps(names),
        missing=tuple(one for one in missing if one),
    )
