"""A run directory: run.json, frames/*.parquet, images.npz, and manifest.json with their checksums.

FORMAT_VERSION counts up with any change that an older reader would misread. A run directory stands on its
own: a copy on another machine can be rendered there.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import ValidationError

from reportgen import disk
from reportgen.data.formats import DAMAGED
from reportgen.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


from reportgen.lab.logo import TYPES, Logo, made_safe
from reportgen.results.checks import check
from reportgen.results.frames import (
    COLUMNS,
    DTYPES,
    KINDS,
    MAY_BE_MISSING,
    OPTIONAL,
    Results,
    columns_of,
    empty,
    gallery_indices,
)
from reportgen.results.record import FORMAT_VERSION, RunRecord

DOCUMENTS = "documents.json"
# What is drawn into a run directory, beside frames of what it states.
DRAWN = ("report.*", "handout.*", "handout-*.*", "instructor.*", "instructor-*.*", "*-images/*")


def save(results: Results, folder: Path) -> None:
    """Write a run directory, its manifest last; `folder` exists and is empty."""
    (folder / "frames").mkdir()
    for name in COLUMNS:
        buffer = io.BytesIO()
        getattr(results, name).to_parquet(buffer, index=False)
        disk.write(folder / "frames" / f"{name}.parquet", buffer.getvalue())
    indices = np.array(list(results.images), dtype="int64")
    images = list(results.images.values())
    stacked = np.stack(images) if images else np.zeros((0, 1, 1, 1), "uint8")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, index=indices, images=stacked)
    disk.write(folder / "images.npz", buffer.getvalue())
    if results.logo:
        disk.write(folder / results.logo.file, results.logo.content)
    text = json.dumps(results.record.model_dump(mode="json"), indent=2)
    disk.write(folder / "run.json", f"{text}\n".encode())
    disk.sync(folder / "frames")
    disk.write_manifest(folder)


def note_documents(folder: Path, drawn_now: Sequence[str] | None = None) -> None:
    """Note the checksums of a run directory's documents and of the frames of what they state.

    Of other documents than those of an edition and sheet that was drawn now, such as "handout-2", what was
    noted before stays: it may have been edited since.
    """
    stated = [path for path in folder.glob("frames/*.parquet") if path.stem not in COLUMNS]
    drawn = [path for pattern in DRAWN for path in folder.glob(pattern) if not path.name.startswith(".")]
    noted = {} if drawn_now is None else disk.listed_files(folder / DOCUMENTS) or {}
    kept = {name: entry for name, entry in noted.items() if _edition_of(name) not in (drawn_now or ())}
    disk.swap_in(folder / DOCUMENTS, disk.manifest_of(folder, [*drawn, *stated], kept))


def _edition_of(name: str) -> str:
    """Tell the edition and sheet of a file that was drawn; the frames are the report's."""
    found = re.match(r"(?:handout|instructor)(?:-\d+)?", name)
    return found[0] if found else "report"


def documents_intact(folder: Path, files: Iterable[str] = ("report.html", "report.pdf")) -> bool:
    """Tell whether some documents are there, and all are as they were drawn."""
    listed = disk.listed_files(folder / DOCUMENTS) or {}
    return set(files) <= set(listed) and not disk.damage(folder, DOCUMENTS)


def read_record(folder: Path) -> RunRecord | None:
    """Read a run directory's run.json; None where there is none that can be used."""
    try:
        return _load_record(folder)
    except RunError:
        return None


def load_results(path: str | Path) -> Results:
    """Read a run directory, or a lab's folder of runs (its latest).

    Raises RunError where there is no run, or where a part of it is missing or damaged.
    """
    folder = _run_folder(Path(path))
    record = _load_record(folder)
    n_classes = len(record.dataset.classes)
    frames = {name: _load_frame(folder, name, n_classes) for name in COLUMNS}
    check(folder, frames, record)
    images = _load_images(folder, frames["predictions"], record.dataset.image_shape)
    return Results(record=record, images=images, path=folder, logo=load_logo(folder, record), **frames)


