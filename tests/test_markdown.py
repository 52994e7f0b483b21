"""report.md: all of the report as CommonMark with pipe tables; whatever a lab says stays text."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from PIL import Image

from reportgen import disk
from reportgen.jobs import DIVERGED, FAILED
from reportgen.report import _put
from reportgen.report.document import Document
from reportgen.report.editions import EDITIONS, edition
from reportgen.report.formats import Made, files_of
from reportgen.report.formulas import parse, plain
from reportgen.report.html import build
from reportgen.report.images import png_uri
from reportgen.report.markdown import to_markdown
from reportgen.report.markdown_text import code, escape, fenced, words
from reportgen.report.notebook import to_notebook
from reportgen.report.pictures import row
from reportgen.report.templates import template_folder
from reportgen.results import Results
from reportgen.text import PERCENT, inert, paragraphs
from support import command_line
from synthetic import document_of, example, hostile, html_of, made_up, studio

PARSER = MarkdownIt("commonmark").enable("table")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40) | st.text(
    "*_`[]()<>!#+-=|\\~$&{}^@:/.1 \n\taw", max_size=30
)


def flat(text: str) -> str:
    """Give text as a page shows it, where blanks are one."""
    return re.sub(r"[ \t\r\n\f\v]+", " ", inert(text)).strip()


def said(tokens: list[Token]) -> str:
    """Give the text of inline tokens; fails on any markup."""
    for token in tokens:
        assert token.type in {"text", "text_special"}, token
    return "".join(token.content for token in tokens)


# --- text ----------------------------------------------------------------------------------------


@given(TEXTS)
def test_text_is_text_wherever_it_stands(text: str) -> None:
    written = escape(text)
    if not flat(text):
        assert written == ""
        return
    for page in (written, f"# {written}", f"> {written}", f"- {written}", f"a\n\n{written}\n\nb"):
        inline = [token for token in PARSER.parse(page) if token.type == "inline"]
        found = [said(token.children or []) for token in inline]
        assert flat(text) in found
    table = PARSER.parse(f"| a | b |\n|:--|--:|\n| {written} | x |\n")
    cells = [said(token.children or []) for token in table if token.type == "inline"]
    assert cells == ["a", "b", flat(text), "x"]
    (bold,) = (token for token in PARSER.parse(f"**Lead: {written}.** rest") if token.type == "inline")
    kinds = [token.type for token in bold.children or [] if not token.type.startswith("text")]
    assert kinds == ["strong_open", "strong_close"]


@given(TEXTS)
def test_a_description_of_an_image_is_text(text: str) -> None:
    (inline,) = PARSER.parse(f"![{escape(text)}](a.png)")[1:2]
    (image,) = inline.children or []
    assert image.type == "image"
    assert said(image.children or []) == flat(text)


@given(TEXTS)
def test_code_is_code(text: str) -> None:
    if not flat(text):
        return
    (inline,) = PARSER.parse(f"a {code(text)} b")[1:2]
    inner = [token for token in inline.children or [] if token.type == "code_inline"]
    assert [token.content for token in inner] == [flat(text)]
    (block,) = PARSER.parse(fenced(text, "sh"))
    assert block.type == "fence"


@pytest.mark.parametrize(
    "text",
    ["https://example.org", "www.example.org", "WWW.example.org", "a@b.org", "{{ site }}", "{% raw %}"],
)
def test_what_sites_make_of_text_beyond_commonmark_is_broken_up(text: str) -> None:
    written = escape(text)
    assert text not in written
    assert said(PARSER.parse(written)[1].children or []) == text


@pytest.mark.parametrize("text", ["+0.25 (−0.05 to 0.55)", "98.05 %", "1.5", "cnn-same-s1", "5×5 → 7×7", "–"])
def test_numbers_and_names_stay_readable(text: str) -> None:
    assert escape(text) == text


def test_a_lab_s_words_keep_their_code_and_nothing_else() -> None:
    (marked,) = paragraphs("A `Conv2D` of <b>`a|b`</b> & *more*")
    assert words(marked) == r"A `Conv2D` of \<b\>`a|b`\</b\> \& \*more\*"


# --- whole reports -------------------------------------------------------------------------------


@cache
def many() -> Results:
    names = ("a-network-with-a-rather-long-name-indeed", "cnn")
    classes = [f"class number {n}" for n in range(21)]
    sizes = {"image_shape": (8, 8, 3), "n_test": 210, "epochs": 1}
    return made_up(names=names, baseline=names[0], accuracies=(0.5, 0.6), classes=classes, **sizes)


@cache
def nothing() -> Results:
    return made_up(names=("mlp", "cnn"), unfinished={"mlp": FAILED, "cnn": DIVERGED}, n_test=60)


@cache
def written(run: Callable[[], Results]) -> tuple[str, dict[str, bytes]]:
    return to_markdown(document_of(run), "report-images")


@cache
def tokens(run: Callable[[], Results]) -> list[Token]:
    return list(_flattened(PARSER.parse(written(run)[0])))


def _flattened(many: list[Token]) -> Iterator[Token]:
    for token in many:
        yield token
        yield from _flattened(token.children or [])


RUNS = [example, hostile, nothing]


@pytest.mark.parametrize("run", RUNS)
def test_a_report_has_no_html_no_link_and_only_its_own_markup(run: Callable[[], Results]) -> None:
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens(run)}
    inner = {"text", "text_special", "inline", "code_inline", "fence", "image", "em", "strong"}
    blocks = {"heading", "paragraph", "blockquote", "bullet_list", "list_item"}
    tables = {"table", "thead", "tbody", "tr", "th", "td"}
    assert kinds <= inner | blocks | tables
    assert not set("\x00\x07\u202e\u2067\u2069\u200f") & set(written(run)[0])


@pytest.mark.parametrize("run", RUNS)
def test_every_section_figure_and_table_of_the_report_is_there(run: Callable[[], Results]) -> None:
    document = document_of(run)
    text = written(run)[0]
    headings = [token.content for token in _after(run, "heading_open", "h2")]
    assert headings == [f"{one.number} {one.title}" for one in document.sections]
    for kind, count in (("Figure", document.figures), ("Table", document.tables)):
        found = [int(n) for n in re.findall(rf"^\*\*{kind} (\d+)\.", text, re.MULTILINE)]
        assert found == list(range(1, count + 1))
    assert sum(token.type == "table_open" for token in tokens(run)) == document.tables


def _after(run: Callable[[], Results], kind: str, tag: str) -> list[Token]:
    every = PARSER.parse(written(run)[0])
    return [every[n + 1] for n, token in enumerate(every) if (token.type, token.tag) == (kind, tag)]


@pytest.mark.parametrize("run", RUNS)
def test_a_table_s_rows_have_a_cell_for_each_heading(run: Callable[[], Results]) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", written(run)[0], re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table


@pytest.mark.parametrize("run", RUNS)
def test_images_are_beside_it_and_described_and_none_is_left_over(run: Callable[[], Results]) -> None:
    files = written(run)[1]
    shown = [token for token in tokens(run) if token.type == "image"]
    assert {str(token.attrs["src"]) for token in shown} == {f"report-images/{name}" for name in files}
    assert all(len(said(token.children or [])) > 15 for token in shown)
    for name, content in files.items():
        assert re.fullmatch(r"(figure|table)-\d+(-\d+)?-[0-9a-f]{8}\.(svg|png)", name)
        if name.endswith("png"):
            Image.open(io.BytesIO(content)).verify()
        else:
            assert content.strip().startswith(b"<svg xmlns=")


class _Words(HTMLParser):
    """The sentences of a page that stand in no table, picture or part for the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "p":
            self._inside, self._text = "p", ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "p" and self._inside:
            self.said.append(flat(self._text))
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._text += data


