"""Read images and labels from .npz archives and IDX files, believing nothing that a header claims.

Whatever is wrong with a file, the outcome is one DataError that names it. Nothing is unpickled, and
memory is taken as bytes arrive, never because a header promises them.
"""

from __future__ import annotations

import gzip
import io
import lzma
import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from reportgen.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Stream = IO[bytes] | gzip.GzipFile

MAX_BYTES = 8 * 2**30
CHUNK_BYTES = 2**20
NPY_HEADER_BYTES = 2**14  # numpy itself reads headers of up to 10,000 characters
ENCRYPTED = 0x1  # bit 0 of a zip member's flags, APPNOTE 4.4.4
GZIP_MAGIC = b"\x1f\x8b"
IDX_MAGIC_BYTES = 4
IDX_UBYTE = 0x08
IDX_TYPES = {0x08: "ubyte", 0x09: "byte", 0x0B: "short", 0x0C: "int", 0x0D: "float", 0x0E: "double"}
IDX_FILES = {
    "x_train": ("train-images", (3, 4)),
    "y_train": ("train-labels", (1,)),
    "x_test": ("t10k-images", (3, 4)),
    "y_test": ("t10k-labels", (1,)),
}
# What zipfile, gzip, their decompressors and numpy's header parser raise on damaged bytes.
DAMAGED = (
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class Arrays:
    """Hold the four arrays of a dataset as a file gave them, not yet checked."""

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]


def read_npz(path: Path) -> Arrays:
    """Read x_train, y_train, x_test and y_test from an archive that numpy.savez wrote.

    The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, in a zip.
    Raises DataError where the archive is damaged, encrypted, over 8 GiB or lacks an array.
    """
    with _refusing_damage(path, "a file that numpy.savez wrote"), zipfile.ZipFile(path) as archive:
        members = _npz_members(path, archive)
        return Arrays(
            **{name: _read_member(f"{path}: {name}", archive, member) for name, member in members.items()}
        )


def read_idx_folder(folder: Path) -> Arrays:
    """Read the four IDX files of a folder, gzipped or not, named as MNIST's are.

    Raises DataError where a file is missing or damaged.
    """
    found = find_idx_files(folder)
    missing = [f"{stem}-idx{ndims[0]}-ubyte" for key, (stem, ndims) in IDX_FILES.items() if key not in found]
    if missing:
        raise DataError(
            f"{folder}: {', '.join(missing)} missing; expected the four IDX files "
            "of MNIST's naming, each with or without .gz"
        )
    return Arrays(**{key: read_idx(path, IDX_FILES[key][1]) for key, path in found.items()})


def find_idx_files(folder: Path) -> dict[str, Path]:
    """Find the folder's IDX files, by the name of the array that each one holds."""
    try:
        present = {path.name: path for path in folder.iterdir() if path.is_file()}
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from error
    found = {}
    for key, (stem, ndims) in IDX_FILES.items():
        names = [f"{stem}{dot}idx{ndim}-ubyte{gz}" for ndim in ndims for dot in "-." for gz in ("", ".gz")]
        match = next((name for name in names if name in present), None)
        if match is not None:
            found[key] = present[match]
    return found


