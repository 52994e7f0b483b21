"""Measure the main job: the command's start, the whole run, and rendering alone.

    .venv/bin/python benchmarks/main_job.py [--data mnist.npz] [--epochs 5] [--repeat 3]

Each figure stands beside a limit and, as machines differ, beside its ratio to something named that is
measured in the same run: the start of a bare Python, or the import of the libraries that draw. Seconds of CPU
and peak memory are the operating system's account of the finished process, its children included.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from measuring import REPORTGEN, Cost, measure, median

DRAWING_LIBRARIES = "import pandas, plotnine, weasyprint, statsmodels.stats.proportion"


def row(name: str, value: str, limit: str, reference: str) -> None:
    """Print one line of the table."""
    print(f"{name:38} {value:>12} {limit:>12}   {reference}", flush=True)


def libraries(folder: Path, repeat: int) -> Cost:
    """Measure the import of the libraries that draw."""
    return median([sys.executable, "-c", DRAWING_LIBRARIES], folder, repeat)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the main job.")
    parser.add_argument("--data", type=Path, help="mnist.npz; without it, the digits inside scikit-learn")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    chosen = ["--data", str(options.data.resolve())] if options.data else ["--dataset", "digits"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        row("", "measured", "limit", "beside")
        bare = median([sys.executable, "-c", "pass"], folder, 9)
        start = median([*REPORTGEN, "--help"], folder, 9)
        ratio = f"{start.cpu / bare.cpu:.1f} x a bare Python"
        row("reportgen --help, CPU", f"{start.cpu:.3f} s", "0.3 s", ratio)

        whole = measure([*REPORTGEN, "run", *chosen, "--epochs", str(options.epochs), "--quiet"], folder)
        row("whole run, wall", f"{whole.wall:.1f} s", "", "")
        row("whole run, peak memory", f"{whole.megabytes:.0f} MB", "3000 MB", "")

        run = Path(whole.printed.splitlines()[-1]).parent
        drawing = libraries(folder, options.repeat)
        render = median([*REPORTGEN, "render", str(run)], folder, options.repeat)
        ratio = f"{render.wall / drawing.wall:.1f} x the import of the drawing libraries"
        row("render, 7 variants, HTML and PDF, wall", f"{render.wall:.1f} s", "12 s", ratio)
        for name in ("report.html", "report.pdf"):
            row(name, f"{(folder / run / name).stat().st_size / 1e6:.2f} MB", "", "")


if __name__ == "__main__":
    main()
