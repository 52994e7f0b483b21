"""Run commands and account for them: wall and CPU time, memory, what they printed."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reportgen.execution.plan import Workers

REPORTGEN = [sys.executable, "-m", "reportgen"]
SAMPLED_EVERY = 0.2  # seconds between two looks at a process tree
THREADS_VARIABLE = "TF_NUM_INTRAOP_THREADS"  # reportgen sets it for the processes that train


@dataclass(frozen=True)
class Cost:
    """What one process took, and what it said.

    `megabytes` is the peak of the largest single process; `tree_megabytes` that of the whole process tree
    (the sum of the resident sets, shared pages counted in each), and `trainers` the most processes that were
    given threads to train with; both are 0 where nobody looked.
    """

    wall: float
    cpu: float
    megabytes: float
    printed: str
    said: str
    tree_megabytes: float = 0.0
    trainers: int = 0


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, file=sys.stderr, flush=True)


def measure(command: list[str], folder: Path, env: dict[str, str] | None = None, tree: bool = False) -> Cost:
    """Run a command to its end, `env` added to the environment; raises RuntimeError where it fails.

    `tree` has its descendants looked at, too, which takes psutil.
    """
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err, env=os.environ | (env or {}))
        watch = Tree(process.pid) if tree else None
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        printed, said = _text(out), _text(err)
    seen = watch.stop() if watch else (0.0, 0)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {said[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, printed, said, *seen)


def median(command: list[str], folder: Path, repeat: int) -> Cost:
    """Run a command several times after one warm-up; gives the run of the median wall time."""
    measure(command, folder)
    costs = sorted((measure(command, folder) for _ in range(repeat)), key=lambda cost: cost.wall)
    return costs[statistics.median_low(range(len(costs)))]


def side_by_side(command: list[str], workers: Workers) -> list[dict[str, Any]]:
    """Run as many copies of a command as reportgen has workers, with the threads of each.

    The copies begin to measure together: each prints "ready" once it has imported what it needs, and goes on
    when a line reaches its input. Gives the JSON that each prints last.
    """
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
    }
    # An empty value stands for a variable that is not to be set.
    env = {name: value for name, value in (os.environ | workers.environment).items() if value}
    processes = [subprocess.Popen(command, env=env, text=True, **pipes) for _ in range(workers.count)]
    try:
        for process in processes:
            if process.stdout is None or process.stdout.readline().strip() != "ready":
                raise RuntimeError(f"{' '.join(command)} did not begin")
        for process in processes:
            _write(process.stdin, "go\n")
        printed = [process.communicate()[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    if any(process.returncode for process in processes):
        raise RuntimeError(f"{' '.join(command)} failed")
    return [json.loads(text.splitlines()[-1]) for text in printed]


def wait_for_the_others() -> None:
    """Say in a copy that `side_by_side` runs that it is ready, and wait until all are."""
    print("ready", flush=True)
    sys.stdin.readline()


class Tree:
    """Look at a process and its descendants, again and again, until told to stop."""

    def __init__(self, pid: int) -> None:
        import psutil  # noqa: PLC0415  an extra that only some benchmarks need

        self._psutil = psutil
        self._process = psutil.Process(pid)
        self._peak = 0
        self._trainers = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> tuple[float, int]:
        """Stop looking; gives the peak of the summed resident sets in MB, and of the training processes."""
        self._ended.set()
        self._thread.join()
        return self._peak / 2**20, self._trainers

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLED_EVERY):
            try:
                tree = [self._process, *self._process.children(recursive=True)]
            except self._psutil.Error:
                return
            seen = [self._look(process) for process in tree]
            self._peak = max(self._peak, sum(resident for resident, _ in seen))
            self._trainers = max(self._trainers, sum(trains for _, trains in seen))

    def _look(self, process: Any) -> tuple[int, bool]:
        """Give a process's resident set, and whether it was given threads to train with.

        What a training process starts itself has the same variable: only children of the first one count.
        """
        try:
            ours = process.ppid() == self._process.pid
            return int(process.memory_info().rss), ours and THREADS_VARIABLE in process.environ()
        except self._psutil.Error:  # ended since it was listed
            return 0, False


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _write(pipe: IO[str] | None, text: str) -> None:
    if pipe is not None:
        pipe.write(text)
        pipe.flush()
