"""What a figure shows as a CSV file inside the page: a link that needs neither a script nor a network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from reportgen.report.images import data_uri
from reportgen.text import count, inert, localized
from reportgen.words import mark, tr, trc

if TYPE_CHECKING:
    from collections.abc import Hashable

# A cell that begins so is a formula to a spreadsheet: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LONGEST_NAME = 48
ROWS = 40  # of a chart's data that a table shows
LONGEST_CELL = 80
# What the frames call their columns, as headings of a table; sections give other columns names of their own.
COLUMNS = (
    mark("class"),
    mark("confidence"),
    mark("count"),
    mark("lower"),
    mark("metric"),
    mark("n"),
    mark("seed"),
    mark("split"),
    mark("upper"),
    mark("value"),
)
# The columns whose values are words of ours.
SAID = {
    "metric": (mark("recall"), mark("precision"), mark("f1")),
    "split": (mark("train"), mark("validation")),
    "moved": (mark("left"), mark("right"), mark("top"), mark("bottom")),
}
DIGITS = 6  # significant ones, of numbers that are not whole


@dataclass(frozen=True)
class File:
    """A file inside the page: what it is to be called, and its content as a data URI."""

    name: str
    uri: str


def csv_file(frame: pd.DataFrame, title: str) -> File:
    """Make a CSV file of a frame's columns, called after a title."""
    return File(f"{slug(title)}.csv", data_uri(to_csv(frame).encode(), "text/csv;charset=utf-8"))


def to_csv(frame: pd.DataFrame) -> str:
    """Write a frame's columns, without its index: numbers are short, and no text is taken for a formula."""
    # By place, for two names may become one.
    columns = {place: _column(column) for place, (_, column) in enumerate(frame.items())}
    names = [_text(name) for name in frame.columns]
    made = pd.DataFrame(columns)
    return str(made.to_csv(index=False, header=names, float_format=short, lineterminator="\n"))


@dataclass(frozen=True)
class Rows:
    """The first rows of a frame in words, as a table on screen; `said` tells of those that are left out."""

    headings: tuple[tuple[str, bool], ...]  # and whether the column has numbers
    cells: tuple[tuple[str, ...], ...]
    said: str


def first_rows(frame: pd.DataFrame, most: int = ROWS) -> Rows:
    """Write the first rows of a frame for a reader, with a dash for what is missing."""
    for name in SAID.keys() & set(frame.columns):
        frame = frame.assign(**{name: frame[name].map(lambda value: tr(str(value)))})
    numeric = [is_numeric_dtype(column) and not is_bool_dtype(column) for _, column in frame.items()]
    names = (inert(tr(str(name)), LONGEST_CELL) for name in frame.columns)
    left = len(frame) - most
    said = tr("All rows, as in the CSV file.")
    if left > 0:
        rows = count(len(frame))
        said = tr("The first {n} of {rows} rows; the CSV file has all of them.", n=most, rows=rows)
    cells = (tuple(_cell(value) for value in row) for row in frame.head(most).itertuples(index=False))
    return Rows(tuple(zip(names, numeric, strict=True)), tuple(cells), said)


def _cell(value: Any) -> str:
    if pd.isna(value):
        return "–"
    if isinstance(value, (bool, np.bool_)):
        return tr("yes") if value else trc("not so", "no")
    if isinstance(value, (int, float, np.number)):
        return localized(short(float(value)).replace("-", "−"))
    return inert(value, LONGEST_CELL)


def short(value: float) -> str:
    """Write a number: whole ones whole, others with six significant digits, large ones with one decimal."""
    if value.is_integer():
        return f"{value + 0.0:.0f}"  # a zero without a sign
    return f"{value:.{DIGITS}g}" if abs(value) < 10 ** (DIGITS - 1) else f"{value:.1f}"


def slug(title: str) -> str:
    """Turn a title into a file's name, without its ending: of small letters, digits and dashes."""
    plain = "-".join(re.findall("[a-z0-9]+", title.lower()))
    return plain[:LONGEST_NAME].strip("-") or "data"


def _column(column: pd.Series) -> pd.Series:
    if is_numeric_dtype(column):  # and truth values, which it counts among them
        return column
    return column.astype(object).map(_text, na_action="ignore")


def _text(value: Hashable) -> str:
    text = inert(value)
    return f"'{text}" if text.startswith(FORMULA) else text
