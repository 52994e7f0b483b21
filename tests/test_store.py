"""The store: what is published is whole, what is damaged is never data, and a claim is one process' alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from reportgen import disk
from reportgen.execution.keys import Identity
from reportgen.execution.store import DAMAGED, DONE, RUNNING, UNFINISHED, Store
from reportgen.jobs import DIVERGED, Job, Outcome
from reportgen.lab import Protocol, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILES = (
    "outcome.json",
    "epochs.parquet",
    "layers.parquet",
    "probabilities.npy",
    "model.keras",
    disk.MANIFEST,
)
LONG_AGO = 1_000_000.0  # seconds since 1970


def a_job(name: str = "mlp", seed: int = 1) -> Job:
    layers: Any = ({"flatten": True}, {"dense": "classes", "activation": "softmax"})
    return Job(Variant(name=name, layers=layers), seed, Protocol())


def an_identity(seed: int = 1, dataset: str = "d" * 64) -> Identity:
    return Identity({"seed": seed, "dataset": {"sha256": dataset, "classes": 3}})


def an_outcome(job: Job, **changed: Any) -> Outcome:
    stated: dict[str, Any] = {
        "variant": job.variant.name,
        "seed": job.seed,
        "status": "done",
        "error": "",
        "params": 435,
        "trainable_params": 435,
        "train_seconds": 1.5,
        "test_loss": 0.25,
        "epochs": pd.DataFrame({"epoch": [1], "split": ["train"], "metric": ["loss"], "value": [0.5]}),
        "layers": pd.DataFrame({"position": [1], "layer": ["flatten"], "params": [0]}),
        "probabilities": np.full((4, 3), 1 / 3, "float32"),
        "weights_sha256": "a" * 64,
    }
    return Outcome(**stated | changed)


def put(store: Store, seed: int = 1, name: str = "mlp", used: float | None = None, **changed: Any) -> str:
    """Store an outcome as a run does; gives its key."""
    job, identity = a_job(name, seed), an_identity(seed)
    claim = store.claim(identity.key)
    assert claim is not None
    (claim.folder / "model.keras").write_bytes(b"a model")
    store.save(claim, identity, an_outcome(job, **changed))
    claim.release()
    if used is not None:
        use(store, identity.key, used)
    return identity.key


def use(store: Store, key: str, when: float) -> None:
    os.utime(store.folder / key / disk.MANIFEST, (when, when))


HOLD = """
import sys
from pathlib import Path
from reportgen.execution.store import Store
claim = Store(Path(sys.argv[1])).claim(sys.argv[2])
(claim.folder / "model.keras").write_bytes(bytes(1000))
print("held", flush=True)
sys.stdin.read()
"""
KEEP_LOCKED = """
import sys
from pathlib import Path
from reportgen import disk
with disk.lock_folder(Path(sys.argv[1])) as mine:
    print("held" if mine else "not held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def elsewhere(code: str, *args: Path | str) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold something as long as the block lasts."""
    command = [sys.executable, "-c", code, *map(str, args)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "output" / ".store")


# What is published


def test_what_was_stored_is_read_back(store: Store) -> None:
    outcome = store.load(put(store), a_job())
    assert outcome is not None
    expected = an_outcome(a_job())
    for name in ("epochs", "layers"):
        pd.testing.assert_frame_equal(getattr(outcome, name), getattr(expected, name))
    assert outcome.probabilities is not None
    assert expected.probabilities is not None
    np.testing.assert_array_equal(outcome.probabilities, expected.probabilities)
    for name in ("status", "error", "params", "train_seconds", "test_loss", "weights_sha256"):
        assert getattr(outcome, name) == getattr(expected, name)


def test_an_entry_has_a_manifest_of_all_its_files_and_no_more(store: Store) -> None:
    key = put(store)
    assert sorted(path.name for path in (store.folder / key).iterdir()) == sorted(FILES)
    listed = disk.listed_files(store.folder / key / disk.MANIFEST)
    assert listed is not None
    assert sorted([*listed, disk.MANIFEST]) == sorted(FILES)
    assert list((store.folder / ".new").iterdir()) == []
    assert list((store.folder / ".locks").iterdir()) == []


def test_what_diverged_has_neither_loss_nor_probabilities(store: Store) -> None:
    key = put(store, status=DIVERGED, error="no numbers", test_loss=float("nan"), probabilities=None)
    outcome = store.load(key, a_job())
    assert outcome is not None
    assert (outcome.status, outcome.error, outcome.probabilities) == (DIVERGED, "no numbers", None)
    assert np.isnan(outcome.test_loss)


def test_a_twin_takes_the_outcome_under_its_own_name(store: Store) -> None:
    twin = store.load(put(store), a_job("another-name"))
    assert twin is not None
    assert (twin.variant, twin.seed, twin.weights_sha256) == ("another-name", 1, "a" * 64)


def test_what_is_not_there_is_unfinished(store: Store) -> None:
    assert store.load("f" * 64, a_job()) is None
    assert store.status("f" * 64) == UNFINISHED
    assert store.entries() == store.claimed() == store.left_behind() == store.set_aside() == []
    assert not store.folder.exists()


def test_loading_notes_when_an_entry_was_last_used(store: Store) -> None:
    key = put(store, used=LONG_AGO)
    assert store.entries()[0].used == LONG_AGO
    assert store.load(key, a_job()) is not None
    assert store.entries()[0].used > LONG_AGO
    assert store.damage(key) == ""


def test_an_entry_that_is_there_already_stays(store: Store) -> None:
    key = put(store, weights_sha256="1" * 64)
    claim = store.claim(key)
    assert claim is not None
    store.save(claim, an_identity(), an_outcome(a_job(), weights_sha256="2" * 64))
    claim.release()
    outcome = store.load(key, a_job())
    assert outcome is not None
    assert outcome.weights_sha256 == "1" * 64
    assert list((store.folder / ".new").iterdir()) == []


# Claims


def test_a_claim_is_one_process_alone(store: Store) -> None:
    key = an_identity().key
    with elsewhere(HOLD, store.folder, key):
        assert store.status(key) == RUNNING
        assert store.claimed() == [key]
        assert store.claim(key) is None
        assert store.left_behind() == []
        assert not store.remove(key, before=float("inf"))
        other = store.claim("e" * 64)
        assert other is not None
        other.release()
    assert store.status(key) == UNFINISHED


def test_what_a_killed_process_left_is_taken_away_by_the_next_claim(store: Store) -> None:
    key = an_identity().key
    with elsewhere(HOLD, store.folder, key) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert store.status(key) == UNFINISHED
        [left] = store.left_behind()
        assert (left / "model.keras").exists()
    claim = store.claim(key)
    assert claim is not None
    assert [*(store.folder / ".new").iterdir()] == [claim.folder]
    claim.release()
    assert [*(store.folder / ".new").iterdir()] == []


def test_a_claim_that_is_given_back_leaves_nothing(store: Store) -> None:
    claim = store.claim("e" * 64)
    assert claim is not None
    (claim.folder / "model.keras").write_bytes(b"half a model")
    assert store.status("e" * 64) == RUNNING
    claim.release()
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


# Damage


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def delete(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    os.truncate(path, 0)


DAMAGE: tuple[Callable[[Path], None], ...] = (flip, truncate, delete, empty)


@pytest.mark.parametrize("harm", DAMAGE, ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_entry_is_never_data_and_is_set_aside(
    name: str, harm: Callable[[Path], None], store: Store
) -> None:
    key = put(store)
    harm(store.folder / key / name)
    problem = store.damage(key)
    # One flipped bit of a manifest may be in a name, in a number or in its syntax.
    assert name in problem or (harm, name) == (flip, disk.MANIFEST)
    assert problem
    assert store.load(key, a_job()) is None
    assert store.status(key) == UNFINISHED
    claim = store.claim(key)
    assert claim is not None
    assert not (store.folder / key).exists()
    [aside] = store.set_aside()
    assert (aside / "entry").is_dir()
    store.save(claim, an_identity(), an_outcome(a_job()))
    claim.release()
    assert store.load(key, a_job()) is not None
    assert store.set_aside() == [aside]


@pytest.mark.parametrize("harm", [truncate, delete, empty], ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("name", FILES)
def test_a_list_of_entries_says_which_is_damaged(
    name: str, harm: Callable[[Path], None], store: Store
) -> None:
    whole, hurt = put(store, seed=1), put(store, seed=2)
    harm(store.folder / hurt / name)
    assert {entry.key: entry.status for entry in store.entries()} == {whole: DONE, hurt: DAMAGED}


def test_an_outcome_that_is_no_outcome_is_listed_as_damaged(store: Store) -> None:
    for seed, content in enumerate(("[]", "null", '{"variant": "mlp"}', "[" * 100_000, "\udcff"), start=1):
        key = put(store, seed=seed)
        text = content.encode(errors="surrogateescape")
        (store.folder / key / "outcome.json").write_bytes(text)
    assert [(entry.status, entry.variant, entry.seed) for entry in store.entries()] == [(DAMAGED, "", 0)] * 5


# Listing and removing


def test_entries_are_listed_with_the_one_used_last_first(store: Store) -> None:
    keys = [put(store, seed=seed, used=LONG_AGO + seed) for seed in (1, 2, 3)]
    entries = store.entries()
    assert [entry.key for entry in entries] == keys[::-1]
    first = entries[-1]
    folder = store.folder / first.key
    assert (first.variant, first.seed, first.status, first.used) == ("mlp", 1, DONE, LONG_AGO + 1)
    assert first.dataset == "d" * 64
    assert first.bytes == sum(path.stat().st_size for path in folder.iterdir())


def test_strangers_in_the_folder_are_no_entries(store: Store) -> None:
    key = put(store)
    (store.folder / "notes.txt").write_text("mine")
    (store.folder / "F00D").mkdir()
    (store.folder / ("b" * 64)).write_text("a file")
    assert [entry.key for entry in store.entries()] == [key]


def test_only_what_was_not_used_since_is_removed(store: Store) -> None:
    key = put(store, used=LONG_AGO)
    assert not store.remove(key, before=LONG_AGO)
    assert store.load(key, a_job()) is not None  # another run, this moment
    assert not store.remove(key, before=LONG_AGO + 1)
    assert store.damage(key) == ""
    assert store.remove(key, before=float("inf"))
    assert store.status(key) == UNFINISHED
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


def test_sweeping_leaves_the_living_alone(store: Store) -> None:
    dead, alive = "1" * 64, "2" * 64
    with elsewhere(HOLD, store.folder, dead) as process:
        process.kill()
    (store.folder / ".removed-abc" / ("3" * 64)).mkdir(parents=True)
    with elsewhere(HOLD, store.folder, alive):
        left = store.left_behind()
        assert sorted(path.name.partition("-")[0] for path in left) == [".removed", dead]
        store.sweep(left)
        assert [path.name.partition("-")[0] for path in (store.folder / ".new").iterdir()] == [alive]
        assert [path.name for path in (store.folder / ".locks").iterdir()] == [alive]
        assert store.status(alive) == RUNNING
        assert list(store.folder.glob(".removed-*")) == []


def test_an_entry_that_goes_while_it_is_read_is_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key = put(store)
    read = pd.read_parquet

    def and_remove(path: Path) -> pd.DataFrame:
        frame = read(path)
        if path.parent.exists():
            shutil.rmtree(path.parent)
        return frame

    monkeypatch.setattr(pd, "read_parquet", and_remove)
    assert store.load(key, a_job()) is None


def test_a_reader_finds_all_of_an_entry_or_nothing(store: Store) -> None:
    key = put(store)
    found: list[Outcome] = []
    problems: list[BaseException] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            try:
                outcome = store.load(key, a_job())
            except BaseException as error:  # noqa: BLE001  whatever it is
                problems.append(error)
                return
            if outcome is not None:
                found.append(outcome)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(60):
        store.remove(key, before=float("inf"))
        put(store)
    over.set()
    reader.join()
    assert not problems
    assert found
    assert all(outcome.probabilities is not None for outcome in found)
