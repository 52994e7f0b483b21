"""Runs that are killed or refused by the disk at a chosen step, and what must hold afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import disk
from reportgen.errors import ReportgenError
from reportgen.results import documents_intact, load_results, read_record
from support import ROOT, fresh_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KERAS_AND_CHARTS = "keras charts"
SITE = Path(__file__).parent / "site"
LAB = "tiny"
PATIENCE = 120.0  # seconds for a command to end
LOOK = 0.03  # seconds between two looks of a reader
LIFELINE = 20.0  # seconds for a worker to outlive its parent

Step = tuple[str, str, str, int]  # role, what, normalised path, which time


def environment(home: Path, stand_in: str, **more: str) -> dict[str, str]:
    """Give the environment of a process under test."""
    more["PYTHONPATH"] = os.pathsep.join([str(SITE), str(ROOT)])
    return fresh_environment(home, FAULTS_STAND_IN=stand_in, **more)


class Launcher:
    """Start commands by forking a process that has imported everything already; from any thread."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("launcher.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(home, KERAS_AND_CHARTS, FAULTS_LAUNCHER="1"),
            text=True,
        )
        self._lock, self._ids = threading.Lock(), count()
        self._pids: dict[int, Future[int]] = {}
        self._codes: dict[int, Future[int]] = {}
        assert self._process.stdout
        assert json.loads(self._process.stdout.readline()) == {"ready": True}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def start(self, argv: Sequence[str], cwd: Path, env: dict[str, str]) -> tuple[int, Future[int]]:
        """Start a command; gives its process id and its exit code to come."""
        assert self._process.stdin
        with self._lock:
            number = next(self._ids)
            pid = self._pids[number] = Future()
            code = self._codes[number] = Future()
            request = {"id": number, "argv": list(argv), "cwd": str(cwd), "env": env}
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        return pid.result(PATIENCE), code

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            said = json.loads(line)
            if "pid" in said:
                self._pids[said["id"]].set_result(said["pid"])
            else:
                self._codes[said["id"]].set_result(said["code"])

    def close(self) -> None:
        """End it."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._listener.join(PATIENCE)
        self._process.wait(PATIENCE)
        self._process.stdout.close()


@dataclass
class Command:
    """A command that was started, and what it noted so far."""

    watch: Path
    pid: int
    ended: Future[int]

    def wait(self) -> int:
        """Wait for the exit code; negative where a signal ended it."""
        return self.ended.result(PATIENCE)

    def kill(self, roles: Sequence[str]) -> None:
        """Kill the command, its workers, or both, now."""
        workers = self.workers if "worker" in roles else []
        for pid in [*workers, *([self.pid] if "parent" in roles else [])]:
            with suppress(ProcessLookupError):
                if pid != self.pid or not self.ended.done():
                    os.kill(pid, signal.SIGKILL)

    @property
    def log(self) -> list[dict[str, Any]]:
        """Give what was noted, in order."""
        with suppress(FileNotFoundError):
            return [json.loads(line) for line in (self.watch / "log").read_text().splitlines()]
        return []

    @property
    def steps(self) -> list[Step]:
        """Give the steps on the disk, in order."""
        return [
            (one["role"], one["what"], one["path"], one["nth"]) for one in self.log if one["event"] == "step"
        ]

    @property
    def workers(self) -> list[int]:
        """Give the ids of all worker processes that have begun."""
        return [one["pid"] for one in self.log if (one["event"], one["role"]) == ("begin", "worker")]

    @property
    def trained(self) -> list[str]:
        """Give the keys of the jobs whose training has begun."""
        return [one["key"] for one in self.log if one["event"] == "start"]

    @property
    def err(self) -> list[str]:
        """Give the lines on standard error."""
        return (self.watch / "err").read_text(encoding="utf-8").splitlines()

    @property
    def struck(self) -> bool:
        """Tell whether the fault happened."""
        return (self.watch / "fired").exists()

    def workers_are_gone(self, within: float = LIFELINE) -> bool:
        """Tell whether all workers end within some seconds."""
        until = time.monotonic() + within
        while any(alive(pid) for pid in self.workers):
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


def alive(pid: int) -> bool:
    """Tell whether a process runs: one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@dataclass
