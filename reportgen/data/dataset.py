"""Check raw arrays and make a Dataset of them: one form, a content hash, sentences of warning."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from reportgen.data.formats import Arrays
from reportgen.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

MAX_CHANNELS = 16
MAX_LABEL = 999
MAX_NAMED = 10
BRIGHTEST = 255
DIM = 2  # a brightest pixel of up to 2 of 255 means a scale that was mistaken
KINDS = {"b": "true or false", "i": "whole numbers", "u": "whole numbers", "f": "floats"}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Hold a labelled set of images, split into training and test, in one form.

    x_*: (n, h, w, c), uint8 in 0..255 or float32 in 0..1. y_*: (n,) int64 from 0. All read-only.
    sha256 is of the arrays' content, whatever file they came in; source is for the reader and
    never an absolute path; warnings are sentences for a report. repeats counts the test images
    that are in the training set too, pixel for pixel; None where they were not counted.
    """

    name: str
    title: str
    x_train: NDArray[Any]
    y_train: NDArray[np.int64]
    x_test: NDArray[Any]
    y_test: NDArray[np.int64]
    class_names: tuple[str, ...]
    sha256: str
    source: str
    description: str
    warnings: tuple[str, ...]
    repeats: int | None = None

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one image."""
        _, height, width, channels = self.x_train.shape
        return height, width, channels

    @property
    def n_classes(self) -> int:
        """Number of classes, whether or not each has an image."""
        return len(self.class_names)

    @property
    def n_train(self) -> int:
        """Number of training images."""
        return len(self.x_train)

    @property
    def n_test(self) -> int:
        """Number of test images."""
        return len(self.x_test)


def normalise(raw: Arrays, where: str) -> Arrays:
    """Check raw arrays and bring them into a Dataset's form; `where` names them in errors.

    Images may be (n, h, w) or (n, h, w, c) of whole numbers in 0..255, booleans, or floats in 0..1
    or 0..255; labels (n,), (n, 1) or one-hot (n, k). Raises DataError for anything else.
    """
    for key in ("x_train", "x_test"):
        _check_image_shape(getattr(raw, key), f"{where}: {key}")
    x_train, x_test = _normalise_pixels(raw.x_train, raw.x_test, where)
    clean = Arrays(
        x_train=x_train,
        y_train=_normalise_labels(raw.y_train, f"{where}: y_train"),
        x_test=x_test,
        y_test=_normalise_labels(raw.y_test, f"{where}: y_test"),
    )
    _check_they_fit(clean, where)
    return clean


def content_sha256(clean: Arrays) -> str:
    """Hash the arrays' names, dtypes, shapes and bytes, whatever file they came in."""
    digest = hashlib.sha256()
    for field in fields(clean):
        array = getattr(clean, field.name)
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        digest.update(f"{field.name} {little.dtype.str} {little.shape}\n".encode())
        digest.update(little.data.cast("B"))
    return digest.hexdigest()


def name_classes(clean: Arrays, class_names: Sequence[str] | None, where: str) -> tuple[str, ...]:
    """Give the classes' names, or their numbers; raise DataError for a label without a name."""
    highest = max(int(clean.y_train.max()), int(clean.y_test.max()))
    if class_names is None:
        return tuple(str(label) for label in range(highest + 1))
    for key, labels in (("y_train", clean.y_train), ("y_test", clean.y_test)):
        beyond = labels >= len(class_names)
        if beyond.any():
            index = int(beyond.argmax())
            raise DataError(
                f"{where}: {key}[{index}] is {labels[index]}; expected 0 to "
                f"{len(class_names) - 1}, as {len(class_names)} classes are named"
            )
    return tuple(class_names)


def warn(clean: Arrays, class_names: tuple[str, ...], repeats: int) -> tuple[str, ...]:
    """Say what a reader of results on this data should know, a sentence each."""
    sentences = [*_warn_of_classes(clean, class_names), *_warn_of_repeats(repeats, len(clean.x_test))]
    brightest = max(clean.x_train.max(), clean.x_test.max())
    scale = 1 if clean.x_train.dtype == np.uint8 else BRIGHTEST
    if brightest * scale <= DIM:
        sentences.append(
            f"The brightest pixel is {brightest * scale:.3g} on a scale of 0 to 255, "
            "so the images are all but black."
        )
    return tuple(sentences)


def _check_image_shape(x: NDArray[Any], where: str) -> None:
    if x.ndim not in (3, 4):
        raise DataError(f"{where} has the shape {x.shape}; expected (n, h, w) or (n, h, w, c)")
    if 0 in x.shape:
        raise DataError(f"{where} has the shape {x.shape}; expected at least one image and pixel")
    if x.shape[3:] > (MAX_CHANNELS,):
        raise DataError(
            f"{where} has the shape {x.shape}; expected (n, h, w, c), channels last, "
            f"of at most {MAX_CHANNELS}"
        )


