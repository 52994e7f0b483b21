"""The handout and the instructor's edition: no answer in the one, every answer in the other."""

from __future__ import annotations

import base64
import html
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pikepdf
import pypdf
import pytest
import tinyhtml5  # WeasyPrint's own parser

from conftest import TrainedRun
from reportgen import disk
from reportgen.documents import Wish, render
from reportgen.errors import UsageError
from reportgen.jobs import FAILED
from reportgen.report.copies import NAMES, Copies, asked_by, copies_of, stem_of
from reportgen.report.editions import EDITIONS, HANDOUT, INSTRUCTOR
from reportgen.report.html import build, policy, script, style_sheet, to_html
from reportgen.report.sections.single import most_mistaken
from reportgen.results import Results, load_results, save
from reportgen.teaching.exercises import Exercise, Source
from reportgen.teaching.sheets import TELLING, sheet
from support import command_line, lab_text
from synthetic import (
    CHARTS,
    SENTINELS,
    edition_html,
    edition_of,
    edition_pdf,
    example,
    hostile,
    made_up,
    studio,
)

GOLDEN = Path(__file__).parent / "golden"
EMBEDDED = re.compile(r"data:(image/[a-z+]+|text/csv)[;a-z0-9=-]*;base64,([A-Za-z0-9+/=]+)")
SMALL: dict[str, Any] = {"n_test": 60, "epochs": 1, "image_shape": (8, 8, 1)}
STUDENT, TEACHER = "handout", "instructor"
MATH = "{http://www.w3.org/1998/Math/MathML}math"


def alone() -> Results:
    return made_up(names=("mlp",), baseline=None, **SMALL)


def failed() -> Results:
    return made_up(names=("mlp", "cnn"), unfinished={"mlp": FAILED, "cnn": FAILED}, **SMALL)


def many() -> Results:
    names = tuple(f"network-with-a-long-name-{n}".ljust(40, "x") for n in range(8))
    return made_up(names=names, baseline=names[0], classes=[f"class {n}" for n in range(25)], **SMALL)


RUNS = [example, hostile, alone, failed, many]
each = pytest.mark.parametrize("name", [STUDENT, TEACHER])


@cache
def exercises(run: Callable[[], Results], number: int = 1) -> list[Exercise]:
    """Give a sheet's exercises with their answers."""
    from reportgen.report.html import context_of

    return sheet(Source(run(), most_mistaken(context_of(run(), studio()))), number)


def plain(text: object) -> str:
    return " ".join(str(text).replace("`", "").replace("\N{NO-BREAK SPACE}", " ").split())


def parse(page: str) -> Element:
    parser = tinyhtml5.parser.HTMLParser(namespace_html_elements=False)
    root: Element = parser.parse(page)
    assert not parser.errors, parser.errors[:5]
    return root


# --- answers -------------------------------------------------------------------------------------


def secrets(run: Callable[[], Results], number: int = 1) -> set[str]:
    """List what no student's file may have: answers, notes, working, and what fills the blanks."""
    found = set(SENTINELS) if run is example else set()
    for one in exercises(run, number):
        assert one.answer is not None
        found |= {plain(text) for text in (one.answer.text, one.answer.notes) if text}
        found |= {plain(line.words) for line in one.answer.work if re.search(r"\d×\d", line.words)}
        found |= {cell for row in one.answer.filled for cell in row if TELLING.fullmatch(cell)}
    return found


def given_away(text: str, hidden: set[str]) -> set[str]:
    """List the secrets that stand in a text, numbers as whole numbers."""
    return {one for one in hidden if re.search(rf"(?<![\w×,.#-]){re.escape(one)}(?![\w×,-])", text)}


def words_of(page: str) -> str:
    """Give all that is in a page's source: text, attributes, comments and tables inside it."""
    inside = "".join(decoded(data) for kind, data in EMBEDDED.findall(page) if kind == "text/csv")
    bare = EMBEDDED.sub("", page).replace(str(style_sheet()), "").replace(str(script()), "")
    text = re.sub(r"</?(?:code|span|strong|em|var|sub)\b[^>]*>", "", bare)
    return plain(html.unescape(f"{bare} {text} {inside}"))


