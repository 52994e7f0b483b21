"""Figures and tables that a caption names become links to them; on paper, their pages stand beside them."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from reportgen.words import tr

HOLE = "\N{SECTION SIGN}"


def referred(text: object) -> Markup:
    """Link every "Figure 3" and "Table 1", as the spoken language calls them, to what has that number.

    For words of ours alone: each number in them is one that the document has.
    """
    html = str(escape(text))
    for kind, label in (
        ("figure", tr("Figure {number}.", number=HOLE)),
        ("table", tr("Table {number}.", number=HOLE)),
    ):
        name = re.escape(label.partition(HOLE)[0].strip())
        html = re.sub(
            rf"(?<![A-Za-z])({name}\s?(\d+))(?!\d)(?![^<]*>)",
            rf'<a class="ref" href="#{kind}-\2">\1</a>',
            html,
            flags=re.IGNORECASE,
        )
    return Markup(html)  # noqa: S704  escaped above, unless it was marked up before


def page_of_reference() -> str:
    """Give what stands behind a link on paper, as a value of CSS's `content`."""
    said = tr(" (p. {page})", page=HOLE).replace('"', "")
    before, _, after = said.partition(HOLE)
    return f'"{before}" target-counter(attr(href), page) "{after}"'
