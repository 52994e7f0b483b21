"""The HTML becomes a PDF, through WeasyPrint; whatever it complains of is an error."""

from __future__ import annotations

import logging
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from reportgen.errors import PdfUnavailable, RenderError

if TYPE_CHECKING:
    from collections.abc import Iterator

HOW_TO_INSTALL_PANGO = (
    "install Pango (Debian and Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; "
    "macOS: brew install pango)"
)


def to_pdf(html: str) -> bytes:
    """Give the PDF of a report's HTML; nothing outside the HTML is ever fetched.

    Raises PdfUnavailable where a system library is missing, RenderError for any warning of WeasyPrint's: it
    drops what it cannot draw and goes on, and a report with a chart missing must not be handed out.
    """
    try:
        # Where a library is missing, WeasyPrint prints advice of its own to standard output.
        with redirect_stdout(None):
            from weasyprint import HTML  # noqa: PLC0415  needs system libraries that may be missing
            from weasyprint.urls import FatalURLFetchingError, URLFetcher  # noqa: PLC0415
    except OSError as error:
        library = str(error).splitlines()[0]
        raise PdfUnavailable(f"no PDF: {library}; {HOW_TO_INSTALL_PANGO}") from None
    fetcher = URLFetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
    with _complaints() as complaints:
        try:
            content = HTML(string=html, url_fetcher=fetcher).write_pdf(pdf_variant="pdf/ua-1")
        except FatalURLFetchingError as error:  # no Exception, lest WeasyPrint itself catch it
            raise RenderError(f"the report asks for what is not inside it: {error}") from None
    if complaints:
        raise RenderError(f"the PDF could not be made as it should be: {'; '.join(complaints[:5])}")
    return bytes(content)


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
