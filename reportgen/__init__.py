"""reportgen: train a deep-learning lab's networks and hand over an HTML and a PDF report.

    >>> import reportgen
    >>> results = reportgen.run("mnist", epochs=1)    # doctest: +SKIP
    >>> results.epochs                                # doctest: +SKIP

Importing this package loads neither TensorFlow nor pandas; each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reportgen.errors import ReportgenError
    from reportgen.lab import Lab, load_lab
    from reportgen.pipeline import run
    from reportgen.results import Results, load_results

__version__ = "0.1.0"
__all__ = ["Lab", "ReportgenError", "Results", "load_lab", "load_results", "run"]

_HOME = {
    "Lab": "reportgen.lab",
    "ReportgenError": "reportgen.errors",
    "Results": "reportgen.results",
    "load_lab": "reportgen.lab",
    "load_results": "reportgen.results",
    "run": "reportgen.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'reportgen' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
