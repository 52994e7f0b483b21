"""A report as data: what stands in it, numbered, before any template sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reportgen.analysis import galleries
from reportgen.analysis.scores import shown_seed
from reportgen.analysis.telling import Telling, telling
from reportgen.report.attachments import Attachment, attachments
from reportgen.report.brand import Brand
from reportgen.report.files import File, Rows, csv_file, first_rows
from reportgen.report.images import data_uri
from reportgen.report.pdf import Extras
from reportgen.report.tiles import Extent, Pictures, that_fit
from reportgen.text import count, listing, number_word, volume
from reportgen.words import tr, trn

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from reportgen.analysis.frames import Analysis
    from reportgen.analysis.scores import Leaderboard
    from reportgen.lab import Lab, Protocol
    from reportgen.report.notes import SetNotes
    from reportgen.report.studio import Order, Studio
    from reportgen.results import DatasetRecord, Results


@dataclass(frozen=True)
class Figure:
    """A numbered figure: a chart with its caption and what it shows in words.

    `data` holds the rows that the chart was drawn from, their columns named for a reader.
    """

    number: int
    chart: Order
    alt: str
    lead: str
    caption: str
    width: str = "whole"  # or half, third: a class of the style sheet
    data: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    refers: str = ""  # the anchor of the figure or table that the caption names

    @property
    def uri(self) -> str:
        """Give the chart as a data URI; waits until it is drawn. Raises RenderError."""
        return data_uri(self.chart.svg(), "image/svg+xml")

    @cached_property
    def file(self) -> File | None:
        """Give what the chart shows as a file; None where the figure has no rows."""
        if self.data is None:
            return None
        return csv_file(self.data, f"Figure {self.number} {self.lead}")

    @cached_property
    def rows(self) -> Rows | None:
        """Give the first rows of what the chart shows, in words; None where it has none."""
        return None if self.data is None else first_rows(self.data)


@dataclass(frozen=True)
class Caption:
    """The number and words of a table, or of a figure that a template draws itself."""

    number: int
    lead: str
    text: str


@dataclass(frozen=True)
class Reference:
    """Words that name a figure or a table, and its anchor."""

    text: str
    anchor: str


class Numbers:
    """Hand out the numbers of figures and tables, in the order in which they stand."""

    def __init__(self) -> None:
        self.figures = 0
        self.tables = 0
        self.matrix: Reference | None = None  # to the one confusion matrix that a handout shows

    def figure(self) -> int:
        """Give the next figure's number."""
        self.figures += 1
        return self.figures

    def table(self) -> int:
        """Give the next table's number."""
        self.tables += 1
        return self.tables


