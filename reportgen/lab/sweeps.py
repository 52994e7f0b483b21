"""A sweep: one table that stands for many variants."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from reportgen.errors import LabError, did_you_mean
from reportgen.lab.model import MAX_VARIANTS
from reportgen.lab.values import PLACEHOLDER, shown, written

if TYPE_CHECKING:
    from collections.abc import Iterator


def expand(table: Any, file: str) -> list[Any]:
    """Write out one variant for each combination of a sweep's values, the last knob fastest."""
    if not isinstance(table, dict) or "sweep" not in table:
        return [table]
    stated = {key: value for key, value in table.items() if key != "sweep"}
    name = str(stated.get("name", ""))
    where = f"{file}: variants '{name}'"
    knobs = _knobs(table["sweep"], where)
    missing = [knob for knob in knobs if f"{{{knob}}}" not in name]
    if missing:
        raise LabError(f"{where}: its name must say {{{missing[0]}}}, so that each has its own")
    _check_knobs_are_used(stated, knobs, where)
    return [
        _filled(stated, dict(zip(knobs, values, strict=True)), where)
        for values in itertools.product(*knobs.values())
    ]


def _check_knobs_are_used(stated: dict[str, Any], knobs: dict[str, Any], where: str) -> None:
    """Refuse a knob that changes nothing but the name: its variants would be the same network."""
    said = [text for key in ("layers", "build") for text in _strings(stated.get(key))]
    idle = [knob for knob in knobs if not any(f"{{{knob}}}" in text for text in said)]
    if idle:
        raise LabError(f"{where}: sweep.{idle[0]}: {{{idle[0]}}} stands in none of its layers")


def _strings(value: Any) -> Iterator[str]:
    """Find all text in a value of a TOML document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _knobs(sweep: Any, where: str) -> dict[str, list[Any]]:
    example = 'expected a table of lists such as { padding = ["valid", "same"] }'
    if not isinstance(sweep, dict) or not sweep:
        raise LabError(f"{where}: sweep: {example}")
    size = 1
    for knob, values in sweep.items():
        if not isinstance(values, list) or not values:
            raise LabError(f"{where}: sweep.{knob}: {shown(values)}, {example}")
        size *= len(values)
    if size > MAX_VARIANTS:
        raise LabError(f"{where}: sweep: makes {size} variants, at most {MAX_VARIANTS}")
    return sweep


def _filled(value: Any, knobs: dict[str, Any], where: str) -> Any:
    """Put the knobs' values where "{knob}" stands; alone in a string, a value keeps its type."""
    if isinstance(value, dict):
        return {key: _filled(item, knobs, where) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, knobs, where) for item in value]
    if not isinstance(value, str):
        return value
    whole = PLACEHOLDER.fullmatch(value)
    if whole and whole[1] in knobs:
        return knobs[whole[1]]

    def fill(match: re.Match[str]) -> str:
        if match[1] not in knobs:
            raise LabError(f"{where}: {match[0]} is not in its sweep; {did_you_mean(match[1], knobs)}")
        return written(knobs[match[1]], str)

    return PLACEHOLDER.sub(fill, value)
