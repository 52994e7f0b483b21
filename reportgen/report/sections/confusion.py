"""What the networks confuse: a matrix for each, its difference to the baseline's, and pairs with pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.analysis import confusion as cells
from reportgen.analysis import galleries as choice
from reportgen.report import look
from reportgen.report.document import Caption, Context, Figure
from reportgen.report.sections.cells import anchor_of
from reportgen.report.studio import Order
from reportgen.report.tiles import Tile, not_kept
from reportgen.text import count, inert, listing, number_word, percent, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

MATRICES_IN_PAIRS = 4  # more of them stand three in a row
WORST_PAIRS = 20  # of more classes than a matrix has room for
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
LEAST_SCALE = 5  # images: a difference of one is never strongly coloured
PAIR_NAME = 18  # characters of a class's name in a table of pairs
BAR = 40  # pixels of the longest bar beside a pair


@dataclass(frozen=True)
class Cell:
    """One cell of a confusion table: `share` of the darkest colour, `href` where its images stand."""

    text: str
    kind: str  # right, none or wrong: a class of the style sheet
    share: str = ""
    href: str = ""
    words: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a confusion table."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Counts:
    """A confusion matrix as a table, for the screen."""

    variant: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: drawn, and as a table."""

    figure: Figure
    counts: Counts


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


def confusion(context: Context) -> Confusions:
    """Draw each variant's confusion, all on one colour scale, and show what is confused most."""
    made = _Making(context)
    if not made.frames:
        return Confusions("", (), (), (), (), None, (context.without_predictions([]),))
    few = made.counted
    matrices = tuple(_matrix(made, name) for name in made.frames) if few else ()
    worst = () if few else tuple(_worst(made, name) for name in made.frames)
    differences = _differences(made) if few else ()
    pairs = _pairs(context)
    caption = _pairs_caption(context, pairs) if pairs else None
    return Confusions(
        _intro(made), matrices, worst, differences, pairs, caption, _missing(made, bool(differences))
    )


def order_ahead(context: Context) -> None:
    """Order the matrices of the variants that are finished, as they will be if the others do well too."""
    made = _Making(context)
    if made.counted:
        width = made.width_for(len(context.lab.variants))
        for frame in made.frames.values():
            _ordered(made, frame, width)


@dataclass(frozen=True)
class _Making:
    """What all parts of the section are made from."""

    context: Context

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame]:
        """Give the confusion of the training that is shown of each variant."""
        results = self.context.results
        return {name: cells.of_training(results, name, seed) for name, seed in self.context.shown()}

    @cached_property
    def darkest(self) -> float:
        """Choose the share that takes the darkest colour: a round one, which a further variant may keep."""
        largest = max((cells.largest_share(one) for one in self.frames.values()), default=0.0)
        return next(step for step in SHARES if step >= largest)

    @property
    def base(self) -> str | None:
        """Name the baseline, if it has predictions."""
        base = self.context.lab.baseline
        return base.name if base and base.name in self.frames else None

    @property
    def compared(self) -> list[str]:
        """List the variants that stand against the baseline."""
        return [name for name in self.frames if name != self.base] if self.base else []

    @property
    def counted(self) -> bool:
        """Tell whether a matrix has room for all classes."""
        return len(self.context.dataset.classes) <= look.CLASSES_COUNTED

    @cached_property
    def axis_names(self) -> tuple[str, ...]:
        """Give the classes' names, or numbers where the charts' type cannot write one of the names."""
        classes = self.context.dataset.classes
        if all(look.can_draw(inert(name).replace("\n", " ")) for name in classes):
            return classes
        return tuple(str(n) for n in range(len(classes)))

    @property
    def wide(self) -> bool:
        """Tell whether the classes are too many, or their names too long, for a third of the page."""
        classes = self.context.dataset.classes
        return len(classes) > 12 or max(len(name) for name in classes) > 5

    def width_for(self, matrices: int) -> float:
        """Choose the width of each of several matrices."""
        return look.HALF if matrices <= MATRICES_IN_PAIRS or self.wide else look.THIRD

    def named(self, variant: str) -> str:
        """Name a variant, with its seed where there are several."""
        if self.context.protocol.seeds == 1:
            return variant
        return f"{variant}, seed {dict(self.context.shown())[variant]}"

    def href(self, variant: str, label: int, predicted: int) -> str:
        """Give the link to a cell's images; empty where they are not shown."""
        shown = (variant, label, predicted) in self.context.cells_shown
        return f"#{anchor_of(variant, label, predicted)}" if shown else ""


