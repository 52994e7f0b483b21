"""The datasets that Keras downloads: found in Keras' cache, or downloaded into it.

URLs, file names and hashes are those of keras.datasets (Keras 3), so what Keras has downloaded is
found here and the reverse. Keras itself is not imported: it would load TensorFlow.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import tarfile
import tempfile
import threading
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import numpy as np

from reportgen.data.formats import DAMAGED, IDX_FILES, Arrays, one_line, read_idx, read_npz
from reportgen.errors import DataError, DatasetUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from urllib.request import Request

    from numpy.typing import NDArray

    Say = Callable[[str], None]

CHUNK_BYTES = 2**16
MAX_BYTES = 2**30
MAX_BATCH_BYTES = 2**26  # a CIFAR-10 batch is 31 MB
KERAS_BASE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
NEXT_STEP = "give the data with --data PATH or REPORTGEN_DATA, or use --dataset digits"


@dataclass(frozen=True)
class RemoteFile:
    """Describe a file to download and where Keras keeps it.

    cached: the path below Keras' home. size: in bytes, for the reader. sha256: of the file, ""
    where Keras knows none and the format is checked instead.
    """

    url: str
    cached: str
    size: int
    sha256: str = ""


def _fashion(name: str, size: int) -> RemoteFile:
    return RemoteFile(f"{KERAS_BASE}{name}", f"datasets/fashion-mnist/{name}", size)


MNIST = RemoteFile(
    f"{KERAS_BASE}mnist.npz",
    "datasets/mnist.npz",
    11_490_434,
    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
)
FASHION_MNIST = {
    "x_train": _fashion("train-images-idx3-ubyte.gz", 26_421_880),
    "y_train": _fashion("train-labels-idx1-ubyte.gz", 29_515),
    "x_test": _fashion("t10k-images-idx3-ubyte.gz", 4_422_102),
    "y_test": _fashion("t10k-labels-idx1-ubyte.gz", 5_148),
}
CIFAR10 = RemoteFile(
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "datasets/cifar-10-batches-py-target_archive",
    170_498_071,
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)
CIFAR10_EXTRACTED = "datasets/cifar-10-batches-py-target/cifar-10-batches-py"
CIFAR10_BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")


@dataclass(frozen=True)
class Source:
    """Describe a dataset's files and how its arrays are read from them, once they are here."""

    title: str
    files: Mapping[str, RemoteFile]
    read: Callable[[dict[str, Path]], Arrays]


def obtain(name: str, timeout: float, say: Say | None) -> tuple[Arrays, str]:
    """Load a dataset from Keras' cache, or download it there.

    timeout: seconds that a download may go without progress. Returns the raw arrays and the
    source's name; raises DatasetUnavailable with the reason and the next step.
    """
    source, home = SOURCES[name], keras_home()
    if name == "cifar10" and (arrays := _read_extracted(home / CIFAR10_EXTRACTED)):
        return arrays, "Keras' cache"
    paths = {key: home / file.cached for key, file in source.files.items()}
    missing = {key: file for key, file in source.files.items() if not _is_whole(file, paths[key])}
    if not missing:
        return source.read(paths), "Keras' cache"
    if say:
        say(f"downloading {source.title} ({_megabytes(missing)} MB) from {_hosts(missing)}")
    try:
        with _writable(home, missing) as folder:
            for key, file in missing.items():
                paths[key] = folder / file.cached
                fetch(file, paths[key], timeout)
            return source.read(paths), "downloaded"
    except OSError as error:
        reason = one_line(error.strerror or error)
        raise DatasetUnavailable(
            f"{source.title} is not in Keras' cache on this machine and cannot "
            f"be downloaded: {reason}; {NEXT_STEP}"
        ) from error


def keras_home() -> Path:
    """Find Keras' folder as Keras does: KERAS_HOME, else .keras in the user's home."""
    try:
        return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    except RuntimeError:  # a user without a home, as in some containers
        return Path(tempfile.gettempdir(), ".keras")