def read_idx(path: Path, ndims: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes with one of the numbers of dimensions, gzipped or not.

    The format, from http://yann.lecun.com/exdb/mnist: two zero bytes, the type, the number of
    dimensions, each dimension as a big-endian 32-bit integer, then the data in C order.
    Raises DataError where header and data disagree.
    """
    with _refusing_damage(path, "an IDX file"), _open_plain_or_gzip(path) as stream:
        shape = _read_idx_shape(path, stream, ndims)
        size = math.prod(shape)
        _check_size(path, size)
        data = _read_up_to(stream, size + 1)
    if len(data) != size:
        found = "more" if len(data) > size else f"{len(data):,}"
        raise DataError(
            f"{path}: its header promises {_shape_text(shape)} = {size:,} bytes of data, found {found}"
        )
    return np.frombuffer(data, np.uint8).reshape(shape)


def one_line(text: object) -> str:
    """Put what a file, a server or a library says on one line of at most 200 characters."""
    printable = "".join(char if char.isprintable() else " " for char in str(text))
    return " ".join(printable.split())[:200]


@contextmanager
def _refusing_damage(path: Path, expected: str) -> Iterator[None]:
    """Turn what the standard library raises on damaged bytes into a DataError."""
    try:
        yield
    except DAMAGED as error:
        reason = one_line(getattr(error, "strerror", None) or error) or type(error).__name__
        raise DataError(f"{path}: cannot be read ({reason}); expected {expected}") from error


def _npz_members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Find the four arrays' members and check what the archive says about them."""
    by_name = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    missing = [name for name in IDX_FILES if name not in by_name]
    if missing:
        held = one_line(", ".join(list(by_name)[:8])) or "nothing"
        raise DataError(
            f"{path}: {', '.join(missing)} missing; expected x_train, y_train, x_test "
            f"and y_test, found {held}"
        )
    members = {name: by_name[name] for name in IDX_FILES}
    for name, info in members.items():
        if info.flag_bits & ENCRYPTED:
            raise DataError(f"{path}: {name} is encrypted; expected a plain archive")
    _check_size(path, sum(info.file_size for info in members.values()))
    return members


def _read_member(where: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    """Read one .npy member whose header must agree with the member's size."""
    with archive.open(info) as stream:
        head = io.BytesIO(stream.read(NPY_HEADER_BYTES))
        shape, fortran_order, dtype = _read_npy_header(head)
        _check_dtype(where, dtype)
        size, held = math.prod(shape) * dtype.itemsize, info.file_size - head.tell()
        if min(shape, default=1) < 1 or size != held:
            raise DataError(
                f"{where}: its header promises {_shape_text(shape)} of {dtype} = "
                f"{size:,} bytes, the archive holds {held:,}"
            )
        data = bytearray(head.read())
        data += _read_up_to(stream, size + 1 - len(data))
    if len(data) != size:
        raise DataError(f"{where}: expected {size:,} bytes, found {len(data):,}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")


def _read_npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read shape, Fortran order and dtype; raises what numpy raises."""
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError(f"npy format version {version[0]}.{version[1]}")
    # Version 3 differs from 2 in field names beyond latin-1, and arrays with fields are refused.
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    with warnings.catch_warnings():  # on headers that Python 2 wrote, and on odd literals
        warnings.simplefilter("ignore")
        shape, fortran_order, dtype = read(stream)
    return tuple(int(length) for length in shape), bool(fortran_order), dtype


def _check_dtype(where: str, dtype: np.dtype[Any]) -> None:
    if dtype.hasobject:
        raise DataError(f"{where} holds pickled objects, which are never loaded; expected numbers")
    if dtype.kind not in "biuf" or dtype.fields or dtype.subdtype:
        raise DataError(f"{where} holds {str(dtype)[:60]}; expected whole numbers or floats")


def _check_size(path: Path, size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(f"{path}: claims {size:,} bytes of data; expected at most {MAX_BYTES // 2**30} GiB")


def _read_up_to(stream: Stream, size: int) -> bytearray:
    """Read until `size` bytes or the end, a chunk at a time: a promised size allocates nothing."""
    data = bytearray()
    while len(data) < size:
        chunk = stream.read(min(CHUNK_BYTES, size - len(data)))
        if not chunk:
            break
        data += chunk
    return data


@contextmanager
def _open_plain_or_gzip(path: Path) -> Iterator[Stream]:
    """Open a file, through gzip where it begins as gzip does, whatever it is called."""
    with path.open("rb") as file:
        is_gzip = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        if not is_gzip:
            yield file
            return
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield unpacked


def _read_idx_shape(path: Path, stream: Stream, ndims: tuple[int, ...]) -> tuple[int, ...]:
    """Read an IDX header and check its type and number of dimensions."""
    magic = stream.read(IDX_MAGIC_BYTES)
    if len(magic) < IDX_MAGIC_BYTES or not magic.startswith(b"\0\0"):
        raise DataError(
            f"{path}: begins with {magic.hex(' ') or 'nothing'}; expected an IDX file, "
            f"which begins with 00 00 08 0{ndims[0]}"
        )
    kind, ndim = magic[2], magic[3]
    if kind != IDX_UBYTE:
        name = IDX_TYPES.get(kind, "unknown")
        raise DataError(f"{path}: holds IDX type {kind:#04x} ({name}); expected 0x08 (ubyte)")
    if ndim not in ndims:
        wanted = " or ".join(map(str, ndims))
        raise DataError(f"{path}: has {ndim} dimensions; expected {wanted}")
    header = stream.read(4 * ndim)
    if len(header) < 4 * ndim:
        raise DataError(
            f"{path}: ends within its header, after {4 + len(header)} bytes; expected {4 + 4 * ndim}"
        )
    shape = struct.unpack(f">{ndim}I", header)
    if 0 in shape:
        raise DataError(f"{path}: has the shape {_shape_text(shape)}; expected no empty dimension")
    return shape


def _shape_text(shape: tuple[int, ...]) -> str:
    """Write a shape as ``60000 x 28 x 28``."""
    return " x ".join(map(str, shape)) or "one number"
