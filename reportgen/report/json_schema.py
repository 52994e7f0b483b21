"""What a JSON document is made of: fields, each with its kind and what it says, and the schema of that.

Kinds: text, whole (number), number, truth, texts (a list), wholes, numbers, named (values by name), lines (of
working, each with its words and its formula), tables (headings, and rows with null for what is to be filled
in). A question mark marks a value that may be null, because there is none. Shares run from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Fields = dict[str, tuple[str, str]]


def _list_of(**fields: dict[str, Any]) -> dict[str, Any]:
    shape = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    return {"type": "array", "items": shape}


TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
CELLS = {"type": "array", "items": {"type": ["string", "null"]}}
KINDS: dict[str, dict[str, Any]] = {
    "text": TEXT,
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "truth": {"type": "boolean"},
    "texts": TEXTS,
    "wholes": {"type": "array", "items": {"type": "integer"}},
    "numbers": {"type": "array", "items": {"type": "number"}},
    "named": {"type": "object", "additionalProperties": {"type": ["number", "string"]}},
    "lines": _list_of(words=TEXT, formula=TEXT),
    "tables": _list_of(headings=TEXTS, rows={"type": "array", "items": CELLS}),
}


@dataclass(frozen=True)
class Shape:
    """The fields of a document: single values, `one` object each, and `many` rows each."""

    title: str
    head: Fields
    one: dict[str, tuple[str, Fields]]
    many: dict[str, tuple[str, Fields]]


def schema_of(shape: Shape, version: int) -> dict[str, Any]:
    """Give the JSON schema of documents of a shape."""
    properties = _properties(shape.head)
    properties["format_version"]["const"] = version
    properties |= {name: _object(fields, words) for name, (words, fields) in shape.one.items()}
    for name, (words, fields) in shape.many.items():
        properties[name] = {"description": words, "type": "array", "items": _object(fields)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": shape.title,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _object(fields: Fields, words: str = "") -> dict[str, Any]:
    stated = {"description": words} if words else {}
    shape = {"type": "object", "properties": _properties(fields)}
    return {**stated, **shape, "required": list(fields), "additionalProperties": False}


def _properties(fields: Fields) -> dict[str, Any]:
    return {name: {"description": words, **_kind(kind)} for name, (kind, words) in fields.items()}


def _kind(kind: str) -> dict[str, Any]:
    shape = KINDS[kind.rstrip("?")]
    return {**shape, "type": [shape["type"], "null"]} if kind.endswith("?") else dict(shape)