@pytest.mark.parametrize("run", [example, nothing])
def test_every_sentence_of_the_page_stands_in_it(run: Callable[[], Results]) -> None:
    page = _Words()
    page.feed(re.sub(r"<!-- screen -->.*?<!-- /screen -->", "", html_of(run), flags=re.DOTALL))
    lines = [
        "".join(child.content for child in token.children or [])
        for token in PARSER.parse(written(run)[0])
        if token.type == "inline"
    ]
    sentences = [one for one in page.said if one.endswith(".")]
    assert len(sentences) > 8
    plain_lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]
    for sentence in sentences:
        said = sentence.replace("\N{NO-BREAK SPACE}", " ")  # the page keeps intervals on one line, too
        assert any(said in line for line in plain_lines), sentence


def test_hostile_words_are_the_same_words() -> None:
    title = _after(hostile, "heading_open", "h1")[0]
    assert said(title.children or []) == flat(document_of(hostile).title)
    assert "<script>alert(1)</script>" in said(title.children or [])


@pytest.mark.long
def test_many_classes_have_tables_of_pairs() -> None:
    text, files = to_markdown(document_of(many), "report-images")
    assert "| True | Predicted | Images | Change |" in text
    assert any(name.endswith("png") for name in files)


def test_the_same_report_gives_the_same_bytes() -> None:
    assert to_markdown(document_of(example), "report-images") == written(example)