def decoded(data: str) -> str:
    return base64.b64decode(data).decode("latin-1")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_answer_stands_in_the_source_of_a_handout(number: int) -> None:
    hidden = secrets(example, number)
    assert len(hidden) > 15
    assert not given_away(words_of(edition_html(example, STUDENT, number)), hidden)
    pictures = [data for kind, data in EMBEDDED.findall(edition_html(example, STUDENT)) if "csv" not in kind]
    assert not given_away(" ".join(map(decoded, pictures)), {one for one in hidden if " " in one})


def test_the_search_finds_the_answers_where_they_are() -> None:
    hidden = secrets(example)
    there = given_away(words_of(edition_html(example, TEACHER)), hidden)
    assert not {one for one in hidden - there if "." not in one}


@cache
def texts(name: str) -> str:
    pages = pypdf.PdfReader(io.BytesIO(edition_pdf(example, name))).pages
    return plain(" ".join(page.extract_text() for page in pages))


def unpacked(content: bytes) -> Iterator[bytes]:
    """Give every string, name and stream of a PDF, unpacked, and all its files."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        for one in pdf.objects:
            yield one.unparse(resolved=True)
            yield from strings(one)
            if isinstance(one, pikepdf.Stream):
                yield one.read_bytes()
        for file in pdf.attachments.values():
            yield file.get_file().read_bytes()
        yield str(dict(pdf.docinfo)).encode()


def strings(one: Any, depth: int = 0) -> Iterator[bytes]:
    if isinstance(one, pikepdf.String):
        yield str(one).encode()
    elif depth < 6 and isinstance(one, pikepdf.Array):
        for part in one:
            yield from strings(part, depth + 1)
    elif depth < 6 and isinstance(one, pikepdf.Dictionary):
        for key in one.keys():  # noqa: SIM118  a Dictionary of pikepdf's is no dict
            if key != "/Parent":
                yield from strings(one[key], depth + 1)


def test_no_answer_stands_in_the_text_or_the_bytes_of_a_handouts_pdf() -> None:
    hidden = secrets(example)
    assert not given_away(texts(STUDENT), hidden)
    taught = given_away(texts(TEACHER), hidden)
    assert set(SENTINELS) <= taught
    assert len(taught) > len(hidden) / 2
    raw = b"\n".join(unpacked(edition_pdf(example, STUDENT)))
    for one in hidden:
        if not TELLING.fullmatch(one):
            for code in ("utf-8", "utf-16-be", "utf-16-le"):
                assert one.encode(code) not in raw, one
            assert one.encode().hex().encode() not in raw.lower()
    assert b"Exercise 1" in raw, "strings are found where they are: bookmarks"


def test_no_answer_stands_in_a_students_notebook() -> None:
    from reportgen.report.notebook import to_notebook

    hidden = {one for one in secrets(example) if not TELLING.fullmatch(one)}
    assert not given_away(plain(to_notebook(example(), blanks=True)), hidden)


def texts_in(value: Any) -> Iterator[str]:
    """Give all texts, names and numbers of a JSON document, each as it reads."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from texts_in(one)
    else:
        yield str(value)


@pytest.mark.parametrize("number", [1, 2])
def test_no_answer_stands_in_a_students_json(number: int) -> None:
    from reportgen.analysis.frames import analyse
    from reportgen.report.editions import edition
    from reportgen.report.json_file import to_json

    hidden = secrets(example, number)
    student, teacher = (
        json.loads(to_json(example(), analyse(example()), edition(name, number)))
        for name in (STUDENT, TEACHER)
    )
    made, taught = (plain(" ".join(texts_in(one))) for one in (student, teacher))
    numbers = {one.replace(",", "") for one in hidden if re.fullmatch(r"[\d,]+", one)}
    shapes = {f"[{one.replace('×', ', ')}]" for one in hidden if "×" in one}
    # Rows of numbers have those of the trainings too, which are no one's answer.
    asked = json.dumps(student["exercises"], ensure_ascii=False)
    assert not given_away(made, hidden)
    assert not given_away(asked, numbers | shapes)
    assert len(given_away(taught, hidden)) > len(hidden) / 2


