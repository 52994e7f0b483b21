"""A lab as a notebook of Keras code that runs from top to bottom, filled in or with blanks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reportgen.analysis.scores import leaderboard
from reportgen.report.brand import brand_of
from reportgen.report.data_code import loading_code, splitting_code
from reportgen.report.keras_code import comment, compile_code, docstring, model_code
from reportgen.report.markdown_text import code as code_span
from reportgen.report.markdown_text import escape
from reportgen.report.prose import SECTION, TITLE, markdown
from reportgen.text import digits_for, inert, percent
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from reportgen.analysis.scores import Score
    from reportgen.lab import Lab, Variant
    from reportgen.report.brand import Brand
    from reportgen.results import Results

SEED = 1  # of the one training of each network
CJK = 0x2E80  # where the signs of Chinese, Japanese and Korean begin in Unicode
GALLERY = """
def show_images(indices, title, n=9):
    {words}
    plt.figure(figsize=(10, 2.2))
    for i, index in enumerate(indices[:n]):
        plt.subplot(1, n, i + 1)
        plt.imshow({image}, cmap="gray_r")
        said = f{said}
        plt.title(said, fontsize=8, parse_math=False)
        plt.axis("off")
    plt.suptitle(title)
    plt.tight_layout()
    plt.show()
"""
ASK = """
y_pred = np.argmax(model.predict(x_test, verbose=0), axis=1)
correct_indices = np.where(y_pred == y_true)[0]
incorrect_indices = np.where(y_pred != y_true)[0]
show_images(correct_indices, {correct})
show_images(incorrect_indices, {incorrect})
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
print(f{said})
"""
COMPARE = """
for name, accuracy in sorted(accuracies.items(), key=lambda one: one[1], reverse=True):
    print(f"{name:40} {accuracy:.2%}")
"""


# What is drawn on a figure, in the words of a report's galleries.
CORRECT = mark("Correct!")
INCORRECT = mark("Incorrect!")
TRUE = mark("True: {label}")
PREDICTED = mark("Pred: {label}")


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
        *_beginning(lab, brand_of(results)),
        *_data(results),
        *networks,
        Cell.of_text(
            "## " + tr("All networks"),
            tr("Each was trained once: with another seed the order may be another."),
        ),
        Cell.of_code(COMPARE),
    ]


def _beginning(lab: Lab, brand: Brand) -> list[Cell]:
    texts, handed_out = lab.texts, (brand.line, ", ".join(brand.authors))
    title = Cell.of_text(
        f"# {escape(lab.title)}",
        *map(escape, (lab.course, *handed_out)),
        *markdown(texts.introduction, TITLE),
    )
    points = [
        Cell.of_text(f"## {escape(point.title)}", *markdown(point.text, SECTION)) for point in texts.points
    ]
    imports = "import keras\nimport matplotlib.pyplot as plt\nimport numpy as np"
    policy = ""
    if lab.protocol.precision != "float32":
        said = comment(tr("Layers compute in {precision}.", precision=lab.protocol.precision))
        policy = f'{said}\nkeras.config.set_dtype_policy("mixed_{lab.protocol.precision}")'
    return [title, *points, Cell.of_code(imports, *([policy] if policy else []))]


def _data(results: Results) -> list[Cell]:
    """Load the data, set validation apart, and say how it is shown and how long it is trained on."""
    record = results.record
    dataset, protocol = record.dataset, record.lab.protocol
    why = comment(tr("as whole numbers, to compare predictions with"))
    kept = f"y_true = y_test  {why}"
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
        Cell.of_text("## " + tr("The data"), *said),
        Cell.of_code(*parts),
        Cell.of_code(settings),
        Cell.of_code(_gallery(image)),
    ]


def _gallery(image: str) -> str:
    words = tr("Show the first n of some test images, with what they are and what they are taken for.")
    true = _on_figure(TRUE, label="{class_names[y_true[index]]}")
    predicted = _on_figure(PREDICTED, label="{class_names[y_pred[index]]}")
    return GALLERY.format(words=docstring(words), image=image, said=_quoted(f"{true}\n{predicted}"))


def _on_figure(message: str, **values: object) -> str:
    """Say what Matplotlib draws; in English where its own font, DejaVu Sans, has not the signs."""
    said = tr(message, **values)
    return said if all(ord(sign) < CJK for sign in said) else message.format(**values)


def _quoted(text: str) -> str:
    """Write words as a string of Python, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _network(results: Results, variant: Variant, blanks: bool, score: Score | None) -> list[Cell]:
    record = results.record
    shape, n_classes = record.dataset.image_shape, len(record.dataset.classes)
    protocol = record.lab.protocol
    baseline = " *" + tr("baseline") + "*" if variant.baseline else ""
    seed = f"keras.utils.set_random_seed({SEED})"
    build = model_code(variant, shape, n_classes, protocol.precision, blanks)
    text = [f"## {code_span(variant.name)}{baseline}", escape(variant.description)]
    if score and not blanks:
        text.append(escape(_said(results, score)))
    return [
        Cell.of_text(*text),
        Cell.of_code(seed + "\n" + build, "model.summary()"),
        Cell.of_code(compile_code(protocol), _fit(variant)),
        Cell.of_code(
            ASK.format(correct=_quoted(_on_figure(CORRECT)), incorrect=_quoted(_on_figure(INCORRECT)))
        ),
    ]


def _fit(variant: Variant) -> str:
    printed = tr(
        "{accuracy} of the test images are classified correctly, the loss is {loss}",
        accuracy="{accuracy:.2%}",
        loss="{loss:.4f}",
    )
    return FIT.format(name=json.dumps(variant.name), said=_quoted(printed))


def _said(results: Results, score: Score) -> str:
    """Say how a network did in the run."""
    if not score.scored:
        return tr("In the report's run it has no score: {reason}", reason=inert(score.reasons[0], 200))
    digits = digits_for(results.record.dataset.n_test)
    shares = {
        "accuracy": percent(score.accuracy, digits),
        "low": percent(score.low, digits),
        "high": percent(score.high, digits),
    }
    if score.seeds > 1:
        return tr(
            "In the report's run it classified {accuracy} % of the test images correctly on average over "
            "{seeds} seeds; their 95 % Wilson intervals span {low} to {high} %.",
            seeds=score.seeds,
            **shares,
        )
    return tr(
        "In the report's run it classified {accuracy} % of the test images correctly (95 % Wilson interval "
        "{low} to {high} %).",
        **shares,
    )