# --- other editions ------------------------------------------------------------------------------

SENTINEL = "the-answer-that-nobody-may-see"


@cache
def with_exercises() -> Results:
    own = {"text": "What is `x|y` & *why*?", "answer": f"{SENTINEL} `1`.", "notes": f"{SENTINEL} too."}
    names = ("mlp", "cnn-a", "cnn-b-s2")
    texts = {"exercises": [own], "texts": {"introduction": "Words."}}
    return made_up(names=names, epochs=1, n_test=100, image_shape=(12, 12, 1), texts=texts)


@cache
def edition_of(name: str) -> Document:
    return build(with_exercises(), studio(), None, None, edition(name))


@pytest.mark.long(but=("report",))
@pytest.mark.parametrize("name", EDITIONS)
def test_every_section_of_an_edition_is_written_as_text_alone(name: str) -> None:
    document = edition_of(name)
    text, files = to_markdown(document, f"{name}-images")
    headings = re.findall(r"^## (\d+) ", text, re.MULTILINE)
    assert [int(n) for n in headings] == [one.number for one in document.sections]
    kinds = {token.type for token in _flattened(PARSER.parse(text))}
    assert not kinds & {"html_block", "html_inline", "link_open", "code_block"}
    assert all(f"({name}-images/{one})" in text for one in files)
    assert all(template.is_file() for template in _templates(name))


def _templates(name: str) -> Iterator[Path]:
    for anchor in EDITIONS[name].sections:
        yield template_folder() / "markdown" / f"{anchor}.md.jinja"


def test_answers_stand_in_the_instructor_s_edition_and_never_in_the_handout() -> None:
    full, bare = (to_markdown(edition_of(name), "images")[0] for name in ("instructor", "handout"))
    assert full.count(SENTINEL) == 2
    assert SENTINEL not in bare
    assert SENTINEL not in to_notebook(with_exercises(), blanks=True)
    solutions = [
        one.solution
        for section in edition_of("instructor").sections
        if section.anchor in {"predictions", "readings"}
        for one in section.body.exercises
    ]
    assert len(solutions) > 5
    for solution in solutions:
        for block in (*solution.answer, *solution.notes):
            assert block.markdown in full
            assert block.markdown not in bare
        for line in solution.work:
            assert str(escape(plain(line.formula))).replace(" %", PERCENT) in full
    assert "**Answer.**" not in bare
    assert [line for line in bare.splitlines() if line.startswith("### Exercise")] == [
        line for line in full.splitlines() if line.startswith("### Exercise")
    ]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("⌊[n − k | s]⌋ + 1", "⌊(n − k)/s⌋ + 1"),
        ("⌈[n | s]⌉ = 14", "⌈n/s⌉ = 14"),
        ("(k · k · c_in + 1) · c_out", "(k · k · c_in + 1) · c_out"),
    ],
)
def test_a_formula_is_written_on_one_line(formula: str, expected: str) -> None:
    assert plain(parse(formula)) == expected


