"""The formats that a report is written in, in this order; each is made by a module of its own.

A format that shows charts is made from the document and may leave out galleries to fit a size; any other is
made from the results and what was analysed of them. Whatever a format needs is imported when it is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from reportgen.errors import RenderError, UsageError, did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from reportgen.analysis.frames import Analysis
    from reportgen.report.document import Document
    from reportgen.report.studio import Studio
    from reportgen.report.tiles import Extent
    from reportgen.results import Results


@dataclass(frozen=True)
class Made:
    """One document: its content, and files that lie in a folder beside it, by name."""

    content: bytes
    beside: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Count the bytes of all its files."""
        return len(self.content) + sum(len(one) for one in self.beside.values())


@dataclass(frozen=True)
class Source:
    """What documents are made from; the page is laid out when one first asks for it."""

    results: Results
    analysis: Analysis
    studio: Studio
    extent: Extent | None = None
    edition: str = "report"
    sheet: int = 1
    stem: str = "report"  # what the edition's files are called, without the format
    templates: Path | None = None  # a folder of one's own

    @cached_property
    def document(self) -> Document:
        """Lay the edition out, which orders its charts."""
        from reportgen.report.editions import edition  # noqa: PLC0415
        from reportgen.report.html import build  # noqa: PLC0415

        chosen = edition(self.edition, self.sheet)
        return build(self.results, self.studio, self.analysis, self.extent, chosen)

    @cached_property
    def html(self) -> str:
        """Render the page, from which the PDF is made too."""
        from reportgen.report.html import to_html  # noqa: PLC0415

        return to_html(self.document, self.templates)


Finish = Callable[[], Made]


@dataclass(frozen=True)
class Format:
    """How a format is made: `begin` orders what takes long and gives a function that waits for it.

    That function may raise PdfUnavailable, RenderError, and UsageError for templates of one's own. `beside`
    ends the name of the folder of its files.
    """

    begin: Callable[[Source], Finish]
    charts: bool = True
    beside: str = ""


def _html(source: Source) -> Finish:
    html = source.html
    return lambda: Made(html.encode())


def _pdf(source: Source) -> Finish:
    extras = source.document.extras
    if source.templates:
        # What a template of one's own leaves out is not missing; pictures are counted all the same.
        extras = replace(extras, figures=0, tables=0)
    wait = source.studio.pdf(source.html, extras)
    return partial(_printed, wait, source.templates)


def _printed(wait: Callable[[], bytes], templates: Path | None) -> Made:
    """Wait for a PDF; what is wrong with one from templates of one's own is put down to those."""
    try:
        return Made(wait())
    except RenderError as error:
        if templates is None:
            raise
        # Its places are those of all style sheets together.
        raise UsageError(
            f"--template-dir: {templates}: {re.sub(r' at [0-9]+:[0-9]+', '', str(error))}"
        ) from None


def _markdown(source: Source) -> Finish:
    from reportgen.report.markdown import to_markdown  # noqa: PLC0415

    document = source.document

    def finish() -> Made:
        text, images = to_markdown(document, f"{source.stem}-images")
        return Made(text.encode(), images)

    return finish


def _notebook(source: Source) -> Finish:
    from reportgen.report.notebook import to_notebook  # noqa: PLC0415

    return lambda: Made(to_notebook(source.results, blanks=source.edition == "handout").encode())


def _json(source: Source) -> Finish:
    from reportgen.report.editions import edition  # noqa: PLC0415
    from reportgen.report.json_file import to_json  # noqa: PLC0415

    chosen = edition(source.edition, source.sheet)
    return lambda: Made(to_json(source.results, source.analysis, chosen).encode())


FORMATS: dict[str, Format] = {
    "html": Format(_html),
    "pdf": Format(_pdf),
    "md": Format(_markdown, beside="-images"),
    "ipynb": Format(_notebook, charts=False),
    "json": Format(_json, charts=False),
}
DEFAULT = ("html", "pdf")
# What a document, and what is known of it, is called before it is swapped in; more follows the name.
HALF_WRITTEN = (".report.*", ".handout*.*", ".instructor*.*", "*-images/.*", ".documents.json")


def formats_of(text: str) -> tuple[str, ...]:
    """Read a list such as "html,pdf", into the order of FORMATS; raises UsageError."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"--format: '{name}'; {did_you_mean(name, FORMATS)}")
    if not names:
        raise UsageError(f"--format: is empty, expected some of {', '.join(FORMATS)}, divided by commas")
    return tuple(name for name in FORMATS if name in names)


def files_of(run: Path, name: str, stem: str = "report") -> list[Path]:
    """List the files of a run's document: itself, and those that lie beside it."""
    beside = FORMATS[name].beside
    files = sorted((run / f"{stem}{beside}").glob("*")) if beside else []
    return [run / f"{stem}.{name}", *(path for path in files if not path.name.startswith("."))]


def with_charts(formats: Sequence[str]) -> bool:
    """Tell whether any of some formats shows charts."""
    return any(FORMATS[name].charts for name in formats)
