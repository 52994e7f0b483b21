"""Reports that fit a size: what goes first, what never goes, and sizes in words."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.analysis.frames import analyse
from reportgen.documents import render
from reportgen.errors import SizeError
from reportgen.report.fitting import Fitted, extents, fit
from reportgen.report.formats import Made, Source
from reportgen.report.tiles import Extent
from reportgen.results import Results, load_results, save
from reportgen.text import enough_size, exact_size, read_size
from support import command_line
from synthetic import made_up, studio

# --- sizes in words ------------------------------------------------------------------------------


@given(st.integers(1, 10**13))
def test_a_size_that_is_written_is_read_as_the_same_number(n: int) -> None:
    assert read_size(exact_size(n)) == n
    assert 0 <= read_size(enough_size(n)) - n < 1000


UNITS = {"": 1, "B": 1, "kB": 1000, "MB": 10**6, "GB": 10**9, "KiB": 1024, "MiB": 2**20, "GiB": 2**30}


@given(st.integers(1, 9999), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]), st.booleans())
def test_units_are_read_in_any_case_with_or_without_a_space(n: int, unit: str, gap: str, lower: bool) -> None:
    text = f"{n}{gap}{unit}"
    assert read_size(text.lower() if lower else text) == n * UNITS[unit]


def test_a_size_may_have_decimals() -> None:
    assert read_size("1.5MB") == 1_500_000
    assert read_size("0.1 kB") == 100


@pytest.mark.parametrize(
    "text", ["", "MB", "0", "0.4B", "-1MB", "10 apples", "1e6", "10MB 2", "٣MB", "nan", "1_0"]
)
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="expected a size such as 10MB or 800kB"):
        read_size(text)


# --- what a small report shows -------------------------------------------------------------------


def run() -> Results:
    options = {"epochs": 1, "image_shape": (16, 16, 1), "n_test": 200}
    return made_up(names=("mlp", "cnn"), accuracies=(0.4, 0.5), **options)


def test_all_mistakes_go_first_and_then_tiles_and_nothing_comes_back() -> None:
    steps = list(extents(1000))
    assert steps[0] == Extent(limit=1000)
    assert (steps[-1].tiles, steps[-1].mistakes) == (0, 0)
    for before, after in pairwise(steps):
        assert after.mistakes <= before.mistakes
        assert after.tiles <= before.tiles
        assert after.tiles == before.tiles or before.mistakes == 0
        assert after != before


def page_of(fitted: Fitted) -> str:
    made = fitted.made["html"]
    assert isinstance(made, Made)
    return made.content.decode()


def parts(page: str) -> dict[str, int]:
    """Count what must never go, and the tiles in cells and elsewhere."""
    galleries, _, cells = page.partition('<div class="all-mistakes')
    kinds = {"charts": "image/svg+xml", "tables": "<table", "rows": "<tr>", "galleries": 'class="tile"'}
    return {name: galleries.count(mark) for name, mark in kinds.items()} | {
        "cells": cells.count('class="tile"')
    }


@pytest.mark.long
def test_a_smaller_report_has_all_tables_and_charts_and_says_what_it_leaves_out() -> None:
    results = run()
    analysis = analyse(results)

    def small(limit: int) -> Fitted:
        return fit(limit, Source(results, analysis, studio()), ("html",))

    seen = []
    whole = small(10**8)
    assert whole.left_out == ""
    size = len(page_of(whole).encode())
    for limit in (size, size - 1, size - 30_000, size - 120_000):
        made = small(limit)
        page = page_of(made)
        assert len(page.encode()) <= limit
        assert bool(made.left_out) == (limit < size)
        assert made.left_out in page
        seen.append(parts(page))
    for name in ("charts", "tables", "rows"):
        assert len({one[name] for one in seen}) == 1
    tiles = [(one["cells"], one["galleries"]) for one in seen]
    assert tiles == sorted(tiles, reverse=True)
    assert all(cells == 0 or galleries == tiles[0][1] for cells, galleries in tiles)
    assert tiles[0][0] == 220
    assert tiles[-1][0] < 100


@pytest.mark.long
def test_a_size_that_cannot_be_names_the_one_that_can() -> None:
    results = run()
    analysis = analyse(results)

    def small(limit: int) -> str:
        return page_of(fit(limit, Source(results, analysis, studio()), ("html",)))

    with pytest.raises(SizeError, match="20kB is too small for this report") as caught:
        small(20_000)
    needed = re.search(r"give (\w+) or more", str(caught.value))
    assert needed
    made = small(read_size(needed[1]))
    assert 'class="tile"' not in made
    assert "no galleries" in made
    with pytest.raises(SizeError):
        small(read_size(needed[1]) - 1500)


@pytest.mark.long
def test_both_documents_of_a_run_fit_the_size_that_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    save(run(), folder)
    said: list[str] = []
    documents, problems = render(load_results(folder), ("html", "pdf"), 0, said.append)
    assert (said, problems) == ([], [])
    whole = documents["html"].stat().st_size
    documents, _ = render(load_results(folder), ("html", "pdf"), whole - 30_000, said.append)
    assert all(path.stat().st_size <= whole - 30_000 for path in documents.values())
    assert len(said) == 1
    assert "mistakes of all networks cell by cell" in said[0]
    assert said[0] in documents["html"].read_text(encoding="utf-8")
    ran = command_line("render", "run", "--max-size", "30kB", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, [])
    assert re.fullmatch(r"reportgen: --max-size: 30kB is too small .*; give \d+kB or more", ran.err[-1])
    assert documents["html"].stat().st_size > 30_000, "what was there stays"
    ran = command_line("render", "run", "--max-size", "much", cwd=tmp_path)
    assert ran.code == 2
    assert "--max-size: 'much', expected a size such as 10MB" in ran.err[-1]