@dataclass(frozen=True)
class Context:
    """What every section is made from."""

    results: Results
    board: Leaderboard
    numbers: Numbers
    studio: Studio
    analysis: Analysis = field(default_factory=dict)
    extent: Extent = field(default_factory=Extent)
    all_mistakes: bool = True  # whether the HTML shows every mistake, cell by cell
    sheet: int = 1  # of exercises
    answers: bool = False  # whether the exercises have theirs
    asks: bool = False  # whether there are exercises, which ask how long an epoch takes

    @property
    def told(self) -> Telling:
        """Tell which variants can be told apart."""
        return telling(self.analysis["comparisons"], [one.variant for one in self.board.scored])

    @property
    def dataset(self) -> DatasetRecord:
        """Give what is known of the data set."""
        return self.results.record.dataset

    @property
    def lab(self) -> Lab:
        """Give the lab as it was run."""
        return self.results.record.lab

    @property
    def protocol(self) -> Protocol:
        """Give the protocol as it was run."""
        return self.lab.protocol

    def class_name(self, label: int) -> str:
        """Give a class's name, short enough to stand under an image."""
        return self.pictures.name(label)

    @cached_property
    def pictures(self) -> Pictures:
        """Give the test images that the run has kept."""
        return Pictures(self.results.images, self.dataset.classes)

    @cached_property
    def trainings(self) -> galleries.Trainings:
        """Give the predictions of the training that is shown of each variant."""
        return galleries.trainings_shown(self.results)

    @cached_property
    def mistakes_shown(self) -> pd.DataFrame:
        """List the mistakes that the HTML shows cell by cell: all, or a fair choice where room is short."""
        rows = galleries.fairly(galleries.mistakes(self.trainings))
        return that_fit(rows, self.pictures, self.extent.mistakes if self.all_mistakes else 0)

    @cached_property
    def cells_shown(self) -> frozenset[tuple[str, int, int]]:
        """Give the variant, true and predicted class of each cell that has a place of its own in the HTML."""
        rows = self.mistakes_shown
        return frozenset(zip(rows["variant"], rows["label"], rows["predicted"], strict=True))

    @cached_property
    def attached(self) -> tuple[Attachment, ...]:
        """Give the frames that the PDF carries as files."""
        return attachments(self.results, self.analysis)

    def shown(self) -> list[tuple[str, int]]:
        """List the variants that have predictions, with the seed that is shown."""
        seeds = ((name, shown_seed(self.results, name)) for name in self.results.variants)
        return [(name, seed) for name, seed in seeds if seed is not None]

    def left_out(self) -> str:
        """Say what galleries do not show so that the report fits a size; empty where nothing is left out."""
        extent, whole = self.extent, Extent()
        if not extent.limit or not self.trainings:
            return ""
        said = []
        rows = galleries.fairly(galleries.mistakes(self.trainings))
        fewer = len(self.mistakes_shown) < len(that_fit(rows, self.pictures, whole.mistakes))
        if self.all_mistakes and fewer:
            shown, n = len(self.mistakes_shown), count(len(rows))
            said.append(
                tr(
                    "{shown} of the {all} mistakes of all networks cell by cell",
                    shown=count(shown),
                    all=n,
                )
                if shown
                else tr("none of the {all} mistakes of all networks cell by cell", all=n)
            )
        if extent.tiles < whole.tiles:
            said.append(
                trn(
                    "at most one image in a gallery",
                    "at most {number} images in a gallery",
                    extent.tiles,
                    number=number_word(extent.tiles),
                )
                if extent.tiles
                else tr("no galleries")
            )
        if not said:
            return ""
        size = volume(extent.limit)
        return tr("To stay below {size}, this report shows {what}.", size=size, what=listing(said))

    def without_predictions(self, shown: list[str]) -> str:
        """Say which variants cannot be shown, and why; empty where all can."""
        left = [name for name in self.results.variants if name not in shown]
        if not left:
            return ""
        return trn(
            "Not applicable to {networks}, because it has no predictions.",
            "Not applicable to {networks}, because they have no predictions.",
            len(left),
            networks=listing(left),
        )

    def chart(
        self,
        chart: Order,
        alt: str,
        lead: str,
        caption: str,
        width: str = "whole",
        data: pd.DataFrame | None = None,
    ) -> Figure:
        """Number a chart."""
        return Figure(self.numbers.figure(), chart, alt, lead, caption, width, data)

    def table(self, lead: str, text: str) -> Caption:
        """Number a table."""
        return Caption(self.numbers.table(), lead, text)

    def drawn(self, lead: str, text: str) -> Caption:
        """Number a figure that a template draws."""
        return Caption(self.numbers.figure(), lead, text)


@dataclass(frozen=True)
class Section:
    """One section: `template` renders `body`, between the instructor's notes."""

    number: int
    anchor: str
    title: str
    body: Any  # None where it has nothing but notes
    notes: SetNotes

    @property
    def template(self) -> str:
        """Name the partial that renders the section."""
        return f"sections/{self.anchor}.html.jinja"


@dataclass(frozen=True)
class Document:
    """The whole report."""

    title: str
    full_title: str  # with what edition it is
    course: str
    running_title: str
    running_course: str
    subtitle: str
    description: str
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    figures: int
    tables: int
    grey: bool  # whether the test images have no colours
    left_out: str = ""  # to fit a size
    paper: str = "a4"  # or letter
    language: str = "en"
    signed: bool = False  # whether there is room for a student's name
    brand: Brand | None = None
    date: datetime | None = None  # of the documents: that of the run, or SOURCE_DATE_EPOCH
    attached: tuple[Attachment, ...] = ()  # to the PDF

    @property
    def extras(self) -> Extras:
        """Give what the PDF has beside its pages, and how many figures and tables it must have."""
        return Extras(self.attached, self.date, self.figures, self.tables)
