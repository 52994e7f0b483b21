"""A lab's own words in Markdown: what becomes of them, where notes stand, and what never gets through."""

from __future__ import annotations

import json
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import example as case
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reportgen.lab import Lab
from reportgen.lab.notes import SECTIONS_OF
from reportgen.lab.prose import each, refused
from reportgen.report.editions import EDITIONS
from reportgen.report.html import build
from reportgen.report.markdown import to_markdown
from reportgen.report.notebook import to_notebook
from reportgen.report.prose import TAGS, blocks, plain
from reportgen.results import Results
from synthetic import PROSE, edition_html, edition_of, made_up, prose, studio

SITE = MarkdownIt("commonmark").enable(["table", "strikethrough"])  # lets HTML through
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href=\"javascript:alert(1)\" onclick='x'>x</a>",
    "<style>*{display:none}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<svg/onload=alert(1)>",
    "<!-- --><!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](data:image/svg+xml;base64,PHN2Zz4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example/)",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "[x](https://a.example \"onmouseover='alert(1)' x=\")",
    '[x](https://a.example/"onmouseover="alert(1))',
    "[<script>alert(1)</script>](https://a.example)",
    "![x](https://a.example/x.png)",
    "![<img src=x onerror=alert(1)>](x)",
    "`<script>alert(1)</script>`",
    '```"><script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```',
    "    </code><script>alert(1)</script>",
    "| <script>alert(1)</script> | <td onclick=x> |\n|---|---|\n| </table><script>alert(1)</script> | x |",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;script>",
    "# <script>alert(1)</script>",
    "1. <b onmouseover=alert(1)>x</b>\n\n<div style='position:fixed'>",
    "\u202eabc\u202c &#8238; &#x200F; \x1b[31m &#27; \x00 &#0;",
]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=60) | st.lists(
    st.sampled_from(
        [*ATTACKS, "\n", "\n\n", "> ", "- ", "1. ", "# ", "*", "_", "`", "|", "~~", "[", "](", ")"]
    ),
    max_size=8,
).map("".join)
ATTRIBUTES = {
    "a": {"href", "rel"},
    "ol": {"start"},
    "th": {"scope", "class"},
    "td": {"class"},
    "div": {"class"},
}


