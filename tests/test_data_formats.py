"""Reading .npz and IDX: what is valid comes back as it was, whatever else is one DataError."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reportgen.data import Dataset, load
from reportgen.data.formats import (
    MAX_BYTES,
    find_idx_files,
    read_idx,
    read_idx_folder,
    read_npz,
)
from reportgen.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = ("x_train", "y_train", "x_test", "y_test")
IDX_NAMES = dict(
    zip(
        NAMES,
        (
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
        ),
        strict=True,
    )
)
SHAPES = st.lists(st.integers(1, 4), min_size=0, max_size=5).map(tuple)
DTYPES = st.sampled_from(["u1", "i1", ">u2", "<i4", ">i8", "u8", "f2", "<f4", ">f8", "?"])
few = settings(max_examples=60, deadline=None)
many = settings(max_examples=250, deadline=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that Hypothesis' examples may share, each writing over the last."""
    return tmp_path_factory.mktemp("formats")


def tiny() -> dict[str, Any]:
    """Make a valid dataset of 6 training and 4 test images."""
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (6, 5, 4), np.uint8),
        "y_train": np.array([0, 1, 2, 0, 1, 2], np.uint8),
        "x_test": rng.integers(0, 256, (4, 5, 4), np.uint8),
        "y_test": np.array([2, 1, 0, 1], np.uint8),
    }


def npy(array: NDArray[Any], version: tuple[int, int] | None = None) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version, allow_pickle=True)
    return stream.getvalue()


def npy_claiming(header: str, data: bytes = b"") -> bytes:
    text = header.encode("latin-1", "replace")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED, suffix: str = ".npy") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name + suffix, data)
    return stream.getvalue()


def npz_with(x_train: bytes) -> bytes:
    """Make an archive that is valid but for the member x_train."""
    return zipped({name: npy(array) for name, array in tiny().items()} | {"x_train": x_train})


def idx(array: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def write_idx_folder(folder: Path, suffix: str = "") -> Path:
    for name, array in tiny().items():
        data = idx(array)
        write(folder / (IDX_NAMES[name] + suffix), gzip.compress(data) if suffix else data)
    return folder


def refusal(path: Path) -> str:
    """Return the one line with which loading a path is refused."""
    with pytest.raises(DataError) as refused:
        load(path=path)
    message = str(refused.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def loads_or_refuses(path: Path) -> None:
    try:
        assert isinstance(load(path=path), Dataset)
    except DataError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)


@st.composite
def damaged(draw: st.DrawFn, valid: bytes) -> bytes:
    """Overwrite, insert, cut out or cut off bytes of something valid."""
    data = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["overwrite", "insert", "cut", "truncate"])):
            case "overwrite":
                put = draw(st.binary(min_size=1, max_size=8))
                data[start : start + len(put)] = put
            case "insert":
                data[start:start] = draw(st.binary(min_size=1, max_size=8))
            case "cut":
                del data[start : start + draw(st.integers(1, 64))]
            case "truncate":
                del data[start:]
    return bytes(data)


# .npz


@few
@given(data=st.data(), compressed=st.booleans(), fortran=st.booleans())
def test_an_npz_gives_back_arrays_of_any_shape_and_dtype(
    folder: Path, data: st.DataObject, compressed: bool, fortran: bool
) -> None:
    written: dict[str, Any] = {
        name: data.draw(arrays(data.draw(DTYPES), data.draw(SHAPES))) for name in NAMES
    }
    if fortran:
        written = {name: np.asfortranarray(array) for name, array in written.items()}
    path = folder / "any.npz"
    (np.savez_compressed if compressed else np.savez)(path, **written)
    read = read_npz(path)
    for name, array in written.items():
        assert getattr(read, name).dtype == array.dtype
        np.testing.assert_array_equal(getattr(read, name), array)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_npy_format_version_is_read(tmp_path: Path, version: tuple[int, int]) -> None:
    members = {name: npy(array, version) for name, array in tiny().items()}
    read = read_npz(write(tmp_path / "v.npz", zipped(members)))
    np.testing.assert_array_equal(read.x_train, tiny()["x_train"])


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_every_compression_of_a_zip_is_read_whole_or_refused_damaged(folder: Path, compression: int) -> None:
    valid = zipped({name: npy(array) for name, array in tiny().items()}, compression)
    assert load(path=write(folder / "c.npz", valid)).n_train == 6
    for position in range(0, len(valid), 7):
        broken = bytearray(valid)
        broken[position] ^= 0x41
        loads_or_refuses(write(folder / "c.npz", bytes(broken)))


