"""A dataset for other processes: its arrays lie in one file without a name, which all of them map."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from reportgen import disk

if TYPE_CHECKING:
    from reportgen.data.dataset import Dataset

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
ALIGNMENT = 64  # bytes
Place = tuple[int, str, tuple[int, ...]]


@dataclass(frozen=True)
class SharedDataset:
    """Where a dataset's arrays lie in the file: name to offset, dtype and shape."""

    dataset: Dataset  # its arrays are empty
    places: dict[str, Place]
    descriptor: int


def share(dataset: Dataset) -> tuple[IO[bytes], SharedDataset]:
    """Write the arrays to a file that vanishes with the last process that has it open."""
    with disk.naming(Path(tempfile.gettempdir())):
        file = tempfile.TemporaryFile(prefix="reportgen-")  # noqa: SIM115  the caller closes it
        places = _written(dataset, file)
    none: dict[str, Any] = dict.fromkeys(ARRAYS, np.zeros(0))
    return file, SharedDataset(replace(dataset, **none), places, file.fileno())


def _written(dataset: Dataset, file: IO[bytes]) -> dict[str, Place]:
    places = {}
    for name in ARRAYS:
        array = np.ascontiguousarray(getattr(dataset, name))
        offset = -(-file.tell() // ALIGNMENT) * ALIGNMENT
        file.seek(offset)
        file.write(array.data.cast("B"))
        places[name] = (offset, array.dtype.str, array.shape)
    file.flush()
    return places


def attach(shared: SharedDataset) -> Dataset:
    """Map a shared dataset's arrays, read-only, from the descriptor that this process inherited."""
    with open(shared.descriptor, "rb", closefd=False) as file:
        arrays: dict[str, Any] = {
            name: np.memmap(file, dtype=dtype, mode="r", offset=offset, shape=shape)
            for name, (offset, dtype, shape) in shared.places.items()
        }
    return replace(shared.dataset, **arrays)