def fetch(file: RemoteFile, target: Path, timeout: float) -> None:
    """Download a file under a temporary name, check it, and only then give it its own.

    timeout: seconds without progress, be it in finding the host, connecting or reading.
    Raises OSError with a reason for the reader.
    """
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".download-")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out, closing(_stream(file.url, timeout)) as chunks:
            for chunk in chunks:
                out.write(chunk)
        if not _is_whole(file, part):
            raise ConnectionError(f"{_host(file)} sent something other than {Path(file.url).name}")
        part.chmod(0o644)  # mkstemp's 0600 would shut others out of a shared cache
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _is_whole(file: RemoteFile, path: Path) -> bool:
    """Check a file by its hash, or by its format where Keras knows no hash."""
    try:
        if not file.sha256:
            read_idx(path, (1, 3))
            return True
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
    except (DataError, OSError):
        return False


@contextmanager
def _writable(home: Path, missing: Mapping[str, RemoteFile]) -> Iterator[Path]:
    """Give Keras' folder, or for this once a temporary one where it cannot be written to."""
    with ExitStack() as stack:
        try:
            _make_folders(home, missing)
        except OSError:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reportgen-")))
            _make_folders(home, missing)
        yield home


def _make_folders(home: Path, missing: Mapping[str, RemoteFile]) -> None:
    """Make the files' folders and try each by writing to it."""
    for folder in {(home / file.cached).parent for file in missing.values()}:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def _megabytes(files: Mapping[str, RemoteFile]) -> int:
    return max(1, round(sum(file.size for file in files.values()) / 1e6))


def _hosts(files: Mapping[str, RemoteFile]) -> str:
    return " and ".join(dict.fromkeys(_host(file) for file in files.values()))


def _host(file: RemoteFile) -> str:
    return urlsplit(file.url).netloc


def _stream(url: str, timeout: float) -> Generator[bytes]:
    """Yield a URL's bytes as they arrive; raise OSError after `timeout` seconds without any.

    A daemon thread does the reading: finding a host cannot be given a timeout, and a daemon thread
    that hangs keeps no process from exiting.
    """
    chunks: Queue[bytes | Exception] = Queue(maxsize=16)
    stopped = threading.Event()
    threading.Thread(target=_read_into, args=(url, timeout, chunks, stopped), daemon=True).start()
    host = urlsplit(url).netloc
    try:
        while item := chunks.get(timeout=timeout):
            if isinstance(item, Exception):
                raise item
            yield item
    except Empty:
        raise TimeoutError(f"{host} sent nothing for {timeout:g} seconds") from None
    except HTTPError as error:
        error.close()
        raise ConnectionError(f"{host} answered {error.code} {error.reason}") from error
    except URLError as error:
        raise ConnectionError(f"{host} cannot be reached ({_reason(error.reason)})") from error
    except (OSError, HTTPException) as error:
        raise ConnectionError(f"{host} broke off ({_reason(error)})") from error
    finally:
        stopped.set()
        with suppress(Empty):  # room for what the thread is about to put, so that it ends
            while True:
                chunks.get_nowait()


def _reason(error: BaseException | str) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _read_into(url: str, timeout: float, chunks: Queue[bytes | Exception], stopped: threading.Event) -> None:
    """Put a URL's bytes into a queue, then b"" as the end; or the exception that ended it."""
    try:
        # Twice the patience of the one who waits on the queue, so that it is he who gives up.
        with build_opener(_NoDowngrade).open(url, timeout=2 * timeout) as response:
            promised, arrived = response.length, 0  # None where the server does not say
            # read1 returns what has arrived: read would sit out a slow line until a chunk is full.
            while not stopped.is_set() and (chunk := response.read1(CHUNK_BYTES)):
                arrived += len(chunk)
                if arrived > MAX_BYTES:
                    raise ConnectionError(f"it sent over {MAX_BYTES:,} bytes")
                chunks.put(chunk)
            if promised not in (None, arrived):
                raise ConnectionError(f"after {arrived:,} of {promised:,} bytes")
        chunks.put(b"")
    except Exception as error:  # noqa: BLE001  of whatever kind: it is raised again where it can be seen
        chunks.put(error)


