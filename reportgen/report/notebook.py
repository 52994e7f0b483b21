"""A lab as a notebook of Keras code that runs from top to bottom, filled in or with blanks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reportgen.analysis.scores import leaderboard
from reportgen.report.data_code import loading_code, splitting_code
from reportgen.report.keras_code import compile_code, model_code
from reportgen.report.markdown_text import code as code_span
from reportgen.report.markdown_text import escape
from reportgen.report.prose import SECTION, TITLE, markdown
from reportgen.text import digits_for, inert, percent

if TYPE_CHECKING:
    from reportgen.analysis.scores import Score
    from reportgen.lab import Lab, Variant
    from reportgen.results import Results

SEED = 1  # of the one training of each network
GALLERY = '''
def show_images(indices, title, n=9):
    """Show the first n of some test images, with what they are and what they are taken for."""
    plt.figure(figsize=(10, 2.2))
    for i, index in enumerate(indices[:n]):
        plt.subplot(1, n, i + 1)
        plt.imshow({image}, cmap="gray_r")
        said = f"True: {{class_names[y_true[index]]}}\\nPred: {{class_names[y_pred[index]]}}"
        plt.title(said, fontsize=8, parse_math=False)
        plt.axis("off")
    plt.suptitle(title)
    plt.tight_layout()
    plt.show()
'''
ASK = """
y_pred = np.argmax(model.predict(x_test, verbose=0), axis=1)
correct_indices = np.where(y_pred == y_true)[0]
incorrect_indices = np.where(y_pred != y_true)[0]
show_images(correct_indices, "Correct!")
show_images(incorrect_indices, "Incorrect!")
"""
FIT = """
history = model.fit(
    x_train,
    y_train,
    epochs=epochs,
    batch_size=batch_size,
    validation_data=(x_validation, y_validation),
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
accuracies[{name}] = accuracy
print(f"{{accuracy:.2%}} of the test images are classified correctly, the loss is {{loss:.4f}}")
"""
COMPARE = """
for name, accuracy in sorted(accuracies.items(), key=lambda one: one[1], reverse=True):
    print(f"{name:40} {accuracy:.2%}")
"""


@dataclass(frozen=True)
class Cell:
    """One cell: markdown or code."""

    kind: str
    source: str

    @classmethod
    def of_code(cls, *parts: str) -> Cell:
        """Make a code cell of parts that stand apart."""
        return cls("code", "\n\n".join(part.strip("\n") for part in parts))

    @classmethod
    def of_text(cls, *parts: str) -> Cell:
        """Make a Markdown cell of paragraphs; empty ones are left out."""
        return cls("markdown", "\n\n".join(part for part in parts if part))


def to_notebook(results: Results, blanks: bool) -> str:
    """Write the lab of a run as a notebook (nbformat 4.5, without outputs).

    With `blanks`, the layers of each network are left for the student to write, and nothing is said of how
    the networks did.
    """
    made: list[dict[str, Any]] = [
        {
            "cell_type": cell.kind,
            "id": f"cell-{n}",
            "metadata": {},
            "source": cell.source.splitlines(keepends=True),
            **({"execution_count": None, "outputs": []} if cell.kind == "code" else {}),
        }
        for n, cell in enumerate(cells(results, blanks), start=1)
    ]
    notebook: dict[str, Any] = {
        "cells": made,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": inert(results.record.lab.title),
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def cells(results: Results, blanks: bool) -> list[Cell]:
    """List the cells, from the title to the comparison of all networks."""
    lab = results.record.lab
    scores = {one.variant: one for one in leaderboard(results).scores}
    networks = [cell for one in lab.variants for cell in _network(results, one, blanks, scores.get(one.name))]
    return [
        *_beginning(lab),
        *_data(results),
        *networks,
        Cell.of_text("## All networks", "Each was trained once: with another seed the order may be another."),
        Cell.of_code(COMPARE),
    ]


def _beginning(lab: Lab) -> list[Cell]:
    texts = lab.texts
    title = Cell.of_text(f"# {escape(lab.title)}", escape(lab.course), *markdown(texts.introduction, TITLE))
    points = [
        Cell.of_text(f"## {escape(point.title)}", *markdown(point.text, SECTION)) for point in texts.points
    ]
    imports = "import keras\nimport matplotlib.pyplot as plt\nimport numpy as np"
    policy = ""
    if lab.protocol.precision != "float32":
        policy = (
            f'# Layers compute in bfloat16.\nkeras.config.set_dtype_policy("mixed_{lab.protocol.precision}")'
        )
    return [title, *points, Cell.of_code(imports, *([policy] if policy else []))]


def _data(results: Results) -> list[Cell]:
    """Load the data, set validation apart, and say how it is shown and how long it is trained on."""
    record = results.record
    dataset, protocol = record.dataset, record.lab.protocol
    kept = "y_true = y_test  # as whole numbers, to compare predictions with"
    classes = json.dumps([inert(name) for name in dataset.classes], ensure_ascii=False)
    names = f"class_names = {classes}"
    parts = [loading_code(dataset), splitting_code(protocol, SEED), f"{kept}\n{names}"]
    if protocol.loss == "categorical_crossentropy":
        labels = ("y_train", "y_validation", "y_test")
        hot = [f"{one} = keras.utils.to_categorical({one}, {len(dataset.classes)})" for one in labels]
        parts.append("\n".join(hot))
    image = "x_test[index]" if dataset.image_shape[2] == 3 else "x_test[index][:, :, 0]"
    settings = f"epochs = {protocol.epochs}\nbatch_size = {protocol.batch_size}\naccuracies = {{}}"
    known = [record.fallback, *dataset.warnings]
    said = [escape(f"{dataset.title}. {dataset.description}"), *(escape(inert(one, 600)) for one in known)]
    return [
        Cell.of_text("## The data", *said),
        Cell.of_code(*parts),
        Cell.of_code(settings),
        Cell.of_code(GALLERY.format(image=image)),
    ]


def _network(results: Results, variant: Variant, blanks: bool, score: Score | None) -> list[Cell]:
    record = results.record
    shape, n_classes = record.dataset.image_shape, len(record.dataset.classes)
    protocol = record.lab.protocol
    baseline = " *baseline*" if variant.baseline else ""
    seed = f"keras.utils.set_random_seed({SEED})"
    build = model_code(variant, shape, n_classes, protocol.precision, blanks)
    text = [f"## {code_span(variant.name)}{baseline}", escape(variant.description)]
    if score and not blanks:
        text.append(escape(_said(results, score)))
    return [
        Cell.of_text(*text),
        Cell.of_code(seed + "\n" + build, "model.summary()"),
        Cell.of_code(compile_code(protocol), FIT.format(name=json.dumps(variant.name))),
        Cell.of_code(ASK),
    ]


def _said(results: Results, score: Score) -> str:
    """Say how a network did in the run."""
    if not score.scored:
        return f"In the report's run it has no score: {inert(score.reasons[0], 200)}"
    digits = digits_for(results.record.dataset.n_test)
    low, high = percent(score.low, digits), percent(score.high, digits)
    said = (
        f"In the report's run it classified {percent(score.accuracy, digits)} % of the test images correctly"
    )
    if score.seeds > 1:
        return (
            f"{said} on average over {score.seeds} seeds; their 95 % Wilson intervals span {low} to {high} %."
        )
    return f"{said} (95 % Wilson interval {low} to {high} %)."
