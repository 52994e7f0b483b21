"""The only room that imports Keras: variants become models, models are fitted."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def load_keras() -> None:
    """Import Keras and TensorFlow without their chatter about this machine's graphics cards.

    Part of it is written by C++ before any log level is read, straight to file descriptor 2.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever a keras.json says
    with _silenced_stderr():
        import keras  # noqa: F401, PLC0415
        import tensorflow as tf  # noqa: PLC0415

        tf.get_logger().setLevel("ERROR")
        tf.config.list_physical_devices()


# Counts up with any change of what a training gives: every stored outcome is then trained anew.
TRAINING_VERSION = 2


@contextmanager
def _silenced_stderr() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
