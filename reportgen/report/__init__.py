"""Results become documents. Imports no TensorFlow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reportgen import disk
from reportgen.errors import PdfUnavailable
from reportgen.report.dates import document_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from reportgen.report.document import Document
    from reportgen.report.studio import Studio
    from reportgen.report.tiles import Extent
    from reportgen.results import Results


def write(
    results: Results,
    folder: Path,
    formats: Sequence[str],
    studio: Studio | None = None,
    max_size: int = 0,
) -> Iterator[tuple[str, Path | PdfUnavailable | str]]:
    """Write report.html and report.pdf, as `formats` asks, and the frames of what they state.

    Gives each document's path, or why there is no PDF. Each file is swapped in whole. With `max_size`, none
    has more bytes, and what they leave out is given in words. Without a studio, one is opened for the time.
    Raises RenderError, and SizeError where the documents can't be so small.
    """
    if studio is None:
        from reportgen.report.studio import Studio  # noqa: PLC0415

        with Studio() as own:
            yield from write(results, folder, formats, own, max_size)
        return
    document_date(results.record.started)  # NumPy would stumble over a wrong SOURCE_DATE_EPOCH, too
    if "pdf" in formats:
        studio.start(charts=False)  # it imports while this process does too
    from reportgen.analysis import frames  # noqa: PLC0415
    from reportgen.report.html import build  # noqa: PLC0415

    analysis = frames.analyse(results)
    frames.write(analysis, folder)
    page = partial(build, results, studio, analysis)
    drawn: Iterator[tuple[str, bytes | PdfUnavailable | str]]
    drawn = _fitted(page, formats, studio, max_size) if max_size else _whole(page(), formats, studio)
    for name, content in drawn:
        if isinstance(content, bytes):
            yield name, disk.swap_in(folder / f"report.{name}", content)
        else:
            yield name, content


def _whole(
    document: Document, formats: Sequence[str], studio: Studio
) -> Iterator[tuple[str, bytes | PdfUnavailable | str]]:
    """Draw the documents, the HTML while the PDF is being made."""
    from reportgen.report.html import to_html  # noqa: PLC0415

    html = to_html(document)
    pdf = studio.pdf(html, document.extras) if "pdf" in formats else None
    if "html" in formats:
        yield "html", html.encode()
    if pdf:
        try:
            yield "pdf", pdf()
        except PdfUnavailable as error:
            yield "pdf", error


def _fitted(
    page: Callable[[Extent], Document], formats: Sequence[str], studio: Studio, max_size: int
) -> Iterator[tuple[str, bytes | PdfUnavailable | str]]:
    """Draw documents that fit a size; none is given before all do."""
    from reportgen.report.fitting import fit  # noqa: PLC0415

    made = fit(max_size, page, formats, studio)
    if "html" in formats:
        yield "html", made.html.encode()
    if made.pdf:
        yield "pdf", made.pdf
    if made.left_out:
        yield "left out", made.left_out


def ahead(results: Results, studio: Studio) -> None:
    """Order what the report will show of each finished variant, while others are still being trained.

    `results` are those of the finished trainings, with the record of the whole lab.
    """
    from reportgen.report.html import context_of  # noqa: PLC0415
    from reportgen.report.sections.confusion import order_ahead  # noqa: PLC0415

    order_ahead(context_of(results, studio))
