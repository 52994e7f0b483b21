"""Writes that leave the old state or the new one, manifests that tell damage, and locks of the kernel's."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen import disk
from reportgen.errors import OutputError
from support import ROOT, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLD, NEW = b"old " * 5_000, b"new " * 7_000


# Steps


def test_a_step_is_an_audit_event_with_what_is_done_and_the_path(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
sys.addaudithook(lambda event, args: print(*args) if event == "reportgen.disk" else None)
from reportgen import disk
disk.write(Path("file"), b"content")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["write file", "sync file"]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Note the steps, by the file's name."""
    noted: list[tuple[str, str]] = []
    monkeypatch.setattr(disk, "step", lambda what, path: noted.append((what, path.name)))
    return noted


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the disk refuse a step, counted from 0."""
    count = iter(range(1000))

    def step(what: str, path: Path) -> None:
        if next(count) == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(disk, "step", step)


def old_file(folder: Path) -> Path:
    (folder / "file").write_bytes(OLD)
    return folder / "file"


def old_link(folder: Path) -> Path:
    (folder / "link").symlink_to("old")
    return folder / "link"


def finished_folder(folder: Path) -> Path:
    """Make a folder with files in it, and its manifest."""
    made = folder / "made"
    (made / "below").mkdir(parents=True)
    disk.write(made / "one", b"1" * 100)
    disk.write(made / "below" / "two", b"2" * 200)
    disk.write(made / "empty", b"")
    disk.write_manifest(made)
    return made


CHANGES: dict[str, tuple[Callable[[Path], Any], Callable[[Any], Any], list[str]]] = {
    "write": (
        lambda folder: folder / "file",
        lambda path: disk.write(path, NEW),
        ["write", "sync"],
    ),
    "swap_in": (old_file, lambda path: disk.swap_in(path, NEW), ["write", "sync", "rename", "sync"]),
    "swap_link": (old_link, lambda link: disk.swap_link(link, "new"), ["link", "rename", "sync"]),
    "publish": (
        finished_folder,
        lambda made: disk.publish(made, made.with_name("final")),
        ["sync", "rename", "sync"],
    ),
    "remove_folder": (finished_folder, disk.remove_folder, ["remove"]),
}


@pytest.mark.parametrize(("arrange", "change", "expected"), CHANGES.values(), ids=CHANGES)
def test_each_change_announces_its_steps_before_it_makes_them(
    arrange: Callable[[Path], Any],
    change: Callable[[Any], Any],
    expected: list[str],
    steps: list[tuple[str, str]],
    tmp_path: Path,
) -> None:
    arranged = arrange(tmp_path)
    steps.clear()
    change(arranged)
    assert [what for what, _ in steps] == expected


REFUSALS = [(name, step) for name, (_, _, steps) in CHANGES.items() for step in range(len(steps))]


@pytest.mark.parametrize(("name", "step"), REFUSALS)
def test_a_change_that_is_refused_leaves_the_old_state_or_the_new_one_and_says_where(
    name: str, step: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arrange, change, what = CHANGES[name]
    arranged = arrange(tmp_path)
    links = {path: path.readlink() for path in tmp_path.iterdir() if path.is_symlink()}
    old = tree(tmp_path)
    refuse(monkeypatch, step)
    with pytest.raises(OSError, match="No space left") as caught:
        change(arranged)
    assert str(caught.value.filename).startswith(str(tmp_path))
    if what[step] == "sync" and step == len(what) - 1:  # the name was changed, though perhaps not for good
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
        return
    assert tree(tmp_path) == old
    assert links == {path: path.readlink() for path in tmp_path.iterdir() if path.is_symlink()}


# Writing


def test_a_file_is_written_once_and_not_over_another(tmp_path: Path) -> None:
    disk.write(tmp_path / "file", OLD)
    with pytest.raises(FileExistsError):
        disk.write(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == OLD


@pytest.mark.parametrize("name", ["fsync", "open"])
def test_an_error_of_the_disk_names_the_file_though_the_system_does_not(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse_it(*args: Any) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, name, refuse_it)
    with (
        pytest.raises(OutputError) as caught,
        disk.disk_errors(tmp_path / "somewhere"),
    ):
        disk.write(tmp_path / "file", NEW)
    monkeypatch.undo()
    assert str(caught.value) == (
        f"{tmp_path / 'file'}: Input/output error; make room or choose another folder with --output DIR"
    )


def test_an_error_without_a_file_names_the_folder(tmp_path: Path) -> None:
    said = f"{tmp_path}: No space left on device; make room"
    with pytest.raises(OutputError, match=said), disk.disk_errors(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def watched(look: Callable[[], bool]) -> Iterator[list[int]]:
    """Look again and again from another thread; gives how often it was right and how often wrong."""
    seen, over = [0, 0], threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen[not look()] += 1

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def test_a_reader_never_finds_a_file_half_swapped_in(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    with watched(lambda: path.read_bytes() in (OLD, NEW)) as seen:
        for content in (NEW, OLD) * 50:
            assert disk.swap_in(path, content) == path
    assert seen[0] > 0
    assert seen[1] == 0
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_never_finds_a_link_missing(tmp_path: Path) -> None:
    link = old_link(tmp_path)
    with watched(lambda: str(link.readlink()) in ("old", "new")) as seen:
        for target in ("new", "old") * 100:
            disk.swap_link(link, target)
    assert seen[0] > 0
    assert seen[1] == 0
    assert list(tmp_path.iterdir()) == [link]


def test_what_a_killed_process_of_the_same_number_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f".file-{os.getpid()}").write_bytes(b"half")
    (tmp_path / f".link-{os.getpid()}").symlink_to("nowhere")
    disk.swap_in(tmp_path / "file", NEW)
    disk.swap_link(tmp_path / "link", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


# Publishing and removing


def test_a_folder_is_published_where_nothing_or_an_empty_folder_is(tmp_path: Path) -> None:
    made = finished_folder(tmp_path)
    content = tree(made)
    assert disk.publish(made, tmp_path / "final")
    assert tree(tmp_path / "final") == content
    (tmp_path / "empty").mkdir()
    assert disk.publish(tmp_path / "final", tmp_path / "empty")
    assert tree(tmp_path / "empty") == content


@pytest.mark.parametrize("kind", ["a folder", "a file"])
def test_a_folder_is_not_published_over_another(kind: str, tmp_path: Path) -> None:
    made = finished_folder(tmp_path)
    final = tmp_path / "final"
    if kind == "a folder":
        final.mkdir()
        (final / "theirs").write_text("theirs")
    else:
        final.write_text("theirs")
    before = tree(tmp_path)
    assert not disk.publish(made, final)
    assert tree(tmp_path) == before


def test_a_folder_is_hidden_before_it_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = finished_folder(tmp_path)
    monkeypatch.setattr(shutil, "rmtree", lambda *args, **named: None)  # as if killed on the way
    disk.remove_folder(made)
    assert [path.name for path in tmp_path.glob("[!.]*")] == []
    [hidden] = tmp_path.iterdir()
    assert hidden.name.startswith(".removed-")
    assert disk.damage(hidden / "made") == ""


def test_a_folder_that_is_gone_already_is_removed_too(tmp_path: Path) -> None:
    disk.remove_folder(tmp_path / "gone")
    assert list(tmp_path.iterdir()) == []


# Manifests


def test_a_finished_folder_is_not_damaged(tmp_path: Path) -> None:
    made = finished_folder(tmp_path)
    assert disk.damage(made) == ""
    listed = disk.listed_files(made / disk.MANIFEST)
    assert listed is not None
    assert set(listed) == {"one", "below/two", "empty"}
    assert listed["one"] == {"bytes": 100, "sha256": disk.sha256(made / "one")}


def test_a_file_that_the_manifest_does_not_list_is_no_damage(tmp_path: Path) -> None:
    made = finished_folder(tmp_path)
    (made / "notes.txt").write_text("a teacher's own")
    assert disk.damage(made) == ""


def put(name: str, content: bytes) -> Callable[[Path], Any]:
    return lambda made: (made / name).write_bytes(content)


def folder_for_file(made: Path) -> None:
    (made / "one").unlink()
    (made / "one").mkdir()


WITHOUT = "manifest.json is missing or damaged"
DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a file is gone": (lambda made: (made / "one").unlink(), "one: No such file or directory"),
    "a file was cut short": (put("one", b"1" * 60), "one has 60 bytes, expected 100"),
    "a file has grown": (put("empty", b"\0"), "empty has 1 bytes, expected 0"),
    "a file has another byte": (
        put("below/two", b"2" * 199 + b"3"),
        "below/two is not what was written: its checksum differs",
    ),
    "a file is a folder": (folder_for_file, "one "),
    "a folder is gone": (lambda made: shutil.rmtree(made / "below"), "below/two: No such file or directory"),
    "all is gone": (shutil.rmtree, WITHOUT),
    "no manifest": (lambda made: (made / disk.MANIFEST).unlink(), WITHOUT),
    "an empty manifest": (put(disk.MANIFEST, b""), WITHOUT),
    "half a manifest": (
        lambda made: put(disk.MANIFEST, (made / disk.MANIFEST).read_bytes()[:150])(made),
        WITHOUT,
    ),
    "a manifest of zeros": (put(disk.MANIFEST, bytes(300)), WITHOUT),
    "another JSON": (put(disk.MANIFEST, b"[1]"), WITHOUT),
    "a list of files": (put(disk.MANIFEST, b'{"files": ["one"]}'), WITHOUT),
    "an entry without its size": (put(disk.MANIFEST, b'{"files": {"one": {"sha256": ""}}}'), WITHOUT),
    "JSON without end": (put(disk.MANIFEST, b"[" * 100_000), WITHOUT),
    "no UTF-8": (put(disk.MANIFEST, b"\xff\xfe"), WITHOUT),
}


@pytest.mark.parametrize(("harm", "said"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_found_and_said(harm: Callable[[Path], Any], said: str, tmp_path: Path) -> None:
    made = finished_folder(tmp_path)
    harm(made)
    assert disk.damage(made).startswith(said)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["one", "below/two"]), st.integers(0, 99), st.integers(1, 255))
def test_another_byte_anywhere_is_damage(name: str, place: int, change: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = finished_folder(Path(folder))
        content = bytearray((made / name).read_bytes())
        content[place] ^= change
        (made / name).write_bytes(content)
        assert disk.damage(made) == f"{name} is not what was written: its checksum differs"


# Locks


def test_a_lock_is_held_by_one_and_its_file_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = disk.FileLock.take(path)
    assert first is not None
    assert disk.FileLock.take(path) is None
    assert disk.is_locked(path)
    first.release()
    assert not path.exists()
    assert not disk.is_locked(path)
    again = disk.FileLock.take(path)
    assert again is not None
    again.release()


def test_a_file_that_nobody_locks_is_free_and_asking_does_not_lock_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()  # as a killed process leaves it
    assert not disk.is_locked(path)
    assert not disk.is_locked(path)
    taken = disk.FileLock.take(path)
    assert taken is not None
    taken.release()


HOLD = """
import sys, time
from pathlib import Path
from reportgen import disk
lock = disk.FileLock.take(Path("lock"))
with disk.lock_folder(Path("folder")) as mine:
    print(lock is not None, mine, flush=True)
    time.sleep(60)
