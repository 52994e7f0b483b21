"""The frames that a PDF carries as CSV files, so that whoever has the PDF has its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen.report.files import to_csv
from reportgen.text import listing
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from reportgen.analysis.frames import Analysis
    from reportgen.results import Results

LARGEST = 300_000  # bytes of a CSV file; predictions of 10,000 images have many times that
FEWEST = 2  # bytes that a value and its comma take: what is sure to be too large is not written out first

# In the order in which a reader's program lists them: what the report states, then what it is made from.
DESCRIPTIONS = {
    "scores": mark("every score of every variant, with its interval"),
    "comparisons": mark("every pair of variants: difference, interval and test"),
    "contrasts": mark("pairs of variants that differ in one setting"),
    "claims": mark("what the lab claims, and the verdicts"),
    "findings": mark("every check that was made, and what it found"),
    "per_class": mark("precision, recall and F1 by class"),
    "calibration": mark("bins of confidence"),
    "runs": mark("every training: status, parameters, seconds, loss, accuracy"),
    "epochs": mark("loss and accuracy after every epoch"),
    "layers": mark("every layer: setting, output shape, parameters"),
    "confusion": mark("confusion matrices, as counts"),
    "probes": mark("answers to altered test images, as counts"),
    "predictions": mark("every prediction on the test set"),
}


@dataclass(frozen=True)
class Attachment:
    """One file inside a PDF."""

    name: str
    description: str
    content: bytes


def attachments(results: Results, analysis: Analysis) -> tuple[Attachment, ...]:
    """Write the frames of a run that are small enough, and those that have rows, as CSV files."""
    made = []
    for name, description in DESCRIPTIONS.items():
        frame = frame_of(name, results, analysis)
        if len(frame) and frame.size * FEWEST <= LARGEST:
            content = to_csv(frame).encode()
            if len(content) <= LARGEST:
                made.append(Attachment(f"{name}.csv", tr(description), content))
    return tuple(made)


def frame_of(name: str, results: Results, analysis: Analysis) -> pd.DataFrame:
    """Give a frame of the analysis or of the run by its name."""
    frame: pd.DataFrame = analysis[name] if name in analysis else getattr(results, name)
    return frame


def said(attached: Sequence[Attachment]) -> str:
    """Say which files a PDF carries; empty where it carries none."""
    if not attached:
        return ""
    names = listing([one.name.removesuffix(".csv") for one in attached], most=len(DESCRIPTIONS))
    return tr("The PDF of this report carries these frames as attached CSV files: {names}.", names=names)
