"""How the report was made: protocol, data, machine and the command that makes it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen.layers import times
from reportgen.report.attachments import said
from reportgen.report.dates import written
from reportgen.report.document import Caption, Context
from reportgen.report.keras_code import OPTIMIZERS
from reportgen.text import count, general
from reportgen.words import mark, tr, trn

if TYPE_CHECKING:
    from datetime import datetime

    from reportgen.lab import Protocol
    from reportgen.results import DatasetRecord

PRECISIONS = {
    "float32": "float32",
    "bfloat16": mark("bfloat16 for what the layers compute; weights, probabilities and losses in float32"),
}


@dataclass(frozen=True)
class Appendix:
    """All that is needed to make the report again."""

    facts: tuple[tuple[str, str], ...]
    caption: Caption
    command: str
    attached: str  # what the PDF carries


def appendix(context: Context) -> Appendix:
    """State protocol, data, versions and the command."""
    run, protocol, dataset = context.results.record, context.protocol, context.dataset
    facts = [
        (tr("Data set"), _images(dataset)),
        (tr("Read from"), dataset.source),
        (tr("SHA-256 of the data"), dataset.sha256),
        (tr("Scaling"), _scaling(protocol)),
        (tr("Epochs, batch size"), tr(", ").join(map(str, (protocol.epochs, protocol.batch_size)))),
        (tr("Optimizer"), _optimizer(protocol)),
        (tr("Loss, metric"), tr(", ").join((protocol.loss, protocol.metric))),
        (tr("Precision"), tr(PRECISIONS[protocol.precision])),
        (tr("Seeds"), _seeds(protocol.seeds)),
        (tr("Validation"), _validation(protocol)),
        (tr("Started"), _started(run.started, run.seconds)),
    ]
    if dataset.description:
        facts.insert(1, (tr("About the data"), dataset.description))
    caption = context.table(tr("Protocol, data and machine."), "")
    return Appendix(
        (*facts, *_environment(run.environment)), caption, shlex.join(run.argv), said(context.attached)
    )


def _images(dataset: DatasetRecord) -> str:
    return tr(
        "{title}: {train} training and {test} test images of {shape}, {classes} classes",
        title=dataset.title,
        train=count(dataset.n_train),
        test=count(dataset.n_test),
        shape=times(dataset.image_shape),
        classes=len(dataset.classes),
    )


def _scaling(protocol: Protocol) -> str:
    if protocol.loss.startswith("cat"):
        return tr("pixels from 0 to 1 (bytes divided by 255), labels one-hot")
    return tr("pixels from 0 to 1 (bytes divided by 255), labels as numbers")


def _optimizer(protocol: Protocol) -> str:
    name, rate = OPTIMIZERS[protocol.optimizer], protocol.learning_rate
    if rate:
        return tr("{optimizer}, learning rate {rate}", optimizer=name, rate=general(rate))
    return tr("{optimizer}, Keras' own settings", optimizer=name)


def _seeds(n: int) -> str:
    if n <= 12:
        return tr(", ").join(str(seed) for seed in range(1, n + 1))
    return tr("{low} to {high}", low=1, high=n)


def _validation(protocol: Protocol) -> str:
    if protocol.validation == "test":
        return tr("the test set")
    return tr("{share} % of train, held out", share=general(100 * protocol.validation))


def _started(started: datetime, seconds: float) -> str:
    return tr(
        "{day}, {time} UTC, {seconds} seconds of training",
        day=written(started),
        time=started.strftime("%H:%M"),
        seconds=count(seconds),
    )


def _environment(found: dict[str, str | int]) -> list[tuple[str, str]]:
    machine = ("processor", "cores", "system", "onednn", "jobs", "threads")
    versions = [f"{name} {version}" for name, version in found.items() if name not in machine]
    parts = [found.get("processor"), _cores(found.get("cores")), found.get("system")]
    if "onednn" in found:
        parts.append(tr("oneDNN off") if found["onednn"] == "0" else tr("oneDNN on"))
    if "jobs" in found:  # seconds of training depend on it
        parts.append(_at_once(int(found["jobs"]), int(found.get("threads", 1))))
    where = tr(", ").join(str(part) for part in parts if part)
    return [(tr("Versions"), tr(", ").join(versions)), (tr("Machine"), where)]


def _cores(n: str | int | None) -> str:
    if n is None or not str(n).isdigit():
        return tr("unknown cores")
    return trn("{n} core", "{n} cores", int(n), n=n)


def _at_once(jobs: int, threads: int) -> str:
    if jobs == 1:
        return trn(
            "one training at once with {n} thread each",
            "one training at once with {n} threads each",
            threads,
            n=threads,
        )
    return trn(
        "{jobs} trainings at once with {n} thread each",
        "{jobs} trainings at once with {n} threads each",
        threads,
        jobs=jobs,
        n=threads,
    )
