"""Processes that take tasks: each may die at any time, is heard to have died, and takes nothing with it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from faults import LIFELINE, alive
from reportgen import disk
from reportgen.processes import Answer, Death, News, Ready, Worker, wait
from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

TASKS = """
import os, signal, struct, sys, time


def prepare(setup):
    if setup == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if setup == "raises":
        raise RuntimeError("no luck at the start")
    return work


def work(task, send):
    name, *given = task
    return globals()[name](send, *given)


def echo(send, content):
    print("said aloud")
    return content


def news(send, n):
    for number in range(n):
        send(number)
    return "told"


def die(send, signum):
    os.kill(os.getpid(), signum)
    time.sleep(60)


def leave(send, code, words):
    print(words, file=sys.stderr)
    os._exit(code)


def fail(send):
    raise ValueError("no luck in the task")


def half_a_message(send):
    os.write(int(sys.argv[3]), struct.pack("!i", 1000) + b"a tenth of it")
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(send):
    send("asleep")
    time.sleep(60)


def busy(send):
    send("busy")
    while True:
        pass


def descriptors(send):
    return sorted(int(name) for name in os.listdir("/proc/self/fd"))


def read(send, descriptor):
    return os.pread(descriptor, 100, 0)


def variable(send, name):
    return os.environ.get(name)


def session(send):
    return os.getsid(0)
