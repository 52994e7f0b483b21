"""Keras' cache and downloads, against a server on this machine: sound, silent, stalling, lying."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import pickle
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request

import numpy as np
import pytest

from reportgen.data import download, load
from reportgen.data.download import SOURCES, RemoteFile, fetch, keras_home
from reportgen.errors import DataError, DatasetUnavailable

ROOT = Path(__file__).parents[1]
PATIENCE = 0.3
CIFAR_FOLDER = "cifar-10-batches-py"
BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")

Respond = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """Answer requests for paths as a test says, and count them."""

    address: str
    answers: dict[str, Respond]
    asked: list[str]
    over: threading.Event

    def remote(self, cached: str, content: bytes, sha256: str | None = None) -> RemoteFile:
        """Offer content under the name of a cached file, with its own hash or another."""
        path = f"/{Path(cached).name}"
        self.answers[path] = sending(content)
        digest = hashlib.sha256(content).hexdigest() if sha256 is None else sha256
        return RemoteFile(f"http://{self.address}{path}", cached, len(content), digest)


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve on a free port of this machine until the test is over."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            answer = state.answers.get(self.path)
            if answer is None:
                self.send_error(404)
            else:
                answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing on standard error."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    state = Server(f"127.0.0.1:{http.server_port}", {}, [], threading.Event())
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.over.set()
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty Keras home, and no data from elsewhere."""
    monkeypatch.delenv("REPORTGEN_DATA", raising=False)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


