"""The rooms of the package: who may import whom, what loads what, and that each thing says what it is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = ROOT / "reportgen"

# A module imports only from the rooms before its own, and from within it.
ROOMS = [
    "errors",
    "words",
    "text",
    "colours",
    "disk",
    "processes",
    "environment",
    "layers",
    "arithmetic",
    "data",
    "lab",
    "jobs",
    "training",
    "execution",
    "results",
    "analysis",
    "teaching",
    "rundir",
    "report",
    "progress",
    "documents",
    "prepare",
    "pipeline",
    "show",
    "starter",
    "doctor",
    "upkeep",
    "verify",
    "retrain",
    "cli",
    "__main__",
]


def modules() -> dict[str, Path]:
    """Find every module by its name, packages without their __init__."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imports(name: str) -> Iterator[str]:
    """List all that a module imports, at any depth and for type checking too."""
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)


def ours(name: str) -> set[str]:
    return {imported for imported in imports(name) if imported in MODULES} - {"reportgen"}


def room(name: str) -> str:
    return name.split(".")[1]


INSIDE = [name for name in MODULES if name != "reportgen"]


def test_every_room_is_in_the_plan() -> None:
    assert {room(name) for name in INSIDE} == set(ROOMS)


@pytest.mark.parametrize("name", INSIDE)
def test_a_module_imports_only_from_rooms_before_its_own(name: str) -> None:
    place = ROOMS.index(room(name))
    later = {other for other in ours(name) if ROOMS.index(room(other)) > place}
    assert not later


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert list(TopologicalSorter({name: ours(name) for name in INSIDE}).static_order())


@pytest.mark.parametrize("name", MODULES)
def test_only_training_imports_keras(name: str) -> None:
    roots = {imported.split(".")[0] for imported in imports(name)}
    if name.split(".")[1:2] != ["training"]:
        assert not roots & {"keras", "tensorflow"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, reportgen; dir(reportgen); "
        "print({'tensorflow', 'keras', 'pandas', 'numpy', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_public_names_are_there_and_others_are_not() -> None:
    import reportgen

    for name in reportgen.__all__:
        assert getattr(reportgen, name)
        assert name in dir(reportgen)
    with pytest.raises(AttributeError, match="no attribute 'lib'"):
        _ = reportgen.lib


# Docstrings


Documented = ast.FunctionDef | ast.ClassDef


def public(body: list[ast.stmt], inside: str = "") -> Iterator[tuple[str, Documented, bool]]:
    """List public functions, classes and methods by name, and whether one is a method."""
    for node in body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield f"{inside}{node.name}", node, bool(inside)
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


DEFINITIONS = [
    pytest.param(node, is_method, id=f"{module}:{name}")
    for module in MODULES
    for name, node, is_method in public(tree_of(module).body)
]
# What a sentence that commands does not begin with.
NO_IMPERATIVE = re.compile(r"(The|A|An|This|It|One|How|What|Every|All|Where|Whether|\w+s)\b(?<!Pass)")


@pytest.mark.parametrize(("node", "is_method"), DEFINITIONS)
def test_what_is_public_says_what_it_does_in_its_first_line(node: Documented, is_method: bool) -> None:
    first = (ast.get_docstring(node) or "").partition("\n")[0]
    if not first and is_method:
        return  # it overrides one that says it
    assert first.endswith(".")
    assert first[0].isupper()
    if isinstance(node, ast.FunctionDef):
        assert not NO_IMPERATIVE.match(first)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is(name: str) -> None:
    first = (ast.get_docstring(tree_of(name)) or "").partition("\n\n")[0]
    assert first.rstrip().endswith((".", "?"))
