"""What is inside the wheel: all that a run needs, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PARTS = ("reportgen", "templates", "pyproject.toml", "README.md", "LICENSE", ".gitignore")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build the wheel from a copy of the sources, and give the names of its files."""
    sources, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for part in (*PARTS, "tests", "output"):
        path = ROOT / part
        if path.is_dir():
            shutil.copytree(path, sources / part, ignore=_passing, symlinks=True)
        elif path.is_file():
            shutil.copy(path, sources / part)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    done = subprocess.run([*command, str(sources)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = out.glob("reportgen-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _passing(folder: str, names: list[str]) -> set[str]:
    """Leave out what a run or an interpreter leaves behind."""
    runs = set(names) - {"README.md"} if folder.endswith("output") else set()
    return runs | {name for name in names if name.startswith((".", "__pycache__"))}


def files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_whole_package(names: set[str]) -> None:
    inside = {f"reportgen/{name}" for name in files(ROOT / "reportgen")}
    assert inside <= names
    assert {"reportgen/starter.toml", "reportgen/labs/mnist.toml", "reportgen/py.typed"} <= inside


def test_the_wheel_holds_every_template_and_font(names: set[str]) -> None:
    assert {f"reportgen/templates/{name}" for name in files(ROOT / "templates")} <= names


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    expected = {f"reportgen/{name}" for name in files(ROOT / "reportgen")}
    expected |= {f"reportgen/templates/{name}" for name in files(ROOT / "templates")}
    others = {name for name in names - expected if ".dist-info/" not in name}
    assert not others


def test_the_wheel_holds_the_licenses(names: set[str]) -> None:
    licenses = {name.partition(".dist-info/licenses/")[2] for name in names}
    fonts = {f"templates/fonts/{path.name}" for path in (ROOT / "templates/fonts").glob("OFL-*.txt")}
    assert len(fonts) == 5
    assert {"LICENSE", *fonts} <= licenses
