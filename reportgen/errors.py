"""Everything that reportgen refuses or gives up on, as one tree.

    ReportgenError                 exit code
    ├── InputError                 2   something the user gave cannot be used
    │   ├── UsageError                 the command line
    │   ├── LabError                   a lab: file, key, what was expected
    │   ├── DataError                  a dataset: file, what was expected
    │   │   └── DatasetUnavailable     not on this machine and not to be downloaded
    │   ├── OutputError                where the report should go
    │   ├── RunError                   a run directory: missing or damaged
    │   └── SizeError                  a report cannot be as small as it should be
    ├── EngineError                2   no training process can start on this machine
    ├── PdfUnavailable             3   a PDF: a system library is missing, or it takes too much
    └── RenderError                1   a chart or page could not be drawn (a bug)

The CLI catches ReportgenError once and prints it as one line; any other exception is a bug
and shows its traceback.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EXIT_DONE = 0
EXIT_BUG = 1
EXIT_BAD_INPUT = 2
EXIT_IN_PART = 3
EXIT_INTERRUPTED = 130


class ReportgenError(Exception):
    """Say what went wrong, where, what was expected and what to do next, in one line."""

    exit_code = EXIT_BUG

    def __str__(self) -> str:
        """Give the message in one line, whatever names and values it quotes."""
        return " ".join(super().__str__().split())


class InputError(ReportgenError):
    """Refuse something that the user gave."""

    exit_code = EXIT_BAD_INPUT


class UsageError(InputError):
    """Refuse a command line."""


class LabError(InputError):
    """Refuse a lab."""


class DataError(InputError):
    """Refuse a dataset."""


class DatasetUnavailable(DataError):
    """Report that a dataset is neither on this machine nor to be downloaded."""


class OutputError(InputError):
    """Refuse a place to write to."""


class RunError(InputError):
    """Refuse a run directory."""


class SizeError(InputError):
    """Refuse a size that no report of the run has."""


class EngineError(ReportgenError):
    """Report that no training process can start."""

    exit_code = EXIT_BAD_INPUT


class PdfUnavailable(ReportgenError):
    """Report that a PDF cannot be made on this machine: a library is missing, or it takes too much."""

    exit_code = EXIT_IN_PART


class RenderError(ReportgenError):
    """Report that a chart or a page could not be drawn."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Name the nearest known word, or all known words where none is near.

    Returns a phrase that ends an error message, such as ``did you mean 'epochs'?``.
    """
    words = sorted(known)
    near = get_close_matches(name.lower(), words, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"known: {', '.join(words)}"
