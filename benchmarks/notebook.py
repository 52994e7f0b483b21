"""The peer: a notebook as an instructor writes it, with the networks of a lab in plain Keras.

It trains with stock `Model.fit` on float32 arrays and one-hot labels, as the lab notebook does, draws what
such a notebook draws, and writes what it timed and scored to a JSON file. Nothing in it comes from reportgen.
It prints one line an epoch: a progress bar would cost it time. It sets no seed, as seeded Keras would give
every epoch the same order of the images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from reportgen import layers
from reportgen.lab import Lab, Variant, trace_variant

SPELLED: dict[type[layers.Layer], Callable[[Any], str]] = {
    layers.Flatten: lambda _: "Flatten()",
    layers.Dense: lambda x: f"Dense({x.dense}, activation={x.activation!r})",
    layers.Dropout: lambda x: f"Dropout({x.dropout})",
    layers.Conv2D: lambda x: (
        f"Conv2D({x.conv2d}, kernel_size={x.kernel}, strides={x.strides}, "
        f"padding={x.padding!r}, activation={x.activation!r})"
    ),
    layers.MaxPooling2D: lambda x: f"MaxPooling2D({_window(x)})",
    layers.AveragePooling2D: lambda x: f"AveragePooling2D({_window(x)})",
}

IMPORTS = """
import json
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from plotnine import *
from tensorflow import keras
"""

PARAMETERS = """
data = "mnist.npz"
record = "record.json"
epochs = 5
batch_size = 128
"""

LOADING = """
with np.load(data) as arrays:
    X_train, y_train = arrays["x_train"], arrays["y_train"]
    X_test, y_test = arrays["x_test"], arrays["y_test"]

X_train = X_train.reshape(IMAGES).astype("float32") / 255.0
X_test = X_test.reshape(IMAGES).astype("float32") / 255.0

# Convert y labels to one-hot encoded vectors
y_train = keras.utils.to_categorical(y_train, num_classes=CLASSES)
y_test = keras.utils.to_categorical(y_test, num_classes=CLASSES)
y_true = np.argmax(y_test, axis=1)
"""

HELPERS = '''
class Timing(keras.callbacks.Callback):
    """Seconds of each epoch: training alone, and with the validation."""

    def __init__(self):
        super().__init__()
        self.train, self.whole = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_test_begin(self, logs=None):
        self.train.append(time.perf_counter() - self.start)

    def on_epoch_end(self, epoch, logs=None):
        self.whole.append(time.perf_counter() - self.start)


def show_confusion(y_pred, title):
    counts = pd.crosstab(y_true, y_pred, rownames=["label"], colnames=["predicted"]).stack()
    counts = counts.rename("count").reset_index()
    return (
        ggplot(counts, aes("factor(predicted)", "factor(label)", fill="count"))
        + geom_tile()
        + geom_text(aes(label="count"), size=7)
        + scale_fill_gradient(low="white", high="steelblue")
        + labs(title=title, x="predicted", y="label")
        + theme_minimal()
    )


def show_images(indices, y_pred, title, n=9):
    plt.figure(figsize=(10, 2.4))
    for i, idx in enumerate(indices[:n]):
        plt.subplot(1, n, i + 1)
        plt.imshow(X_test[idx].squeeze(), cmap="gray")
        plt.title(f"True: {y_true[idx]}\\nPred: {y_pred[idx]}", fontsize=8)
        plt.axis("off")
    plt.suptitle(title)
    plt.tight_layout()
    plt.show()


curves, table = [], {}
'''

COMPILING = """
model.compile(loss={loss!r}, optimizer={optimizer!r}, metrics=[{metric!r}])
model.summary()
"""

FITTING = """
timing = Timing()
history = model.fit(
    X_train, y_train,
    epochs=epochs, verbose=1, batch_size=batch_size,
    validation_data=(X_test, y_test),
    callbacks=[timing],
)
curves.append(pd.DataFrame(history.history).assign(variant={name!r}, epoch=np.arange(1, epochs + 1)))
"""

PREDICTING = """
y_pred = np.argmax(model.predict(X_test), axis=1)
table[{name!r}] = {{
    "parameters": model.count_params(),
    "accuracy": float(np.mean(y_pred == y_true)),
    "train_seconds": timing.train,
    "epoch_seconds": timing.whole,
}}
show_confusion(y_pred, {name!r})
"""

GALLERIES = """
show_images(np.where(y_pred == y_true)[0], y_pred, "Correct!")
show_images(np.where(y_pred != y_true)[0], y_pred, "Incorrect!")
"""

CURVES = """
curves = pd.concat(curves)
long = curves.melt(id_vars=["variant", "epoch"])
long["split"] = np.where(long["variable"].str.startswith("val_"), "test", "train")
long["metric"] = long["variable"].str.removeprefix("val_")
(
    ggplot(long, aes("epoch", "value", color="variant", linetype="split"))
    + geom_line()
    + facet_wrap("metric", scales="free_y")
    + theme_minimal()
    + theme(figure_size=(10, 4))
)
"""

TABLE = """
summary = pd.DataFrame(table).T
summary["seconds"] = summary["epoch_seconds"].map(sum)
summary[["parameters", "accuracy", "seconds"]].sort_values("accuracy", ascending=False)
"""

RECORDING = """
with open(record, "w") as file:
    json.dump(table, file)
