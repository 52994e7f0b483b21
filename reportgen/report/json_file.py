"""All that a document states, as JSON for a program to read; json_fields.py says what each field is."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportgen import __version__
from reportgen.analysis.comparisons import spoken_of
from reportgen.analysis.contrasts import seconds_an_epoch
from reportgen.analysis.facts import FACTS
from reportgen.analysis.galleries import images_shown
from reportgen.analysis.scores import leaderboard
from reportgen.analysis.telling import telling
from reportgen.report.editions import REPORT, Edition
from reportgen.report.html import context_of
from reportgen.report.json_editions import narrowed, shape_of, taught
from reportgen.report.json_fields import FORMAT_VERSION
from reportgen.report.json_schema import Fields, schema_of
from reportgen.report.studio import Studio
from reportgen.text import inert
from reportgen.words import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportgen.analysis.frames import Analysis
    from reportgen.results import Results

AS_JSON = {"claims": ("numbers",), "findings": ("numbers",)}  # columns that hold JSON themselves


def to_json(results: Results, analysis: Analysis, edition: Edition = REPORT) -> str:
    """Write all that an edition of a run's document states; a number that there is not is null.

    One row of a list stands on one line. Numbers are those of the frames, to the last bit.
    """
    made = statement(results, analysis, edition)
    parts = ",\n".join(f"  {json.dumps(name)}: {_lines(value)}" for name, value in made.items())
    return f"{{\n{parts}\n}}\n"


def document_schema(edition: str) -> dict[str, Any]:
    """Give the JSON schema of an edition's JSON."""
    return schema_of(shape_of(edition), FORMAT_VERSION)


def statement(results: Results, analysis: Analysis, edition: Edition = REPORT) -> dict[str, Any]:
    """Gather all that an edition states, ready for JSON."""
    record, shape = results.record, shape_of(edition.name)
    lab = record.lab
    protocol = {**lab.protocol.model_dump(), "validation": str(lab.protocol.validation)}
    run = {**record.model_dump(), "started": record.started.isoformat()}
    one = {"run": run, "dataset": record.dataset.model_dump(), "protocol": protocol}
    context = context_of(results, Studio(processes=0), analysis, None, edition)
    counted = results.confusion[results.confusion["count"] > 0]
    frames = {
        "trainings": results.runs,
        "layers": results.layers,
        "epochs": results.epochs,
        "confusion": counted,
        "probes": results.probes,
        "images": images_shown(results),
        **analysis,
    }
    shown = {name: narrowed(name, frame, context) for name, frame in frames.items() if name in shape.many}
    values = {
        **_head(results, analysis, edition),
        **_words(results, edition),
        "variants": [variant.model_dump() for variant in lab.variants],
        "leaderboard": _leaderboard(results, analysis),
        **{name: _rows(name, frame) for name, frame in shown.items()},
        **taught(context, edition),
    }
    return {
        **_fields(values, shape.head),
        **{name: _fields(one[name], fields) for name, (_, fields) in shape.one.items()},
        **{name: [_fields(row, fields) for row in values[name]] for name, (_, fields) in shape.many.items()},
    }


def _head(results: Results, analysis: Analysis, edition: Edition) -> dict[str, Any]:
    record = results.record
    notes = [*map(tr, edition.notes), record.fallback, *record.dataset.warnings]
    return {
        "format_version": FORMAT_VERSION,
        "reportgen": __version__,
        "title": record.lab.title,
        "course": record.lab.course,
        **record.lab.branding.model_dump(include={"institution", "term", "authors"}),
        "language": record.lab.language,
        "notes": [note for note in notes if note],
        "introduction": record.lab.texts.introduction,
        "speaks_of": spoken_of(analysis["comparisons"]),
    }


def _words(results: Results, edition: Edition) -> dict[str, Any]:
    """Give the lab's own words, as they are stated in it."""
    lab = results.record.lab
    facts = {name: fact(results.layers) for name, fact in FACTS.items()}
    points = [
        {"title": one.title, "text": one.text, "fact": facts.get(one.drawing or "", "")}
        for one in lab.texts.points
    ]
    noted = [one for one in lab.notes if one.stands_in(edition.name) and one.section in edition.sections]
    return {"points": points, "section_notes": [one.model_dump() for one in noted]}


def _leaderboard(results: Results, analysis: Analysis) -> list[dict[str, Any]]:
    board = leaderboard(results)
    letters = telling(analysis["comparisons"], [one.variant for one in board.scored]).letters
    own = ("variant", "baseline", "params", "accuracy", "low", "high", "accuracies", "loss", "seconds")
    return [
        {
            **{name: getattr(one, name) for name in own},
            "group": letters.get(one.variant, ""),
            "seconds_per_epoch": seconds_an_epoch(results, one.variant) if one.scored else None,
            "reasons": list(one.reasons),
        }
        for one in board.scores
    ]


def _rows(name: str, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a frame's rows; text that is JSON is read."""
    columns = {str(column): frame[column].tolist() for column in frame}
    for column in AS_JSON.get(name, ()):
        columns[column] = [json.loads(text) for text in columns[column]]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _fields(values: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    """Take the fields that are documented, in their order."""
    return {name: _plain(values[name]) for name in fields}


def _plain(value: Any) -> Any:
    """Make a value fit for JSON: text without control characters, and null for what is no number."""
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, dict):
        return {inert(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if value is pd.NA or (isinstance(value, float) and not isfinite(value)):
        return None
    return value


def _lines(value: Any) -> str:
    """Write a value; a list of rows with one row a line."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        rows = ",\n".join(f"    {_dump(row)}" for row in value)
        return f"[\n{rows}\n  ]"
    return _dump(value)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