def _normalise_pixels(
    x_train: NDArray[Any], x_test: NDArray[Any], where: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Bring both splits to uint8 or float32 by one decision, lest a dark split be brightened."""
    kinds = [KINDS.get(x.dtype.kind, str(x.dtype)) for x in (x_train, x_test)]
    for key, kind in zip(("x_train", "x_test"), kinds, strict=True):
        if kind not in KINDS.values():
            raise DataError(f"{where}: {key} holds {kind}; expected whole numbers or floats")
    if kinds[0] != kinds[1]:
        raise DataError(f"{where}: x_train holds {kinds[0]}, x_test {kinds[1]}; expected the same of both")
    highest = max(_check_pixels(x_train, f"{where}: x_train"), _check_pixels(x_test, f"{where}: x_test"))
    return _convert_pixels(x_train, highest), _convert_pixels(x_test, highest)


def _check_pixels(x: NDArray[Any], where: str) -> float:
    """Return the highest pixel; raise DataError for one that is not finite or not in 0..255."""
    if x.dtype.kind == "f" and not (finite := np.isfinite(x)).all():
        raise DataError(
            f"{where} has {int((~finite).sum()):,} NaN or infinite of {x.size:,} pixels, "
            f"the first at {_first(~finite)}; expected 0..1 or 0..255"
        )
    lowest, highest = x.min(), x.max()
    if lowest < 0 or highest > BRIGHTEST:
        at = _first((x < 0) | (x > BRIGHTEST))
        wanted = "0..1 or 0..255" if x.dtype.kind == "f" else "0..255"
        raise DataError(f"{where} has the pixel {x[at]} at {at}; expected {wanted}")
    return float(highest)


def _convert_pixels(x: NDArray[Any], highest: float) -> NDArray[Any]:
    if x.dtype.kind == "b":
        x = x.astype(np.uint8) * np.uint8(BRIGHTEST)
    elif x.dtype.kind == "f":
        x = x.astype(np.float32) / np.float32(1 if highest <= 1 else BRIGHTEST)
    else:
        x = x.astype(np.uint8, copy=False)
    return np.ascontiguousarray(x).reshape(*x.shape[:3], -1)


def _normalise_labels(y: NDArray[Any], where: str) -> NDArray[np.int64]:
    """Bring labels (n,), (n, 1) or one-hot (n, k) to (n,) int64."""
    if y.ndim not in (1, 2) or 0 in y.shape:
        raise DataError(f"{where} has the shape {y.shape}; expected (n,), (n, 1) or one-hot (n, k)")
    if y.shape[1:] > (1,):
        y = _from_one_hot(y, where)
    y = y.reshape(-1)
    if y.dtype.kind not in "iuf":
        raise DataError(
            f"{where} holds {KINDS.get(y.dtype.kind, str(y.dtype))} (the first is "
            f"{y[0]}); expected whole numbers from 0"
        )
    wrong = ~((y >= 0) & (y <= MAX_LABEL))  # so put, NaN is wrong too
    if y.dtype.kind == "f":
        wrong |= y != np.floor(y)
    if wrong.any():
        index = int(wrong.argmax())
        raise DataError(f"{where}[{index}] is {y[index]}; expected a whole number from 0 to {MAX_LABEL}")
    return y.astype(np.int64)


def _from_one_hot(y: NDArray[Any], where: str) -> NDArray[np.int64]:
    wrong = ~(((y == 0) | (y == 1)).all(axis=1) & ((y == 1).sum(axis=1) == 1))
    if wrong.any():
        index = int(wrong.argmax())
        raise DataError(
            f"{where} has the shape {y.shape}, but row {index} is not one-hot; "
            "expected a single 1 among 0s in every row"
        )
    labels: NDArray[np.int64] = np.argmax(y == 1, axis=1)
    return labels


def _check_they_fit(clean: Arrays, where: str) -> None:
    """Check that each image has a label and that all images have one shape."""
    for split in ("train", "test"):
        n_images, n_labels = (len(getattr(clean, f"{axis}_{split}")) for axis in "xy")
        if n_images != n_labels:
            raise DataError(
                f"{where}: x_{split} has {n_images:,} images, y_{split} {n_labels:,} labels; expected as many"
            )
    train, test = clean.x_train.shape[1:], clean.x_test.shape[1:]
    if train != test:
        raise DataError(
            f"{where}: x_train has images of {train}, x_test of {test}; expected one shape (h, w, c)"
        )


def _warn_of_classes(clean: Arrays, class_names: tuple[str, ...]) -> Iterable[str]:
    present = {"training": set(clean.y_train.tolist()), "test": set(clean.y_test.tolist())}
    everywhere = present["training"] | present["test"]
    if len(everywhere) == 1:
        yield (
            f"All images are of one class, {class_names[everywhere.pop()]}, "
            "so there is nothing to tell apart."
        )
        return
    for split, labels in present.items():
        absent = [name for label, name in enumerate(class_names) if label not in labels]
        if absent:
            yield f"The {split} set has no image of {_listing(absent)}."


def count_repeats(clean: Arrays) -> int:
    """Count the test images that also occur in the training set, pixel for pixel."""
    training = set(_fingerprints(clean.x_train))
    return sum(image in training for image in _fingerprints(clean.x_test))


def _warn_of_repeats(repeats: int, n_test: int) -> Iterable[str]:
    if repeats:
        yield (
            f"{repeats:,} of the {n_test:,} test images ({repeats / n_test:.2%}) also occur in the "
            "training set, pixel for pixel."
        )


def _fingerprints(x: NDArray[Any]) -> Iterable[bytes]:
    """Digest each image, so that comparing holds 16 bytes of each and no second copy."""
    for image in x:
        yield hashlib.blake2b(image, digest_size=16).digest()


def _listing(names: Sequence[str]) -> str:
    """Write ``class 3`` or ``classes 3, 7 and 9``, the first ten by name."""
    if len(names) == 1:
        return f"class {names[0]}"
    if len(names) > MAX_NAMED:
        return f"classes {', '.join(names[:MAX_NAMED])} and {len(names) - MAX_NAMED} more"
    return f"classes {', '.join(names[:-1])} and {names[-1]}"


def _first(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Find the first true element's index."""
    return tuple(int(axis) for axis in np.unravel_index(int(mask.argmax()), mask.shape))
