"""The frames of a run: what they hold, and that they come back from disk whole or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import reportgen
from reportgen.data import Dataset, load
from reportgen.errors import RunError
from reportgen.jobs import DIVERGED, DONE, FAILED, Outcome
from reportgen.results import (
    COLUMNS,
    GALLERY_SIZE,
    Results,
    collect,
    gallery,
    load_results,
    save,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import TrainedRun

PARTS = ["run.json", "images.npz", *(f"frames/{name}.parquet" for name in COLUMNS)]


def assert_equal(one: Results, other: Results) -> None:
    assert one.record == other.record
    for name in COLUMNS:
        assert_frame_equal(getattr(one, name), getattr(other, name))
    assert list(one.images) == list(other.images)
    for index, image in one.images.items():
        np.testing.assert_array_equal(image, other.images[index])


def saved(results: Results, folder: Path) -> Path:
    folder.mkdir()
    save(results, folder)
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(RunError) as refused:
        load_results(folder)
    message = str(refused.value)
    assert len(message.splitlines()) == 1
    return message


# A real run


def test_a_run_has_a_row_for_each_training_in_the_order_of_the_lab(trained_run: TrainedRun) -> None:
    runs = trained_run.results.runs
    assert list(zip(runs["variant"], runs["seed"], strict=True)) == [
        ("mlp", 1),
        ("mlp", 2),
        ("cnn", 1),
        ("cnn", 2),
    ]
    assert trained_run.results.variants == ["mlp", "cnn"]
    assert trained_run.results.complete
    assert set(runs["status"]) == {DONE}
    assert set(runs["error"]) == {""}


def test_epochs_hold_both_splits_metrics_and_the_seconds(trained_run: TrainedRun) -> None:
    epochs = trained_run.results.epochs
    kinds = [("train", "loss"), ("train", "accuracy"), ("train", "seconds")]
    kinds += [("validation", "loss"), ("validation", "accuracy")]
    assert len(epochs) == 4 * 2 * len(kinds)
    assert set(zip(epochs["split"], epochs["metric"], strict=True)) == set(kinds)
    assert sorted(set(epochs["epoch"])) == [1, 2]
    assert np.isfinite(epochs["value"]).all()


def test_confusion_sums_to_the_test_set_and_agrees_with_the_predictions(
    trained_run: TrainedRun,
) -> None:
    results = trained_run.results
    key = ["variant", "seed", "label", "predicted"]
    counted = results.predictions.groupby(key).size()
    assert set(results.confusion.groupby(["variant", "seed"])["count"].sum()) == {60}
    assert len(results.confusion) == 4 * 3 * 3
    for row in results.confusion.itertuples():
        cell = (row.variant, row.seed, row.label, row.predicted)
        assert counted.get(cell, 0) == row.count


def test_predictions_agree_with_their_probabilities_and_the_scores(trained_run: TrainedRun) -> None:
    results = trained_run.results
    given = results.predictions[["p_0", "p_1", "p_2"]].to_numpy()
    np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(given.argmax(axis=1), results.predictions["predicted"])
    np.testing.assert_allclose(given.max(axis=1), results.predictions["confidence"])
    hits = results.predictions["label"] == results.predictions["predicted"]
    scores = hits.groupby([results.predictions["variant"], results.predictions["seed"]]).mean()
    for row in results.runs.itertuples():
        assert scores[row.variant, row.seed] == pytest.approx(row.test_accuracy)


def test_layers_are_listed_once_for_each_variant(trained_run: TrainedRun) -> None:
    layers = trained_run.results.layers
    cnn = layers[layers["variant"] == "cnn"]
    assert cnn["output_shape"].tolist() == ["5x5x4", "100", "3"]
    assert cnn["params"].tolist() == [40, 0, 303]
    assert cnn["position"].tolist() == [1, 2, 3]
    assert cnn["setting"].tolist()[0] == "3×3, stride 2, valid, relu"


def test_the_galleries_images_are_the_test_set_s(trained_run: TrainedRun, tiny_npz: Path) -> None:
    results, x_test = trained_run.results, load(path=tiny_npz).x_test
    for _, one in results.predictions.groupby(["variant", "seed"]):
        for correct in (True, False):
            shown = gallery(one, correct)
            assert len(shown) <= GALLERY_SIZE
            assert ((shown["label"] == shown["predicted"]) == correct).all()
            for index in shown["index"]:
                np.testing.assert_array_equal(results.images[index], x_test[index])


def test_results_show_themselves_as_a_table_in_jupyter(trained_run: TrainedRun) -> None:
    shown = trained_run.results._repr_html_()
    assert shown.startswith("<p><strong>A tiny lab</strong>")
    assert shown.count("<tr") == 1 + 4


def test_the_package_loads_results_by_run_or_by_lab(trained_run: TrainedRun) -> None:
    lab_folder = trained_run.folder.parent
    for path in (trained_run.folder, lab_folder / "latest", lab_folder, str(lab_folder)):
        assert_equal(reportgen.load_results(path), trained_run.results)


def test_results_survive_being_saved_and_loaded(trained_run: TrainedRun, tmp_path: Path) -> None:
    folder = saved(trained_run.results, tmp_path / "copy")
    again = load_results(folder)
    assert_equal(again, trained_run.results)
    assert again.path == folder
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()) == sorted(
        [*PARTS, "manifest.json"]
    )


# Made-up outcomes


def outcome(name: str, status: str, dataset: Dataset, seed: int = 1) -> Outcome:
    rng = np.random.default_rng(seed)
    drawn = rng.random((dataset.n_test, dataset.n_classes)).astype("float32")
    ran = status != FAILED
    epochs = [(1, "train", "loss", float("nan") if status == DIVERGED else 0.5)]
    layer = {
        "position": 1,
        "layer": "dense",
        "type": "Dense",
        "setting": "",
        "output_shape": "3",
        "params": 7,
        "trainable": 7,
        "multiply_adds": 6,
    }
    return Outcome(
        variant=name,
        seed=seed,
        status=status,
        error="" if status == DONE else f"{status}, that is all",
        params=7 if ran else None,
        trainable_params=7 if ran else None,
        train_seconds=0.5,
        test_loss=0.3 if status == DONE else float("nan"),
        epochs=pd.DataFrame(epochs if ran else [], columns=["epoch", "split", "metric", "value"]),
        layers=pd.DataFrame([layer]) if ran else pd.DataFrame(),
        probabilities=drawn / drawn.sum(axis=1, keepdims=True) if status == DONE else None,
    )


STATUSES = [[DONE, FAILED, DIVERGED], [FAILED, DONE], [FAILED], [DIVERGED], [FAILED, DIVERGED]]


@pytest.mark.parametrize("statuses", STATUSES, ids=" ".join)
def test_failed_and_diverged_trainings_are_rows_without_scores(
    statuses: list[str], trained_run: TrainedRun, tiny_npz: Path, tmp_path: Path
) -> None:
    dataset = load(path=tiny_npz)
    outcomes = [outcome(f"v{n}", status, dataset) for n, status in enumerate(statuses)]
    results = collect(outcomes, dataset, trained_run.results.record)
    assert results.runs["status"].tolist() == statuses
    assert not results.complete
    done = [status == DONE for status in statuses]
    assert results.runs["test_accuracy"].notna().tolist() == done
    assert results.runs["test_loss"].notna().tolist() == done
    assert (results.runs["error"] == "").tolist() == done
    assert results.runs["params"].notna().tolist() == [status != FAILED for status in statuses]
    assert len(results.predictions) == sum(done) * dataset.n_test
    assert bool(results.images) == any(done)
    assert_equal(load_results(saved(results, tmp_path / "run")), results)
    assert results._repr_html_()


def test_layers_come_from_the_first_seed_that_has_them(trained_run: TrainedRun, tiny_npz: Path) -> None:
    dataset = load(path=tiny_npz)
    outcomes = [outcome("v", FAILED, dataset, 1), outcome("v", DONE, dataset, 2)]
    results = collect(outcomes, dataset, trained_run.results.record)
    assert results.layers["variant"].tolist() == ["v"]


NASTY = (
    "<script>alert(1)</script> & </title>",
    "$x^2$ {{ 7 * 7 }} {% raw %}",
    "\x00\x07\x1b[31m\x85\u2028",
    "\u202eright to left\u200f",
    "é 漢字 😀 \ufffd",
    "x" * 10_000,
)


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text[:12]))
def test_any_text_survives_run_json(text: str, trained_run: TrainedRun, tmp_path: Path) -> None:
    record = trained_run.results.record
    texts = record.lab.texts.model_copy(update={"introduction": text})
    lab = record.lab.model_copy(update={"title": text, "course": text, "texts": texts})
    dataset = record.dataset.model_copy(update={"classes": (text, text + "2", text + "3")})
    results = replace(trained_run.results, record=record.model_copy(update={"lab": lab, "dataset": dataset}))
    again = load_results(saved(results, tmp_path / "run"))
    assert_equal(again, results)
    assert "<script>" not in again._repr_html_()


# Damage


@pytest.fixture
def copy(trained_run: TrainedRun, tmp_path: Path) -> Path:
    """Give a run directory to be damaged."""
    return saved(trained_run.results, tmp_path / "damaged")


def test_a_run_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "gone: no such run directory" in refusal(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    assert "file: is a file, expected a run directory" in refusal(tmp_path / "file")
    assert "has no run.json, expected a run directory" in refusal(tmp_path)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("how", ["removed", "emptied", "a folder"])
def test_a_run_without_a_part_is_refused_naming_it(copy: Path, part: str, how: str) -> None:
    (copy / part).unlink()
    if how == "emptied":
        (copy / part).write_bytes(b"")
    elif how == "a folder":
        (copy / part).mkdir()
    message = refusal(copy)
    assert Path(part).name in message
    assert "expected" in message or "run the lab again" in message


def test_text_that_is_not_utf_8_is_refused_naming_the_column(trained_run: TrainedRun, tmp_path: Path) -> None:
    folder = saved(trained_run.results, tmp_path / "run")
    file = folder / "frames" / "runs.parquet"
    table = pq.read_table(file)
    n = len(table)
    broken = pa.StringArray.from_buffers(
        n, pa.py_buffer(np.arange(n + 1, dtype="int32")), pa.py_buffer(b"\xe4" * n)
    )
    pq.write_table(table.set_column(table.schema.get_field_index("status"), "status", broken), file)
    with pytest.raises(RunError, match=r"runs\.parquet: column 'status' is not text; run the lab again"):
        load_results(folder)


@pytest.mark.parametrize("part", PARTS)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_damaged_bytes_are_refused_naming_the_file_or_load_in_the_same_form(
    copy: Path, part: str, data: st.DataObject
) -> None:
    path = copy / part
    whole = path.read_bytes()
    cut = data.draw(st.none() | st.integers(0, len(whole) - 1), "cut")
    damaged = bytearray(whole[:cut])
    places = st.integers(0, max(len(damaged) - 1, 0))
    for place in data.draw(st.lists(places, max_size=6), "places") if damaged else ():
        damaged[place] ^= data.draw(st.integers(1, 255), "flip")
    path.write_bytes(bytes(damaged))
    try:
        results = load_results(copy)
    except RunError as error:
        assert len(str(error).splitlines()) == 1
        assert str(copy) in str(error)
    else:
        assert set(results.runs.columns) >= set(COLUMNS["runs"])
    finally:
        path.write_bytes(whole)


def change_frame(folder: Path, name: str, **columns: Any) -> None:
    path = folder / "frames" / f"{name}.parquet"
    frame = pd.read_parquet(path)
    for column, value in columns.items():
        frame = frame.drop(columns=column) if value is None else frame.assign(**{column: value})
    frame.to_parquet(path, index=False)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_frame_without_a_column_is_refused_naming_it(copy: Path, name: str) -> None:
    column = list(COLUMNS[name])[-1]
    change_frame(copy, name, **{column: None})
    assert f"{name}.parquet: has no column '{column}'" in refusal(copy)


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "text for a number": ("epochs", {"value": "x"}, "column 'value' is not a number"),
    "text for a whole number": ("runs", {"seed": "one"}, "column 'seed' is not a whole number"),
    "a fraction": ("confusion", {"count": 0.5}, "column 'count' is not a whole number"),
    "lists": ("epochs", {"value": [[1]] * 40}, "column 'value' is not a number"),
    "another run's variant": ("epochs", {"variant": "other"}, "variant 'other' is not in runs"),
    "a missing variant": ("epochs", {"variant": pd.NA}, "column 'variant' has missing values"),
    "a missing count": ("confusion", {"count": pd.NA}, "column 'count' has missing values"),
    "an unknown class": ("predictions", {"label": 3}, "'label' goes beyond the 3 classes"),
    "an unknown guess": ("predictions", {"predicted": -1}, "'predicted' goes beyond the 3 classes"),
    "an unknown cell": ("confusion", {"label": 9}, "'label' goes beyond the 3 classes"),
    "an unknown guessed cell": (
        "confusion",
        {"predicted": 9},
        "'predicted' goes beyond the 3 classes",
    ),
    "no probabilities": ("predictions", {"p_1": None}, "has no column 'p_1'"),
    "probabilities in words": ("predictions", {"p_1": "x"}, "column 'p_1' is not a number"),
    "an unknown status": ("runs", {"status": "fine"}, "column 'status'"),
}


@pytest.mark.parametrize(("name", "columns", "said"), WRONG.values(), ids=WRONG)
def test_a_frame_of_another_form_is_refused(
    copy: Path, name: str, columns: dict[str, Any], said: str
) -> None:
    change_frame(copy, name, **columns)
    message = refusal(copy)
    assert said in message
    assert name in message


def test_a_run_without_trainings_is_refused(copy: Path) -> None:
    path = copy / "frames" / "runs.parquet"
    pd.read_parquet(path).head(0).to_parquet(path, index=False)
    assert "runs.parquet: is empty" in refusal(copy)


def change_record(folder: Path, **changed: Any) -> None:
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps(run | changed), encoding="utf-8")


RECORDS: dict[str, tuple[dict[str, Any], str]] = {
    "newer": ({"format_version": 2}, "format_version 2, this reportgen reads 1; update reportgen"),
    "older": ({"format_version": 0}, "format_version 0, expected 1"),
    "no version": ({"format_version": None}, "format_version None, expected 1"),
    "a version that is no number": ({"format_version": True}, "format_version True"),
    "no lab": ({"lab": {}}, "lab."),
    "a wrong date": ({"started": "yesterday"}, "started"),
    "no dataset": ({"dataset": None}, "dataset"),
}


@pytest.mark.parametrize(("changed", "said"), RECORDS.values(), ids=RECORDS)
def test_a_record_of_another_form_is_refused(copy: Path, changed: dict[str, Any], said: str) -> None:
    change_record(copy, **changed)
    message = refusal(copy)
    assert "run.json: " in message
    assert said in message


@pytest.mark.parametrize("text", ["[]", "null", "3", "{", '"x"', "[" * 100_000, '{"a": 1e999}'])
def test_a_record_that_is_no_record_is_refused(copy: Path, text: str) -> None:
    (copy / "run.json").write_text(text, encoding="utf-8")
    assert "run.json" in refusal(copy)


def save_images(folder: Path, **arrays: Any) -> None:
    np.savez_compressed(folder / "images.npz", **arrays)


def test_images_of_another_form_are_refused(copy: Path) -> None:
    images = np.zeros((2, 3, 3, 1), "uint8")
    for arrays in (
        {"index": np.arange(2)},
        {"index": np.arange(3), "images": images},
        {"index": np.arange(2), "images": images.astype("float32")},
        {"index": np.arange(2), "images": images[..., 0]},
        {"index": np.array(["a", "b"]), "images": images},
        {"index": np.array([None, None]), "images": images},
        {"index": np.array(0), "images": images},
        {"index": np.arange(2), "images": np.array([None])},
    ):
        save_images(copy, **arrays)
        assert "images.npz: " in refusal(copy)


def test_images_must_be_those_that_the_galleries_show(copy: Path) -> None:
    change_frame(copy, "predictions", index=10**6)
    assert "images.npz: has no image 1000000, which a gallery shows" in refusal(copy)


def test_a_run_is_whole_wherever_it_is_copied(trained_run: TrainedRun, tmp_path: Path) -> None:
    shutil.copytree(trained_run.folder, tmp_path / "elsewhere")
    assert_equal(load_results(tmp_path / "elsewhere"), trained_run.results)


# --- frames that do not belong together ---------------------------------------------------------------


def damaged(
    results: Results, folder: Path, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> Path:
    run = saved(results, folder)
    path = run / "frames" / f"{name}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    return run


FALSE_FRAMES = {
    "a negative count": ("confusion", lambda f: f.assign(count=-1), "count"),
    "a count more": ("confusion", lambda f: f.assign(count=f["count"] + 1), "does not agree"),
    "an image less": ("predictions", lambda f: f.iloc[1:], "rows for each training"),
    "no predictions": ("predictions", lambda f: f.iloc[:0], "rows for each training"),
    "another prediction": (
        "predictions",
        lambda f: f.assign(predicted=f["predicted"].where(f.index > 0, (f["predicted"] + 1) % 3)),
        "does not agree",
    ),
    "an accuracy of 2": ("runs", lambda f: f.assign(test_accuracy=2.0), "from 0 to 1"),
    "another accuracy": ("runs", lambda f: f.assign(test_accuracy=f["test_accuracy"] / 2), "does not agree"),
    "no parameters": ("runs", lambda f: f.assign(params=None), "params"),
    "a run twice": ("runs", lambda f: pd.concat([f, f]), "two rows"),
    "a far epoch": ("epochs", lambda f: f.assign(epoch=10**12), "epoch"),
    "an unknown split": ("epochs", lambda f: f.assign(split="trian"), "split"),
}


@pytest.mark.parametrize("case", FALSE_FRAMES)
def test_frames_that_cannot_be_true_are_refused_by_name(
    case: str, trained_run: TrainedRun, tmp_path: Path
) -> None:
    name, change, says = FALSE_FRAMES[case]
    run = damaged(trained_run.results, tmp_path / "run", name, change)
    with pytest.raises(RunError, match=rf"\.parquet: .*{says}") as caught:
        load_results(run)
    assert "\n" not in str(caught.value)