@many
@given(data=st.data(), stored=st.booleans())
def test_a_damaged_npz_loads_or_is_refused(folder: Path, data: st.DataObject, stored: bool) -> None:
    compression = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    valid = zipped({name: npy(array) for name, array in tiny().items()}, compression)
    loads_or_refuses(write(folder / "d.npz", data.draw(damaged(valid))))


@many
@given(data=st.data())
def test_a_damaged_npy_within_a_sound_zip_loads_or_is_refused(folder: Path, data: st.DataObject) -> None:
    member = data.draw(damaged(npy(tiny()["x_train"], data.draw(st.sampled_from([(1, 0), (2, 0)])))))
    loads_or_refuses(write(folder / "m.npz", npz_with(member)))


@many
@given(
    descr=st.sampled_from(["'|u1'", "'O'", "'<U3'", "[('a','<i4')]", "('u1',(2,))", "'M8[D]'", "7"])
    | st.text(max_size=6).map(repr),
    order=st.sampled_from(["True", "False", "0", "None"]),
    shape=st.lists(st.integers(-2, 5) | st.sampled_from([2**31, 2**63, 2**64, 10**30]), max_size=6).map(tuple)
    | st.sampled_from(["3", "(6.0, 5, 4)", "(True, 5)", "'abc'", "(((", "(" * 300]),
    data=st.binary(max_size=130),
)
def test_any_npy_header_loads_or_is_refused(
    folder: Path, descr: str, order: str, shape: object, data: bytes
) -> None:
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}\n"
    loads_or_refuses(write(folder / "h.npz", npz_with(npy_claiming(header, data))))


@many
@given(data=st.binary(max_size=300))
def test_random_bytes_are_refused_as_an_npz(folder: Path, data: bytes) -> None:
    refusal(write(folder / "random.npz", data))


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (npy(np.array([None, {}], object)), "pickled objects"),
        (npy(np.array(["a", "b"])), "<U1"),
        (npy(np.array([b"a"])), "S1"),
        (npy(np.zeros(2, [("a", "i4")])), "'a'"),
        (npy(np.zeros(2, "M8[D]")), "datetime64"),
        (npy(np.zeros(2, complex)), "complex128"),
        (npy(np.zeros((0, 28, 28))), "0 x 28 x 28"),
        (npy_claiming("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 2)}"), "-1 x 2"),
        (
            npy_claiming("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", b"abc"),
            "holds 3",
        ),
        (npy_claiming("{}" + " " * 20_000), "cannot be read"),
        (b"\x93NUMPY\x07\x00" + bytes(80), "version 7.0"),
        (b"", "cannot be read"),
        (b"not an array", "cannot be read"),
    ],
)
def test_an_npy_member_of_the_wrong_kind_is_refused(tmp_path: Path, member: bytes, reason: str) -> None:
    message = refusal(write(tmp_path / "w.npz", npz_with(member)))
    assert reason in message