@pytest.fixture
def silent() -> Iterator[str]:
    """Give the address of a socket that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def sending(content: bytes, length: int | None = None) -> Respond:
    """Send content, promising its own length or another."""

    def respond(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(content) if length is None else length))
        request.end_headers()
        request.wfile.write(content)

    return respond


def npz() -> bytes:
    """Make an npz of 4 training and 2 test images of 28x28."""
    stream = io.BytesIO()
    x = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
    y = np.arange(6, dtype=np.uint8)
    np.savez(stream, x_train=x[:4], y_train=y[:4], x_test=x[4:], y_test=y[4:])
    return stream.getvalue()


def use(monkeypatch: pytest.MonkeyPatch, name: str, **files: RemoteFile) -> None:
    """Let a dataset consist of other files than its own."""
    monkeypatch.setitem(SOURCES, name, replace(SOURCES[name], files=files))


def offer_mnist(server: Server, monkeypatch: pytest.MonkeyPatch, content: bytes = b"") -> Path:
    """Offer a small MNIST for download; return where Keras keeps it, below its home."""
    use(monkeypatch, "mnist", npz=server.remote("datasets/mnist.npz", content or npz()))
    return keras_home() / "datasets/mnist.npz"


def unavailable(name: str = "mnist") -> str:
    """Return the one line that says why a dataset is not to be had, and within its time."""
    began = time.monotonic()
    with pytest.raises(DatasetUnavailable) as refused:
        load(name, timeout=PATIENCE)
    assert time.monotonic() - began < PATIENCE + 10  # two busy cores
    message = str(refused.value)
    assert "\n" not in message
    assert "--data PATH or REPORTGEN_DATA, or use --dataset digits" in message
    return message


# A download that works


def test_a_dataset_is_downloaded_once_into_keras_cache(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = offer_mnist(server, monkeypatch)
    said: list[str] = []
    first = load("mnist", timeout=5, say=said.append)
    second = load("mnist", timeout=5, say=said.append)
    assert (first.source, second.source) == ("downloaded", "Keras' cache")
    assert first.sha256 == second.sha256
    assert said == [f"downloading MNIST (1 MB) from {server.address}"]
    assert server.asked == ["/mnist.npz"]
    assert cached.read_bytes() == npz()
    assert cached.stat().st_mode & 0o777 == 0o644
    assert list(cached.parent.iterdir()) == [cached]


def test_a_slow_download_that_goes_on_is_waited_for(server: Server, tmp_path: Path) -> None:
    content = b"0123456789"

    def drip(request: BaseHTTPRequestHandler) -> None:
        sending(b"", len(content))(request)
        for byte in content:
            time.sleep(0.2)
            request.wfile.write(bytes([byte]))

    file = server.remote("slow", content)
    server.answers["/slow"] = drip
    fetch(file, tmp_path / "slow", timeout=1.5)  # less than all of it takes
    assert (tmp_path / "slow").read_bytes() == content


def test_a_length_need_not_be_promised(server: Server, tmp_path: Path) -> None:
    def respond(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b"content")

    file = server.remote("file", b"content")
    server.answers["/file"] = respond
    fetch(file, tmp_path / "file", timeout=5)
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_damaged_file_in_the_cache_is_downloaded_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = offer_mnist(server, monkeypatch)
    cached.parent.mkdir(parents=True)
    cached.write_bytes(npz()[:-1])
    assert load("mnist", timeout=5).source == "downloaded"
    assert cached.read_bytes() == npz()


def test_a_cache_that_cannot_be_written_to_is_done_without(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    offer_mnist(server, monkeypatch)
    assert load("mnist", timeout=5).source == "downloaded"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# A download that does not


def test_a_file_that_is_not_there_is_reported(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_mnist(server, monkeypatch)
    server.answers.clear()
    assert f"{server.address} answered 404 Not Found" in unavailable()


def test_a_refused_connection_is_reported(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    file = replace(server.remote("datasets/mnist.npz", b""), url=f"http://127.0.0.1:{port}/mnist")
    use(monkeypatch, "mnist", npz=file)
    assert "cannot be reached (Connection refused)" in unavailable()


def test_a_server_that_accepts_and_says_nothing_is_given_up(
    server: Server, silent: str, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    file = replace(server.remote("datasets/mnist.npz", b""), url=f"http://{silent}/mnist.npz")
    use(monkeypatch, "mnist", npz=file)
    assert f"{silent} sent nothing for 0.3 seconds" in unavailable()
    assert list((home / "datasets").iterdir()) == []


def test_a_download_that_stalls_is_given_up_and_leaves_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = offer_mnist(server, monkeypatch)

    def stall(request: BaseHTTPRequestHandler) -> None:
        sending(npz()[:100], len(npz()))(request)
        server.over.wait(20)

    server.answers["/mnist.npz"] = stall
    assert "sent nothing for 0.3 seconds" in unavailable()
    assert list(cached.parent.iterdir()) == []


def test_a_host_that_is_looked_up_for_ever_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_mnist(server, monkeypatch)

    def hang(*_: object, **__: object) -> None:
        server.over.wait(20)
        raise OSError("given up")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    assert "sent nothing for 0.3 seconds" in unavailable()


def test_a_download_cut_short_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = offer_mnist(server, monkeypatch)
    server.answers["/mnist.npz"] = sending(npz()[:100], len(npz()))
    assert f"broke off (after 100 of {len(npz()):,} bytes)" in unavailable()
    assert list(cached.parent.iterdir()) == []


def test_a_download_of_something_else_is_refused_and_not_kept(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = offer_mnist(server, monkeypatch)
    server.answers["/mnist.npz"] = sending(b"<html>please log in</html>")
    assert f"{server.address} sent something other than mnist.npz" in unavailable()
    assert list(cached.parent.iterdir()) == []


def test_a_download_without_end_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 1000)
    file = server.remote("endless", bytes(5000))
    with pytest.raises(ConnectionError, match="sent over 1,000 bytes"):
        fetch(file, tmp_path / "endless", timeout=PATIENCE)


def test_an_answer_that_is_not_http_is_reported(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_mnist(server, monkeypatch)

    def greet(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"220 ready\r\n")

    server.answers["/mnist.npz"] = greet
    assert "broke off (220 ready" in unavailable()


def test_a_redirect_from_https_to_http_is_refused() -> None:
    handler = download._NoDowngrade()
    request = Request("https://a.example/x")
    with pytest.raises(URLError, match="without https"):
        handler.redirect_request(request, None, 302, "Found", {}, "http://a.example/x")
    followed = handler.redirect_request(request, None, 302, "Found", {}, "https://b.example/x")
    assert followed is not None
    assert followed.full_url == "https://b.example/x"


def test_a_full_disk_is_reported_as_such(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_mnist(server, monkeypatch)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    assert "cannot be downloaded: No space left on device" in unavailable()


def test_a_hanging_download_keeps_no_process_from_exiting(silent: str, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from reportgen.data.download import RemoteFile, fetch\n"
        f"file = RemoteFile('http://{silent}/x', 'x', 1)\n"
        f"fetch(file, Path({str(tmp_path / 'x')!r}), 0.2)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=30, check=False
    )
    assert ended.stderr.decode().strip().splitlines()[-1].startswith("TimeoutError: 127.0.0.1:")


# Fashion-MNIST: four IDX files without a hash


def fashion() -> dict[str, bytes]:
    """Make Fashion-MNIST's four files, of 4 training and 2 test images."""

    def packed(array: np.ndarray[Any, Any]) -> bytes:
        head = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        return gzip.compress(head + array.tobytes(), mtime=0)

    x = np.random.default_rng(1).integers(0, 256, (6, 28, 28), np.uint8)
    y = np.arange(6, dtype=np.uint8)
    return {
        "x_train": packed(x[:4]),
        "y_train": packed(y[:4]),
        "x_test": packed(x[4:]),
        "y_test": packed(y[4:]),
    }


