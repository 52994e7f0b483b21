"""A run's results become one HTML file that asks for nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from reportgen import words
from reportgen.analysis.frames import analyse
from reportgen.analysis.scores import leaderboard
from reportgen.errors import RenderError
from reportgen.report.brand import brand_of
from reportgen.report.dates import document_date, written
from reportgen.report.document import Context, Document, Numbers, Section
from reportgen.report.editions import REPORT, Edition
from reportgen.report.fonts import faces_inside
from reportgen.report.keras_code import OPTIMIZERS
from reportgen.report.notes import SetNotes, notes_of
from reportgen.report.references import led_somewhere, page_of_reference
from reportgen.report.studio import Studio
from reportgen.report.templates import environment, fault_in, styles, template_folder
from reportgen.report.tiles import Extent
from reportgen.report.typography import closed_up
from reportgen.text import count, inert, shorten
from reportgen.words import tr, trn

if TYPE_CHECKING:
    from pathlib import Path

    from reportgen.analysis.frames import Analysis
    from reportgen.results import Results

LONGEST_TITLE = 240
RUNNING_TITLE = 60
LONGEST_NOTE = 600
# The block of text has one width, 166 mm, on both; Letter is shorter, and gives it some of its margins.
PAPERS = {
    "a4": "@media print { @page { size: A4; margin: 23mm 22mm 22mm; } }",
    "letter": "@media print { @page { size: letter; margin: 21mm 24.95mm 19mm; } }",
}


def build(
    results: Results,
    studio: Studio | None = None,
    analysis: Analysis | None = None,
    extent: Extent | None = None,
    edition: Edition = REPORT,
) -> Document:
    """Lay a run out as an edition; its charts are ordered, and waited for once they are written.

    Without a studio they are drawn in this process.
    """
    analysis = analyse(results) if analysis is None else analysis
    context = context_of(results, studio or Studio(processes=0), analysis, extent, edition)
    numbers = context.numbers
    # Numbers are handed out in this order, so that they count up down the page.
    made = [(anchor, title, make(context)) for anchor, (title, make) in edition.sections.items()]
    noted = notes_of(results.record.lab, edition.name)
    present = [part for part in made if part[2] is not None or part[0] in noted]
    sections = tuple(
        Section(number, anchor, tr(title), body, noted.get(anchor, SetNotes()))
        for number, (anchor, title, body) in enumerate(present, start=1)
    )
    lab = context.lab
    return Document(
        title=inert(lab.title, LONGEST_TITLE),
        full_title=edition.named(inert(lab.title, LONGEST_TITLE)),
        course=edition.named(inert(lab.course, LONGEST_TITLE)),
        running_title=_running(lab.title),
        running_course=edition.named(_running(lab.course)),
        subtitle=_subtitle(context),
        description=edition.named(
            trn(
                "{n} network on {data}",
                "{n} networks on {data}",
                len(results.variants),
                n=len(results.variants),
                data=context.dataset.title,
            )
        ),
        notes=(*map(tr, edition.notes), *_notes(context)),
        sections=sections,
        figures=numbers.figures,
        tables=numbers.tables,
        grey=context.dataset.image_shape[2] != 3,
        left_out=context.left_out(),
        paper=lab.paper,
        language=lab.language,
        signed=edition.signed,
        brand=brand_of(results),
        date=document_date(context.results.record.started),
        attached=context.attached if edition.attaches else (),
    )


def context_of(
    results: Results,
    studio: Studio,
    analysis: Analysis | None = None,
    extent: Extent | None = None,
    edition: Edition = REPORT,
) -> Context:
    """Gather what sections are made from."""
    context = Context(results, leaderboard(results), Numbers(), studio, analysis or {}, extent or Extent())
    asks = "predictions" in edition.sections
    return replace(
        context, all_mistakes=edition.all_mistakes, sheet=edition.sheet, answers=edition.answers, asks=asks
    )


def _running(text: str) -> str:
    return shorten(" ".join(inert(text).split()), RUNNING_TITLE)


def _subtitle(context: Context) -> str:
    data, protocol = context.dataset, context.protocol
    started = context.results.record.started
    seeds, epochs = protocol.seeds, protocol.epochs
    precision = f", {protocol.precision}" if protocol.precision != "float32" else ""
    optimizer = f"{OPTIMIZERS[protocol.optimizer]}{precision}"
    return " · ".join(
        [
            tr(
                "{data}, {train} training and {test} test images",
                data=data.title,
                train=count(data.n_train),
                test=count(data.n_test),
            ),
            trn(
                "{n} epoch, batch {batch}, {optimizer}",
                "{n} epochs, batch {batch}, {optimizer}",
                epochs,
                n=epochs,
                batch=protocol.batch_size,
                optimizer=optimizer,
            ),
            trn("{n} seed", "{n} seeds", seeds, n=seeds),
            written(started),
        ]
    )


def _notes(context: Context) -> tuple[str, ...]:
    """Say on the first page what a reader must know before believing the numbers."""
    run = context.results.record
    notes = []
    if run.fallback:
        notes.append(
            tr(
                "{reason}. This document is of {data} in its place, with {n} training images: its numbers "
                "are not those of the lab's own data.",
                reason=run.fallback,
                data=context.dataset.title,
                n=count(context.dataset.n_train),
            )
        )
    return tuple(inert(note, LONGEST_NOTE) for note in (*notes, *context.dataset.warnings))


def style_sheet(own: Path | None = None) -> Markup:
    """Give the style sheet with the fonts inside it; a folder of one's own may have another one."""
    # Files of ours, or of whoever renders: without any text of a lab's.
    return Markup(faces_inside(words.language()) + "\n" + styles(own, str(page_numbers())))  # noqa: S704


