"""The command line: what it says, what it leaves, and the code with which it ends."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import reportgen
from reportgen.results import load_results
from support import (
    NOWHERE,
    TWO_VARIANTS,
    Ran,
    command_line,
    fresh_environment,
    in_a_process,
    lab_text,
    made_up_images,
    tree,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import TrainedRun

COMMANDS = ("run", "render", "verify", "store", "show", "labs", "init", "schema", "doctor")
MAIN = "import sys; from reportgen.cli import main; sys.exit(main())"


# Help


def test_help_names_every_command_and_the_exit_codes(cli: Callable[..., Ran]) -> None:
    ran = cli("--help")
    assert ran.code == 0
    listed = [line.split()[0] for line in ran.out if line.startswith("    ") and line.strip()]
    assert set(COMMANDS) <= set(listed)
    text = "\n".join(ran.out)
    for code in (0, 1, 2, 3, 130):
        assert f"\n  {code} " in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_own_help(cli: Callable[..., Ran], command: str) -> None:
    ran = cli(command, "--help")
    assert ran.code == 0
    assert ran.out[0].startswith(f"usage: reportgen {command}")
    assert any(line.startswith("exit codes:") for line in ran.out)
    assert ran.err == []


def test_every_option_of_every_command_is_explained(cli: Callable[..., Ran]) -> None:
    for command in COMMANDS:
        text = " ".join(" ".join(cli(command, "--help").out).split())
        for option in {word for word in text.split() if word.startswith("--") and word[2:].isalpha()}:
            assert text.count(option) >= 2 or option == "--help", (command, option)


def test_the_version_is_that_of_the_package(cli: Callable[..., Ran]) -> None:
    assert cli("--version").out == [f"reportgen {reportgen.__version__}"]


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = """
import sys
from reportgen.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
heavy = {"tensorflow", "keras", "pandas", "plotnine", "numpy", "weasyprint", "pydantic"}
print(sorted(heavy & set(sys.modules)))
"""
    assert in_a_process(code, cwd=tmp_path).out[-1] == "[]"


def test_the_module_is_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reportgen", "labs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith("mnist ")
    assert "7 variants on mnist" in done.stdout


# A run


def test_a_run_ends_with_the_paths_of_its_html_and_pdf(trained_run: TrainedRun) -> None:
    assert trained_run.ran.code == 0
    html, pdf = (trained_run.cwd / path for path in trained_run.ran.documents)
    assert (html.name, pdf.name) == ("report.html", "report.pdf")
    assert html.read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert html.parent == pdf.parent == trained_run.folder


def test_a_run_without_a_terminal_says_its_progress_in_plain_lines(trained_run: TrainedRun) -> None:
    err = trained_run.ran.err
    assert not any("\x1b" in line or "\r" in line for line in err)
    epochs = [line for line in err if "epoch " in line]
    assert len(epochs) == 4 * 2
    assert {line.partition("  loss ")[0].partition("] ")[2] for line in epochs} == {
        f"{variant} seed {seed}  epoch {epoch}/2"
        for variant in ("mlp", "cnn")
        for seed in (1, 2)
        for epoch in (1, 2)
    }
    assert epochs[-1].startswith("[4/4] ")
    assert "accuracy " in epochs[0]
    assert "validation loss " in epochs[0]
    assert " left" in epochs[1]


def test_a_run_leaves_its_directory_and_the_link_to_the_latest(trained_run: TrainedRun) -> None:
    lab_folder = trained_run.folder.parent
    assert sorted(path.name for path in lab_folder.iterdir()) == [trained_run.folder.name, "latest"]
    assert (lab_folder / "latest").resolve() == trained_run.folder.resolve()
    assert sorted(path.name for path in trained_run.folder.iterdir()) == [
        "documents.json",
        "frames",
        "images.npz",
        "manifest.json",
        "report.html",
        "report.pdf",
        "run.json",
    ]


def test_quiet_says_nothing_and_overrides_are_recorded(
    tmp_path: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_documents(monkeypatch)
    (tmp_path / "tiny.toml").write_text(lab_text("digits"), encoding="utf-8")
    options = ["--epochs", "1", "--batch-size", "60", "--seeds", "2", "--variants", "MLP"]
    ran = command_line(
        *("run", "tiny.toml", "--data", tiny_npz, *options, "--output", "runs", "--quiet"),
        cwd=tmp_path,
    )
    assert (ran.code, ran.err) == (0, [])
    record = load_results(tmp_path / "runs/tiny").record
    assert record.overrides == {
        "data": str(tiny_npz),
        "epochs": 1,
        "batch_size": 60,
        "seeds": 2,
        "variants": ["MLP"],
    }
    assert record.argv == (
        *("reportgen", "run", "tiny.toml", "--data", str(tiny_npz), "--epochs", "1"),
        *("--batch-size", "60", "--seeds", "2", "--variants", "MLP", "--output", "runs"),
    )
    protocol = record.lab.protocol
    assert (protocol.epochs, protocol.batch_size, protocol.seeds) == (1, 60, 2)
    assert [job.seed for job in record.jobs] == [1, 2]
    assert (record.dataset.name, record.fallback) == ("stripes", "")


def without_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the drawing out, where a test is about what comes before it."""

    def write(results: Any, folder: Path, formats: Any, studio: Any, *more: Any) -> Any:
        for name in formats:
            path = folder / f"report.{name}"
            path.write_text("not drawn", encoding="utf-8")
            yield name, path

    monkeypatch.setattr("reportgen.report.write", write)