def test_a_students_exercises_hold_no_answer_as_data() -> None:
    for anchor in ("predictions", "readings"):
        for name, solved in ((STUDENT, False), (TEACHER, True)):
            body = next(one.body for one in edition_of(example, name).sections if one.anchor == anchor)
            for one in body.exercises:
                assert (one.solution is not None) == solved
                assert bool(one.lines) != solved
                cells = [cell for table in one.tables for _, blanks in table.rows for cell in blanks]
                assert all(bool(cell) == solved for cell in cells)


def test_the_matrix_that_is_to_be_read_says_its_counts_and_draws_no_conclusion() -> None:
    body = next(one.body for one in edition_of(example, STUDENT).sections if one.anchor == "confusion")
    [one] = body.matrices
    frame = example().confusion
    rows = frame[(frame["variant"] == one.counts.variant) & (frame["seed"] == 1)]
    named = ("circle", "square", "star")
    for row in rows.itertuples():
        said = f"{row.count} as {named[row.predicted]}"
        assert (said in one.figure.alt.split(f"True class {named[row.label]}: ")[1].split(".")[0]) == bool(
            row.count
        )
    assert "most" not in one.figure.alt + one.figure.caption
    assert not any(cell.href for row in one.counts.rows for cell in row.cells)


# --- what it looks like --------------------------------------------------------------------------

PIECES = {
    STUDENT: ("objectives", "arithmetic", "predictions", "confusion", "galleries", "readings"),
    TEACHER: ("objectives", "predictions", "readings"),
}


def piece(name: str, anchor: str) -> str:
    page = EMBEDDED.sub(r"data:\1;…", edition_html(example, name).replace(str(policy()), "…"))
    found = re.search(rf'<section id="{anchor}" aria.*?\n</section>\n', page, re.DOTALL)
    assert found, anchor
    return found[0]


@pytest.mark.parametrize(("name", "anchor"), [(name, one) for name, many in PIECES.items() for one in many])
def test_html_is_that_of_the_golden_file(name: str, anchor: str) -> None:
    file, made = GOLDEN / f"{name}-{anchor}.html", piece(name, anchor)
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(made, encoding="utf-8")
    assert made == file.read_text(encoding="utf-8"), "meant? see tests/golden/README.md"


def test_no_golden_file_is_left_over() -> None:
    known = {f"{name}-{one}" for name, many in PIECES.items() for one in many}
    assert {file.stem for file in GOLDEN.glob("*-*.html")} == known


@pytest.mark.parametrize(
    ("run", "name"), [*((run, STUDENT) for run in RUNS), (example, TEACHER), (hostile, TEACHER)]
)
def test_the_page_is_whole(run: Callable[[], Results], name: str) -> None:
    root = parse(edition_html(run, name))
    page = edition_html(run, name).replace(str(style_sheet()), "").replace(str(script()), "")
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    document = edition_of(run, name)
    for kind, total in (("Figure", document.figures), ("Table", document.tables)):
        assert [int(n) for n in re.findall(rf"<strong>{kind} (\d+)\.", page)] == list(range(1, total + 1))
        assert {int(n) for n in re.findall(rf"{kind} (\d+)", page)} <= set(range(1, total + 1))
    for element in root.iter():
        if element.tag == "a" and not element.get("download"):
            assert str(element.get("href")).removeprefix("#") in ids
        if element.tag == "img":
            assert (element.get("alt") or "").strip()
    levels = [int(str(one.tag)[1]) for one in root.iter() if re.fullmatch("h[1-6]", str(one.tag))]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    numbers = [int(n) for n in re.findall(r">Exercise (\d+)", page)]
    assert numbers == list(range(1, len(exercises(run)) + 1))


