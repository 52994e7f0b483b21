"""Results become documents. Imports no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportgen import disk, words
from reportgen.errors import PdfUnavailable
from reportgen.report.copies import REPORT, THE_REPORT, Copies, key_of
from reportgen.report.dates import document_date
from reportgen.report.fonts import unprintable
from reportgen.report.formats import FORMATS, Made, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reportgen.report.studio import Studio
    from reportgen.results import Results


NO_TYPE = (
    "{file} shows boxes for {boxes}: no typeface of this machine has them; install one that has, such as "
    "Debian's fonts-noto-cjk or fonts-noto-core, and render again"
)


def write(
    results: Results,
    folder: Path,
    formats: Sequence[str],
    studio: Studio | None = None,
    max_size: int = 0,
    copies: Copies = THE_REPORT,
) -> Iterator[tuple[str, Path | PdfUnavailable | str]]:
    """Write a run's editions in some of FORMATS, and with its report the frames of what that states.

    Gives each document's path, by the keys of `copies.files`, or why there is no PDF. Each file is swapped in
    whole. With `max_size`, no document has more bytes. What they leave out for that, and the characters that
    no typeface has, are given in words. Without a studio, one is opened meanwhile. Raises RenderError, and
    SizeError where the documents can't be so small.
    """
    if studio is None:
        from reportgen.report.studio import Studio  # noqa: PLC0415

        with Studio() as own:
            yield from write(results, folder, formats, own, max_size, copies)
        return
    document_date(results.record.started)  # NumPy would stumble over a wrong SOURCE_DATE_EPOCH, too
    if "pdf" in formats:
        studio.start(charts=False)  # it imports while this process does too
    from reportgen.analysis import frames  # noqa: PLC0415
    from reportgen.report.localize import localized  # noqa: PLC0415

    language = results.record.lab.language
    with words.speaking(language):
        results = localized(results)
        analysis = frames.analyse(results)
    if REPORT in copies.editions:
        frames.write(analysis, folder)
    for edition, stem in zip(copies.editions, copies.stems, strict=True):
        source = Source(results, analysis, studio, None, edition, copies.sheet, stem, copies.templates)
        done = {}
        for name, made in _fitted(source, formats, max_size) if max_size else _whole(source, formats):
            done[name] = made
            yield key_of(stem, name), _put(folder, stem, name, made) if isinstance(made, Made) else made
        if isinstance(done.get("pdf"), Made):
            page = done.get("html")
            yield from _boxes(stem, page.content.decode() if isinstance(page, Made) else source.html)


def _boxes(stem: str, html: str) -> Iterator[tuple[str, str]]:
    """Say which characters of a PDF no typeface has, if any."""
    if boxes := unprintable(html):
        yield "boxes", NO_TYPE.format(file=f"{stem}.pdf", boxes=" ".join(boxes))


def _put(folder: Path, stem: str, name: str, made: Made) -> Path:
    """Swap a document in, with its files beside it; gives its path.

    New files come before the document that shows them, and old ones go after it: whenever a kill ends this,
    the document that is there has all its files.
    """
    ending = FORMATS[name].beside
    beside = folder / f"{stem}{ending}"
    if ending:
        disk.add_files(beside, made.beside)
    path = disk.swap_in(folder / f"{stem}.{name}", made.content)
    if ending:
        disk.remove_others(beside, made.beside)
    return path


def _whole(source: Source, formats: Sequence[str]) -> Iterator[tuple[str, Made | PdfUnavailable]]:
    """Make the documents: whatever takes long is begun before the first is waited for.

    None is given before all are made: a PDF that is refused must not leave a new HTML beside an old PDF.
    """
    made: list[tuple[str, Made | PdfUnavailable]] = []
    with words.speaking(source.results.record.lab.language):
        begun = [(name, FORMATS[name].begin(source)) for name in formats]
        for name, finish in begun:
            try:
                made.append((name, finish()))
            except PdfUnavailable as error:
                made.append((name, error))
    yield from made


def _fitted(
    source: Source, formats: Sequence[str], max_size: int
) -> Iterator[tuple[str, Made | PdfUnavailable | str]]:
    """Make documents that fit a size; none is given before all do."""
    from reportgen.report.fitting import fit  # noqa: PLC0415

    with words.speaking(source.results.record.lab.language):
        fitted = fit(max_size, source, formats)
    yield from ((name, fitted.made[name]) for name in formats)
    if fitted.left_out:
        yield "left out", fitted.left_out


def ahead(results: Results, studio: Studio) -> None:
    """Order what the report will show of each finished variant, while others are still being trained.

    `results` are those of the finished trainings, with the record of the whole lab.
    """
    from reportgen.report.html import context_of  # noqa: PLC0415
    from reportgen.report.sections.confusion import order_ahead  # noqa: PLC0415

    with words.speaking(results.record.lab.language):
        order_ahead(context_of(results, studio))
