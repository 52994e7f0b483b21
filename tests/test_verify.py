"""Runs are held against what was written of them, and one job of a run is really trained again."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from reportgen import disk
from reportgen.analysis.frames import ANALYSES
from reportgen.errors import DataError
from reportgen.execution.store import Store
from reportgen.results import load_results
from reportgen.retrain import Wanted, prepare
from support import Ran, command_line, made_up_images, tree
from test_store import delete, flip, truncate

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import TrainedRun

FRAMES = ("confusion", "epochs", "layers", "predictions", "probes", "runs")
DATA = (*(f"frames/{name}.parquet" for name in FRAMES), "images.npz", "run.json")
DOCUMENTS = ("report.html", "report.pdf", *sorted(f"frames/{name}.parquet" for name in ANALYSES))
JOBS = tuple(f"{variant}, seed {seed}" for variant in ("mlp", "cnn") for seed in (1, 2))


def copied(trained: TrainedRun, folder: Path) -> Path:
    """Copy all that a run's command left, its data beside it; gives the run directory."""
    shutil.copytree(trained.cwd, folder, symlinks=True, dirs_exist_ok=True)
    return folder / "output" / trained.folder.parent.name / trained.folder.name


@pytest.fixture
def run(trained_run: TrainedRun, tmp_path: Path) -> Path:
    return copied(trained_run, tmp_path)


def verify(run: Path, *options: str | Path) -> tuple[int, dict[str, tuple[str, str]], Ran]:
    """Verify a run; gives the exit code, and by the names of what was checked its mark and the rest."""
    ran = command_line("verify", run, *options, cwd=run.parents[2])
    rows = {}
    names = (*DATA, *DOCUMENTS, disk.MANIFEST, "documents.json", "store", "conditions", "frames")
    for line in ran.out:
        mark, rest = line[:4].strip(), line[6:]
        known = [name for name in (*names, *(f"{job}, again" for job in JOBS), *JOBS) if _begins(rest, name)]
        name = known[0] if known else rest.split("  ")[0]
        rows[name] = (mark, rest[len(name) :].strip())
    return ran.code, rows, ran


def _begins(rest: str, name: str) -> bool:
    return rest.startswith(f"{name} ")


