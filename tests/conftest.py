"""What tests share: data, labs, runs of the command line, and one real tiny run."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from support import (
    FAILING_VARIANTS,
    MNIST_FILE,
    MODELS,
    TWO_VARIANTS,
    Ran,
    command_line,
    lab_text,
    made_up_images,
)
from synthetic import CHARTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reportgen.results import Results


# Two cores are shared with whatever the tests start: how long an example takes says nothing.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests that take longer")


def pytest_configure(config: pytest.Config) -> None:
    """Have all processes of this session share the charts that they draw."""
    if CHARTS not in os.environ:
        os.environ[CHARTS] = tempfile.mkdtemp(prefix="reportgen-test-charts-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(CHARTS), ignore_errors=True))


def pytest_collection_finish() -> None:
    """Keep what was imported out of every later collection of garbage."""
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="takes longer: run with --long")
    for item in items:
        mark = item.get_closest_marker("long")
        case = getattr(item, "callspec", None)
        if mark and not (case and case.id in mark.kwargs.get("but", ())):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def no_data_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests from the data of whoever runs them."""
    monkeypatch.delenv("REPORTGEN_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path.with_name(f"{tmp_path.name}-keras")))


@pytest.fixture(scope="session")
def mnist_path() -> Path:
    """Give the real MNIST, or skip."""
    if not MNIST_FILE.is_file():
        pytest.skip("MNIST is absent: set REPORTGEN_TEST_MNIST to an mnist.npz")
    return MNIST_FILE


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that all processes of this test session share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def tiny_npz(session_folder: Path) -> Path:
    """Give 120 training and 60 test images of 3 classes, 12x12x1, easily told apart."""
    path = session_folder / "stripes.npz"
    (x, y), (x_test, y_test) = made_up_images(120, seed=0), made_up_images(60, seed=1)
    with _alone(path):
        if not path.exists():
            np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return path


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., Ran]:
    """Give a function that runs a command in this process, in tmp_path."""
    return lambda *args: command_line(*args, cwd=tmp_path)


@dataclass(frozen=True)
class TrainedRun:
    """A run that was really trained and rendered, and what its command said."""

    ran: Ran
    cwd: Path
    results: Results

    @property
    def folder(self) -> Path:
        """Give the run directory."""
        return Path(str(self.results.path))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process of the session at a time make something."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _trained(folder: Path, lab: str, *options: str, **files: str) -> TrainedRun:
    """Train a lab in a folder that all processes of this test session share: the first one does."""
    from reportgen.results import load_results

    said = folder.with_suffix(".json")
    with _alone(folder):
        if not said.exists():
            folder.mkdir()
            for name, text in {"tiny.toml": lab, **files}.items():
                (folder / name).write_text(text, encoding="utf-8")
            ran = command_line("run", "tiny.toml", *options, cwd=folder)
            said.write_text(json.dumps(asdict(ran)), encoding="utf-8")
    ran = Ran(**json.loads(said.read_text(encoding="utf-8")))
    folders = [path for path in (folder / "output/tiny").iterdir() if not path.is_symlink()]
    assert len(folders) == 1, ran
    return TrainedRun(ran, folder, load_results(folders[0]))


@pytest.fixture(scope="session")
def trained_run(session_folder: Path, tiny_npz: Path) -> TrainedRun:
    """Give a run of two variants with two seeds, nothing failed; tests that write take a copy."""
    return _trained(session_folder / "trained", lab_text(tiny_npz, seeds=2))


@pytest.fixture(scope="session")
def run_in_part(session_folder: Path, tiny_npz: Path) -> Iterator[TrainedRun]:
    """Give a run in which one variant raises, the next diverges and the others are done."""
    lab = lab_text(tiny_npz, FAILING_VARIANTS + TWO_VARIANTS)
    before = list(sys.path)
    yield _trained(session_folder / "in-part", lab, "--epochs", "1", **{"failing_models.py": MODELS})
    sys.path[:] = before