def test_a_missing_array_is_named_with_those_found(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    np.savez(path, images=np.zeros(3), x_test=np.zeros(3))
    message = refusal(path)
    assert "x_train, y_train, y_test missing" in message
    assert "found images, x_test" in message


def test_odd_names_within_an_archive_stay_on_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.npz", zipped({"a\nb\x1b[31m": b""}))
    assert "found a b [31m" in refusal(path)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({name: npy(array) for name, array in tiny().items()}))
    for signature, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags_at] |= 1
    assert "x_train is encrypted" in refusal(write(tmp_path / "e.npz", bytes(data)))


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    members = {name: npy(array) for name, array in tiny().items()}
    data = bytearray(zipped(members, zipfile.ZIP_STORED))
    data[data.index(tiny()["x_train"].tobytes())] ^= 1
    assert "CRC" in refusal(write(tmp_path / "crc.npz", bytes(data)))


def test_what_is_no_zip_or_cut_short_is_refused(tmp_path: Path) -> None:
    valid = zipped({name: npy(array) for name, array in tiny().items()})
    assert "not a zip file" in refusal(write(tmp_path / "a.npz", b"hello"))
    assert "not a zip file" in refusal(write(tmp_path / "b.npz", valid[: len(valid) // 2]))
    assert "not a zip file" in refusal(write(tmp_path / "c.npz", b""))


# What a header claims is not allocated


@contextmanager
def little_memory() -> Iterator[None]:
    """Check that what happens within allocates less than 6 MB at any one time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 6e6
    finally:
        tracemalloc.stop()


def test_an_npy_of_128_bytes_that_claims_32_gib_allocates_nothing(tmp_path: Path) -> None:
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296,)}"
    member = npy_claiming(header.ljust(117) + "\n")
    assert len(member) == 128
    path = write(tmp_path / "claim.npz", npz_with(member))
    with little_memory():
        message = refusal(path)
    assert "34,359,738,368 bytes, the archive holds 0" in message


@pytest.mark.parametrize("claim", [2**32 - 2, 2**31])
def test_an_archive_that_claims_more_than_it_holds_allocates_nothing(tmp_path: Path, claim: int) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({claim},)}}"
    member = npy_claiming(header.ljust(117) + "\n", b"data")
    data = bytearray(npz_with(member))
    at = data.rindex(b"x_train.npy") - 46 + 24  # uncompressed size, in the central directory
    data[at : at + 4] = struct.pack("<I", min(claim + 128, 2**32 - 2))
    path = write(tmp_path / "claim.npz", bytes(data))
    with little_memory():
        refusal(path)


def test_an_npy_header_that_claims_4_gib_of_header_is_not_read(tmp_path: Path) -> None:
    member = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b" " * 2**20
    path = write(tmp_path / "header.npz", npz_with(member))
    with little_memory():
        assert "cannot be read" in refusal(path)


def test_an_archive_beyond_the_cap_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_BYTES == 8 * 2**30
    monkeypatch.setattr("reportgen.data.formats.MAX_BYTES", 100)
    path = write(tmp_path / "cap.npz", zipped({n: npy(array) for n, array in tiny().items()}))
    assert "expected at most" in refusal(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_idx_that_claims_4_gib_allocates_nothing(tmp_path: Path, pack: Any) -> None:
    header = struct.pack(">4B3I", 0, 0, 8, 3, 2**16, 2**8, 2**8)
    path = write(tmp_path / "claim", pack(header + b"data"))
    with (
        little_memory(),
        pytest.raises(DataError, match=r"4,294,967,296 bytes of data, found 4$"),
    ):
        read_idx(path, (3,))


def test_a_gzip_bomb_is_unpacked_no_further_than_its_header_says(tmp_path: Path) -> None:
    bomb = gzip.compress(idx(np.zeros((2, 3), np.uint8)) + bytes(2 * 10**7))
    path = write(tmp_path / "bomb.gz", bomb)
    with little_memory(), pytest.raises(DataError, match="found more"):
        read_idx(path, (2,))


def test_an_idx_beyond_the_cap_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "big", struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 9))
    with pytest.raises(DataError, match="expected at most 8 GiB"):
        read_idx(path, (3,))


# IDX


@few
@given(data=st.data(), packed=st.booleans())
def test_an_idx_file_gives_back_its_array(folder: Path, data: st.DataObject, packed: bool) -> None:
    shape = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple))
    array = data.draw(arrays(np.uint8, shape))
    written = gzip.compress(idx(array)) if packed else idx(array)
    read = read_idx(write(folder / "any-idx", written), (len(shape),))
    np.testing.assert_array_equal(read, array)


@many
@given(data=st.data(), packed=st.booleans())
def test_a_damaged_idx_loads_or_is_refused(folder: Path, data: st.DataObject, packed: bool) -> None:
    valid = idx(tiny()["x_train"])
    broken = data.draw(damaged(gzip.compress(valid, mtime=0) if packed else valid))
    path = write(folder / "broken-idx", broken)
    try:
        assert read_idx(path, (3, 4)).ndim in (3, 4)
    except DataError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)


@many
@given(data=st.binary(max_size=200), prefix=st.sampled_from([b"", b"\x1f\x8b\x08", b"\0\0\x08\x03"]))
def test_random_bytes_are_refused_as_idx(folder: Path, data: bytes, prefix: bytes) -> None:
    with pytest.raises(DataError):
        read_idx(write(folder / "random-idx", prefix + b"\xff" + data), (3,))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_folder_of_idx_files_is_read(tmp_path: Path, suffix: str) -> None:
    read = read_idx_folder(write_idx_folder(tmp_path, suffix))
    for name, array in tiny().items():
        np.testing.assert_array_equal(getattr(read, name), array)


def test_the_spelling_with_a_dot_is_found(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert set(find_idx_files(tmp_path)) == set(NAMES)


def test_colour_images_of_four_dimensions_are_read(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    for name, n in (("x_train", 6), ("x_test", 4)):
        write(tmp_path / IDX_NAMES[name], idx(np.full((n, 5, 4, 3), n, np.uint8)))
    assert load(path=tmp_path).image_shape == (5, 4, 3)


def test_a_gzip_by_another_name_is_read_all_the_same(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    write(tmp_path / IDX_NAMES["x_train"], gzip.compress(idx(tiny()["x_train"])))
    assert load(path=tmp_path).n_train == 6


def test_missing_idx_files_are_named(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    (tmp_path / IDX_NAMES["y_train"]).unlink()
    (tmp_path / IDX_NAMES["x_test"]).unlink()
    message = refusal(tmp_path)
    assert "train-labels-idx1-ubyte, t10k-images-idx3-ubyte missing" in message


GOOD = idx(tiny()["x_train"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "begins with nothing"),
        (b"PK\x03\x04rest", "begins with 50 4b 03 04"),
        (b"\0\0\x0d\x03" + GOOD[4:], r"type 0x0d \(float\)"),
        (b"\0\0\x42\x03" + GOOD[4:], r"type 0x42 \(unknown\)"),
        (b"\0\0\x08\x02" + GOOD[4:], "2 dimensions; expected 3 or 4"),
        (GOOD[:9], "within its header, after 9 bytes; expected 16"),
        (GOOD[:-1], "6 x 5 x 4 = 120 bytes of data, found 119"),
        (GOOD + b"!", "6 x 5 x 4 = 120 bytes of data, found more"),
        (b"\0\0\x08\x03" + bytes(12), "0 x 0 x 0"),
        (gzip.compress(GOOD)[:-9], "cannot be read"),
        (gzip.compress(GOOD)[:-8] + bytes(8), "CRC"),
        (gzip.compress(GOOD) + b"garbage", "cannot be read"),
        (gzip.compress(GOOD) + gzip.compress(b"more"), "found more"),
    ],
)
def test_an_idx_file_that_is_not_as_it_should_be_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = write(tmp_path / "train-images-idx3-ubyte", data)
    with pytest.raises(DataError, match=reason) as refused:
        read_idx(path, (3, 4))
    assert str(path) in str(refused.value)


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        find_idx_files(tmp_path / "gone")
