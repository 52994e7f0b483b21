"""All that the report states, as frames: each stands beside a run's own, so that a number can be checked."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from reportgen import disk
from reportgen.analysis import comparisons, scoring
from reportgen.analysis.claims import claims
from reportgen.analysis.contrasts import contrasts
from reportgen.analysis.findings import findings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from reportgen.results import Results

Analysis = dict[str, "pd.DataFrame"]

# In this order: a later one may use what earlier ones found.
ANALYSES: dict[str, Callable[[Results, Analysis], pd.DataFrame]] = {
    "scores": scoring.scores,
    "per_class": scoring.per_class,
    "calibration": scoring.calibration,
    "comparisons": comparisons.comparisons,
    "contrasts": contrasts,
    "claims": claims,
    "findings": findings,
}


def analyse(results: Results) -> Analysis:
    """Give the frame of each of ANALYSES by its name."""
    found: Analysis = {}
    for name, make in ANALYSES.items():
        found[name] = make(results, found)
    return found


def write(analysis: Analysis, folder: Path) -> None:
    """Swap the frames into a run directory, beside its own."""
    (folder / "frames").mkdir(exist_ok=True)
    for name, frame in analysis.items():
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        disk.swap_in(folder / "frames" / f"{name}.parquet", buffer.getvalue())
