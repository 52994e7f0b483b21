"""Plain `fit`, as reportgen trains, beside one TensorFlow graph for each whole epoch.

    .venv/bin/python benchmarks/whole_epoch.py --data mnist.npz [--variant mlp] [--epochs 3] [--jobs 2]
        [--repeat 3]

The graph keeps the uint8 images on the device, gathers each batch through the epoch's permutation and loops
over the steps inside one `tf.function`: as little as can stand between two steps. Model, loss, optimizer,
order of the images, determinism, and the loss and accuracy that are summed up are the same. As many copies
of either way run side by side as reportgen trains at once. The first epoch, which traces, is left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import say, side_by_side, wait_for_the_others

from reportgen.execution.plan import Workers

if TYPE_CHECKING:
    from reportgen.data import Dataset
    from reportgen.jobs import Job

WAYS = ("plain", "graph")


def compare(
    data: Path, variant: str, epochs: int, workers: Workers, repeat: int
) -> dict[str, dict[str, float]]:
    """Give, for each way, the median seconds of an epoch, and the loss and accuracy of the last one.

    The ways take turns, `repeat` times.
    """
    printed: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for way in WAYS * repeat:
        say(f"whole epoch: {variant}, {way}")
        command = [sys.executable, __file__, "--way", way, "--data", str(data), "--variant", variant]
        command += ["--epochs", str(max(2, epochs))]
        printed[way] += side_by_side(command, workers)
    return {way: _summary(copies_of_way) for way, copies_of_way in printed.items()}


def _summary(printed: list[dict[str, Any]]) -> dict[str, float]:
    seconds = [one for copy in printed for one in copy["seconds"][1:]]
    last = {name: float(printed[0][name]) for name in ("loss", "accuracy")}
    return {"seconds": statistics.median(seconds), **last}


def train_plain(job: Job, dataset: Dataset) -> dict[str, Any]:
    """Train as reportgen does."""
    from reportgen.training.fit import train  # noqa: PLC0415

    rows = train(job, dataset).epochs
    rows = rows[rows["split"] == "train"].set_index(["metric", "epoch"])["value"]
    last = {metric: float(rows[metric].iloc[-1]) for metric in ("loss", "accuracy")}
    return {"seconds": rows["seconds"].tolist(), **last}


def train_graph(job: Job, dataset: Dataset) -> dict[str, Any]:
    """Train with one call into TensorFlow for each epoch."""
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    from reportgen.training.models import build  # noqa: PLC0415

    keras.utils.set_random_seed(job.seed)
    tf.config.experimental.enable_op_determinism()
    model = build(job.variant, dataset.image_shape, dataset.n_classes)
    epoch = _epoch_graph(model, job, dataset)
    seconds, totals = [], [0.0, 0.0]
    for number in range(job.protocol.epochs):
        start = time.perf_counter()
        totals = [float(total) for total in epoch(tf.constant(number, tf.int64))]
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "loss": totals[0] / dataset.n_train, "accuracy": totals[1] / dataset.n_train}


def _epoch_graph(model: Any, job: Job, dataset: Dataset) -> Any:
    """Give a function that trains one epoch and returns the summed loss and the number of hits."""
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    n, size = dataset.n_train, job.protocol.batch_size
    images, labels = tf.constant(dataset.x_train), tf.constant(dataset.y_train)
    optimizer = keras.optimizers.get(job.protocol.optimizer)
    optimizer.build(model.trainable_variables)
    loss_of = keras.losses.get(job.protocol.loss)

    def step(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = tf.cast(tf.gather(images, index), tf.float32) / 255.0
        y = tf.gather(labels, index)
        with tf.GradientTape() as tape:
            probabilities = model(x, training=True)
            losses = loss_of(tf.one_hot(y, dataset.n_classes), probabilities)
            loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        hits = tf.equal(tf.argmax(probabilities, axis=1), y)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(hits, tf.float32))

    @tf.function
    def epoch(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        seed = tf.stack([tf.cast(job.seed, tf.int64), number])
        order = tf.random.experimental.stateless_shuffle(tf.range(n), seed=seed)
        loss, hits = tf.constant(0.0), tf.constant(0.0)
        for s in tf.range(ceil(n / size)):
            more_loss, more_hits = step(order[s * size : (s + 1) * size])
            loss, hits = loss + more_loss, hits + more_hits
        return loss, hits

    return epoch


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare plain fit with one graph for each whole epoch.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--variant", default="mlp")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--jobs", type=int, help="trainings at once, as many as reportgen's by default")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--way", choices=WAYS, help="train this way only, as one of the copies")
    return parser.parse_args()


def _train_one_way(options: argparse.Namespace) -> None:
    """Train in this process, and print the seconds of each epoch as JSON."""
    from reportgen.data import load  # noqa: PLC0415
    from reportgen.jobs import plan  # noqa: PLC0415
    from reportgen.lab import load_lab, override, overrides  # noqa: PLC0415
    from reportgen.training import load_keras  # noqa: PLC0415

    lab = override(load_lab("mnist"), overrides(epochs=options.epochs, variants=(options.variant,)))
    dataset = load(path=options.data)
    load_keras()
    wait_for_the_others()
    train = {"plain": train_plain, "graph": train_graph}[options.way]
    print(json.dumps(train(plan(lab)[0], dataset)))


def main() -> None:
    """Compare, or train one way for a comparison."""
    options = _options()
    if options.way:
        _train_one_way(options)
        return
    data, workers = options.data.resolve(), Workers.of(options.jobs)
    both = compare(data, options.variant, options.epochs, workers, options.repeat)
    for way, figures in both.items():
        print(f"{way:6} {figures['seconds']:8.3f} s an epoch, training loss {figures['loss']:.4f}")
    print(f"plain / graph {both['plain']['seconds'] / both['graph']['seconds']:.2f}")


if __name__ == "__main__":
    main()