@pytest.fixture
def offered_fashion(server: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, RemoteFile]:
    """Offer a small Fashion-MNIST for download."""
    names = {key: file.cached for key, file in SOURCES["fashion_mnist"].files.items()}
    files = {key: server.remote(names[key], data, "") for key, data in fashion().items()}
    use(monkeypatch, "fashion_mnist", **files)
    return files


def test_only_the_files_that_are_missing_or_damaged_are_downloaded(
    server: Server, home: Path, offered_fashion: dict[str, RemoteFile]
) -> None:
    assert load("fashion_mnist", timeout=5).source == "downloaded"
    assert len(server.asked) == 4
    (home / offered_fashion["y_test"].cached).unlink()
    (home / offered_fashion["x_test"].cached).write_bytes(fashion()["x_test"][:-3])
    data = load("fashion_mnist", timeout=5)
    assert sorted(server.asked[4:]) == ["/t10k-images-idx3-ubyte.gz", "/t10k-labels-idx1-ubyte.gz"]
    assert (data.n_train, data.n_test, data.class_names[0]) == (4, 2, "T-shirt/top")
    assert load("fashion_mnist", timeout=5).source == "Keras' cache"


@pytest.mark.usefixtures("offered_fashion")
def test_a_log_in_page_is_not_taken_for_a_file_without_a_hash(server: Server, home: Path) -> None:
    server.answers["/train-images-idx3-ubyte.gz"] = sending(b"<html>please log in</html>")
    assert "sent something other than train-images-idx3-ubyte.gz" in unavailable("fashion_mnist")
    assert list((home / "datasets/fashion-mnist").iterdir()) == []


# CIFAR-10: pickles in a tar


def batch(seed: int, protocol: int = 3) -> bytes:
    """Make a pickled batch of two images, as CIFAR-10's are, but by Python 3."""
    data = np.random.default_rng(seed).integers(0, 256, (2, 3072), np.uint8)
    return pickle.dumps({b"data": data, b"labels": [seed, 9 - seed], b"extra": b"x"}, protocol)


