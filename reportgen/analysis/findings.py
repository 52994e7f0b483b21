"""What a report may say in words: an ordered list of checks, each of which answers in any case.

A check says something, finds nothing, or cannot be made, and then says why not. No sentence claims a
difference that the numbers do not carry. All words about which network is better go by one set of verdicts
(`Telling`), adjusted over all pairs, so that a run in which no network is better than another states any
difference with a chance of at most 5 %; checks that look at many classes or bins adjust for their number in
the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.analysis import answers, caveats, images, limits
from reportgen.analysis.evidence import NOT_APPLICABLE, Answer, Evidence, NotApplicable
from reportgen.analysis.sentences import not_applicable

if TYPE_CHECKING:
    from reportgen.results import Results

COLUMNS = {
    "position": "Int64",
    "code": "string",
    "looks_at": "string",
    "level": "string",
    "applies": "bool",
    "lead": "string",
    "rest": "string",
    "numbers": "string",
}


@dataclass(frozen=True)
class Check:
    """One check: which frames it looks at, and what it makes of them."""

    looks_at: str
    ask: Callable[[Evidence], Answer]


# In the order in which they are read, those for the first page first.
FINDINGS: dict[str, Check] = {
    "trainings": Check("runs", answers.trainings),
    "against-baseline": Check("comparisons, scores", answers.against_baseline),
    "best-score": Check("comparisons, scores", answers.best_score),
    "smaller-but-better": Check("comparisons, runs", answers.smaller_but_better),
    "without-score": Check("runs", limits.unfinished),
    "resolution": Check("comparisons", limits.resolution),
    "seeds-missing": Check("runs", limits.seeds_missing),
    "repeated-images": Check("run.json", images.repeated_images),
    "overfitting": Check("epochs", caveats.overfitting),
    "class-below": Check("per_class", caveats.class_below),
    "miscalibration": Check("calibration, scores", caveats.miscalibration),
    "cannot-tell": Check("comparisons", limits.cannot_tell),
    "single-seeds": Check("comparisons", limits.reversed_order),
    "confused-pairs": Check("confusion", caveats.confused_pairs),
    "validation-set": Check("run.json", images.validation_set),
    "label-errors": Check("comparisons, run.json", images.label_errors),
}


def findings(results: Results, analysis: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Make every check of FINDINGS; columns are COLUMNS.

    `level` is one of the levels of evidence.py, "answer" for what belongs on the first page. `lead` and
    `rest` are to be read on, one sentence or more; `numbers` is JSON: what they state by name, shares
    as shares.
    """
    evidence = Evidence(results, analysis)
    rows = [
        (position, code, check.looks_at, *_told(check.ask(evidence)))
        for position, (code, check) in enumerate(FINDINGS.items(), start=1)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _told(answer: Answer) -> tuple[str, bool, str, str, str]:
    if isinstance(answer, NotApplicable):
        return NOT_APPLICABLE, False, not_applicable(answer.why), "", "{}"
    numbers = json.dumps(answer.numbers, allow_nan=False, default=float)
    return answer.level, True, answer.lead, answer.rest, numbers
