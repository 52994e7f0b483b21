"""What a run ran on: versions and machine, for the record and the report."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("reportgen", "tensorflow", "keras", "numpy", "pandas", "plotnine", "weasyprint")


def describe() -> dict[str, Any]:
    """Give the versions of what determines a run, and the kind of machine; imports none of it."""
    return {
        "python": platform.python_version(),
        **{name: installed_version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": _usable_cores(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1"),
    }


def installed_version(package: str) -> str:
    """Give an installed package's version, or "not installed"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _usable_cores() -> int:
    """Count the cores that this process may use: they decide how many threads TensorFlow starts."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """Name the processor as Linux does, where it does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
