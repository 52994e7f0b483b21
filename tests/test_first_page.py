"""The first page: every number on it is in a frame that stands beside the report, or in run.json."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reportgen.analysis.evidence import ANSWER
from reportgen.report import write
from reportgen.results import Results
from support import behind_the_flag
from synthetic import example, made_up, studio

NUMBER = re.compile(r"−?\d+(?:,\d{3})*(?:\.\d+)?")
LEVEL = 95  # of all intervals
# What findings count or work out themselves; the rest of their numbers must stand in another frame too.
WORKED_OUT = re.compile(
    "mistakes|share of the parameters|resolution|discordant|^pairs$|^above$|^below$|"
    "told apart|^trainings$|^finished$|^networks$|without a score|^seeds$|^test images$"
)


def alone() -> Results:
    return made_up(names=("mlp",), n_test=400)


def of_three_seeds() -> Results:
    return made_up(seeds=3, n_test=5000)


def of_two_seeds() -> Results:
    return made_up(names=("mlp", "cnn-a", "cnn-b"), accuracies=(0.9, 0.95, 0.951), seeds=2)


RUNS = [example, alone, made_up, *behind_the_flag(of_three_seeds, of_two_seeds)]


@pytest.fixture(scope="module", params=RUNS, ids=lambda run: run.__name__)
def rendered(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Results, Path]:
    run: Callable[[], Results] = request.param
    results, folder = run(), tmp_path_factory.mktemp(run.__name__)
    list(write(results, folder, ["html"], studio()))
    (folder / "run.json").write_text(results.record.model_dump_json(), encoding="utf-8")
    return results, folder


def frame(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "frames" / f"{name}.parquet")


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from numbers_in(one)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield float(value)


def values_of(table: pd.DataFrame) -> list[float]:
    columns = table.select_dtypes("number")
    return [float(value) for name in columns for value in columns[name].dropna()]


def recorded(folder: Path) -> list[float]:
    return list(numbers_in(json.loads((folder / "run.json").read_text(encoding="utf-8"))))


def summary(folder: Path) -> str:
    page = (folder / "report.html").read_text(encoding="utf-8")
    match = re.search(r'<section id="summary".*?</section>', page, re.DOTALL)
    assert match
    return match[0]


def words(results: Results, markup: str) -> str:
    """Give what a reader sees, without names that hold digits and the reasons of failures."""
    shown = re.sub(r'<td colspan="\d" class="reason">.*?</td>|<p><strong>No score.*?</p>', "", markup)
    shown = re.sub("<[^>]+>", " ", re.sub(r"</?span[^>]*>", "", shown))
    names = "|".join(re.escape(name) for name in sorted(results.variants, key=len, reverse=True))
    return re.sub(rf"{names}|Table 1\.", " ", html.unescape(shown))


def printed(number: str, values: list[float]) -> bool:
    digits, sign = len(number.partition(".")[2]), -1 if number[0] == "−" else 1
    scaled = [sign * scale * value for value in values for scale in (1, 100)]
    return any(f"{value:,.{digits}f}" == number.removeprefix("−") for value in scaled)


def cells(folder: Path) -> dict[str, dict[str, str]]:
    """Give the table's text by variant and column."""
    table = summary(folder).partition("<table")[2].partition("</table")[0]
    head, _, body = table.partition("<tbody>")
    columns = [re.sub("<[^>]+>", "", one) for one in re.findall("<th[^>]*>(.*?)</th>", head)]
    found = {}
    for row in re.findall("<tr.*?</tr>", body, re.DOTALL):
        name = re.sub("<[^>]+>", "", re.findall("<code>(.*?)</code>", row)[0])
        texts = [re.sub("<[^>]+>", "", one) for one in re.findall("<td.*?>(.*?)</td>", row, re.DOTALL)]
        found[name] = dict(zip(columns[1:], texts, strict=False))
    return found


METRICS = {"Parameters": "params", "Accuracy, %": "accuracy", "Loss": "loss", "Seconds": "train_seconds"}


@pytest.mark.long(but=("example", "alone"))
def test_every_number_of_the_table_is_that_of_its_variant_and_column(rendered: tuple[Results, Path]) -> None:
    results, folder = rendered
    scores = frame(folder, "scores")
    means = scores[scores["seed"].isna()].set_index(["variant", "metric"])["value"]
    rows = cells(folder)
    assert set(rows) == set(results.variants)
    for variant, row in rows.items():
        for column, metric in METRICS.items():
            if column in row and not row[column].startswith(("failed", "diverged")):
                value = means[variant, metric]
                same = row[column] == "–" if isnan(value) else printed(row[column], [value])
                assert same, (variant, column, row[column])
    table = words(results, summary(folder).partition("<table")[2])
    values = [*values_of(scores), *recorded(folder), LEVEL]
    assert [number for number in NUMBER.findall(table) if not printed(number, values)] == []


@pytest.mark.long(but=("example", "alone"))
def test_every_number_of_the_sentences_is_in_the_frames(rendered: tuple[Results, Path]) -> None:
    results, folder = rendered
    answers = frame(folder, "findings").query("level == @ANSWER", local_dict={"ANSWER": ANSWER})
    stated = [json.loads(row.numbers) for row in answers.itertuples()]
    values = [value for numbers in stated for value in numbers_in(numbers)]
    said = words(results, summary(folder).partition("<table")[0].partition('<div class="answer">')[2])
    found = NUMBER.findall(said)
    assert len(found) > 2
    assert [n for n in found if not printed(n, [*values, *recorded(folder), LEVEL])] == []
    elsewhere = [v for name in ("scores", "comparisons") for v in values_of(frame(folder, name))]
    elsewhere = {round(sign * value, 12) for value in elsewhere + recorded(folder) for sign in (1, -1)}
    for numbers in stated:
        for name, value in numbers.items():
            assert WORKED_OUT.search(name) or round(value, 12) in elsewhere, (name, value)
