"""The languages of reports: every word is in the catalogues, these are complete, documents follow them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import numpy as np
import pytest
import tinyhtml5
from babel.messages.catalog import Catalog, Message
from fontTools.ttLib import TTFont
from markdown_it import MarkdownIt

import catalogues
from reportgen import words
from reportgen.analysis.frames import analyse
from reportgen.data.dataset import Arrays, warn
from reportgen.report.dates import written
from reportgen.report.editions import EDITIONS
from reportgen.report.fonts import MORE_FONTS, font_file
from reportgen.report.html import build, to_html
from reportgen.report.localize import localized
from reportgen.report.markdown import to_markdown
from reportgen.report.stored import retold
from reportgen.report.studio import Studio
from reportgen.report.typography import closed_up
from reportgen.results import Results
from reportgen.text import count, decimal, p_value, percent, signed
from reportgen.words import trn
from synthetic import example

TRANSLATED = sorted(set(words.LANGUAGES) - {words.ENGLISH})
each = pytest.mark.parametrize("language", TRANSLATED)
OPEN, CLOSE = "«", "»"


# --- catalogues ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def extracted() -> Catalog:
    return catalogues.extracted()


def identity(message: Message) -> tuple[Any, str | None]:
    return message.id, message.context


@each
def test_a_catalogue_has_the_messages_that_are_said_and_no_others(language: str, extracted: Catalog) -> None:
    said = {identity(one) for one in extracted if one.id}
    known = {identity(one) for one in catalogues.catalogue(language) if one.id}
    assert known == said, "run: python tests/catalogues.py"


@each
def test_a_catalogue_is_complete(language: str) -> None:
    assert catalogues.untranslated(catalogues.catalogue(language)) == []


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@each
def test_a_translation_has_the_places_of_its_message_and_no_others(language: str) -> None:
    wrong = []
    for one in catalogues.catalogue(language):
        if not one.id:
            continue
        ids = (one.id,) if isinstance(one.id, str) else one.id
        strings = (one.string,) if isinstance(one.string, str) else one.string
        wanted = places(ids[-1]) if any("{" in i for i in ids) else set()
        for string in strings:
            # The form for one thing, where it is not that for all, may leave the number out.
            short = len(strings) > 1 and string == strings[0] and places(string) <= wanted
            if places(string) != wanted and not short:
                wrong.append((ids[0], string))
    assert not wrong


def test_every_character_of_the_chinese_catalogue_is_in_the_shipped_type() -> None:
    said = {
        character
        for one in catalogues.catalogue("zh")
        for string in ([one.string] if isinstance(one.string, str) else one.string)
        for character in string
        if one.id
    }
    said |= set(catalogues.dates("zh"))
    latin = set(TTFont(font_file("source-sans-3-latin-400-normal")).getBestCmap())
    for stem in MORE_FONTS["zh"].values():
        lacking = {c for c in said if ord(c) not in {*TTFont(font_file(stem)).getBestCmap(), *latin}}
        assert not lacking - {"\n"}, "".join(sorted(lacking))


# --- numbers, dates, lists -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ("269,322", "98.05", "−1,234.50", "<0.001", "5 March 2026")),
        ("de", ("269.322", "98,05", "−1.234,50", "<0,001", "5. März 2026")),
        ("es", ("269.322", "98,05", "−1234,50", "<0,001", "5 de marzo de 2026")),
        ("zh", ("269,322", "98.05", "−1,234.50", "<0.001", "2026年3月5日")),
    ],
)
def test_numbers_and_dates_are_written_as_the_language_does(language: str, expected: tuple[str, ...]) -> None:
    with words.speaking(language):
        day = datetime(2026, 3, 5, tzinfo=UTC)
        said = (count(269322), percent(0.98053), signed(-1234.5), p_value(0.0001), written(day))
    assert said == expected


def test_a_language_is_spoken_within_its_block_alone() -> None:
    with words.speaking("de"):
        with words.speaking("en"):
            assert decimal(0.5, 1) == "0.5"
        assert decimal(0.5, 1) == "0,5"
    assert words.language() == "en"
    assert decimal(0.5, 1) == "0.5"


# --- documents -----------------------------------------------------------------------------------


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch, extracted: Catalog) -> Iterator[None]:
    """Have a language in which every translation is its message between brackets."""
    made = Catalog(locale="de")
    for one in extracted:
        if one.id:
            strings = (one.id,) if isinstance(one.id, str) else one.id
            marked = tuple(f"{OPEN}{string}{CLOSE}" for string in strings)
            made.add(one.id, marked[0] if isinstance(one.id, str) else marked, context=one.context)
    example()  # what a run has stored is English, and it is made up once for all tests
    monkeypatch.setattr(words, "catalog", lambda name: made)
    words._plural_rule.cache_clear()
    with words.speaking("de"):
        yield
    words._plural_rule.cache_clear()


def in_language(results: Results, language: str) -> Results:
    lab = results.record.lab.model_copy(update={"language": language})
    return replace(results, record=results.record.model_copy(update={"lab": lab}))


def outside(text: str) -> str:
    """Give what stands outside of all brackets."""
    kept, depth = [], 0
    for character in text:
        depth += (character == OPEN) - (character == CLOSE)
        kept.append(" " if depth or character == CLOSE else character)
    return "".join(kept)


def rendered(results: Results, edition: str) -> str:
    run = localized(in_language(results, "de"))
    document = build(run, Studio(processes=0), analyse(run), edition=EDITIONS[edition])
    return to_html(document)


SPOKEN = ("alt", "title", "aria-label", "content")
CODE = {"code", "style", "script", "var", "bdi", "comment"}


def visible(html: str) -> list[str]:
    """List the text of a page, without code, and each attribute that is read out.

    The text is one string: what is between brackets may be marked up in part.
    """
    texts, read_out = [], []

    def walk(node: Any) -> None:
        name = node.tag.rpartition("}")[2] if isinstance(node.tag, str) else "comment"
        if name not in CODE:
            texts.append(node.text or "")
            if name != "meta" or node.get("name") == "description":
                read_out.extend(node.get(one) or "" for one in SPOKEN)
            for child in node:
                walk(child)
        texts.append(f" {node.tail or ''}")

    walk(tinyhtml5.parse(html))
    return ["".join(texts), *read_out]


WORD = re.compile(r"[^\W\d_]{3,}")
# Names of code, units and formats, which are the same in every language.
NAMES = set(
    WORD.findall(
        """Conv Dense Flatten Dropout Activation MaxPooling AveragePooling relu softmax valid same strides
        pool kernel Adam CSV JSON MNIST Keras TensorFlow NumPy pandas plotnine WeasyPrint Jinja Python
        reportgen run Lab float categorical crossentropy accuracy python keras November out"""
    )
)


def strings(value: Any) -> Iterator[str]:
    """List the texts in a value, without the names of tables' keys."""
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, str):
        yield value
    elif isinstance(value, Iterable):
        for one in value:
            yield from strings(one)