class Seen(HTMLParser):
    """The tags of a fragment; fails on any other than those that are allowed, and on their attributes."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS | {"div"}
        for name, value in attrs:
            assert name in ATTRIBUTES.get(tag, ())
            if name == "href":
                assert re.match(r"(https?://|mailto:)", value or "", re.IGNORECASE)
            if name == "class":
                assert value in {"", "scroll", "num", "centred"}
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def html(text: str) -> str:
    return "\n".join(one.html for one in blocks(text))


def markdown(text: str) -> str:
    return "\n\n".join(one.markdown for one in blocks(text))


# --- nothing but words gets through ----------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@case("\n\n".join(ATTACKS))
def test_no_markup_but_the_allowed_is_in_the_page_whatever_is_written(text: str) -> None:
    seen = Seen(html(text))
    assert all(3 <= level <= 6 for level in seen.levels)
    assert all(after <= before + 1 for before, after in pairwise([2, *seen.levels]))
    assert not set("\x00\x07\x1b\u202e\u2067\u2069\u200f") & set(html(text))


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@case("\n\n".join(ATTACKS))
def test_markdown_that_is_written_anew_has_no_html_and_no_other_link(text: str) -> None:
    for token in each(SITE.parse(markdown(text))):
        assert token.type not in {"html_block", "html_inline", "image"}
        if token.type == "link_open":
            assert re.match(r"(https?://|mailto:)", str(token.attrs["href"]), re.IGNORECASE)
    assert not set("\x00\x07\x1b\u202e\u2067\u2069\u200f") & set(markdown(text))


@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_is_shown_as_the_text_that_it_is(text: str) -> None:
    Seen(html(text))
    assert "<script" not in html(text) + SITE.render(markdown(text))


@pytest.mark.parametrize(
    "text",
    [
        "![x](dog.png)",
        "[![x](a.png)](https://a.example)",
        "[x](a.html)",
        "<ftp://a>",
        "[x](javascript:alert(1))",
    ],
)
def test_an_image_or_a_link_that_leads_nowhere_is_refused_and_from_an_old_run_left_out(text: str) -> None:
    assert refused(text)
    assert "href" not in html(text) or "a.example" in html(text)
    assert not refused(r"\![x](dog.png"), "text"
    assert not refused("[x](https://a.example) <https://a.example> <mailto:a@b.example>")


# --- what it looks like ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["Plain & <simple>.\n\nTwo, with `a|b`\nand `c`.", "", " \n ", "100 % of 3 * 4"]
)
def test_paragraphs_and_code_look_as_they_always_did(text: str) -> None:
    assert [(one.html, one.markdown) for one in blocks(text)] == [
        (one.html, one.markdown) for one in plain(text)
    ]


def test_headings_go_below_the_section_s_in_order() -> None:
    text = "### a\n\n# b\n\n##### c\n\n## d\n\n#\n\n###### e"
    assert Seen(html(text)).levels == [3, 3, 4, 4, 5]
    assert re.findall(r"^#+ \w", markdown(text), re.MULTILINE) == [
        "### a",
        "### b",
        "#### c",
        "#### d",
        "##### e",
    ]


def test_a_table_has_header_cells_with_a_scope_and_none_that_is_empty() -> None:
    made = html("| a | | b |\n|---|:-:|--:|\n| 1 | 2 | 3 |")
    assert made.startswith('<div class="scroll"><table>')
    assert re.findall("<th.*?</th>", made) == ['<th scope="col">a</th>', '<th class="num" scope="col">b</th>']


def test_a_link_has_words() -> None:
    assert ">https://a.example</a>" in html("[](https://a.example)")


def skeleton(tokens: list[Token]) -> list[tuple[str, str]]:
    """Give what a page shows of parsed Markdown: kinds, and text."""
    kept = [one for one in each(tokens) if one.type not in {"inline", "text_special"}]
    return [
        (one.type, re.sub(r"\s+", " ", one.content) if one.type != "fence" else one.content) for one in kept
    ]


def test_markdown_written_anew_says_the_same() -> None:
    made = markdown(PROSE)
    assert markdown(made) == made
    assert skeleton(SITE.parse(made)) == skeleton(SITE.parse(re.sub("`a.b`", r"`a\|b`", made)))
    for part in ("[a book](https://example.org/a_%28b%29?c=1&d=2)", "2. two\n\n   - inner", "> quoted"):
        assert part in made
    assert "x = 1\n\n\ny = 2" in made, "code is as it was"


# --- where notes stand -----------------------------------------------------------------------------


def test_the_sections_that_a_note_may_name_are_those_of_each_edition() -> None:
    assert {name: tuple(one.sections) for name, one in EDITIONS.items()} == SECTIONS_OF


@pytest.mark.parametrize("name", EDITIONS)
def test_a_note_stands_before_or_after_what_its_section_shows(name: str) -> None:
    page = edition_html(prose, name)
    for section in edition_of(prose, name).sections:
        found = re.search(rf'<section id="{section.anchor}" .*?\n</section>', page, re.DOTALL)
        assert found
        inside = found[0]
        head = inside.index("</h2>") + len("</h2>")
        first = inside.index(f"<p>before {section.anchor} ")
        last = inside.index(f"<p>after {section.anchor} ")
        assert inside[head:first].strip() == '<div class="note">'
        assert inside[last:].count('<div class="note">') == 0
        assert first < last
    assert [one.anchor for one in edition_of(prose, name).sections] == list(SECTIONS_OF[name]), (
        "even with no more"
    )


@pytest.mark.parametrize("name", EDITIONS)
def test_a_note_stands_in_the_markdown_below_its_section_s_heading(name: str) -> None:
    text, _ = to_markdown(edition_of(prose, name), "images")
    parts = re.split(r"^## \d+ .*\n", text, flags=re.MULTILINE)[1:]
    for section, part in zip(edition_of(prose, name).sections, parts, strict=True):
        assert part.strip().startswith(f"before {section.anchor}")
        assert f"\nafter {section.anchor} " in part
    levels = [len(one) for one in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert "x = 1\n\n\ny = 2" in text


@cache
def taught() -> Results:
    notes = [
        {"section": "networks", "text": "- Wombat-note", "editions": ["instructor"]},
        {"section": "networks", "text": "Tapir-note", "editions": ["report", "handout"]},
    ]
    return made_up(names=("mlp", "cnn"), epochs=1, n_test=60, image_shape=(8, 8, 1), texts={"notes": notes})


def test_a_note_stands_in_its_editions_alone_and_says_where_it_is_for_teaching() -> None:
    for name in EDITIONS:
        text, _ = to_markdown(edition_of(taught, name), "images")
        for made in (text, edition_html(taught, name)):
            assert ("Wombat-note" in made) == (name == "instructor")
            assert ("Tapir-note" in made) == (name != "instructor")
    assert "**For teaching.**\n\n- Wombat-note" in to_markdown(edition_of(taught, "instructor"), "images")[0]
    assert "Wombat-note" not in to_notebook(taught(), blanks=True)


def test_a_notebook_has_the_lab_s_words_as_markdown_below_its_headings() -> None:
    cells = ["".join(one["source"]) for one in json.loads(to_notebook(prose(), blanks=True))["cells"]]
    assert "Before *all*, a **word** on `code`" in cells[0]
    assert "\n## First\n" in cells[0]
    assert "\n### First\n" in cells[1]


def test_a_record_from_before_there_were_notes_is_read_and_its_images_are_left_out() -> None:
    raw = prose().record.lab.model_dump(mode="json")
    del raw["notes"]
    raw["texts"]["introduction"] = "A picture: ![of a dog](https://example.org/dog.png)."
    lab = Lab.model_validate(raw)
    assert lab.notes == ()
    results = prose()
    old = type(results)(**{**vars(results), "record": results.record.model_copy(update={"lab": lab})})
    (one,) = next(one.body for one in build(old, studio()).sections if one.anchor == "narrative").introduction
    assert one.html == "A picture: of a dog."
