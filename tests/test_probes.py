"""Probes: how images are altered, what a score is known by, and runs that score without training again."""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import reportgen
from reportgen.data import load
from reportgen.data.probes import (
    BORDER,
    DIRECTIONS,
    SHIFT,
    Probe,
    background,
    ink,
    longest_shift,
    permuted,
    shifted,
    subset,
    to_border,
    views,
)
from reportgen.errors import LabError, RunError
from reportgen.execution import probing
from reportgen.lab import load_lab, override, overrides, parse_lab
from reportgen.results import load_results
from support import TWO_VARIANTS, in_a_process, lab_text

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIDES = ["left", "right", "top", "bottom"]
PROBES = "[probes]\nborder = true\nshift = 2\n"
IMAGES = arrays.arrays(
    st.sampled_from([np.uint8, np.float32]),
    st.tuples(st.integers(1, 4), st.integers(3, 9), st.integers(3, 9), st.integers(1, 3)),
    elements=st.sampled_from([0, 1]),
    fill=st.just(0),
).map(lambda images: images * (200 if images.dtype == np.uint8 else images.dtype.type(0.8)))


# How images are altered


@given(images=IMAGES, side=st.sampled_from(SIDES))
def test_what_an_image_shows_touches_the_border_afterwards_and_is_as_much_as_before(
    images: NDArray[Any], side: str
) -> None:
    ground = background(images)
    before, after = ink(images, ground), ink(to_border(images, side), ground)
    assert after.sum(axis=(1, 2)).tolist() == before.sum(axis=(1, 2)).tolist()
    edge = {"left": after[:, :, 0], "right": after[:, :, -1], "top": after[:, 0], "bottom": after[:, -1]}[
        side
    ]
    assert edge.any(axis=1).tolist() == before.any(axis=(1, 2)).tolist()


@given(images=IMAGES, side=st.sampled_from(SIDES))
def test_what_touches_a_border_stays_where_it_is(images: NDArray[Any], side: str) -> None:
    once = to_border(images, side)
    ground = background(images)
    assert once.dtype == images.dtype
    moved_again = to_border(once, side)
    same_ground = (background(once) == ground).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(moved_again[same_ground], once[same_ground])


@given(images=IMAGES)
def test_a_shift_by_nothing_changes_nothing(images: NDArray[Any]) -> None:
    np.testing.assert_array_equal(shifted(images, 0, 0), images)


@given(images=IMAGES, rows=st.integers(-3, 3), columns=st.integers(-3, 3))
def test_a_shift_moves_every_pixel_that_stays_and_fills_with_the_background(
    images: NDArray[Any], rows: int, columns: int
) -> None:
    moved, ground = shifted(images, rows, columns), background(images)
    _, height, width, _ = images.shape
    for y in range(height):
        for x in range(width):
            inside = 0 <= y - rows < height and 0 <= x - columns < width
            expected = images[:, y - rows, x - columns] if inside else ground[:, 0, 0]
            np.testing.assert_array_equal(moved[:, y, x], expected)


def test_the_background_is_what_the_outermost_pixels_show_most_often() -> None:
    image = np.full((1, 4, 4, 2), 255, np.uint8)
    image[0, 1:3, 1:3] = 7
    image[0, 0, :, 1] = 9
    assert background(image).tolist() == [[[[255, 255]]]]
    image[0, :, 0, 1] = image[0, :, 3, 1] = 9
    assert background(image).tolist() == [[[[255, 9]]]]


def test_a_dark_object_on_a_light_ground_is_moved_over_that_ground() -> None:
    image = np.full((1, 5, 5, 1), 250, np.uint8)
    image[0, 2, 2] = 10
    moved = to_border(image, "left")
    assert moved[0, 2, 0] == 10
    assert (moved == 250).sum() == 24


def test_an_image_without_anything_on_it_is_not_moved() -> None:
    blank = np.full((1, 4, 4, 1), 90, np.uint8)
    blank[0, 1, 1] = 100  # less than a tenth of the range away
    for side in SIDES:
        np.testing.assert_array_equal(to_border(blank, side), blank)


