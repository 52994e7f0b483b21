"""The documents that a run is to have, and how they are written into its directory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import disk, rundir
from reportgen.errors import PdfUnavailable
from reportgen.execution.store import STORE
from reportgen.lab import Overrides, override
from reportgen.report.copies import REPORT, THE_REPORT, Copies
from reportgen.report.formats import DEFAULT, HALF_WRITTEN
from reportgen.results import Results, note_documents
from reportgen.text import exact_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportgen.report.studio import Studio

CHARTS = ".charts"  # in the store: what was drawn before


@dataclass(frozen=True)
class Wish:
    """The documents that a run is to have: formats, editions, and the bytes of each, 0 for any number."""

    formats: tuple[str, ...] = DEFAULT
    max_size: int = 0
    copies: Copies = THE_REPORT

    @property
    def files(self) -> dict[str, str]:
        """Name the documents."""
        return self.copies.files(self.formats)

    @property
    def options(self) -> list[str]:
        """Give the options of the command line that ask for it."""
        options = ["--format", ",".join(self.formats)] if self.formats != DEFAULT else []
        options += self.copies.options
        return [*options, "--max-size", exact_size(self.max_size)] if self.max_size else options


def laid_out(results: Results, given: Overrides) -> Results:
    """Have a run laid out as a command line states, such as on another paper than its lab's."""
    record = results.record
    lab = override(record.lab, given)
    return results if lab == record.lab else replace(results, record=record.model_copy(update={"lab": lab}))


def render(
    results: Results,
    formats: Sequence[str],
    max_size: int = 0,
    say: Callable[[str], None] = print,
    copies: Copies = THE_REPORT,
) -> tuple[dict[str, Path], list[str]]:
    """Write the documents into the run's directory; gives their paths and what could not be made.

    With `max_size`, none has more bytes; raises SizeError where that cannot be. The link to the latest run
    follows once all documents are there that the run was to have.
    """
    if results.path is None:
        raise ValueError("results that were never saved cannot be rendered")
    from reportgen.report.studio import Studio  # noqa: PLC0415

    store = results.path.resolve().parent.parent / STORE
    cache = store / CHARTS if store.is_dir() else None  # a copy elsewhere has none
    for pattern in (*(f"{one}-*" for one in HALF_WRITTEN), "frames/.*.parquet-*"):
        rundir.sweep_files(results.path, pattern)  # of a `render` that was killed
    with disk.disk_errors(results.path), Studio(cache) as studio:
        drawn = draw(results, results.path, Wish(tuple(formats), max_size, copies), studio)
        if REPORT in copies.editions and all(
            (results.path / f"report.{name}").is_file() for name in results.record.formats
        ):
            rundir.point_latest(results.path)
    for text in drawn.left_out:
        say(text)
    return drawn.documents, what_to_do(drawn.missing, results.path)


@dataclass(frozen=True)
class Drawn:
    """The documents by format, why there is no PDF, and what is to be said of them."""

    documents: dict[str, Path]
    missing: list[PdfUnavailable]
    left_out: list[str]


def draw(results: Results, folder: Path, wish: Wish, studio: Studio) -> Drawn:
    """Write the documents into a folder."""
    from reportgen.report import write  # noqa: PLC0415

    documents: dict[str, Path] = {}
    missing: list[PdfUnavailable] = []
    left_out: list[str] = []
    for name, given in write(results, folder, wish.formats, studio, wish.max_size, wish.copies):
        if isinstance(given, PdfUnavailable):
            missing.append(given)
            # An older PDF beside a newer HTML would pass for its twin.
            (folder / wish.files[name]).unlink(missing_ok=True)
        elif isinstance(given, str):
            left_out.append(given)
        else:
            documents[name] = given
    note_documents(folder, wish.copies.stems)
    return Drawn(documents, list({str(one): one for one in missing}.values()), list(dict.fromkeys(left_out)))


def what_to_do(missing: Sequence[PdfUnavailable], run: Path) -> list[str]:
    """Say what could not be made, and how it is made later."""
    return [f"{error}, then `reportgen render {run}`" for error in missing]
