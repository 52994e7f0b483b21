"""The PDF: what is on which page, that nothing is lost, and that nothing is fetched."""

from __future__ import annotations

import io
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pypdf
import pytest

from reportgen.errors import RenderError
from reportgen.report import write
from reportgen.report.fonts import unprintable
from reportgen.report.pdf import printed, to_pdf
from reportgen.report.sections import SECTIONS
from reportgen.results import Results, load_results, save
from support import behind_the_flag, in_a_process
from synthetic import SEVEN, document_of, example, hostile, html_of, made_up, pdf_of

MILLIMETRE = 96 / 25.4  # CSS pixels
MARGIN = 22 * MILLIMETRE
PAGES = 12  # of the example; a change that is meant changes it here
TITLE = "A made-up lab"


@cache
def several() -> Results:
    names = tuple(f"{name}-and-more".ljust(40, "x") if n == 3 else name for n, name in enumerate(SEVEN[:4]))
    return made_up(names=names, n_test=300, epochs=3, image_shape=(16, 16, 1))


both = pytest.mark.parametrize(
    "run", [example, *behind_the_flag(several, hostile)], ids=lambda run: run.__name__
)


@cache
def reader(run: Callable[[], Results]) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf_of(run)))


@cache
def texts(run: Callable[[], Results]) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in reader(run).pages]


@cache
def laid_out(run: Callable[[], Results]) -> Any:
    """Lay the pages out as the PDF has them, with every box's place."""
    from weasyprint import HTML

    return HTML(string=html_of(run)).render()


def boxes(page: Any) -> Iterator[Any]:
    return page._page_box.descendants()  # type: ignore[no-any-return]


def outline(run: Callable[[], Results]) -> list[tuple[str, int]]:
    """Give the bookmarks: heading and page, from 1."""

    def flat(entries: list[Any]) -> Iterator[Any]:
        for entry in entries:
            yield from flat(entry) if isinstance(entry, list) else [entry]

    found = reader(run)
    return [
        (str(one.title), (found.get_destination_page_number(one) or 0) + 1) for one in flat(found.outline)
    ]


def tags(run: Callable[[], Results]) -> Counter[tuple[str, bool]]:
    """Count the PDF's structure elements by kind and whether they have an alternative text."""
    counted: Counter[tuple[str, bool]] = Counter()
    todo = [reader(run).root_object["/StructTreeRoot"]]
    while todo:
        node = todo.pop().get_object()
        if not isinstance(node, pypdf.generic.DictionaryObject):
            continue
        if "/S" in node:
            counted[node["/S"], "/Alt" in node] += 1
        kids = node.get("/K", [])
        kids = kids.get_object() if hasattr(kids, "get_object") else kids
        todo += kids if isinstance(kids, list) else [kids]
    return counted


def section_pages(run: Callable[[], Results]) -> dict[str, int]:
    titles = {f"{n} {title}" for n, (title, _) in enumerate(SECTIONS.values(), start=1)}
    return {title: page for title, page in outline(run) if title in titles}


# --- what it says of itself ------------------------------------------------------------------------


def test_the_example_has_the_pages_that_it_had() -> None:
    assert len(reader(example).pages) == PAGES


