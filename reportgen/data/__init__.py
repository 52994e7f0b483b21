"""Datasets: a name or a path in, a checked Dataset out."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.data import digits, download
from reportgen.data.dataset import Dataset, content_sha256, count_repeats, name_classes, normalise, warn
from reportgen.data.formats import Arrays, find_idx_files, read_idx_folder, read_npz
from reportgen.errors import DataError, did_you_mean
from reportgen.words import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Say = Callable[[str], None]
    Obtain = Callable[[float, Say | None], tuple[Arrays, str]]

__all__ = ["DATASETS", "Dataset", "KnownDataset", "load", "path_from_environment"]

DATA_VARIABLE = "REPORTGEN_DATA"


@dataclass(frozen=True)
class KnownDataset:
    """Describe a dataset that goes by a name.

    obtain(timeout, say) returns the raw arrays and the source's name. content_sha256 is what
    content_sha256() gives for the published set, "" where that is not known.
    """

    title: str
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    n_train: int
    n_test: int
    description: str
    obtain: Obtain
    content_sha256: str = ""


DIGIT_NAMES = tuple("0123456789")
CLOTHES = (
    mark("T-shirt/top"),
    mark("Trouser"),
    mark("Pullover"),
    mark("Dress"),
    mark("Coat"),
    mark("Sandal"),
    mark("Shirt"),
    mark("Sneaker"),
    mark("Bag"),
    mark("Ankle boot"),
)
ANIMALS_AND_VEHICLES = (
    mark("airplane"),
    mark("automobile"),
    mark("bird"),
    mark("cat"),
    mark("deer"),
    mark("dog"),
    mark("frog"),
    mark("horse"),
    mark("ship"),
    mark("truck"),
)
DATASETS: dict[str, KnownDataset] = {
    "mnist": KnownDataset(
        title="MNIST",
        image_shape=(28, 28, 1),
        class_names=DIGIT_NAMES,
        n_train=60_000,
        n_test=10_000,
        description=mark("Handwritten digits in 28×28 grey pixels (LeCun, Cortes and Burges)."),
        obtain=partial(download.obtain, "mnist"),
        content_sha256="902d2f6960b6b3d90998fcc6223893154c5e9dfbc8124bdddf043940af682d12",
    ),
    "fashion_mnist": KnownDataset(
        title="Fashion-MNIST",
        image_shape=(28, 28, 1),
        class_names=CLOTHES,
        n_train=60_000,
        n_test=10_000,
        description=mark("Articles of clothing in 28×28 grey pixels (Xiao, Rasul and Vollgraf, 2017)."),
        obtain=partial(download.obtain, "fashion_mnist"),
    ),
    "cifar10": KnownDataset(
        title="CIFAR-10",
        image_shape=(32, 32, 3),
        class_names=ANIMALS_AND_VEHICLES,
        n_train=50_000,
        n_test=10_000,
        description=mark("Animals and vehicles in 32×32 colour pixels (Krizhevsky, 2009)."),
        obtain=partial(download.obtain, "cifar10"),
    ),
    "digits": KnownDataset(
        title=mark("Digits"),
        image_shape=(28, 28, 1),
        class_names=DIGIT_NAMES,
        n_train=1_300,
        n_test=497,
        description=mark(
            "Handwritten digits that come with scikit-learn, 1,797 images of 8×8 grey "
            "pixels drawn larger and framed in 28×28 as MNIST's are; the first 1,300 are for training "
            "and the last 497 for testing (Alpaydin and Kaynak, 1998)."
        ),
        obtain=digits.obtain,
        content_sha256="9994e07db99b62db6384ff398f87d86a4072ded9cb1ad0c001defe0f40a9010b",
    ),
}


def load(
    name: str | None = None,
    path: Path | None = None,
    class_names: Sequence[str] | None = None,
    timeout: float = 8.0,
    say: Say | None = None,
) -> Dataset:
    """Load a dataset by its name in DATASETS, from a path, or from a path that bears out a name.

    path: an .npz file or a folder of IDX files. class_names replace the dataset's own. timeout is
    the seconds that a download may go without progress; say is told of downloads. Raises
    DataError where the data cannot be used, DatasetUnavailable where it is not to be had.
    """
    if name is not None and name not in DATASETS:
        raise DataError(f"dataset '{name}' is not known; {did_you_mean(name, DATASETS)}")
    if name is not None and path is None:
        path = path_from_environment(name)
        where = f"{path} ({DATA_VARIABLE})" if path else str(name)
    else:
        where = str(path or name)
    raw, source = _read(path) if path else _obtain(name, timeout, say)
    clean = normalise(raw, where)
    sha256 = content_sha256(clean)
    recognised = next((n for n, known in DATASETS.items() if known.content_sha256 == sha256), None)
    if name and recognised and name != recognised:
        raise DataError(
            f"{where}: its content is {DATASETS[recognised].title}; "
            f"expected {DATASETS[name].title}, as the dataset is named {name}"
        )
    return _build(clean, name or recognised, class_names, _Found(path, where, source, sha256))


@dataclass(frozen=True)
class _Found:
    """Say where data was found, for the reader and in errors, and what its content's hash is."""

    path: Path | None
    where: str
    source: str
    sha256: str


