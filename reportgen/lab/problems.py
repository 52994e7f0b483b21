"""What is wrong with a lab, in the words of its author: file, key, what was expected, the nearest name."""

from __future__ import annotations

import re
from typing import Any

from pydantic import (
    BaseModel,
    ValidationError,
)

from reportgen.errors import did_you_mean
from reportgen.lab.claims import Claim
from reportgen.lab.model import (
    DatasetChoice,
    Fallback,
    Lab,
    Probes,
    Protocol,
    Variant,
)
from reportgen.lab.notes import Note
from reportgen.lab.texts import Branding, Exercise, Point, Texts
from reportgen.lab.values import PLACEHOLDER, shown
from reportgen.layers import (
    LAYERS,
    unknown_layer,
)


def first_problem(error: ValidationError, raw: dict[str, Any]) -> str:
    """Say the first thing that is wrong, with its key and what was expected."""
    problems = error.errors(include_url=False)
    # An unknown key is nearly always a misspelling: said first, it explains a missing one too.
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    key = _key(first["loc"])
    # A value that may be of two kinds has one problem for each of them.
    same = [p for p in problems if _key(p["loc"]) == key]
    said = " or ".join([problem(first), *(_expected(p) for p in same if p is not first)])
    if len(same) == 1 and first["type"] == "literal_error" and isinstance(first["input"], str):
        known = _QUOTED.findall(first["ctx"]["expected"])
        said = f"{shown(first['input'])}, {did_you_mean(first['input'], known)}"
    where = _where(key, raw)
    return f"{where}: {said}" if where else said


def _key(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Leave out of a place what pydantic adds to it: a union's member, a layer's tag."""
    key = tuple(
        p for p in loc if not re.match(r"(function-|literal\[|constrained|int$|float$|str$|bool$)", str(p))
    )
    return tuple(p for n, p in enumerate(key) if not (p in LAYERS and n > 1 and key[n - 2] == "layers"))


def _where(key: tuple[int | str, ...], raw: dict[str, Any]) -> str:
    """Write a key as ``variants 'mlp', layers[2].kernel``."""
    if len(key) > 1 and key[0] == "variants" and isinstance(key[1], int):
        table = raw["variants"][key[1]]
        name = table.get("name") if isinstance(table, dict) else None
        head = f"variants '{name}'" if isinstance(name, str) else f"variants[{key[1] + 1}]"
        return f"{head}, {_dotted(key[2:])}" if key[2:] else head
    return _dotted(key)


def _dotted(key: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in key)
    return text.removeprefix(".")


def problem(problem: Any) -> str:  # noqa: PLR0911  one answer for each kind
    """Say what is wrong with one value."""
    kind, value, context = problem["type"], problem.get("input"), problem.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key; {did_you_mean(str(problem['loc'][-1]), _known_keys(problem['loc']))}"
    if kind == "missing":
        return "is missing"
    if kind.startswith("union_tag"):
        return unknown_layer(value)
    if kind == "value_error":
        return str(context["error"])
    if kind == "too_short":
        return "is empty, expected at least one"
    if kind == "string_too_short":
        return "is empty, expected at least one character"
    if isinstance(value, str) and PLACEHOLDER.fullmatch(value):
        return f"{value} stands for the value of a sweep, and the variant has none"
    return f"{shown(value)}, expected {_expected(problem)}"


def _expected(problem: Any) -> str:
    message = str(problem["msg"]).removeprefix("Input should be ").removeprefix("a valid ")
    return _plain(message)


_QUOTED = re.compile(r"'([^']*)'")
_PLAIN = {
    "integer": "a whole number",
    "string": "text in quotes",
    "number": "a number",
    "boolean": "true or false",
    "tuple": "a list",
    "valid boolean": "true or false",
    "an instance of Path": "a path in quotes",
    "True": "true",
}


def _plain(message: str) -> str:
    """Put pydantic's words into those of a lab's author."""
    if message in _PLAIN:
        return _PLAIN[message]
    if "instance of" in message and "Path" not in message:
        return "a table"
    if "items after validation" in message:
        return "one whole number or a list of two"
    if message.startswith("String should match pattern"):
        return 'letters, digits, ".", "_" and "-" only' if "._-" in message else 'the form "module:function"'
    message = message.replace("String should have at most", "at most")
    return re.sub(r"^(greater|less) than or equal to (\S+)$", _limit, message)


def _limit(match: re.Match[str]) -> str:
    return f"at {'least' if match[1] == 'greater' else 'most'} {match[2]}"


_TABLES: dict[str, type[BaseModel]] = {
    "branding": Branding,
    "dataset": DatasetChoice,
    "fallback": Fallback,
    "protocol": Protocol,
    "probes": Probes,
    "texts": Texts,
    "points": Point,
    "claims": Claim,
    "exercises": Exercise,
    "notes": Note,
    "variants": Variant,
    **LAYERS,
}


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    """List the keys of the table in which an unknown one stands."""
    tables = [_TABLES[part] for part in loc[:-1] if part in _TABLES]
    keys = list((tables[-1] if tables else Lab).model_fields)
    return [*keys, "sweep"] if tables and tables[-1] is Variant else keys
