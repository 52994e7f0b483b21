"""Processes that take tasks, one at a time each; one may die, or be stopped, without harm to the others.

Pools of other libraries were weighed: concurrent.futures breaks as a whole when a process dies; pebble 5.2
breaks when one dies before its first task; and both start children through multiprocessing, which runs a
user's own script again in each child. Here each process has a connection of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import connection as connections
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    Send = Callable[[Any], None]

_START = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from reportgen.processes import serve; serve(sys.argv[2], int(sys.argv[3]))"
)
PATIENCE = 5.0  # seconds for a process to end by itself


@dataclass(frozen=True)
class Ready:
    """A process has made its preparations and waits for its first task."""


@dataclass(frozen=True)
class News:
    """Something that a task tells on its way."""

    content: Any


@dataclass(frozen=True)
class Answer:
    """What a task gave."""

    content: Any


@dataclass(frozen=True)
class Death:
    """A process is gone, with the task that it had; `reason` is for a person."""

    reason: str


Message = Ready | News | Answer | Death


class Worker:
    """One process.

    `entry` names a function "module:function", which is called in the process with `setup` and gives the
    function that is called for each task, with the task and a function that sends news. `environment` is
    added to this process's own; an empty value takes a variable away. `files` are
    descriptors that the process inherits under their own numbers.
    """

    def __init__(
        self, entry: str, setup: Any, environment: Mapping[str, str], files: Sequence[int] = ()
    ) -> None:
        self._connection, theirs = connections.Pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the process
        self.task: Any = None
        self.ready = False
        root = str(Path(__file__).resolve().parents[1])
        with theirs:
            self._process = subprocess.Popen(
                # -P: a keras.py where the user stands must not be taken for Keras.
                [sys.executable, "-P", "-c", _START, root, entry, str(theirs.fileno())],
                stdin=subprocess.PIPE,  # never written to: it ends when we do
                stdout=self._log,
                stderr=self._log,
                env={name: value for name, value in {**os.environ, **environment}.items() if value},
                pass_fds=(theirs.fileno(), *files),
                start_new_session=True,  # Ctrl-C is ours to handle
            )
        self._send(setup)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Give the process' id."""
        return self._process.pid

    def give(self, task: Any) -> None:
        """Hand over a task; a death on the way is heard like any other."""
        self.task = task
        self._send(task)

    def _send(self, content: Any) -> None:
        with suppress(OSError):  # the process is gone: hear() tells
            self._connection.send(content)

    def hear(self) -> Message:
        """Take the next message; waits for it."""
        try:
            message: Message = self._connection.recv()
        except (EOFError, OSError):
            return Death(self._last_words())
        if isinstance(message, Ready):
            self.ready = True
        elif isinstance(message, Answer):
            self.task = None
        return message

    def _last_words(self) -> str:
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code < 0:
            name = signal.Signals(-code).name
            memory = ", as the system does when memory runs out" if name == "SIGKILL" else ""
            return f"its process was ended by {name}{memory}"
        self._log.seek(0)
        said = [line for line in self._log.read().decode(errors="replace").splitlines() if line.strip()]
        return f"its process ended with exit code {code}" + (f": {said[-1].strip()}" if said else "")

    def kill(self) -> None:
        """End the process now, whatever it does."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._connection.close()
        self._log.close()

    def fileno(self) -> int:
        """Give the connection's descriptor, for wait()."""
        return self._connection.fileno()


def wait(workers: Iterable[Worker], seconds: float | None) -> list[Worker]:
    """Wait until processes have something to say, at most so long; gives those."""
    waiting: list[Any] = list(workers)  # anything with a fileno() will do
    return [worker for worker in connections.wait(waiting, seconds) if isinstance(worker, Worker)]


# --- inside the process --------------------------------------------------------------------------


def serve(entry: str, descriptor: int) -> None:
    """Take tasks until there are no more."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    connection = connections.Connection(descriptor)
    try:
        setup = connection.recv()
        module, _, name = entry.partition(":")
        work = getattr(import_module(module), name)(setup)
        connection.send(Ready())
        while True:
            task = connection.recv()
            connection.send(Answer(work(task, lambda news: connection.send(News(news)))))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _end_with_the_parent() -> None:
    """Wait for standard input to end, which it does when the parent dies, and end at once."""
    while os.read(0, 1):  # not sys.stdin, whose lock would trouble an orderly exit
        pass
    os._exit(1)
