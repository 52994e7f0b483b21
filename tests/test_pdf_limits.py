"""Making a PDF has a deadline and so much memory, in real processes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from reportgen.documents import render
from reportgen.errors import PdfUnavailable
from reportgen.report import pdf, studio
from reportgen.report.pdf import Limits
from reportgen.report.studio import Studio
from reportgen.results import load_results, save
from synthetic import SEVEN, made_up

PAGE = "<html lang=en><title>t</title><style>@page {{ size: 9cm }}</style>{}"
MEGABYTE = 1 << 20


def test_a_pdf_that_takes_too_long_is_stopped_and_said_in_one_line() -> None:
    with Studio(processes=1, limits=Limits(seconds=1.5)) as made:
        made.start(charts=False)
        begun = time.monotonic()
        wait = made.pdf(PAGE.format("<p>word</p>" * 100_000))
        with pytest.raises(PdfUnavailable, match=r"^no PDF: it was not made within 1\.5 seconds"):
            wait()
        assert time.monotonic() - begun < 60
        assert made._printer is None, "the process is gone"


@pytest.mark.parametrize("room", [90, 150])
def test_a_pdf_that_takes_too_much_memory_is_given_up_in_one_line(room: int) -> None:
    # Python runs out of it in one place, a C library in another: both are said in the same words.
    with Studio(processes=1, limits=Limits(seconds=120, memory=room * MEGABYTE)) as made:
        wait = made.pdf(PAGE.format("<p>word</p>" * 40_000))
        with pytest.raises(PdfUnavailable, match=r"^no PDF: making it took more than the \d+ MB of memory"):
            wait()


@pytest.mark.long
def test_the_next_pdf_is_made_after_one_that_was_stopped() -> None:
    with Studio(processes=1, limits=Limits(seconds=1)) as made:
        wait = made.pdf(PAGE.format("<p>word</p>" * 100_000))
        with pytest.raises(PdfUnavailable):
            wait()
        made._limits = Limits()
        assert made.pdf(PAGE.format("<p>word</p>"))().startswith(b"%PDF")


def test_a_run_keeps_its_html_where_its_pdf_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "t" / "run"
    run.mkdir(parents=True)
    save(made_up(names=SEVEN[:1], epochs=1, n_test=30, classes=("a", "b"), image_shape=(8, 8, 1)), run)
    monkeypatch.setattr(studio, "Limits", lambda: Limits(seconds=0.01))
    documents, problems = render(load_results(run), ("html", "pdf"))
    assert list(documents) == ["html"]
    assert problems == [f"{pdf.out_of_time(0.01)}, then `reportgen render {run}`"]
