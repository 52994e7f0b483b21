"""One job: a model is built, fitted for a fixed number of epochs, and asked about the test set."""

from __future__ import annotations

import errno
import hashlib
import time
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from reportgen import disk
from reportgen.jobs import DIVERGED, DONE, Job, Observer, Outcome
from reportgen.training.models import as_shipped, build, compile_model, layer_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reportgen.data import Dataset

EVALUATION_BATCH = 1000
AHEAD = 2  # batches that are gathered while one is trained on
EVALUATION_PIXELS = 4_000_000  # fewer large images at a time, so that feature maps fit into memory


# What a disk says; an instructor's own layers may raise other kinds of OSError.
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.ENOENT}


class NotSaved(OSError):
    """The disk refused a trained model."""


@dataclass(frozen=True)
class Split:
    """The images (n, h, w, c) and labels (n,) of the training and the validation set."""

    x_train: NDArray[Any]
    y_train: NDArray[np.int64]
    x_validation: NDArray[Any]
    y_validation: NDArray[np.int64]


def split(dataset: Dataset, validation: str | float, seed: int) -> Split:
    """Take the test set for validation, or hold a share out of the training set.

    The held-out share is drawn within each class, by `seed`; each class keeps at least one image.
    """
    if isinstance(validation, str):
        return Split(dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test)
    held = held_out(dataset.y_train, validation, seed)
    kept = np.setdiff1d(np.arange(len(dataset.y_train)), held)
    x, y = dataset.x_train, dataset.y_train
    return Split(x[kept], y[kept], x[held], y[held])


