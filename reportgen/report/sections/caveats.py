"""What to keep in mind: what weakens the results, what else was seen, and which checks found nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reportgen.analysis.evidence import NOT_APPLICABLE, NOTE, NOTHING, WARNING
from reportgen.analysis.sentences import reason
from reportgen.report.document import Context
from reportgen.text import count, listing, number_word
from reportgen.words import mark, tr, trn

# What the checks are about: their codes, as words.
CHECKS = {
    "trainings": mark("trainings"),
    "against-baseline": mark("against baseline"),
    "best-score": mark("best score"),
    "smaller-but-better": mark("smaller but better"),
    "without-score": mark("without score"),
    "resolution": mark("resolution"),
    "seeds-missing": mark("seeds missing"),
    "repeated-images": mark("repeated images"),
    "overfitting": mark("overfitting"),
    "class-below": mark("class below"),
    "miscalibration": mark("miscalibration"),
    "cannot-tell": mark("cannot tell"),
    "single-seeds": mark("single seeds"),
    "confused-pairs": mark("confused pairs"),
    "validation-set": mark("validation set"),
    "label-errors": mark("label errors"),
}


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
            Remark(tr(CHECKS[row.code]), row.level == WARNING, row.lead, row.rest)
            for row in remarks.itertuples()
        ),
        " ".join(f"{row.lead} {row.rest}".strip() for row in found[found["level"] == NOTHING].itertuples()),
        _left_out(found[found["level"] == NOT_APPLICABLE]),
    )


def _introduction(found: pd.DataFrame) -> str:
    n = int((found["level"] == WARNING).sum())
    made = count(len(found))
    if n:
        said = trn(
            "{checks} checks were made of this run; one gave a warning.",
            "{checks} checks were made of this run; {number} gave warnings.",
            n,
            checks=made,
            number=number_word(n),
        )
    else:
        said = tr("{checks} checks were made of this run; none gave a warning.", checks=made)
    where = tr("What each said, with its numbers, stands in {frame}.", frame="frames/findings.parquet")
    return f"{said} {where}"


def _left_out(rows: pd.DataFrame) -> str:
    """Name the checks that could not be made, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for row in rows.itertuples():
        reasons.setdefault(reason(row.lead), []).append(tr(CHECKS[row.code]))
    named = [
        tr("{checks}, because {why}", checks=listing(names, len(names)), why=why)
        for why, names in reasons.items()
    ]
    return tr("{reasons}.", reasons=tr("; ").join(named)) if named else ""
