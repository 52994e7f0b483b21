"""Measure how long all editions take to be drawn, and how that grows with the number of variants.

    .venv/bin/python benchmarks/editions.py [--repeat 3] [--seeds 1] [--json editions.json]

Prints a Markdown table. Each size is made up, 10,000 test images and the frames of as many trainings, and
saved; the seconds are those of `reportgen render`, its start included: report, handout and instructor's
edition, HTML and PDF of each, with no chart drawn before. Beside them stands the import of the libraries that
draw. The built-in lab has 7 variants; 15 and 30 are those of one sweep, whose growth is what is compared.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from made_up import dataset_of, lab_of, made_up
from main_job import libraries
from measuring import REPORTGEN, Cost, median, say
from table import Row, markdown, quantity

from reportgen.analysis.galleries import images_to_keep
from reportgen.report.copies import NAMES
from reportgen.results import save, with_images

LAB, FEWER, MORE = 7, 15, 30
SECONDS = 25.0  # for the built-in lab, at most, on two cores that do nothing else
SUPERLINEAR = 1.05  # of the ratio of the sizes: measured seconds vary by some hundredths
DOCUMENTS = [f"{name}.{kind}" for name in NAMES for kind in ("html", "pdf")]


def main() -> None:
    """Measure all sizes and print them."""
    parser = argparse.ArgumentParser(description="Measure the drawing of all editions of made-up runs.")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        bare = libraries(Path(temporary), options.repeat)
        costs = {
            variants: _drawn(Path(temporary) / str(variants), variants, options)
            for variants in (LAB, FEWER, MORE)
        }
    rows = [*(_size(variants, cost, bare) for variants, cost in costs.items()), *_growth(costs)]
    print(markdown(rows))
    if options.json:
        options.json.write_text(json.dumps([row.record() for row in rows], indent=1) + "\n")


def _drawn(folder: Path, variants: int, options: argparse.Namespace) -> Cost:
    """Draw a run that stands beside no store: what was drawn before is not kept."""
    say(f"{variants} variants")
    folder.mkdir()
    results = made_up(lab_of(variants, options.seeds))
    save(with_images(results, dataset_of().x_test, images_to_keep(results)), folder)
    command = [*REPORTGEN, "render", str(folder), "--edition", ",".join(NAMES), "--format", "html,pdf"]
    cost = median(command, folder, options.repeat)
    assert all((folder / name).stat().st_size for name in DOCUMENTS)
    return cost


def _size(variants: int, cost: Cost, bare: Cost) -> Row:
    beside = (
        f"{cost.wall / bare.wall:.1f} × the import of the drawing libraries; CPU {quantity(cost.cpu, 's')}; "
        f"the largest process {quantity(cost.megabytes, 'MB')}"
    )
    limit = SECONDS if variants == LAB else None
    return Row(f"all editions of {variants} variants, HTML and PDF", cost.wall, "s", beside, limit)


def _growth(costs: Mapping[int, Cost]) -> Iterator[Row]:
    few, many = costs[FEWER], costs[MORE]
    added = (many.wall - few.wall) / (MORE - FEWER)
    cpu = (many.cpu - few.cpu) / (MORE - FEWER)
    yield Row(f"one more variant, from {FEWER} to {MORE}", added, "s", f"CPU {quantity(cpu, 's')}")
    ratio, sizes = many.wall / few.wall, MORE / FEWER
    beside = f"{sizes:.2f} variants to one; CPU {many.cpu / few.cpu:.2f}"
    yield Row(f"seconds of {MORE} / {FEWER} variants", ratio, "ratio", beside, SUPERLINEAR * sizes)


if __name__ == "__main__":
    main()