class Bench:
    """A folder with a lab, its output, and the commands that were run on it."""

    folder: Path
    launcher: Launcher | None  # forked stand-ins where there is one, else fresh processes
    stand_in: str = KERAS_AND_CHARTS
    commands: list[Command] = field(default_factory=list)
    loaded: set[str] = field(default_factory=set)  # runs

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def runs(self) -> list[Path]:
        """List the run directories that anyone can see."""
        lab = self.output / LAB
        return sorted(path for path in lab.glob("[!.]*") if not path.is_symlink())

    def copy(self, to: Path) -> Bench:
        """Copy the lab and its output."""
        shutil.copytree(self.folder, to, symlinks=True, ignore=shutil.ignore_patterns("watch-*"))
        return Bench(to, self.launcher, self.stand_in, loaded=set(self.loaded))

    def start(self, *options: str, fault: dict[str, Any] | None = None, **more: Any) -> Command:
        """Start `reportgen run` on the lab; with `log`, it shares that file with other commands."""
        watch = self.folder / f"watch-{len(self.commands)}"
        watch.mkdir()
        if log := more.pop("log", None):
            (watch / "log").symlink_to(log)
        if fault:
            (watch / "fault.json").write_text(json.dumps(fault))
        argv = ["run", f"{LAB}.toml", "--quiet", "--jobs", "2", *options]
        env = environment(self.folder, self.stand_in, FAULTS=str(watch))
        if self.launcher and not more:
            command = Command(watch, *self.launcher.start(argv, self.folder, env))
        else:
            command = self._fresh(watch, argv, env, **more)
        self.commands.append(command)
        return command

    def _fresh(self, watch: Path, argv: list[str], env: dict[str, str], **more: Any) -> Command:
        with (watch / "out").open("wb") as out, (watch / "err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "reportgen", *argv],
                **{"cwd": self.folder, "env": env, "stdout": out, "stderr": err, **more},
            )
        ended: Future[int] = Future()
        threading.Thread(target=lambda: ended.set_result(process.wait()), daemon=True).start()
        return Command(watch, process.pid, ended)

    def run(self, *options: str, fault: dict[str, Any] | None = None, **more: Any) -> Command:
        """Run `reportgen run` on the lab to its end."""
        command = self.start(*options, fault=fault, **more)
        command.wait()
        return command

    # --- what is there

    @property
    def stored(self) -> dict[str, str]:
        """Give the weights of every job in the store that is whole, by key."""
        found = {}
        for folder in (self.output / ".store").glob("[0-9a-f]*"):
            if not disk.damage(folder):
                found[folder.name] = json.loads((folder / "outcome.json").read_text())["weights_sha256"]
        return found

    @property
    def latest(self) -> Path:
        return (self.output / LAB / "latest").resolve()

    @property
    def weights(self) -> dict[tuple[str, int], str]:
        """Give the weights of the latest run's jobs."""
        record = read_record(self.latest)
        return {(job.variant, job.seed): job.weights_sha256 for job in record.jobs} if record else {}

    def broken(self) -> list[str]:
        """Say what is wrong with anything that is listed: finished jobs, runs, the latest."""
        wrong = []
        for entry in (self.output / ".store").glob("[0-9a-f]*"):
            wrong += [f"{entry}: {said}" for said in [disk.damage(entry)] if said]
        for run in self.runs:
            wrong += [f"{run}: {said}" for said in [disk.damage(run)] if said]
            if run.name not in self.loaded:  # the same bytes are not loaded again
                try:
                    load_results(run)
                    self.loaded.add(run.name)
                except ReportgenError as error:
                    wrong.append(str(error))
        if os.path.lexists(self.output / LAB / "latest") and not complete(self.latest):
            wrong.append(f"latest shows {self.latest.name}, which is not complete")
        return wrong

    def left(self) -> list[str]:
        """List what a finished command should not leave: hidden files and folders, and locks."""
        store = self.output / ".store"
        found = [*store.glob(".new/*"), *store.glob(".removed-*"), *store.glob(".damaged/*")]
        found += [lock for lock in store.glob(".locks/*") if disk.is_locked(lock)]
        found += (self.output / LAB).glob(".*")
        found += [path for run in self.runs for path in run.rglob(".*")]
        return [str(path.relative_to(self.output)) for path in found]


def complete(run: Path) -> bool:
    """Tell whether a run is whole, with both documents, by their checksums."""
    return documents_intact(run) and not disk.damage(run)


@contextmanager
def reader(bench: Bench) -> Iterator[list[str]]:
    """Look at the latest report all the while; gives what was ever wrong with it."""
    wrong: list[str] = []
    link, over = bench.output / LAB / "latest", threading.Event()
    was_there = link.is_symlink()

    def look() -> None:
        while not over.wait(LOOK):
            if was_there and not link.is_symlink():
                wrong.append("latest was gone")
            elif link.is_symlink() and not complete(link.resolve()):
                wrong.append(f"latest showed {link.resolve().name}, which was not complete")

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield wrong
    finally:
        over.set()
        thread.join()