def test_a_shift_has_four_directions_each_and_stays_below_half_of_the_image() -> None:
    images = np.zeros((3, 9, 8, 1), np.uint8)
    levels = [view.level for view in views(Probe(SHIFT, pixels=6), images)]
    assert levels == ["0", *["1"] * 4, *["2"] * 4, *["3"] * 4]
    assert [view.level for view in views(Probe(BORDER), images)] == SIDES == list(DIRECTIONS)
    assert [longest_shift(50, (1, side, 28, 1)) for side in (1, 2, 3, 27, 28)] == [0, 0, 1, 13, 13]


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=200), most=st.integers(1, 100))
def test_a_subset_has_each_class_by_its_share(labels: list[int], most: int) -> None:
    stated = np.array(labels)
    chosen = subset(stated, most)
    assert len(chosen) == len(set(chosen.tolist())) == min(most, len(labels))
    assert chosen.tolist() == sorted(chosen.tolist()) == subset(stated, most).tolist()
    for label in set(labels):
        share = labels.count(label) * len(chosen) / len(labels)
        assert abs((stated[chosen] == label).sum() - share) <= 2.5


def test_permuted_images_have_the_same_pixels_in_one_other_order() -> None:
    digits = load("digits")
    other = permuted(digits)
    assert other.x_test.shape == digits.x_test.shape
    assert not np.array_equal(other.x_test, digits.x_test)
    height, width, _ = digits.image_shape
    order = np.random.default_rng(0).permutation(height * width)
    for one, before in ((other.x_train, digits.x_train), (other.x_test, digits.x_test)):
        np.testing.assert_array_equal(one.reshape(len(one), -1), before.reshape(len(before), -1)[:, order])


# What a score is known by

OTHER: dict[str, Any] = {"name": "shift", "pixels": 3, "images": 100, "ink": 0.2, "seed": 1}


def test_every_parameter_of_a_probe_is_in_its_key() -> None:
    probe = Probe(BORDER)
    assert set(OTHER) == {field.name for field in fields(Probe)}
    keys = {replace(probe, **{name: value}).key("outcome", "data") for name, value in OTHER.items()}
    assert (
        len(keys | {probe.key("outcome", "data"), probe.key("other", "data"), probe.key("outcome", "d")}) == 8
    )


def test_another_version_of_the_probes_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Probe(BORDER).key("outcome", "data")
    monkeypatch.setattr("reportgen.data.probes.PROBE_VERSION", 2)
    assert Probe(BORDER).key("outcome", "data") != before


# What a lab may state


def lab_with(probes: Any) -> dict[str, Any]:
    layers = [{"flatten": True}, {"dense": "classes", "activation": "softmax"}]
    conv = [{"conv2d": 2, "kernel": 3}, *layers]
    return {
        "title": "t",
        "dataset": {"name": "digits"},
        "probes": probes,
        "variants": [
            {"name": "conv-a", "layers": conv},
            {"name": "conv-b", "layers": conv},
            {"name": "mlp", "baseline": True, "layers": layers},
        ],
    }


def test_a_lab_that_states_no_probes_has_none_and_the_built_in_one_has_border_and_shift() -> None:
    without = parse_lab({key: value for key, value in lab_with({}).items() if key != "probes"}, "t")
    assert without.probes.model_dump() == {"border": False, "shift": 0, "permutation": False}
    assert load_lab("mnist").probes.model_dump() == {"border": True, "shift": 6, "permutation": False}


