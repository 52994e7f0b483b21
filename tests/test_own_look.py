"""A report in a look of one's own: branding, paper, templates and style sheets."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from reportgen.analysis.frames import analyse
from reportgen.colours import READABLE, WHITE, contrast, hexadecimal, luminance, readable_on, rgb
from reportgen.documents import laid_out
from reportgen.errors import LabError, RunError, UsageError
from reportgen.lab import Branding, Logo, Overrides, made_safe, parse_lab, read_logo
from reportgen.lab.logo import BOX, LARGEST
from reportgen.report.formats import FORMATS, Source
from reportgen.report.html import build, to_html
from reportgen.report.markdown import to_markdown
from reportgen.report.notebook import cells
from reportgen.report.templates import own_templates
from reportgen.results import Results, load_results, save
from support import ROOT, command_line
from synthetic import SEVEN, made_up, studio

COLOURS = st.tuples(*[st.integers(0, 255)] * 3).map(lambda one: "#" + "".join(f"{part:02x}" for part in one))
SHAPE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'
LAB = {
    "title": "t",
    "dataset": {"name": "digits"},
    "variants": [{"name": "a", "layers": [{"flatten": True}, {"dense": "classes", "activation": "softmax"}]}],
}
STATED = {
    "institution": "University of <Somewhere>",
    "term": "Winter 2026/27",
    "authors": ["A. Author", "B. & C."],
    "logo": "logo.svg",
    "accent": "#7a1f2b",
}


@cache
def plain() -> Results:
    return made_up(names=SEVEN[:2], epochs=1, n_test=60, classes=("a", "b"), image_shape=(8, 8, 1))


@cache
def branded() -> Results:
    lab = plain().record.lab.model_copy(update={"branding": Branding.model_validate(STATED)})
    logo = made_safe(SHAPE.format('<rect width="9" height="9"/>').encode())
    return replace(plain(), record=plain().record.model_copy(update={"lab": lab}), logo=logo)


@cache
def page() -> str:
    return to_html(build(branded(), studio()))


# --- colours ---------------------------------------------------------------------------------------


def test_contrasts_are_those_of_the_standard() -> None:
    assert contrast("#000", WHITE) == pytest.approx(21)
    assert contrast("#777777", WHITE) == pytest.approx(4.48, abs=0.005)
    assert contrast("#0b5cad", "#0b5cad") == 1


@given(COLOURS)
def test_a_colour_is_written_as_it_is_read(colour: str) -> None:
    assert hexadecimal(rgb(colour)) == colour


@given(COLOURS, COLOURS)
def test_a_colour_moves_until_it_can_be_read_and_no_further(colour: str, paper: str) -> None:
    found = readable_on(colour, paper)
    if contrast(colour, paper) >= READABLE:
        assert found == colour
    elif contrast(found, paper) >= READABLE:
        assert contrast(found, paper) < READABLE + 1.6
    else:
        assert found in ("#000000", "#ffffff"), "on a middling paper nothing is read well"
    assert 0 <= luminance(found) <= 1


# --- branding --------------------------------------------------------------------------------------


def test_the_first_page_shows_the_branding() -> None:
    head = page()[page().index("<header") : page().index("</header>")]
    assert "University of &lt;Somewhere&gt;" in head
    assert "Winter 2026/27" in head
    assert "B. &amp; C." in head
    assert 'alt="Logo of University of &lt;Somewhere&gt;"' in head
    assert re.findall('<meta name="author" content="([^"]+)">', page()) == ["A. Author", "B. &amp; C."]
    assert "house" not in to_html(build(plain(), studio())).partition("</style>")[2]


def test_the_accent_is_lighter_where_the_page_is_dark() -> None:
    light, dark = re.search(r"--brand: light-dark\((#\w+), (#\w+)\)", page()).groups()  # type: ignore[union-attr]
    assert light == "#7a1f2b"
    assert contrast(dark, "#141414") >= READABLE


def test_a_lab_that_is_read_has_its_branding() -> None:
    lab = parse_lab({**LAB, "branding": {**STATED, "authors": "Only One"}}, "lab.toml")
    assert lab.branding.authors == ("Only One",)
    assert parse_lab(lab.model_dump(mode="json"), "run.json") == lab


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (
            {"accent": "#ffcc00"},
            r"branding\.accent: '#ffcc00' has a contrast of 1\.5 to 1 on white, expected",
        ),
        ({"accent": "red"}, r"branding\.accent: 'red', expected a colour such as #0b5cad"),
        ({"acent": "#000"}, r"branding\.acent: unknown key; did you mean 'accent'\?"),
        ({"authors": [1]}, r"branding\.authors\[1\]: 1, expected text in quotes"),
        ({"logo": 3}, r"branding\.logo: 3, expected a path in quotes"),
    ],
    ids=["pale", "no-colour", "misspelt", "number", "no-path"],
)
def test_branding_that_cannot_be_is_refused_in_one_line(stated: Any, said: str) -> None:
    with pytest.raises(LabError, match=said):
        parse_lab({**LAB, "branding": stated}, "lab.toml")


def test_the_accent_that_an_error_proposes_is_accepted() -> None:
    with pytest.raises(LabError) as refused:
        parse_lab({**LAB, "branding": {"accent": "#ffcc00"}}, "lab.toml")
    proposed = re.findall(r"#\w{6}", str(refused.value))[-1]
    assert parse_lab({**LAB, "branding": {"accent": proposed}}, "lab.toml").branding.accent == proposed


# --- the logo --------------------------------------------------------------------------------------

HARM = {
    "script": "<script>alert(1)</script>",
    "handler": '<rect width="1" height="1" onclick="alert(1)" onload="alert(1)"/>',
    "link": '<a href="https://example.org"><rect width="1" height="1"/></a>',
    "style": "<style>@import url(https://example.org/a.css);</style>",
    "fill": '<rect width="1" height="1" fill="url(https://example.org/#a)"/>',
    "foreign": '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">alert</p></foreignObject>',
    "use": '<use href="https://example.org/a.svg#b"/>',
    "declared": '<rect width="1" height="1" style="fill:red;background:url(https://example.org)"/>',
    "animated": '<rect><set attributeName="href" to="https://example.org"/></rect>',
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_of_an_svg_only_shapes_are_kept(harm: str) -> None:
    content = made_safe(SHAPE.format(harm + '<circle r="2" fill="#123456"/>').encode()).content.decode()
    assert '<circle r="2" fill="#123456" />' in content
    for word in ("alert", "example", "script", "on", "import", "style"):
        assert word not in content.lower().removeprefix('<svg xmlns="http://www.w3.org/2000/svg"')
    assert made_safe(content.encode()).content.decode() == content


def test_an_svg_keeps_the_colours_of_its_style_sheet() -> None:
    sheet = (
        "<style>/* made by a drawing program */ .a, #b { fill: #7a1f2b } rect { fill: none; stroke: red }"
        " .a { behavior: url(x) } @media print { .a { fill: red } }</style>"
    )
    shapes = '<rect class="a" fill="blue"/><rect/><circle id="b" style="fill: #123456"/><circle class="a"/>'
    made = made_safe(SHAPE.format(sheet + shapes).encode()).content.decode()
    assert re.findall(r"<(?:rect|circle)([^/]*) />", made) == [
        ' fill="#7a1f2b" stroke="red"',
        ' fill="none" stroke="red"',
        ' id="b" fill="#123456"',
        ' fill="#7a1f2b"',
    ]


def test_a_gradient_of_its_own_stays() -> None:
    inside = '<defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient></defs>'
    content = made_safe(SHAPE.format(inside + '<path d="M0 0" fill="url(#g)"/>').encode()).content.decode()
    assert 'fill="url(#g)"' in content
    assert '<linearGradient id="g">' in content


def picture(size: tuple[int, int], kind: str, **more: Any) -> bytes:
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    pixels = rng.integers(0, 256, (size[1], size[0], 3), "uint8")
    Image.fromarray(pixels).save(buffer, format=kind, **more)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_is_made_smaller_and_loses_what_else_its_file_holds(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    logo = made_safe(picture((1500, 1500), kind, exif=exif))
    assert b"taken at home" not in logo.content
    with Image.open(io.BytesIO(logo.content)) as found:
        assert found.format == "PNG"
        assert found.size == (BOX[1], BOX[1])
        assert not found.getexif()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"nothing", "is no picture that can be read; expected a PNG, JPEG or SVG file"),
        (b"<svg", "is not well-formed XML"),
        (b"<html/>", "is no SVG"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', "has a document type"),
        (SHAPE.replace('viewBox="0 0 9 9"', "").encode(), "has neither a viewBox nor width and height"),
        (SHAPE.format('<g><image href="a.png"/></g>').encode(), "has a picture inside; save it as a PNG"),
        (
            SHAPE.format("<style>a:nope(1) { fill: red }</style>").encode(),
            "has a style sheet that cannot be read",
        ),
        (
            SHAPE.format("<g><text>Somewhere</text></g>").encode(),
            "has text, which looks different on each machine",
        ),
        (b"x" * (LARGEST + 1), "has 1000001 bytes, expected at most 1 MB"),
        (picture((8, 8), "GIF"), "is no picture that can be read"),
        (picture((8, 8), "PNG")[:60], "is no picture that can be read"),
    ],
    ids=["text", "torn", "html", "entity", "no-size", "image", "style", "words", "large", "gif", "damaged"],
)
def test_what_is_no_logo_is_refused_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "logo"
    path.write_bytes(content)
    with pytest.raises(LabError, match=re.escape(said)) as refused:
        read_logo(path)
    assert str(refused.value).startswith(f"branding.logo: {path}")
    with pytest.raises(LabError, match="No such file"):
        read_logo(tmp_path / "none.png")


def test_a_run_keeps_its_logo(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    save(branded(), run)
    assert (run / "logo.svg").is_file()
    kept = load_results(run).logo
    assert kept == branded().logo
    assert isinstance(kept, Logo)
    assert kept.content == b64decode(re.findall(r'class="house"><img src="[^,]+,([^"]+)"', page())[0])
    (run / "logo.svg").write_bytes(b"<svg")
    with pytest.raises(RunError, match=r"logo\.svg: is damaged: is not well-formed XML; run the lab again"):
        load_results(run)
    (run / "logo.svg").unlink()
    with pytest.raises(RunError, match="the logo is missing"):
        load_results(run)


def test_a_logo_that_is_not_there_is_refused_before_any_training(tmp_path: Path) -> None:
    from support import lab_text

    data = tmp_path / "d.npz"
    np.savez(
        data,
        **{name: np.zeros((4, 8, 8), "uint8") for name in ("x_train", "x_test")},
        **{name: np.array([0, 1, 0, 1]) for name in ("y_train", "y_test")},
    )
    (tmp_path / "tiny.toml").write_text(
        lab_text(data) + '\n[branding]\nlogo = "none.png"\n', encoding="utf-8"
    )
    for command in ("show", "run"):
        ran = command_line(command, "tiny.toml", cwd=tmp_path)
        assert ran.code == 2
        assert "branding.logo: " in ran.err[-1]
        assert "No such file" in ran.err[-1]


def test_markdown_and_notebook_say_who_hands_them_out() -> None:
    text, _ = to_markdown(build(branded(), studio()), "images")
    [title, *_] = cells(branded(), blanks=True)
    for made in (text, title.source):
        assert "University of \\<Somewhere\\> · Winter 2026/27\n\nA. Author, B. \\& C." in made
    assert "University" not in to_markdown(build(plain(), studio()), "images")[0]


# --- paper -----------------------------------------------------------------------------------------

SIZES = {"a4": (595.28, 841.89), "letter": (612, 792)}
BLOCK = 166 * 72 / 25.4  # points: the width of the text block


@pytest.mark.parametrize("paper", SIZES)
def test_the_block_of_text_is_as_wide_on_each_paper(paper: Any) -> None:
    import pypdf

    from reportgen.report.pdf import to_pdf

    html = to_html(build(laid_out(plain(), Overrides(paper=paper)), studio()))
    body = "<body><hr style='border: 0; border-top: 1px solid; margin: 0'><p>text</body>"
    made = pypdf.PdfReader(io.BytesIO(to_pdf(re.sub("<body.*</body>", body, html, flags=re.DOTALL))))
    box = made.pages[0].mediabox
    assert (float(box.width), float(box.height)) == pytest.approx(SIZES[paper], abs=0.02)
    margins = float(re.search(rf"{paper}.*?mm ([\d.]+)mm", html, re.IGNORECASE)[1])  # type: ignore[index]
    assert float(box.width) - 2 * margins * 72 / 25.4 == pytest.approx(BLOCK, abs=0.5)


def test_a_paper_that_is_none_is_refused() -> None:
    with pytest.raises(LabError, match=r"paper: 'a5', known: a4, letter"):
        parse_lab({**LAB, "paper": "a5"}, "lab.toml")
    assert laid_out(plain(), Overrides()) is plain()


# --- templates -------------------------------------------------------------------------------------


def example_of(language: str) -> str:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", readme, flags=re.DOTALL)[0]  # type: ignore[no-any-return]


def test_the_example_in_the_readme_does_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "sections").mkdir()
    (tmp_path / "more.css").write_text(example_of("css"), encoding="utf-8")
    (tmp_path / "sections/appendix.html.jinja").write_text(example_of("jinja"), encoding="utf-8")
    html = to_html(build(plain(), studio()), own_templates(tmp_path))
    assert ".title-block { text-align: center; }" in html
    assert html.index("--hairline: #d7dade") < html.index(".title-block { text-align: center; }")
    assert "Questions: room 2.14" in html
    assert "Protocol, data and machine" not in html
    assert "Questions" not in to_html(build(plain(), studio()))


def test_the_example_in_the_readme_makes_a_pdf(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "sections").mkdir(parents=True)
    (own / "more.css").write_text(example_of("css"), encoding="utf-8")
    (own / "sections/appendix.html.jinja").write_text(example_of("jinja"), encoding="utf-8")
    source = Source(plain(), analyse(plain()), studio(), templates=own_templates(own))
    made = FORMATS["pdf"].begin(source)()
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(made.content)).pages)
    assert "Questions: room 2.14" in text


def test_formulas_are_set_under_a_style_sheet_without_our_variables(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "report.css").write_text("p { color: #123456 }", encoding="utf-8")
    made_of = (plain(), analyse(plain()), studio())
    source = Source(*made_of, edition="handout", templates=own_templates(own))
    assert FORMATS["pdf"].begin(source)().content.startswith(b"%PDF")


def test_a_file_in_the_place_of_a_folder_is_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "more.css").write_text("p {}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"more\.css: is a file, expected the folder that it lies in"):
        own_templates(tmp_path / "more.css")


def test_a_style_sheet_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "report.css").write_text("p { color: #123456 }", encoding="utf-8")
    html = to_html(build(plain(), studio()), own_templates(tmp_path))
    assert "p { color: #123456 }" in html
    assert "--hairline" not in html


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("report.css", None, "no such folder"),
        ("reprot.css", "", r"reprot\.css is not used; did you mean 'report\.css'\?"),
        ("notes.txt", "", r"has neither report\.css nor more\.css nor a template"),
    ],
    ids=["absent", "misspelt", "none"],
)
def test_a_folder_that_would_change_nothing_is_refused(
    tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "own").mkdir()
        (tmp_path / "own" / name).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        own_templates(tmp_path / "own")


@pytest.mark.parametrize(
    ("css", "said"),
    [
        (
            "\n/* url(x.png) */ p { background: url(https://e.org/x.png) }",
            r"line 2: asks for url\(https://e.org/x.png",
        ),
        ("p {}\n@import 'other.css';", "line 2: asks for @import 'other.css', but a report fetches nothing"),
        ("h1 { background: URL( 'x.svg' ) }", "put it into the style sheet as url"),
    ],
)
def test_a_style_sheet_that_asks_for_what_is_outside_is_refused_with_its_line(
    tmp_path: Path, css: str, said: str
) -> None:
    (tmp_path / "more.css").write_text(css, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        own_templates(tmp_path)


def test_a_declaration_that_no_pdf_knows_is_put_down_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "more.css").write_text("p { colr: red }", encoding="utf-8")
    source = Source(plain(), analyse(plain()), studio(), templates=own_templates(tmp_path))
    with pytest.raises(UsageError, match=r"^--template-dir: .*Ignored `colr: red\s*`, unknown property"):
        FORMATS["pdf"].begin(source)()


def test_a_style_sheet_may_have_data_inside_it(tmp_path: Path) -> None:
    css = 'p { background: url("data:image/png;base64,AA==") } a { fill: url(#one) }'
    (tmp_path / "more.css").write_text(css, encoding="utf-8")
    assert own_templates(tmp_path) == tmp_path


def test_a_pdf_that_is_refused_leaves_the_html_that_was_there(tmp_path: Path) -> None:
    run = tmp_path / "output/lab/run"
    run.mkdir(parents=True)
    save(plain(), run)
    assert command_line("render", run, "--format", "html,pdf", cwd=tmp_path).code == 0
    before = (run / "report.html").read_bytes()
    (tmp_path / "own/sections").mkdir(parents=True)
    broken = '<p><img src="https://e.org/x.png" alt="x"></p>'
    (tmp_path / "own/sections/appendix.html.jinja").write_text(broken, encoding="utf-8")
    ran = command_line("render", run, "--template-dir", "own", cwd=tmp_path)
    assert ran.code == 2
    assert "--template-dir: " in ran.err[-1]
    assert (run / "report.html").read_bytes() == before
    assert command_line("verify", run, cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% if %}", r"appendix\.html\.jinja, line 1: "),
        ("\n{{ body.nothing }}", r"appendix\.html\.jinja, line 2: .*has no attribute 'nothing'"),
        ("{{ 1 / 0 }}", r"appendix\.html\.jinja, line 1: ZeroDivisionError"),
        ("{% include 'gone.jinja' %}", r"gone\.jinja"),
    ],
    ids=["syntax", "name", "sum", "include"],
)
def test_a_fault_in_a_template_of_ones_own_is_said_in_one_line(
    tmp_path: Path, template: str, said: str
) -> None:
    (tmp_path / "sections").mkdir()
    (tmp_path / "sections/appendix.html.jinja").write_text(template, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        to_html(build(plain(), studio()), own_templates(tmp_path))