def _build(clean: Arrays, name: str | None, class_names: Sequence[str] | None, found: _Found) -> Dataset:
    """Make the Dataset, with what is known of it where it goes by a name."""
    known = DATASETS[name] if name else None
    if known:
        _check_it_fits(clean, known, found.where)
    own_name = name or _name_of(found.path)
    names = class_names or (known.class_names if known else None)
    classes = name_classes(clean, names, found.where)
    repeats = count_repeats(clean)
    return Dataset(
        name=own_name,
        title=known.title if known else own_name,
        **{field.name: _frozen(getattr(clean, field.name)) for field in fields(clean)},
        class_names=classes,
        sha256=found.sha256,
        source=found.source,
        description=known.description if known else "",
        warnings=(*_warn_of_other_content(clean, known, found.sha256), *warn(clean, classes, repeats)),
        repeats=repeats,
    )


def _obtain(name: str | None, timeout: float, say: Say | None) -> tuple[Arrays, str]:
    if name is None:
        raise DataError(f"no dataset is named; expected a path or one of {', '.join(DATASETS)}")
    return DATASETS[name].obtain(timeout, say)


def path_from_environment(name: str) -> Path | None:
    """Find a named dataset where REPORTGEN_DATA points, a file or a folder; None where unset."""
    value = os.environ.get(DATA_VARIABLE)
    if not value or name == "digits":
        return None
    path = Path(value)
    with suppress(RuntimeError):  # ~ of a user who has no home
        path = path.expanduser()
    named = path / f"{name}.npz"
    if _is_file(path):
        return path
    if _is_file(named):
        return named
    if _is_dir(path) and find_idx_files(path):
        return path
    what = f"holds neither {name}.npz nor IDX files" if _is_dir(path) else "does not exist"
    raise DataError(
        f"{path}, which {DATA_VARIABLE} names, {what}; set it to an .npz file or to a folder "
        f"that holds {name}.npz or IDX files, or unset it"
    )


def _read(path: Path) -> tuple[Arrays, str]:
    """Read an .npz file or a folder of IDX files; return it with its name for the reader."""
    if _is_dir(path):
        if not find_idx_files(path):
            raise DataError(
                f"{path}: holds no IDX files; expected train-images-idx3-ubyte and its "
                "three companions, or the path of an .npz file"
            )
        return read_idx_folder(path), _name_of(path)
    if not _is_file(path):
        what = "is neither file nor folder" if _mode(path, bool) else "does not exist"
        raise DataError(f"{path}: {what}; expected an .npz file or a folder of IDX files")
    if path.suffix.lower() != ".npz":
        raise DataError(
            f"{path}: is of an unknown kind; expected an .npz file, or the folder that holds four IDX files"
        )
    return read_npz(path), path.name


def _is_dir(path: Path) -> bool:
    return _mode(path, stat.S_ISDIR)


def _is_file(path: Path) -> bool:
    return _mode(path, stat.S_ISREG)


def _mode(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Ask what a path leads to; raise DataError where the system does not let us ask."""
    try:
        return is_kind(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        return False
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _name_of(path: Path | None) -> str:
    """Name a dataset after its file's stem or its folder."""
    path = path or Path()
    if not _is_dir(path):
        return path.stem
    # A path such as . or .. has no name of its own; a link keeps the name that the user gave.
    return (path.resolve().name if path.name in ("", "..") else path.name) or "data"


def _check_it_fits(clean: Arrays, known: KnownDataset, where: str) -> None:
    """Check the image shape and labels of data that is said to be a known dataset."""
    shape = clean.x_train.shape[1:]
    if shape != known.image_shape:
        raise DataError(
            f"{where}: its images have the shape {shape}; expected {known.image_shape} of {known.title}"
        )
    name_classes(clean, known.class_names, where)


def _warn_of_other_content(clean: Arrays, known: KnownDataset | None, sha256: str) -> tuple[str, ...]:
    """Say so where data goes by a known name and is not the published set."""
    if known is None or sha256 == known.content_sha256:
        return ()
    sizes = len(clean.x_train), len(clean.x_test)
    if sizes == (known.n_train, known.n_test) and not known.content_sha256:
        return ()
    return (
        f"The data, {sizes[0]:,} training and {sizes[1]:,} test images, is not {known.title} as "
        "published, so results are not comparable with results on it.",
    )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array read-only, so that the content stays what the hash says."""
    array.setflags(write=False)
    return array
