"""What to keep in mind: what weakens the results, what else was seen, and which checks found nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reportgen.analysis.evidence import NOT_APPLICABLE, NOTE, NOTHING, WARNING
from reportgen.analysis.sentences import reason
from reportgen.report.document import Context
from reportgen.text import count, listing, number_word


@dataclass(frozen=True)
class Remark:
    """What one check says."""

    name: str
    warning: bool
    lead: str
    rest: str


@dataclass(frozen=True)
class Caveats:
    """What the checks say beside the answers, warnings first; then, in small print, all the others."""

    introduction: str
    remarks: tuple[Remark, ...]
    checked: str
    left_out: str


def caveats(context: Context) -> Caveats:
    """List what the checks found beside the answers of the first page."""
    found = context.analysis["findings"]
    remarks = found[found["level"].isin([WARNING, NOTE])]
    remarks = remarks.sort_values("level", key=lambda level: level != WARNING, kind="stable")
    return Caveats(
        _introduction(found),
        tuple(
            Remark(_name(row.code), row.level == WARNING, row.lead, row.rest) for row in remarks.itertuples()
        ),
        " ".join(f"{row.lead} {row.rest}".strip() for row in found[found["level"] == NOTHING].itertuples()),
        _left_out(found[found["level"] == NOT_APPLICABLE]),
    )


def _introduction(found: pd.DataFrame) -> str:
    n = int((found["level"] == WARNING).sum())
    gave = {0: "none gave a warning", 1: "one gave a warning"}.get(n, f"{number_word(n)} gave warnings")
    return (
        f"{count(len(found))} checks were made of this run; {gave}. What each said, with its numbers, "
        "stands in frames/findings.parquet."
    )


def _left_out(rows: pd.DataFrame) -> str:
    """Name the checks that could not be made, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for row in rows.itertuples():
        reasons.setdefault(reason(row.lead), []).append(_name(row.code))
    named = [f"{listing(names, len(names))}, because {why}" for why, names in reasons.items()]
    return f"{'; '.join(named)}." if named else ""


def _name(code: str) -> str:
    return code.replace("-", " ")
