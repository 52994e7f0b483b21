"""What a run ran on: versions and machine, for the record and the report."""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("reportgen", "tensorflow", "keras", "numpy", "pandas", "plotnine", "weasyprint")


def describe(**more: str | int) -> dict[str, Any]:
    """Give the versions of what determines a run, and the kind of machine; imports none of it."""
    return {
        "python": platform.python_version(),
        **{name: installed_version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": usable_cores(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1"),
        **more,
    }


def installed_version(package: str) -> str:
    """Give an installed package's version, or "not installed"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def usable_cores() -> int:
    """Count the cores that this process may use: they decide how many threads TensorFlow starts."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """Name the processor as Linux does, where it does."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


# Lines of /proc/cpuinfo by which numerical libraries choose their kernels; ARM's are the last three.
_IDENTITY = ("vendor_id", "cpu family", "model", "CPU implementer", "CPU architecture", "CPU part")
_VECTOR = re.compile(r"(avx|amx|fma|f16c|sse|ssse|asimd|sve|bf16|i8mm)\w*|sme\d?|fphp")


def processor_features() -> dict[str, str]:
    """Give what decides which kernels a numerical library takes: kind of processor, vector instructions."""
    stated = _cpuinfo()
    flags = stated.get("flags", stated.get("Features", "")).split()
    return {
        "machine": platform.machine(),
        **{name: stated[name] for name in _IDENTITY if name in stated},
        "vector": " ".join(sorted(flag for flag in flags if _VECTOR.fullmatch(flag))),
    }


def graphics_cards() -> list[str]:
    """Name the machine's NVIDIA cards, as Linux does; TensorFlow trains on one where it can."""
    models = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        with suppress(OSError):
            models.append(path.read_text(encoding="utf-8").partition("\n")[0].partition(":")[2].strip())
    return models


def _cpuinfo() -> dict[str, str]:
    """Read what Linux says of the first processor; elsewhere, nothing."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {"vendor_id": platform.processor()}
    lines = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}
