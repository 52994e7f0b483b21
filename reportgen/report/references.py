"""Figures and tables that a caption names become links to them; on paper, their pages stand beside them."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from reportgen.words import tr

HOLE = "\N{SECTION SIGN}"


def referred(text: object, anchor: str) -> Markup:
    """Link the first "Figure 3" of a text, as the spoken language calls it, to figure-3, its anchor.

    The text is left as it is where it does not name the figure or table, or where there is no anchor.
    """
    html = escape(text)
    if not anchor:
        return html
    kind, _, number = anchor.partition("-")
    label = tr("Figure {number}.", number=HOLE) if kind == "figure" else tr("Table {number}.", number=HOLE)
    name = re.escape(label.partition(HOLE)[0].strip())
    pattern = rf"({name}\s?{number})(?!\d)(?![^<]*>)"
    link = rf'<a class="ref" href="#{anchor}">\1</a>'
    # Escaped above, unless it was marked up before; the link has nothing but an anchor of ours.
    return Markup(re.sub(pattern, link, str(html), count=1, flags=re.IGNORECASE))  # noqa: S704


def led_somewhere(html: str) -> str:
    """Leave the words alone of links to what a template of one's own has left out."""
    there = set(re.findall(r'\bid="((?:figure|table)-\d+)"', html))
    return re.sub(
        r'<a class="ref" href="#([^"]+)">([^<]*)</a>', lambda one: one[0] if one[1] in there else one[2], html
    )


def page_of_reference() -> str:
    """Give what stands behind a link on paper, as a value of CSS's `content`."""
    said = tr(" (p. {page})", page=HOLE).replace('"', "")
    before, _, after = said.partition(HOLE)
    return f'"{before}" target-counter(attr(href), page) "{after}"'
