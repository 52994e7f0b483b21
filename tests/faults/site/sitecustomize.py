"""On the PYTHONPATH of processes under test: note every durable step and every training, strike at one.

`FAULTS` names a folder. There, `log` takes a line of JSON for each step and training, in the order in which
they happen, and `fault.json` says where to strike, once: {"role", "what", "path", "nth"} name a step,
`kill` lists who dies before it ("parent", "worker"), `errno` is what the disk answers instead.
`training` in it maps a variant's name to what its trainings do: "die", "die once", "raise" or "hang".

`FAULTS_STAND_IN` lists what is replaced by something quick and repeatable: "keras", "charts". All other code
is the project's own.
"""

# Every process under test imports this first: it imports little itself.
# ruff: noqa: PTH118, PTH123

import errno
import importlib.abc
import importlib.machinery
import json
import os
import re
import signal
import sys
import time
import types
from contextlib import suppress

STAND_IN = os.environ.get("FAULTS_STAND_IN", "").split()
EPOCH = 0.02  # seconds of a stand-in's epoch
MODEL_BYTES = 40_000
_VARYING = (
    (re.compile(r"^.*?/(?=output/)"), ""),
    (re.compile(r"[0-9a-f]{64}-\w{8}"), "<new>"),
    (re.compile(r"[0-9a-f]{64}"), "<key>"),
    (re.compile(r"\.\d{8}T\d{6}Z-\w{8}\.partial"), "<partial>"),
    (re.compile(r"\d{8}T\d{6}Z(-\d+)?"), "<run>"),
    (re.compile(r"(/\.[\w.]+)-\d+$"), r"\1"),
)


def normalised(path):
    """Write a path without what differs from run to run."""
    text = path.replace(os.sep, "/")
    text = text if text.startswith("output") else "/" + text
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    return text


