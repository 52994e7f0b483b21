"""The HTML in a real browser, used as a person uses it: by mouse, by keyboard, narrow, dark, without scripts.

Needs Chromium and playwright's Python package, and is skipped where one of them is absent.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reportgen.report.files import to_csv
from reportgen.report.html import build
from reportgen.results import Results
from support import behind_the_flag
from synthetic import SEVEN, document_of, example, hostile, html_of, made_up, studio

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is absent: pip install '.[test]'")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is absent: apt install chromium")

NARROW, WIDE = 320, 1280
SMALL = {"epochs": 2, "image_shape": (8, 8, 1)}
NAMES = SEVEN[:4]
LONG = tuple(f"cnn-with-a-name-of-forty-signs-{n:02d}".ljust(40, "x") for n in range(2))


@cache
def crowded() -> Results:
    classes = tuple(f"a class with a long name {n}" for n in range(12))
    return made_up(names=LONG, baseline=LONG[0], classes=classes, n_test=120, seeds=2, **SMALL)


@cache
def several() -> Results:
    return made_up(names=NAMES, accuracies=(0.7, 0.8, 0.9, 0.98), n_test=300, **SMALL)


@cache
def many_classes() -> Results:
    classes = tuple(f"class {n}" for n in range(30))
    return made_up(names=NAMES[:2], accuracies=(0.6, 0.8), classes=classes, n_test=240, **SMALL)


RUNS = [example, hostile, *behind_the_flag(several, crowded)]
any_run = pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
both_themes = pytest.mark.parametrize("theme", ["light", "dark"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


Visit = Callable[..., Any]


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Visit]:
    """Give a function that opens a report's file as a person would, and checks that it is quiet.

    The page asks for nothing but its own file, and the console stays empty unless the page is called loud.
    """
    contexts, asked, said = [], [], []

    def opened(run: Callable[[], Results], width: int = WIDE, loud: bool = False, **options: Any) -> Any:
        file = tmp_path / f"{run.__name__}.html"
        file.write_text(html_of(run), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        context.set_default_timeout(5000)
        contexts.append(context)
        page = context.new_page()
        if not loud:
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
        protocol = context.new_cdp_session(page)
        protocol.send("Network.enable")
        protocol.on("Network.requestWillBeSent", lambda sent: asked.append(sent["request"]["url"]))
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert asked, "the page itself"
    elsewhere = [url[:80] for url in asked if not url.startswith((tmp_path.as_uri(), "data:"))]
    assert not elsewhere
    assert not said


def focused(page: Any) -> Any:
    return page.locator(":focus")


# --- as it stands ---------------------------------------------------------------------------------


@pytest.mark.long(but=("hostile", "example"))
@any_run
def test_a_report_opens_without_a_request_or_a_word_in_the_console(
    visit: Visit, run: Callable[[], Results]
) -> None:
    page = visit(run)
    assert page.locator("h1").is_visible()
    assert page.locator(".themes").is_visible(), "the policy lets the script run"


def test_the_policy_lets_no_other_script_run(visit: Visit) -> None:
    page = visit(example, loud=True)
    ran = page.evaluate(
        """async () => {
            let refused = 0;
            document.addEventListener("securitypolicyviolation", () => { refused += 1; });
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.head.append(script);
            const handler = document.createElement("p");
            handler.setAttribute("onclick", "window.ran = true");
            document.body.append(handler);
            handler.click();
            await new Promise((done) => setTimeout(done, 50));
            return [Boolean(window.ran), refused];
        }"""
    )
    assert ran == [False, 2]


@pytest.mark.long(but=("example", "hostile"))
@any_run
def test_without_scripts_all_is_there(visit: Visit, run: Callable[[], Results]) -> None:
    page = visit(run, java_script_enabled=False)
    document = document_of(run)
    for kind, total in (("figure", document.figures), ("table", document.tables)):
        seen = page.locator(f"{kind}[id]:visible").evaluate_all("all => all.map((one) => one.id)")
        assert seen == [f"{kind}-{number}" for number in range(1, total + 1)]
    loaded = "images => images.every((one) => one.complete && one.naturalWidth > 0)"
    assert page.locator("main img:visible").evaluate_all(loaded)
    assert not page.locator("button:visible").count(), "nothing that would do nothing"


# Whatever is wider than the page and does not scroll by itself would push the page aside.
@pytest.mark.long(but=("example", "hostile"))
@any_run
def test_a_narrow_page_does_not_scroll_sideways(visit: Visit, run: Callable[[], Results]) -> None:
    page = visit(run, width=NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    assert not page.evaluate(
        """() => [...document.querySelectorAll("button, select, .tools a")]
            .filter((one) => !one.closest(".scroll") && one.getBoundingClientRect().right > innerWidth)
            .map((one) => one.outerHTML.slice(0, 80))"""
    )


@pytest.mark.long
def test_on_paper_a_browser_prints_what_is_printed(visit: Visit) -> None:
    page = visit(several, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for control in (".themes", ".tools", ".skip", ".filter"):
        assert not page.locator(f"{control}:visible").count(), control
    paper = "element => getComputedStyle(element).backgroundColor"
    assert page.locator("html").evaluate(paper) == "rgb(255, 255, 255)"
    assert page.locator("img:visible").first.evaluate("one => getComputedStyle(one).filter") == "none"


# --- light and dark -------------------------------------------------------------------------------

# Text is held against what lies behind it: at least 4.5 to 1, where it is large 3 to 1 (WCAG 2.2, 1.4.3).
TOO_FAINT = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return { r, g, b, a };
    };
    const linear = (part) => (part <= 10.3 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4);
    const light = ({ r, g, b }) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const behind = (element) => {
        for (let one = element; one; one = one.parentElement) {
            const colour = rgba(getComputedStyle(one).backgroundColor);
            if (colour.a === 255) return colour;
        }
        return rgba("white");
    };
    const faint = [];
    for (const element of document.querySelectorAll("body *:not(svg *)")) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!own || !element.checkVisibility({ visibilityProperty: true })) continue;
        const style = getComputedStyle(element);
        const [a, b] = [light(rgba(style.color)), light(behind(element))].sort((x, y) => y - x);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < (large ? 3 : 4.5)) faint.push([element.className || element.tagName, ratio.toFixed(2)]);
    }
    return [...new Set(faint.map(String))];
}"""