def _intro(made: _Making) -> str:
    context = made.context
    if made.counted:
        intro = (
            "Rows are true classes, columns predictions, numbers are counts. Colour shows what share of its "
            f"row a mistake is, up to {percent(made.darkest, 0)} % in all matrices alike; the diagonal is "
            "left grey, so that mistakes, not hits, catch the eye."
        )
    else:
        intro = (
            f"With {len(context.dataset.classes)} classes, the pairs that are confused most say more than a "
            "matrix."
        )
    if made.counted and made.axis_names != context.dataset.classes:
        names = range(len(made.axis_names))
        key = listing([f"{n} {context.class_name(n)}" for n in names], most=len(names))
        intro += f" The numbers on the axes stand for the classes: {key}."
    if context.protocol.seeds > 1:
        intro += " Shown is one training of each variant, its first finished seed."
    return intro


def _missing(made: _Making, differences: bool) -> tuple[str, ...]:
    said = [made.context.without_predictions(list(made.frames))]
    if made.counted and not differences:
        said.append(f"Difference to the baseline: not applicable, because {_no_baseline(made)}.")
    return tuple(one for one in said if one)


def _no_baseline(made: _Making) -> str:
    base = made.context.lab.baseline
    if len(made.frames) == 1:
        return "only one network has predictions"
    if len(made.context.dataset.classes) < 2:
        return "there is only one class"
    return f"the baseline {base.name} has no predictions" if base else "the lab names no baseline"


# --- matrices ------------------------------------------------------------------------------------


def _matrix(made: _Making, variant: str) -> Matrix:
    context, frame = made.context, made.frames[variant]
    width = made.width_for(len(made.frames))
    chart = _ordered(made, frame, width)
    words, name = _in_words(context, frame), made.named(variant)
    alt = f"Confusion matrix of {name}. {words}"
    size = "half" if width == look.HALF else "third"
    figure = context.chart(chart, alt, f"{name}.", words, size, _behind(context, frame, ["count"]))
    return Matrix(figure, _counts(made, variant))


