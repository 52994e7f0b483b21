"""Jobs in worker processes: what is kept, what is given back, and what a process of one's own cannot spoil.

But for the test that says so in its name, a stand-in takes the place of Keras in the processes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reportgen import processes
from reportgen.data import Dataset, load
from reportgen.errors import LabError, OutputError
from reportgen.execution import local
from reportgen.execution.local import check_built, run_jobs
from reportgen.execution.plan import Ran, Workers, identify_all
from reportgen.execution.store import Store
from reportgen.execution.trainers import Trainers
from reportgen.jobs import DONE, FAILED, Job, Observer, plan
from reportgen.lab import Protocol, Variant
from test_store import a_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import TrainedRun

STAND_IN = """
import os
import threading
from pathlib import Path

from reportgen.jobs import failed
from reportgen.training.worker import Check, NoRoom
from test_store import an_outcome


def done(task, folder):
    task.model_file.write_bytes(b"a model")
    return an_outcome(task.job)


def changes_the_module(task, folder):
    with (folder / "own.py").open("a") as module:
        module.write("# changed\\n")
    return done(task, folder)


def changes_a_helper(task, folder):
    (folder / "helper.py").write_text("size = 2\\n")
    return done(task, folder)


def raises(task, folder):
    return failed(task.job, "no luck", 0.5)


def dies(task, folder):
    os._exit(1)


def has_no_room(task, folder):
    return NoRoom(28, "No space left on device", str(task.model_file))


def prepare(setup):
    def work(task, send):
        if isinstance(task, Check):
            if os.environ["STAND_IN"] == "never builds":
                threading.Event().wait()
            return ""
        return globals()[os.environ["STAND_IN"]](task, setup.folder)

    return work
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "output" / ".store")


@pytest.fixture
def dataset(tiny_npz: Path) -> Dataset:
    return load(path=tiny_npz)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give a function that says what trainings do."""
    (tmp_path / "stand_in.py").write_text(STAND_IN, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parent}")
    monkeypatch.setattr("reportgen.training.worker.ENTRY", "stand_in:prepare")
    return lambda what: monkeypatch.setenv("STAND_IN", what)


def ran(job: Job, store: Store, dataset: Dataset, folder: Path | None = None) -> Ran:
    """Run one job, in the one process that is left to it."""
    workers = Workers(1, 1)
    [one] = run_jobs(
        identify_all([job], dataset, workers, folder),
        store,
        Trainers(dataset, workers, folder),
        Observer(),
    )
    return one


# A model of one's own


@pytest.fixture
def own_job(tmp_path: Path) -> Job:
    (tmp_path / "own.py").write_text("from helper import size\n\n\ndef net(shape, n):\n    ...\n")
    (tmp_path / "helper.py").write_text("size = 1\n")
    return Job(Variant(name="own", build="own:net"), 1, Protocol())


@pytest.mark.long(but=("changes_the_module",))
@pytest.mark.parametrize("change", ["changes_the_module", "changes_a_helper"])
def test_what_was_built_by_a_module_that_changes_meanwhile_is_not_kept(
    change: str,
    own_job: Job,
    store: Store,
    dataset: Dataset,
    stand_in: Callable[[str], None],
    tmp_path: Path,
) -> None:
    stand_in(change)
    first = ran(own_job, store, dataset, tmp_path)
    assert first.outcome.status == FAILED
    assert first.outcome.error == "the module that builds it was changed during the run; run again"
    assert store.entries() == []
    stand_in("done")
    again = ran(own_job, store, dataset, tmp_path)
    assert (again.outcome.status, again.reused) == (DONE, False)
    assert [entry.key for entry in store.entries()] == [again.key] != [first.key]


@pytest.mark.parametrize("job_timeout", [0.2, None])
def test_a_model_that_is_never_built_is_refused_in_one_line_and_no_process_is_left(
    job_timeout: float | None,
    own_job: Job,
    store: Store,
    dataset: Dataset,
    stand_in: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, killed = store.folder.parents[1], list[int]()
    kill = processes.Worker.kill
    monkeypatch.setattr(local, "BUILD_TIMEOUT", 0.3)
    monkeypatch.setattr(processes.Worker, "kill", lambda one: (kill(one), killed.append(one.pid)))
    stand_in("never builds")
    workers = Workers(1, 1, job_timeout)
    jobs = identify_all([own_job], dataset, workers, folder)
    with pytest.raises(LabError) as raised:
        check_built(jobs, store, Trainers(dataset, workers, folder))
    said = f"variant 'own': 'own:net' gave no model within {job_timeout or 0.3} s"
    assert str(raised.value).startswith(said)
    assert "--job-timeout" in str(raised.value)
    assert len(killed) == 1


# Claims


@pytest.mark.long(but=("raises",))
@pytest.mark.parametrize("end", ["raises", "dies"])
def test_a_job_that_fails_gives_its_claim_back(
    end: str, store: Store, dataset: Dataset, stand_in: Callable[[str], None]
) -> None:
    stand_in(end)
    one = ran(a_job(), store, dataset)
    assert one.outcome.status == FAILED
    assert store.claimed() == []
    assert [*store.folder.glob(".new/*"), *store.folder.glob(".locks/*")] == []
    stand_in("done")
    assert ran(a_job(), store, dataset).outcome.status == DONE


def test_a_run_that_ends_for_want_of_room_gives_its_claims_back(
    store: Store, dataset: Dataset, stand_in: Callable[[str], None]
) -> None:
    stand_in("has_no_room")
    with pytest.raises(OutputError, match=r"model\.keras: No space left on device"):
        ran(a_job(), store, dataset)
    assert store.claimed() == []
    assert [*store.folder.glob(".new/*"), *store.folder.glob(".locks/*")] == []


def test_an_observer_that_raises_leaves_no_claim(
    store: Store, dataset: Dataset, stand_in: Callable[[str], None]
) -> None:
    class Raises(Observer):
        def job_started(self, job: Job) -> None:
            raise RuntimeError("no one listens")

    stand_in("done")
    workers = Workers(1, 1)
    jobs = identify_all([a_job()], dataset, workers, None)
    with pytest.raises(RuntimeError, match="no one listens"):
        run_jobs(jobs, store, Trainers(dataset, workers, None), Raises())
    assert store.claimed() == []


# What a training process finds around it


@pytest.mark.long
def test_a_real_training_is_whole_whatever_keras_is_told_to_stop_after(
    trained_run: TrainedRun, dataset: Dataset, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "1")
    monkeypatch.setenv("KERAS_MAX_STEPS_PER_EPOCH", "1")
    record = trained_run.results.record
    workers = Workers(1, int(record.environment["threads"]))
    [job] = identify_all(plan(record.lab)[:1], dataset, workers, None)
    [one] = run_jobs([job], store, Trainers(dataset, workers, None), Observer())
    assert one.outcome.epochs["epoch"].max() == record.lab.protocol.epochs == 2
    undisturbed = {there.key: there.weights_sha256 for there in record.jobs}
    assert one.outcome.weights_sha256 == undisturbed[job.key]
