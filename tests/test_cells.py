"""The tiles of the HTML: each says what it is, and each count leads to the images that it counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from xml.etree.ElementTree import Element

import pytest
import tinyhtml5

from reportgen.report.html import build, to_html
from reportgen.report.pdf import printed
from reportgen.report.tiles import ALL, Extent, sureness
from reportgen.results import Results, gallery_indices
from support import behind_the_flag
from synthetic import COLOUR_CLASSES, example, hostile, html_of, made_up, studio

SMALL = {"n_test": 300, "epochs": 1, "image_shape": (8, 8, 1)}


@cache
def several() -> Results:
    return made_up(names=("mlp", "cnn.a-1", "cnn"), accuracies=(0.7, 0.8, 0.9), seeds=2, **SMALL)


@cache
def many_classes() -> Results:
    classes = [f"kind {n}" for n in range(30)]
    return made_up(names=("mlp", "cnn"), accuracies=(0.3, 0.6), classes=classes, **SMALL)


@cache
def two_classes() -> Results:
    return made_up(names=("mlp", "cnn"), accuracies=(0.0, 1.0), classes=("cat", "dog"), **SMALL)


@cache
def one_class() -> Results:
    return made_up(names=("mlp", "cnn"), classes=("all",), accuracies=(1.0, 1.0), **SMALL)


@cache
def no_baseline() -> Results:
    return made_up(names=("mlp", "cnn"), baseline=None, classes=COLOUR_CLASSES, **SMALL)


runs = [example, hostile, many_classes, *behind_the_flag(several, two_classes, one_class, no_baseline)]
any_run = pytest.mark.parametrize("run", runs, ids=lambda run: run.__name__)


def parse(page: str) -> Element:
    parser = tinyhtml5.parser.HTMLParser(namespace_html_elements=False)
    root: Element = parser.parse(re.sub("<!-- /?screen -->", "", page))
    assert not parser.errors, parser.errors[:5]
    return root


def of_class(root: Element, name: str) -> list[Element]:
    return [one for one in root.iter() if name in str(one.get("class", "")).split()]


def text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def shown(run: Results) -> dict[tuple[str, int], tuple[int, int, float]]:
    """Give what each network said of each image: true class, prediction, probability."""
    rows = run.predictions[run.predictions["seed"] == 1]
    keys = zip(rows["variant"], rows["index"], strict=True)
    said = zip(rows["label"], rows["predicted"], rows["confidence"], strict=True)
    return dict(zip(keys, said, strict=True))


@pytest.mark.long(but=("many_classes", "example"))
@any_run
def test_every_tile_says_what_the_network_said(run: Callable[[], Results]) -> None:
    said = shown(run())
    for tile in of_class(parse(html_of(run)), "tile"):
        data = {
            name: str(tile.get(f"data-{name}")) for name in ("variant", "true", "pred", "index", "confidence")
        }
        index = int(data["index"])
        image = tile.find("img")
        assert image is not None
        assert str(image.get("alt")).startswith(f"Test image {index}, true class ")
        assert f"#{index}" in text(tile)
        if data["variant"] == ALL:
            assert all(
                said[name, index][1] != int(data["true"])
                for name in set(run().variants) & {n for n, _ in said}
            )
            continue
        label, predicted, confidence = said[data["variant"], index]
        assert (int(data["true"]), int(data["pred"])) == (label, predicted)
        assert float(data["confidence"]) == pytest.approx(confidence, abs=1e-4)


@pytest.mark.long(but=("many_classes",))
@any_run
def test_every_count_of_mistakes_leads_to_as_many_images(run: Callable[[], Results]) -> None:
    root = parse(html_of(run))
    cells = {str(cell.get("id")): cell for cell in of_class(root, "cell")}
    confusion = run().confusion
    wrong = confusion[(confusion["seed"] == 1) & (confusion["label"] != confusion["predicted"])]
    wrong = wrong[wrong["count"] > 0]
    counts = {
        f"cell-{row.variant}-{row.label}-{row.predicted}": row.count for row in wrong.itertuples(name="R")
    }
    counts = {
        f"cell-{v}-{t}-{p}": n
        for v, t, p, n in wrong[["variant", "label", "predicted", "count"]].itertuples(index=False)
    }
    assert {name: len(of_class(cell, "tile")) for name, cell in cells.items()} == counts
    links = [
        (str(one.get("href"))[1:], text(one))
        for table in of_class(root, "confusion-table")
        for one in table.iter("a")
    ]
    if of_class(root, "confusion-table"):
        assert dict(links) == {name: str(n) for name, n in counts.items()}
        assert len(links) == len(counts)
    for name, cell in cells.items():
        for tile in of_class(cell, "tile"):
            assert name == f"cell-{tile.get('data-variant')}-{tile.get('data-true')}-{tile.get('data-pred')}"


@pytest.mark.long(but=("many_classes",))
@any_run
def test_nothing_stands_twice_in_one_gallery_or_cell(run: Callable[[], Results]) -> None:
    for one in of_class(parse(html_of(run)), "tiles"):
        indices = [tile.get("data-index") for tile in one]
        assert len(set(indices)) == len(indices)


@any_run
def test_what_is_for_the_screen_is_not_printed(run: Callable[[], Results]) -> None:
    page = printed(html_of(run))
    root = parse(page)
    assert not of_class(root, "on-screen")
    assert not of_class(root, "confusion-table")
    assert not of_class(root, "cell")
    assert "<details" not in page
    assert "<!-- screen" not in page


def test_a_choice_of_mistakes_says_of_how_many_it_is() -> None:
    run = several()
    root = parse(to_html(build(run, studio(), extent=Extent(mistakes=20_000))))
    blocks = of_class(root, "mistakes")
    assert len(blocks) == 3
    total = {"mlp": 90, "cnn.a-1": 60, "cnn": 30}
    tiles = {str(one.get("data-variant")): len(of_class(one, "tile")) for one in blocks}
    assert max(tiles.values()) - min(tiles.values()) <= 1, "no network is shown at another's cost"
    for block in blocks:
        name = str(block.get("data-variant"))
        assert text(block[0]) == f"{tiles[name]} of the {total[name]} mistakes of {name}"
    for cell in of_class(root, "cell"):
        here = len(of_class(cell, "tile"))
        of = re.search(r": (?:(\d+) of )?(\d+) images?(?: shown)?$", text(cell[0]))
        assert of
        assert int(of[1] or of[2]) == here
    targets = {cell.get("id") for cell in of_class(root, "cell")}
    for table in of_class(root, "confusion-table"):
        linked = [cell for cell in of_class(table, "wrong") if cell.find("a") is not None]
        assert {str(cell[0].get("href"))[1:] for cell in linked} <= targets
        assert len(linked) < len(of_class(table, "wrong"))


def test_a_run_that_kept_fewer_images_shows_those_and_says_so() -> None:
    run = several()
    least = {index: run.images[index] for index in gallery_indices(run.predictions)}
    root = parse(to_html(build(replace(run, images=least), studio())))
    said = [text(one) for one in of_class(root, "none")]
    assert any(one.startswith("This run kept no picture of ") for one in said)
    assert {int(str(tile.get("data-index"))) for tile in of_class(root, "tile")} <= set(least)


def test_many_classes_have_their_worst_pairs_in_the_place_of_a_matrix() -> None:
    root = parse(html_of(many_classes))
    assert not of_class(root, "confusion-table")
    tables = of_class(root, "worst-pairs")
    assert [str(one.get("data-variant")) for one in tables] == ["mlp", "cnn"]
    for table in tables:
        rows = [[text(cell) for cell in row] for row in table.iter("tr")][1:]
        assert len(rows) == 20
        counts = [int(row[2].replace(",", "")) for row in rows]
        assert counts == sorted(counts, reverse=True)
    confusion = many_classes().confusion
    both = {
        name: rows.set_index(["label", "predicted"])["count"] for name, rows in confusion.groupby("variant")
    }
    for row in tables[1].iter("tr"):
        cells = [text(cell) for cell in row]
        if cells[0].startswith("kind "):
            pair = int(cells[0][5:]), int(cells[1][5:])
            change = int(cells[4].replace("−", "-").replace("+", ""))
            assert change == both["cnn"][pair] - both["mlp"][pair]


def test_where_no_network_is_wrong_or_all_are_nothing_is_missing() -> None:
    page = html_of(one_class)
    assert "gets no image of the test set wrong." in page
    assert 'class="cell"' not in page
    assert "What no network gets right" not in page
    page = html_of(two_classes)
    assert "gets no image of the test set right." in page
    galleries = [one for one in of_class(parse(page), "gallery") if "Surest" in text(one)]
    pairs = Counter((t.get("data-true"), t.get("data-pred")) for t in of_class(galleries[0], "tile"))
    assert sorted(pairs.values()) == [4, 5], "with two pairs, each has its half"


def test_without_a_baseline_the_report_says_what_it_cannot_compare() -> None:
    text_of_page = text(parse(html_of(no_baseline)))
    assert "Difference to the baseline: not applicable, because the lab names no baseline." in text_of_page
    assert "Where networks disagree with the baseline: not applicable" in text_of_page


def test_a_probability_below_one_is_never_written_as_100() -> None:
    assert [sureness(one) for one in (0.0, 0.5, 0.994, 0.996, 0.99999, 1.0)] == [
        f"{one}\N{NO-BREAK SPACE}%" for one in ("0", "50", "99", "99.6", "99.9", "100")
    ]
