"""Words and numbers as a reader sees them."""

from __future__ import annotations

import html
import re
import unicodedata
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from reportgen import text

ANY_TEXT = st.text(max_size=80)
NAMES = st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=12)
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(ANY_TEXT)
def test_inert_text_has_no_control_characters_and_no_direction_marks(given_text: str) -> None:
    clean = text.inert(given_text)
    assert not [c for c in clean if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n"]
    assert not [c for c in clean if unicodedata.bidirectional(c) in DIRECTIONS]
    assert not set(clean) & set("\u200e\u200f\u061c")


@given(ANY_TEXT)
def test_inert_is_idempotent(given_text: str) -> None:
    assert text.inert(text.inert(given_text)) == text.inert(given_text)


@given(st.text("abc <&>äß漢", max_size=80))
def test_inert_leaves_readable_text_as_it_is(given_text: str) -> None:
    assert text.inert(given_text) == given_text


@given(ANY_TEXT, st.integers(2, 40))
def test_shortened_text_is_never_longer_than_asked_and_says_that_it_is_cut(
    given_text: str, most: int
) -> None:
    short = text.shorten(given_text, most)
    assert len(short) <= most
    assert short == given_text if len(given_text) <= most else short.endswith("…")


def _stripped(markup: Markup) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


@given(st.text("ab-_ <&>'\"x9", max_size=60))
def test_keeping_names_unbroken_changes_no_character(given_text: str) -> None:
    assert _stripped(text.unbroken(given_text)) == given_text


def test_a_short_name_with_dashes_is_kept_on_one_line_and_a_very_long_one_is_not() -> None:
    assert text.unbroken("see cnn-same-s1.") == 'see <span class="name">cnn-same-s1</span>.'
    assert "<span" not in text.unbroken("-".join(["long"] * 8))


def test_durations_have_as_many_decimals_as_tell_the_shortest() -> None:
    assert text.durations([0.083, 0.114, 2.5]) == ["0.083", "0.114", "2.500"]
    assert text.durations([0.83, 11.4, nan]) == ["0.83", "11.40", "–"]
    assert text.durations([3.2, 180.0]) == ["3.2", "180.0"]
    assert text.durations([0.0001]) == ["0.000"]
    assert text.durations([]) == []


@pytest.mark.parametrize("said", ["(−0.3 to 4.3)", "(89,5 bis 94,2)", "(1.2 a 3.4)", "（−0.3 至 4.3）"])
def test_an_interval_stays_on_one_line(said: str) -> None:
    assert text.unbroken(f"so much {said} and more") == f"so much {said.replace(' ', chr(160))} and more"
    assert " " in text.unbroken("(seen 3 to 4)")


@given(ANY_TEXT)
def test_what_a_template_prints_is_made_inert_unless_it_is_markup(given_text: str) -> None:
    assert text.finalize(given_text) == text.inert(given_text)
    assert text.finalize(Markup("<b>x</b>")) == Markup("<b>x</b>")


def test_paragraphs_are_divided_at_empty_lines_and_backticks_are_code() -> None:
    made = text.paragraphs("One `Conv2D` <b>\nline.\n\n  \nTwo.")
    assert made == ["One <code>Conv2D</code> &lt;b&gt; line.", "Two."]


@given(st.floats(0.01, 2))
def test_a_fraction_in_words_is_within_three_percent_of_the_share(share: float) -> None:
    words = {"half": 1 / 2, "a third": 1 / 3, "two thirds": 2 / 3, "a quarter": 1 / 4}
    words |= {"three quarters": 3 / 4, "a fifth": 1 / 5, "a sixth": 1 / 6, "an eighth": 1 / 8}
    words |= {"a tenth": 1 / 10}
    said = text.fraction(share)
    if said in words:
        assert share == pytest.approx(words[said], rel=0.031)
    else:
        assert float(said.removesuffix(text.PERCENT)) == pytest.approx(100 * share, abs=0.501)


@given(NAMES)
def test_a_listing_names_all_or_counts_the_rest(names: list[str]) -> None:
    said = text.listing(names)
    parts = re.split(r", | and ", said)
    if len(names) <= 6:
        assert parts == names
    else:
        assert parts == [*names[:5], f"{len(names) - 5} more"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (text.percent(0.98053), "98.05"),
        (text.percent(0.98053, 1), "98.1"),
        (text.count(269322), "269,322"),
        (text.seconds(3.84), "3.8"),
        (text.seconds(1234.4), "1,234"),
        (text.number_word(0), "no"),
        (text.number_word(12), "twelve"),
        (text.number_word(13), "13"),
        (text.digits_for(4999), 1),
        (text.digits_for(5000), 2),
    ],
)
def test_numbers_are_written_with_the_digits_they_carry(said: object, expected: object) -> None:
    assert said == expected
