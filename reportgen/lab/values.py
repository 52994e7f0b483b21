"""How a lab's values look to its author."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PLACEHOLDER = re.compile(r"\{(\w+)\}")  # "{knob}": the value of a sweep


def shown(value: Any) -> str:
    """Show a value as TOML has it, not too long."""
    text = str(value).lower() if isinstance(value, bool) else written(_listed(value), repr)
    return text if len(text) <= 60 else text[:57] + "..."


def _listed(value: Any) -> Any:
    """Show a list as TOML has it, though it is checked as a tuple."""
    return list(value) if isinstance(value, tuple) else value


def written(value: Any, write: Callable[[Any], str]) -> str:
    """Write a value that may be too large to be written."""
    try:
        return write(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of thousands of digits"
    except RecursionError:
        return "a list in lists without end"
