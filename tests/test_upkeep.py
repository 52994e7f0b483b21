"""The store is listed and pruned: what runs refer to stays, and so does what may be in use."""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reportgen import disk
from reportgen.execution.store import Store
from reportgen.text import volume
from reportgen.upkeep import span
from support import Ran, command_line, in_a_process, tree
from test_store import HOLD, KEEP_LOCKED, LONG_AGO, a_job, elsewhere, flip, put, truncate, use

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import TrainedRun

HOUR, DAY = 3600.0, 86400.0
MAIN = """
import sys
from reportgen.cli import main
code = main()
print(sorted({"pandas", "numpy", "tensorflow", "keras", "pydantic"} & set(sys.modules)))
sys.exit(code)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "output" / ".store")


@pytest.fixture
def output(trained_run: TrainedRun, tmp_path: Path) -> Path:
    """Give a copy of everything that a real run has left."""
    return Path(shutil.copytree(trained_run.cwd / "output", tmp_path / "output", symlinks=True))


def run_in(output: Path) -> Path:
    return (output / "tiny" / "latest").resolve()


def all_used(output: Path, when: float) -> None:
    store = Store(output / ".store")
    for entry in store.entries():
        use(store, entry.key, when)


def kept_run(output: Path, *keys: str, name: str = "20261101T000000Z", **changed: Any) -> Path:
    """Write what pruning reads of a run."""
    run = output / "tiny" / name
    run.mkdir(parents=True)
    record = {"format_version": 1, "jobs": [{"key": key} for key in keys], **changed}
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return run


def keys_in(store: Store) -> set[str]:
    return {entry.key for entry in store.entries()}


# Listing


def test_a_real_store_is_listed(output: Path, tmp_path: Path) -> None:
    all_used(output, time.time() - 3 * HOUR)
    ran = command_line("store", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, [])
    assert ran.out[0].split() == ["variant", "seed", "data", "status", "size", "used", "runs"]
    rows = [line.split() for line in ran.out[1:5]]
    assert sorted((row[0], row[1]) for row in rows) == [
        *(("cnn", "1"), ("cnn", "2")),
        *(("mlp", "1"), ("mlp", "2")),
    ]
    for row in rows:
        assert (row[2], row[3], row[-4:]) == ("stripes", "done", ["3", "h", "ago", "1"])
    total = sum(path.stat().st_size for path in output.glob(".store/*/*") if len(path.parent.name) == 64)
    assert ran.out[5:7] == ["", f"4 entries, {volume(total)}"]
    assert all(len(line) <= 80 for line in ran.out)


@pytest.mark.parametrize("command", [("store",), ("store", "prune"), ("store", "prune", "--dry-run")])
def test_no_store_is_said_and_none_is_made(command: tuple[str, ...], cli: Callable[..., Ran]) -> None:
    ran = cli(*command, "--output", "elsewhere")
    said = "there is no store in elsewhere; `reportgen run` makes one"
    assert (ran.code, ran.out, ran.err) == (0, [said], [])


@pytest.mark.parametrize("command", [("store",), ("store", "prune")])
def test_nothing_heavy_is_loaded(command: tuple[str, ...], output: Path, tmp_path: Path) -> None:
    ran = in_a_process(MAIN, *command, cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.out[-1] == "[]"
    assert "4 entries" in " ".join(ran.out)


def test_a_thousand_entries_are_listed_at_once_in_80_columns(store: Store, tmp_path: Path) -> None:
    model = store.folder / put(store, name="a-long-name-of-forty-characters-in-all-x")
    for n in range(999):
        shutil.copytree(model, store.folder / f"{n:064x}")
    kept_run(
        tmp_path / "output",
        f"{5:064x}",
        dataset={"sha256": "d" * 64, "title": "Articles of clothing, in grey"},
    )
    start = time.perf_counter()
    ran = command_line("store", cwd=tmp_path)
    assert time.perf_counter() - start < 5
    assert len(ran.out) == 1 + 1000 + 2
    assert {len(line) for line in ran.out[:1001]} == {80}
    assert ran.out[1].startswith("a-long-name-of-forty-")
    assert "…  " in ran.out[1]
    assert "Articles of clo…" in ran.out[1]
    assert ran.out[-1].startswith("1,000 entries, ")


def test_what_is_not_an_entry_is_counted_too(store: Store, tmp_path: Path) -> None:
    hurt = put(store, seed=1)
    flip(store.folder / hurt / "epochs.parquet")
    claim = store.claim(hurt)  # sets it aside
    assert claim is not None
    claim.release()
    truncate(store.folder / put(store, seed=2) / "model.keras")
    (store.folder / ".charts").mkdir()
    (store.folder / ".charts" / "one.svg").write_bytes(bytes(1500))
    with elsewhere(HOLD, store.folder, "1" * 64) as process:
        process.kill()
    with elsewhere(HOLD, store.folder, "2" * 64):
        ran = command_line("store", cwd=tmp_path)
    assert ran.code == 0
    assert ran.out[1].split()[:4] == ["mlp", "2", "dddddddd", "damaged"]
    assert [line.partition(",")[0] for line in ran.out[3:]] == [
        "1 entry",
        "1 job being trained now",
        "1 job left unfinished by a process that died",
        "1 damaged entry that was set aside",
        "1 drawn chart",
    ]
    assert ran.out[-1] == "1 drawn chart, 1.5 kB"


def test_names_in_the_store_cannot_harm_a_terminal(store: Store, tmp_path: Path) -> None:
    put(store, name="mlp")
    entry = store.folder / store.entries()[0].key
    stated = json.loads((entry / "outcome.json").read_text())
    (entry / "outcome.json").write_text(json.dumps(stated | {"variant": "\x1b[31mred\u202e"}))
    assert command_line("store", cwd=tmp_path).out[1].split()[0] == "red"


def test_listing_goes_on_where_a_run_cannot_be_read(output: Path, tmp_path: Path) -> None:
    truncate(run_in(output) / "run.json")
    ran = command_line("store", cwd=tmp_path)
    assert ran.code == 0
    assert ran.out[-1].startswith("it is not known what this run refers to: output/tiny/")
    assert [line.split()[-1] for line in ran.out[1:5]] == ["0"] * 4


# Pruning


def test_what_a_run_refers_to_stays_however_old(output: Path, tmp_path: Path) -> None:
    all_used(output, LONG_AGO)
    before = tree(output)
    ran = command_line("store", "prune", cwd=tmp_path)
    assert (ran.code, ran.out, ran.err) == (0, ["kept 4 entries: a run refers to it", "freed 0 B"], [])
    assert tree(output) == before


def test_what_no_run_refers_to_any_more_goes(output: Path, tmp_path: Path) -> None:
    all_used(output, LONG_AGO)
    shutil.rmtree(run_in(output))
    before = tree(output)
    bytes_ = sum(entry.bytes for entry in Store(output / ".store").entries())
    dry = command_line("store", "prune", "--dry-run", cwd=tmp_path)
    assert dry.out[-2:] == [f"would remove 4 entries, {volume(bytes_)}", f"would free {volume(bytes_)}"]
    assert tree(output) == before
    ran = command_line("store", "prune", cwd=tmp_path)
    assert ran.out[-2:] == [f"removed 4 entries, {volume(bytes_)}", f"freed {volume(bytes_)}"]
    assert ran.out[:5] == dry.out[:5]
    left = [path for path in (output / ".store").rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} <= {".charts"}  # drawn this moment
    assert command_line("store", "prune", cwd=tmp_path).out == ["freed 0 B"]


def test_a_pruned_run_can_still_be_rendered_and_trained_again(output: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.move(run_in(output), moved)
    all_used(output, LONG_AGO)
    assert command_line("store", "prune", cwd=tmp_path).code == 0
    assert keys_in(Store(output / ".store")) == set()
    ran = command_line("verify", moved, cwd=tmp_path)
    assert ran.code == 0
    assert any(line.startswith("n/a   store ") for line in ran.out)


@pytest.mark.parametrize(("older", "left"), [("90s", 0), ("15min", 1), ("2h", 2), ("30d", 3), ("", 3)])
def test_older_is_a_time_since_the_last_use(older: str, left: int, store: Store, tmp_path: Path) -> None:
    now = time.time()
    for seed, seconds in enumerate((2 * 60, HOUR, DAY, 31 * DAY), start=1):
        put(store, seed=seed, used=now - seconds)
    ran = command_line("store", "prune", *(["--older", older] if older else []), cwd=tmp_path)
    assert ran.code == 0
    assert sorted(entry.seed for entry in store.entries()) == [1, 2, 3, 4][:left]
    words = {"": "30 d", "15min": "15 min", "2h": "2 h", "30d": "30 d"}
    if left:
        assert f"used in the last {words[older]}" in ran.out[-2]


def test_output_may_stand_on_either_side_of_prune(store: Store, tmp_path: Path) -> None:
    for command in (("store", "--output", "output", "prune"), ("store", "prune", "--output", "output")):
        put(store, used=LONG_AGO)
        assert command_line(*command, cwd=tmp_path).out[-2].startswith("removed 1 entry")
    (tmp_path / "output").rename(tmp_path / "runs")
    assert "there is no store in output" in command_line("store", "prune", cwd=tmp_path).out[0]
    assert "there is no store" not in command_line("store", "--output", "runs", "prune", cwd=tmp_path).out[0]


@pytest.mark.parametrize("older", ["0s", "soon", "-3d", "30y"])
def test_a_time_that_cannot_be_meant_is_refused(older: str, store: Store, tmp_path: Path) -> None:
    put(store, used=LONG_AGO)
    before = tree(tmp_path)
    ran = command_line("store", "prune", f"--older={older}", cwd=tmp_path)
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    assert "30d" in ran.err[0]
    assert tree(tmp_path) == before


def test_runs_that_share_an_entry_are_counted(store: Store, tmp_path: Path) -> None:
    key, other = put(store, seed=1, used=LONG_AGO), put(store, seed=2, used=LONG_AGO)
    kept_run(tmp_path / "output", key, name="20261101T000000Z")
    kept_run(tmp_path / "output", key, other, name="20261101T000000Z-2")
    rows = command_line("store", cwd=tmp_path).out[1:3]
    assert sorted((row.split()[1], row.split()[-1]) for row in rows) == [("1", "2"), ("2", "1")]


def test_what_another_process_is_at_stays(store: Store, tmp_path: Path) -> None:
    mine, theirs = put(store, seed=1, used=LONG_AGO), put(store, seed=2, used=LONG_AGO)
    with elsewhere(HOLD, store.folder, theirs) as process:
        # That claim sets nothing aside: the entry is whole.
        assert keys_in(store) == {mine, theirs}
        ran = command_line("store", "prune", cwd=tmp_path)
        assert keys_in(store) == {theirs}
        assert "kept 1 entry: being trained now" in ran.out
        assert len(list(store.folder.glob(".new/*"))) == 1
        process.kill()
        process.wait()
        ran = command_line("store", "prune", cwd=tmp_path)
    assert keys_in(store) == set()
    assert any(
        line.startswith("removed 1 job left unfinished by a process that died, 1.0 kB") for line in ran.out
    )
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


def test_damaged_entries_and_charts_go_by_their_age(store: Store, tmp_path: Path) -> None:
    charts, aside = store.folder / ".charts", store.folder / ".damaged"
    charts.mkdir(parents=True)
    for name in ("old", "new"):
        (charts / f"{name}.svg").write_bytes(bytes(100))
        (aside / name / "entry").mkdir(parents=True)
        (aside / name / "entry" / "model.keras").write_bytes(bytes(1000))
    for path in (charts / "old.svg", aside / "old"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    ran = command_line("store", "prune", cwd=tmp_path)
    assert ran.out == [
        "removed 1 damaged entry that was set aside, 1.0 kB",
        "removed 1 drawn chart, 100 B",
        "freed 1.1 kB",
    ]
    assert [path.name for path in (*charts.iterdir(), *aside.iterdir())] == ["new.svg", "new"]


# Pruning, where it is not known what a run refers to


def later_format(run: Path) -> None:
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    record["format_version"] = 7
    for job in record["jobs"]:
        job["entry"] = job.pop("key")
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    (run / disk.MANIFEST).unlink()


def not_text(run: Path) -> None:
    (run / "run.json").write_bytes(b"\xff\xfe\x00")
    (run / disk.MANIFEST).unlink()


def a_list(run: Path) -> None:
    (run / "run.json").write_text("[]", encoding="utf-8")
    (run / disk.MANIFEST).unlink()


UNREADABLE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a flipped bit": (lambda run: flip(run / "run.json"), "is not what was written"),
    "cut off": (lambda run: truncate(run / "run.json"), "is not what was written"),
    "gone": (lambda run: (run / "run.json").unlink(), "is missing"),
    "later format": (later_format, "the keys of its jobs are not where format_version 1 has them"),
    "not text": (not_text, "is damaged"),
    "a list": (a_list, "the keys of its jobs are not where"),
}


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["", "dry-run"])
@pytest.mark.parametrize(("harm", "said"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_run_that_cannot_be_read_keeps_everything(
    harm: Callable[[Path], Any], said: str, options: tuple[str, ...], output: Path, tmp_path: Path
) -> None:
    harm(run_in(output))
    all_used(output, LONG_AGO)
    before = tree(output)
    ran = command_line("store", "prune", *options, cwd=tmp_path)
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    assert f"output/tiny/{run_in(output).name}/run.json: {said}" in ran.err[0]
    assert "nothing was removed" in ran.err[0]
    assert tree(output) == before


def test_a_later_format_with_its_keys_in_their_place_is_read(store: Store, tmp_path: Path) -> None:
    key = put(store, seed=1, used=LONG_AGO)
    put(store, seed=2, used=LONG_AGO)
    kept_run(tmp_path / "output", key, format_version=7, new={"things": []})
    assert command_line("store", "prune", cwd=tmp_path).code == 0
    assert keys_in(store) == {key}


def test_a_run_of_before_there_was_a_store_refers_to_nothing(store: Store, tmp_path: Path) -> None:
    put(store, used=LONG_AGO)
    run = kept_run(tmp_path / "output")
    record = {"format_version": 1, "jobs": [{"variant": "mlp", "seed": 1}]}
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert command_line("store", "prune", cwd=tmp_path).code == 0
    assert keys_in(store) == set()


@pytest.mark.parametrize("linked", ["output", "output/tiny", "output/tiny/20261101T000000Z"])
def test_runs_below_a_folder_that_is_a_link_count(linked: str, store: Store, tmp_path: Path) -> None:
    kept, unused = put(store, seed=1, used=LONG_AGO), put(store, seed=2, used=LONG_AGO)
    run = kept_run(tmp_path / "output", kept)
    (run.parent / "latest").symlink_to(run.name)
    (tmp_path / linked).rename(tmp_path / "on another disk")
    (tmp_path / linked).symlink_to(tmp_path / "on another disk")
    ran = command_line("store", "prune", cwd=tmp_path)
    assert "kept 1 entry: a run refers to it" in ran.out
    assert keys_in(store) == {kept}
    assert unused not in keys_in(store)
    assert [row.split()[-1] for row in command_line("store", cwd=tmp_path).out[1:2]] == ["1"]


# Pruning, while runs are being made


def partial_run(output: Path) -> Path:
    folder = output / "tiny" / ".20261123T031500Z-abcdefgh.partial"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("content", [None, '{"format_version": 1, "jo'], ids=["no run.json", "half of it"])
def test_while_a_run_is_made_all_that_it_may_have_loaded_stays(
    content: str | None, store: Store, tmp_path: Path
) -> None:
    now = time.time()
    lately, long_ago = put(store, seed=1, used=now - DAY), put(store, seed=2, used=now - 8 * DAY)
    partial = partial_run(tmp_path / "output")
    if content is not None:
        (partial / "run.json").write_text(content, encoding="utf-8")
    with elsewhere(KEEP_LOCKED, partial):
        ran = command_line("store", "prune", "--older", "1h", cwd=tmp_path)
    assert "kept 1 entry: used in the last 7 d, and a run is at work" in ran.out
    assert keys_in(store) == {lately}
    assert long_ago not in keys_in(store)
    # Its process is no more: it was at nothing.
    assert command_line("store", "prune", "--older", "1h", cwd=tmp_path).code == 0
    assert keys_in(store) == set()


def test_while_anything_is_trained_all_that_a_run_may_have_loaded_stays(store: Store, tmp_path: Path) -> None:
    key = put(store, used=time.time() - DAY)
    with elsewhere(HOLD, store.folder, "1" * 64):
        command_line("store", "prune", "--older", "1h", cwd=tmp_path)
        assert keys_in(store) == {key}


AT_WORK = """
import sys
from pathlib import Path
from reportgen.execution.store import Store
with Store(Path(sys.argv[1])).at_work():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_between_two_trainings_a_run_is_at_work_and_all_that_it_may_have_loaded_stays(
    store: Store, tmp_path: Path
) -> None:
    now = time.time()
    lately, long_ago = put(store, seed=1, used=now - DAY), put(store, seed=2, used=now - 8 * DAY)
    assert long_ago in keys_in(store)
    with elsewhere(AT_WORK, store.folder) as process:
        ran = command_line("store", "prune", "--older", "1h", cwd=tmp_path)
        assert "kept 1 entry: used in the last 7 d, and a run is at work" in ran.out
        assert keys_in(store) == {lately}
        process.kill()
        process.wait()
        command_line("store", "prune", "--older", "1h", cwd=tmp_path)
    assert keys_in(store) == set()