@pytest.mark.long
def test_a_notebook_gets_the_results(tmp_path: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_documents(monkeypatch)
    (tmp_path / "tiny.toml").write_text(lab_text(tiny_npz), encoding="utf-8")
    results = reportgen.run(
        tmp_path / "tiny.toml", epochs=1, variants=("mlp",), output=tmp_path / "out", quiet=True
    )
    assert len(results.epochs) == 5
    assert results.path is not None
    assert results.path.parent == tmp_path / "out" / "tiny"
    assert (results.path / "report.html").is_file()


@pytest.mark.long
def test_what_data_lacks_is_warned_of_in_the_record_and_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = made_up_images(30, seed=0)
    x_test, y_test = x[y < 2][:12], y[y < 2][:12]
    np.savez(tmp_path / "lacking.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    (tmp_path / "tiny.toml").write_text(lab_text(tmp_path / "lacking.npz"), encoding="utf-8")
    ran = command_line("run", "tiny.toml", "--epochs", "1", "--variants", "mlp", cwd=tmp_path)
    assert ran.code == 0, ran.err
    results = load_results(tmp_path / "output/tiny")
    page = (Path(str(results.path)) / "report.html").read_text(encoding="utf-8")
    for said in ("The test set has no image of class 2.", "also occur in the training set"):
        assert any(said in warning for warning in results.record.dataset.warnings)
        assert said in page


# Done in part


def test_a_variant_that_fails_or_diverges_leaves_the_others_and_exit_code_3(
    run_in_part: TrainedRun,
) -> None:
    assert run_in_part.ran.code == 3
    assert run_in_part.results.runs["status"].tolist() == ["failed", "diverged", "done", "done"]
    raises, diverged = run_in_part.ran.err[-2:]
    assert raises.startswith("reportgen: raises (seed 1) failed: ")
    assert "no luck" in raises
    assert "\x1b" not in "".join(run_in_part.ran.err)  # Keras writes its errors in bold
    assert diverged == (
        "reportgen: not-a-number (seed 1) diverged: "
        "the loss or the predictions were no longer numbers after epoch 1"
    )


def test_the_report_of_a_run_in_part_exists_and_says_why(run_in_part: TrainedRun) -> None:
    html, pdf = (run_in_part.cwd / path for path in run_in_part.ran.documents)
    page = html.read_text(encoding="utf-8")
    assert pdf.is_file()
    assert "no luck" in page
    assert "the loss or the predictions were no longer numbers after epoch 1" in page


def with_trainings_of(run: TrainedRun, folder: Path) -> None:
    """Copy what a run has trained, where a test is about what comes after that."""
    shutil.copytree(run.cwd / "output/.store", folder / "output/.store")


def test_a_run_that_cannot_be_drawn_stays_and_says_so(
    run_in_part: TrainedRun, tmp_path: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_trainings_of(run_in_part, tmp_path)
    from reportgen.errors import RenderError

    def write(results: Any, folder: Path, formats: Any, studio: Any, *more: Any) -> Any:
        raise RenderError("a chart\nis missing")

    monkeypatch.setattr("reportgen.report.write", write)
    (tmp_path / "tiny.toml").write_text(lab_text(tiny_npz), encoding="utf-8")
    ran = command_line("run", "tiny.toml", "--epochs", "1", "--variants", "mlp", cwd=tmp_path)
    assert ran.code == 1
    [run] = (tmp_path / "output/tiny").iterdir()
    assert ran.err[-1] == "reportgen: a chart is missing"
    kept = run.relative_to(tmp_path)
    assert ran.err[-2] == f"the trainings are kept in {kept}; `reportgen render {kept}` draws them"
    assert load_results(run).complete


@pytest.mark.long
def test_a_run_in_which_everything_diverges_has_its_report_too(
    run_in_part: TrainedRun, tmp_path: Path
) -> None:
    folder = shutil.copytree(run_in_part.cwd, tmp_path / "copy", symlinks=True)
    ran = command_line("run", "tiny.toml", "--epochs", "1", "--variants", "not-a-number", cwd=folder)
    assert ran.code == 3, ran.err
    assert all((folder / path).is_file() for path in ran.documents)


NO_PANGO = """
import cffi

dlopen = cffi.FFI.dlopen


def without_pango(self, name, flags=0):
    if isinstance(name, str) and "pango" in name.lower():
        raise OSError(f"cannot load library '{name}': no such file")
    return dlopen(self, name, flags)


cffi.FFI.dlopen = without_pango
"""


@pytest.fixture(scope="module")
def run_without_pango(
    tmp_path_factory: pytest.TempPathFactory, run_in_part: TrainedRun, tiny_npz: Path
) -> tuple[Ran, Path]:
    """Give what a run says where Pango cannot be loaded, and the folder it ran in."""
    folder = tmp_path_factory.mktemp("no-pango")
    with_trainings_of(run_in_part, folder)
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(NO_PANGO, encoding="utf-8")
    (folder / "tiny.toml").write_text(lab_text(tiny_npz), encoding="utf-8")
    (folder / "output/tiny/older").mkdir(parents=True)
    (folder / "output/tiny/latest").symlink_to("older")
    ran = in_a_process(
        MAIN,
        *("run", "tiny.toml", "--epochs", "1", "--variants", "mlp"),
        cwd=folder,
        PYTHONPATH=str(folder / "site"),
    )
    return ran, folder


def test_without_pango_there_is_the_html_and_how_to_install_it(
    run_without_pango: tuple[Ran, Path],
) -> None:
    ran, folder = run_without_pango
    assert ran.code == 3, ran.err
    assert "apt install libpango" in ran.err[-1]
    assert "reportgen render" in ran.err[-1]
    page = folder / ran.out[-1]
    assert page.name == "report.html"
    assert page.is_file()
    assert not page.with_name("report.pdf").exists()
    assert load_results(page.parent).complete


def test_without_pango_latest_stays_with_the_complete_run_before(
    run_without_pango: tuple[Ran, Path],
) -> None:
    assert (run_without_pango[1] / "output/tiny/latest").readlink() == Path("older")


def test_without_pango_only_the_path_is_on_standard_output(
    run_without_pango: tuple[Ran, Path],
) -> None:
    assert len(run_without_pango[0].out) == 1


@pytest.mark.long
def test_rendering_once_pango_is_there_makes_the_run_the_latest(
    run_without_pango: tuple[Ran, Path],
) -> None:
    ran, folder = run_without_pango
    run = Path(ran.out[-1]).parent
    assert any(f"then `reportgen render {run}`" in line for line in ran.err)
    again = command_line("render", run, cwd=folder)
    assert again.code == 0, again.err
    assert (folder / "output/tiny/latest").resolve() == (folder / run).resolve()


@pytest.mark.long
def test_a_reader_of_the_progress_who_goes_away_does_not_lose_the_run(tmp_path: Path, tiny_npz: Path) -> None:
    (tmp_path / "tiny.toml").write_text(lab_text(tiny_npz), encoding="utf-8")
    command = [sys.executable, "-m", "reportgen", "run", "tiny.toml", "--epochs", "1", "--variants", "mlp"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
        assert process.stdout is not None
        out = process.stdout.read().decode().splitlines()
        process.wait(timeout=120)
    assert [Path(line).name for line in out] == ["report.html", "report.pdf"]
    assert (tmp_path / "output/tiny/latest/report.pdf").is_file()


# The fallback


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, NOWHERE)
    monkeypatch.delenv("no_proxy", raising=False)


@pytest.mark.long
def test_without_mnist_the_built_in_lab_goes_on_with_digits_and_says_so(
    tmp_path: Path, no_network: None
) -> None:
    ran = command_line("run", "--epochs", "1", "--variants", "mlp", cwd=tmp_path)
    assert ran.code == 0, ran.err
    said = "MNIST is not on this machine and could not be downloaded"
    assert any(said in line and "going on with Digits" in line for line in ran.err)
    run = tmp_path / "output/mnist/latest"
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert record["fallback"].startswith(said)
    command = shlex.join(record["argv"])
    assert "--dataset digits" in command
    assert "--batch-size 32" in command
    assert record["dataset"]["name"] == "digits"
    assert record["lab"]["protocol"]["epochs"] == 1
    assert record["lab"]["protocol"]["batch_size"] == 32
    assert said in (run / "report.html").read_text(encoding="utf-8")


def test_a_dataset_named_on_the_command_line_has_no_fallback(tmp_path: Path, no_network: None) -> None:
    ran = command_line("run", "--dataset", "mnist", "--quiet", cwd=tmp_path)
    assert ran.code == 2
    assert len(ran.err) == 1
    assert "--data PATH" in ran.err[0]
    assert "--dataset digits" in ran.err[0]
    assert not (tmp_path / "output").exists()


# Bad input: one line, exit code 2, nothing written


def lab_file(folder: Path, text: str) -> None:
    (folder / "bad.toml").write_text(text, encoding="utf-8")


def npz(folder: Path, **changed: Any) -> None:
    (x, y), (x_test, y_test) = made_up_images(12, 0), made_up_images(6, 1)
    arrays = {"x_train": x, "y_train": y, "x_test": x_test, "y_test": y_test} | changed
    np.savez(folder / "bad.npz", **{name: a for name, a in arrays.items() if a is not None})


def idx(folder: Path, **changed: bytes) -> None:
    images = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 3, 3)) + bytes(18)
    labels = b"\0\0\x08\x01" + (2).to_bytes(4, "big") + b"\0\1"
    files = {
        "train-images-idx3-ubyte": images,
        "train-labels-idx1-ubyte": labels,
        "t10k-images-idx3-ubyte": images,
        "t10k-labels-idx1-ubyte": labels,
    }
    (folder / "bad").mkdir()
    for name, content in files.items():
        (folder / "bad" / name).write_bytes(content)
    for name, content in changed.items():
        (folder / "bad" / "train-images-idx3-ubyte").unlink()
        (folder / "bad" / f"train-images-idx3-ubyte{name.removeprefix('plain')}").write_bytes(content)


def nan_images() -> np.ndarray[Any, Any]:
    return np.full((12, 12, 12), np.nan)


SECOND_BASELINE = TWO_VARIANTS.replace('"mlp"', '"other"').replace('"cnn"', '"cnn2"')
RUN_BAD = ("run", "bad.toml")
WITH_NPZ = ("run", "--data", "bad.npz")
WITH_IDX = ("run", "--data", "bad")
Arranged = tuple[tuple[str, ...], "Callable[[Path], Any]", str]


def nothing(folder: Path) -> None:
    """Leave the folder empty."""


def damaged_run(folder: Path) -> None:
    (folder / "run").mkdir()
    (folder / "run" / "run.json").write_text('{"format_version": 1', encoding="utf-8")


def taken(folder: Path) -> None:
    (folder / "output").mkdir()
    (folder / "output" / "mnist").write_text("")


BAD: dict[str, Arranged] = {
    "unknown command": (("rnu",), nothing, "rnu"),
    "no command": ((), nothing, "--help"),
    "unknown option": (("run", "--epoch", "3"), nothing, "--epoch"),
    "unknown lab": (("run", "mnsit"), nothing, "did you mean 'mnist'?"),
    "missing lab": (("run", "gone.toml"), nothing, "no such lab file"),
    "malformed TOML": (RUN_BAD, lambda p: lab_file(p, "title ="), "is not valid TOML"),
    "unknown key": (RUN_BAD, lambda p: lab_file(p, lab_text("digits", epohcs=3)), "'epochs'?"),
    "duplicate names by case": (
        RUN_BAD,
        lambda p: lab_file(p, lab_text("digits", TWO_VARIANTS.replace('"cnn"', '"MLP"'))),
        "two are named 'mlp'",
    ),
    "zero epochs": (RUN_BAD, lambda p: lab_file(p, lab_text("digits", epochs=0)), "at least 1"),
    "negative batch": (RUN_BAD, lambda p: lab_file(p, lab_text("digits", batch_size=-1)), "at least"),
    "nan": (
        RUN_BAD,
        lambda p: lab_file(p, lab_text("digits").replace("epochs = 2", "epochs = nan")),
        "nan, expected a whole number",
    ),
    "boolean": (
        RUN_BAD,
        lambda p: lab_file(p, lab_text("digits").replace("epochs = 2", "epochs = true")),
        "true, expected a whole number",
    ),
    "no variants": (RUN_BAD, lambda p: lab_file(p, lab_text("digits", "")), "variants: is missing"),
    "two baselines": (
        RUN_BAD,
        lambda p: lab_file(p, lab_text("digits", TWO_VARIANTS + SECOND_BASELINE)),
        "mlp and other are both the baseline",
    ),
    "a feature map used up": (
        RUN_BAD,
        lambda p: lab_file(p, lab_text("digits", TWO_VARIANTS.replace("kernel = 3", "kernel = 29"))),
        "layer 1 (Conv2D)",
    ),
    "a build that is not there": (
        RUN_BAD,
        lambda p: lab_file(p, lab_text("digits", '[[variants]]\nname = "a"\nbuild = "no.such:f"')),
        "cannot import 'no.such'",
    ),
    "zero epochs given": (("run", "--epochs", "0"), nothing, "--epochs: 0, expected at least 1"),
    "words for epochs": (("run", "--epochs", "many"), nothing, "expected a whole number"),
    "no variants given": (("run", "--variants", ","), nothing, "--variants: is empty"),
    "unknown variant": (("run", "--variants", "mpl"), nothing, "did you mean 'mlp'?"),
    "unknown dataset": (("run", "--dataset", "minst"), nothing, "did you mean 'mnist'?"),
    "missing data": (("run", "--data", "gone.npz"), nothing, "gone.npz: does not exist"),
    "data that is no archive": (WITH_NPZ, lambda p: (p / "bad.npz").write_text("x"), "bad.npz"),
    "pickled objects": (
        WITH_NPZ,
        lambda p: npz(p, y_train=np.array([{}] * 12, dtype=object)),
        "pickled objects",
    ),
    "missing arrays": (WITH_NPZ, lambda p: npz(p, y_test=None), "y_test missing"),
    "different lengths": (WITH_NPZ, lambda p: npz(p, y_train=np.zeros(3, int)), "expected as many"),
    "NaN pixels": (WITH_NPZ, lambda p: npz(p, x_train=nan_images()), "x_train"),
    "labels out of range": (WITH_NPZ, lambda p: npz(p, y_train=np.arange(12) - 1), "y_train"),
    "fractional labels": (WITH_NPZ, lambda p: npz(p, y_train=np.arange(12) / 2), "y_train"),
    "an empty split": (
        WITH_NPZ,
        lambda p: npz(p, x_test=np.zeros((0, 12, 12), "uint8"), y_test=np.zeros(0, int)),
        "x_test",
    ),
    "truncated gzip": (
        WITH_IDX,
        lambda p: idx(p, **{".gz": b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x63"}),
        "train-images-idx3-ubyte.gz",
    ),
    "wrong IDX magic": (WITH_IDX, lambda p: idx(p, plain=b"\1\2\3\4" + bytes(30)), "begins with"),
    "IDX of other dimensions": (
        WITH_IDX,
        lambda p: idx(p, plain=b"\0\0\x08\x03" + b"\0\0\0\x09" * 3 + bytes(30)),
        "train-images-idx3-ubyte",
    ),
    "output is a file": (
        ("run", "--output", "file"),
        lambda p: (p / "file").write_text(""),
        "file is a file, expected a folder",
    ),
    "output below a file": (
        ("run", "--output", "file/below"),
        lambda p: (p / "file").write_text(""),
        "file is a file, expected a folder",
    ),
    "output of the lab is a file": (("run",), taken, "mnist is a file, expected a folder"),
    "output is a dangling link": (
        ("run", "--output", "link"),
        lambda p: (p / "link").symlink_to("gone"),
        "expected a folder",
    ),
    "output of too long a name": (("run", "--output", "o" * 300), nothing, "cannot be written to"),
    "latest is no link": (
        ("run",),
        lambda p: (p / "output/mnist/latest").mkdir(parents=True),
        "latest: is not the link",
    ),
    "no run to render": (("render", "gone"), nothing, "no such run directory"),
    "a damaged run": (("render", "run"), damaged_run, "run.json: is damaged"),
    "unknown format": (
        ("render", "run", "--format", "html,dpf"),
        damaged_run,
        "--format: 'dpf'; did you mean 'pdf'?",
    ),
    "no format": (("render", "run", "--format", ","), damaged_run, "--format: is empty"),
    "a lab that is there": (("init", "."), lambda p: (p / "lab.toml").write_text(""), "is there already"),
    "init into a file": (("init", "file"), lambda p: (p / "file").write_text(""), "is a file"),
    "show an unknown lab": (("show", "mnsit"), nothing, "did you mean 'mnist'?"),
    "show a wrong lab": (("show", "bad.toml"), lambda p: lab_file(p, "x = 1"), "unknown key"),
}


@pytest.mark.parametrize(("args", "arrange", "said"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(
    args: tuple[str, ...],
    arrange: Callable[[Path], Any],
    said: str,
    tmp_path: Path,
    no_network: None,
) -> None:
    arrange(tmp_path)
    before = tree(tmp_path)
    ran = command_line(*args, cwd=tmp_path)
    assert ran.code == 2, ran
    assert ran.out == []
    assert len(ran.err) == 1, ran.err
    assert ran.err[0].startswith("reportgen: ")
    assert said in ran.err[0]
    assert tree(tmp_path) == before


def test_an_output_that_is_closed_to_us_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    if os.access(tmp_path / "closed", os.W_OK):
        pytest.skip("this user may write everywhere")
    ran = command_line("run", "--output", "closed", cwd=tmp_path)
    assert (ran.code, len(ran.err)) == (2, 1)
    assert "closed" in ran.err[0]
    assert "cannot be written to: Permission denied" in ran.err[0]


@pytest.mark.parametrize("args", [("run", "mnsit"), ("run", "--epochs", "0"), ("render", "gone")])
def test_bad_input_in_a_fresh_process(args: tuple[str, ...], tmp_path: Path) -> None:
    before = tree(tmp_path)
    ran = in_a_process(MAIN, *args, cwd=tmp_path)
    assert (ran.code, len(ran.err), ran.out) == (2, 1, [])
    assert tree(tmp_path) == before


# Interrupted


@pytest.mark.long(but=("SIGTERM",))
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_an_interrupted_run_leaves_nothing_and_exit_code_130(
    signum: signal.Signals, tmp_path: Path, tiny_npz: Path
) -> None:
    (tmp_path / "tiny.toml").write_text(lab_text(tiny_npz, epochs=10_000), encoding="utf-8")
    # A shell's background job is born deaf to SIGINT; whoever presses Ctrl-C is at the terminal.
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    with subprocess.Popen(
        [sys.executable, "-c", listen + MAIN, "run", "tiny.toml"],
        cwd=tmp_path,
        env=fresh_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if "epoch 2/" in line:
                break
        process.send_signal(signum)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "reportgen: interrupted"
    assert out == ""
    assert [path.name for path in (tmp_path / "output").iterdir()] == [".store"]
    assert not [path for path in (tmp_path / "output").rglob("*") if path.is_file()]


# The other commands


def test_render_makes_both_documents_again_without_tensorflow(
    trained_run: TrainedRun, tmp_path: Path
) -> None:
    shutil.copytree(trained_run.folder, tmp_path / "run")
    for name in ("report.html", "report.pdf"):
        (tmp_path / "run" / name).unlink()
    code = """
import sys
from reportgen.cli import main
code = main(["render", "run"])
print(sorted({"tensorflow", "keras"} & set(sys.modules)))
sys.exit(code)
"""
    ran = in_a_process(code, cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.out[-1] == "[]"
    assert ran.out[:2] == ["run/report.html", "run/report.pdf"]
    again = (tmp_path / "run/report.html").read_bytes()
    assert again == (trained_run.folder / "report.html").read_bytes()


def test_render_of_one_format_leaves_the_other_alone(trained_run: TrainedRun, tmp_path: Path) -> None:
    run = shutil.copytree(trained_run.folder, tmp_path / trained_run.folder.name)
    before = tree(run)
    ran = command_line("render", run, "--format", "html", cwd=trained_run.cwd)
    assert ran.code == 0
    assert ran.out == [str(run / "report.html")]
    assert tree(run) == before


@pytest.mark.long(but=("zh",))
@pytest.mark.parametrize(
    ("language", "said"), [("de", "Seite"), ("es", "Página"), ("zh", "页")], ids=["de", "es", "zh"]
)
def test_render_writes_another_language_and_the_run_keeps_its_own(
    trained_run: TrainedRun, tmp_path: Path, language: str, said: str
) -> None:
    run = shutil.copytree(trained_run.folder, tmp_path / trained_run.folder.name)
    ran = command_line("render", run, "--format", "html,md", "--language", language, cwd=trained_run.cwd)
    assert ran.code == 0, ran
    assert f'<html lang="{language}">' in (run / "report.html").read_text("utf-8")
    assert said in (run / "report.html").read_text("utf-8")
    assert "Contents" not in (run / "report.md").read_text("utf-8")
    assert json.loads((run / "run.json").read_text("utf-8"))["lab"]["language"] == "en"


def test_a_language_that_there_is_not_is_refused_in_one_line(cli: Callable[..., Ran]) -> None:
    ran = cli("run", "--language", "fr")
    assert ran.code == 2
    assert ran.err == ["reportgen: --language: 'fr', expected 'en', 'de', 'es' or 'zh'"]


def test_show_prints_variants_with_layers_shapes_and_parameters(cli: Callable[..., Ran]) -> None:
    ran = cli("show")
    assert ran.code == 0
    text = "\n".join(ran.out)
    for said in ("269,322", "225,034", "421,642", "53,002", "93,962", "(baseline)", "26×26×32"):
        assert said in text
    assert "MNIST: images of 28×28×1, 10 classes" in ran.out


def test_show_takes_shapes_from_data(cli: Callable[..., Ran], tmp_path: Path, tiny_npz: Path) -> None:
    (tmp_path / "tiny.toml").write_text(lab_text("digits"), encoding="utf-8")
    ran = cli("show", "tiny.toml", "--data", tiny_npz)
    assert "stripes: images of 12×12×1, 3 classes" in ran.out
    assert any("5×5×4" in line for line in ran.out)


def test_show_builds_a_variant_of_the_instructor_s_own(run_in_part: TrainedRun) -> None:
    ran = command_line("show", "tiny.toml", cwd=run_in_part.cwd)
    assert ran.code == 0
    assert any("NotANumber" in line for line in ran.out)


def test_init_writes_a_lab_that_show_accepts(cli: Callable[..., Ran], tmp_path: Path) -> None:
    ran = cli("init", "week 1")
    assert ran.code == 0
    assert ran.out[0] == str(Path("week 1/lab.toml"))
    shown = cli("show", "week 1")
    assert shown.code == 0
    assert sum(line.endswith(" parameters") for line in shown.out) == 5


@pytest.mark.parametrize("command", [("run", "mnist"), ("doctor",), ("store",)])
def test_an_output_without_a_name_is_refused(cli: Callable[..., Ran], command: tuple[str, ...]) -> None:
    ran = cli(*command, "--output", "")
    assert ran.code == 2
    assert "argument --output: is empty, expected a folder" in ran.err[-1]


def test_a_key_that_is_given_twice_is_shown_with_its_line(cli: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "twice.toml").write_text('title = "a"\n\ntitle =  "b"\n', encoding="utf-8")
    ran = cli("show", "twice.toml")
    assert ran.code == 2
    assert ran.err[-1].endswith(
        """Cannot overwrite a value (at line 3, column 13), which is: 'title = "b"'"""
    )


def test_schema_prints_a_json_schema(cli: Callable[..., Ran], tmp_path: Path) -> None:
    ran = cli("schema")
    schema = json.loads("\n".join(ran.out))
    assert schema["title"] == "A reportgen lab"
    for name in ("report", "handout", "instructor"):
        assert "format_version" in json.loads("\n".join(cli("schema", name).out))["properties"]
    cli("init", "new")
    assert json.loads((tmp_path / "new/lab.schema.json").read_text("utf-8")) == schema


def test_doctor_checks_each_part_with_what_to_do(cli: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = cli("doctor", "--output", "file")
    assert ran.code == 3
    found = {line[6:].split()[0]: line.split()[0] for line in ran.out if not line.startswith(" ")}
    assert found == {
        "Python": "ok",
        "TensorFlow": "ok",
        "Pango": "ok",
        "Fonts": "ok",
        "Chinese": "ok",
        "Data": "ok",
        "Output": "FAIL",
    }
    assert ran.out[-1].strip() == "choose another folder with --output DIR"
