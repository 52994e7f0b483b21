"""A report that fits a size: with fewer images, in a stated order, and always with all tables and charts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reportgen.errors import PdfUnavailable, SizeError
from reportgen.report.html import to_html
from reportgen.report.pdf import printed
from reportgen.report.tiles import Extent
from reportgen.text import enough_size, exact_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reportgen.report.document import Document
    from reportgen.report.pdf import Extras
    from reportgen.report.studio import Studio

HALVINGS = 7  # of the room for all mistakes, before they are left out
SLACK = 100  # bytes: what is left out is said in words that name the size
FEWER_TILES = (6, 3, 1, 0)


@dataclass(frozen=True)
class Fitted:
    """Both documents, as far as they were asked for, or why there is no PDF; and what was left out."""

    html: str
    pdf: bytes | PdfUnavailable | None
    left_out: str


def extents(limit: int) -> Iterator[Extent]:
    """List how much a report may show, ever less: first of all mistakes, then in every gallery."""
    whole = Extent(limit=limit)
    for n in range(HALVINGS + 1):
        yield replace(whole, mistakes=whole.mistakes // 2**n)
    for tiles in (whole.tiles, *FEWER_TILES):
        yield replace(whole, mistakes=0, tiles=tiles)


def fit(limit: int, page: Callable[[Extent], Document], formats: Sequence[str], studio: Studio) -> Fitted:
    """Make documents of at most `limit` bytes each that show as much as possible.

    Raises SizeError, naming the size that is needed, where not even a report without any gallery is so small.
    """
    press = _Press(formats, studio)
    for extent in extents(limit):
        document = page(extent)
        html = to_html(document)
        if press.bytes_of(html) > limit and extent.tiles:
            continue
        pdf = press.pdf(html, document.extras)
        size = max(press.bytes_of(html), len(pdf) if isinstance(pdf, bytes) else 0)
        if size <= limit:
            return Fitted(html, pdf, document.left_out)
    needed = enough_size(size + SLACK)
    raise SizeError(
        f"--max-size: {exact_size(limit)} is too small for this report, which takes {needed} without any "
        f"gallery; give {needed} or more"
    )


class _Press:
    """Makes PDFs, none of which it has made before."""

    def __init__(self, formats: Sequence[str], studio: Studio) -> None:
        self._formats, self._studio = formats, studio
        self._known: dict[str, bytes | PdfUnavailable] = {}

    def bytes_of(self, html: str) -> int:
        """Give the size of the HTML, 0 where none was asked for."""
        return len(html.encode()) if "html" in self._formats else 0

    def pdf(self, html: str, extras: Extras) -> bytes | PdfUnavailable | None:
        """Make the PDF, if one was asked for."""
        if "pdf" not in self._formats:
            return None
        on_paper = printed(html)
        if on_paper not in self._known:
            try:
                self._known[on_paper] = self._studio.pdf(html, extras)()
            except PdfUnavailable as error:
                self._known[on_paper] = error
        return self._known[on_paper]
