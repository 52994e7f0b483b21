"""The pairs of classes that are confused most: in a table, where a matrix has no room, and with pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen.analysis import confusion as cells
from reportgen.analysis import galleries as choice
from reportgen.report.tiles import Tile, not_kept
from reportgen.text import count, inert, number_word, signed
from reportgen.words import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportgen.report.document import Caption, Context
    from reportgen.report.sections.confused import Confused

WORST_PAIRS = 20  # of more classes than a matrix has room for
PAIR_NAME = 18  # characters of a class's name in a table of pairs
BAR = 40  # pixels of the longest bar beside a pair
# By whether there are several networks, and several pairs.
PICTURED = {
    (False, False): mark(
        "The pair of classes that the network confuses most often, with the images on which it was surest; "
        "beneath, the highest probability given to it and the image's index."
    ),
    (False, True): mark(
        "The {number} pairs of classes that the network confuses most often, with the images on which it was "
        "surest; beneath, the highest probability given to it and the image's index."
    ),
    (True, False): mark(
        "The pair of classes that all networks together confuse most often, with the images on which most "
        "networks make that mistake; beneath, how many do, the highest probability given to it and the "
        "image's index."
    ),
    (True, True): mark(
        "The {number} pairs of classes that all networks together confuse most often, with the images on "
        "which most networks make that mistake; beneath, how many do, the highest probability given to it "
        "and the image's index."
    ),
}


@dataclass(frozen=True)
class Pair:
    """One pair of classes that a network confuses, with a bar of its count, in pixels."""

    true: str
    predicted: str
    count: str
    bar: float
    against: str  # how many more than the baseline's
    href: str


@dataclass(frozen=True)
class Worst:
    """The pairs that one network confuses most, where there are too many classes for a matrix."""

    variant: str
    caption: Caption
    rows: tuple[Pair, ...]
    against: bool


@dataclass(frozen=True)
class PairPictures:
    """A pair that the networks confuse, with images."""

    true: str
    predicted: str
    words: str
    tiles: tuple[Tile, ...]
    note: str


def worst(made: Confused, variant: str) -> Worst:
    """List the pairs that a variant confuses most."""
    context, frame = made.context, made.frames[variant]
    pairs = cells.pairs(frame)
    shown = pairs.head(WORST_PAIRS)
    wrong = cells.mistakes(frame)
    text = _how_many(wrong, len(pairs), len(shown))
    against = variant in made.compared
    if against:
        text += " " + tr("Last column: more or fewer than {baseline}.", baseline=made.base)
        difference = cells.difference(made.frames[str(made.base)], frame)
        shown = shown.merge(difference, on=cells.CELL)
    longest = int(shown["count"].max()) if len(shown) else 1
    rows = tuple(_pair(made, variant, row, longest) for row in shown.to_dict("records"))
    return Worst(variant, context.table(tr("{sentence}.", sentence=made.named(variant)), text), rows, against)


def _how_many(wrong: int, pairs: int, shown: int) -> str:
    """Count a variant's mistakes, and the pairs of classes that they are of."""
    said = {"mistakes": count(wrong), "pairs": count(pairs)}
    if pairs > shown:
        return trn(
            "{mistakes} mistake in {pairs} pairs of classes; the {shown} most frequent.",
            "{mistakes} mistakes in {pairs} pairs of classes; the {shown} most frequent.",
            wrong,
            shown=shown,
            **said,
        )
    return trn(
        "{mistakes} mistake in {pairs} pairs of classes.",
        "{mistakes} mistakes in {pairs} pairs of classes.",
        wrong,
        **said,
    )


def _pair(made: Confused, variant: str, row: dict[str, int], longest: int) -> Pair:
    context, label, predicted = made.context, row["label"], row["predicted"]
    return Pair(
        true=inert(context.dataset.classes[label], PAIR_NAME),
        predicted=inert(context.dataset.classes[predicted], PAIR_NAME),
        count=count(row["count"]),
        bar=round(BAR * row["count"] / longest, 1),
        against=signed(row["difference"], 0) if "difference" in row else "",
        href=made.href(variant, label, predicted),
    )


# --- pairs with pictures -------------------------------------------------------------------------


def pictured(context: Context) -> tuple[PairPictures, ...]:
    """Show images of the pairs that all networks together confuse most, those that recur."""
    if not context.extent.tiles:
        return ()
    pairs = choice.confused_pairs(context.trainings)
    rows = pairs[pairs["count"] > 1].to_dict("records")
    return tuple(_pair_pictures(context, row) for row in rows)


def _pair_pictures(context: Context, row: dict[str, int]) -> PairPictures:
    networks = len(context.trainings)
    chosen = choice.examples(context.trainings, row["label"], row["predicted"])
    there = [one for one in chosen.to_dict("records") if one["index"] in context.pictures]
    tiles = tuple(context.pictures.example(one, networks) for one in there[: context.extent.tiles])
    words = tr("{n} times", n=count(row["count"]))
    if networks > 1:
        words = tr(
            "{n} times, by {some} of {all} networks",
            n=count(row["count"]),
            some=row["variants"],
            all=networks,
        )
    return PairPictures(
        context.class_name(row["label"]),
        context.class_name(row["predicted"]),
        words,
        tiles,
        not_kept(len(chosen) - len(there), len(chosen)),
    )


def pictures_caption(context: Context, pairs: Sequence[PairPictures]) -> Caption:
    """Say what the pictured pairs are."""
    text = tr(PICTURED[len(context.trainings) > 1, len(pairs) > 1], number=number_word(len(pairs)))
    return context.drawn(tr("What is taken for what."), text)
