"""The digits that come with scikit-learn, framed as MNIST's are: data that needs no network.

The set is the test part of the UCI Optical Recognition of Handwritten Digits (E. Alpaydin and
C. Kaynak, 1998): 1,797 images of 8x8 pixels in 0..16. MNIST's framing, 20x20 pixels about the
centre of mass in 28x28, is described at http://yann.lecun.com/exdb/mnist.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from reportgen.data.formats import Arrays

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

N_TRAIN = 1300
BRIGHTEST_IN_SOURCE = 16
DRAWN = 20
FRAME = 28


def obtain(timeout: float, say: Callable[[str], None] | None) -> tuple[Arrays, str]:
    """Load scikit-learn's digits as 28x28 images; the first 1,300 in its order are for training.

    Returns the arrays and the source's name. Needs no network, so both arguments go unused.
    """
    del timeout, say
    small, labels = _read()
    images = np.stack([frame_like_mnist(image) for image in small.reshape(-1, 8, 8)])
    return Arrays(
        x_train=images[:N_TRAIN],
        y_train=labels[:N_TRAIN],
        x_test=images[N_TRAIN:],
        y_test=labels[N_TRAIN:],
    ), "scikit-learn"


def _read() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read the file inside scikit-learn, whose import takes longer than all else; failing that, import it."""
    spec = find_spec("sklearn")
    path = Path(str(spec.origin)).parent / "datasets/data/digits.csv.gz" if spec else None
    if path is None or not path.is_file():
        small, labels = import_module("sklearn.datasets").load_digits(return_X_y=True)
        return small, labels
    rows = np.loadtxt(path, delimiter=",")
    return rows[:, :-1], rows[:, -1].astype(np.int64)


def frame_like_mnist(small: NDArray[Any]) -> NDArray[np.uint8]:
    """Draw an 8x8 image of 0..16 at 20x20 in a 28x28 frame, its centre of mass at the centre.

    Pillow resizes 8-bit images in whole numbers, and so does the rest: the result is bit-stable.
    """
    grey = (small.astype(np.int64) * 255 + BRIGHTEST_IN_SOURCE // 2) // BRIGHTEST_IN_SOURCE
    picture = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    drawn = np.asarray(picture.resize((DRAWN, DRAWN), Image.Resampling.BICUBIC))
    framed = np.zeros((FRAME, FRAME), np.uint8)
    top, left = (_offset(drawn.sum(axis=axis, dtype=np.int64)) for axis in (1, 0))
    framed[top : top + DRAWN, left : left + DRAWN] = drawn
    return framed


def _offset(mass: NDArray[np.int64]) -> int:
    """Find where a picture begins in the frame, so that its mass is centred and none is cut off."""
    total = int(mass.sum())
    if total == 0:
        return (FRAME - DRAWN) // 2
    # The centre of pixel i lies at i + 1/2; floor(a/b + 1/2) rounds in whole numbers.
    moment = int((mass * (2 * np.arange(DRAWN) + 1)).sum())
    offset = (FRAME * total - moment + total) // (2 * total)
    return min(max(offset, 0), FRAME - DRAWN)