@each
def test_a_page_of_the_pdf_has_nothing_beyond_its_margins_and_only_shipped_type(name: str) -> None:
    found = pypdf.PdfReader(io.BytesIO(edition_pdf(example, name)))
    fonts = {
        str(font.get_object()["/BaseFont"]).partition("+")[2]
        for page in found.pages
        for font in page["/Resources"].get("/Font", {}).values()  # type: ignore[index, attr-defined]
    }
    assert fonts
    assert all(one.startswith("Reportgen-") for one in fonts), fonts
    text = texts(name)
    for exercise in exercises(example):
        assert plain(exercise.text.split("\n")[0])[:40] in text
    assert EDITIONS[name].words in text


def test_a_formula_has_the_words_that_are_read_to_whoever_has_the_pdf() -> None:
    page = parse(edition_html(example, STUDENT))
    heard = [one.get("alttext", "") for one in page.iter(MATH)]
    first = heard.index("floor of ((n − k)/s) + 1")
    assert re.fullmatch(r"= floor of \(\(8 − \d\)/\d\) \+ 1", heard[first + 1])
    assert re.fullmatch(r"= \d", heard[first + 2])
    assert [one.get("alttext") for one in page.iter(MATH) if not "".join(one.itertext()).strip()] == []


def test_the_instructor_has_the_lab_s_claims_and_a_warning_beside_the_handout() -> None:
    assert list(INSTRUCTOR)[: len(HANDOUT)] == list(HANDOUT)
    assert {"claims", "caveats"} <= set(INSTRUCTOR)
    assert "Not for students" in edition_of(example, TEACHER).notes[0]
    assert not any("students" in note for note in edition_of(example, STUDENT).notes)
    assert f"<title>{example().record.lab.title} · Handout, sheet 2</title>" in edition_html(
        example, STUDENT, 2
    )
    assert edition_of(example, TEACHER, 2).course == "Testing · Instructor's edition, sheet 2"


def test_the_report_is_what_it_was() -> None:
    assert to_html(build(example(), studio())) == to_html(
        build(example(), studio(), None, None, EDITIONS["report"])
    )
    assert not given_away(words_of(to_html(build(example(), studio()))), set(SENTINELS))


# --- files ---------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "output/lab/20261122T031500Z"
    folder.mkdir(parents=True)
    save(example(), folder)
    if charts := os.environ.get(CHARTS):  # what other tests have drawn need not be drawn again
        (tmp_path / "output/.store").mkdir()
        (tmp_path / "output/.store/.charts").symlink_to(charts)
    return folder


def test_names_and_editions_are_the_same() -> None:
    assert tuple(EDITIONS) == NAMES
    assert [one.name for one in EDITIONS.values()] == list(NAMES)


def test_files_are_named_after_edition_and_sheet_and_told_apart_by_that() -> None:
    copies = Copies(("report", "handout"), 3)
    assert copies.files(("html", "json")) == {
        "html": "report.html",
        "json": "report.json",
        "handout-3.html": "handout-3.html",
        "handout-3.json": "handout-3.json",
    }
    for edition, number, name in (("report", 1, "pdf"), ("handout", 1, "html"), ("instructor", 12, "pdf")):
        assert asked_by(f"{stem_of(edition, number)}.{name}") == (Copies((edition,), number), name)
    for other in ("handout", "handout.txt", "handouts.pdf", "report-2.pdf", "run.json", "handout-.pdf"):
        assert asked_by(other) is None


