"""A trained model, asked about altered test images."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from reportgen.data.probes import Row, subset, views
from reportgen.training.fit import EVALUATION_BATCH, EVALUATION_PIXELS
from reportgen.training.models import as_shipped, build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from reportgen.data import Dataset
    from reportgen.data.probes import Probe
    from reportgen.jobs import Job


@as_shipped()
def score(job: Job, dataset: Dataset, folder: Path | None, model_file: Path, probe: Probe) -> tuple[Row, ...]:
    """Count what a stored model gets right at each level of a probe; nothing is trained.

    The model is built as for its training and takes the stored weights: so an instructor's own layers need
    not be known to Keras by name. Raises whatever Keras does where they do not fit.
    """
    keras.backend.clear_session()
    model = build(job.variant, dataset.image_shape, dataset.n_classes, folder, job.protocol.precision)
    model.load_weights(model_file)
    chosen = subset(dataset.y_test, probe.images, probe.seed)
    images, labels = dataset.x_test[chosen], dataset.y_test[chosen]
    predict = _predictor(model)
    right: Counter[tuple[str, int | None]] = Counter()
    n: Counter[tuple[str, int | None]] = Counter()
    for view in views(probe, images):
        level = (view.level, view.pixels)
        right[level] += int((predict(view.images) == labels).sum())
        n[level] += len(labels)
    return tuple(Row(level, pixels, right[level, pixels], n[level, pixels]) for level, pixels in n)


def _predictor(model: keras.Model) -> Callable[[NDArray[Any]], NDArray[np.int64]]:
    """Give what tells the classes of images (n, h, w, c): one graph, for far more calls than a test has."""

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def classes(images: tf.Tensor) -> tf.Tensor:
        scaled = tf.cast(images, tf.float32) / 255.0 if images.dtype == tf.uint8 else images
        return tf.argmax(model(scaled, training=False), axis=1)

    def predict(images: NDArray[Any]) -> NDArray[np.int64]:
        size = max(1, min(EVALUATION_BATCH, EVALUATION_PIXELS // prod(images.shape[1:])))
        parts = [images[start : start + size] for start in range(0, len(images), size)]
        return np.concatenate([classes(tf.constant(part)).numpy() for part in parts])

    return predict