def failing(rows: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {name: found for name, (mark, found) in rows.items() if mark == "FAIL"}


def rewrite(run: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change a run.json as an older reportgen may have written it: without a manifest."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    change(record)
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    (run / disk.MANIFEST).unlink(missing_ok=True)


# A run as it was written


def test_all_of_a_fresh_run_is_as_it_was_written(run: Path) -> None:
    before = tree(run)
    code, rows, ran = verify(run)
    assert (code, ran.err) == (0, [])
    assert {mark for mark, _ in rows.values()} == {"ok"}
    assert tuple(rows) == (*DATA, *DOCUMENTS, "frames", *JOBS)
    assert rows["frames"] == ("ok", "agree with each other: 4 trainings")
    weights = load_results(run).record.jobs[0].weights_sha256
    assert rows["mlp, seed 1"][1] == f"whole in the store, with the same weights {weights[:12]}…"
    assert tree(run) == before


@pytest.mark.parametrize("named", ["output/tiny", "output/tiny/latest"])
def test_a_run_may_be_named_as_for_render(named: str, run: Path) -> None:
    ran = command_line("verify", named, cwd=run.parents[2])
    assert ran.code == 0
    assert len(ran.out) == len(DATA) + len(DOCUMENTS) + 1 + len(JOBS)


def test_a_training_that_failed_is_not_applicable_and_one_that_diverged_is_checked(
    run_in_part: TrainedRun, tmp_path: Path
) -> None:
    code, rows, _ = verify(copied(run_in_part, tmp_path))
    assert code == 0
    assert rows["raises, seed 1"] == (
        "n/a",
        "not applicable, because its training failed: nothing was stored",
    )
    assert rows["not-a-number, seed 1"][0] == "ok"


# Damage


@pytest.mark.parametrize("harm", [flip, truncate, delete], ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("name", DATA)
def test_each_damaged_file_is_named(name: str, harm: Callable[[Path], None], run: Path) -> None:
    harm(run / name)
    code, rows, ran = verify(run)
    assert (code, ran.err) == (3, [])
    said = {
        flip: "is not what was written: its checksum differs",
        truncate: "bytes, expected",
        delete: "is missing",
    }
    assert said[harm] in failing(rows)[name]
    assert set(failing(rows)) <= {name, "frames"}
    if harm is not flip:  # a flipped bit may lie in a value that the frames do not share
        assert "frames" in failing(rows)


def test_frames_that_do_not_agree_are_found_without_checksums_too(run: Path) -> None:
    import pandas as pd

    predictions = pd.read_parquet(run / "frames/predictions.parquet")
    predictions.iloc[:-1].to_parquet(run / "frames/predictions.parquet", index=False)
    (run / disk.MANIFEST).unlink()
    code, rows, _ = verify(run)
    assert code == 3
    assert list(failing(rows)) == ["frames"]
    assert "does not have 60 rows" in failing(rows)["frames"]


@pytest.mark.parametrize("harm", [truncate, flip], ids=lambda harm: harm.__name__)
def test_a_damaged_manifest_is_a_failure(harm: Callable[[Path], None], run: Path) -> None:
    harm(run / disk.MANIFEST)
    code, rows, _ = verify(run)
    assert code == 3
    assert failing(rows)


def test_a_run_of_before_there_were_checksums_says_so(run: Path) -> None:
    def older(record: dict[str, Any]) -> None:
        for job in record["jobs"]:
            for name in ("key", "weights_sha256", "reused"):
                del job[name]

    rewrite(run, older)
    (run / "documents.json").unlink()
    code, rows, _ = verify(run)
    assert code == 0
    assert rows[disk.MANIFEST] == (
        "n/a",
        "not applicable, because this run is of before reportgen noted checksums",
    )
    assert rows["documents.json"][0] == "n/a"
    assert rows["mlp, seed 1"] == ("n/a", "not applicable, because this run is of before there was a store")
    assert rows["frames"][0] == "ok"


# Documents


def test_an_edited_document_is_said(run: Path) -> None:
    page = run / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("accuracy", "ACCURACY", 1), encoding="utf-8")
    code, rows, _ = verify(run)
    assert code == 3
    assert list(failing(rows)) == ["report.html"]
    assert (
        "its checksum differs: edited, or drawn by other means; `reportgen render" in rows["report.html"][1]
    )


def test_a_missing_document_is_said(run: Path) -> None:
    (run / "report.pdf").unlink()
    code, rows, _ = verify(run)
    assert code == 3
    assert failing(rows)["report.pdf"].startswith("is missing")


def test_a_document_that_was_never_drawn_is_not_applicable(run: Path) -> None:
    from reportgen.results import note_documents

    (run / "report.pdf").unlink()
    note_documents(run)  # as where there is no Pango
    code, rows, _ = verify(run)
    assert code == 0
    assert rows["report.pdf"][0] == "n/a"
    (run / "report.pdf").write_bytes(b"%PDF- of somebody else")
    code, rows, _ = verify(run)
    assert code == 3
    assert list(failing(rows)) == ["report.pdf"]


def test_a_damaged_list_of_documents_is_said(run: Path) -> None:
    truncate(run / "documents.json")
    code, rows, _ = verify(run)
    assert code == 3
    assert list(failing(rows)) == ["documents.json"]


def test_documents_that_were_drawn_again_are_as_they_were_drawn_last(run: Path) -> None:
    (run / "report.html").write_text("edited", encoding="utf-8")
    assert command_line("render", run, "--format", "html", cwd=run.parents[2]).code == 0
    code, rows, _ = verify(run)
    assert code == 0, rows
    assert rows["report.html"][1].startswith("as it was drawn last")


# The store


def entry_of(run: Path, n: int = 0) -> Path:
    return run.parents[1] / ".store" / load_results(run).record.jobs[n].key


def test_a_damaged_entry_is_said(run: Path) -> None:
    flip(entry_of(run) / "model.keras")
    code, rows, _ = verify(run)
    assert code == 3
    said = "its entry in the store is damaged: model.keras is not what was written: its checksum differs"
    assert failing(rows) == {"mlp, seed 1": said}


def test_an_entry_that_was_pruned_is_not_applicable(run: Path) -> None:
    shutil.rmtree(entry_of(run))
    code, rows, _ = verify(run)
    assert code == 0
    assert rows["mlp, seed 1"] == ("n/a", "not applicable, because it is no longer in the store")


def manifest_again(entry: Path) -> None:
    (entry / disk.MANIFEST).unlink()
    disk.write_manifest(entry)


def test_an_entry_with_other_weights_is_said(run: Path) -> None:
    entry = entry_of(run)
    stated = json.loads((entry / "outcome.json").read_text(encoding="utf-8"))
    (entry / "outcome.json").write_text(json.dumps(stated | {"weights_sha256": "0" * 64}), encoding="utf-8")
    manifest_again(entry)
    code, rows, _ = verify(run)
    assert code == 3
    assert failing(rows)["mlp, seed 1"].startswith("other weights: ")
    assert "000000000000… in the store" in failing(rows)["mlp, seed 1"]


def test_an_entry_of_another_job_is_said(run: Path) -> None:
    shutil.rmtree(entry_of(run))
    shutil.copytree(entry_of(run, 1), entry_of(run))
    code, rows, _ = verify(run)
    assert code == 3
    assert "it is of another job" in failing(rows)["mlp, seed 1"]


def test_a_copy_elsewhere_has_no_store(run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "far" / "away" / "from" / "it"))
    code, rows, _ = verify(copy)
    assert code == 0
    assert rows["store"][0] == "n/a"
    assert not any(name in rows for name in JOBS)


# No run


@pytest.mark.parametrize("named", ["gone", "tiny.toml", "output", "output/.store", "\0"])
def test_what_is_no_run_is_refused(named: str, run: Path) -> None:
    ran = command_line("verify", named, cwd=run.parents[2])
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)