class Process:
    """What this process does under test."""

    def __init__(self, role):
        self.role = role
        self.folder = os.environ["FAULTS"]
        self.seen = {}
        try:
            with open(os.path.join(self.folder, "fault.json"), encoding="utf-8") as file:
                self.fault = json.load(file)
        except FileNotFoundError:
            self.fault = {}
        self.note(event="begin")

    def note(self, **what):
        """Append a line to the log, in one write(2)."""
        line = json.dumps({"pid": os.getpid(), "parent": os.getppid(), "role": self.role, **what}) + "\n"
        log = os.open(os.path.join(self.folder, "log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        with suppress(OSError):  # where no file may grow large, the log may not either
            os.write(log, line.encode())
        os.close(log)

    def step(self, what, path):
        """Note a step, and strike if it is the one."""
        name = (what, normalised(path))
        self.seen[name] = self.seen.get(name, 0) + 1
        self.note(event="step", what=what, path=name[1], nth=self.seen[name], full=path)
        fault = self.fault
        here = (self.role, *name, self.seen[name])
        if here == tuple(fault.get(part) for part in ("role", "what", "path", "nth")) and self.first("fired"):
            if "errno" in fault:  # without a name, as write(2) and fsync(2) leave it
                code = getattr(errno, fault["errno"])
                raise OSError(code, os.strerror(code))
            self.kill(fault["kill"])

    def first(self, token):
        """Tell whether no process was here before."""
        try:
            os.close(os.open(os.path.join(self.folder, token), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def kill(self, roles):
        """Kill the others first, then this process."""
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as file:
            begun = [one for one in map(json.loads, file) if one["event"] == "begin"]
        for one in begun:
            if one["role"] in roles and one["pid"] != os.getpid():
                with suppress(ProcessLookupError):
                    os.kill(one["pid"], signal.SIGKILL)
        if self.role in roles:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)  # a dead parent is seen to be dead

    def training(self, job, key):
        """Note that a training begins, and let it go wrong as it should."""
        self.note(event="start", key=key, variant=job.variant.name, seed=job.seed)
        fate = self.fault.get("training", {}).get(job.variant.name, "")
        if fate == "die" or (fate == "die once" and self.first("died")):
            os.kill(os.getpid(), signal.SIGKILL)
        if fate == "raise":
            raise ValueError("no luck")
        if fate == "hang":
            time.sleep(600)


PROCESS = None


def begin(role):
    """Take up a role; a forked process does it anew."""
    global PROCESS  # noqa: PLW0603  one process, one role
    PROCESS = Process(role)


def hook(event, args):
    """Hear Python's audit events."""
    if event == "reportgen.disk" and PROCESS is not None:
        PROCESS.step(*args)


# --- stand-ins -----------------------------------------------------------------------------------


class Anything:
    """Whatever is asked of it, it is."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **named):
        return self


class Module(types.ModuleType):
    """A module that has whatever is asked of it."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()


class Model:
    """What is saved of a stand-in's training."""

    def __init__(self, content):
        self.content = content

    def save(self, path):
        with open(path, "wb") as file:
            for start in range(0, len(self.content), 10_000):
                file.write(self.content[start : start + 10_000])
                file.flush()


def stand_in(fit):
    """Give a function that does what fit.train does, but for the training."""
    import hashlib

    import numpy as np
    import pandas as pd

    from reportgen.jobs import DONE, Outcome
    from reportgen.layers import trace

    def train(job, dataset, observer, folder, model_file):
        layers = [layer.model_dump() for layer in job.variant.layers]
        what = (layers, job.protocol.model_dump(exclude={"seeds"}), job.seed, dataset.sha256)
        digest = hashlib.sha256(str(what).encode())
        rng = np.random.default_rng(int.from_bytes(digest.digest()[:8], "big"))
        rows = []
        for epoch in range(1, job.protocol.epochs + 1):
            time.sleep(EPOCH)
            logs = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy"), 1 / (1 + epoch))
            for name, value in logs.items():
                part, metric = ("validation", name[4:]) if name.startswith("val_") else ("train", name)
                rows.append((epoch, part, metric, value))
            rows.append((epoch, "train", "seconds", EPOCH))
            observer.epoch_ended(job, epoch, logs, EPOCH)
        chances = rng.random((dataset.n_test, dataset.n_classes), dtype="float32") + np.float32(0.01)
        traced = trace(job.variant.layers, dataset.image_shape, dataset.n_classes)
        fit._save(Model(rng.bytes(MODEL_BYTES)), model_file)
        return Outcome(
            variant=job.variant.name,
            seed=job.seed,
            status=DONE,
            error="",
            params=sum(row.params for row in traced),
            trainable_params=sum(row.params for row in traced),
            train_seconds=EPOCH * job.protocol.epochs,
            test_loss=1.0,
            epochs=pd.DataFrame(rows, columns=["epoch", "split", "metric", "value"]),
            layers=pd.DataFrame(
                [
                    {
                        "position": position,
                        "layer": f"layer_{position}",
                        "type": row.layer.keras_name,
                        "setting": row.layer.setting(),
                        "output_shape": "x".join(map(str, row.output_shape)),
                        "params": row.params,
                        "trainable": row.params,
                        "multiply_adds": row.multiply_adds,
                    }
                    for position, row in enumerate(traced, start=1)
                ]
            ),
            probabilities=chances / chances.sum(axis=1, keepdims=True),
            weights_sha256=digest.hexdigest(),
        )

    return train


class Studio(Anything):
    """Draws nothing."""

    def __init__(self, *args, **named):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def pdf(self, text, extras):
        return lambda: to_pdf(text)


def to_pdf(text):
    return b"%PDF-" + text.encode()


def change_training(fit):
    train = stand_in(fit) if "keras" in STAND_IN else fit.train

    def watched(job, *args, **named):
        if PROCESS is not None and args:
            PROCESS.training(job, args[-1].parent.name.partition("-")[0])  # .new/<key>-…/model.keras
        return train(job, *args, **named)

    fit.train = watched


def change_probes(probes):
    """Score a stored model by its bytes."""
    from reportgen.data.probes import Row

    def score(job, dataset, folder, model_file, probe):
        with open(model_file, "rb") as file:
            return (Row("left", None, file.read(1)[0] % dataset.n_test, dataset.n_test),)

    if "keras" in STAND_IN:
        probes.score = score


def change_report(report):
    if "charts" in STAND_IN:
        report.ahead = lambda *args: None


CHANGED = {
    "reportgen.training.fit": change_training,
    "reportgen.training.probes": change_probes,
    "reportgen.report": change_report,
}


class Finder(importlib.abc.MetaPathFinder):
    """Change modules as soon as they are imported."""

    def find_spec(self, name, path=None, target=None):
        if name not in CHANGED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            CHANGED[name](module)

        spec.loader.exec_module = exec_module
        return spec


def without_keras():
    """Put stand-ins in the places of Keras and TensorFlow."""
    keras = sys.modules["keras"] = Module("keras")
    keras.callbacks = types.SimpleNamespace(Callback=object)
    sys.modules["tensorflow"] = Module("tensorflow")


def without_charts():
    """Put stand-ins in the places of the modules that draw."""
    html, pdf, studio = (Module(f"reportgen.report.{name}") for name in ("html", "pdf", "studio"))
    html.build = lambda results, *more: types.SimpleNamespace(
        text=results.record.model_dump_json(), extras=None
    )
    html.to_html = lambda document, *more: "<!doctype html>" + document.text * 10
    pdf.to_pdf, studio.Studio = to_pdf, Studio
    sys.modules.update((module.__name__, module) for module in (html, pdf, studio))


def role():
    """Tell what this process is: workers are started by name."""
    if not any("reportgen.processes" in word for word in sys.orig_argv):
        return "parent"
    return "worker" if any("training" in word for word in sys.orig_argv) else "drawer"


if "FAULTS" in os.environ or "FAULTS_LAUNCHER" in os.environ:
    sys.meta_path.insert(0, Finder())
    sys.addaudithook(hook)
    if "keras" in STAND_IN:
        without_keras()
    if "charts" in STAND_IN:
        without_charts()
    if "FAULTS" in os.environ:
        begin(role())