def untranslated(html: str, results: Results) -> list[str]:
    """List the texts of a page with words that no translation gave, nor the lab itself."""
    record = results.record
    stored = (record.lab.model_dump(), record.dataset.model_dump(), record.fallback, record.environment)
    own = {word for text in strings(stored) for word in WORD.findall(text)}
    left = []
    for text in visible(html):
        plain = outside(text)
        for found in WORD.finditer(plain):
            if found[0] not in own | NAMES:
                left.append(f"{found[0]} in: {' '.join(plain[max(found.start() - 60, 0) :].split())[:120]}")
    return left


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_word_of_a_page_goes_through_the_catalogue(pseudo: None, edition: str) -> None:
    left = untranslated(rendered(example(), edition), example())
    assert not left, "\n".join(left)


def test_every_word_of_markdown_goes_through_the_catalogue(pseudo: None) -> None:
    run = localized(in_language(example(), "de"))
    text, _ = to_markdown(build(run, Studio(processes=0), analyse(run)), "images")
    prose = re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", " ", text, flags=re.DOTALL)
    left = untranslated(prose.replace("<", " ").replace("\\", "").replace("\n", "<p>"), example())
    assert not left, "\n".join(left)


# --- Chinese -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "<p>对。 <b>错：</b>\n  是（一） 二。</p>\n<p>三</p>",
            "<p>对。<b>错：</b>是（一）二。</p>\n<p>三</p>",
        ),
        ("<p><b>图 1： </b> 一。 <code>x</code></p>", "<p><b>图 1：</b>一。<code>x</code></p>"),
        (
            "<pre>a， b</pre> 90\N{NO-BREAK SPACE}% <code>x。 y</code>",
            "<pre>a， b</pre> 90% <code>x。 y</code>",
        ),
        ("<bdi>数据 (副本)， 新.npz</bdi>", "<bdi>数据 (副本)， 新.npz</bdi>"),
        (
            '<p title="一， 二">机器学习 第三讲 (上): 一, 二</p>',
            '<p title="一， 二">机器学习 第三讲 (上): 一, 二</p>',
        ),
        (
            '<p>一。<span class="tools"> <a>#</a></span></p>',
            '<p>一。<span class="tools"> <a>#</a></span></p>',
        ),
        ("<li>一。 </li> <li>二</li>", "<li>一。 </li> <li>二</li>"),
    ],
)
def test_chinese_has_no_space_after_its_signs(text: str, expected: str) -> None:
    assert closed_up(text) == text
    with words.speaking("zh"):
        assert closed_up(text) == expected


