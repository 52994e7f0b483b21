"""report.json: all that the report states, as its schema says, in the numbers of the frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from math import isfinite
from typing import Any

import jsonschema
import pandas as pd
import pytest

from reportgen.analysis.frames import ANALYSES, Analysis, analyse
from reportgen.analysis.scores import leaderboard
from reportgen.jobs import DIVERGED, FAILED
from reportgen.report.json_fields import HEAD, KINDS, MANY, ONE, report_schema
from reportgen.report.json_file import AS_JSON, to_json
from reportgen.results import Results
from synthetic import HOSTILE, example, hostile, made_up


@cache
def seeds() -> Results:
    return made_up(names=("mlp", "cnn-a", "cnn-b"), seeds=3, n_test=300, epochs=2)


@cache
def alone() -> Results:
    return made_up(names=("cnn",), baseline=None, n_test=100, epochs=1)


@cache
def nothing_finished() -> Results:
    return made_up(names=("mlp", "cnn"), unfinished={"mlp": FAILED, "cnn": DIVERGED}, n_test=60)


@cache
def analysis_of(run: Callable[[], Results]) -> Analysis:
    return analyse(run())


@cache
def read(run: Callable[[], Results]) -> dict[str, Any]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    made: dict[str, Any] = json.loads(to_json(run(), analysis_of(run)), parse_constant=refuse)
    return made


RUNS = [example, seeds, alone, nothing_finished, hostile]


def test_the_schema_is_one_and_says_what_every_field_is() -> None:
    schema = report_schema()
    jsonschema.Draft202012Validator.check_schema(schema)

    def objects(shape: dict[str, Any]) -> list[dict[str, Any]]:
        inner = [*shape.get("properties", {}).values(), *([shape["items"]] if "items" in shape else [])]
        own = [shape] if "properties" in shape else []
        return own + [found for one in inner for found in objects(one)]

    found = objects(schema)
    assert len(found) == 1 + len(ONE) + len(MANY)
    for one in found:
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])
        assert all(field["description"].endswith(".") for field in one["properties"].values())


def test_every_field_has_a_kind_that_the_schema_knows() -> None:
    fields = [HEAD, *(one for _, one in ONE.values()), *(one for _, one in MANY.values())]
    assert {kind.rstrip("?") for one in fields for kind, _ in one.values()} <= set(KINDS)


@pytest.mark.parametrize("run", RUNS)
def test_what_is_written_is_what_the_schema_says(run: Callable[[], Results]) -> None:
    jsonschema.Draft202012Validator(report_schema()).validate(read(run))


@pytest.mark.parametrize("name", ANALYSES)
def test_every_column_of_what_is_analysed_is_documented(name: str) -> None:
    assert list(MANY[name][1]) == list(analysis_of(example)[name].columns)


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", [*ANALYSES, "epochs"])
def test_numbers_are_those_of_the_frames(run: Callable[[], Results], name: str) -> None:
    frame = run().epochs if name == "epochs" else analysis_of(run)[name]
    rows = read(run)[name]
    assert len(rows) == len(frame)
    for row, expected in zip(rows, frame.to_dict("records"), strict=True):
        for column, value in expected.items():
            if str(column) in AS_JSON.get(name, ()):
                assert row[column] == json.loads(value)
            elif pd.isna(value) or (isinstance(value, float) and not isfinite(value)):
                assert row[column] is None
            elif not isinstance(value, str):
                assert row[column] == value


def test_the_leaderboard_is_that_of_the_first_page() -> None:
    board = leaderboard(example())
    rows = read(example)["leaderboard"]
    assert [row["variant"] for row in rows] == [one.variant for one in board.scores]
    assert rows[0]["accuracy"] == board.scores[0].accuracy
    assert rows[0]["group"] == "a"
    assert rows[-1]["accuracy"] is None
    assert rows[-1]["reasons"] == list(board.scores[-1].reasons)


def test_a_training_that_failed_has_no_numbers_and_its_reason() -> None:
    (row,) = (row for row in read(example)["trainings"] if row["status"] == FAILED)
    assert row["test_accuracy"] is None
    assert row["params"] is None
    assert "out of memory" in row["error"]


def test_confusion_adds_up_to_the_test_set() -> None:
    rows = pd.DataFrame(read(example)["confusion"])
    assert (rows["count"] > 0).all()
    assert set(rows.groupby("variant")["count"].sum()) == {200}


def test_hostile_texts_are_text_without_what_turns_a_page_around() -> None:
    made = read(hostile)
    assert made["title"].startswith("<b>bold</b> $x^2$")
    text = json.dumps(made, ensure_ascii=False)
    assert not set("\x00\x07\u202e\u2067\u2069\u200f") & set(text)
    assert HOSTILE not in text


def test_a_row_stands_on_a_line() -> None:
    lines = to_json(example(), analysis_of(example)).splitlines()
    assert sum('"metric": "recall"' in line for line in lines) == sum(
        row["metric"] == "recall" for row in read(example)["per_class"]
    )
