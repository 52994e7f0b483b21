"""The HTML becomes a PDF, through WeasyPrint; whatever it complains of is an error."""

from __future__ import annotations

import gc
import logging
import re
from base64 import b64decode
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from reportgen.errors import PdfUnavailable, RenderError
from reportgen.report.fonts import faces_inside, file_by_name, with_faces_by_name
from reportgen.report.images import data_uri
from reportgen.report.svg import as_text
from reportgen.report.tagging import Planned, complete, formulas_tagged
from reportgen.report.templates import pdf_styles
from reportgen.text import volume

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from reportgen.report.attachments import Attachment

HOW_TO_INSTALL_PANGO = (
    "install Pango (Debian and Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; "
    "macOS: brew install pango)"
)
SECONDS = 600.0  # for one PDF: some hundred times what a report of seven networks takes
MEMORY = 4 << 30  # bytes for one PDF: some thirty times what that report takes

_SVG = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")
_ON_SCREEN = re.compile(r"<!-- screen -->.*?<!-- /screen -->", re.DOTALL)
# What the page's script filters and sorts by. Text has no bare quotation mark, so that nothing else is met.
_FOR_THE_SCRIPT = re.compile(r' data-(?:variant|true|pred|index|confidence|value|classes)="[^"]*"')


@dataclass(frozen=True)
class Extras:
    """What a PDF has beside its pages, the date of that, and how many figures and tables it must have."""

    attached: tuple[Attachment, ...] = ()
    date: datetime | None = None
    figures: int = 0
    tables: int = 0


@dataclass(frozen=True)
class Limits:
    """What making a PDF may take, in seconds and in bytes of memory, before it is stopped; and one chart."""

    seconds: float = SECONDS
    memory: int = MEMORY
    chart: float = SECONDS


def to_pdf(html: str, extras: Extras | None = None) -> bytes:
    """Give the PDF of a report's HTML; nothing outside the HTML is ever fetched.

    It is tagged (PDF/UA-1). With `extras` it carries files, and is checked to have all figures and tables.
    Raises PdfUnavailable where a system library is missing, RenderError for any warning of WeasyPrint's: it
    drops what it cannot draw and goes on, and a report with a chart missing must not be handed out.
    """
    try:
        # Where a library is missing, WeasyPrint prints advice of its own to standard output.
        with redirect_stdout(None):
            from weasyprint import CSS, HTML, Attachment  # noqa: PLC0415  needs libraries that may be missing
            from weasyprint.urls import (  # noqa: PLC0415
                FatalURLFetchingError,
                URLFetcher,
                URLFetcherResponse,
            )
    except OSError as error:
        library = str(error).splitlines()[0]
        raise PdfUnavailable(f"no PDF: {library}; {HOW_TO_INSTALL_PANGO}") from None

    class Fetcher(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if file := file_by_name(url):
                return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": "font/ttf"})
            return super().fetch(url, headers)

    html = printed(html)
    extras = extras or Extras()
    planned = Planned.of(html, extras.figures, extras.tables)
    html = with_faces_by_name(html)
    html = _SVG.sub(_with_text, html)
    fetcher = Fetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
    attached = [
        Attachment(
            file_obj=BytesIO(one.content),
            name=one.name,
            description=one.description,
            created=extras.date,
            modified=extras.date,
        )
        for one in extras.attached
    ]
    write = partial(
        HTML(string=html, url_fetcher=fetcher).write_pdf,
        pdf_variant="pdf/ua-1",
        stylesheets=[CSS(string=pdf_styles())],
        finisher=partial(complete, planned=planned),
        attachments=attached,
    )
    try:
        return _without_complaint(write)
    except FatalURLFetchingError as error:  # no Exception, lest WeasyPrint itself catch it
        raise RenderError(f"the report asks for what is not inside it: {error}") from None


def _without_complaint(write: Callable[[], bytes]) -> bytes:
    """Have WeasyPrint write; raises RenderError for whatever it complains of.

    A function of its own, and short: where memory is at an end, Python 3.11 goes round for ever in a `with`
    that begins beyond the first 256 instructions of its function, for want of a number's memory
    (`exception_unwind` in its Python/ceval.c, PyLong_FromLong).
    """
    with _complaints() as complaints, formulas_tagged():
        content = write()
    if complaints:
        raise RenderError(f"the PDF could not be made as it should be: {'; '.join(complaints[:5])}")
    return bytes(content)


def printed(html: str) -> str:
    """Leave out what is for the screen alone: laying out thousands of hidden images would take a while."""
    return _FOR_THE_SCRIPT.sub("", _ON_SCREEN.sub("", html))


def _with_text(chart: re.Match[str]) -> str:
    """Let a chart have text in the place of outlines: it is drawn in a quarter of the time, and found."""
    try:
        svg = b64decode(chart[1]).decode()
    except ValueError:
        return chart[0]  # for WeasyPrint to complain of
    return data_uri(as_text(svg).encode(), "image/svg+xml")


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what WeasyPrint logs as warnings or errors."""
    found: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage()
            # A character that no font on this machine has is shown as a box: seen, and nobody's bug.
            if not message.startswith(".notdef glyph"):
                found.append(message)

    handler = Collect(level=logging.WARNING)
    logger = logging.getLogger("weasyprint")
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


# --- inside a process of its own -----------------------------------------------------------------

WARM = '<html lang="en"><title>Warm</title><style>{}</style><p>Warm</p></html>'


Task = tuple[str, "Extras | None"]


def prepare(memory: int) -> Callable[[Task, Callable[[Any], None]], tuple[str, bytes | str]]:
    """Import and try out what makes PDFs; gives the function that makes them in so many bytes of memory."""
    _tried(WARM.format(faces_inside()), None)
    _limit(memory)
    gc.freeze()
    gc.disable()  # one document, and the process ends: nothing is worth collecting
    return lambda task, send: _tried(*task, memory)


def _limit(memory: int) -> None:
    """Let this process have no more memory than that; where the system cannot, it has as much as there is.

    RLIMIT_DATA counts what is allocated (Linux 4.7 and later). RLIMIT_AS would count mapped libraries too.
    """
    import resource  # noqa: PLC0415  of Unix alone

    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def out_of_memory(memory: int) -> str:
    """Say that making a PDF took more memory than it may have, and what to do."""
    return (
        f"no PDF: making it took more than the {volume(memory)} of memory that it may have; show fewer "
        "images with --max-size, or fewer networks with --variants"
    )


def out_of_time(seconds: float) -> str:
    """Say that making a PDF took longer than it may, and what to do."""
    return (
        f"no PDF: it was not made within {seconds:g} seconds and was stopped; wait until the machine is "
        "idle, or show fewer images with --max-size"
    )


def _tried(html: str, extras: Extras | None, memory: int = MEMORY) -> tuple[str, bytes | str]:
    """Make a PDF; gives "pdf" with it, or "unavailable" or "fault" with the reason."""
    try:
        return "pdf", to_pdf(html, extras)
    except MemoryError:
        return "unavailable", out_of_memory(memory)
    except PdfUnavailable as error:
        return "unavailable", str(error)
    except RenderError as error:
        return "fault", str(error)
