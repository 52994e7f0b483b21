"""What this machine can do at most: a float32 matrix product in TensorFlow, as a child of engine.py."""

from __future__ import annotations

import json
import statistics
import time

from measuring import wait_for_the_others

from reportgen.training import load_keras

SIZE = 2048
SECONDS = 5.0


def main() -> None:
    """Multiply for some seconds and print the FLOP/s of the median product."""
    load_keras()
    import tensorflow as tf  # noqa: PLC0415

    a = tf.random.normal((SIZE, SIZE))
    b = tf.random.normal((SIZE, SIZE))
    product = tf.function(tf.linalg.matmul)
    product(a, b).numpy()
    wait_for_the_others()
    times = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        product(a, b).numpy()
        times.append(time.perf_counter() - start)
    print(json.dumps({"flops": 2 * SIZE**3 / statistics.median(times)}))


if __name__ == "__main__":
    main()
