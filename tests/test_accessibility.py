"""The HTML for all: axe-core in a real browser, by keyboard, narrow, still, and on paper.

Needs Chromium, playwright's Python package and axe-playwright-python, which has axe-core inside it; skipped
where one of them is absent. Colours of charts, and of text on anything but one colour, axe leaves to others:
see test_colours.py and test_browser.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from reportgen.results import Results
from support import behind_the_flag
from synthetic import document_of, edition_html, example, hostile, html_of, prose

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is absent: pip install '.[test]'")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = find_spec("axe_playwright_python")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is absent: apt install chromium"),
    pytest.mark.skipif(AXE is None, reason="axe-core is absent: pip install '.[test]'"),
]
NARROW, WIDE = 320, 1280
both = pytest.mark.parametrize("run", [example, *behind_the_flag(hostile)], ids=lambda run: run.__name__)


@cache
def axe() -> str:
    assert AXE is not None
    return (Path(str(AXE.origin)).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


Visit = Callable[..., Any]


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Visit]:
    contexts = []

    def opened(run: Callable[[], Results], width: int = WIDE, edition: str = "report", **options: Any) -> Any:
        file = tmp_path / f"{run.__name__}.html"
        text = html_of(run) if edition == "report" else edition_html(run, edition)
        file.write_text(text, encoding="utf-8")
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, **options))
        page = contexts[-1].new_page()
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


# All rules: WCAG 2.0 and 2.1, A and AA, and what axe calls best practice.
@pytest.mark.long(but=("example",))
@both
def test_axe_finds_no_violation_in_either_theme_wide_or_narrow(
    visit: Visit, run: Callable[[], Results]
) -> None:
    page = visit(run)
    page.locator("details").evaluate_all("all => all.slice(0, 3).forEach((one) => { one.open = true; })")
    assert_no_violation(page)


@pytest.mark.long
@pytest.mark.parametrize("edition", ["handout", "instructor"])
def test_axe_finds_no_violation_in_another_edition(visit: Visit, edition: str) -> None:
    assert_no_violation(visit(example, edition=edition))


def test_brackets_of_rounding_are_as_high_as_what_they_hold(visit: Visit) -> None:
    page = visit(example, edition="handout")
    heights = page.locator("math .rounding").evaluate_all(
        """all => all.map((one) => [...one.children].map((part) => part.getBoundingClientRect().height))"""
    )
    assert len(heights) > 2
    for opening, inside, closing in heights:
        assert min(opening, closing) >= inside > 20, "without the shipped type they stay as high as a letter"


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_no_formula_leaves_its_line(visit: Visit, width: int) -> None:
    page = visit(example, width, "instructor")
    out = """all => all.filter((one) => one.getBoundingClientRect().right
        > one.closest('.formula').getBoundingClientRect().right + 1).map((one) => one.outerHTML)"""
    assert page.locator("math").count() > 20
    assert page.locator("math").evaluate_all(out) == []


@pytest.mark.long
@pytest.mark.parametrize("edition", ["report", "instructor"])
def test_axe_finds_no_violation_in_a_lab_s_own_words(visit: Visit, edition: str) -> None:
    assert_no_violation(visit(prose, edition=edition))


def assert_no_violation(page: Any) -> None:
    page.evaluate(axe())
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for width in (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": 800})
            found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            assert found["passes"], "it looked"
            assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found["violations"]] == [], theme


def test_the_skip_link_is_the_first_stop_and_leads_past_the_title(visit: Visit) -> None:
    page = visit(example)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the results"
    assert page.locator(":focus").bounding_box()["x"] >= 0, "seen"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator("#summary :focus").count() == 1


def test_every_part_of_the_page_is_in_a_landmark_with_a_name(visit: Visit) -> None:
    page = visit(example)
    tree = page.locator("body").aria_snapshot()
    for landmark in ("- banner:", "- main:", '- complementary "Notes"', '- navigation "Contents"'):
        assert landmark in tree
    for section in document_of(example).sections:
        assert f'- region "{section.number} {section.title}"' in tree


def until(page: Any, done: Callable[[], bool]) -> None:
    for _ in range(50):
        if done():
            return
        page.wait_for_timeout(50)
    pytest.fail("it did not come")


def test_what_scrolls_sideways_is_reached_by_the_keyboard_and_only_there(visit: Visit) -> None:
    page = visit(example, width=NARROW)
    stops = ".scroll[tabindex='0']:not(.data .scroll)"  # a table of data may scroll at any width
    named = page.locator(stops).evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    assert named
    assert all(name.startswith(("Figure ", "Data of Figure ")) for name in named), named
    first = page.locator(stops).first
    first.focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: first.evaluate("one => one.scrollLeft > 0"))
    page.set_viewport_size({"width": WIDE, "height": 800})
    until(page, lambda: not page.locator(stops).count())


def test_nothing_moves(visit: Visit) -> None:
    page = visit(example, reduced_motion="reduce")
    assert page.evaluate("document.getAnimations().length") == 0
    moving = """() => [...document.querySelectorAll("*")].filter((one) => {
        const style = getComputedStyle(one);
        return parseFloat(style.transitionDuration) > 0 || style.animationName !== "none";
    }).length"""
    assert page.evaluate(moving) == 0


@both
def test_a_browser_prints_the_words_that_the_pdf_has(visit: Visit, run: Callable[[], Results]) -> None:
    page = visit(run)
    page.emulate_media(media="print")
    seen = """kind => [...document.querySelectorAll(kind)]
        .filter((one) => one.checkVisibility()).map((one) => one.id)"""
    document = document_of(run)
    for kind, total in (("figure", document.figures), ("table", document.tables)):
        assert page.evaluate(seen, kind) == [f"{kind}-{number}" for number in range(1, total + 1)]
    for screen in (".on-screen", "button:not(.sort)", "select", ".tools", "details", ".skip"):
        assert not page.locator(f"{screen}:visible").count(), screen
    assert page.locator("figure.chart img:visible").count() == page.locator("figure.chart").count()
