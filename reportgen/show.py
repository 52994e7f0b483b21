"""What a lab's variants look like, as lines of text, before any training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportgen.analysis.scores import leaderboard
from reportgen.analysis.unanswerable import unanswerable
from reportgen.data import DATASETS, load
from reportgen.lab import Lab, Variant, check_shapes, lab_folder, lab_path, load_lab, read_logo, trace_variant
from reportgen.layers import Shape, times
from reportgen.text import digits_for, percent, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reportgen.results import Results


def show(source: str, data: Path | None = None) -> Iterator[str]:
    """List each variant's layers with output shapes and parameters; raises LabError, DataError."""
    lab = load_lab(source)
    folder = lab_folder(source)
    image_shape, n_classes, name = _images(lab, folder, data)
    check_shapes(lab, image_shape, n_classes, str(lab_path(source)))
    if lab.branding.logo:
        read_logo(folder / lab.branding.logo)
    yield f"{lab.title}"
    yield f"{name}: images of {times(image_shape)}, {n_classes} classes"
    for variant in lab.variants:
        yield ""
        yield from _variant(variant, image_shape, n_classes, folder, lab.protocol.precision)
    warnings = unanswerable(lab)
    yield from ["", *warnings] if warnings else []


def scores(results: Results) -> Iterator[str]:
    """List each variant's test accuracy, parameters and seconds, the most accurate first."""
    board = leaderboard(results)
    width = max(len(one.variant) for one in board.scores)
    yield f"{'variant':{width}}  accuracy, %  parameters  seconds"
    for one in board.scored:
        accuracy = percent(one.accuracy, digits_for(board.n_test))
        yield f"{one.variant:{width}}{accuracy:>13}{one.params or 0:>12,}{seconds(one.seconds):>9}"


def _images(lab: Lab, folder: Path, data: Path | None) -> tuple[Shape, int, str]:
    """Find the image shape and number of classes; a known data set need not be read for it."""
    choice = lab.dataset
    if data is None and choice.path is None:
        known = DATASETS[str(choice.name)]
        return known.image_shape, len(choice.classes or known.class_names), known.title
    path = data or folder / str(choice.path)
    dataset = load(None if data else choice.name, path, choice.classes)
    return dataset.image_shape, dataset.n_classes, dataset.title


def _variant(variant: Variant, image: Shape, n_classes: int, folder: Path, precision: str) -> Iterator[str]:
    rows = (
        _built(variant, image, n_classes, folder, precision)
        if variant.build
        else _stated(variant, image, n_classes)
    )
    total = sum(row[3] for row in rows)
    yield f"{variant.name}{'  (baseline)' if variant.baseline else ''}  {total:,} parameters"
    if variant.description:
        yield f"  {variant.description}"
    for kind, setting, shape, params in rows:
        yield f"  {kind:24}{setting:32}{shape:>14}{params:>12,}"


def _stated(variant: Variant, image: Shape, n_classes: int) -> list[tuple[str, str, str, int]]:
    return [
        (row.layer.keras_name, row.layer.setting(), times(row.output_shape), row.params)
        for row in trace_variant(variant, image, n_classes)
    ]


def _built(
    variant: Variant, image: Shape, n_classes: int, folder: Path, precision: str
) -> list[tuple[str, str, str, int]]:
    from reportgen.training import load_keras  # noqa: PLC0415  TensorFlow

    load_keras()
    from reportgen.training.models import build, layer_table  # noqa: PLC0415

    table = layer_table(build(variant, image, n_classes, folder, precision), variant, image)
    return [
        (row["type"], "", row["output_shape"].replace("x", "×"), row["params"])
        for row in table.to_dict("records")
    ]
