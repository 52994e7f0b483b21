"""The formats of a report: which there are, what they load, and what a run directory knows of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import TrainedRun
from reportgen import disk
from reportgen.documents import Wish
from reportgen.errors import UsageError
from reportgen.report.formats import FORMATS, formats_of
from reportgen.results import load_results, read_record, save
from support import ROOT, command_line, in_a_process, lab_text
from synthetic import example


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    save(example(), folder)
    return folder


# Which there are


@given(st.permutations(list(FORMATS)), st.integers(1, len(FORMATS)), st.sampled_from([",", " , ", ",,"]))
def test_a_list_is_read_into_the_order_in_which_formats_are_written(
    names: list[str], n: int, comma: str
) -> None:
    wanted = formats_of(comma.join([*names[:n], names[0]]))
    assert set(wanted) == set(names[:n])
    assert list(wanted) == [name for name in FORMATS if name in wanted]


def test_an_unknown_format_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="--format: 'jsn'; did you mean 'json'\\?"):
        formats_of("html,jsn")
    with pytest.raises(UsageError, match="--format: is empty, expected some of html, pdf"):
        formats_of(" , ")


@pytest.mark.parametrize("command", ["run", "render"])
def test_help_lists_every_format(command: str, tmp_path: Path) -> None:
    said = " ".join(command_line(command, "--help", cwd=tmp_path).out)
    assert f"some of {', '.join(FORMATS)}" in " ".join(said.split())


@pytest.mark.parametrize("command", ["run", "render"])
def test_a_command_refuses_an_unknown_format_in_one_line(command: str, tmp_path: Path) -> None:
    ran = command_line(command, "nowhere", "--format", "docx", cwd=tmp_path)
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    assert ran.err[0].startswith("reportgen: --format: 'docx'; known: ")
    assert list(tmp_path.iterdir()) == []


def test_only_what_differs_from_the_default_stands_in_the_command() -> None:
    assert Wish().options == []
    assert Wish(("json",), 10_000_000).options == ["--format", "json", "--max-size", "10MB"]


# What they load


WITHOUT_CHARTS = [name for name, one in FORMATS.items() if not one.charts]


def test_what_has_no_charts_is_made_without_plotnine_or_weasyprint_or_another_process(run: Path) -> None:
    code = """
import os, sys
from reportgen.cli import main
started = []
sys.addaudithook(lambda event, _: started.append(event) if event in ("os.fork", "subprocess.Popen") else 0)
code = main(["render", "run", "--format", sys.argv[1]])
heavy = {"plotnine", "matplotlib", "weasyprint", "keras", "tensorflow"}
print(sorted(heavy & set(sys.modules)), started)
sys.exit(code)
"""
    ran = in_a_process(code, ",".join(WITHOUT_CHARTS), cwd=run.parent, PYTHONPATH=str(ROOT))
    assert ran.code == 0, ran.err
    assert ran.out == [*(f"run/report.{name}" for name in WITHOUT_CHARTS), "[] []"]


# What a run directory knows


def listed(run: Path) -> set[str]:
    return {name for name in disk.listed_files(run / "documents.json") or {} if "frames" not in name}


def test_documents_are_noted_and_verified_whatever_their_format(run: Path) -> None:
    assert command_line("render", run, "--format", "json", cwd=run).code == 0
    assert listed(run) == {"report.json"}
    ran = command_line("verify", run, cwd=run)
    assert ran.code == 0
    rows = {line[6:].split()[0]: line for line in ran.out}
    assert "as it was drawn last" in rows["report.json"]
    assert "it was not drawn" in rows["report.html"]
    (run / "report.json").write_text("{}")
    ran = command_line("verify", run, cwd=run)
    assert ran.code == 3
    (bad,) = (line for line in ran.out if line.startswith("FAIL"))
    assert f"`reportgen render {run} --format json` draws it again" in bad


def test_a_document_too_large_for_a_size_is_named_with_what_it_takes(run: Path) -> None:
    ran = command_line("render", run, "--format", "json", "--max-size", "1kB", cwd=run)
    assert (ran.code, ran.out) == (2, [])
    assert ran.err[-1].startswith("reportgen: --max-size: 1kB is too small for report.json, which takes ")
    assert not (run / "report.json").exists()


def test_a_killed_render_s_half_written_files_are_swept(run: Path) -> None:
    dead = 2**22 + 1  # no process has so high an id
    left = [run / f".report.json-{dead}", run / f".documents.json-{dead}"]
    left.append(run / "frames" / f".scores.parquet-{dead}")
    for path in left:
        path.write_bytes(b"half")
    assert command_line("render", run, "--format", "json", cwd=run).code == 0
    assert not any(path.exists() for path in left)


@pytest.mark.long
def test_a_run_has_the_formats_that_were_asked_for_and_ends_at_once_if_nothing_changed(
    trained_run: TrainedRun, tiny_npz: Path, tmp_path: Path
) -> None:
    (tmp_path / "tiny.toml").write_text(lab_text(tiny_npz, seeds=2), encoding="utf-8")
    shutil.copytree(trained_run.cwd / "output/.store", tmp_path / "output/.store")
    ran = command_line("run", "tiny.toml", "--format", "json", cwd=tmp_path)
    assert ran.code == 0, ran.err
    (path,) = (Path(line) for line in ran.out)
    folder = (tmp_path / path).parent
    assert path.name == "report.json"
    assert not list(folder.glob("report.[hp]*"))
    assert (folder.parent / "latest").resolve() == folder.resolve()
    record = read_record(folder)
    assert record is not None
    assert record.formats == ("json",)
    assert record.argv[-2:] == ("--format", "json")
    stated = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in stated["variants"]] == list(load_results(folder).variants)
    again = command_line("run", "tiny.toml", "--format", "json", cwd=tmp_path)
    assert again.out == ran.out
    assert any("nothing has changed" in line for line in again.err)
    (folder / "report.json").write_text("{}")
    anew = command_line("run", "tiny.toml", "--format", "json", cwd=tmp_path)
    assert anew.out != ran.out


@pytest.mark.long
def test_rendering_what_a_run_was_to_have_makes_it_the_latest(
    trained_run: TrainedRun, tmp_path: Path
) -> None:
    folder = shutil.copytree(trained_run.folder, tmp_path / trained_run.folder.name)
    for name in ("report.html", "report.pdf"):
        (folder / name).unlink()
    assert command_line("render", folder, "--format", "json", cwd=tmp_path).code == 0
    assert not (tmp_path / "latest").exists()
    run_json = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps(run_json | {"formats": ["json"]}), encoding="utf-8")
    assert command_line("render", folder, "--format", "json", cwd=tmp_path).code == 0
    assert (tmp_path / "latest").resolve() == folder.resolve()
