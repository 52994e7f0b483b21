"""What a PDF says of itself to a program: tags, words for pictures, headers of tables, files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from functools import cache
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from reportgen.errors import RenderError
from reportgen.report.attachments import DESCRIPTIONS, LARGEST, attachments, frame_of
from reportgen.report.dates import document_date
from reportgen.report.files import to_csv
from reportgen.report.pdf import Extras, printed, to_pdf
from reportgen.results import Results, save
from support import behind_the_flag, in_a_process
from synthetic import (
    SEVEN,
    document_of,
    edition_html,
    edition_pdf,
    example,
    hostile,
    html_of,
    made_up,
    pdf_of,
    prose,
)

both = pytest.mark.parametrize(
    "run", [example, *behind_the_flag(hostile, prose)], ids=lambda run: run.__name__
)
DRAWS = {"Tj", "TJ", "'", '"', "Do", "f", "F", "f*", "S", "s", "B", "B*", "b", "b*", "sh", "INLINE IMAGE"}
UA = "{http://www.aiim.org/pdfua/ns/id/}part"


@cache
def opened(run: Callable[[], Results]) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf_of(run)))


def kids(node: Any) -> list[Any]:
    found = node.get("/K", [])
    return list(found) if isinstance(found, pikepdf.Array) else [found]


def elements(run: Callable[[], Results]) -> Iterator[tuple[Any, Any]]:
    """Give all structure elements with their parents."""
    return below(opened(run))


def below(pdf: pikepdf.Pdf) -> Iterator[tuple[Any, Any]]:
    """Give all structure elements of a PDF with their parents, the last first."""
    todo = [(pdf.Root.StructTreeRoot, pdf.Root.StructTreeRoot)]
    while todo:
        parent, node = todo.pop()
        if isinstance(node, int) or node.get("/Type") == "/OBJR":
            continue
        if "/S" in node:
            yield parent, node
        todo += [(node, kid) for kid in kids(node)]


def named(run: Callable[[], Results], *names: str) -> list[Any]:
    return [node for _, node in elements(run) if str(node.S) in names]


# --- the document ----------------------------------------------------------------------------------


@both
def test_it_says_that_it_is_pdf_ua_and_in_which_language(run: Callable[[], Results]) -> None:
    root = opened(run).Root
    assert str(root.Lang) == "en"
    assert bool(root.MarkInfo.Marked)
    assert bool(root.ViewerPreferences.DisplayDocTitle)
    xmp = opened(run).open_metadata()  # read only: as a context it would be written back
    assert xmp[UA] == "1"
    assert xmp["dc:title"] == document_of(run).title
    assert xmp["xmp:CreateDate"] == xmp["xmp:ModifyDate"] == "2026-11-22T03:15:00Z"
    assert all(page.obj.Tabs == "/S" for page in opened(run).pages)


@both
def test_the_dates_are_those_of_the_run(run: Callable[[], Results]) -> None:
    info = opened(run).docinfo
    assert str(info.CreationDate) == str(info.ModDate) == "D:20261122031500Z"


def test_a_build_system_may_give_the_date(monkeypatch: pytest.MonkeyPatch) -> None:
    started = example().record.started
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert document_date(started).isoformat() == "2001-09-09T01:46:40+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(Exception, match="SOURCE_DATE_EPOCH: 'yesterday', expected seconds since 1970"):
        document_date(started)


# --- tags ------------------------------------------------------------------------------------------


@both
def test_all_content_is_in_the_tree_or_an_artifact(run: Callable[[], Results]) -> None:
    owned: dict[tuple[int, int], set[int]] = {}
    todo = [(opened(run).Root.StructTreeRoot, None)]
    while todo:
        node, page = todo.pop()
        if isinstance(node, int):
            owned.setdefault(page, set()).add(int(node))
        elif node.get("/Type") != "/OBJR":
            page = node.Pg.objgen if "/Pg" in node else page
            todo += [(kid, page) for kid in kids(node)]
    for page in opened(run).pages:
        stray, marked = _content(page)
        assert not stray, "drawn outside of any mark"
        assert marked == owned[page.objgen]


def _content(page: Any) -> tuple[list[str], set[int]]:
    """List what a page draws without a mark, and the numbers of its marks."""
    stray, marked, open_marks = [], set(), 0
    for operands, operator in pikepdf.parse_content_stream(page):
        name = str(operator)
        open_marks += (name in ("BDC", "BMC")) - (name == "EMC")
        if name == "BDC" and "/MCID" in operands[1]:
            marked.add(int(operands[1]["/MCID"]))
        if name in DRAWS and not open_marks:
            stray.append(name)
    return stray, marked


def test_what_stands_in_the_margins_is_an_artifact() -> None:
    for page in list(opened(example).pages)[1:]:
        kinds = [
            str(operands[1].get("/Type"))
            for operands, operator in pikepdf.parse_content_stream(page)
            if str(operator) == "BDC" and str(operands[0]) == "/Artifact"
        ]
        assert kinds == ["/Pagination"] * 3, "title, course, number of the page"


@both
def test_every_picture_has_its_words_and_its_place(run: Callable[[], Results]) -> None:
    pictures = named(run, "/Figure")
    page = printed(html_of(run))
    assert len(pictures) == page.count("<img ") + page.count("<svg ")
    for one in pictures:
        assert str(one.Alt).strip()
        left, bottom, right, top = (float(value) for value in one.A.BBox)
        _, _, width, height = (float(value) for value in one.Pg.MediaBox)
        assert 0 <= left < right <= width
        assert 0 <= bottom < top <= height


def test_every_formula_is_one_and_has_its_words() -> None:
    html = edition_html(example, "handout")
    words = [unescape(one) for one in re.findall(r'<math [^>]*alttext="([^"]*)"', html)]
    assert len(words) > 20
    pdf = pikepdf.open(io.BytesIO(edition_pdf(example, "handout")))
    assert [str(node.Alt) for _, node in reversed(list(below(pdf))) if str(node.S) == "/Formula"] == words


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ('<math alttext="n over k"><mfrac><mi>n</mi><mi>k</mi></mfrac></math>', "n over k"),
        ("<math alttext='n'><mi>n</mi></math> and <math alttext='n'><mi>n</mi></math>", "n n"),
        ("<math class=x><mi>n</mi> <mo>+</mo> <mn>1</mn></math>", "n + 1"),
        (
            "<math alttext='n + 1' style='display: inline-block'><mi>n</mi> <mo>+</mo> <mn>1</mn></math>",
            "n + 1",
        ),
        ("<math alttext='n' style='display: block'><mi>n</mi></math>", "n"),
    ],
    ids=["words", "twice", "without", "box", "block"],
)
def test_a_formula_of_a_template_of_one_s_own_has_its_words(formula: str, words: str) -> None:
    pdf = pikepdf.open(io.BytesIO(to_pdf(PAGE.format(f"<p>See {formula}."))))
    found = [str(node.Alt) for _, node in below(pdf) if str(node.S) == "/Formula"]
    assert " ".join(found) == words


@both
def test_figures_and_tables_are_those_of_the_plan(run: Callable[[], Results]) -> None:
    captions = [str(parent.S) for parent, node in elements(run) if str(node.S) == "/Caption"]
    assert captions.count("/Table") == document_of(run).tables
    assert captions.count("/Div") == document_of(run).figures


@both
def test_a_header_cell_says_what_it_heads(run: Callable[[], Results]) -> None:
    headers = named(run, "/TH")
    assert headers
    assert {str(cell.A.Scope) for cell in headers} == {"/Row", "/Column"}
    known = {str(cell.ID) for cell in headers}
    for cell in named(run, "/TD"):
        assert {str(name) for name in cell.A.get("/Headers", [])} <= known


@both
def test_the_children_of_a_list_are_items(run: Callable[[], Results]) -> None:
    for one in named(run, "/L"):
        assert {str(kid.S) for kid in kids(one)} == {"/LI"}
    for one in named(run, "/LI"):
        assert {str(kid.S) for kid in kids(one)} <= {"/Lbl", "/LBody"}


@both
def test_headings_skip_no_level(run: Callable[[], Results]) -> None:
    levels = [int(str(node.S)[2]) for _, node in reading_order(run) if re.fullmatch(r"/H\d", str(node.S))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def reading_order(run: Callable[[], Results]) -> Iterator[tuple[Any, Any]]:
    todo = [(None, kid) for kid in reversed(kids(opened(run).Root.StructTreeRoot))]
    while todo:
        parent, node = todo.pop()
        if isinstance(node, int) or node.get("/Type") == "/OBJR":
            continue
        yield parent, node
        todo += [(node, kid) for kid in reversed(kids(node))]


def test_links_say_where_they_lead() -> None:
    links = [link for page in opened(example).pages for link in page.get("/Annots", [])]
    said = [str(link.Contents) for link in links]
    contents = [f"{section.number} {section.title}" for section in document_of(example).sections]
    assert said[: len(contents)] == contents
    assert all(re.fullmatch(r"(Figure|Table) \d+", one) for one in said[len(contents) :])
    assert len(said) > len(contents)


# --- nothing is missing in silence -----------------------------------------------------------------

PAGE = "<html lang=en><title>t</title><h1>h</h1>{}"


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ("<figure id=figure-1><p>p</p><figcaption>c</figcaption></figure>", "figure 2, 1 of 2 captions"),
        (
            "<figure id=figure-1><figcaption>c</figcaption></figure>"
            "<figure id=figure-2 style='display: none'><figcaption>c</figcaption></figure>",
            "figure 2",
        ),
        ("<svg width=9 height=9 style='display: none'><title>a</title></svg>", "1 of 1 pictures"),
        ("<p style='display: none'><math alttext='n'><mi>n</mi></math></p>", "1 of 1 formulas"),
    ],
    ids=["one-too-few", "not-shown", "picture", "formula"],
)
def test_what_was_planned_and_is_not_there_is_an_error(body: str, missing: str) -> None:
    with pytest.raises(RenderError, match=missing):
        to_pdf(PAGE.format(body), Extras(figures=body.count("figure-1") * 2))


# --- files -----------------------------------------------------------------------------------------


def test_the_frames_are_inside_as_csv() -> None:
    results, document, found = example(), document_of(example), opened(example)
    assert {one.name for one in document.attached} == set(found.attachments)
    assert "scores.csv" in found.attachments
    assert "predictions.csv" in found.attachments, "of 200 images they are small"
    analysis = document_analysis()
    for name, one in found.attachments.items():
        file = one.get_file()
        stem = name.removesuffix(".csv")
        assert file.read_bytes().decode() == to_csv(frame_of(stem, results, analysis))
        assert file.mime_type == "text/csv"
        assert str(file.obj.Params.ModDate) == str(file.obj.Params.CreationDate) == "D:20261122031500Z"
        assert one.description == DESCRIPTIONS[stem]


def document_analysis() -> Any:
    from reportgen.analysis.frames import analyse

    return analyse(example())


def test_a_large_frame_is_left_out_without_being_written() -> None:
    import pandas as pd

    results, analysis = example(), document_analysis()
    rows = LARGEST // 2 + 1
    large = {**analysis, "scores": pd.DataFrame({"value": range(rows)})}
    names = [one.name for one in attachments(results, large)]
    assert "scores.csv" not in names
    assert "comparisons.csv" in names


def test_the_report_says_which_frames_its_pdf_carries() -> None:
    assert "as attached CSV files: scores, comparisons," in html_of(example)


# --- the same bytes --------------------------------------------------------------------------------

RENDER = """
import hashlib, sys
from pathlib import Path
from reportgen.report import write
from reportgen.results import load_results

run = Path(sys.argv[1])
for kind, path in write(load_results(run), run, ("html", "pdf")):
    print(kind, hashlib.sha256(path.read_bytes()).hexdigest())
"""


def small() -> Results:
    return made_up(names=SEVEN[:2], epochs=1, n_test=60, classes=("a", "b"), image_shape=(8, 8, 1))


@pytest.mark.long
def test_the_same_run_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    said = []
    for n in (1, 2):
        run = tmp_path / f"run-{n}"
        run.mkdir()
        save(small(), run)
        ran = in_a_process(RENDER, run, cwd=tmp_path, PYTHONHASHSEED=str(n), SOURCE_DATE_EPOCH="1000000000")
        said.append(ran.out)
    assert [line.split()[0] for line in said[0]] == ["html", "pdf"], ran.err[-3:]
    assert said[0] == said[1]
    made = pikepdf.open(tmp_path / "run-1/report.pdf")
    assert str(made.docinfo.CreationDate).startswith("D:20010909014640")
