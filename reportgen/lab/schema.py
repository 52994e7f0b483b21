"""The JSON schema of a lab's TOML."""

from __future__ import annotations

from typing import Any

from reportgen.lab.model import Lab
from reportgen.layers import (
    LAYERS,
)


def json_schema() -> dict[str, Any]:
    """Give the JSON schema of a lab's TOML, for editors that complete and check it."""
    schema = Lab.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "A reportgen lab"
    schema["required"] = ["title", "dataset", "variants"]
    variant = schema["$defs"]["Variant"]["properties"]
    variant["sweep"] = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"type": "array", "minItems": 1},
        "description": "Lists of values; one variant is made for each combination, and {knob} in "
        "the name and the layers stands for its value.",
    }
    variant["name"] = {"type": "string", "description": variant["name"].get("description", "")}
    for layer in LAYERS.values():
        _allow_placeholders(schema["$defs"][layer.__name__])
    return schema


def _allow_placeholders(definition: dict[str, Any]) -> None:
    """Let "{knob}" stand in the place of any value of a layer."""
    knob = {"type": "string", "pattern": r"^\{\w+\}$"}
    for key, value in definition["properties"].items():
        definition["properties"][key] = {"anyOf": [value, knob]}