def _behind(context: Context, rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Give the cells of a chart as a table, with the classes' names."""
    names = {"true": "label", "predicted": "predicted"}
    cells = {name: [context.class_name(n) for n in rows[column]] for name, column in names.items()}
    return rows[columns].reset_index(drop=True).assign(**cells)[[*columns[:-1], *names, columns[-1]]]


def _in_words(context: Context, frame: pd.DataFrame) -> str:
    wrong = cells.mistakes(frame)
    mistakes = f"{count(wrong)} mistake{'s' if wrong != 1 else ''}"
    pairs = cells.pairs(frame).head(3)
    pairs = pairs[pairs["count"] > 1]
    if not wrong:
        return "No mistake."
    if pairs.empty:
        return f"{mistakes}, no pair more than once."
    rows = pairs[["label", "predicted", "count"]].to_dict("records")
    return f"{mistakes}; most often {listing([_taken_for(context, **row) for row in rows])}."


def _ordered(made: _Making, frame: pd.DataFrame, width: float) -> Order:
    return made.context.studio.order("confusion_matrix", frame, made.axis_names, made.darkest, width)


def _taken_for(context: Context, label: int, predicted: int, count: int | str) -> str:
    return f"{_quoted(context, label)} taken for {_quoted(context, predicted)} ({count})"


def _quoted(context: Context, label: int) -> str:
    name = context.class_name(label)
    return f"“{name}”" if " " in name else name


def _counts(made: _Making, variant: str) -> Counts:
    frame = made.frames[variant]
    shares = (cells.shares(frame) / max(made.darkest, 1e-9)).clip(upper=1)
    rows: dict[int, list[Cell]] = {}
    for (label, predicted, n), share in zip(frame.itertuples(index=False), shares, strict=True):
        rows.setdefault(label, []).append(_count(made, (variant, label, predicted), n, share))
    names = tuple(made.context.class_name(label) for label in rows)
    return Counts(variant, names, tuple(Row(names[label], tuple(row)) for label, row in rows.items()))


def _count(made: _Making, cell: tuple[str, int, int], n: int, share: float) -> Cell:
    _, label, predicted = cell
    if label == predicted:
        return Cell(str(n), "right")
    if not n:
        return Cell("", "none")
    names = made.context.class_name(label), made.context.class_name(predicted)
    words = f"{n}: {names[0]} taken for {names[1]}"
    return Cell(str(n), "wrong", f"{share:.2f}", made.href(*cell), words)


# --- many classes --------------------------------------------------------------------------------


def _worst(made: _Making, variant: str) -> Worst:
    context, frame = made.context, made.frames[variant]
    pairs = cells.pairs(frame)
    shown = pairs.head(WORST_PAIRS)
    wrong = cells.mistakes(frame)
    text = f"{count(wrong)} mistake{'s' if wrong != 1 else ''} in {count(len(pairs))} pairs of classes"
    text += f"; the {WORST_PAIRS} most frequent." if len(pairs) > len(shown) else "."
    against = variant in made.compared
    if against:
        text += f" Last column: more or fewer than {made.base}."
        difference = cells.difference(made.frames[str(made.base)], frame)
        shown = shown.merge(difference, on=cells.CELL)
    longest = int(shown["count"].max()) if len(shown) else 1
    rows = tuple(_pair(made, variant, row, longest) for row in shown.to_dict("records"))
    return Worst(variant, context.table(f"{made.named(variant)}.", text), rows, against)


def _pair(made: _Making, variant: str, row: dict[str, int], longest: int) -> Pair:
    context, label, predicted = made.context, row["label"], row["predicted"]
    return Pair(
        true=inert(context.dataset.classes[label], PAIR_NAME),
        predicted=inert(context.dataset.classes[predicted], PAIR_NAME),
        count=count(row["count"]),
        bar=round(BAR * row["count"] / longest, 1),
        against=signed(row["difference"], 0) if "difference" in row else "",
        href=made.href(variant, label, predicted),
    )


# --- the difference to the baseline --------------------------------------------------------------


def _differences(made: _Making) -> tuple[Figure, ...]:
    """Draw, for each variant, in which cells it has more or fewer images than the baseline."""
    if not made.compared or len(made.context.dataset.classes) < 2:
        return ()
    base = made.frames[str(made.base)]
    parts = [cells.difference(base, made.frames[name]).assign(variant=name) for name in made.compared]
    frame = pd.concat(parts, ignore_index=True)
    wrong = frame[frame["label"] != frame["predicted"]]
    most = max(int(wrong["difference"].abs().max()), LEAST_SCALE)
    panels = len(made.compared)
    size = ceil(panels / ceil(panels / look.PANELS_IN_A_FIGURE))  # no figure has one panel left over
    pages = [made.compared[n : n + size] for n in range(0, panels, size)]
    return tuple(_difference(made, frame, most, page, n == 0) for n, page in enumerate(pages))


def _difference(
    made: _Making, frame: pd.DataFrame, most: int, panels: Sequence[str], is_first: bool
) -> Figure:
    context = made.context
    rows = frame[frame["variant"].isin(panels)].reset_index(drop=True)
    # The diagonal is not shown: how many more are right makes no other chart.
    rows.loc[rows["label"] == rows["predicted"], "difference"] = 0
    columns = min(len(panels), 2 if made.wide else 3)
    chart = context.studio.order("confusion_differences", rows, list(panels), made.axis_names, most, columns)
    said = _largest_change(context, rows)
    words = f"Fewer mistakes than the baseline makes are blue, more are orange. {said}" if is_first else said
    if is_first:
        words += " Each network is one training here: a few images more or fewer can be chance."
    alt = f"Difference of each confusion matrix to that of the baseline {made.base}. {said}"
    width = "half" if columns == 1 else "whole"
    behind = _behind(context, rows, ["variant", "difference"])
    return context.chart(chart, alt, f"Difference to {made.base}.", words, width, behind)


def _largest_change(context: Context, rows: pd.DataFrame) -> str:
    """Name the cells that changed most in each direction."""
    wrong = rows[rows["label"] != rows["predicted"]].sort_values(
        ["difference", "label", "predicted"], kind="stable"
    )
    fewest, most = wrong.iloc[0], wrong.iloc[-1]
    said = []
    for row, way in ((fewest, "fewer"), (most, "more")):
        n = int(row["difference"])
        if (n < 0) == (way == "fewer") and n:
            name = _taken_for(context, int(row["label"]), int(row["predicted"]), f"{abs(n)} {way}")
            said.append(f"{name} by {row['variant']}")
    return f"Furthest apart: {listing(said)}." if said else "No cell differs."


# --- pairs with pictures -------------------------------------------------------------------------


def _pairs(context: Context) -> tuple[PairPictures, ...]:
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
    times = f"{count(row['count'])} times"
    words = times if networks == 1 else f"{times}, by {row['variants']} of {networks} networks"
    return PairPictures(
        context.class_name(row["label"]),
        context.class_name(row["predicted"]),
        words,
        tiles,
        not_kept(len(chosen) - len(there), len(chosen)),
    )


def _pairs_caption(context: Context, pairs: Sequence[PairPictures]) -> Caption:
    several = len(context.trainings) > 1
    who = "all networks together confuse" if several else "the network confuses"
    many = f"The {number_word(len(pairs))} pairs" if len(pairs) > 1 else "The pair"
    text = f"{many} of classes that {who} most often, with the images on which "
    text += (
        "most networks make that mistake; beneath, how many do, " if several else "it was surest; beneath, "
    )
    text += "the highest probability given to it and the image's index."
    return context.drawn("What is taken for what.", text)
