"""Where runs are written."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reportgen import rundir

STARTED = datetime(2026, 11, 22, 3, 15, tzinfo=UTC)


def run_folder(lab: Path, name: str) -> Path:
    folder = lab / name
    folder.mkdir(parents=True)
    return folder


def test_two_runs_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        with rundir.partial_run(tmp_path / "lab", STARTED) as partial:
            (partial / "run.json").write_text("{}")
            names.append(rundir.publish(partial, tmp_path / "lab", STARTED).name)
    assert names == ["20261122T031500Z", "20261122T031500Z-2", "20261122T031500Z-3"]
    assert sorted(path.name for path in (tmp_path / "lab").iterdir()) == names


def test_a_run_that_raises_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), rundir.partial_run(tmp_path / "lab", STARTED):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_raises_leaves_earlier_runs_alone(tmp_path: Path) -> None:
    run_folder(tmp_path / "lab", "20261121T000000Z")
    with pytest.raises(ValueError, match="no"), rundir.partial_run(tmp_path / "lab", STARTED):
        raise ValueError("no")
    assert [path.name for path in (tmp_path / "lab").iterdir()] == ["20261121T000000Z"]


def test_a_run_begins_though_others_that_raise_take_the_lab_s_folder_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdtemp, left = tempfile.mkdtemp, iter(range(3))

    def after_another_raised(*, dir: Path, **named: str) -> str:
        if next(left, None) is not None:
            dir.rmdir()
        return mkdtemp(dir=dir, **named)

    monkeypatch.setattr(tempfile, "mkdtemp", after_another_raised)
    with rundir.partial_run(tmp_path / "lab", STARTED) as partial:
        assert partial.parent == tmp_path / "lab"
        assert partial.is_dir()
    assert next(left, None) is None


def test_a_lab_s_folder_that_cannot_stay_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(FileNotFoundError), rundir.partial_run(tmp_path / "lab", STARTED):
        pass


def test_the_latest_is_the_newest_run_and_never_goes_back(tmp_path: Path) -> None:
    older, newer = run_folder(tmp_path, "20261121T000000Z"), run_folder(tmp_path, "20261122T000000Z")
    latest = tmp_path / "latest"
    for run, expected in ((older, older), (newer, newer), (older, newer), (latest, newer)):
        rundir.point_latest(run)
        assert latest.resolve() == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == [older.name, newer.name, "latest"]


def test_a_copy_of_a_run_elsewhere_makes_no_link(tmp_path: Path) -> None:
    rundir.point_latest(run_folder(tmp_path, "for-the-students"))
    assert not (tmp_path / "latest").exists()