@pytest.mark.parametrize("options", [("--seed", "1"), ("--data", "x.npz")])
def test_options_of_retrain_need_it(options: tuple[str, ...], run: Path) -> None:
    ran = command_line("verify", run, *options, cwd=run.parents[2])
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    assert ran.err[0] == f"reportgen: {options[0]}: is for --retrain VARIANT, which is missing"


# One job again


def test_a_training_gives_the_same_weights_again(run: Path) -> None:
    shutil.rmtree(run.parents[1] / ".store")  # nothing can be taken from it
    before = tree(run.parents[2])
    code, rows, ran = verify(run, "--retrain", "CNN", "--seed", "2")
    assert code == 0, ran
    weights = load_results(run).record.jobs[3].weights_sha256
    assert rows["conditions"][0] == "ok"
    assert rows["cnn, seed 2, again"] == ("ok", f"the same weights {weights[:12]}…")
    assert any(line.startswith("[1/1] cnn seed 2  epoch 2/2  loss ") for line in ran.err)
    assert tree(run.parents[2]) == before


@pytest.mark.long
def test_other_weights_fail_and_other_conditions_are_said(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_weights(record: dict[str, Any]) -> None:
        record["jobs"][0]["weights_sha256"] = "0" * 64

    rewrite(run, other_weights)
    shutil.rmtree(entry_of(run, 1))
    monkeypatch.setattr("reportgen.execution.keys.TRAINING_VERSION", 99)
    code, rows, ran = verify(run, "--retrain", "mlp")
    assert code == 3, ran
    mark, found = rows["mlp, seed 1, again"]
    assert mark == "FAIL"
    assert found.startswith("other weights: 000000000000… in the run, ")
    mark, found = rows["conditions"]
    assert mark == "note"
    assert found.startswith("differ: training ")
    assert found.endswith(" then, 99 now: equal weights cannot be expected")


@pytest.mark.long
def test_a_model_of_the_instructor_s_own_is_trained_again(run_in_part: TrainedRun, tmp_path: Path) -> None:
    run = copied(run_in_part, tmp_path)
    code, rows, ran = verify(run, "--retrain", "not-a-number")
    assert code == 0, ran
    assert rows["not-a-number, seed 1, again"][0] == "ok"


def prepared(run: Path, variant: str = "mlp", seed: int = 1, data: Path | None = None) -> Any:
    return prepare(run, Wanted(variant, seed, data), lambda text: None)


def test_what_the_store_tells_of_other_conditions_is_said(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reportgen import environment

    features = {**environment.processor_features(), "vector": "avx avx1024", "model": "7"}
    monkeypatch.setattr(environment, "processor_features", lambda: features)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    found = prepared(run).conditions.found
    assert "vector instructions " in found
    assert "avx1024 now" in found
    assert "variables.TF_ENABLE_ONEDNN_OPTS 1 then, 0 now" in found
    assert "processor.model " in found
    assert "keras" not in found


def test_without_the_store_run_json_tells_what_it_can(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(run.parents[1] / ".store")
    rewrite(run, lambda record: record["environment"].update(tensorflow="1.0", threads=7))
    conditions = prepared(run).conditions
    assert conditions.mark == "note"
    assert "differ: tensorflow 1.0 then, 2." in conditions.found
    monkeypatch.setattr("reportgen.execution.keys.TRAINING_VERSION", 99)
    rewrite(run, lambda record: record["environment"].update(tensorflow=_installed("tensorflow")))
    assert "neither the versions nor the processor's name" in prepared(run).conditions.found


def _installed(name: str) -> str:
    from reportgen.environment import installed_version

    return installed_version(name)


def test_it_is_trained_with_as_many_threads_as_then(run: Path) -> None:
    rewrite(run, lambda record: record["environment"].update(threads=3))
    ready = prepared(run)
    assert (ready.workers.count, ready.workers.threads) == (1, 3)
    assert "threads 1 then, 3 now" in ready.conditions.found


# Its data


def in_its_folder(run: Path, words: list[str], data: Path) -> None:
    """Let a run's lab and data lie beside its output, both named by relative paths."""
    folder = run.parents[2]
    shutil.copy(data, folder / "stripes.npz")

    def relative(record: dict[str, Any]) -> None:
        record["argv"] = ["reportgen", "run", "tiny.toml", *words]
        record["lab"]["dataset"]["path"] = "stripes.npz"

    rewrite(run, relative)


@pytest.mark.parametrize("words", [[], ["--data", "stripes.npz"]], ids=["the lab's", "--data"])
def test_data_is_found_where_the_run_found_it(
    words: list[str], run: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_its_folder(run, words, tiny_npz)
    for folder in (run.parents[2], Path("/")):
        monkeypatch.chdir(folder)
        assert prepared(run).conditions.mark == "ok"


def test_data_that_is_gone_must_be_named(run: Path, tiny_npz: Path) -> None:
    in_its_folder(run, [], tiny_npz)
    moved = Path(shutil.move(run.parents[2] / "stripes.npz", run.parents[2] / "moved.npz"))
    before = tree(run)
    ran = command_line("verify", run, "--retrain", "mlp", cwd=run.parents[2])
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    sha256 = load_results(run).record.dataset.sha256
    assert "stripes.npz: the data set of the run is not there" in ran.err[0]
    assert f"name stripes (SHA-256 {sha256[:12]}…) with --data PATH" in ran.err[0]
    assert tree(run) == before
    assert prepared(run, data=moved).conditions.mark == "ok"


def test_other_data_is_refused(run: Path, tmp_path: Path) -> None:
    (x, y), (x_test, y_test) = made_up_images(120, seed=5), made_up_images(60, seed=1)
    np.savez(tmp_path / "other.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    options = ("--retrain", "mlp", "--data", tmp_path / "other.npz")
    ran = command_line("verify", run, *options, cwd=run.parents[2])
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    assert "other.npz: its content has the SHA-256 " in ran.err[0]
    assert "name that with --data PATH" in ran.err[0]
    gone = command_line("verify", run, "--retrain", "mlp", "--data", "gone.npz", cwd=run.parents[2])
    assert (gone.code, len(gone.err)) == (2, 1)
    assert "gone.npz: does not exist" in gone.err[0]


def test_a_fallback_that_was_taken_is_taken_again(run: Path) -> None:
    from reportgen.data import load

    digits = load("digits")

    def on_digits(record: dict[str, Any]) -> None:
        record["argv"] = ["reportgen", "run", "mnist", "--dataset", "digits"]
        record["dataset"] |= {"sha256": digits.sha256, "classes": list(digits.class_names)}

    rewrite(run, on_digits)
    assert dataclasses.astuple(prepared(run).dataset)[0] == "digits"


def test_a_data_set_that_cannot_be_downloaded_must_be_named(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    rewrite(run, lambda record: record.update(argv=["reportgen", "run", "mnist", "--dataset", "cifar10"]))
    with pytest.raises(DataError, match="with --data PATH") as caught:
        prepared(run)
    assert "--dataset" not in str(caught.value)


# What cannot be trained again


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--retrain", "mpl"), "--retrain: no variant 'mpl' in "),
        (("--retrain", "mpl"), "did you mean 'mlp'?"),
        (("--retrain", "mlp", "--seed", "3"), "--seed: no 3 of mlp in "),
        (("--retrain", "mlp", "--seed", "3"), "known: 1, 2"),
        (("--retrain", "mlp", "--seed", "one"), "expected a whole number"),
    ],
)
def test_a_job_that_the_run_does_not_have_is_refused(options: tuple[str, ...], said: str, run: Path) -> None:
    ran = command_line("verify", run, *options, cwd=run.parents[2])
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    assert said in ran.err[0]


def test_a_training_that_failed_has_nothing_to_compare_with(run_in_part: TrainedRun, tmp_path: Path) -> None:
    run = copied(run_in_part, tmp_path)
    ran = command_line("verify", run, "--retrain", "raises", cwd=tmp_path)
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    assert "has no weights of raises, seed 1, to compare with, as it failed: " in ran.err[0]
    assert "no luck" in ran.err[0]


def test_a_run_of_before_there_were_weights_has_nothing_to_compare_with(run: Path) -> None:
    rewrite(run, lambda record: [job.pop("weights_sha256") for job in record["jobs"]])
    ran = command_line("verify", run, "--retrain", "mlp", cwd=run.parents[2])
    assert (ran.code, len(ran.err)) == (2, 1)
    assert "as it is of before they were recorded" in ran.err[0]


def test_an_instructor_s_model_needs_the_lab_beside_it(run_in_part: TrainedRun, tmp_path: Path) -> None:
    run = copied(run_in_part, tmp_path)
    (tmp_path / "tiny.toml").unlink()
    ran = command_line("verify", run, "--retrain", "not-a-number", cwd=tmp_path)
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    assert "variant 'not-a-number': is built by failing_models:not_a_number" in ran.err[0]
    assert "beside the lab 'tiny.toml', which is not there" in ran.err[0]


def test_a_run_json_that_cannot_be_read_cannot_be_trained_again(run: Path) -> None:
    truncate(run / "run.json")
    ran = command_line("verify", run, "--retrain", "mlp", cwd=run.parents[2])
    assert (ran.code, ran.out, len(ran.err)) == (2, [], 1)
    assert "run.json: is damaged" in ran.err[0]


def test_the_store_of_a_run_is_left_as_it_is(run: Path) -> None:
    store = Store(run.parents[1] / ".store")
    used = {entry.key: entry.used for entry in store.entries()}
    assert verify(run)[0] == 0
    assert {entry.key: entry.used for entry in store.entries()} == used
