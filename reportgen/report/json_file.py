"""All that a report states, as JSON for a program to read; json_fields.py says what each field is."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportgen import __version__
from reportgen.analysis.comparisons import spoken_of
from reportgen.analysis.scores import leaderboard
from reportgen.analysis.telling import telling
from reportgen.report.json_fields import FORMAT_VERSION, HEAD, MANY, ONE, Fields
from reportgen.text import inert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportgen.analysis.frames import Analysis
    from reportgen.results import Results

AS_JSON = {"claims": ("numbers",), "findings": ("numbers",)}  # columns that hold JSON themselves


def to_json(results: Results, analysis: Analysis) -> str:
    """Write all that the report of a run states; a number that there is not is null.

    One row of a list stands on one line. Numbers are those of the frames, to the last bit.
    """
    made = statement(results, analysis)
    parts = ",\n".join(f"  {json.dumps(name)}: {_lines(value)}" for name, value in made.items())
    return f"{{\n{parts}\n}}\n"


def statement(results: Results, analysis: Analysis) -> dict[str, Any]:
    """Gather all that the report of a run states, ready for JSON."""
    record = results.record
    lab, dataset = record.lab, record.dataset
    notes = [record.fallback, *dataset.warnings]
    head = {
        "format_version": FORMAT_VERSION,
        "reportgen": __version__,
        "title": lab.title,
        "language": lab.language,
        "course": lab.course,
        "notes": [note for note in notes if note],
        "speaks_of": spoken_of(analysis["comparisons"]),
    }
    protocol = {**lab.protocol.model_dump(), "validation": str(lab.protocol.validation)}
    run = {**record.model_dump(), "started": record.started.isoformat()}
    one = {"run": run, "dataset": dataset.model_dump(), "protocol": protocol}
    frames = {"trainings": results.runs, "layers": results.layers, "epochs": results.epochs}
    counted = results.confusion[results.confusion["count"] > 0]
    frames |= {"confusion": counted, "probes": results.probes, **analysis}
    rows = {
        "variants": [variant.model_dump() for variant in lab.variants],
        "leaderboard": _leaderboard(results, analysis),
        **{name: _rows(name, frame) for name, frame in frames.items() if name in MANY},
    }
    return {
        **_fields(head, HEAD),
        **{name: _fields(one[name], fields) for name, (_, fields) in ONE.items()},
        **{name: [_fields(row, fields) for row in rows[name]] for name, (_, fields) in MANY.items()},
    }


def _leaderboard(results: Results, analysis: Analysis) -> list[dict[str, Any]]:
    board = leaderboard(results)
    letters = telling(analysis["comparisons"], [one.variant for one in board.scored]).letters
    own = ("variant", "baseline", "params", "accuracy", "low", "high", "accuracies", "loss", "seconds")
    return [
        {
            **{name: getattr(one, name) for name in own},
            "group": letters.get(one.variant, ""),
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
