"""How the report was made: protocol, data, machine and the command that makes it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from reportgen.report.attachments import said
from reportgen.report.document import Caption, Context
from reportgen.text import count

PRECISIONS = {
    "float32": "float32",
    "bfloat16": "bfloat16 for what the layers compute; weights, probabilities and losses in float32",
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
    rate = protocol.learning_rate
    shape = "×".join(map(str, dataset.image_shape))
    validation = protocol.validation
    facts = [
        (
            "Data set",
            f"{dataset.title}: {count(dataset.n_train)} training and "
            f"{count(dataset.n_test)} test images of {shape}, {len(dataset.classes)} classes",
        ),
        ("Read from", dataset.source),
        ("SHA-256 of the data", dataset.sha256),
        (
            "Scaling",
            "pixels from 0 to 1 (bytes divided by 255), labels "
            + ("one-hot" if protocol.loss.startswith("cat") else "as numbers"),
        ),
        ("Epochs, batch size", f"{protocol.epochs}, {protocol.batch_size}"),
        (
            "Optimizer",
            protocol.optimizer + (f", learning rate {rate:g}" if rate else ", Keras' own settings"),
        ),
        ("Loss, metric", f"{protocol.loss}, {protocol.metric}"),
        ("Precision", PRECISIONS[protocol.precision]),
        (
            "Seeds",
            ", ".join(str(n + 1) for n in range(protocol.seeds))
            if protocol.seeds <= 12
            else f"1 to {protocol.seeds}",
        ),
        (
            "Validation",
            "the test set" if validation == "test" else f"{100 * validation:g} % of train, held out",
        ),
        ("Started", f"{run.started:%d %B %Y, %H:%M} UTC, {count(run.seconds)} seconds of training"),
    ]
    if dataset.description:
        facts.insert(1, ("About the data", dataset.description))
    caption = context.table("Protocol, data and machine.", "")
    return Appendix(
        (*facts, *_environment(run.environment)), caption, shlex.join(run.argv), said(context.attached)
    )


def _environment(found: dict[str, str | int]) -> list[tuple[str, str]]:
    machine = ("processor", "cores", "system", "onednn", "jobs", "threads")
    versions = [f"{name} {version}" for name, version in found.items() if name not in machine]
    cores = found.get("cores", "unknown")
    parts = [found.get("processor"), f"{cores} core{'' if cores == 1 else 's'}", found.get("system")]
    if "onednn" in found:
        parts.append(f"oneDNN {'off' if found['onednn'] == '0' else 'on'}")
    if "jobs" in found:  # seconds of training depend on it
        threads = found.get("threads", 1)
        at_once = "one training" if found["jobs"] == 1 else f"{found['jobs']} trainings"
        parts.append(f"{at_once} at once with {threads} thread{'' if threads == 1 else 's'} each")
    where = ", ".join(str(part) for part in parts if part)
    return [("Versions", ", ".join(versions)), ("Machine", where)]
