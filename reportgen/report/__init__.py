"""Results become documents. Imports no TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.errors import PdfUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportgen.results import Results


def write(
    results: Results, folder: Path, formats: Sequence[str]
) -> Iterator[tuple[str, Path | PdfUnavailable]]:
    """Write report.html and report.pdf, as `formats` asks; gives each path, or why there is no PDF.

    Each file is swapped in whole. Raises RenderError.
    """
    from reportgen.report.html import build, to_html  # noqa: PLC0415  plotnine
    from reportgen.report.pdf import to_pdf  # noqa: PLC0415

    html = to_html(build(results))
    if "html" in formats:
        yield "html", _swap_in(folder / "report.html", html.encode())
    if "pdf" in formats:
        try:
            yield "pdf", _swap_in(folder / "report.pdf", to_pdf(html))
        except PdfUnavailable as error:
            yield "pdf", error


def _swap_in(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        temporary.write_bytes(content)
        return temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
