"""Who hands a report out, as its first page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from reportgen.colours import readable_on
from reportgen.lab.logo import TYPES
from reportgen.report.images import data_uri
from reportgen.text import inert
from reportgen.words import tr

if TYPE_CHECKING:
    from reportgen.results import Results

DARK_PAPER = "#141414"  # as in the style sheet
LONGEST = 200
# The accent colours the page; charts and tables keep colours that were tested to be told apart by all.
ACCENT = (
    ":root {{ --brand: {light}; }}\n"
    "@media screen {{ @supports (color: light-dark(#000, #fff)) {{ "
    ":root {{ --brand: light-dark({light}, {dark}); }} }} }}"
)


@dataclass(frozen=True)
class Brand:
    """The words, the logo as a data URI, and the rules of a style sheet that bring the accent."""

    institution: str
    term: str
    authors: tuple[str, ...]
    logo: str
    style: Markup

    @property
    def head(self) -> bool:
        """Tell whether there is anything to stand above the title."""
        return bool(self.institution or self.logo)

    @property
    def line(self) -> str:
        """Give institution and term on one line; empty where neither is stated."""
        return " · ".join(one for one in (self.institution, self.term) if one)

    @property
    def logo_alt(self) -> str:
        """Say what the logo is; beside the institution's name it is its emblem."""
        return tr("Logo of {institution}", institution=self.institution) if self.institution else tr("Logo")


def brand_of(results: Results) -> Brand:
    """Lay out a lab's branding; whatever it does not state is empty."""
    stated, logo = results.record.lab.branding, results.logo
    return Brand(
        institution=inert(stated.institution, LONGEST),
        term=inert(stated.term, LONGEST),
        authors=tuple(inert(author, LONGEST) for author in stated.authors),
        logo=data_uri(logo.content, TYPES[logo.kind]) if logo else "",
        style=_style(stated.accent),
    )


def _style(accent: str) -> Markup:
    if not accent:
        return Markup("")
    # A checked colour: nothing else can be in it.
    return Markup(ACCENT.format(light=accent, dark=readable_on(accent, DARK_PAPER)))  # noqa: S704
