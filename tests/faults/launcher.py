"""Start commands of reportgen, and their workers, by forking: what all of them import is imported once.

A line of JSON on standard input asks for a command: {"id", "argv", "cwd", "env"}. Two lines answer on
standard output: {"id", "pid"}, and {"id", "code"} when the command has ended.
"""

# The other side of sitecustomize.py and of subprocess.
# ruff: noqa: PTH123, PTH208, SIM115

import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
import types
from contextlib import suppress

import sitecustomize

PRELOADED = (
    *("pyarrow.parquet", "pyarrow.pandas_compat", "rich.console", "rich.progress", "scipy.stats"),
    *(f"statsmodels.stats.{name}" for name in ("contingency_tables", "proportion", "weightstats")),
    "sklearn.metrics",
)
ROOMS = (
    *(
        "documents",
        "prepare",
        "pipeline",
        "progress",
        "show",
        "report",
        "data.digits",
        "training.worker",
        "training.fit",
    ),
    *("analysis.frames", "report.editions"),
)


def preload():
    """Import what a run imports."""
    for name in (*PRELOADED, *(f"reportgen.{room}" for room in ROOMS)):
        __import__(name)
    from reportgen import processes
    from reportgen.execution import schedule

    processes.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": Forked})
    schedule.WORTH_A_PROCESS = 1.0  # however little work there is


def forked(become, *args):
    """Fork a process that does one thing; gives its id. It ends without taking Python apart."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = become(*args)
        except SystemExit as ended:
            code = ended.code
        except BaseException:  # noqa: BLE001  as Python does at its end
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return pid


class Forked:
    """What subprocess.Popen is to reportgen.processes, but the process is forked."""

    def __init__(self, command, *, stdout, env, pass_fds, **_):
        theirs, ours = os.pipe()
        self.returncode = None
        self.pid = forked(become_worker, command, theirs, stdout.fileno(), env, pass_fds)
        os.close(theirs)
        self.stdin = open(ours, "wb", buffering=0)

    def wait(self, timeout=None):
        until = time.monotonic() + (1e9 if timeout is None else timeout)
        while self.returncode is None:
            pid, status = os.waitpid(self.pid, 0 if timeout is None else os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                raise subprocess.TimeoutExpired("a worker", timeout)
            else:
                time.sleep(0.002)
        return self.returncode

    def kill(self):
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


def become_worker(command, stdin, log, env, pass_fds):
    """Do in a forked process what the command would do in a fresh one."""
    from reportgen.processes import serve

    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for ours, theirs in ((stdin, 0), (log, 1), (log, 2)):
        os.dup2(ours, theirs)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor not in (0, 1, 2, *pass_fds):
            with suppress(OSError):  # the one that listed them
                os.close(descriptor)
    take(env)
    sitecustomize.begin("worker")
    serve(command[-2], int(command[-1]))
    return 0


def become_command(request):
    """Do in a forked process what the command line would do in a fresh one."""
    from reportgen.cli import main

    for descriptor, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, f"{request['env']['FAULTS']}/out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, f"{request['env']['FAULTS']}/err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(name, flags, 0o644)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.setsid()
    os.chdir(request["cwd"])
    take(request["env"])
    sitecustomize.begin("parent")
    return main(request["argv"])


def take(env):
    os.environ.clear()
    os.environ.update(env)


def answer(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def serve_requests():
    """Take requests until standard input ends."""
    running, rest = {}, b""
    while True:
        if select.select([0], [], [], 0.01)[0]:
            read = os.read(0, 1 << 16)
            if not read:
                return
            *lines, rest = (rest + read).split(b"\n")
            for request in map(json.loads, lines):
                pid = forked(become_command, request)
                running[pid] = request["id"]
                answer(id=request["id"], pid=pid)
        while running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            answer(id=running.pop(pid), code=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    preload()
    answer(ready=True)
    serve_requests()