def test_what_cannot_be_asked_for_is_refused_in_words() -> None:
    assert copies_of("instructor, handout", 2) == Copies(("handout", "instructor"), 2)
    assert copies_of("handout", 1, whole_run=True).editions == ("report", "handout")
    for editions, number, said in (
        ("hand", 1, "--edition: 'hand'; did you mean 'handout'?"),
        (" ,", 1, "--edition: is empty, expected some of report, handout, instructor"),
        ("handout", 0, "--sheet: 0, expected a number from 1"),
        ("report", 2, "--sheet: is for --edition handout or instructor"),
    ):
        with pytest.raises(UsageError) as refused:
            copies_of(editions, number)
        assert said in str(refused.value)
    assert Wish(copies=Copies(("report", "handout"), 2)).options == [
        "--edition",
        "report,handout",
        "--sheet",
        "2",
    ]


def test_a_handout_alone_leaves_the_report_and_the_latest_run_as_they_are(run: Path) -> None:
    (run.parent / "latest").symlink_to("20261101T000000Z")
    render(load_results(run), ("html",))
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    (run / "report.html").write_text("edited", encoding="utf-8")
    frames = {path: path.stat().st_mtime_ns for path in run.glob("frames/*")}
    (run / ".handout-2.pdf-4194305").write_bytes(b"half")
    documents, problems = render(load_results(run), ("html",), copies=Copies((STUDENT,), 2))
    assert (list(documents), problems) == (["handout-2.html"], [])
    assert (run.parent / "latest").readlink() == Path("20261101T000000Z")
    assert (run / "report.html").read_text(encoding="utf-8") == "edited"
    assert {path: path.stat().st_mtime_ns for path in run.glob("frames/*")} == frames
    listed = disk.listed_files(run / "documents.json") or {}
    was = disk.listed_files(_written(run.parent / "before.json", before["documents.json"])) or {}
    assert {name: entry for name, entry in listed.items() if "handout" not in name} == was
    assert "handout-2.html" in listed
    assert not list(run.glob(".*"))


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_verify_knows_every_edition_and_how_it_is_drawn_again(run: Path) -> None:
    render(load_results(run), ("html",), copies=Copies(("report", STUDENT), 2))
    (run / "handout-2.html").write_text("edited", encoding="utf-8")
    (run / "instructor.pdf").write_bytes(b"%PDF- of somebody else")
    ran = command_line("verify", run, cwd=run)
    rows = {line[6:].split()[0]: line for line in ran.out}
    assert rows["report.html"].startswith("ok")
    assert rows["handout-2.html"].startswith("FAIL")
    assert f"`reportgen render {run} --edition handout --sheet 2` draws it again" in rows["handout-2.html"]
    assert "is not one that reportgen drew" in rows["instructor.pdf"]


def test_a_handout_fits_a_size_with_fewer_images(run: Path) -> None:
    whole = len(edition_html(example, STUDENT).encode())
    said: list[str] = []
    limit = whole - 3_000
    documents, _ = render(load_results(run), ("html",), limit, said.append, Copies((STUDENT,)))
    page = documents["handout.html"].read_text(encoding="utf-8")
    assert len(page.encode()) <= limit
    assert said[0].startswith("To stay below ")
    assert said[0] in page
    assert "cell by cell" not in said[0]


@pytest.mark.long
def test_a_run_writes_its_handout_too_and_ends_at_once_if_nothing_changed(
    trained_run: TrainedRun, tiny_npz: Path, tmp_path: Path
) -> None:
    import shutil

    (tmp_path / "tiny.toml").write_text(lab_text(tiny_npz, seeds=2), encoding="utf-8")
    shutil.copytree(trained_run.cwd / "output/.store", tmp_path / "output/.store")
    command = ("run", "tiny.toml", "--format", "html", "--edition", "handout", "--sheet", "2")
    ran = command_line(*command, cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert [Path(line).name for line in ran.out] == ["report.html", "handout-2.html"]
    again = command_line(*command, cwd=tmp_path)
    assert again.out == ran.out
    assert any("nothing has changed" in line for line in again.err)
    (tmp_path / ran.out[1]).unlink()
    assert command_line(*command, cwd=tmp_path).out != ran.out, "one of its documents is gone"
