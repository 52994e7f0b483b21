"""Datasets: the one form that all data is brought into, what is refused, what is warned of."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reportgen.data import DATASETS, Dataset, load
from reportgen.data.digits import frame_like_mnist
from reportgen.errors import DataError, DatasetUnavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
MNIST_SHA256 = "902d2f6960b6b3d90998fcc6223893154c5e9dfbc8124bdddf043940af682d12"
DIGITS_SHA256 = "9994e07db99b62db6384ff398f87d86a4072ded9cb1ad0c001defe0f40a9010b"


def made_up(shape: tuple[int, ...] = (5, 4), **changed: Any) -> dict[str, Any]:
    """Make 6 training and 4 test images of 3 classes, with some arrays exchanged."""
    rng = np.random.default_rng(0)
    made = {
        "x_train": rng.integers(0, 256, (6, *shape), np.uint8),
        "y_train": np.array([0, 1, 2, 0, 1, 2], np.uint8),
        "x_test": rng.integers(0, 256, (4, *shape), np.uint8),
        "y_test": np.array([2, 1, 0, 1], np.uint8),
    }
    return made | changed


def saved(path: Path, **changed: Any) -> Path:
    np.savez(path, **made_up(**changed))
    return path


def refusal(path: Path | None = None, name: str | None = None, **more: Any) -> str:
    """Return the one line with which loading is refused."""
    with pytest.raises(DataError) as refused:
        load(name, path, **more)
    message = str(refused.value)
    assert "\n" not in message
    return message


# The form


def test_grey_images_get_a_channel_and_labels_become_int64(tmp_path: Path) -> None:
    data = load(path=saved(tmp_path / "mine.npz"))
    assert (data.name, data.title, data.source) == ("mine", "mine", "mine.npz")
    assert data.x_train.shape == (6, 5, 4, 1)
    assert data.x_train.dtype == np.uint8
    assert data.y_test.shape == (4,)
    assert data.y_test.dtype == np.int64
    assert (data.image_shape, data.n_train, data.n_test) == ((5, 4, 1), 6, 4)
    assert (data.class_names, data.n_classes) == (("0", "1", "2"), 3)
    assert (data.description, data.warnings) == ("", ())


def test_a_dataset_and_its_arrays_cannot_be_changed(tmp_path: Path) -> None:
    data = load(path=saved(tmp_path / "mine.npz"))
    with pytest.raises(FrozenInstanceError):
        data.name = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0] = 0


@pytest.mark.parametrize("dtype", ["u1", "i2", ">u4", "<i8", "u8"])
def test_whole_numbers_become_uint8(tmp_path: Path, dtype: str) -> None:
    raw = made_up()
    x = {key: raw[key].astype(dtype) for key in ("x_train", "x_test")}
    data = load(path=saved(tmp_path / "d.npz", **x))
    assert data.x_train.dtype == np.uint8
    np.testing.assert_array_equal(data.x_train[..., 0], raw["x_train"])


def test_booleans_become_black_and_white(tmp_path: Path) -> None:
    x = {key: made_up()[key] > 99 for key in ("x_train", "x_test")}
    assert set(np.unique(load(path=saved(tmp_path / "b.npz", **x)).x_train)) == {0, 255}


@pytest.mark.parametrize("dtype", ["f2", ">f4", "f8"])
def test_floats_of_0_to_1_stay_and_of_0_to_255_are_divided(tmp_path: Path, dtype: str) -> None:
    raw = made_up()
    unit = {key: (raw[key] / 255).astype(dtype) for key in ("x_train", "x_test")}
    full = {key: raw[key].astype(dtype) for key in ("x_train", "x_test")}
    small = load(path=saved(tmp_path / "s.npz", **unit))
    large = load(path=saved(tmp_path / "l.npz", **full))
    assert small.x_train.dtype == large.x_train.dtype == np.float32
    np.testing.assert_array_equal(small.x_train[..., 0], unit["x_train"].astype(np.float32))
    np.testing.assert_allclose(small.x_train, large.x_train, atol=1e-3)
    assert large.x_train.max() <= 1


def test_a_dark_test_set_is_scaled_as_its_training_set(tmp_path: Path) -> None:
    x_train = made_up()["x_train"].astype("f4")
    data = load(path=saved(tmp_path / "d.npz", x_train=x_train, x_test=np.ones((4, 5, 4), "f4")))
    np.testing.assert_allclose(data.x_test, 1 / 255)


@settings(max_examples=60, deadline=None)
@given(
    x=arrays(
        st.sampled_from(["u1", "i8", "f4", "f8", "?"]),
        st.lists(st.integers(0, 3), min_size=2, max_size=5).map(tuple),
    ),
    y=arrays(st.sampled_from(["u1", "i8", "f8", "?"]), st.integers(0, 3)),
)
def test_any_arrays_load_in_the_one_form_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, x: NDArray[Any], y: NDArray[Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    try:
        data = load(path=path)
    except DataError as error:
        assert str(path) in str(error)
        return
    assert data.x_train.dtype in (np.uint8, np.float32)
    assert data.x_train.max() <= (255 if data.x_train.dtype == np.uint8 else 1)
    assert data.x_train.shape == (len(y), *data.image_shape)
    assert 0 <= data.y_train.min() <= data.y_train.max() < data.n_classes


@pytest.mark.parametrize("channels", [1, 3, 16])
def test_images_may_have_up_to_16_channels(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "c.npz"
    np.savez(path, **made_up((5, 4, channels)))
    assert load(path=path).image_shape == (5, 4, channels)


@pytest.mark.parametrize(
    "y_train",
    [
        np.array([[0], [1], [2], [0], [1], [2]]),
        np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0]),
        np.eye(3)[[0, 1, 2, 0, 1, 2]],
        np.eye(3, dtype=bool)[[0, 1, 2, 0, 1, 2]],
    ],
)
def test_labels_as_a_column_floats_or_one_hot_are_understood(tmp_path: Path, y_train: NDArray[Any]) -> None:
    data = load(path=saved(tmp_path / "y.npz", y_train=y_train))
    assert data.y_train.tolist() == [0, 1, 2, 0, 1, 2]


# What is refused


def with_pixel(value: float, dtype: str = "f8") -> Any:
    x = made_up()["x_train"].astype(dtype)
    x[1, 2, 3] = value
    return x


def floats() -> Any:
    return made_up()["x_test"].astype("f8")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            {"x_train": with_pixel(np.nan), "x_test": floats()},
            "x_train has 1 NaN or infinite of 120 pixels, the first at (1, 2, 3)",
        ),
        ({"x_train": with_pixel(np.inf), "x_test": floats()}, "NaN or infinite"),
        (
            {"x_train": with_pixel(-0.5), "x_test": floats()},
            "x_train has the pixel -0.5 at (1, 2, 3); expected 0..1 or 0..255",
        ),
        ({"x_train": with_pixel(256, "i4")}, "the pixel 256 at (1, 2, 3); expected 0..255"),
        ({"x_train": with_pixel(-1, "i4")}, "the pixel -1 at (1, 2, 3)"),
        ({"x_test": floats()}, "x_train holds whole numbers, x_test floats"),
        ({"x_train": np.zeros((6, 784), "u1")}, "x_train has the shape (6, 784)"),
        ({"x_train": np.zeros((6, 3, 32, 32), "u1")}, "channels last, of at most 16"),
        ({"x_test": np.zeros((4, 4, 5), "u1")}, "images of (5, 4, 1), x_test of (4, 5, 1)"),
        ({"y_train": np.zeros(5, "u1")}, "x_train has 6 images, y_train 5 labels"),
        ({"y_test": np.array([0, 1, -1, 0])}, "y_test[2] is -1"),
        ({"y_test": np.array([0, 1, 0.5, 0])}, "y_test[2] is 0.5"),
        ({"y_test": np.array([0, np.nan, 0, 0])}, "y_test[1] is nan"),
        ({"y_test": np.array([0, np.inf, 0, 0])}, "y_test[1] is inf"),
        ({"y_test": np.array([0, 0, 0, 1000])}, "y_test[3] is 1000; expected a whole number"),
        ({"y_test": np.array([0, 0, 0, 2**64 - 1], "u8")}, "y_test[3] is 18446744073709551615"),
        ({"y_test": np.array([True, False, True, True])}, "y_test holds true or false"),
        ({"y_test": np.ones((4, 3), "u1")}, "row 0 is not one-hot"),
        ({"y_test": np.eye(4) * 2}, "row 0 is not one-hot"),
        ({"y_test": np.zeros((4, 1, 1), "u1")}, "y_test has the shape (4, 1, 1)"),
    ],
)
def test_what_cannot_be_images_and_labels_is_refused(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    path = saved(tmp_path / "bad.npz", **changed)
    message = refusal(path)
    assert reason in message
    assert str(path) in message


def test_a_label_beyond_the_class_names_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "n.npz")
    assert load(path=path, class_names=["a", "b", "c"]).class_names == ("a", "b", "c")
    assert "y_train[2] is 2; expected 0 to 1" in refusal(path, class_names=["a", "b"])


def test_a_path_that_leads_nowhere_or_to_something_else_is_refused(tmp_path: Path) -> None:
    assert "does not exist; expected an .npz file" in refusal(tmp_path / "gone.npz")
    assert "does not exist" in refusal(tmp_path / "nul\0.npz")
    (tmp_path / "data.csv").write_text("1,2")
    assert "unknown kind" in refusal(tmp_path / "data.csv")
    assert "holds no IDX files" in refusal(tmp_path)
    assert "cannot be read: File name too long" in refusal(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe.npz")
    assert "is neither file nor folder" in refusal(tmp_path / "pipe.npz")


def test_neither_name_nor_path_and_an_unknown_name_are_refused() -> None:
    assert "mnist, fashion_mnist, cifar10, digits" in refusal()
    assert "did you mean 'fashion_mnist'?" in refusal(name="fashion-mnist")


# The content's hash


def test_the_hash_is_of_the_content_and_not_of_the_file(tmp_path: Path) -> None:
    raw = made_up()
    np.savez(tmp_path / "a.npz", **raw)
    np.savez_compressed(
        tmp_path / "b.npz",
        x_train=np.asfortranarray(raw["x_train"].astype(">i4"))[..., np.newaxis],
        y_train=raw["y_train"].astype(float).reshape(-1, 1),
        x_test=raw["x_test"].astype("i8"),
        y_test=raw["y_test"].astype(">u2"),
    )
    folder = tmp_path / "c"
    folder.mkdir()
    for key, stem in (("train", "train"), ("test", "t10k")):
        for axis, kind in (("x", "images-idx3"), ("y", "labels-idx1")):
            array = raw[f"{axis}_{key}"]
            header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
            packed = gzip.compress(header + array.tobytes())
            (folder / f"{stem}-{kind}-ubyte.gz").write_bytes(packed)
    hashes = {load(path=tmp_path / name).sha256 for name in ("a.npz", "b.npz", "c")}
    assert len(hashes) == 1


@pytest.mark.parametrize("key", ["x_train", "y_train", "x_test", "y_test"])
def test_the_hash_changes_with_each_array(tmp_path: Path, key: str) -> None:
    array = made_up()[key]
    array[-1] = 1 - np.minimum(array[-1], 1)
    changed = load(path=saved(tmp_path / "a.npz", **{key: array}))
    assert changed.sha256 != load(path=saved(tmp_path / "b.npz")).sha256


# Names


def test_a_folder_lends_its_name_even_as_a_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my.letters"
    folder.mkdir()
    test_the_hash_is_of_the_content_and_not_of_the_file(tmp_path)
    for path in (tmp_path / "c").iterdir():
        path.rename(folder / path.name)
    assert load(path=folder).name == "my.letters"
    monkeypatch.chdir(folder)
    assert load(path=Path()).name == "my.letters"


def test_a_link_keeps_the_name_that_the_user_gave(tmp_path: Path) -> None:
    saved(tmp_path / "0a1b.npz")
    (tmp_path / "letters.npz").symlink_to("0a1b.npz")
    assert load(path=tmp_path / "letters.npz").name == "letters"


def test_a_path_that_bears_out_a_name_gets_its_title_and_classes(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    np.savez(path, **made_up((28, 28)))
    data = load("fashion_mnist", path)
    assert (data.name, data.title, data.n_classes) == ("fashion_mnist", "Fashion-MNIST", 10)
    assert data.class_names[9] == "Ankle boot"
    assert data.warnings[0] == (
        "The data, 6 training and 4 test images, is not Fashion-MNIST as published, "
        "so results are not comparable with results on it."
    )


def test_a_path_that_belies_its_name_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "wrong.npz")
    assert "the shape (5, 4, 1); expected (28, 28, 1) of MNIST" in refusal(path, "mnist")
    np.savez(path, **made_up((28, 28), y_test=np.array([0, 10, 0, 0])))
    assert "y_test[1] is 10; expected 0 to 9" in refusal(path, "mnist")


def test_one_datasets_content_by_another_datasets_name_is_refused(tmp_path: Path) -> None:
    data = load("digits")
    path = tmp_path / "d.npz"
    arrays_of = {key: getattr(data, key) for key in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(path, **arrays_of)
    assert "its content is Digits; expected Fashion-MNIST" in refusal(path, "fashion_mnist")
    assert load(path=path).name == "digits"


# Where a named dataset is looked for


def test_the_environment_may_name_a_file_or_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "mnist.npz", **made_up((28, 28)))
    for value in (tmp_path, tmp_path / "mnist.npz"):
        monkeypatch.setenv("REPORTGEN_DATA", str(value))
        data = load("mnist")
        assert (data.title, data.source, data.n_train) == ("MNIST", "mnist.npz", 6)


def test_an_environment_that_lacks_the_dataset_is_refused_with_what_was_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTGEN_DATA", str(tmp_path))
    assert "holds neither cifar10.npz nor IDX files" in refusal(name="cifar10")
    monkeypatch.setenv("REPORTGEN_DATA", str(tmp_path / "gone"))
    message = refusal(name="mnist")
    assert "which REPORTGEN_DATA names, does not exist" in message


def test_an_empty_environment_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTGEN_DATA", "")

    def nowhere(*_: object) -> None:
        raise DatasetUnavailable("asked Keras' cache")

    monkeypatch.setattr("reportgen.data._obtain", nowhere)
    assert refusal(name="mnist") == "asked Keras' cache"


# Warnings


def test_classes_that_a_split_lacks_are_warned_of(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.npz", y_test=np.array([0, 0, 0, 4]))
    assert load(path=path, class_names=["ant", "bee", "cow", "dog", "elk"]).warnings == (
        "The training set has no image of classes dog and elk.",
        "The test set has no image of classes bee, cow and dog.",
    )
    path = saved(tmp_path / "w.npz", y_test=np.array([0, 0, 0, 30]))
    assert load(path=path).warnings[0].endswith("10, 11, 12 and 18 more.")


def test_a_single_class_is_warned_of(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.npz", y_train=np.full(6, 7), y_test=np.full(4, 7))
    assert load(path=path).warnings == ("All images are of one class, 7, so there is nothing to tell apart.",)


def test_test_images_that_also_occur_in_training_are_counted(tmp_path: Path) -> None:
    raw = made_up()
    raw["x_test"][2] = raw["x_train"][5]
    assert load(path=saved(tmp_path / "w.npz", **raw)).warnings == (
        "1 of the 4 test images (25.00%) also occur in the training set, pixel for pixel.",
    )


@pytest.mark.parametrize(("value", "dtype"), [(1, "u1"), (1.02, "f4")])
def test_images_on_a_mistaken_scale_are_warned_of(tmp_path: Path, value: float, dtype: str) -> None:
    raw = made_up()
    x = {key: (raw[key] / 255 * value).astype(dtype) for key in ("x_train", "x_test")}
    x["x_train"][0, 0, 0] = value
    assert load(path=saved(tmp_path / "w.npz", **x)).warnings[-1] == (
        f"The brightest pixel is {value} on a scale of 0 to 255, so the images are all but black."
    )


# The known datasets


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def test_the_digits_need_nothing_and_never_change(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTGEN_DATA", "/nowhere")
    again = load("digits")
    assert again.sha256 == digits.sha256 == DIGITS_SHA256
    assert (again.n_train, again.n_test, again.image_shape) == (1300, 497, (28, 28, 1))
    assert (again.source, again.warnings) == ("scikit-learn", ())
    assert again.y_train[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_the_digits_are_framed_as_mnists_are(digits: Dataset) -> None:
    x = np.concatenate([digits.x_train, digits.x_test])[..., 0].astype(float)
    centres = np.arange(28) + 0.5
    for axis in (1, 2):
        mass = x.sum(axis=3 - axis)
        off_centre = np.abs((mass * centres).sum(axis=1) / mass.sum(axis=1) - 14)
        assert np.mean(off_centre <= 0.5) > 0.99
        assert off_centre.max() < 2  # where the frame's edge stood in the way
    assert (x.max(axis=(1, 2)) > 200).all()


def test_nothing_of_a_digit_is_cut_off() -> None:
    corner = np.zeros((8, 8))
    corner[:, 0] = 16
    framed = frame_like_mnist(corner)
    assert (framed > 128).any(axis=1).sum() == 20
    assert frame_like_mnist(np.zeros((8, 8))).max() == 0


def test_every_known_dataset_is_described() -> None:
    assert list(DATASETS) == ["mnist", "fashion_mnist", "cifar10", "digits"]
    for known in DATASETS.values():
        assert len(known.class_names) == 10
        assert known.description.endswith(".")


@pytest.mark.mnist
def test_real_mnist_is_recognised_by_its_content(mnist_path: Path, tmp_path: Path) -> None:
    (tmp_path / "numbers.npz").symlink_to(mnist_path)
    data = load(path=tmp_path / "numbers.npz")
    assert (data.name, data.title, data.sha256) == ("mnist", "MNIST", MNIST_SHA256)
    assert (data.n_train, data.n_test, data.warnings) == (60_000, 10_000, ())
    assert data.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.x_train.mean() / 255 == pytest.approx(0.13066, abs=1e-5)


@pytest.mark.mnist
def test_real_mnist_given_as_fashion_mnist_is_refused(mnist_path: Path) -> None:
    assert "its content is MNIST; expected Fashion-MNIST" in refusal(mnist_path, "fashion_mnist")


def test_loading_data_imports_neither_keras_nor_tensorflow() -> None:
    code = (
        "import sys, reportgen.data\n"
        "heavy = {'keras', 'tensorflow', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