def tar(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def cifar(**changed: bytes) -> dict[str, bytes]:
    batches = {name: batch(seed) for seed, name in enumerate(BATCHES)} | changed
    return {f"{CIFAR_FOLDER}/{name}": data for name, data in batches.items()}


def offer_cifar(server: Server, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    cached = SOURCES["cifar10"].files["tar"].cached
    use(monkeypatch, "cifar10", tar=server.remote(cached, content))


class Malicious:
    """Pickle to a call that writes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        """Ask for the call on unpickling."""
        return Path.write_text, (self.target, "owned")


def test_cifar10_is_read_from_its_archive_with_the_colours_last(
    server: Server, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    offer_cifar(server, monkeypatch, tar(cifar() | {f"{CIFAR_FOLDER}/readme.html": b"hello"}))
    data = load("cifar10", timeout=5)
    assert (data.n_train, data.n_test, data.image_shape) == (10, 2, (32, 32, 3))
    assert data.y_train[:4].tolist() == [0, 9, 1, 8]
    first = np.random.default_rng(0).integers(0, 256, (2, 3072), np.uint8)[0]
    np.testing.assert_array_equal(data.x_train[0, :, :, 2].ravel(), first[2048:])
    assert load("cifar10", timeout=5).source == "Keras' cache"
    kept = [path.name for path in (home / "datasets").iterdir()]
    assert kept == ["cifar-10-batches-py-target_archive"]  # where Keras looks for it


def test_cifar10_is_found_where_keras_has_extracted_it(
    server: Server, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    offer_cifar(server, monkeypatch, tar(cifar()))
    for name, content in cifar().items():
        path = home / "datasets/cifar-10-batches-py-target" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert load("cifar10", timeout=5).source == "Keras' cache"
    assert server.asked == []
    path.write_bytes(b"damaged")
    assert load("cifar10", timeout=5).source == "downloaded"


@pytest.mark.parametrize("protocol", [3, 4])
def test_pickles_of_numpy_before_2_are_read_too(
    server: Server, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    old = batch(1, protocol).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    if protocol == 4:  # its strings carry their length
        old = old.replace(b"\x16numpy.core.multiarray", b"\x15numpy.core.multiarray")
        old = old[:3] + struct.pack("<Q", len(old) - 11) + old[11:]
    offer_cifar(server, monkeypatch, tar(cifar(data_batch_2=old)))
    assert load("cifar10", timeout=5).y_train[2:4].tolist() == [1, 8]


def test_pickles_as_python_2_wrote_the_published_ones_are_read(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = bytes(range(256)) * 24
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + struct.pack("<I", len(pixels))
        + pixels
        + b"tb"
    )
    old = b"\x80\x02}(U\x04data" + array + b"U\x06labels](K\x03K\x04eu."
    offer_cifar(server, monkeypatch, tar(cifar(data_batch_1=old)))
    data = load("cifar10", timeout=5)
    assert data.y_train[:2].tolist() == [3, 4]
    assert data.x_train[1, 0, :4, 0].tolist() == [0, 1, 2, 3]


def test_a_malicious_pickle_is_refused_and_does_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = tmp_path / "owned"
    offer_cifar(server, monkeypatch, tar(cifar(test_batch=pickle.dumps(Malicious(target)))))
    with pytest.raises(DataError, match=r"test_batch cannot be read \(it asks for .* refused\)"):
        load("cifar10", timeout=5)
    assert not target.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a pickle",
        batch(1)[:-20],
        pickle.dumps([1, 2, 3]),
        pickle.dumps({b"data": [1], b"labels": [1]}),
        pickle.dumps({b"data": np.zeros((2, 3072)), b"labels": [1, 2]}, 3),
        pickle.dumps({b"data": np.zeros((2, 99), np.uint8), b"labels": [1, 2]}, 3),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": ["cat", "dog"]}, 3),
        pickle.dumps({b"data": np.array([None], object), b"labels": [1]}, 3),
    ],
)
def test_a_batch_of_something_else_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    offer_cifar(server, monkeypatch, tar(cifar(data_batch_3=content)))
    with pytest.raises(DataError, match="data_batch_3 cannot be read"):
        load("cifar10", timeout=5)


def test_members_outside_the_folder_or_of_another_kind_are_passed_over(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    members = cifar() | {"../../escaped": b"x", "/escaped": b"x"}
    offer_cifar(server, monkeypatch, tar(members))
    assert load("cifar10", timeout=5).n_train == 10
    assert sorted(path.name for path in tmp_path.iterdir()) == [home.name]
    del members[f"{CIFAR_FOLDER}/test_batch"]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        link = tarfile.TarInfo(f"{CIFAR_FOLDER}/test_batch")
        link.type, link.linkname = tarfile.SYMTYPE, "data_batch_1"
        archive.addfile(link)
    offer_cifar(server, monkeypatch, stream.getvalue())
    with pytest.raises(DataError, match="test_batch missing"):
        load("cifar10", timeout=5)


@pytest.mark.parametrize("content", [b"no tar", gzip.compress(b"no tar", mtime=0), tar(cifar())[:-500]])
def test_what_is_no_whole_tar_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    offer_cifar(server, monkeypatch, content)
    with pytest.raises(DataError, match="cifar-10-batches-py-target_archive: "):
        load("cifar10", timeout=5)


# The table


def test_every_url_is_https_and_every_file_has_its_place() -> None:
    for source in SOURCES.values():
        for file in source.files.values():
            assert file.url.startswith("https://")
            assert file.cached.startswith("datasets/")


@pytest.mark.parametrize("name", list(SOURCES))
def test_urls_and_hashes_are_those_of_keras(name: str) -> None:
    keras = importlib.util.find_spec("keras")  # finds it without importing it
    if keras is None or keras.origin is None:
        pytest.skip("Keras is not installed")
    text = Path(keras.origin).with_name("src").joinpath(f"datasets/{name}.py").read_text("utf-8")
    for file in SOURCES[name].files.values():
        folder, _, last = file.url.rpartition("/")
        assert folder in text
        assert last in text
        assert file.sha256 in text


def test_keras_home_is_where_keras_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert keras_home() == tmp_path / "keras"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert keras_home() == tmp_path / ".keras"
