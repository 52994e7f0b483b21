"""Runs that are killed, refused by the disk, or started twenty times at once: nothing is lost or broken.

Every durable step of an undisturbed run is noted, and then is where a run is killed or refused. In most
tests Keras and the charts are replaced by stand-ins (faults/site/sitecustomize.py), so that hundreds of runs
are affordable; the tests of the real thing say so in their names.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from faults import LAB, Bench, Command, Launcher, Step, reader
from reportgen import environment
from reportgen.data import load
from reportgen.execution import schedule
from reportgen.execution.local import run_jobs
from reportgen.execution.plan import Workers, identify_all
from reportgen.execution.store import Store
from reportgen.execution.trainers import Trainers
from reportgen.jobs import Job, Observer, Outcome, plan
from reportgen.lab import load_lab
from reportgen.processes import Worker
from reportgen.results import load_results
from support import TWO_VARIANTS, lab_text, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from conftest import TrainedRun

AT_ONCE = 3  # cases: workers mostly wait for the disk or each other
RANDOM_KILLS, MORE_KILLS = 30, 300
JOBS = {("mlp", 1), ("mlp", 2), ("cnn", 1), ("cnn", 2)}
WHO = (("parent",), ("worker",), ("parent", "worker"))


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    one = Launcher(tmp_path_factory.mktemp("launcher"))
    yield one
    one.close()


@dataclass(frozen=True)
class Undisturbed:
    """What a run does and gives when nothing happens to it.

    `before` has an older run and one finished job of four; `trained` has the other jobs too, but not the
    run. `steps` are those of the run on `before`, `late` those of a run on `trained`.
    """

    before: Bench
    trained: Bench
    steps: list[Step]
    late: list[Step]
    stored: dict[str, str]
    weights: dict[tuple[str, int], str]


def begun(folder: Path, data: Path, launcher: Launcher) -> Bench:
    """Make a lab of four jobs, one of which an older run has trained."""
    folder.mkdir()
    (folder / f"{LAB}.toml").write_text(lab_text(data, seeds=2), encoding="utf-8")
    bench = Bench(folder, launcher)
    command = bench.run("--variants", "mlp", "--seeds", "1")
    assert command.wait() == 0, "\n".join(command.err)
    return bench


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path, launcher: Launcher) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    before = begun(folder / "before", tiny_npz, launcher)
    done = before.copy(folder / "done")
    time.sleep(1)  # a run of the same second would have to look for another name
    command = done.run()
    assert command.wait() == 0, "\n".join(command.err)
    trained = before.copy(folder / "trained")
    shutil.rmtree(trained.output / ".store")
    shutil.copytree(done.output / ".store", trained.output / ".store")
    again = trained.copy(folder / "again").run()
    assert (again.wait(), again.trained) == (0, [])
    assert set(done.weights) == JOBS
    return Undisturbed(before, trained, command.steps, again.steps, done.stored, done.weights)


def each(cases: Iterable[Any], check: Callable[..., list[str]], folder: Path) -> None:
    """Check many cases, some at once, each in a folder of its own; fails with all that went wrong."""

    def one(numbered: tuple[int, Any]) -> list[str]:
        number, case = numbered
        place = folder / f"{number:03}"
        wrong = check(place, case)
        if not wrong:
            shutil.rmtree(place)  # hundreds of outputs: only those that tell something stay
        return [f"{number:03} {label(case)}: {said}" for said in wrong]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = [line for wrong in pool.map(one, enumerate(cases)) for line in wrong]
    assert not said, "\n".join(said)


def label(case: Any) -> str:
    """Name a case without the bench it runs on."""
    return str([part for part in case if not isinstance(part, Bench)] if isinstance(case, tuple) else case)


def once(steps: Iterable[Step]) -> list[Step]:
    """Keep the first of each name."""
    return [step for step in steps if step[3] == 1]


def named_points(undisturbed: Undisturbed) -> list[tuple[Bench, Step]]:
    """Give every write point once, with the least that must be there to reach it."""
    store = [step for step in once(undisturbed.steps) if "/.store" in step[2]]
    assert len({step[0] for step in store}) == 2, "parent and workers write to the store"
    assert len(store) > 12, store
    assert len(undisturbed.late) > 25, undisturbed.late
    return [
        *((undisturbed.before, step) for step in store),
        *((undisturbed.trained, step) for step in undisturbed.late),
    ]


def at(step: Step, **what: Any) -> dict[str, Any]:
    """Say where to strike, and what happens there."""
    return {**dict(zip(("role", "what", "path", "nth"), step, strict=True)), **what}


def goes_on(bench: Bench, undisturbed: Undisturbed) -> list[str]:
    """Run again after a command was killed or refused; gives what did not hold."""
    wrong = [f"after the first command: {said}" for said in bench.broken()]
    done, last = bench.stored, bench.commands[-1]
    again = bench.run()
    if again.wait() != 0:
        wrong.append(f"the next run ended with {again.wait()}: {again.err}")
    if twice := set(again.trained) & set(done):
        wrong.append(f"trained again, though finished: {twice}")
    if set(again.trained) != set(undisturbed.stored) - set(done):
        wrong.append(f"trained {set(again.trained)}, with {set(done)} finished")
    if not last.workers_are_gone():
        wrong.append("a worker outlived its parent")
    return wrong + as_if_undisturbed(bench, undisturbed)


def as_if_undisturbed(bench: Bench, undisturbed: Undisturbed) -> list[str]:
    """Hold what is there against what an undisturbed run gives; gives what differs."""
    wrong = bench.broken() + [f"{left} is left" for left in bench.left()]
    if bench.stored != undisturbed.stored:
        wrong.append(f"the store holds {bench.stored}")
    if bench.weights != undisturbed.weights:
        wrong.append(f"the latest report's weights are {bench.weights}")
    return wrong


# --- kills ---------------------------------------------------------------------------------------


def killed(who: tuple[str, ...], undisturbed: Undisturbed) -> Callable[[Path, Any], list[str]]:
    """Give the check of a run in which some die before a step."""

    def check(place: Path, case: tuple[Bench, Step]) -> list[str]:
        source, step = case
        bench = source.copy(place)
        with reader(bench) as wrong:
            command = bench.run(fault=at(step, kill=who))
            if not command.struck:
                wrong.append("the step was never reached")
            if command.wait() != (-signal.SIGKILL if "parent" in who else 0):
                wrong.append(f"ended with {command.wait()}: {command.err}")
            wrong.extend(goes_on(bench, undisturbed))
        return wrong

    return check


@pytest.mark.long(but=("worker",))
@pytest.mark.parametrize("who", WHO, ids=" and ".join)
def test_a_run_killed_before_any_write_goes_on_where_it_was(
    who: tuple[str, ...], undisturbed: Undisturbed, tmp_path: Path
) -> None:
    points = named_points(undisturbed)
    if "worker" in who:  # when the run directory is written, there is none; and fewer do
        points = [point for point in points if "/.store" in point[1][2]]
        points = [point for point in points if point[1][0] == "worker" or point[1][1] != "sync"]
    each(points, killed(who, undisturbed), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("who", WHO, ids=" and ".join)
def test_a_run_killed_before_every_single_write_goes_on_where_it_was(
    who: tuple[str, ...], undisturbed: Undisturbed, tmp_path: Path
) -> None:
    steps = [step for step in undisturbed.steps if step[0] == "parent" or step[3] == 1]
    each([(undisturbed.before, step) for step in steps], killed(who, undisturbed), tmp_path)


def killed_again_and_again(place: Path, seed: int, undisturbed: Undisturbed, seconds: float) -> list[str]:
    """Kill the parent, a worker and both, at random moments of one run after the other."""
    draw = random.Random(seed)
    bench = undisturbed.before.copy(place)
    with reader(bench) as wrong:
        for who in draw.sample(WHO, len(WHO)):
            done = bench.stored
            command = bench.start()
            time.sleep(draw.uniform(0, seconds))
            command.kill(who)
            if command.wait() not in ((0, -signal.SIGKILL) if "parent" in who else (0,)):
                wrong.append(f"{who} killed, ended with {command.wait()}: {command.err}")
            if twice := set(command.trained) & set(done):
                wrong.append(f"trained again, though finished: {twice}")
            wrong.extend(bench.broken())
        wrong.extend(goes_on(bench, undisturbed))
    return wrong


@pytest.fixture(scope="module")
def seconds(undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Measure how long a run takes while as many others run as in these tests."""

    def one(folder: Path) -> float:
        bench = undisturbed.before.copy(folder / "bench")
        start = time.monotonic()
        bench.run()
        return time.monotonic() - start

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return max(pool.map(one, [tmp_path_factory.mktemp("timed") for _ in range(AT_ONCE)]))