@both_themes
def test_all_text_stands_out_from_what_is_behind_it(visit: Visit, theme: str) -> None:
    page = visit(several, color_scheme=theme)
    page.evaluate(
        """() => {
            document.querySelectorAll("details").forEach((one) => { one.open = true; });
            const cells = document.querySelectorAll("td.wrong");
            cells.forEach((one, n) => one.style.setProperty("--share", (n % 11) / 10)); // of every strength
        }"""
    )
    assert page.evaluate(TOO_FAINT) == []


def paper(page: Any) -> str:
    return str(page.locator("html").evaluate("one => getComputedStyle(one).backgroundColor"))


def test_the_page_is_as_light_or_dark_as_the_system_unless_told_otherwise(visit: Visit) -> None:
    page = visit(example, color_scheme="dark")
    dark = paper(page)
    assert dark != "rgb(255, 255, 255)"
    chart = page.locator(".chart img:visible").first
    assert "invert" in chart.evaluate("one => getComputedStyle(one).filter")
    page.get_by_role("button", name="light").click()
    assert paper(page) == "rgb(255, 255, 255)"
    assert chart.evaluate("one => getComputedStyle(one).filter") == "none"
    page.get_by_role("button", name="auto").click()
    assert paper(page) == dark
    page.emulate_media(color_scheme="light")
    assert paper(page) == "rgb(255, 255, 255)"


