"""Where the templates lie: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reportgen import text
from reportgen.errors import RenderError


def template_folder() -> Path:
    """Find the templates; raises RenderError where the installation lacks them."""
    package = Path(__file__).parents[1]
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / "report.html.jinja").is_file():
            return folder
    raise RenderError("the templates are missing from this installation; install reportgen again")


@cache
def environment() -> Environment:
    """Give the Jinja environment: everything escaped, nothing undefined, all text inert."""
    made = Environment(
        loader=FileSystemLoader(template_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=text.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["unbroken"] = text.unbroken
    return made