@pytest.mark.long
@pytest.mark.parametrize(
    "kills", [RANDOM_KILLS, pytest.param(MORE_KILLS, marks=pytest.mark.long)], ids="{} kills".format
)
def test_runs_killed_at_random_moments_go_on_where_they_were(
    kills: int, undisturbed: Undisturbed, seconds: float, tmp_path: Path
) -> None:
    def check(place: Path, seed: int) -> list[str]:
        return killed_again_and_again(place, seed, undisturbed, seconds)

    each(range(kills // len(WHO)), check, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("stand_in", ["charts", ""])
def test_a_real_run_killed_twice_ends_with_the_weights_of_an_undisturbed_one(
    stand_in: str, trained_run: TrainedRun, tiny_npz: Path, tmp_path: Path
) -> None:
    (tmp_path / f"{LAB}.toml").write_text(lab_text(tiny_npz, seeds=2), encoding="utf-8")
    bench = Bench(tmp_path, None, stand_in)
    as_there = ("--jobs", str(environment.usable_cores()))
    second = ("parent", "rename", "output/.store/<key>", 2)
    first = bench.run(*as_there, fault=at(second, kill=("parent", "worker")))
    assert first.wait() == -signal.SIGKILL
    [done] = bench.stored
    again = bench.run(*as_there, fault={"training": {"cnn": "die once"}})
    assert again.wait() == 0, again.err
    assert done not in again.trained
    assert len(bench.stored) == len(set(again.trained)) + 1 == len(JOBS)
    assert len(again.workers) == 2, "the worker that was killed, and the one in its place"
    assert (bench.broken(), bench.left()) == ([], [])
    undisturbed = {(job.variant, job.seed): job.weights_sha256 for job in trained_run.results.record.jobs}
    assert bench.weights == undisturbed


# --- a disk that refuses -------------------------------------------------------------------------


def refused(undisturbed: Undisturbed) -> Callable[[Path, Any], list[str]]:
    """Give the check of a run that the disk refuses one step."""

    def check(place: Path, case: tuple[Bench, Step, str]) -> list[str]:
        source, step, code = case
        bench = source.copy(place)
        before, runs, latest = tree(bench.output), bench.runs, bench.latest
        with reader(bench) as wrong:
            command = bench.run(fault=at(step, errno=code))
            if not command.struck:
                return ["the step was never reached"]
            name = next(
                Path(one["full"]).name
                for one in command.log
                if one["event"] == "step" and (one["what"], one["path"], one["nth"]) == step[1:]
            )
            wrong.extend(is_bad_input(command, name))
            wrong.extend(nothing_is_lost(bench, before))
            published = [run for run in bench.runs if run not in runs]
            if bench.latest not in (latest, *published):
                wrong.append(f"latest shows {bench.latest}")
            wrong.extend([f"{left} is left" for left in bench.left()])
            wrong.extend(goes_on(bench, undisturbed))
        return wrong

    return check


def is_bad_input(command: Command, name: str) -> list[str]:
    """Expect exit code 2 and one line that names the file and what to do; gives what is otherwise."""
    wrong = [] if command.wait() == 2 else [f"ended with {command.wait()}"]
    if len(command.err) != 1 or not command.err[0].startswith("reportgen: "):
        return [*wrong, f"said {command.err}"]
    said = command.err[0]
    wrong += [] if name in said else [f"'{name}' is not named: {said}"]
    return wrong + ([] if "--output DIR" in said else [f"what to do is not said: {said}"])


def nothing_is_lost(bench: Bench, before: dict[str, bytes | None]) -> list[str]:
    """Compare what was there before, byte for byte."""
    now = tree(bench.output)
    return [f"{path} is not what it was" for path in before if path not in now or now[path] != before[path]]


@pytest.mark.long
def test_a_disk_that_refuses_any_write_is_bad_input_and_nothing_is_lost(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    errors = cycle(("ENOSPC", "EIO"))
    cases = [(source, step, next(errors)) for source, step in named_points(undisturbed)]
    each(cases, refused(undisturbed), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("code", ["ENOSPC", "EIO"])
def test_a_disk_that_refuses_every_single_write_is_bad_input_and_nothing_is_lost(
    code: str, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    steps = [step for step in undisturbed.steps if step[0] == "parent" or step[3] == 1]
    each([(undisturbed.before, step, code) for step in steps], refused(undisturbed), tmp_path)


def limited(size: int) -> Callable[[], None]:
    """Let a process and its children write no file of more than so many bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.long(but=("12000",))
@pytest.mark.parametrize("size", [1_000, 4_500, 12_000, 20_000])
def test_a_file_that_is_only_half_written_is_bad_input_and_nothing_is_lost(
    size: int, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    bench = undisturbed.before.copy(tmp_path / "bench")
    before = tree(bench.output)
    with reader(bench) as wrong:
        command = bench.run(preexec_fn=limited(size))
        wrong.extend(is_bad_input(command, "") + nothing_is_lost(bench, before))
        assert "File too large" in command.err[0]
        wrong.extend(goes_on(bench, undisturbed))
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_a_real_model_that_is_only_half_written_is_bad_input_and_nothing_is_lost(
    trained_run: TrainedRun, tiny_npz: Path, tmp_path: Path
) -> None:
    large = TWO_VARIANTS.replace("dense = 16", "dense = 128")  # a model larger than the data
    (tmp_path / f"{LAB}.toml").write_text(lab_text(tiny_npz, large), encoding="utf-8")
    shutil.copytree(trained_run.folder.parent, tmp_path / "output" / LAB, symlinks=True)
    bench = Bench(tmp_path, None, stand_in="")
    before = tree(bench.output)
    command = bench.run("--variants", "mlp", preexec_fn=limited(30_000))
    assert is_bad_input(command, "model.keras") == []
    assert nothing_is_lost(bench, before) == []
    assert (bench.stored, bench.left()) == ({}, [])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of a megabyte, where we may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.long(but=("0",))
@pytest.mark.parametrize("free", [0, 30_000, 70_000, 150_000])
def test_a_disk_that_is_full_is_bad_input_and_nothing_is_lost(
    free: int, undisturbed: Undisturbed, small_disk: Path, tmp_path: Path
) -> None:
    bench = undisturbed.before.copy(tmp_path / "bench")
    shutil.move(bench.output, small_disk / "output")
    bench.output.symlink_to(small_disk / "output")
    before = tree(small_disk / "output")
    room = os.statvfs(small_disk)
    (small_disk / "filling").write_bytes(bytes(room.f_bavail * room.f_bsize - free))
    with reader(bench) as wrong:
        command = bench.run()
        wrong.extend(is_bad_input(command, "") + nothing_is_lost(bench, before))
        (small_disk / "filling").unlink()
        wrong.extend(goes_on(bench, undisturbed))
    assert not wrong, "\n".join(wrong)


# --- many at once --------------------------------------------------------------------------------


def many_at_once(bench: Bench, seconds: float, seed: int, weights: dict[tuple[str, int], str]) -> None:
    """Start twenty runs, kill half of them at random moments, and hold what is there against `weights`."""
    draw = random.Random(seed)
    (bench.folder / "log").touch()
    with reader(bench) as wrong:
        commands = [bench.start(log=bench.folder / "log") for _ in range(20)]
        killed = commands[::2]
        begun = time.monotonic()
        for moment, command in sorted((draw.uniform(0, seconds), at) for at, command in enumerate(killed)):
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            killed[command].kill(["parent"])
        codes = [command.wait() for command in commands]
        assert set(codes[1::2]) == {0}, [command.err for command in commands[1::2]]
        assert commands[0].workers_are_gone()
        gone = {command.pid for command in killed if command.wait() != 0}
        wrong.extend(trained_twice(commands[0].log, gone))
        wrong.extend(bench.broken())
        wrong.extend([f"{left} is locked" for left in bench.left() if ".locks" in left])
        assert bench.run().wait() == 0
    wrong.extend(bench.broken() + [f"{left} is left" for left in bench.left()])
    assert not wrong, "\n".join(wrong)
    assert bench.weights == weights


def trained_twice(log: list[dict[str, Any]], killed: set[int]) -> list[str]:
    """List the jobs that were trained though they were finished, or were being trained by a live process."""
    parents = {one["pid"]: one["parent"] for one in log if (one["event"], one["role"]) == ("begin", "worker")}
    finished: set[str] = set()
    renamed: dict[int, str] = {}
    trainers: dict[str, int] = {}
    wrong = []
    for one in log:
        if one["event"] == "start":
            key, parent = one["key"], parents[one["pid"]]
            if key in finished:
                wrong.append(f"{key} was trained though it was finished")
            if key in trainers and trainers[key] not in killed:
                wrong.append(f"{key} was trained by {parent} and by {trainers[key]}, which was not killed")
            trainers[key] = parent
        elif one["event"] == "step" and one["role"] == "parent":
            if renamed.get(one["pid"]):  # the next step after the renaming: it is done
                finished.add(renamed.pop(one["pid"]))
            if (one["what"], one["path"]) == ("rename", "output/.store/<key>"):
                renamed[one["pid"]] = Path(one["full"]).name
    assert finished, "no job was finished in this log"
    return wrong


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def test_of_twenty_runs_at_once_half_are_killed_and_each_job_is_trained_once(
    seed: int, undisturbed: Undisturbed, launcher: Launcher, seconds: float, tmp_path: Path
) -> None:
    shutil.copy(undisturbed.before.folder / f"{LAB}.toml", tmp_path)
    many_at_once(Bench(tmp_path, launcher), 3 * seconds, seed, undisturbed.weights)


@pytest.mark.long
def test_of_twenty_real_runs_at_once_half_are_killed_and_each_job_is_trained_once(
    trained_run: TrainedRun, tiny_npz: Path, tmp_path: Path
) -> None:
    (tmp_path / f"{LAB}.toml").write_text(lab_text(tiny_npz, seeds=2), encoding="utf-8")
    undisturbed = {(job.variant, job.seed): job.weights_sha256 for job in trained_run.results.record.jobs}
    many_at_once(Bench(tmp_path, None, stand_in=""), 60, 1, undisturbed)


# --- probes --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Probed:
    """A bench whose lab states a probe that was never scored, and what an undisturbed run does then."""

    before: Bench
    steps: list[Step]
    accuracies: dict[tuple[str, int], float]


def accuracies(bench: Bench) -> dict[tuple[str, int], float]:
    """Give the score of each training in the latest run."""
    probes = load_results(bench.latest).probes
    return {(row.variant, row.seed): row.accuracy for row in probes.itertuples()}


@pytest.fixture(scope="module")
def probed(undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> Probed:
    folder = tmp_path_factory.mktemp("probed")
    before = undisturbed.trained.copy(folder / "before")
    lab = before.folder / f"{LAB}.toml"
    lab.write_text(lab.read_text().replace("[protocol]", "[probes]\nborder = true\n[protocol]"))
    done = before.copy(folder / "done")
    command = done.run()
    assert (command.wait(), command.trained, command.err) == (0, [], [])
    steps = [step for step in once(command.steps) if "/.probes" in step[2]]
    assert len(steps) > 5, steps
    return Probed(before, steps, accuracies(done))


def scores_what_is_missing(bench: Bench, probed: Probed) -> list[str]:
    """Run again after a command that was killed or refused; gives what did not hold."""
    wrong = [f"after the first command: {said}" for said in bench.broken()]
    again = bench.run()
    if (again.wait(), again.trained, again.err) != (0, [], []):
        wrong.append(f"the next run ended with {again.wait()}, trained {again.trained}: {again.err}")
    if accuracies(bench) != probed.accuracies or set(probed.accuracies) != JOBS:
        wrong.append(f"the scores are {accuracies(bench)}")
    left = [*bench.left(), *map(str, (bench.output / ".store/.probes").glob(".new/*"))]
    return wrong + bench.broken() + [f"{one} is left" for one in left]


@pytest.mark.long
@pytest.mark.parametrize("who", WHO, ids=" and ".join)
def test_a_run_killed_before_any_write_of_a_score_scores_what_is_missing(
    who: tuple[str, ...], probed: Probed, tmp_path: Path
) -> None:
    def check(place: Path, step: Step) -> list[str]:
        bench = probed.before.copy(place)
        command = bench.run(fault=at(step, kill=who))
        wrong = [] if command.struck else ["the step was never reached"]
        if command.wait() != (-signal.SIGKILL if "parent" in who else 0):
            wrong.append(f"ended with {command.wait()}: {command.err}")
        return wrong + scores_what_is_missing(bench, probed)

    each(probed.steps, check, tmp_path)


@pytest.mark.long
def test_a_disk_that_refuses_a_score_is_bad_input_and_the_next_run_scores_what_is_missing(
    probed: Probed, tmp_path: Path
) -> None:
    def check(place: Path, step: Step) -> list[str]:
        bench = probed.before.copy(place)
        before = tree(bench.output)
        command = bench.run(fault=at(step, errno="ENOSPC"))
        wrong = is_bad_input(command, "") + nothing_is_lost(bench, before)
        return wrong + scores_what_is_missing(bench, probed)

    each(probed.steps, check, tmp_path)


# --- jobs that go wrong --------------------------------------------------------------------------


def outcomes(bench: Bench) -> dict[tuple[str, int], tuple[str, str]]:
    """Give status and reason of every job in the latest report."""
    runs = load_results(bench.latest).runs
    return {(run.variant, run.seed): (run.status, run.error) for run in runs.itertuples()}


GOING_WRONG = {
    "whose process dies twice": ("die", "its process was ended by SIGKILL, as the system does when memory"),
    "that raises": ("raise", "ValueError: no luck"),
    "that hangs": ("hang", "took longer than 3 s, and was stopped (--job-timeout)"),
}


@pytest.mark.long(but=("that raises",))
@pytest.mark.parametrize(("fate", "reason"), GOING_WRONG.values(), ids=GOING_WRONG)
def test_a_job_fails_with_its_reason_is_not_stored_and_tried_again_by_the_next_run(
    fate: str, reason: str, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    bench = undisturbed.before.copy(tmp_path / "bench")
    command = bench.run("--job-timeout", "3s", fault={"training": {"cnn": fate}})
    assert command.wait() == 3, command.err
    assert all(reason in line for line in command.err), command.err
    assert len(command.err) == 2
    assert outcomes(bench)["mlp", 2] == ("done", "")
    for seed in (1, 2):
        status, error = outcomes(bench)["cnn", seed]
        assert (status, error[: len(reason)]) == ("failed", reason)
    assert len(bench.stored) == 2
    assert len(command.trained) == (5 if fate == "die" else 3)
    assert (bench.broken(), bench.left()) == ([], [])
    assert goes_on(bench, undisturbed) == []


@pytest.mark.long
def test_a_job_whose_process_dies_once_is_tried_again_and_has_the_same_weights(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    bench = undisturbed.before.copy(tmp_path / "bench")
    command = bench.run(fault={"training": {"cnn": "die once"}})
    assert (command.wait(), command.err) == (0, [])
    assert len(command.trained) == 4
    assert as_if_undisturbed(bench, undisturbed) == []


def test_the_only_job_whose_process_dies_once_is_tried_again(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    bench = undisturbed.before.copy(tmp_path / "bench")
    only = ("--variants", "cnn", "--seeds", "1")
    command = bench.run(*only, fault={"training": {"cnn": "die once"}})
    assert (command.wait(), command.err) == (0, [])
    assert len(command.trained) == 2


def test_a_run_whose_last_job_another_run_has_just_finished_ends(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """The store is looked at before the claim: between them, another run may finish."""
    bench = undisturbed.before.copy(tmp_path / "bench")
    store = Store(bench.output / ".store")
    dataset = load(path=Path(tomllib.loads((bench.folder / f"{LAB}.toml").read_text())["dataset"]["path"]))
    workers = Workers.of(2)
    jobs = identify_all(plan(load_lab(bench.folder / f"{LAB}.toml")), dataset, workers, bench.folder)
    shutil.copytree(undisturbed.trained.output / ".store", bench.output / ".later")
    looked: list[str] = []

    def late(key: str, job: Job) -> Outcome | None:
        looked.append(key)
        if len(looked) == len(JOBS):
            (bench.output / ".store").rename(bench.output / ".earlier")
            (bench.output / ".later").rename(bench.output / ".store")
            return None
        return Store.load(store, key, job)

    store.load = late  # type: ignore[method-assign]
    ran = run_jobs(jobs, store, Trainers(dataset, workers, None), Observer())
    assert all(one.reused for one in ran)


# --- the same key, the same weights --------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.long)])
def test_a_key_gives_the_same_weights_with_any_number_of_workers_and_in_any_order(
    count: int, trained_run: TrainedRun, tiny_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one worker, and the jobs in the order of the lab, the other fixture has run them."""
    monkeypatch.setattr(schedule, "WORTH_A_PROCESS", 1.0)
    record = trained_run.results.record
    dataset = load(path=tiny_npz)
    threads = int(record.environment["threads"])
    jobs = identify_all(plan(record.lab)[::-1], dataset, Workers(count, threads), None)
    started = []

    class Counted(Trainers):
        def start(self) -> Worker:
            started.append(super().start())
            return started[-1]

    trainers = Counted(dataset, Workers(count, threads), None)
    ran = run_jobs(jobs, Store(tmp_path / ".store"), trainers, Observer())
    assert len(started) == count
    assert {one.key: one.outcome.weights_sha256 for one in ran} == {
        job.key: job.weights_sha256 for job in record.jobs
    }
