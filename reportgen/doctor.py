"""Is this machine ready? Each part that a run needs, with what to do where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen import rundir
from reportgen.data.download import keras_home
from reportgen.environment import installed_version
from reportgen.errors import ReportgenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REINSTALL = "install reportgen again: pip install . -c constraints.txt"


@dataclass(frozen=True)
class Check:
    """One part of the machine: what was found, and what to do if it is not as it should be."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def examine(output: Path) -> Iterator[Check]:
    """Check every part, one after another."""
    checks: tuple[Callable[[], Check], ...] = (python, tensorflow, pango, fonts, chinese, data)
    for check in checks:
        yield check()
    yield writable(output)


def python() -> Check:
    """Check Python's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check("Python", ok, version, "use Python 3.11, 3.12 or 3.13")


def tensorflow() -> Check:
    """Check that TensorFlow and Keras can be imported, in a process of their own."""
    code = "import os; os.environ['TF_CPP_MIN_LOG_LEVEL']='3'; import keras, tensorflow"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        found = f"{installed_version('tensorflow')}, Keras {installed_version('keras')}"
        return Check("TensorFlow", True, found)
    reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return Check("TensorFlow", False, f"cannot be imported: {reason}", REINSTALL)


def pango() -> Check:
    """Check that WeasyPrint can make a PDF."""
    from reportgen.report.pdf import HOW_TO_INSTALL_PANGO, to_pdf  # noqa: PLC0415  WeasyPrint

    try:
        to_pdf('<html lang="en"><title>Check</title><p>Check</p></html>')
    except ReportgenError as error:
        return Check("Pango", False, str(error).split(";")[0], HOW_TO_INSTALL_PANGO)
    return Check("Pango", True, f"WeasyPrint {installed_version('weasyprint')} makes PDFs")


def fonts() -> Check:
    """Check that the shipped typefaces are there."""
    from reportgen.report.fonts import FONTS, MORE_FONTS, font_file  # noqa: PLC0415

    files = [
        font_file(stem, kind)
        for faces in (FONTS, *MORE_FONTS.values())
        for stem in faces.values()
        for kind in ("woff2", "ttf")
    ]
    missing = [file.name for file in files if not file.is_file()]
    return Check(
        "Fonts", not missing, ", ".join(missing) or "Source Serif, Sans and Code Pro, Noto Sans SC", REINSTALL
    )


def chinese() -> Check:
    """Check for a typeface with all of Chinese, which the shipped one has not; few machines need it."""
    finder = shutil.which("fc-list")
    if finder is None:
        return Check("Chinese", True, "fc-list is not here to tell whether a typeface has a lab's own words")
    done = subprocess.run([finder, ":lang=zh-cn", "family"], capture_output=True, text=True, check=False)
    family = done.stdout.strip().partition("\n")[0].partition(",")[0]
    if family:
        return Check("Chinese", True, f"{family} has a lab's own words in Chinese")
    return Check(
        "Chinese",
        True,
        "warning: the shipped typeface has reportgen's words and no more; for a lab's own in Chinese "
        "install another, such as Debian's fonts-noto-cjk",
    )


def data() -> Check:
    """Check that MNIST is on this machine; digits always is."""
    given = os.environ.get("REPORTGEN_DATA", "")
    cached = keras_home() / "datasets" / "mnist.npz"
    if given:
        from reportgen.data import load  # noqa: PLC0415

        try:
            found = load("mnist")
        except ReportgenError as error:
            return Check("Data", False, str(error), "set REPORTGEN_DATA to mnist.npz, or unset it")
        return Check("Data", True, f"MNIST from REPORTGEN_DATA ({found.source})")
    if cached.is_file():
        return Check("Data", True, "MNIST in Keras' cache")
    return Check(
        "Data",
        True,
        "no MNIST on this machine: a run downloads it, or goes on with scikit-learn's digits",
    )


def writable(output: Path) -> Check:
    """Check that runs can be written."""
    try:
        rundir.check_writable(output)
    except ReportgenError as error:
        return Check("Output", False, str(error), "choose another folder with --output DIR")
    return Check("Output", True, f"{output} can be written to")
