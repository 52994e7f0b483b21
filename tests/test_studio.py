"""Charts drawn elsewhere: by several processes as by one, once and not again, whatever dies on the way."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reportgen.analysis.scores import Leaderboard, leaderboard
from reportgen.errors import PdfUnavailable, RenderError
from reportgen.processes import Worker
from reportgen.report import ahead, write
from reportgen.report import cache as caching
from reportgen.report.cache import ChartCache, key_of
from reportgen.report.html import build, to_html
from reportgen.report.pdf import Limits
from reportgen.report.studio import Studio
from reportgen.results import Results, save
from support import ROOT, in_a_process
from synthetic import made_up

NAMES = ("mlp", "cnn-a", "cnn-b", "cnn-c", "cnn-d")
CHARTS = 2 + 2 + len(NAMES) + 1 + 3  # curves, costs, matrices, their differences, pairs, classes, reliability


def run(**options: Any) -> Results:
    given = {"names": NAMES, "n_test": 200, "epochs": 2, "image_shape": (8, 8, 1), **options}
    return made_up(**given)


@cache
def drawn_here() -> str:
    """Render the run with charts drawn in this process, one after the other."""
    with Studio(processes=0) as studio:
        return to_html(build(run(), studio))


def children() -> set[int]:
    """List this process' children that are alive, as Linux tells them."""
    found = Path(f"/proc/self/task/{os.getpid()}/children")
    return {int(word) for word in found.read_text().split()} if found.exists() else set()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "charts"
    with Studio(folder, processes=2) as studio:
        assert to_html(build(run(), studio)) == drawn_here(), "two processes draw what one draws"
        assert studio.drawn == CHARTS
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    """Give a cache that holds the run's charts."""
    return Path(shutil.copytree(filled, tmp_path / "charts"))


# --- drawing -------------------------------------------------------------------------------------


@pytest.mark.long
def test_several_processes_draw_what_one_draws_and_none_is_left() -> None:
    before = children()
    with Studio(processes=3) as studio:
        studio.start(pdf=False)
        assert to_html(build(run(), studio)) == drawn_here()
        assert len(children() - before) == 3 or sys.platform != "linux"
    assert children() == before


def test_one_chart_is_drawn_once_however_often_it_is_ordered() -> None:
    with Studio(processes=1) as studio:
        confusion = run().confusion
        one = confusion[confusion["variant"] == "mlp"].reset_index(drop=True)
        orders = {studio.order("confusion_matrix", one, ["a"] * 10, 0.1, 2.05) for _ in range(3)}
        assert len(orders) == 1
        assert orders.pop().svg().startswith(b"<svg")
        assert studio.drawn == 1


def test_a_chart_that_raises_is_named() -> None:
    with Studio(processes=1) as studio:
        order = studio.order("learning_curves", pd.DataFrame({"a": [1]}), "loss", ["mlp"])
        with pytest.raises(RenderError, match=r"^the chart learning_curves could not be drawn: KeyError.*$"):
            order.svg()


# --- processes that die --------------------------------------------------------------------------


