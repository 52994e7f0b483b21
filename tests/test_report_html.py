"""The HTML: its text section by section (golden files), and what holds for any report."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
import tinyhtml5  # WeasyPrint's own parser

from reportgen.jobs import DIVERGED, FAILED
from reportgen.report.fonts import faces_inside
from reportgen.report.html import PAPERS, build, policy, script, style_sheet, to_html
from reportgen.report.sections import SECTIONS
from reportgen.results import Results
from support import behind_the_flag
from synthetic import COLOUR_CLASSES, document_of, example, hostile, html_of, made_up, studio

GOLDEN = Path(__file__).parent / "golden"
EMBEDDED = re.compile(r"data:(image/[a-z+]+|text/csv)[;a-z0-9=-]*;base64,[A-Za-z0-9+/=]+")
SMALL = {"n_test": 60, "epochs": 2, "image_shape": (8, 8, 1)}


def all_failed() -> Results:
    return made_up(names=("mlp", "cnn"), unfinished={"mlp": FAILED, "cnn": FAILED}, **SMALL)


def diverged() -> Results:
    return made_up(names=("mlp", "cnn"), unfinished={"cnn": DIVERGED}, seeds=2, **SMALL)


def alone() -> Results:
    return made_up(names=("mlp",), baseline=None, accuracies=(1.0,), **{**SMALL, "epochs": 1})


def colour() -> Results:
    options = {**SMALL, "image_shape": (32, 32, 3)}
    return made_up(names=("cnn",), baseline=None, accuracies=(0.0,), classes=COLOUR_CLASSES, **options)


RUNS = [example, hostile, all_failed, *behind_the_flag(diverged, alone, colour)]
any_run = pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)


# --- golden files --------------------------------------------------------------------------------


def pieces() -> dict[str, str]:
    """Divide the example's HTML into its sections and the page around them."""
    page = EMBEDDED.sub(r"data:\1;…", outer(html_of(example)).replace(str(policy()), "…"))
    found = {}
    for anchor in SECTIONS:
        end = r'</section>\n(?=<section id="\w+" aria|<nav|</main>|<!-- \w+ -->\n)'
        match = re.search(rf'<section id="{anchor}" aria.*?{end}', page, re.DOTALL)
        assert match, anchor
        found[anchor] = match[0]
        page = page.replace(match[0], f"<!-- {anchor} -->\n")
    return {**found, "page": page}


@pytest.mark.parametrize("name", [*SECTIONS, "page"])
def test_html_is_that_of_the_golden_file(name: str) -> None:
    file, made = GOLDEN / f"{name}.html", pieces()[name]
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(made, encoding="utf-8")
    assert made == file.read_text(encoding="utf-8"), "meant? see tests/golden/README.md"


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.html") if "-" not in file.stem} == {*SECTIONS, "page"}


# --- any report ----------------------------------------------------------------------------------


def parse(run: Callable[[], Results]) -> Element:
    """Parse as a browser would; the parser's complaints are failures."""
    parser = tinyhtml5.parser.HTMLParser(namespace_html_elements=False)
    root: Element = parser.parse(html_of(run))
    assert not parser.errors, parser.errors[:5]
    return root


def outer(page: str) -> str:
    return page.replace(str(style_sheet()), "…").replace(str(script()), "…")


@any_run
def test_the_page_is_html_without_errors(run: Callable[[], Results]) -> None:
    assert parse(run).tag == "html"


