"""Which documents of a run are asked for, by edition and sheet, and what their files are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen.errors import UsageError, did_you_mean
from reportgen.report.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

REPORT = "report"
NAMES = (REPORT, "handout", "instructor")  # those of EDITIONS, which imports much more
_STEM = re.compile(rf"({REPORT})|({'|'.join(NAMES[1:])})(?:-(\d+))?")


@dataclass(frozen=True)
class Copies:
    """The editions that are asked for, and the number of the sheet of exercises that two of them have."""

    editions: tuple[str, ...] = (REPORT,)
    sheet: int = 1
    templates: Path | None = None  # a folder whose templates take the place of ours

    @property
    def options(self) -> list[str]:
        """Give the options of the command line that ask for them."""
        options = ["--edition", ",".join(self.editions)] if self.editions != (REPORT,) else []
        options += ["--sheet", str(self.sheet)] if self.sheet != 1 else []
        return [*options, "--template-dir", str(self.templates)] if self.templates else options

    def files(self, formats: Sequence[str]) -> dict[str, str]:
        """Name the files in some formats: by the format alone for the report, else by the whole name."""
        return {key_of(stem, name): f"{stem}.{name}" for stem in self.stems for name in formats}

    @property
    def stems(self) -> list[str]:
        """Give what each edition's files are called, without the format."""
        return [stem_of(edition, self.sheet) for edition in self.editions]


THE_REPORT = Copies()


def stem_of(edition: str, sheet: int = 1) -> str:
    """Name an edition's files: report, handout, handout-2."""
    return edition if sheet == 1 or edition == REPORT else f"{edition}-{sheet}"


def key_of(stem: str, name: str) -> str:
    """Name a document among those of a run: html for the report's, handout.html for another's."""
    return name if stem == REPORT else f"{stem}.{name}"


def asked_by(file: str) -> tuple[Copies, str] | None:
    """Tell which edition, sheet and format a file is of; None for any other file."""
    stem, _, name = file.partition(".")
    found = _STEM.fullmatch(stem)
    if not found or name not in FORMATS:
        return None
    return Copies((found[1] or found[2],), int(found[3] or 1)), name


def copies_of(
    editions: str,
    sheet: int,
    *,
    whole_run: bool = False,
    templates: str | Path | None = None,
) -> Copies:
    """Read a list such as "handout,instructor", into the order of NAMES; raises UsageError.

    A whole run always has its report.
    """
    from reportgen.report.templates import own_templates  # noqa: PLC0415  Jinja

    names = [name.strip() for name in editions.split(",") if name.strip()]
    for name in names:
        if name not in NAMES:
            raise UsageError(f"--edition: '{name}'; {did_you_mean(name, NAMES)}")
    if not names:
        raise UsageError(f"--edition: is empty, expected some of {', '.join(NAMES)}, divided by commas")
    if not 1 <= sheet <= 9999:
        raise UsageError(f"--sheet: {sheet}, expected a number from 1 to 9999")
    if sheet != 1 and set(names) == {REPORT}:
        raise UsageError("--sheet: is for --edition handout or instructor, of which neither is asked for")
    wanted = tuple(name for name in NAMES if name in names or (whole_run and name == REPORT))
    return Copies(wanted, sheet, own_templates(templates) if templates else None)
