"""Results become documents. Imports no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportgen import disk
from reportgen.errors import PdfUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reportgen.report.studio import Studio
    from reportgen.results import Results


def write(
    results: Results, folder: Path, formats: Sequence[str], studio: Studio | None = None
) -> Iterator[tuple[str, Path | PdfUnavailable]]:
    """Write report.html and report.pdf, as `formats` asks, and the frames of what they state.

    Gives each document's path, or why there is no PDF.
    Each file is swapped in whole. Without a studio, one is opened for the time. Raises RenderError.
    """
    if studio is None:
        from reportgen.report.studio import Studio  # noqa: PLC0415

        with Studio() as own:
            yield from write(results, folder, formats, own)
        return
    if "pdf" in formats:
        studio.start(charts=False)  # it imports while this process does too
    from reportgen.analysis import frames  # noqa: PLC0415
    from reportgen.report.html import build, to_html  # noqa: PLC0415

    analysis = frames.analyse(results)
    frames.write(analysis, folder)
    html = to_html(build(results, studio, analysis))
    pdf = studio.pdf(html) if "pdf" in formats else None
    if "html" in formats:
        yield "html", disk.swap_in(folder / "report.html", html.encode())
    if pdf:
        try:
            yield "pdf", disk.swap_in(folder / "report.pdf", pdf())
        except PdfUnavailable as error:
            yield "pdf", error


def ahead(results: Results, studio: Studio) -> None:
    """Order what the report will show of each finished variant, while others are still being trained.

    `results` are those of the finished trainings, with the record of the whole lab.
    """
    from reportgen.report.html import context_of  # noqa: PLC0415
    from reportgen.report.sections.confusion import order_ahead  # noqa: PLC0415

    order_ahead(context_of(results, studio))