def killing(monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """Kill the process that a task is given to, as many times."""
    killed: list[str] = []
    give = Worker.give

    def give_and_kill(self: Worker, task: Any) -> None:
        give(self, task)
        if len(killed) < times:
            killed.append(task[0])
            os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(Worker, "give", give_and_kill)
    return killed


@pytest.mark.long
def test_what_a_killed_process_was_drawing_is_drawn_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    before, killed = children(), killing(monkeypatch, 1)
    with Studio(processes=2) as studio:
        assert to_html(build(run(), studio)) == drawn_here()
    assert killed
    assert children() == before


def test_a_chart_at_which_two_processes_die_is_an_error_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    before = children()
    killing(monkeypatch, 1000)
    with Studio(processes=2) as studio, pytest.raises(RenderError) as caught:
        to_html(build(run(), studio))
    assert re.fullmatch(
        r"the chart \w+ could not be drawn: its process was ended by SIGKILL.*", str(caught.value)
    )
    assert children() == before


def test_a_chart_that_takes_too_long_is_stopped_and_named() -> None:
    with Studio(processes=1, limits=Limits(chart=0.05)) as studio:
        order = studio.order("learning_curves", pd.DataFrame({"a": [1]}), "loss", ["mlp"])
        with pytest.raises(RenderError, match=r"learning_curves could .* not drawn within 0\.05 s"):
            order.svg()
        assert not studio._painters, "the process is gone"


@pytest.mark.long
def test_an_idle_process_that_dies_is_not_missed() -> None:
    with Studio(processes=1) as studio:
        studio.start()
        for worker in [*studio._painters, studio._printer]:
            assert worker is not None
            os.kill(worker.pid, signal.SIGKILL)
        html = to_html(build(run(names=("mlp",)), studio))
        assert studio.pdf(html)().startswith(b"%PDF")


def test_a_printer_that_dies_twice_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    killing(monkeypatch, 2)
    with Studio(processes=1) as studio:
        wait_for = studio.pdf("<html lang=en><title>t</title><p>text")
        with pytest.raises(
            RenderError, match=r"^the PDF could not be made: its process was ended by SIGKILL"
        ):
            wait_for()


def test_a_fault_of_the_page_is_told_and_the_printer_goes_on() -> None:
    with Studio(processes=1) as studio:
        with pytest.raises(RenderError, match="colr"):
            studio.pdf("<html lang=en><title>t</title><style>p { colr: red }</style><p>text")()
        assert studio.pdf("<html lang=en><title>t</title><p>text")().startswith(b"%PDF")


def test_a_missing_library_leaves_the_run_without_a_pdf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = tmp_path / "weasyprint" / "__init__.py"
    lacking.parent.mkdir()
    lacking.write_text("raise OSError(\"cannot load library 'libpango-1.0-0'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (written := tmp_path / "run").mkdir()
    found = dict(write(run(names=("mlp",)), written, ("html", "pdf")))
    assert isinstance(found["pdf"], PdfUnavailable)
    assert "libpango" in str(found["pdf"])
    assert [path.name for path in written.iterdir() if path.is_file()] == ["report.html"]


# --- the cache -----------------------------------------------------------------------------------

CACHED = """
import sys
from pathlib import Path
from reportgen import processes
from reportgen.report.html import build, to_html
from reportgen.report.pdf import Limits
from reportgen.report.studio import Studio
from reportgen.results import load_results

started = []
processes.Worker.__init__ = lambda *args: started.append(args)
with Studio(Path(sys.argv[2])) as studio:
    html = to_html(build(load_results(sys.argv[1]), studio))
print(len(started), studio.drawn, "<svg" in html)
heavy = {"plotnine", "matplotlib", "weasyprint", "tensorflow", "keras"}
print(sorted(heavy & set(sys.modules)))
"""


def test_with_every_chart_known_no_process_is_started_and_no_drawing_library_imported(
    folder: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "run"
    saved.mkdir()
    save(run(), saved)
    ran = in_a_process(CACHED, saved, folder, cwd=tmp_path)
    assert ran.out == ["0 0 True", "[]"], ran.err[-3:]


def drawn_again(results: Results, folder: Path) -> int:
    with Studio(folder, processes=2) as studio:
        to_html(build(results, studio))
        return studio.drawn


def test_another_text_draws_nothing(folder: Path) -> None:
    changed = run(texts={"title": "Another title", "description": "Another network."})
    assert drawn_again(changed, folder) == 0


@pytest.mark.long
def test_another_loss_draws_the_curves_of_the_loss(folder: Path) -> None:
    results = run()
    epochs = results.epochs.copy()
    epochs.loc[epochs["metric"] == "loss", "value"] += 0.001
    assert drawn_again(replace(results, epochs=epochs), folder) == 1


@pytest.mark.long
def test_another_count_draws_one_matrix_and_the_scores_by_class(folder: Path) -> None:
    results = run()
    confusion = results.confusion.copy()
    confusion.loc[0, "count"] += 1
    assert drawn_again(replace(results, confusion=confusion), folder) == 2


@pytest.mark.long
def test_another_name_of_a_class_draws_what_it_stands_in(folder: Path) -> None:
    changed = run(classes=("zero", *map(str, range(1, 10))))
    assert drawn_again(changed, folder) == len(NAMES) + 2  # the matrices, their differences, scores by class


@pytest.mark.parametrize("name", caching.DRAWN_BY)
def test_another_line_of_drawing_code_draws_everything(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of("chart", ())
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: read(self) + b"#" * (self.name == name))
    caching._drawing_code.cache_clear()
    try:
        assert key_of("chart", ()) != before
    finally:
        caching._drawing_code.cache_clear()


def test_every_module_that_charts_are_drawn_by_is_part_of_their_names() -> None:
    package = ROOT / "reportgen" / "report"
    todo = [path.relative_to(package).as_posix() for path in (package / "charts").glob("*.py")]
    seen: set[str] = set()
    while todo:
        seen.add(name := todo.pop())
        code = (package / name).read_text(encoding="utf-8")
        found = re.findall(r"^from reportgen\.report(?:\.([\w.]+))? import ([\w, ]+)", code, re.MULTILINE)
        for module, used in found:
            names = [module.replace(".", "/")] if module else used.replace(" ", "").split(",")
            files = [f"{one}.py" for one in names]
            todo += [one for one in files if one not in seen and (package / one).is_file()]
    beside = {name for name in seen if not name.startswith("charts/")}
    known = {"references.py", "formulas.py", "typography.py"}
    # Templates and fonts only name files, whose content is part of the names; the others are of templates.
    assert beside - {"fonts.py", "templates.py", "images.py", *known} == set(caching.DRAWN_BY)


BOARD = leaderboard(run())
FRAME = run().epochs


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1,), (1.0,)),
        ((1,), (True,)),
        (("1",), (1,)),
        ((["a", "b"],), (["ab"],)),
        ((["a"], "b"), (["a", "b"],)),
        ((("a",),), (["a"],)),
        ((0.1,), (0.1 + 1e-16,)),
        ((BOARD,), (replace(BOARD, n_test=BOARD.n_test + 1),)),
        ((BOARD,), (Leaderboard(BOARD.scores[1:], BOARD.n_test, BOARD.seeds),)),
        ((FRAME,), (FRAME.rename(columns={"value": "values"}),)),
        ((FRAME,), (FRAME.astype({"epoch": "int64"}),)),
        ((FRAME,), (FRAME.iloc[::-1],)),
        ((FRAME,), (FRAME.assign(value=FRAME["value"] * (1 + 1e-15)),)),
    ],
)
def test_what_differs_has_another_name_and_what_is_equal_the_same(one: tuple[Any], other: tuple[Any]) -> None:
    same = tuple(part.copy() if isinstance(part, pd.DataFrame) else part for part in one)
    assert key_of("chart", one) == key_of("chart", same)
    assert (key_of("chart", one) == key_of("chart", other)) == (repr(one) == repr(other) == "(0.1,)")