def test_a_theme_is_remembered(visit: Visit) -> None:
    page = visit(example, color_scheme="light")
    page.get_by_role("button", name="dark").press("Enter")
    dark = paper(page)
    assert dark != "rgb(255, 255, 255)"
    page.reload()
    assert paper(page) == dark
    assert page.get_by_role("button", name="dark").get_attribute("aria-pressed") == "true"
    assert page.get_by_role("button", name="auto").get_attribute("aria-pressed") == "false"


def test_a_browser_that_keeps_nothing_still_changes_its_theme(visit: Visit) -> None:
    page = visit(example)
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no') } })"
    )
    page.reload()
    page.get_by_role("button", name="dark").click()
    assert paper(page) != "rgb(255, 255, 255)"


# --- tables ---------------------------------------------------------------------------------------


def column(table: Any, number: int) -> list[str]:
    cells = table.locator(f"tbody tr > :nth-child({number})").all_inner_texts()
    return [cell.split()[0] if cell.split() else "" for cell in cells]


def test_a_table_sorts_up_and_down_and_back(visit: Visit) -> None:
    page = visit(several)
    table = page.locator("table.leaderboard")
    before = column(table, 1)
    head = table.get_by_role("columnheader", name="Parameters")
    orders = []
    for _ in range(3):
        head.get_by_role("button").click()
        orders.append((head.get_attribute("aria-sort"), [int(n.replace(",", "")) for n in column(table, 2)]))
    assert [order for order, _ in orders] == ["ascending", "descending", None]
    assert orders[0][1] == sorted(orders[0][1])
    assert orders[1][1] == sorted(orders[0][1], reverse=True)
    assert column(table, 1) == before


def test_a_table_sorts_by_keyboard_and_by_one_column_at_a_time(visit: Visit) -> None:
    page = visit(several)
    table = page.locator("table.leaderboard")
    table.get_by_role("button", name="Variant").focus()
    page.keyboard.press("Enter")
    assert column(table, 1) == sorted(NAMES)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert table.locator("[aria-sort]").count() == 1
    assert focused(page).inner_text() == "Parameters"


def test_what_has_no_value_stays_last_and_equals_keep_their_order(visit: Visit) -> None:
    page = visit(example)
    table = page.locator("table.leaderboard")
    for _ in range(2):
        table.get_by_role("button", name="Loss").click()
        assert column(table, 1)[-1] == "cnn-broken"
    made = """() => {
        const values = { a: "−1.5 (−2 to −1)", b: "1,234", c: "–", d: "7 %", e: "", f: "7" };
        const row = (kind, ...texts) => make("tr", {}, ...texts.map((text) => make(kind, {}, text)));
        const body = make("tbody", {}, ...Object.entries(values).map((texts) => row("td", ...texts)));
        const table = make("table", {}, make("thead", {}, row("th", "name", "value")), body);
        document.body.append(table);
        makeSortable(table);
        return [1, 2, 3].map(() => {
            table.querySelectorAll("button")[1].click();
            return [...body.rows].map((row) => row.cells[0].textContent).join("");
        });
    }"""
    assert page.evaluate(made) == ["adfbce", "bdface", "abcdef"]


# --- confusion cells ------------------------------------------------------------------------------


def cell_with_images(page: Any) -> Any:
    """Give the first cell of a matrix that has images."""
    return page.locator(".confusion-table td > a").first


def pictures(place: Any) -> list[str]:
    return [one.get_attribute("alt") for one in place.locator("img").all()]


def test_a_cell_shows_its_images_beside_the_matrix(visit: Visit) -> None:
    page = visit(several)
    cell = cell_with_images(page)
    section = page.locator(f"[id='{cell.get_attribute('href')[1:]}']")
    cell.click()
    panel = page.locator(".panel")
    assert panel.is_visible()
    assert pictures(panel) == pictures(section)
    assert len(pictures(panel)) == int(cell.inner_text())
    assert panel.locator("img").first.evaluate("image => image.complete && image.naturalWidth > 0")
    variant = cell.evaluate("cell => cell.closest('table').dataset.variant")
    title = panel.get_by_role("heading").inner_text()
    assert f"taken for {section.get_attribute('data-pred')} by {variant}: " in title
    figure = cell.locator("xpath=ancestor::figure")
    assert figure.locator(".panel").count() == 1
    panel.get_by_role("button", name="Close").click()
    assert not panel.count()


