"""Where the templates lie: inside the installed package, or beside it in a checkout; and a user's own."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from traceback import extract_tb

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)

from reportgen import text, words
from reportgen.errors import RenderError, UsageError, did_you_mean
from reportgen.report.formulas import pieces
from reportgen.report.references import referred

STYLE = "report.css"
PDF_STYLE = "pdf.css"
MORE_STYLE = "more.css"  # of a folder of one's own: stands after the style sheet


_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# What a style sheet has fetched: what it imports, and any address but data inside it and an anchor.
_ASKED_FOR = re.compile(r"""(@import\b[^;]*|url\(\s*(?!["']?(?:data:|\#|\)))["']?[^)"']*)""", re.IGNORECASE)


def template_folder() -> Path:
    """Find the templates; raises RenderError where the installation lacks them."""
    package = Path(__file__).parents[1]
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / "report.html.jinja").is_file():
            return folder
    raise RenderError("the templates are missing from this installation; install reportgen again")


@cache
def environment(own: Path | None = None) -> Environment:
    """Give the Jinja environment: everything escaped, nothing undefined, all text inert.

    A template in the folder `own` stands in the place of the shipped one of that name.
    """
    folders = [*([own] if own else []), template_folder()]
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=text.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["unbroken"] = text.unbroken
    made.filters["referred"] = referred
    made.filters["pieces"] = pieces
    made.globals |= {"tr": words.tr, "trn": words.trn, "trc": words.trc}
    return made


def styles(own: Path | None = None, spoken: str = "") -> str:
    """Give the style sheet, or the one of the folder `own`, and what that folder adds to it.

    The rules `spoken`, of the language, stand between the two.
    """
    replaced = own is not None and (own / STYLE).is_file()
    sheet = own / STYLE if own is not None and replaced else template_folder() / STYLE
    more = own / MORE_STYLE if own else None
    return _read(sheet) + spoken + (_read(more) if more is not None and more.is_file() else "")


def pdf_styles() -> str:
    """Give the style sheet of what the PDF's engine alone needs."""
    return (template_folder() / PDF_STYLE).read_text(encoding="utf-8")


def template_names() -> list[str]:
    """List what a folder of one's own may have in the place of what is shipped."""
    shipped = template_folder()
    found = [path.relative_to(shipped).as_posix() for path in sorted(shipped.rglob("*.jinja"))]
    return [*found, STYLE, MORE_STYLE]


def own_templates(folder: str | Path) -> Path:
    """Check a folder of templates; raises UsageError where nothing in it would be used."""
    own, known = Path(folder), template_names()
    if not own.is_dir():
        why = "is a file, expected the folder that it lies in" if own.is_file() else "no such folder"
        raise UsageError(f"--template-dir: {own}: {why}")
    names = [path.relative_to(own).as_posix() for path in sorted(own.rglob("*")) if path.is_file()]
    for name in names:
        if name.endswith(".css") and name not in known:
            raise UsageError(f"--template-dir: {own / name} is not used; {did_you_mean(name, known)}")
    if not set(names) & set(known):
        raise UsageError(
            f"--template-dir: {own} has neither {STYLE} nor {MORE_STYLE} nor a template such as {known[-3]}"
        )
    for name in (STYLE, MORE_STYLE):
        _check_inside(own / name)
    return own.resolve()


def _check_inside(sheet: Path) -> None:
    """Refuse a style sheet that asks for anything outside the report, which nothing fetches."""
    text = _read(sheet) if sheet.is_file() else ""
    bare = _CSS_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    if asked := _ASKED_FOR.search(bare):
        line = bare.count("\n", 0, asked.start()) + 1
        raise UsageError(
            f"--template-dir: {sheet}, line {line}: asks for {asked[1].strip()}, but a report fetches "
            'nothing; put it into the style sheet as url("data:...")'
        )


def _read(sheet: Path) -> str:
    try:
        return sheet.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--template-dir: {sheet.parent}: a style sheet cannot be read: {error}") from None


def fault_in(own: Path, error: Exception) -> UsageError:
    """Say what is wrong with a template of one's own, and in which line, as far as Jinja knows."""
    frames = [one for one in extract_tb(error.__traceback__) if one.filename.endswith(".jinja")]
    where: object = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else own
    if isinstance(error, TemplateSyntaxError):
        where = f"{error.filename or error.name}, line {error.lineno}"
    said = error.message or error if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"
    return UsageError(f"--template-dir: {where}: {said}")