@pytest.mark.parametrize("held", [True, False])
def test_a_run_that_is_nearly_made_keeps_what_it_refers_to(held: bool, store: Store, tmp_path: Path) -> None:
    key = put(store, used=LONG_AGO)
    partial = partial_run(tmp_path / "output")
    record = {"format_version": 1, "jobs": [{"key": key}]}
    (partial / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with elsewhere(KEEP_LOCKED, partial) if held else nullcontext():
        ran = command_line("store", "prune", cwd=tmp_path)
    assert "kept 1 entry: a run refers to it" in ran.out
    assert keys_in(store) == {key}


def test_an_entry_that_is_used_meanwhile_stays(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = put(store, used=LONG_AGO)
    remove = Store.remove

    def loaded_just_before(self: Store, key: str, before: float) -> bool:
        assert self.load(key, a_job()) is not None
        return remove(self, key, before)

    monkeypatch.setattr(Store, "remove", loaded_just_before)
    ran = command_line("store", "prune", cwd=tmp_path)
    assert ran.out == ["kept 1 entry: in use this moment", "freed 0 B"]
    assert keys_in(store) == {key}


def test_a_disk_that_refuses_is_one_line(store: Store, tmp_path: Path) -> None:
    put(store, used=LONG_AGO)
    (store.folder / ".locks").rmdir()
    (store.folder / ".locks").write_text("in the way")
    ran = command_line("store", "prune", cwd=tmp_path)
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    assert len(keys_in(store)) == 1


# Words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "0 s"),
        (90, "90 s"),
        (3600, "1 h"),
        (5400, "90 min"),
        (86400, "1 d"),
        (100_000, "28 h"),
        (-5, "0 s"),
    ],
)
def test_spans(seconds: float, said: str) -> None:
    assert span(seconds) == said


@pytest.mark.parametrize(
    ("n", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345, "12 kB"), (4.2e6, "4.2 MB"), (3e12, "3000 GB")],
)
def test_volumes(n: float, said: str) -> None:
    assert volume(n) == said