def held_out(labels: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Draw the indices of a stratified share of `labels`, sorted; at least one index in all."""
    rng = np.random.default_rng(seed)
    drawn = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        drawn.append(members[: min(round(share * len(members)), len(members) - 1)])
    held = np.sort(np.concatenate(drawn))
    return held if len(held) else np.array([rng.integers(len(labels))])


@as_shipped()
def train(
    job: Job,
    dataset: Dataset,
    observer: Observer | None = None,
    folder: Path | None = None,
    model_file: Path | None = None,
) -> Outcome:
    """Train one variant with one seed, predict the test set, and save the model where that is asked for.

    The same job on the same machine gives the same weights: weights, dropout and the order of the
    images all follow from the seed. A loss that is no longer finite ends the training as "diverged".
    `folder` is where the modules of an instructor's own models lie. Raises NotSaved where the model cannot
    be written.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(job.seed)
    tf.config.experimental.enable_op_determinism()
    model = build(job.variant, dataset.image_shape, dataset.n_classes, folder, job.protocol.precision)
    parts = split(dataset, job.protocol.validation, job.seed)
    steps = ceil(len(parts.y_train) / job.protocol.batch_size)
    compile_model(model, job.protocol, steps)  # a whole epoch in one call into TensorFlow
    watch = _Epochs(job, observer or Observer())
    start = time.perf_counter()
    model.fit(
        _training_batches(parts, job, dataset.n_classes),
        epochs=job.protocol.epochs,
        steps_per_epoch=steps,
        validation_data=_in_order(parts.x_validation, _targets(parts.y_validation, job, dataset)),
        callbacks=[watch],
        shuffle=False,  # the batches come shuffled
        verbose=0,
    )
    seconds = time.perf_counter() - start
    probabilities = _predict(model, dataset.x_test)
    diverged = watch.diverged or not np.isfinite(probabilities).all()
    test_loss = float("nan") if diverged else _test_loss(model, job, dataset, watch)
    if model_file is not None:
        _save(model, model_file)
    return Outcome(
        variant=job.variant.name,
        seed=job.seed,
        status=DIVERGED if diverged else DONE,
        error=f"the loss or the predictions were no longer numbers after epoch {watch.epoch}"
        if diverged
        else "",
        params=model.count_params(),
        trainable_params=sum(int(np.prod(w.shape)) for w in model.trainable_weights),
        train_seconds=seconds,
        test_loss=test_loss,
        epochs=pd.DataFrame(watch.rows, columns=["epoch", "split", "metric", "value"]),
        layers=layer_table(model, job.variant, dataset.image_shape),
        probabilities=None if diverged else probabilities,
        weights_sha256=weights_sha256(model),
    )


def _test_loss(model: keras.Model, job: Job, dataset: Dataset, watch: _Epochs) -> float:
    """Give the loss on the test set; validation on it has found the same number after the last epoch."""
    if job.protocol.validation == "test":
        return next(value for _, *what, value in reversed(watch.rows) if what == ["validation", "loss"])
    test = _in_order(dataset.x_test, _targets(dataset.y_test, job, dataset))
    return float(model.evaluate(test, verbose=0)[0])


def weights_sha256(model: keras.Model) -> str:
    """Hash all weights, in the model's order, with their types and shapes."""
    digest = hashlib.sha256()
    for weight in model.weights:
        values = np.ascontiguousarray(weight.numpy())
        digest.update(f"{values.dtype.str} {values.shape}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def _save(model: keras.Model, path: Path) -> None:
    """Save a model without its optimizer's state; one of an instructor's own may not know how to be saved."""
    try:
        disk.step("write", path)
        reason = _saved(model, path)
        if reason:
            path.unlink(missing_ok=True)
            disk.write(path.with_name("model-not-saved.txt"), reason.encode())
        else:
            disk.sync(path)
    except OSError as error:
        raise NotSaved(error.errno, error.strerror, str(error.filename or path)) from error


def _saved(model: keras.Model, path: Path) -> str:
    """Save a model; gives why Keras cannot, or ""."""
    # Adam's moments would make it three times as large; include_optimizer=False does nothing to a .keras.
    model.optimizer, model.compiled = None, False
    try:
        model.save(path)
    except Exception as error:
        if isinstance(error, OSError) and (error.errno is None or error.errno in DISK):
            raise
        return f"{type(error).__name__}: {error}\n"
    return ""


def _targets(labels: NDArray[np.int64], job: Job, dataset: Dataset) -> NDArray[Any]:
    if job.protocol.loss == "categorical_crossentropy":
        return np.eye(dataset.n_classes, dtype="float32")[labels]
    return labels


def _scaled(images: tf.Tensor) -> tf.Tensor:
    """Scale 0..255 to 0..1, as the lab notebook does; float images are already there."""
    return tf.cast(images, tf.float32) / 255.0 if images.dtype == tf.uint8 else images


def _training_batches(parts: Split, job: Job, n_classes: int) -> tf.data.Dataset:
    """Give every epoch's batches in an order drawn anew from (seed, epoch).

    Keras' own shuffling of arrays repeats one permutation in every epoch once a seed is set.
    """
    n, size = len(parts.y_train), job.protocol.batch_size
    steps = ceil(n / size)
    images = tf.constant(parts.x_train)
    labels = tf.constant(parts.y_train)
    one_hot = job.protocol.loss == "categorical_crossentropy"

    def order(epoch: tf.Tensor) -> tf.Tensor:
        return tf.random.experimental.stateless_shuffle(
            tf.range(n), seed=tf.stack([tf.cast(job.seed, tf.int64), epoch])
        )

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        shuffled = order(epoch)
        return tf.data.Dataset.range(steps).map(lambda s: shuffled[s * size : (s + 1) * size])

    def pick(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        y = tf.gather(labels, index)
        return _scaled(tf.gather(images, index)), tf.one_hot(y, n_classes) if one_hot else y

    batches = tf.data.Dataset.range(job.protocol.epochs).flat_map(epoch_batches).map(pick)
    return _untuned(batches.prefetch(AHEAD))


def _untuned(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Have no thread that tunes a pipeline: it sleeps up to a minute at a time, and its end is waited for."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)


def _in_order(images: NDArray[Any], targets: NDArray[Any] | None = None) -> tf.data.Dataset:
    size = max(1, min(EVALUATION_BATCH, EVALUATION_PIXELS // int(np.prod(images.shape[1:]))))
    arrays = images if targets is None else (images, targets)
    batches = tf.data.Dataset.from_tensor_slices(arrays).batch(size)
    if targets is None:
        return _untuned(batches.map(_scaled))
    return _untuned(batches.map(lambda x, y: (_scaled(x), y)))


def _predict(model: keras.Model, images: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(model.predict(_in_order(images), verbose=0), dtype="float32")


class _Epochs(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Keep each epoch's metrics and time, tell the observer, and stop where the loss diverges."""

    def __init__(self, job: Job, observer: Observer) -> None:
        super().__init__()
        self.job, self.observer = job, observer
        self.rows: list[tuple[int, str, str, float]] = []
        self.epoch = 0
        self.diverged = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch + 1
        self.start = time.perf_counter()
        self.trained = self.start

    def on_test_begin(self, logs: Any = None) -> None:
        self.trained = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = {key: float(value) for key, value in (logs or {}).items()}
        for metric in ("loss", "accuracy"):
            self.rows.append((self.epoch, "train", metric, logs[metric]))
            self.rows.append((self.epoch, "validation", metric, logs[f"val_{metric}"]))
        self.rows.append((self.epoch, "train", "seconds", self.trained - self.start))
        self.observer.epoch_ended(self.job, self.epoch, logs, time.perf_counter() - self.start)
        if not np.isfinite(logs["loss"]):
            self.diverged = True
            self.model.stop_training = True
