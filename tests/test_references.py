"""What names a figure or a table leads to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markupsafe import Markup

from reportgen import words
from reportgen.analysis.frames import analyse
from reportgen.report.editions import EDITIONS
from reportgen.report.html import build, to_html
from reportgen.report.localize import localized
from reportgen.report.references import referred
from reportgen.report.studio import Studio
from reportgen.report.templates import own_templates
from synthetic import example, made_up


@pytest.mark.parametrize(
    ("language", "text", "anchor", "expected"),
    [
        (
            "en",
            "As in Figure 3, <b>.",
            "figure-3",
            'As in <a class="ref" href="#figure-3">Figure 3</a>, &lt;b&gt;.',
        ),
        (
            "en",
            "Table 12 and Table 1.",
            "table-1",
            'Table 12 and <a class="ref" href="#table-1">Table 1</a>.',
        ),
        ("en", "table99 and Figure 50", "", "table99 and Figure 50"),
        ("en", "no name", "figure-3", "no name"),
        ("en", Markup('<i title="Figure 3">x</i>'), "figure-3", '<i title="Figure 3">x</i>'),
        (
            "es",
            "como en la figura 9;",
            "figure-9",
            'como en la <a class="ref" href="#figure-9">figura 9</a>;',
        ),
        ("zh", "含义同图 13；", "figure-13", '含义同<a class="ref" href="#figure-13">图 13</a>；'),
    ],
)
def test_a_name_is_a_link(language: str, text: str, anchor: str, expected: str) -> None:
    with words.speaking(language):
        assert referred(text, anchor) == Markup(expected)


def test_a_network_or_a_class_called_like_a_figure_is_no_reference() -> None:
    run = made_up(names=("mlp", "table99"), classes=("a", "Figure 50", "c"), epochs=1, n_test=60)
    for edition in EDITIONS.values():
        html = to_html(build(run, Studio(processes=0), analyse(run), edition=edition))
        names = re.findall(r'<a class="ref" href="#([^"]+)">', html)
        assert all(f'id="{name}"' in html for name in names)


def test_a_reference_to_what_a_template_of_ones_own_leaves_out_is_but_words(tmp_path: Path) -> None:
    (tmp_path / "sections").mkdir()
    (tmp_path / "sections/summary.html.jinja").write_text("<p>Nothing.</p>", encoding="utf-8")
    html = to_html(build(example(), Studio(processes=0), analyse(example())), own_templates(tmp_path))
    assert "Bars as in Table 1." in html
    assert 'href="#figure-' in html


@pytest.mark.long(but=("en-report", "en-handout"))
@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_reference_leads_somewhere(edition: str, language: str) -> None:
    with words.speaking(language):
        run = localized(example())
        html = to_html(build(run, Studio(processes=0), analyse(run), edition=EDITIONS[edition]))
    names = re.findall(r'<a class="ref" href="#([^"]+)">', html)
    assert names
    assert all(f'id="{name}"' in html for name in names)
