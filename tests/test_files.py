"""CSV files inside the page: what a spreadsheet makes of them, and what is left of the numbers."""

from __future__ import annotations

import base64
import csv
import io
import math

import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reportgen.report.files import FORMULA, csv_file, short, slug, to_csv
from reportgen.text import inert

DANGEROUS = st.builds(
    str.__add__, st.sampled_from([*FORMULA, "\x00=", "\u202e+", "'", '"', ",", ""]), st.text()
)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@example(texts=["="], name="\x1fn")
@given(st.lists(DANGEROUS, min_size=1, max_size=4), st.one_of(st.text(max_size=5), DANGEROUS))
def test_no_text_begins_as_a_formula_does_and_none_is_lost(texts: list[str], name: str) -> None:
    assume(name != "n")  # a frame has each column once
    kinds = (pd.Series(texts), pd.Series(texts, dtype="object"), pd.Series(texts, dtype="category"))
    for column in kinds:
        rows = read(to_csv(pd.DataFrame({name: column, "n": 1})))
        cells = [row[0] for row in rows]
        assert not any(cell.startswith(FORMULA) for cell in cells)
        for cell, text in zip(cells, [name, *texts], strict=True):
            assert inert(text) in (cell, cell[1:])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_keep_six_digits_and_their_sign(values: list[float]) -> None:
    rows = read(to_csv(pd.DataFrame({"v": values})))[1:]
    assert [float(row[0]) for row in rows] == pytest.approx(values, rel=5.1e-6)


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_stay_whole(value: int) -> None:
    assert read(to_csv(pd.DataFrame({"v": [value]})))[1] == [str(value)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (2.0, "2"), (-0.0123456789, "-0.0123457"), (1234567.89, "1234567.9"), (-0.0, "0")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_what_is_missing_is_an_empty_cell() -> None:
    frame = pd.DataFrame(
        {"text": ["a", None], "number": [math.nan, 1.5], "whole": pd.array([None, 3], "Int64")}
    )
    assert to_csv(frame) == "text,number,whole\na,,\n,1.5,3\n"


def test_a_file_is_named_after_its_title_and_holds_the_rows() -> None:
    made = csv_file(pd.DataFrame({"a": ["ü"]}), "Figure 3 Accuracy, by epoch & <b>.")
    assert made.name == "figure-3-accuracy-by-epoch-b.csv"
    kind, _, content = made.uri.partition(",")
    assert kind == "data:text/csv;charset=utf-8;base64"
    assert base64.b64decode(content).decode() == "a\nü\n"


@given(st.text())
def test_a_files_name_is_plain(title: str) -> None:
    assert slug(title)
    assert not set(slug(title)) - set("abcdefghijklmnopqrstuvwxyz0123456789-")