class _NoDowngrade(HTTPRedirectHandler):
    """Follow no redirect from https to anything less."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """Build the request that follows a redirect, as urllib does, or refuse it."""
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise URLError("it redirects to an address without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _read_fashion(paths: dict[str, Path]) -> Arrays:
    return Arrays(**{key: read_idx(path, IDX_FILES[key][1]) for key, path in paths.items()})


def _read_extracted(folder: Path) -> Arrays | None:
    """Read CIFAR-10 where Keras has extracted it; None where it is absent or damaged."""
    try:
        files = {name: folder / name for name in CIFAR10_BATCHES}
        if any(path.stat().st_size > MAX_BATCH_BYTES for path in files.values()):
            return None
        return read_cifar10({name: path.read_bytes() for name, path in files.items()}, folder)
    except (DataError, OSError):
        return None


def read_cifar10_archive(path: Path) -> Arrays:
    """Read CIFAR-10 from its tar in memory: the expected regular members, and nothing extracted."""
    wanted = {f"cifar-10-batches-py/{name}": name for name in CIFAR10_BATCHES}
    batches = {}
    try:
        with tarfile.open(path, "r:gz") as tar:
            for member in tar:
                if member.name in wanted and member.isreg() and member.size <= MAX_BATCH_BYTES:
                    stream = tar.extractfile(member)
                    batches[wanted[member.name]] = stream.read() if stream else b""
    except (*DAMAGED, tarfile.TarError) as error:
        raise DataError(f"{path}: cannot be read ({one_line(error)}); expected CIFAR-10's tar.gz") from error
    return read_cifar10(batches, path)


def read_cifar10(batches: Mapping[str, bytes], path: Path) -> Arrays:
    """Read CIFAR-10's batches, each a pickled dict of b"data" (n, 3072) uint8 and b"labels".

    A row of data is 3 planes of 32x32, see https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    missing = [name for name in CIFAR10_BATCHES if name not in batches]
    if missing:
        raise DataError(f"{path}: {', '.join(missing)} missing; expected CIFAR-10's six batches")
    parts = [_read_batch(batches[name], f"{path}: {name}") for name in CIFAR10_BATCHES]
    images, labels = zip(*parts, strict=True)
    return Arrays(
        x_train=np.concatenate(images[:-1]),
        y_train=np.concatenate(labels[:-1]),
        x_test=images[-1],
        y_test=labels[-1],
    )


def _read_batch(pickled: bytes, where: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    try:
        batch = _ArrayUnpickler(BytesIO(pickled), encoding="bytes").load()
        pixels = batch[b"data"].to_numpy()
        return (
            pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1),
            np.array(batch[b"labels"], np.int64),
        )
    except Exception as error:  # unpickling may raise anything, says pickle's documentation
        reason = one_line(error)
        raise DataError(f"{where} cannot be read ({reason}); expected a pickled batch of CIFAR-10") from error


class _PickledArray:
    """Stand in for a numpy array in a pickle, so that no numpy code runs on what it says."""

    def __init__(self, *_: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def to_numpy(self) -> NDArray[np.uint8]:
        """Make the array that the state describes, which must be of unsigned bytes in C order."""
        _, shape, dtype, fortran_order, data = self.state
        if not isinstance(dtype, _PickledDtype) or dtype.code not in ("u1", b"u1") or fortran_order:
            raise ValueError("an array of another kind than unsigned bytes")
        return np.frombuffer(data, np.uint8).reshape(shape)


class _PickledDtype:
    """Stand in for a numpy dtype in a pickle."""

    def __init__(self, code: object, *_: object) -> None:
        self.code = code

    def __setstate__(self, state: object) -> None:
        """Take the byte order and the like, none of which matter to bytes."""


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickle plain values and arrays of bytes; refuse to look up anything else."""

    def find_class(self, module: str, name: str) -> Any:
        """Look up one of the four names that an array's pickle uses."""
        if (module, name) not in PICKLE_NAMES:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is refused")
        return PICKLE_NAMES[module, name]


PICKLE_NAMES = {
    ("numpy", "ndarray"): _PickledArray,
    ("numpy", "dtype"): _PickledDtype,
    ("numpy.core.multiarray", "_reconstruct"): _PickledArray,  # until numpy 1.26
    ("numpy._core.multiarray", "_reconstruct"): _PickledArray,  # from numpy 2
}

SOURCES = {
    "mnist": Source("MNIST", {"npz": MNIST}, lambda paths: read_npz(paths["npz"])),
    "fashion_mnist": Source("Fashion-MNIST", FASHION_MNIST, _read_fashion),
    "cifar10": Source("CIFAR-10", {"tar": CIFAR10}, lambda p: read_cifar10_archive(p["tar"])),
}
