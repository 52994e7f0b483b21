"""The sections of the report, in order: each turns the results into what its template prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reportgen.report.document import Context
from reportgen.report.sections.appendix import appendix
from reportgen.report.sections.calibration import calibration
from reportgen.report.sections.caveats import caveats
from reportgen.report.sections.claims import claims
from reportgen.report.sections.comparisons import comparisons
from reportgen.report.sections.confusion import confusion
from reportgen.report.sections.curves import curves
from reportgen.report.sections.galleries import galleries
from reportgen.report.sections.narrative import narrative
from reportgen.report.sections.networks import networks
from reportgen.report.sections.scores import scores
from reportgen.report.sections.summary import summary
from reportgen.report.sections.tradeoffs import tradeoffs
from reportgen.words import mark

SECTIONS: dict[str, tuple[str, Callable[[Context], Any]]] = {
    "summary": (mark("What came out"), summary),
    "narrative": (mark("What this lab is about"), narrative),
    "comparisons": (mark("Who is really better"), comparisons),
    "claims": (mark("The lab's claims, put to the test"), claims),
    "curves": (mark("How training went"), curves),
    "tradeoffs": (mark("Size, time and accuracy"), tradeoffs),
    "networks": (mark("The networks"), networks),
    "scores": (mark("How good, in more than one number"), scores),
    "calibration": (mark("Whether to trust their confidence"), calibration),
    "confusion": (mark("What they confuse"), confusion),
    "galleries": (mark("Hits and mistakes"), galleries),
    "caveats": (mark("What to keep in mind"), caveats),
    "appendix": (mark("How this report was made"), appendix),
}