"""
COUNT = """
import sys, time
from pathlib import Path
from reportgen import disk
counter, mine = Path("counter"), 0
while mine < int(sys.argv[1]):
    lock = disk.FileLock.take(Path("lock"))
    if lock is None:
        disk.is_locked(Path("lock"))
        continue
    n = int(counter.read_text())
    time.sleep(0)
    counter.write_text(str(n + 1))
    lock.release()
    mine += 1
"""


def python(code: str, *args: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_locks_of_a_process_that_is_killed_are_free_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with python(HOLD, cwd=tmp_path) as holder:
        assert holder.stdout
        assert holder.stdout.readline().split() == ["True", "True"]
        assert disk.is_locked(tmp_path / "lock")
        assert disk.FileLock.take(tmp_path / "lock") is None
        with disk.lock_folder(tmp_path / "folder") as mine:
            assert not mine
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert not disk.is_locked(tmp_path / "lock")
        taken = disk.FileLock.take(tmp_path / "lock")
        assert taken is not None
        taken.release()
        with disk.lock_folder(tmp_path / "folder") as mine:
            assert mine


def test_of_many_processes_only_one_at_a_time_has_a_lock_though_each_takes_its_file_away(
    tmp_path: Path,
) -> None:
    (tmp_path / "counter").write_text("0")
    many = [python(COUNT, "200", cwd=tmp_path) for _ in range(4)]
    for one in many:
        with one:
            assert one.wait(60) == 0
    assert (tmp_path / "counter").read_text() == "800"
    assert [path.name for path in tmp_path.iterdir()] == ["counter"]


def test_a_lock_whose_file_is_taken_away_in_the_same_moment_is_taken_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "lock"
    locked = disk._locked
    lost: list[int] = []

    def late(descriptor: int) -> bool:
        if not lost:  # its holder lets go of it after we have opened it
            lost.append(descriptor)
            path.unlink()
        return locked(descriptor)

    monkeypatch.setattr(disk, "_locked", late)
    taken = disk.FileLock.take(path)
    assert taken is not None
    assert path.exists()
    assert disk.FileLock.take(path) is None
    taken.release()


def test_the_lock_of_a_folder_is_of_the_folder_and_not_of_its_name(tmp_path: Path) -> None:
    with disk.lock_folder(tmp_path / "gone") as mine:
        assert not mine
    folder = tmp_path / "folder"
    folder.mkdir()
    with disk.lock_folder(folder) as mine:
        assert mine
        folder.rename(tmp_path / "renamed")
        with disk.lock_folder(tmp_path / "renamed") as other:
            assert not other


def test_a_manifest_is_json_that_people_can_read(tmp_path: Path) -> None:
    made = finished_folder(tmp_path)
    text = (made / disk.MANIFEST).read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert list(json.loads(text)["files"]) == ["below/two", "empty", "one"]