def load_logo(folder: Path, record: RunRecord) -> Logo | None:
    """Read the logo that a run keeps of its lab; raises RunError where it is missing or damaged."""
    if record.lab.branding.logo is None:
        return None
    for kind in TYPES:
        path = folder / f"logo.{kind}"
        try:
            return made_safe(path.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: is damaged: {error}; run the lab again") from None
    raise RunError(f"{folder}: the logo is missing; run the lab again")


def _run_folder(path: Path) -> Path:
    try:
        path.stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = "no such run directory" if isinstance(error, FileNotFoundError) else error
        raise RunError(f"{path}: {reason}; `reportgen run` makes one") from None
    if not path.is_dir():
        raise RunError(f"{path}: is a file, expected a run directory such as output/mnist/latest")
    if not (path / "run.json").exists() and (path / "latest").exists():
        return path / "latest"
    if not (path / "run.json").exists():
        raise RunError(f"{path}: has no run.json, expected a run directory such as output/mnist/latest")
    return path


def _load_record(folder: Path) -> RunRecord:
    where = folder / "run.json"
    try:
        run = json.loads(where.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{where}: is damaged: {error}; run the lab again") from None
    version = run.get("format_version") if isinstance(run, dict) else None
    if type(version) is int and version > FORMAT_VERSION:
        raise RunError(
            f"{where}: format_version {version}, this reportgen reads {FORMAT_VERSION}; update reportgen"
        )
    if type(version) is not int or version != FORMAT_VERSION:
        raise RunError(f"{where}: format_version {version!r}, expected {FORMAT_VERSION}; run the lab again")
    try:
        return RunRecord.model_validate(run)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RunError(f"{where}: {key}: {first['msg']}; run the lab again") from None


def _load_frame(folder: Path, name: str, n_classes: int) -> pd.DataFrame:
    where = folder / "frames" / f"{name}.parquet"
    try:
        frame = pd.read_parquet(where)
    except FileNotFoundError:
        if name in OPTIONAL and where.name not in _listed_frames(folder):
            return empty(name)
        raise RunError(f"{where}: is missing; run the lab again") from None
    except Exception as error:  # noqa: BLE001  pyarrow raises many kinds on damaged bytes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(f"{where}: is damaged: {reason}; run the lab again") from None
    for column, kind in columns_of(name, n_classes).items():
        if column not in frame:
            raise RunError(f"{where}: has no column '{column}'; run the lab again")
        try:
            frame[column] = frame[column].astype(DTYPES[kind])
            if kind == "s":  # a damaged byte need not be UTF-8, and would be noticed only where it is read
                pa.array(frame[column], from_pandas=True).validate(full=True)
        except (TypeError, ValueError, NotImplementedError):
            raise RunError(f"{where}: column '{column}' is not {KINDS[kind]}; run the lab again") from None
        if column not in MAY_BE_MISSING and frame[column].isna().any():
            raise RunError(f"{where}: column '{column}' has missing values; run the lab again")
    return frame


def _listed_frames(folder: Path) -> set[str]:
    """Name the frames that a run directory was written with."""
    return {Path(name).name for name in disk.listed_files(folder / disk.MANIFEST) or {}}


def _load_images(
    folder: Path, predictions: pd.DataFrame, image_shape: tuple[int, int, int]
) -> dict[int, NDArray[np.uint8]]:
    where = folder / "images.npz"
    try:
        with np.load(io.BytesIO(where.read_bytes()), allow_pickle=False) as archive:
            index, images = archive["index"], archive["images"]
    except DAMAGED as error:
        raise RunError(f"{where}: is missing or damaged: {error}; run the lab again") from None
    if index.dtype.kind not in "iu" or index.ndim != 1 or images.dtype != np.uint8:
        raise RunError(f"{where}: expected whole numbers and uint8 images; run the lab again")
    if len(index) and images.shape != (len(index), *image_shape):
        raise RunError(
            f"{where}: has images of shape {images.shape}, expected {(len(index), *image_shape)}; "
            "run the lab again"
        )
    missing = sorted(set(gallery_indices(predictions)) - set(index.tolist()))
    if missing:
        raise RunError(f"{where}: has no image {missing[0]}, which a gallery shows; run the lab again")
    return {int(i): image for i, image in zip(index, images, strict=True)}
