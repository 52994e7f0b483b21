"""A report that fits a size: with fewer images, in a stated order, and always with all tables and charts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reportgen.errors import PdfUnavailable, SizeError
from reportgen.report.formats import FORMATS, Made
from reportgen.report.pdf import printed
from reportgen.report.tiles import Extent
from reportgen.text import enough_size, exact_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportgen.report.formats import Source

HALVINGS = 7  # of the room for all mistakes, before they are left out
SLACK = 100  # bytes: what is left out is said in words that name the size
FEWER_TILES = (6, 3, 1, 0)


@dataclass(frozen=True)
class Fitted:
    """The documents by format, or why there is no PDF; and what was left out."""

    made: dict[str, Made | PdfUnavailable]
    left_out: str


def extents(limit: int) -> Iterator[Extent]:
    """List how much a report may show, ever less: first of all mistakes, then in every gallery."""
    whole = Extent(limit=limit)
    for n in range(HALVINGS + 1):
        yield replace(whole, mistakes=whole.mistakes // 2**n)
    for tiles in (whole.tiles, *FEWER_TILES):
        yield replace(whole, mistakes=0, tiles=tiles)


def fit(limit: int, source: Source, formats: Sequence[str]) -> Fitted:
    """Make documents of at most `limit` bytes each that show as much as possible.

    Raises SizeError, naming the size that is needed, where not even a report without any gallery is so small.
    """
    press = _Press()
    others = {name: press.make(name, source) for name in formats if not FORMATS[name].charts}
    for name, one in others.items():
        if _size(one) > limit:
            raise SizeError(
                f"--max-size: {exact_size(limit)} is too small for report.{name}, which takes "
                f"{enough_size(_size(one))}; give that or more, or leave {name} out of --format"
            )
    drawn = [name for name in formats if FORMATS[name].charts]
    if not drawn:
        return Fitted(others, "")
    steps = list(extents(limit))
    if source.edition != "report":  # no other shows all mistakes
        steps = [steps[0], *(one for one in steps if one.mistakes == 0 and one.tiles < steps[0].tiles)]
    part, made = _best(steps, limit, source, press, drawn)
    return Fitted({**made, **others}, part.document.left_out)


def _best(
    steps: Sequence[Extent], limit: int, source: Source, press: _Press, formats: Sequence[str]
) -> tuple[Source, dict[str, Made | PdfUnavailable]]:
    """Find the first of ever smaller steps that fits; raises SizeError where not even the last does.

    Steps are tried ever farther apart, and between the last two of these by halving.
    """
    last = len(steps) - 1

    def tried(n: int) -> tuple[Source, dict[str, Made | PdfUnavailable], int]:
        part = replace(source, extent=steps[n])
        return part, *press.as_far_as(formats, part, limit if n < last else None)

    low, high = 0, 0
    part, made, size = tried(0)
    while size > limit and high < last:
        low, high = high + 1, min(2 * high + 1, last)
        part, made, size = tried(high)
    if size > limit:
        needed = enough_size(size + SLACK)
        raise SizeError(
            f"--max-size: {exact_size(limit)} is too small for this {source.edition}, which takes {needed} "
            f"without any gallery; give {needed} or more"
        )
    while low < high:
        middle = (low + high) // 2
        fuller, drawn, size = tried(middle)
        if size <= limit:
            part, made, high = fuller, drawn, middle
        else:
            low = middle + 1
    return part, made


def _size(made: Made | PdfUnavailable) -> int:
    return made.size if isinstance(made, Made) else 0


class _Press:
    """Makes documents, and no PDF that it has made before."""

    def __init__(self) -> None:
        self._known: dict[str, Made | PdfUnavailable] = {}

    def as_far_as(
        self, formats: Sequence[str], source: Source, limit: int | None
    ) -> tuple[dict[str, Made | PdfUnavailable], int]:
        """Make documents until one has more than `limit` bytes; gives them, and the largest one's size."""
        made: dict[str, Made | PdfUnavailable] = {}
        size = 0
        for name in formats:
            made[name] = self.make(name, source)
            size = max(size, _size(made[name]))
            if limit is not None and size > limit:
                break
        return made, size

    def make(self, name: str, source: Source) -> Made | PdfUnavailable:
        """Make one document, or say why there is no PDF."""
        if name != "pdf":
            return FORMATS[name].begin(source)()
        on_paper = printed(source.html)
        if on_paper not in self._known:
            try:
                self._known[on_paper] = FORMATS[name].begin(source)()
            except PdfUnavailable as error:
                self._known[on_paper] = error
        return self._known[on_paper]