REFUSED = {
    "probes: borders": ({"borders": True}, "probes.borders: unknown key; did you mean 'border'?"),
    "probes: a shift below 0": ({"shift": -1}, "probes.shift: -1, expected at least 0"),
    "probes: a long shift": ({"shift": 101}, "probes.shift: 101, expected at most 100"),
    "probes: a word for a shift": ({"shift": "six"}, "probes.shift: 'six', expected a whole number"),
    "probes: a number for border": ({"border": 1}, "probes.border: 1, expected true or false"),
    "probes: an unknown variant": ({"permutation": ["mpl"]}, "no variant 'mpl'; did you mean 'mlp'?"),
    "probes: a text": ({"permutation": "mlp"}, "probes.permutation: 'mlp', expected true or false or"),
    "probes: nobody": ({"permutation": []}, "probes.permutation: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_probes_cannot_mean_is_refused(case: str) -> None:
    stated, said = REFUSED[case]
    with pytest.raises(LabError) as refused:
        parse_lab(lab_with(stated), "lab.toml")
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_permutation_takes_the_baseline_and_the_first_convolution_or_those_that_are_named() -> None:
    def chosen(stated: Any) -> list[str]:
        return [variant.name for variant in parse_lab(lab_with({"permutation": stated}), "t").permuted]

    assert chosen(True) == ["conv-a", "mlp"]
    assert chosen(False) == []
    assert chosen(["conv-b"]) == ["conv-b"]
    lab = parse_lab(lab_with({"permutation": ["conv-b", "mlp"]}), "t")
    assert override(lab, overrides(variants=["mlp"])).probes.permutation == ("mlp",)
    assert override(lab, overrides(variants=["conv-a"])).probes.permutation is False


# Runs


class Bench:
    """A lab on made-up images in a folder of its own."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.data = folder, data

    def run(self, probes: str = "", **stated: Any) -> reportgen.Results:
        lab = self.folder / "tiny.toml"
        lab.write_text(lab_text(self.data, probes + TWO_VARIANTS), encoding="utf-8")
        where = {"output": self.folder / "output", "quiet": True, "jobs": 1}
        return reportgen.run(lab, **where, format="json", **stated)  # nothing is drawn

    @property
    def store(self) -> Path:
        return self.folder / "output" / ".store"

    @property
    def scores(self) -> list[Path]:
        return sorted(self.store.glob(".probes/*/score.json"))


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> Bench:
    bench = Bench(tmp_path_factory.mktemp("probed"), tiny_npz)
    bench.run(PROBES)
    return bench


@pytest.fixture
def bench(probed: Bench, tmp_path: Path) -> Bench:
    shutil.copytree(probed.folder / "output", tmp_path / "output", symlinks=True)
    return Bench(tmp_path, probed.data)


def latest(bench: Bench) -> reportgen.Results:
    return load_results(bench.folder / "output" / "tiny" / "latest")


def test_every_training_has_a_row_for_each_level(bench: Bench) -> None:
    results = latest(bench)
    n_test = results.record.dataset.n_test
    for _, rows in results.probes.groupby("variant"):
        by_level = rows.set_index(["probe", "level"])
        assert list(by_level.index) == [("border", side) for side in SIDES] + [("shift", s) for s in "012"]
        assert by_level["n"].tolist() == [n_test] * 5 + [4 * n_test] * 2
        assert by_level["pixels"].tolist()[4:] == [0, 1, 2]
        assert by_level["pixels"].isna().tolist() == [True] * 4 + [False] * 3
    unmoved = results.probes[results.probes["level"] == "0"].set_index("variant")["accuracy"]
    tested = results.runs.set_index("variant")["test_accuracy"]
    assert unmoved.to_dict() == pytest.approx(tested.to_dict())
    assert len(bench.scores) == 4
    assert results.record.left_out == ()


@pytest.mark.long
def test_a_probe_added_later_is_scored_and_nothing_is_trained(tiny_npz: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path, tiny_npz)
    first = bench.run()
    assert (len(first.probes), bench.scores) == (0, [])
    second = bench.run("[probes]\nborder = true\n")
    assert all(job.reused for job in second.record.jobs)
    assert set(second.probes["probe"]) == {"border"}
    scored = {path: path.stat().st_mtime_ns for path in bench.scores}
    third = bench.run(PROBES)
    assert set(third.probes["probe"]) == {"border", "shift"}
    assert {path: path.stat().st_mtime_ns for path in scored} == scored


def no_process(*args: Any) -> None:
    raise AssertionError("a process was started")


def test_a_run_with_all_scores_starts_no_process(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reportgen.execution.trainers.Trainers.start", no_process)
    before = latest(bench)
    made = bench.run(PROBES)
    assert made.probes.equals(before.probes)
    assert bench.run(PROBES).record == made.record  # nothing has changed


@pytest.mark.long
def test_a_damaged_score_is_made_anew(bench: Bench) -> None:
    before = latest(bench).probes
    bench.scores[0].write_text("{}", encoding="utf-8")
    shutil.rmtree(bench.folder / "output" / "tiny")
    results = bench.run(PROBES)
    assert results.probes.equals(before)
    assert all(job.reused for job in results.record.jobs)
    assert json.loads(bench.scores[0].read_text(encoding="utf-8"))["rows"]


@pytest.mark.long
def test_rendering_a_run_with_probes_imports_no_tensorflow(bench: Bench) -> None:
    code = (
        "import sys; from reportgen.cli import main; main(['render', sys.argv[1], '--format', 'html']); "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    ran = in_a_process(code, bench.folder / "output" / "tiny" / "latest", cwd=bench.folder)
    assert (ran.code, ran.out[-1]) == (0, "set()"), ran.err


def test_a_run_directory_without_the_frame_has_no_probes_and_one_that_lost_it_is_refused(
    bench: Bench,
) -> None:
    run = (bench.folder / "output" / "tiny" / "latest").resolve()
    (run / "frames" / "probes.parquet").unlink()
    with pytest.raises(RunError, match=r"probes\.parquet: is missing"):
        load_results(run)
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    del manifest["files"]["frames/probes.parquet"]
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert load_results(run).probes.empty


WRONG = {
    "more right than there are": ({"right": 10_000}, "column 'right' is not from 0 to n"),
    "another accuracy": ({"accuracy": 0.123}, "column 'accuracy' does not agree"),
    "rows twice": ({"level": "left"}, "two rows for one variant, seed, probe and level"),
    "a training of nobody": ({"seed": 9}, "a training that was not done"),
}


@pytest.mark.parametrize("case", WRONG)
def test_probes_that_do_not_belong_to_the_run_are_refused(case: str, bench: Bench) -> None:
    columns, said = WRONG[case]
    path = bench.folder / "output" / "tiny" / "latest" / "frames" / "probes.parquet"
    latest(bench).probes.assign(**columns).to_parquet(path, index=False)
    with pytest.raises(RunError, match=said):
        latest(bench)


def test_scores_go_with_the_trainings_that_they_are_of(bench: Bench) -> None:
    from reportgen.upkeep import prune

    output = bench.folder / "output"
    pruned = prune(output, 0, False, 4e9)
    assert pruned is not None
    assert (len(bench.scores), pruned.others["scores"].paths) == (4, ())
    shutil.rmtree(output / "tiny")
    would = prune(output, 0, True, 4e9)
    assert would is not None
    assert len(would.others["scores"].paths) == len(bench.scores) == 4
    prune(output, 0, False, 4e9)
    assert bench.scores == []


@pytest.mark.long
def test_a_model_that_could_not_be_saved_has_no_rows_and_a_note(bench: Bench) -> None:
    results = latest(bench)
    entry = bench.store / results.record.jobs[0].key
    (entry / "model.keras").unlink()
    manifest = json.loads((entry / "manifest.json").read_text(encoding="utf-8"))
    del manifest["files"]["model.keras"]
    (entry / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    shutil.rmtree(bench.store / ".probes")
    shutil.rmtree(bench.folder / "output" / "tiny")
    again = bench.run(PROBES)
    assert set(again.probes["variant"]) == {"cnn"}
    said = {(one.variant, one.probe, one.reason, one.lasting) for one in again.record.left_out}
    assert said == {("mlp", probe, probing.NOT_SAVED, True) for probe in ("border", "shift")}
    assert bench.run(PROBES).path == again.path  # another try would come to the same


@pytest.mark.long
@pytest.mark.parametrize("times", [pytest.param(1, marks=pytest.mark.long), 2])
def test_a_probe_whose_process_dies_is_tried_once_more_and_then_left_out(
    times: int, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = latest(bench).probes
    shutil.rmtree(bench.store / ".probes")
    shutil.rmtree(bench.folder / "output" / "tiny")
    give, killed = probing.Probing.give, []

    def fatal(self: probing.Probing, worker: Any) -> None:
        if len(killed) < times:
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)
        give(self, worker)

    monkeypatch.setattr(probing.Probing, "give", fatal)
    results = bench.run(PROBES)
    if times == 1:
        assert results.probes.equals(before)
        assert results.record.left_out == ()
        return
    [left] = results.record.left_out
    assert "ended by SIGKILL" in left.reason
    assert "tried 2 times" in left.reason
    assert not left.lasting
    assert len(results.probes) < len(before)
    assert bench.run(PROBES).probes.equals(before)  # tried again by the next run


@pytest.mark.long
def test_trainings_on_permuted_pixels_stand_beside_the_comparison(tiny_npz: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path, tiny_npz)
    results = bench.run('[probes]\npermutation = ["mlp"]\n')
    assert results.variants == ["mlp", "cnn"]
    [control] = results.record.controls
    assert control.status == "done"
    rows = results.probes
    assert rows["variant"].tolist() == ["mlp", "mlp"]
    assert rows["level"].tolist() == ["original", "permuted"]
    assert rows["accuracy"].iloc[0] == pytest.approx(results.runs["test_accuracy"].iloc[0])
    assert bench.run('[probes]\npermutation = ["mlp"]\n').path == results.path
    from reportgen.upkeep import prune

    prune(tmp_path / "output", 0, False, 4e9)
    assert (bench.store / control.key).is_dir()  # the run refers to it
    both = bench.run("[probes]\npermutation = true\n")
    assert [job.reused for job in (*both.record.jobs, *both.record.controls)] == [True, True, True, False]