print(json.dumps(table))
"""


def peer_notebook(lab: Lab, image_shape: tuple[int, int, int], n_classes: int) -> nbformat.NotebookNode:
    """Write a lab's trainings as a notebook; papermill puts its own values behind the parameters' cell."""
    loading = LOADING.replace("IMAGES", str((-1, *image_shape))).replace("CLASSES", str(n_classes))
    cells = [new_markdown_cell(f"# {lab.title}\n\n{lab.texts.introduction}")]
    cells += _code(IMPORTS)
    cells += [new_code_cell(PARAMETERS.strip(), metadata={"tags": ["parameters"]})]
    cells += _code(loading, HELPERS)
    for variant in lab.variants:
        cells += _variant_cells(lab, variant, image_shape, n_classes)
    cells += _code(CURVES, TABLE, RECORDING)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def _variant_cells(
    lab: Lab, variant: Variant, image_shape: tuple[int, int, int], n_classes: int
) -> Sequence[nbformat.NotebookNode]:
    protocol = lab.protocol
    if protocol.learning_rate is not None or protocol.validation != "test":
        raise ValueError(
            "the notebook knows the optimizer's own learning rate and validation on the test set"
        )
    compiling = COMPILING.format(loss=protocol.loss, optimizer=protocol.optimizer, metric=protocol.metric)
    lines = [f"keras.Input({image_shape})"]
    lines += [f"keras.layers.{spelled(row.layer)}" for row in trace_variant(variant, image_shape, n_classes)]
    model = "model = keras.Sequential([\n" + "".join(f"    {line},\n" for line in lines) + "])\n"
    return [
        new_markdown_cell(f"## {variant.name}\n\n{variant.description}"),
        *_code(
            model + compiling,
            FITTING.format(name=variant.name),
            PREDICTING.format(name=variant.name),
            GALLERIES,
        ),
    ]


def spelled(layer: layers.Layer) -> str:
    """Spell a layer as Keras code."""
    if type(layer) not in SPELLED:
        raise ValueError(f"{layer.keras_name} is not in SPELLED: add how an instructor writes it")
    return SPELLED[type(layer)](layer)


def _window(layer: Any) -> str:
    pool, strides, padding = layer.window()
    return f"pool_size={pool}, strides={strides}, padding={padding!r}"


def _code(*sources: str) -> list[nbformat.NotebookNode]:
    return [new_code_cell(source.strip()) for source in sources]