def test_a_name_cannot_be_made_from_what_has_no_value() -> None:
    with pytest.raises(TypeError, match="cannot be made from"):
        key_of("chart", (object(),))


def test_a_name_is_the_same_in_every_process(tmp_path: Path) -> None:
    code = "import sys; from reportgen.report.cache import key_of; print(key_of('c', (1, 'a', [0.1, None])))"
    ran = in_a_process(code, cwd=tmp_path, PYTHONHASHSEED="7")
    assert ran.out == [key_of("c", (1, "a", [0.1, None]))]


@pytest.mark.long(but=("cut",))
@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "swapped", "gone", "folder"])
def test_a_damaged_chart_is_drawn_anew_and_mended(damage: str, folder: Path) -> None:
    file, other = sorted(folder.iterdir())[:2]
    whole = file.read_bytes()
    if damage == "folder":
        file.unlink()
        file.mkdir()
    elif damage == "gone":
        file.unlink()
    else:
        content = {
            "cut": whole[:-1],
            "changed": whole.replace(b"#0b5cad", b"#0b5cae", 1).replace(b"M0", b"M9", 1),
            "emptied": b"",
            "swapped": other.read_bytes(),
        }[damage]
        file.write_bytes(content)
    with Studio(folder, processes=1) as studio:
        assert to_html(build(run(), studio)) == drawn_here()
        assert studio.drawn == 1
    assert damage == "folder" or file.read_bytes() == whole


@pytest.mark.long
@pytest.mark.parametrize("obstacle", ["a file", "no room"])
def test_a_cache_that_cannot_be_written_is_done_without(
    obstacle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "charts"
    if obstacle == "a file":
        folder.write_text("in the way")
    else:

        def full(self: Path, content: bytes) -> int:
            with self.open("wb") as file:
                file.write(content[:10])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
    with Studio(folder, processes=1) as studio:
        assert to_html(build(run(), studio)) == drawn_here()
    assert obstacle == "a file" or not list(folder.iterdir()), "nothing half written is left"


def test_what_was_not_shown_for_long_is_removed_and_what_was_shown_stays(tmp_path: Path) -> None:
    cached = ChartCache(tmp_path)
    for key in ("a", "b", "c"):
        cached.put(key, b"<svg/>")
    (tmp_path / ".d.svg-1").write_text("half")
    long_ago = time.time() - caching.KEPT - 10
    for name in ("a.svg", "b.svg", ".d.svg-1"):
        os.utime(tmp_path / name, (long_ago, long_ago))
    assert cached.get("b") == b"<svg/>"
    cached.tidy()
    assert {path.name for path in tmp_path.iterdir()} == {"b.svg", "c.svg"}


# --- ahead of time -------------------------------------------------------------------------------


def only(results: Results, names: tuple[str, ...]) -> Results:
    """Give what is known while only some of the variants are finished."""
    frames = {
        name: frame[frame["variant"].isin(names)]
        for name in ("runs", "epochs", "layers", "predictions", "confusion")
        if (frame := getattr(results, name)) is not None
    }
    return replace(results, **frames)


@pytest.mark.long
def test_what_was_drawn_ahead_is_not_drawn_again(tmp_path: Path) -> None:
    results = run()
    with Studio(tmp_path, processes=1) as studio:
        studio.start(pdf=False)
        for n in range(len(NAMES)):
            ahead(only(results, NAMES[:n]), studio)
        ahead(only(results, NAMES[:-1]), studio)
        ordered = len(studio._orders)
        assert to_html(build(results, studio)) == drawn_here()
        assert studio.drawn == CHARTS
        assert ordered == len(NAMES) - 1, "the colour scale and the width did not change on the way"


# --- writing -------------------------------------------------------------------------------------


@pytest.mark.long
def test_both_documents_are_written_and_no_process_is_left(tmp_path: Path) -> None:
    before = children()
    written = dict(write(run(names=("mlp", "cnn-a")), tmp_path, ("html", "pdf")))
    assert written == {"html": tmp_path / "report.html", "pdf": tmp_path / "report.pdf"}
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "report.pdf", "frames"}
    assert children() == before