def test_title_language_and_tags_are_set() -> None:
    found = reader(example)
    assert found.metadata is not None
    assert found.metadata.title == TITLE
    assert found.root_object["/Lang"] == "en"
    assert found.root_object["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in found.root_object


def test_every_section_is_a_bookmark() -> None:
    titles = [title for title, _ in outline(example)]
    assert titles[0] == TITLE
    assert [title for title in titles if title in section_pages(example)] == list(section_pages(example))
    assert len(section_pages(example)) == len(SECTIONS)


@pytest.mark.long
def test_words_in_charts_can_be_found() -> None:
    text = " ".join(texts(example))
    for words in ("parameters (log scale)", "accuracy, %", "validation", "predicted"):
        assert words in text


def test_all_type_is_the_shipped_one() -> None:
    found = {
        str(font.get_object()["/BaseFont"]).partition("+")[2]
        for page in reader(example).pages
        for font in page["/Resources"].get("/Font", {}).values()  # type: ignore[index, attr-defined]
    }
    assert found
    assert all(name.startswith("Reportgen-") for name in found), found


@pytest.mark.long(but=("hostile",))
@both
def test_every_figure_and_table_is_there(run: Callable[[], Results]) -> None:
    document, text = document_of(run), " ".join(texts(run))
    for kind, total in (("Figure", document.figures), ("Table", document.tables)):
        assert set(re.findall(rf"{kind} (\d+)\. ", text)) == {str(n) for n in range(1, total + 1)}
    page = printed(html_of(run))
    assert tags(run)["/Figure", True] == page.count("<img ") + page.count("<svg ")
    assert not tags(run)["/Figure", False], "every picture has its alternative text"


@both
def test_nothing_that_only_a_screen_offers_is_printed(run: Callable[[], Results]) -> None:
    text = " ".join(texts(run)).replace("attached CSV files", "")
    assert "CSV" not in text
    assert "use strict" not in text
    targets = {
        str(link.get_object().get("/A", {}).get("/URI", ""))
        for page in reader(run).pages
        for link in page.get("/Annots", [])
    }
    assert targets <= {""}, "links lead to pages"


# --- its pages -------------------------------------------------------------------------------------


@both
def test_the_table_of_contents_names_the_pages_on_which_the_sections_begin(
    run: Callable[[], Results],
) -> None:
    text = next(page for page in texts(run) if re.search("contents", page, re.IGNORECASE))
    for title, page in section_pages(run).items():
        assert re.search(rf"{re.escape(title)}(?: ?\.)+ ?(\d+)", text)[1] == str(page), title  # type: ignore[index]


@both
def test_every_page_has_its_number_and_all_but_the_first_the_running_title(
    run: Callable[[], Results],
) -> None:
    pages = texts(run)
    for number, text in enumerate(pages, start=1):
        assert text.endswith(f"{number} of {len(pages)}")
    running = document_of(run).running_title
    plain = ["".join(text.split()) for text in pages]
    assert all("".join(running.split()) in text for text in plain[1:])


@pytest.mark.long(but=("example",))
@both
def test_a_figure_stands_on_one_page_with_its_caption(run: Callable[[], Results]) -> None:
    seen: set[str] = set()
    for page in laid_out(run).pages:
        here = {box.element.get("id"): box for box in boxes(page) if box.element_tag == "figure"}
        for name, figure in here.items():
            assert name not in seen, f"{name} is divided between pages"
            inside = {box.element_tag for box in figure.descendants()}
            assert "figcaption" in inside, name
        seen |= set(here)
    assert len(seen) == document_of(run).figures


@pytest.mark.long(but=("example",))
@both
def test_nothing_reaches_beyond_the_text_block(run: Callable[[], Results]) -> None:
    for number, page in enumerate(laid_out(run).pages, start=1):
        for box in boxes(page):
            kind = type(box).__name__
            if kind not in ("TextBox", "InlineReplacedBox", "BlockReplacedBox", "TableBox"):
                continue
            left, right = box.position_x, box.position_x + box.width
            where = (number, kind, box.element_tag, getattr(box, "text", "")[:40])
            assert left >= MARGIN - 1, where
            assert right <= page.width - MARGIN + 1, where
            assert 0 <= box.position_y <= page.height - box.height + 1, where


@both
def test_no_heading_stands_alone_at_the_foot_of_a_page(run: Callable[[], Results]) -> None:
    for number, page in enumerate(laid_out(run).pages, start=1):
        body = [box for box in boxes(page) if type(box).__name__ in ("TextBox", "InlineReplacedBox")]
        body = [box for box in body if MARGIN < box.position_y < page.height - MARGIN]
        last = max(body, key=lambda box: box.position_y + box.height)
        assert last.element_tag not in ("h2", "h3", "span.number"), (number, last.text)


@both
def test_no_page_is_left_empty(run: Callable[[], Results]) -> None:
    for number, page in enumerate(laid_out(run).pages, start=1):
        words = [box for box in boxes(page) if type(box).__name__ == "TextBox"]
        words = [box for box in words if MARGIN < box.position_y < page.height - MARGIN]
        assert len(words) > 8, number


# --- how it is made --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        "<style>p { colr: red }</style>",
        '<img src="https://example.org/a.png" alt="a">',
        '<img src="file:///etc/passwd" alt="a">',
        '<img src="data:image/svg+xml;base64,AAAA" alt="a">',
        '<link rel="stylesheet" href="https://example.org/a.css">',
    ],
    ids=["stylesheet", "http", "file", "broken-chart", "link"],
)
def test_whatever_cannot_be_drawn_is_an_error(fault: str) -> None:
    with pytest.raises(RenderError):
        to_pdf(f"<html lang=en><title>t</title>{fault}<p>text")


NO_NETWORK = """
import socket, sys
from pathlib import Path

def refuse(*args, **kwargs):
    raise AssertionError(f"asked for the network: {args}")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from reportgen.report import write
from reportgen.results import load_results

run = Path(sys.argv[1])
for kind, path in write(load_results(run), run, ("html", "pdf")):
    print(kind, path.stat().st_size > 10_000)
print([name for name in ("tensorflow", "keras") if name in sys.modules])
"""


@pytest.mark.long
def test_a_run_is_rendered_without_network_and_without_tensorflow(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    save(example(), run)
    ran = in_a_process(NO_NETWORK, run, cwd=tmp_path)
    assert ran.out == ["html True", "pdf True", "[]"], ran.err[-3:]


# --- typefaces -----------------------------------------------------------------------------------

NOBODYS = "\N{CUNEIFORM SIGN A}"


@pytest.mark.skipif(not shutil.which("fc-list"), reason="fc-list is absent: apt install fontconfig")
def test_characters_that_no_typeface_has_are_found_in_the_text_alone() -> None:
    style = f"<style>p {{ content: '{NOBODYS}' }}</style>"
    page = f"{style}<p title='{NOBODYS}'>Ünï ≥ 3 × &amp; 的"
    assert unprintable(page) == ""
    assert unprintable(f"{page} &#{ord(NOBODYS)}; {NOBODYS}") == NOBODYS
    assert unprintable(f"<!-- screen --><p>{NOBODYS}</p><!-- /screen -->") == ""


@pytest.mark.skipif(not shutil.which("fc-list"), reason="fc-list is absent: apt install fontconfig")
def test_a_pdf_with_boxes_in_it_is_said_to_have_them(tmp_path: Path) -> None:
    run = tmp_path / "lab/run"
    run.mkdir(parents=True)
    results = made_up(names=SEVEN[:1], epochs=1, n_test=30, classes=("a", "b"), image_shape=(8, 8, 1))
    lab = results.record.lab.model_copy(update={"title": f"Signs: {NOBODYS}"})
    save(replace(results, record=results.record.model_copy(update={"lab": lab})), run)
    said = [given for _, given in write(load_results(run), run, ("html", "pdf")) if isinstance(given, str)]
    assert len(said) == 1
    assert said[0].startswith(f"report.pdf shows boxes for {NOBODYS}: no typeface of this machine has them")
