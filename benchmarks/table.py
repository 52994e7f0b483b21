"""The figures of a benchmark, as rows of a Markdown table and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

FORMATS = {
    "s": "{:.3g} s",
    "ratio": "{:.2f}",
    "%": "{:.1%}",
    "%%": "{:.2%}",
    "MB": "{:.0f} MB",
    "GFLOP/s": "{:.1f} GFLOP/s",
}
HEAD = ("| what | measured | beside | limit |", "|---|---|---|---|")


@dataclass(frozen=True)
class Row:
    """One figure: its value in a unit of FORMATS, what it stands beside, and the most it may be, if any."""

    what: str
    value: float
    unit: str
    beside: str = ""
    limit: float | None = None

    @property
    def held(self) -> bool | None:
        """Tell whether the limit is held; None where there is none."""
        return None if self.limit is None else bool(self.value <= self.limit)

    def markdown(self) -> str:
        """Write the row for a README."""
        limit = "" if self.limit is None else quantity(self.limit, self.unit)
        missed = ", **missed**" if self.held is False else ""
        return f"| {self.what} | {quantity(self.value, self.unit)} | {self.beside} | {limit}{missed} |"

    def record(self) -> dict[str, Any]:
        """Give the row for JSON."""
        return asdict(self) | {"held": self.held}


def quantity(value: float, unit: str) -> str:
    """Write a value with its unit."""
    if unit == "s" and abs(value) >= 100:
        return f"{value:.0f} s"
    return FORMATS[unit].format(value)


def markdown(rows: Iterable[Row]) -> str:
    """Write all rows as one table."""
    return "\n".join([*HEAD, *(row.markdown() for row in rows)])