"""


@pytest.fixture
def worker(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Worker]:
    """Give a function that starts a worker, which is killed at the end of the test."""
    (tmp_path / "tasks.py").write_text(TASKS, encoding="utf-8")

    def start(setup: Any = None, files: tuple[int, ...] = (), **environment: str) -> Worker:
        one = Worker("tasks:prepare", setup, {"PYTHONPATH": str(tmp_path), **environment}, files)
        request.addfinalizer(one.kill)
        return one

    return start


def ready(one: Worker) -> Worker:
    assert isinstance(one.hear(), Ready)
    assert one.ready
    return one


def answer(one: Worker, *task: Any) -> Any:
    """Give a worker a task, and take its answer."""
    one.give(task)
    message = one.hear()
    assert isinstance(message, Answer), message
    return message.content


def death(one: Worker) -> str:
    message = one.hear()
    assert isinstance(message, Death), message
    return message.reason


# Tasks


def test_a_worker_answers_one_task_after_the_other(worker: Callable[..., Worker]) -> None:
    one = ready(worker())
    for content in ("first", {"second": [2]}, bytes(5_000_000)):
        one.give(("echo", content))
        assert one.task == ("echo", content)
        assert one.hear() == Answer(content)
        assert one.task is None


def test_a_task_may_be_given_before_the_worker_is_ready(worker: Callable[..., Worker]) -> None:
    one = worker()
    one.give(("echo", "early"))
    assert [one.hear(), one.hear()] == [Ready(), Answer("early")]


def test_news_come_in_order_and_before_the_answer(worker: Callable[..., Worker]) -> None:
    one = ready(worker())
    one.give(("news", 500))
    assert [one.hear() for _ in range(501)] == [*map(News, range(500)), Answer("told")]


def test_wait_gives_the_workers_that_have_something_to_say(worker: Callable[..., Worker]) -> None:
    quiet, speaking = ready(worker()), ready(worker())
    assert wait([quiet, speaking], 0) == []
    speaking.give(("echo", 1))
    assert wait([quiet, speaking], 30) == [speaking]
    speaking.hear()
    os.kill(quiet.pid, signal.SIGKILL)
    assert wait([quiet, speaking], 30) == [quiet]


def test_a_worker_has_the_environment_and_the_files_that_it_is_given(
    worker: Callable[..., Worker], tmp_path: Path
) -> None:
    with (tmp_path / "shared").open("w+b") as file:
        file.write(b"for all")
        file.flush()
        one = ready(worker(files=(file.fileno(),), GIVEN="to the worker"))
        assert answer(one, "read", file.fileno()) == b"for all"
        assert answer(one, "variable", "GIVEN") == "to the worker"
        assert "GIVEN" not in os.environ


def test_a_worker_does_not_hear_the_ctrl_c_of_the_terminal(worker: Callable[..., Worker]) -> None:
    assert answer(ready(worker()), "session") != os.getsid(0)


# Deaths


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        ("killed", "its process was ended by SIGKILL, as the system does when memory runs out"),
        ("raises", "its process ended with exit code 1: RuntimeError: no luck at the start"),
    ],
)
def test_a_death_at_the_start_is_heard(setup: str, reason: str, worker: Callable[..., Worker]) -> None:
    assert death(worker(setup)) == reason


def test_an_entry_that_is_nowhere_is_a_death_at_the_start(worker: Callable[..., Worker]) -> None:
    with Worker("no.such:module", None, {}) as one:
        assert death(one) == "its process ended with exit code 1: ModuleNotFoundError: No module named 'no'"


def test_a_death_at_rest_is_heard(worker: Callable[..., Worker]) -> None:
    one = ready(worker())
    os.kill(one.pid, signal.SIGTERM)
    assert death(one) == "its process was ended by SIGTERM"


def test_a_task_given_to_a_dead_worker_is_heard_as_its_death(worker: Callable[..., Worker]) -> None:
    one = ready(worker())
    os.kill(one.pid, signal.SIGKILL)
    until = time.monotonic() + LIFELINE
    while alive(one.pid) and time.monotonic() < until:
        time.sleep(0.01)
    one.give(("echo", "anyone?"))
    assert death(one).startswith("its process was ended by SIGKILL")


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (("die", signal.SIGKILL), "ended by SIGKILL, as the system does when memory runs out"),
        (("die", signal.SIGSEGV), "ended by SIGSEGV"),
        (("leave", 7, "first\n\nlast words\n\n"), "ended with exit code 7: last words"),
        (("leave", 0, ""), "ended with exit code 0"),
        (("fail",), "ended with exit code 1: ValueError: no luck in the task"),
        (("half_a_message",), "ended by SIGKILL, as the system does when memory runs out"),
    ],
    ids=lambda given: given[0] if isinstance(given, tuple) else "",
)
def test_a_death_in_a_task_is_heard_with_its_reason(
    task: tuple[Any, ...], reason: str, worker: Callable[..., Worker]
) -> None:
    one = ready(worker())
    one.give(task)
    assert re.fullmatch(f"its process (was )?{re.escape(reason)}", death(one))


def test_the_news_before_a_death_are_heard_first(worker: Callable[..., Worker]) -> None:
    one = ready(worker())
    one.give(("sleep",))
    assert wait([one], 30) == [one]
    os.kill(one.pid, signal.SIGKILL)
    assert one.hear() == News("asleep")
    assert death(one).startswith("its process was ended by SIGKILL")


def test_the_death_of_one_worker_leaves_the_others_alone(worker: Callable[..., Worker]) -> None:
    one, other = ready(worker()), ready(worker())
    one.give(("die", signal.SIGKILL))
    death(one)
    one.kill()
    assert answer(other, "echo", "still here") == "still here"


@pytest.mark.parametrize("task", ["sleep", "busy"])
def test_a_worker_can_be_ended_whatever_it_does(task: str, worker: Callable[..., Worker]) -> None:
    one = ready(worker())
    one.give((task,))
    one.hear()
    start = time.monotonic()
    one.kill()
    one.kill()  # once more does no harm
    assert time.monotonic() - start < 20  # far from the minute that it would take
    assert not alive(one.pid)


# What parent and worker share


PARENT = """
import sys, time
from reportgen.processes import Worker
workers = [Worker("tasks:prepare", None, {}) for _ in range(2)]
for one in workers:
    one.hear()
    if sys.argv[1] != "rest":
        one.give((sys.argv[1],))
        one.hear()
print(*(one.pid for one in workers), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("state", ["rest", "sleep", "busy"])
def test_workers_end_when_their_parent_is_killed(state: str, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(TASKS, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, state],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(alive, pids))
        parent.kill()
    until = time.monotonic() + LIFELINE
    while any(map(alive, pids)):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_worker_inherits_nothing_that_keeps_a_lock_of_its_parent(
    worker: Callable[..., Worker], tmp_path: Path
) -> None:
    held = disk.FileLock.take(tmp_path / "lock")
    assert held is not None
    one = ready(worker())
    assert len(answer(one, "descriptors")) <= 5  # three, the connection, and the list itself
    os.close(held._descriptor)  # as the kernel does for a process that dies
    assert not disk.is_locked(tmp_path / "lock")
    assert answer(one, "echo", "alive") == "alive"
