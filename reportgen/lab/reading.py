"""TOML and command lines become labs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import (
    ValidationError,
)

from reportgen.errors import LabError, UsageError, did_you_mean
from reportgen.lab.model import MAX_VARIANTS, Lab, Overrides
from reportgen.lab.problems import first_problem, problem
from reportgen.lab.prose import READING
from reportgen.lab.sweeps import expand
from reportgen.lab.values import shown

LABS = Path(__file__).parents[1] / "labs"


def builtin_labs() -> dict[str, Path]:
    """Find the labs that ship with reportgen, by name."""
    return {path.stem: path for path in sorted(LABS.glob("*.toml"))}


def lab_path(source: str | Path) -> Path:
    """Find a lab's file by a path or a built-in name; raises LabError where there is none."""
    labs = builtin_labs()
    if str(source) in labs:
        return labs[str(source)]
    path = Path(source)
    try:
        if path.is_dir() and (path / "lab.toml").is_file():
            return path / "lab.toml"
        if path.is_file():
            return path
    except OSError as error:
        raise LabError(f"{shown(str(source))}: cannot be read: {error.strerror}") from None
    if path.is_dir():
        raise LabError(f"{source}: the folder holds no lab.toml; `reportgen init {source}` writes one")
    if path.suffix == ".toml" or len(path.parts) > 1:
        raise LabError(f"{source}: no such lab file; `reportgen init DIR` writes one to start from")
    raise LabError(
        f"{source}: no lab of that name and no such file; {did_you_mean(str(source), labs)} "
        "(or give the path of a .toml file)"
    )


def load_lab(source: str | Path = "mnist") -> Lab:
    """Read a lab from a TOML file or by a built-in name.

    Raises LabError, naming file and key, for whatever the lab states that cannot be meant.
    """
    path = lab_path(source)
    shown = path.name if str(source) in builtin_labs() else str(path)
    return parse_lab(_toml(path), shown, default_name=_default_name(path))


def lab_folder(source: str | Path) -> Path:
    """Give the folder in which a lab's relative paths and modules are looked for."""
    return lab_path(source).resolve().parent


def _toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LabError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise LabError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number of more digits than Python reads
        raise LabError(f"{path}: is not valid TOML: {error}{_line_of(text, str(error))}") from None
    except RecursionError:
        raise LabError(f"{path}: is not valid TOML: nested too deeply") from None


def _line_of(text: str, said: str) -> str:
    """Show the line that a message names, for one such as "Cannot overwrite a value" tells no key."""
    found = re.search(r"at line (\d+)", said)
    lines = text.splitlines()
    if not found or int(found[1]) > len(lines):
        return ""
    line = " ".join(lines[int(found[1]) - 1].split())
    return f", which is: {shown(line)}" if line else ""


def _default_name(path: Path) -> str:
    stem = path.resolve().parent.name if path.name == "lab.toml" else path.stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:40] or "lab"


def parse_lab(raw: dict[str, Any], file: str, default_name: str = "lab") -> Lab:
    """Turn a TOML document into a Lab; `file` is named in errors."""
    raw = {"name": default_name, **raw}
    variants = raw.get("variants")
    if isinstance(variants, list):
        raw["variants"] = [one for table in variants for one in expand(table, file)]
        if len(raw["variants"]) > MAX_VARIANTS:
            raise LabError(f"{file}: variants: {len(raw['variants'])}, at most {MAX_VARIANTS}")
    try:
        return Lab.model_validate(raw, context=READING)
    except ValidationError as error:
        raise LabError(f"{file}: {first_problem(error, raw)}") from None


def overrides(**stated: Any) -> Overrides:
    """Check values of a command line; raises UsageError naming the option."""
    given = {key: value for key, value in stated.items() if value is not None}
    try:
        return Overrides.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = str(first["loc"][0]).replace("_", "-")
        if first["type"] == "extra_forbidden":
            raise UsageError(
                f"{option}: no such option; {did_you_mean(option, Overrides.model_fields)}"
            ) from None
        raise UsageError(f"--{option}: {problem(first)}") from None
