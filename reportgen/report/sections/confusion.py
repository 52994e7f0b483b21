"""What the networks confuse: a matrix for each, its difference to the baseline's, and pairs with pictures."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.report.document import Caption, Context, Figure
from reportgen.report.sections.confused import Confused
from reportgen.report.sections.matrices import Matrix, differences, matrix, ordered
from reportgen.report.sections.pairs import PairPictures, Worst, pictured, pictures_caption, worst
from reportgen.text import listing, percent
from reportgen.words import tr


@dataclass(frozen=True)
class Confusions:
    """All that is said of confusion."""

    intro: str
    matrices: tuple[Matrix, ...]
    worst: tuple[Worst, ...]
    differences: tuple[Figure, ...]
    pairs: tuple[PairPictures, ...]
    pairs_caption: Caption | None
    missing: tuple[str, ...]
    linked: bool = True  # whether a count leads to the images that it counts


def confusion(context: Context) -> Confusions:
    """Draw each variant's confusion, all on one colour scale, and show what is confused most."""
    made = Confused(context)
    if not made.frames:
        return Confusions("", (), (), (), (), None, (context.without_predictions([]),))
    few = made.counted
    matrices = tuple(matrix(made, name) for name in made.frames) if few else ()
    tables = () if few else tuple(worst(made, name) for name in made.frames)
    compared = differences(made) if few else ()
    pairs = pictured(context)
    caption = pictures_caption(context, pairs) if pairs else None
    missing = _missing(made, bool(compared))
    return Confusions(_intro(made), matrices, tables, compared, pairs, caption, missing)


def order_ahead(context: Context) -> None:
    """Order the matrices of the variants that are finished, as they will be if the others do well too."""
    made = Confused(context)
    if made.counted:
        width = made.width_for(len(context.lab.variants))
        for frame in made.frames.values():
            ordered(made, frame, width)


def _intro(made: Confused) -> str:
    context = made.context
    if made.counted:
        intro = tr(
            "Rows are true classes, columns predictions, numbers are counts, where there is room. Colour "
            "shows what share of its row a mistake is, up to {share} % in all matrices alike; the diagonal "
            "is left grey, so that mistakes, not hits, catch the eye.",
            share=percent(made.darkest, 0),
        )
    else:
        intro = tr(
            "With {classes} classes, the pairs that are confused most say more than a matrix.",
            classes=len(context.dataset.classes),
        )
    intro += key(made)
    if context.protocol.seeds > 1:
        intro += " " + tr("Shown is one training of each variant, its first finished seed.")
    return intro


def key(made: Confused) -> str:
    """Say what the numbers on the axes stand for, after a space; empty where the axes have the names."""
    context = made.context
    if not made.counted or made.axis_names == context.dataset.classes:
        return ""
    names = range(len(made.axis_names))
    classes = listing([f"{n} {context.class_name(n)}" for n in names], most=len(names))
    return " " + tr("The numbers on the axes stand for the classes: {classes}.", classes=classes)


def _missing(made: Confused, compared: bool) -> tuple[str, ...]:
    said = [made.context.without_predictions(list(made.frames))]
    if made.counted and not compared:
        said.append(_no_baseline(made))
    return tuple(one for one in said if one)


def _no_baseline(made: Confused) -> str:
    """Say why no matrix is set against the baseline's."""
    base = made.context.lab.baseline
    if len(made.frames) == 1:
        return tr("Difference to the baseline: not applicable, because only one network has predictions.")
    if len(made.context.dataset.classes) < 2:
        return tr("Difference to the baseline: not applicable, because there is only one class.")
    if not base:
        return tr("Difference to the baseline: not applicable, because the lab names no baseline.")
    return tr(
        "Difference to the baseline: not applicable, because the baseline {variant} has no predictions.",
        variant=base.name,
    )
