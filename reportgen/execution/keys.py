"""A job's key: the SHA-256 of all that determines its outcome.

Two jobs with one key end with the same weights, bit for bit. Measured on TensorFlow 2.21 on a CPU: with
seeds set and op determinism on, the weights still depend on the number of threads, on whether oneDNN's
kernels are used, and on the processor's vector instructions, by which kernels are chosen. What other
packages an instructor's own function imports is not part of the key.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import environment
from reportgen.execution.sources import source_sha256
from reportgen.training import TRAINING_VERSION

if TYPE_CHECKING:
    from reportgen.data import Dataset
    from reportgen.jobs import Job
    from reportgen.lab import Variant

PACKAGES = ("keras", "tensorflow", "numpy")
# What changes bits and can be set from outside.
VARIABLES = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "ONEDNN_MAX_CPU_ISA": "",
    "DNNL_MAX_CPU_ISA": "",
    "ONEDNN_DEFAULT_FPMATH_MODE": "",
    "TF_SET_ONEDNN_FPMATH_MODE": "",
    "CUDA_VISIBLE_DEVICES": "",
    "XLA_FLAGS": "",
    "TF_XLA_FLAGS": "",
}


@dataclass(frozen=True)
class Identity:
    """All that determines a job's outcome, for people to read, and its hash."""

    content: dict[str, Any]

    @property
    def key(self) -> str:
        """Give the SHA-256 of the canonical JSON: sorted names, no spaces."""
        text = json.dumps(self.content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(threads: int) -> dict[str, Any]:
    """Give what determines outcomes beside the job: versions, threads, oneDNN's flags, the processor."""
    return {
        "training": TRAINING_VERSION,
        **{name: environment.installed_version(name) for name in PACKAGES},
        "threads": threads,
        "variables": {name: os.environ.get(name, usual) for name, usual in VARIABLES.items()},
        "processor": environment.processor_features(),
        "graphics": environment.graphics_cards(),
    }


def identify(job: Job, dataset: Dataset, machine: dict[str, Any], folder: Path | None) -> Identity:
    """Identify a job; `machine` is a fingerprint, `folder` holds the modules of an instructor's models."""
    from reportgen.data.probes import PERMUTATION_SEED  # noqa: PLC0415  keeps `reportgen store` light

    protocol = job.protocol.model_dump(mode="json", exclude={"seeds"})  # seeds: how many jobs there are
    permuted = {"permuted": PERMUTATION_SEED} if job.permuted else {}  # others keep the keys they have
    return Identity(
        {
            "variant": _canonical(job.variant, folder),
            "protocol": protocol,
            "dataset": {"sha256": dataset.sha256, "classes": dataset.n_classes},
            "seed": job.seed,
            **permuted,
            **machine,
        }
    )


def is_outdated(identity: Identity, variant: Variant, folder: Path | None) -> bool:
    """Tell whether a variant's source has changed since it was identified."""
    return bool(identity.content["variant"] != _canonical(variant, folder))


def _canonical(variant: Variant, folder: Path | None) -> dict[str, Any]:
    """Give what is trained, without its name and description."""
    if variant.build is not None:
        return {"build": variant.build, "source": source_sha256(variant.build.partition(":")[0], folder)}
    return {"layers": [layer.model_dump(mode="json") for layer in variant.layers or ()]}
