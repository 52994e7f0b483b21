"""report.json: all that the report states, as its schema says, in the numbers of the frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import isfinite
from typing import Any

import jsonschema
import pandas as pd
import pytest

from reportgen.analysis.frames import ANALYSES, Analysis, analyse
from reportgen.analysis.galleries import OWN_PANELS
from reportgen.analysis.scores import leaderboard
from reportgen.jobs import DIVERGED, FAILED
from reportgen.lab.notes import Note
from reportgen.report.editions import EDITIONS, edition
from reportgen.report.json_editions import shape_of
from reportgen.report.json_fields import MANY, REPORT
from reportgen.report.json_file import AS_JSON, document_schema, to_json
from reportgen.report.json_schema import KINDS
from reportgen.results import Results
from synthetic import HOSTILE, example, hostile, made_up, prose


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
def read(run: Callable[[], Results], name: str = "report", sheet: int = 1) -> dict[str, Any]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    made: dict[str, Any] = json.loads(
        to_json(run(), analysis_of(run), edition(name, sheet)), parse_constant=refuse
    )
    return made


RUNS = [example, seeds, alone, nothing_finished, hostile]


@pytest.mark.parametrize("name", EDITIONS)
def test_the_schema_is_one_and_says_what_every_field_is(name: str) -> None:
    schema, shape = document_schema(name), REPORT if name == "report" else shape_of(name)
    jsonschema.Draft202012Validator.check_schema(schema)

    def objects(stated: dict[str, Any]) -> list[dict[str, Any]]:
        inner = [*stated.get("properties", {}).values(), *([stated["items"]] if "items" in stated else [])]
        own = [stated] if "description" in next(iter(stated.get("properties", {}).values()), {}) else []
        return own + [found for one in inner for found in objects(one)]

    found = objects(schema)
    assert len(found) == 1 + len(shape.one) + len(shape.many)
    for one in found:
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])
        assert all(field["description"].endswith(".") for field in one["properties"].values())


def test_every_field_has_a_kind_that_the_schema_knows() -> None:
    shapes = [REPORT, shape_of("handout"), shape_of("instructor")]
    groups = [group for one in shapes for group in ({"": ("", one.head)}, one.one, one.many)]
    kinds = {
        kind.rstrip("?") for group in groups for _, fields in group.values() for kind, _ in fields.values()
    }
    assert kinds == set(KINDS)


@pytest.mark.parametrize("name", EDITIONS)
@pytest.mark.parametrize("run", RUNS)
def test_what_is_written_is_what_the_schema_says(run: Callable[[], Results], name: str) -> None:
    jsonschema.Draft202012Validator(document_schema(name)).validate(read(run, name))


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


# --- editions ------------------------------------------------------------------------------------


def test_a_handout_has_blanks_where_the_instructor_has_answers() -> None:
    asked, answered = (read(example, name)["exercises"] for name in ("handout", "instructor"))
    assert [one["text"] for one in asked] == [one["text"] for one in answered]
    blanks = [cell for one in asked for table in one["tables"] for row in table["rows"] for cell in row]
    assert None in blanks
    assert not [one for one in answered for table in one["tables"] for row in table["rows"] if None in row]
    assert not {"answer", "working", "teaching"} & set(asked[0])
    assert all(one["answer"] for one in answered)
    assert "claims" not in read(example, "handout")
    assert read(example, "instructor")["claims"] == read(example)["claims"]
    assert {one["level"] for one in read(example, "handout")["findings"]} == {"answer"}


def test_another_sheet_has_other_exercises_and_says_so() -> None:
    first, second = (read(example, "handout", sheet) for sheet in (1, 2))
    assert (first["sheet"], second["sheet"]) == (1, 2)
    assert first["exercises"] != second["exercises"]
    assert first["arithmetic"] == second["arithmetic"]


def test_the_arithmetic_is_that_of_the_layers() -> None:
    made = read(example, "handout")
    layers = [one for one in made["layers"] if one["variant"] == made["worked"]]
    assert [one["params"] for one in made["steps"]] == [one["params"] for one in layers]
    assert made["steps"][-1]["receptive_field"] is None
    assert made["worked_for"].startswith(f"Worked here for the first convolution of {made['worked']} (")
    assert made["letters"].startswith("n is the number of pixels")
    lines = [line["formula"] for block in made["arithmetic"] for line in block["lines"]]
    assert any(line.startswith("⌊(n − k)/s⌋ + 1 = ") for line in lines)


def test_a_handout_does_not_say_how_long_an_epoch_took_which_it_asks() -> None:
    timed = example().epochs.iloc[:2].assign(metric="seconds", value=[0.125, 0.25])
    results = replace(example(), epochs=pd.concat([example().epochs, timed], ignore_index=True))
    told = {
        name: {
            one["metric"]
            for one in json.loads(to_json(results, analysis_of(example), edition(name)))["epochs"]
        }
        for name in EDITIONS
    }
    drawn = {"accuracy", "loss"}
    assert told == {"report": {*drawn, "seconds"}, "handout": drawn, "instructor": drawn}
    names = list(read(example, "handout"))
    assert names.index("exercises") < min(names.index("leaderboard"), names.index("epochs"))


def test_a_handout_shows_the_confusion_and_the_images_of_one_training() -> None:
    made = read(example, "handout")
    assert {one["variant"] for one in made["confusion"]} == {made["shown"]}
    assert sum(one["count"] for one in made["confusion"]) == 200
    assert {one["metric"] for one in made["epochs"]} == {"accuracy", "loss"}
    assert {one["variant"] for one in made["images"]} == {made["shown"]}
    assert all(isinstance(one["seed"], int) for one in made["images"])
    assert {one["panel"] for one in made["images"]} <= set(OWN_PANELS)


def test_images_are_those_of_the_galleries() -> None:
    found = pd.DataFrame(read(example)["images"])
    predictions = example().predictions.set_index(["variant", "seed", "index"])
    for row in found[found["panel"].isin(OWN_PANELS)].itertuples():
        there = predictions.loc[(row.variant, row.seed, row.index)]
        assert (there["label"], there["predicted"]) == (row.label, row.predicted)
        assert (row.label == row.predicted) == row.panel.endswith("hits")
    assert {"only this one right", "only the baseline right", "confused"} <= set(found["panel"])


def test_the_lab_s_own_words_and_who_hands_it_out_are_stated() -> None:
    made, lab = read(prose), prose().record.lab
    assert made["introduction"] == lab.texts.introduction
    assert [one["title"] for one in made["points"]] == [one.title for one in lab.texts.points]
    assert made["institution"] == lab.branding.institution


@pytest.mark.parametrize("name", EDITIONS)
def test_an_edition_states_the_notes_of_its_own_sections_alone(name: str) -> None:
    results = prose()
    note = Note(section="claims", place="after", text="For the report and the instructor.")
    lab = results.record.lab.model_copy(update={"notes": (*results.record.lab.notes, note)})
    noted = replace(results, record=results.record.model_copy(update={"lab": lab}))
    stated = json.loads(to_json(noted, analysis_of(prose), edition(name)))["section_notes"]
    there = [one for one in lab.notes if one.stands_in(name) and one.section in edition(name).sections]
    assert stated == [one.model_dump(exclude={"editions"}) for one in there]
    assert (note.text in [one["text"] for one in stated]) == (name != "handout")