# --- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (32, 48, 3), (200, 100, 3), (1, 1, 2)])
def test_a_row_of_images_has_room_for_its_words(shape: tuple[int, int, int]) -> None:
    import numpy as np

    uri = png_uri(np.zeros(shape, np.uint8))
    bare = Image.open(io.BytesIO(row([uri] * 3, [()] * 3)))
    worded = Image.open(io.BytesIO(row([uri] * 3, [[("#000000", "v" * 99), ("#000000", "العربية")]] * 3)))
    assert bare.width == worded.width == 300
    assert bare.height + 30 < worded.height < bare.height + 60


# --- on the disk ---------------------------------------------------------------------------------


def test_new_images_take_the_place_of_old_ones_and_nothing_is_written_twice(tmp_path: Path) -> None:
    first = Made(b"one", {"a.png": b"a", "b.png": b"b"})
    path = _put(tmp_path, "report", "md", first)
    before = (tmp_path / "report-images/b.png").stat().st_ino
    _put(tmp_path, "report", "md", Made(b"two", {"b.png": b"b", "c.png": b"c"}))
    assert path.read_bytes() == b"two"
    assert [one.name for one in files_of(tmp_path, "md")] == ["report.md", "b.png", "c.png"]
    assert (tmp_path / "report-images/b.png").stat().st_ino == before


def test_whenever_a_kill_ends_it_the_document_has_all_its_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Made(b"a.png b.png", {"a.png": b"a", "b.png": b"b"})
    new = Made(b"b.png c.png d.png", {"b.png": b"b", "c.png": b"c", "d.png": b"d"})
    step = disk.step

    def run(folder: Path, most: int) -> bool:
        """Put the new one in the place of the old one, and stop before a step; tell if it was stopped."""
        left = most

        def stop(what: str, path: Path) -> None:
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            step(what, path)

        _put(folder, "report", "md", old)
        monkeypatch.setattr(disk, "step", stop)
        try:
            _put(folder, "report", "md", new)
        except KeyboardInterrupt:
            return True
        finally:
            monkeypatch.setattr(disk, "step", step)
        return False

    stops, stopped = 0, True
    while stopped:
        folder = tmp_path / str(stops)
        folder.mkdir()
        stopped = run(folder, stops)
        shown = (folder / "report.md").read_text().split()
        assert all((folder / "report-images" / name).stat().st_size == 1 for name in shown)
        stops += 1
    assert stops > 10
    assert sorted(path.name for path in (folder / "report-images").iterdir()) == ["b.png", "c.png", "d.png"]


def test_images_are_noted_and_verified(tmp_path: Path) -> None:
    from reportgen.results import save

    run = tmp_path / "run"
    run.mkdir()
    save(nothing(), run)
    assert command_line("render", run, "--format", "md", cwd=tmp_path).code == 0
    listed = disk.listed_files(run / "documents.json") or {}
    images = [name for name in listed if name.startswith("report-images/")]
    assert len(images) == len(list((run / "report-images").iterdir())) > 0
    assert command_line("verify", run, cwd=tmp_path).code == 0
    (run / images[0]).write_bytes(b"other")
    ran = command_line("verify", run, cwd=tmp_path)
    assert ran.code == 3
    assert [line.split()[1] for line in ran.out if line.startswith("FAIL")] == [images[0]]