def test_closing_up_takes_no_longer_than_the_page_is() -> None:
    hard = f"<p>分隔线： {'*' * 50_000}。{' ' * 50_000}<s>{'<b>。 ' * 20_000}</p>"
    with words.speaking("zh"):
        assert len(closed_up(hard)) < len(hard)


def test_bold_words_of_chinese_markdown_are_bold() -> None:
    run = localized(in_language(example(), "zh"))
    with words.speaking("zh"):
        text, _ = to_markdown(build(run, Studio(processes=0), analyse(run)), "images")
    shown = re.sub(r"<[^>]*>", "", MarkdownIt("commonmark").render(text))
    assert "**" not in shown, re.findall(r".{20}\*\*.{20}", shown)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("the loss or the predictions were no longer numbers after epoch 12", "keine Zahlen mehr"),
        ("The test set has no image of class 1.234.", "1.234"),
        ("The training set has no image of classes 1,5 and 1.234.", "1,5 und 1.234"),
        ("The training set has no image of classes a, b and 1,234 more.", "1.234"),
        ("120 of the 1,300 test images (9.2%) also occur in the training set, pixel for pixel.", "9,2"),
        ("whatever else went wrong", "whatever else went wrong"),
    ],
)
def test_what_a_run_has_stored_is_told_in_the_language(sentence: str, expected: str) -> None:
    with words.speaking("de"):
        told = retold(sentence)
    assert expected in told
    assert " more" not in told


def test_what_data_warns_of_has_its_translation() -> None:
    images = np.zeros((4, 2, 2, 1), dtype="uint8")
    classes = tuple(map(str, range(20)))
    found: list[str] = []
    for labels in ([0, 0, 1, 1], [3, 3, 3, 3], list(range(4))):
        y = np.array(labels)
        found += warn(Arrays(images, y, images, y), classes, 3)
    found += warn(Arrays(images + 200, np.arange(4), images, np.arange(4)), classes[:5], 0)
    assert len(found) > 5
    with words.speaking("de"):
        assert all(retold(one) != one for one in found)


@pytest.mark.long(but=("report",))
@pytest.mark.parametrize("edition", EDITIONS)
def test_a_chinese_page_has_no_spaces_between_its_sentences(edition: str) -> None:
    run = in_language(example(), "zh")
    with words.speaking("zh"):
        html = to_html(build(localized(run), Studio(processes=0), analyse(run), edition=EDITIONS[edition]))
    words_only = re.sub(
        r'<(script|style|pre)\b.*?</\1>|<span class="tools">.*?</span>|<[^>]*>', "", html, flags=re.DOTALL
    )
    assert "。" in words_only
    assert not re.findall(r".{0,20}[。，；：] +\S.{0,9}", words_only)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", ["0 Seeds", "1 Seed", "5 Seeds", "1000000 Seeds"]),
        ("es", ["0 semillas", "1 semilla", "5 semillas", "1000000 de semillas"]),
    ],
)
def test_each_number_has_its_form(language: str, expected: list[str]) -> None:
    with words.speaking(language):
        assert [trn("{n} seed", "{n} seeds", n, n=n) for n in (0, 1, 5, 10**6)] == expected
