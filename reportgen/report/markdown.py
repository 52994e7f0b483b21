"""A report as Markdown with its images beside it, for a course site: CommonMark and pipe tables, no HTML."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from markupsafe import Markup

from reportgen.report import pictures, strips
from reportgen.report.formulas import plain
from reportgen.report.markdown_text import code, escape, fenced, words
from reportgen.report.templates import environment
from reportgen.report.tiles import Panel
from reportgen.text import finalize
from reportgen.words import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportgen.report.document import Document, Figure
    from reportgen.report.drawings import Drawing, Volume
    from reportgen.report.sections.pairs import PairPictures

# Empty lines beyond the first, but for those in a block of code, which is taken whole.
SPARE = re.compile(r"(^ *(`{3,})[^`\n]*\n.*?^ *\2$)|\n{3,}", re.MULTILINE | re.DOTALL)
STRIPS: dict[str, Callable[[Any], strips.Strips | None]] = {
    "leaderboard": strips.leaderboard,
    "forest": strips.forest,
    "contrasts": strips.contrasts,
}


def to_markdown(document: Document, folder: str) -> tuple[str, dict[str, bytes]]:
    """Write a document; gives the text and the images, by their names in `folder`.

    Waits for the charts; raises RenderError.
    """
    images = Images(folder)
    template = _environment().get_template("markdown/report.md.jinja")
    text = template.render(document=document, images=images)
    return SPARE.sub(lambda found: found[1] or "\n\n", text).strip() + "\n", images.files


class Images:
    """The images of one document. A name ends in a hash of the content: what another render wrote stays."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}

    def chart(self, figure: Figure) -> Markup:
        """Show a chart."""
        return self._show(
            f"figure-{figure.number}", "svg", pictures.chart_svg(figure.chart.svg()), figure.alt
        )

    def panel(self, number: int, place: int, panel: Panel) -> Markup:
        """Show a panel of the figure with a number, at its place in it."""
        alt = tr(". ").join(tile.alt for tile in panel.tiles)
        return self._show(
            f"figure-{number}-{place}", "png", pictures.panel_row(panel), tr("{sentence}.", sentence=alt)
        )

    def pair(self, number: int, place: int, pair: PairPictures) -> Markup:
        """Show a pair of classes that are confused."""
        return self.panel(number, place, Panel("incorrect", "", pair.tiles))

    def drawing(self, number: int, drawing: Drawing) -> Markup:
        """Show a drawing."""
        if drawing.images:
            uris, alts = zip(*drawing.images, strict=True)
            made = pictures.row(uris, [()] * len(uris))
            alt = tr("{sentence}.", sentence=tr(". ").join(alts))
            return self._show(f"figure-{number}", "png", made, alt)
        return self._show(f"figure-{number}", "svg", pictures.drawing_svg(drawing), drawing.alt)

    def intervals(self, number: int, kind: str, body: Any) -> Markup:
        """Show the intervals that belong to a table with a number; nothing where there are none."""
        drawn = STRIPS[kind](body)
        return (
            self._show(f"table-{number}", "svg", drawn.svg(), tr("Intervals: {what}.", what=drawn.alt))
            if drawn
            else Markup()
        )

    def trace(self, number: int, volumes: Sequence[Volume]) -> Markup:
        """Show how a network's shapes go."""
        alt = tr(", ").join(f"{one.layer} {one.label}" for one in volumes)
        return self._show(
            f"figure-{number}", "svg", pictures.trace_svg(volumes), tr("Shapes: {what}.", what=alt)
        )

    def _show(self, stem: str, ending: str, content: bytes, alt: str) -> Markup:
        name = f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}.{ending}"
        self.files[name] = content
        return Markup("![{}]({}/{})").format(escape(alt), Markup(self.folder), Markup(name))  # noqa: S704


def _as_text(value: object) -> object:
    return value if isinstance(value, Markup) else escape(finalize(value))


@cache
def _environment() -> Environment:
    """Give the templates' environment: whatever is printed is text, unless a filter says otherwise."""
    made = environment().overlay(finalize=_as_text)
    made.filters = {**made.filters, "code": code, "fenced": fenced, "words": words, "formula": plain}
    return made
