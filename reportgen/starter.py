"""The lab that `reportgen init` writes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from reportgen.errors import OutputError
from reportgen.lab import builtin_labs, json_schema
from reportgen.rundir import check_writable

TEMPLATE = Path(__file__).parent / "starter.toml"


def write_lab(folder: Path) -> Path:
    """Write lab.toml and its schema into `folder`; raises OutputError where a lab is there already."""
    check_writable(folder)
    if str(folder) in builtin_labs():
        raise OutputError(f"{folder}: is the name of a built-in lab; choose another")
    path = folder / "lab.toml"
    if path.exists():
        raise OutputError(f"{path}: is there already; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-._")[:40] or "lab"
    text = TEMPLATE.read_text(encoding="utf-8").replace("@NAME@", name)
    (folder / "lab.schema.json").write_text(json.dumps(json_schema(), indent=2) + "\n", "utf-8")
    path.write_text(text, encoding="utf-8")
    return path
