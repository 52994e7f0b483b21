"""A lab's data as the code that loads it in a notebook, without reportgen.

Each gives x_train, x_test (n, h, w, c) as float32 from 0 to 1 and y_train, y_test (n,) as whole numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportgen.data import DATASETS
from reportgen.report.keras_code import comment, docstring
from reportgen.text import inert
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from reportgen.lab import Protocol
    from reportgen.results import DatasetRecord

KERAS = ("mnist", "fashion_mnist", "cifar10")  # what keras.datasets has
FROM_KERAS = "(x_train, y_train), (x_test, y_test) = keras.datasets.{name}.load_data()"
DIGITS = """
from PIL import Image
from sklearn.datasets import load_digits


def frame(small):
    {words}
    grey = Image.fromarray(((small.astype(int) * 255 + 8) // 16).astype("uint8"))
    drawn = np.asarray(grey.resize((20, 20), Image.Resampling.BICUBIC))
    framed = np.zeros((28, 28), "uint8")
    top, left = (offset(drawn.sum(axis=axis, dtype=int)) for axis in (1, 0))
    framed[top : top + 20, left : left + 20] = drawn
    return framed


def offset(mass):
    total = int(mass.sum())
    if total == 0:
        return 4
    moment = int((mass * (2 * np.arange(20) + 1)).sum())
    return min(max((28 * total - moment + total) // (2 * total), 0), 8)


digits = load_digits()
images = np.stack([frame(image) for image in digits.images])
x_train, x_test = images[:1300], images[1300:]
y_train, y_test = digits.target[:1300], digits.target[1300:]
"""
NPZ = """
with np.load({source!r}) as data:
    x_train, y_train = data["x_train"], data["y_train"]
    x_test, y_test = data["x_test"], data["y_test"]
"""
IDX = """
import gzip
from pathlib import Path


def read_idx(name):
    {words}
    path = next(Path({source!r}).glob(f"{{name}}*"))
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    shape = np.frombuffer(content, ">i4", content[3], offset=4)
    return np.frombuffer(content, "uint8", offset=4 + 4 * content[3]).reshape(shape)


x_train, y_train = read_idx("train-images"), read_idx("train-labels")
x_test, y_test = read_idx("t10k-images"), read_idx("t10k-labels")
"""
LABELS_OF_A_FILE = """

def numbers(labels):
    {words}
    one_hot = labels.ndim == 2 and labels.shape[1] > 1
    return (labels.argmax(axis=1) if one_hot else labels.reshape(-1)).astype(int)


y_train, y_test = numbers(y_train), numbers(y_test)
brightest = max(x_train.max(), x_test.max())
scale = 255 if x_train.dtype.kind in "iu" or brightest > 1 else 1
"""
HELD_OUT = """
def held_out(labels, share, seed):
    {words}
    rng = np.random.default_rng(seed)
    drawn = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        drawn.append(members[: min(round(share * len(members)), len(members) - 1)])
    return np.sort(np.concatenate(drawn))


held = held_out(y_train, {share!r}, seed={seed})
x_validation, y_validation = x_train[held], y_train[held]
x_train, y_train = np.delete(x_train, held, axis=0), np.delete(y_train, held)
"""
# What their functions do, in the place of `words`.
DRAWS = mark("Draw an 8x8 image at 20x20 in a 28x28 frame, its centre of mass in the middle, as MNIST's are.")
READS = mark("Read an IDX file of bytes.")
NUMBERS = mark("Give labels as whole numbers, whether they are one-hot or not.")
DRAWS_A_SHARE = mark("Draw the indices of a share of each class.")


def loading_code(dataset: DatasetRecord) -> str:
    """Write the code that loads a data set and scales its images."""
    published = _is_published(dataset)
    if published and dataset.name in KERAS:
        code = FROM_KERAS.format(name=dataset.name)
    elif published:
        code = DIGITS.strip().format(words=docstring(tr(DRAWS)))
    else:
        kind = NPZ if dataset.source.lower().endswith(".npz") else IDX
        beside = comment(tr("{file} must lie beside this notebook.", file=inert(dataset.source)))
        read = kind.strip().format(source=dataset.source, words=docstring(tr(READS)))
        code = f"{beside}\n{read}"
    scale = "255"
    if not published:
        code, scale = f"{code}\n{LABELS_OF_A_FILE.rstrip().format(words=docstring(tr(NUMBERS)))}", "scale"
    shape = ", ".join(map(str, dataset.image_shape))
    scaled = [
        f'{name} = {name}.reshape(-1, {shape}).astype("float32") / {scale}' for name in ("x_train", "x_test")
    ]
    flat = ["y_train, y_test = y_train.reshape(-1), y_test.reshape(-1)"] if published else []
    return "\n".join([code, "", *scaled, *flat])


def splitting_code(protocol: Protocol, seed: int) -> str:
    """Write the code that sets x_validation and y_validation apart."""
    if protocol.validation == "test":
        said = comment(tr("Validation is the test set itself."))
        return f"{said}\nx_validation, y_validation = x_test, y_test"
    words = docstring(tr(DRAWS_A_SHARE))
    return HELD_OUT.strip().format(words=words, share=protocol.validation, seed=seed)


def _is_published(dataset: DatasetRecord) -> bool:
    """Tell whether data goes by a known name and is what that stands for."""
    known = DATASETS.get(dataset.name)
    if known is None:
        return False
    if known.content_sha256:
        return known.content_sha256 == dataset.sha256
    return (known.n_train, known.n_test) == (dataset.n_train, dataset.n_test)