def test_a_cell_opens_and_closes_by_keyboard_and_the_focus_comes_back(visit: Visit) -> None:
    page = visit(several)
    cell = cell_with_images(page)
    for key in ("Enter", "Space"):
        cell.focus()
        page.keyboard.press(key)
        assert cell.get_attribute("aria-expanded") == "true"
        assert focused(page).evaluate("one => Boolean(one.closest('.panel'))")
        page.keyboard.press("Escape")
        assert not page.locator(".panel").count()
        assert cell.evaluate("one => one === document.activeElement")
        assert cell.get_attribute("aria-expanded") == "false"


def test_arrow_keys_go_from_cell_to_cell_of_a_matrix_that_is_one_stop_of_the_tab_key(visit: Visit) -> None:
    page = visit(several)
    table = page.locator(".confusion-table").first
    assert table.locator("a[tabindex='0']").count() == 1
    place = "one => [one.closest('tr').rowIndex, one.closest('td').cellIndex]"
    links = table.locator("td > a")
    places = [tuple(one.evaluate(place)) for one in links.all()]
    row, column = next(one for one in places if sum(other[0] == one[0] for other in places) > 1)
    links.nth(places.index((row, column))).focus()
    page.keyboard.press("ArrowRight")
    here = focused(page).evaluate(place)
    assert here == [row, min(c for r, c in places if r == row and c > column)]
    page.keyboard.press("ArrowLeft")
    assert focused(page).evaluate(place) == [row, column]
    assert table.locator("a[tabindex='0']").count() == 1
    page.keyboard.press("Tab")
    assert not focused(page).evaluate("(one, table) => table.contains(one)", table.element_handle())


def test_one_cell_is_open_at_a_time_and_a_second_press_closes_it(visit: Visit) -> None:
    page = visit(several)
    cells = page.locator(".confusion-table td > a")
    cells.nth(0).click()
    cells.nth(1).click()
    assert page.locator(".panel").count() == 1
    assert page.locator("[aria-expanded='true']").count() == 1
    cells.nth(1).click()
    assert not page.locator(".panel").count()


def test_without_scripts_a_cell_leads_to_its_images(visit: Visit) -> None:
    page = visit(several, java_script_enabled=False)
    cell = cell_with_images(page)
    section = page.locator(f"[id='{cell.get_attribute('href')[1:]}']")
    assert not section.is_visible()
    cell.click()
    assert section.is_visible(), "the browser opens the block around it"
    assert len(pictures(section)) == int(cell.inner_text())


@pytest.mark.long
def test_a_pair_of_many_classes_shows_its_images_too(visit: Visit) -> None:
    page = visit(many_classes)
    assert not page.locator(".confusion-table").count()
    pair = page.locator(".worst-pairs td > a").first
    pair.press("Enter")
    panel = page.locator(".panel")
    assert pictures(panel)
    words = pair.locator("xpath=ancestor::tr").locator("th, td").all_inner_texts()
    assert f"{words[0]} taken for {words[1]} by {NAMES[0]}" in panel.get_by_role("heading").inner_text()
    page.keyboard.press("Escape")
    assert pair.evaluate("one => one === document.activeElement")


# --- the filter -----------------------------------------------------------------------------------

TILES = "#galleries .tile"


def shown_tiles(page: Any) -> list[dict[str, str]]:
    return page.locator(TILES).evaluate_all(  # type: ignore[no-any-return]
        "tiles => tiles.filter((tile) => tile.checkVisibility()).map((tile) => ({ ...tile.dataset }))"
    )