@any_run
def test_nothing_is_requested_from_anywhere(run: Callable[[], Results]) -> None:
    page = html_of(run)
    root = parse(run)
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in ("src", "srcset", "poster", "data", "action") or name.endswith("href"):
                saved = ("data:text/csv;",) if element.get("download") else ()
                assert value.startswith(("data:image/", "#", *saved)), (element.tag, name, value[:60])
        assert element.tag not in ("iframe", "object", "embed", "base", "form", "link")
        assert not any(str(name).startswith("on") for name in element.attrib)
        assert re.fullmatch(r"--share:[01]\.\d\d", element.get("style", "--share:0.00"))
    assert [element.text for element in root.iter("script")] == [str(script())]
    sheets = [(element.text or "").strip() for element in root.iter("style")]
    assert sheets == [str(style_sheet()).strip(), PAPERS["a4"]]
    styles = "".join(sheets)
    assert set(re.findall(r"url\(\"?(data:font/woff2|.{0,20})", styles)) == {"data:font/woff2"}
    assert "@import" not in styles
    policy = [one for one in root.iter("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert len(policy) == 1
    assert str(policy[0].get("content")).startswith("default-src 'none'")
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script>")


def test_the_policy_allows_the_script_of_the_page_and_no_other() -> None:
    [allowed] = re.findall("script-src ([^;]*)", str(policy()))
    inside = html_of(example).partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
    assert allowed == f"'sha256-{digest}'"


@any_run
def test_every_caption_links_to_its_figure_or_table(run: Callable[[], Results]) -> None:
    root = parse(run)
    for tag, captions in (("figure", "figcaption"), ("table", "caption")):
        for element in root.iter(tag):
            if tag == "table" and not element.get("id"):  # within a figure
                continue
            links = [link for one in element.iter(captions) for link in one.iter("a")]
            here = [link for link in links if link.get("class") == "anchor"]
            assert [link.get("href") for link in here] == [f"#{element.get('id')}"]
            assert str(here[0].get("aria-label")).startswith("Link to ")


@any_run
def test_ids_are_unique_and_every_reference_has_its_target(run: Callable[[], Results]) -> None:
    root = parse(run)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        if element.tag == "a" and not element.get("download"):
            assert str(element.get("href")).removeprefix("#") in ids
        for name in ("aria-labelledby", "aria-describedby"):
            assert element.get(name) is None or element.get(name) in ids


@any_run
def test_headings_stand_in_order(run: Callable[[], Results]) -> None:
    tags = [str(element.tag) for element in parse(run).iter()]
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@any_run
def test_figures_and_tables_are_numbered_down_the_page_without_a_gap(run: Callable[[], Results]) -> None:
    document, page = document_of(run), outer(html_of(run))
    for kind, total in (("Figure", document.figures), ("Table", document.tables)):
        numbers = [int(n) for n in re.findall(rf"<strong>{kind} (\d+)\.", page)]
        assert numbers == list(range(1, total + 1))
        ids = [int(n) for n in re.findall(rf'id="{kind.lower()}-(\d+)"', page)]
        assert ids == list(range(1, total + 1))


@any_run
def test_every_picture_says_what_it_shows(run: Callable[[], Results]) -> None:
    root = parse(run)
    for element in root.iter("img"):
        assert (element.get("alt") or "").strip()
    for element in root.iter("svg"):
        assert element.get("aria-hidden") == "true" or element.get("aria-label")
    for table in root.iter("table"):
        assert table.find("caption") is not None or table.get("class") == "facts"
        assert all(cell.get("scope") for cell in table.iter("th"))


@any_run
def test_every_figure_that_is_spoken_of_is_there(run: Callable[[], Results]) -> None:
    document, page = document_of(run), outer(html_of(run))
    for kind, total in (("Figure", document.figures), ("Table", document.tables)):
        assert {int(n) for n in re.findall(rf"{kind} (\d+)", page)} <= set(range(1, total + 1))


def test_the_rows_behind_a_chart_are_at_hand_with_names_that_a_reader_knows() -> None:
    sections = {one.anchor: one.body for one in document_of(example).sections}
    for anchor, columns in (
        ("curves", ["variant", "seed", "epoch", "split", "accuracy"]),
        ("tradeoffs", ["variant", "parameters", "test accuracy", "low", "high"]),
    ):
        data = sections[anchor].figures[0].data
        assert list(data.columns) == columns
        assert set(data["variant"]) == {"mlp", "cnn-same-s1", "cnn-valid-s2"}


def test_the_typefaces_stand_in_the_page_as_the_pdf_expects_to_find_them() -> None:
    assert html_of(example).count(faces_inside()) == 1


def test_text_from_a_lab_is_inert() -> None:
    page = outer(html_of(hostile))
    assert not set(page) & set("\u0000\u0007\u202e\u2067\u2069\u200f")
    text = " ".join(parse(hostile).itertext())
    assert "<script>alert(1)</script>" in text
    assert "$x^2$" in text
    assert "$a_b$" in text


def test_no_text_of_ten_thousand_characters_stands_where_there_is_room_for_a_line() -> None:
    root = parse(hostile)
    for caption in root.iter("figcaption"):
        for data in caption.findall("details"):  # many cells, each with room of its own
            assert max(len("".join(cell.itertext())) for cell in data.iter("td")) <= 80
            caption.remove(data)
    assert len(root.findtext(".//title") or "") <= 240
    for tag, most in (("h1", 240), ("h3", 200), ("figcaption", 600), ("caption", 400), ("li", 200)):
        assert max((len("".join(one.itertext())) for one in root.iter(tag)), default=0) <= most, tag


def test_a_variant_without_a_score_is_shown_with_its_reason() -> None:
    page = pieces()
    assert "failed: ResourceExhaustedError" in page["summary"]
    assert "No loss curve for cnn-broken" in re.sub("<[^>]+>", "", page["curves"])
    assert "No layers to show: the training failed." in page["networks"]
    assert "Not applicable to cnn-broken" in page["confusion"]
    assert "Not applicable to cnn-broken" in page["galleries"]


def test_where_nothing_was_trained_the_report_says_so_and_has_no_empty_figure() -> None:
    assert document_of(all_failed).figures == 0
    text = " ".join(parse(all_failed).itertext())
    assert "No training was finished." in text
    assert "Not applicable, because no training was finished." in text


def test_one_network_that_is_always_right_has_no_incorrect_gallery() -> None:
    text = " ".join(" ".join(parse(alone).itertext()).split())
    assert "mlp gets no image of the test set wrong." in text
    assert "No mistake." in text


@pytest.mark.long
def test_the_same_results_give_the_same_html() -> None:
    assert to_html(build(example())) == html_of(example)


@pytest.mark.long
@pytest.mark.parametrize(
    ("jobs", "threads", "said"),
    [
        (1, 2, "one training at once with 2 threads each"),
        (2, 1, "2 trainings at once with 1 thread each"),
    ],
)
def test_the_appendix_says_how_many_trainings_ran_at_once(jobs: int, threads: int, said: str) -> None:
    results = made_up(**SMALL)
    record = results.record.model_copy(
        update={"environment": {**results.record.environment, "jobs": jobs, "threads": threads}}
    )
    page = to_html(build(replace(results, record=record), studio()))
    assert said in page
    assert "jobs 1" not in page
    assert "jobs 2" not in page
