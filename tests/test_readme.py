"""What the README says is true of the project."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from reportgen import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def _commands() -> list[str]:
    lines = [line.split("#")[0].strip() for block in _blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("reportgen ")]


def test_the_two_commands_stand_in_the_first_screen() -> None:
    first_screen = README.split("## ")[0]
    install = "python3 -m venv .venv && .venv/bin/pip install"
    assert f"{install} . -c constraints.txt && .venv/bin/reportgen run\n" in first_screen
    assert f"{install} -e '.[test]' -c constraints.txt && .venv/bin/pytest\n" in first_screen


@pytest.mark.parametrize("line", _commands())
def test_every_command_line_is_one_that_reportgen_understands(line: str) -> None:
    cli._parser().parse_args(shlex.split(line)[1:])


def test_the_table_of_commands_lists_every_command_and_its_options() -> None:
    parsers = cli._parser()._subparsers
    assert parsers is not None
    choices = parsers._group_actions[0].choices
    assert choices is not None
    assert set(re.findall(r"^\| `reportgen (\w+)", README, flags=re.MULTILINE)) == set(choices)
    rows = {row.split()[2]: row for row in re.findall(r"^\| `reportgen .*$", README, flags=re.MULTILINE)}
    for option in re.findall(r"--[a-z-]+", choices["run"].format_help()):
        assert option == "--help" or option in rows["run"]


def test_the_drawing_names_every_room() -> None:
    drawing = next(block for block in README.split("```")[1::2] if "errors.py" in block)
    rooms = [path.name for path in (ROOT / "reportgen").iterdir() if path.suffix == ".py" or path.is_dir()]
    hidden = {"__init__.py", "__main__.py", "__pycache__"}
    missing = [room for room in rooms if room not in hidden and room not in drawing]
    assert not missing


def test_the_drawing_has_the_rooms_in_the_order_that_imports_follow() -> None:
    from test_architecture import ROOMS

    drawing = next(block for block in README.split("```")[1::2] if "errors.py" in block)
    drawn = re.findall(r"\b(\w+)(?:\.py|/)", drawing.split("reportgen/\n")[1].split("templates/")[0])
    assert [room for room in drawn if room != "labs"] == [room for room in ROOMS if room != "__main__"]


def test_its_pictures_are_there() -> None:
    sources = re.findall(r'<img src="([^"]+)"', README)
    assert len(sources) == 2
    for source in sources:
        assert (ROOT / source).stat().st_size > 10_000


def test_the_lab_in_it_is_accepted() -> None:
    import tomllib

    from reportgen.lab import parse_lab

    variants = tomllib.loads(_blocks("toml")[0])
    lab = parse_lab({"title": "A lab", "dataset": {"name": "mnist"}, **variants}, "README.md")
    assert len(lab.variants) == 4


@pytest.mark.long
def test_the_python_in_it_runs_as_it_stands(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _blocks("python")[0] + "\nassert len(results.runs) == 7"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_pinned_versions_meet_what_the_project_asks_for() -> None:
    import tomllib

    from packaging.requirements import Requirement

    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.lower().split("==") for line in lines if not line.startswith("#"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    for text in wanted:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pinned[requirement.name.lower()]), text