def test_the_galleries_filter_by_network_and_class(visit: Visit) -> None:
    page = visit(several)
    asked = page.locator(TILES).last.evaluate("tile => ({ ...tile.dataset })")
    every = page.locator(TILES).evaluate_all("tiles => tiles.map((tile) => ({ ...tile.dataset }))")
    wanted = {"variant": asked["variant"], "true": asked["true"], "pred": asked["pred"]}
    labels = {"variant": "Network", "true": "True class", "pred": "Predicted class"}
    said = page.locator(".filter output")
    for kind, label in labels.items():
        page.get_by_label(label, exact=True).select_option(wanted[kind])
        chosen = {name: wanted[name] for name in list(labels)[: list(labels).index(kind) + 1]}
        matching = [one for one in every if all(one[name] == value for name, value in chosen.items())]
        assert shown_tiles(page) == matching
        different = {(one["variant"], one["index"]) for one in matching}
        assert said.inner_text().startswith(f"{len(different)} of ")
    titles = page.locator("#galleries :is(h3, h4, .panel-title, figcaption):visible").count()
    assert 0 < titles < 12, "what is empty is out of the way"
    page.get_by_role("button", name="Show all").click()
    assert said.inner_text().endswith(" images")
    assert not page.locator("#galleries [hidden]").count()
    assert not page.locator("details[open]").count(), "blocks that the filter opened are closed"


def test_a_filter_without_a_match_says_so(visit: Visit) -> None:
    page = visit(example)
    page.get_by_label("True class", exact=True).select_option("0")
    page.get_by_label("Predicted class", exact=True).select_option("0")
    page.get_by_label("Network", exact=True).select_option("cnn-same-s1")
    left = shown_tiles(page)
    assert all((one["true"], one["pred"]) == ("0", "0") for one in left)
    assert page.get_by_role("status").inner_text().startswith(f"{len({one['index'] for one in left})} of ")


def test_a_cell_shows_its_images_whatever_is_filtered(visit: Visit) -> None:
    page = visit(several)
    cell = cell_with_images(page)
    page.get_by_label("Network", exact=True).select_option(NAMES[-1])
    cell.click()
    panel = page.locator(".panel")
    assert panel.locator("img:visible").count() == panel.locator("img").count() > 0


# --- captions -------------------------------------------------------------------------------------


def test_the_link_of_a_caption_leads_to_it(visit: Visit) -> None:
    page = visit(example)
    for name, anchor in (("Figure 2", "figure-2"), ("Table 1", "table-1")):
        page.get_by_role("link", name=f"Link to {name}", exact=True).focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**#{anchor}")
        assert page.locator(":target").get_attribute("id") == anchor


def test_the_link_of_a_caption_is_seen_once_it_is_reached(visit: Visit) -> None:
    page = visit(example)
    link = page.get_by_role("link", name="Link to Table 1", exact=True)
    opacity = "one => getComputedStyle(one).opacity"
    assert link.evaluate(opacity) == "0"
    page.locator("table.leaderboard").hover()
    assert link.evaluate(opacity) == "1"
    page.mouse.move(0, 0)
    assert link.evaluate(opacity) == "0"
    link.focus()
    assert link.evaluate(opacity) == "1"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_what_a_chart_shows_can_be_saved(visit: Visit, scripts: bool) -> None:
    page = visit(example, java_script_enabled=scripts)
    figure = next(one for one in _charts(example()) if one.data is not None)
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Figure {figure.number} as CSV", exact=True).click()
    assert download.value.suggested_filename == figure.file.name
    assert Path(download.value.path()).read_text(encoding="utf-8") == to_csv(figure.data)


def _charts(results: Results) -> list[Any]:
    bodies = [section.body for section in build(results, studio()).sections]
    return [figure for body in bodies for figure in getattr(body, "figures", ())]


def test_the_data_of_every_chart_is_there(visit: Visit) -> None:
    page = visit(several)
    charts = page.locator("figure.chart").count()
    assert page.locator("figure.chart figcaption a[download]").count() == charts
