"""Drawn charts on disk, each under a name made from all that it is drawn from.

A changed number, version or line of drawing code makes another name, so that no chart is ever out of date.
Each file carries a checksum and is not shown unless it fits. Nothing here can fail: what cannot be read is
drawn anew, and what cannot be written is not kept.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import reportgen
from reportgen import disk, text, words
from reportgen.report.look import chart_type

if TYPE_CHECKING:
    from collections.abc import Iterator

# What decides how a chart looks: the room charts/, these modules, the type, and the libraries.
DRAWN_BY = ("labels.py", "look.py", "svg.py", "theme.py")
LIBRARIES = ("matplotlib", "plotnine", "pandas")
KEPT = 60 * 24 * 3600.0  # seconds since a chart was last shown
_MARK = "<!-- sha256 "
_END = " -->\n"
_TRAILER = len(_MARK) + 64 + len(_END)


class ChartCache:
    """Charts in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> bytes | None:
        """Give a chart, or None where there is none or it is damaged."""
        path = self._path(key)
        with suppress(OSError):
            content = path.read_bytes()
            svg, trailer = content[:-_TRAILER], content[-_TRAILER:]
            if trailer == _trailer(key, svg):
                with suppress(OSError):
                    os.utime(path)
                return svg
        return None

    def put(self, key: str, svg: bytes) -> None:
        """Keep a chart, if the disk lets us; the checksum makes up for bytes that a power cut takes."""
        path = self._path(key)
        temporary = path.with_name(f".{path.name}-{os.getpid()}")
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                disk.step("write", temporary)
                temporary.write_bytes(svg + _trailer(key, svg))
                disk.step("rename", path)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what was not shown for a long time, and what a killed process left half written."""
        with suppress(OSError):
            for path in self.folder.iterdir():
                if path.stat().st_mtime < time.time() - KEPT:
                    path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.svg"


def _trailer(key: str, svg: bytes) -> bytes:
    return (_MARK + hashlib.sha256(key.encode() + svg).hexdigest() + _END).encode()


def key_of(function: str, args: tuple[Any, ...], language: str = words.ENGLISH) -> str:
    """Make the name of a chart from all that decides how it looks."""
    digest = hashlib.sha256(_drawing_code() + _catalogue(language))
    for part in _told((function, *args)):
        # Each part with its length: no two lists of parts give the same bytes.
        digest.update(f"{len(part)}:".encode() + part)
    return digest.hexdigest()


@cache
def _drawing_code() -> bytes:
    folder = Path(__file__).parent
    files = [*sorted((folder / "charts").glob("*.py")), *(folder / name for name in DRAWN_BY)]
    files += [Path(str(text.__file__)), Path(str(words.__file__)), chart_type(400), chart_type(600)]
    versions = [reportgen.__version__, *(version(name) for name in LIBRARIES)]
    digest = hashlib.sha256(repr(versions).encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.digest()


@cache
def _catalogue(language: str) -> bytes:
    file = words.catalogue_file(language)
    return language.encode() + hashlib.sha256(file.read_bytes()).digest() if file else b""


def _told(value: Any) -> Iterator[bytes]:
    """Tell a value apart from every other, in bytes."""
    yield type(value).__qualname__.encode()
    if value is None or isinstance(value, (bool, int, float, str)):
        yield repr(value).encode("utf-8", "surrogatepass")
    elif isinstance(value, (list, tuple)):
        yield str(len(value)).encode()
        for one in value:
            yield from _told(one)
    elif isinstance(value, pd.DataFrame):
        yield from _told([str(name) for name in value.columns])
        for name in value.columns:
            yield str(value[name].dtype).encode()
            yield repr(value[name].tolist()).encode("utf-8", "surrogatepass")
        yield repr(value.index.tolist()).encode()
    elif isinstance(value, np.generic):
        yield from _told(value.item())
    elif is_dataclass(value):
        for field in fields(value):
            yield field.name.encode()
            yield from _told(getattr(value, field.name))
    else:
        raise TypeError(f"a chart cannot be made from {type(value)}")
