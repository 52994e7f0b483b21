"""Labs, made-up images, and ways to run a command line and to look at what it left."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
MNIST_FILE = Path(os.environ.get("REPORTGEN_TEST_MNIST", ROOT.parent / "shared/data/mnist.npz"))
NOWHERE = "http://127.0.0.1:9"  # the discard port, where nothing listens: refused at once

DENSE_END = ({"flatten": True}, {"dense": "classes", "activation": "softmax"})
EVERY_LAYER: list[dict[str, Any]] = [
    {"conv2d": 2, "kernel": 3, "padding": "same"},
    {"batch_normalization": True},
    {"activation": "leaky_relu"},
    {"separable_conv2d": 3, "kernel": 3, "strides": [2, 1], "depth_multiplier": 2},
    {"depthwise_conv2d": 2, "kernel": [2, 3], "strides": [1, 2], "padding": "same"},
    {"max_pooling2d": 2, "strides": 1, "padding": "same"},
    {"average_pooling2d": 2},
    {"dropout": 0.1},
    {"global_average_pooling2d": True},
    {"dense": "classes"},
    {"activation": "softmax"},
]
TWO_VARIANTS = """
[[variants]]
name = "mlp"
baseline = true
layers = [
  { flatten = true },
  { dense = 16, activation = "relu" },
  { dense = "classes", activation = "softmax" },
]

[[variants]]
name = "cnn"
layers = [
  { conv2d = 4, kernel = 3, strides = 2, activation = "relu" },
  { flatten = true },
  { dense = "classes", activation = "softmax" },
]
"""

# Both pass every check before training, where Keras calls them with training=False.
MODELS = """
import keras


class Raises(keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            raise RuntimeError("no luck")
        return x


class NotANumber(keras.layers.Layer):
    def call(self, x, training=False):
        return x * float("nan") if training else x


def _model(layer, image_shape, n_classes):
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layer,
            keras.layers.Flatten(),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )


def raises(image_shape, n_classes):
    return _model(Raises(), image_shape, n_classes)


def not_a_number(image_shape, n_classes):
    return _model(NotANumber(), image_shape, n_classes)
"""
FAILING_VARIANTS = """
[[variants]]
name = "raises"
build = "failing_models:raises"

[[variants]]
name = "not-a-number"
build = "failing_models:not_a_number"
"""


def made_up_images(n: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Draw n noisy images of 12x12 pixels; the class, 0 to 2, is the third that is bright."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    images = rng.integers(0, 60, (n, 12, 12), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 4 * label : 4 * label + 4] += np.uint8(150)
    return images, labels.astype(np.uint8)


def lab_text(data: Path | str, variants: str = TWO_VARIANTS, **protocol: Any) -> str:
    """Write a lab on `data`, a path or a built-in name, in TOML."""
    choice = f"path = '{data}'" if isinstance(data, Path) else f"name = '{data}'"
    stated = {"epochs": 2, "batch_size": 32, **protocol}
    lines = [f"{key} = {value!r}" for key, value in stated.items()]
    return "\n".join(['title = "A tiny lab"', "[dataset]", choice, "[protocol]", *lines, variants])


@dataclass(frozen=True)
class Ran:
    """What a command line gave."""

    code: int
    out: list[str]
    err: list[str]

    @property
    def documents(self) -> list[Path]:
        """Give the last two lines of standard output as paths."""
        return [Path(line) for line in self.out[-2:]]


def command_line(*args: str | Path, cwd: Path) -> Ran:
    """Run a command in this process, in another folder; --help and --version end it with 0."""
    from reportgen.cli import main

    out, err = io.StringIO(), io.StringIO()
    terminate = signal.getsignal(signal.SIGTERM)
    try:
        with (
            contextlib.chdir(cwd),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main([str(arg) for arg in args])
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        signal.signal(signal.SIGTERM, terminate)
    return Ran(code, out.getvalue().splitlines(), err.getvalue().splitlines())


def fresh_environment(home: Path, **more: str) -> dict[str, str]:
    """Give an environment with an empty home, no data, no network and no terminal."""
    kept = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": str(home),
        "KERAS_HOME": str(home / "keras"),
        "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR", str(home / "matplotlib")),
        **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), NOWHERE),
        **more,
    }


def in_a_process(code: str, *args: str | Path, cwd: Path, **more: str) -> Ran:
    """Run Python code in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        cwd=cwd,
        env=fresh_environment(cwd, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout.splitlines(), done.stderr.splitlines())


def tree(folder: Path) -> dict[str, bytes | None]:
    """Give everything below a folder: a file's bytes, a folder's None."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def behind_the_flag(*values: object) -> list[Any]:
    """Give parameters of a test that are tried with --long alone."""
    return [pytest.param(one, marks=pytest.mark.long) for one in values]