@cache
def script() -> Markup:
    """Give the page's script, as it stands between its tags."""
    return Markup((template_folder() / "report.js").read_text(encoding="utf-8"))  # noqa: S704  a file of ours


@cache
def policy() -> Markup:
    """Give the content security policy: what is inside the page and this very script, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return Markup(
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; font-src data:; "
        "style-src 'unsafe-inline'; script-src 'sha256-{}'"
    ).format(digest)


def script_words() -> Markup:
    """Give what the page's script says, translated, as JSON; nothing for English, which stands in it."""
    if words.language() == words.ENGLISH:
        return Markup("")
    said = {message: tr(message) for message in re.findall(r'\btr\("([^"]+)"', script())}
    # Our own translations, and no sign in them that could end the script.
    return Markup(json.dumps(said, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704


def page_numbers() -> Markup:
    """Give the rules that print the numbers of pages; English stands in the style sheet."""
    if words.language() == words.ENGLISH:
        return Markup("")
    said = tr("Page {page} of {pages}", page='" counter(page) "', pages='" counter(pages) "')
    reference = Markup(page_of_reference())  # noqa: S704  our own translation
    return Markup(
        '@media print {{ @page {{ @bottom-right {{ content: "{}" }} }} a.ref::after {{ content: {} }} }}'
    ).format(Markup(said), reference)  # noqa: S704


def to_html(document: Document, own: Path | None = None) -> str:
    """Render a document, waiting for its charts; templates in the folder `own` take the place of ours.

    Raises RenderError, and UsageError for a fault in a template of one's own.
    """
    made = environment(own)
    given = {
        "style": style_sheet(own),
        "paper": PAPERS[document.paper],
        "script": script(),
        "policy": policy(),
        "words": script_words(),
    }
    try:
        html = made.get_template("report.html.jinja").render(document=document, **given)
        return closed_up(led_somewhere(html) if own else html)
    except RenderError:
        raise
    except Exception as error:
        if own is None:
            raise
        raise fault_in(own, error) from None  # what a template of one's own does may raise anything
