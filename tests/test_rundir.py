"""Where runs are written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reportgen import rundir
from reportgen.errors import OutputError

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


def test_what_the_disk_refuses_is_one_line_and_bad_input(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught, rundir.disk_errors(tmp_path):
        raise OSError(28, "No space left on device", str(tmp_path / "frames"))
    assert str(caught.value) == (
        f"{tmp_path / 'frames'}: No space left on device; "
        "make room or choose another folder with --output DIR"
    )


def test_a_full_disk_ends_a_document_without_leftovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reportgen import report

    (tmp_path / "report.html").write_text("the one before")

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        report._swap_in(tmp_path / "report.html", b"a new one")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "the one before"
