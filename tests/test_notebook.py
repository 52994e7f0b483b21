"""report.ipynb: the lab as Keras code that builds, loads and trains what the run did."""

from __future__ import annotations

import contextlib
import gzip
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from markdown_it import MarkdownIt

from reportgen import layers as stated
from reportgen.data import load
from reportgen.lab import Lab, Protocol, load_lab, parse_lab, trace_variant
from reportgen.report.data_code import loading_code, splitting_code
from reportgen.report.keras_code import CALLS, compile_code, layer_code, model_code
from reportgen.report.notebook import Cell, cells, to_notebook
from reportgen.results import DatasetRecord, Results
from support import EVERY_LAYER, MODELS, command_line, made_up_images
from synthetic import example, hostile, made_up

MNIST = (28, 28, 1)


@cache
def several() -> Results:
    return made_up(names=("mlp", "cnn"), seeds=3, n_test=100, epochs=1, image_shape=(8, 8, 3))


def of_lab(lab: Lab, **dataset: Any) -> Results:
    """Give a run of a lab that says what a notebook needs to know."""
    run = made_up(names=("mlp",), n_test=20, epochs=1)
    record = run.record.model_copy(
        update={"lab": lab, "dataset": run.record.dataset.model_copy(update=dataset)}
    )
    from dataclasses import replace

    return replace(run, record=record)


RUNS = [example, hostile, several]


def code_of(made: Sequence[Cell]) -> list[str]:
    return [cell.source for cell in made if cell.kind == "code"]


# --- the file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("blanks", [False, True])
@pytest.mark.parametrize("run", RUNS)
def test_it_is_a_notebook_whose_every_cell_is_python(run: Callable[[], Results], blanks: bool) -> None:
    text = to_notebook(run(), blanks)
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert text == to_notebook(run(), blanks)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) == 5 + 3 * len(run().record.lab.variants)
    for source in code:
        compile(source, "cell", "exec")
    assert all(cell.outputs == [] for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.parametrize("run", RUNS)
def test_what_a_lab_says_is_text_in_it(run: Callable[[], Results]) -> None:
    parser = MarkdownIt("commonmark").enable("table")
    allowed = {"text", "text_special", "code_inline", "em_open", "em_close"}
    for cell in cells(run(), blanks=False):
        assert not set("\x00\x07\u202e\u2067\u2069\u200f") & set(cell.source)
        if cell.kind == "markdown":
            tokens = parser.parse(cell.source)
            assert {token.tag for token in tokens if token.type == "heading_open"} <= {"h1", "h2"}
            kinds = {child.type for token in tokens for child in token.children or []}
            assert kinds <= allowed


def test_it_says_how_each_network_did_in_the_run_unless_it_has_blanks() -> None:
    filled = to_notebook(example(), blanks=False)
    assert "classified 95.0 % of the test images correctly (95 % Wilson interval 91.0 to 97.3 %)" in filled
    assert "In the report's run it has no score" in filled
    assert "on average over 3 seeds; their 95 % Wilson intervals span" in to_notebook(several(), False)
    assert "In the report's run" not in to_notebook(example(), blanks=True)


# --- blanks --------------------------------------------------------------------------------------


def test_a_blank_says_what_is_to_be_reached_and_not_how() -> None:
    lab = load_lab("mnist")
    for variant in lab.variants:
        filled, blank = (model_code(variant, MNIST, 10, "float32", blanks) for blanks in (False, True))
        first, *comments, last = blank.splitlines()
        assert (first, last) == ("model = keras.Sequential([", "])")
        assert all(line.startswith("    # ") for line in comments)
        rows = trace_variant(variant, MNIST, 10)
        assert f"# {sum(row.params for row in rows):,} parameters in all." in blank
        for row in rows:
            assert any(
                line.split()[1] == row.layer.keras_name and stated.times(row.output_shape) in line
                for line in comments[1:-1]
            )
        assert "keras.layers." not in blank
        assert not any(line.strip() in blank for line in filled.splitlines()[1:-1])


def test_the_blanks_are_nowhere_filled_in_the_whole_file() -> None:
    text = to_notebook(of_lab(load_lab("mnist")), blanks=True)
    for word in ("keras.layers", "Conv2D(", "Dense(", "padding=", "strides="):
        assert word not in text
    assert text.count("keras.Sequential([") == 7


# --- networks ------------------------------------------------------------------------------------


def test_every_layer_can_be_written() -> None:
    assert list(CALLS) == list(stated.LAYERS.values())


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"conv2d": 32, "kernel": 3, "activation": "relu"}, 'Conv2D(32, 3, activation="relu")'),
        ({"conv2d": 8, "kernel": [3, 5], "strides": 2}, "Conv2D(8, (3, 5), strides=2)"),
        ({"max_pooling2d": 2}, "MaxPooling2D(2)"),
        ({"average_pooling2d": 3, "strides": 1}, "AveragePooling2D(3, strides=1)"),
        ({"dropout": 0.2}, "Dropout(0.2)"),
        ({"activation": "leaky_relu"}, 'Activation("leaky_relu")'),
        ({"dense": 10, "use_bias": False}, "Dense(10, use_bias=False)"),
    ],
)
def test_a_layer_is_written_as_one_would(table: dict[str, Any], expected: str) -> None:
    flat = {"flatten": True}
    before, after = ([flat], []) if "dense" in table else ([], [flat])
    end = {"dense": "classes", "activation": "softmax"}
    (variant,) = a_lab([*before, table, *after, end]).variants
    layer = (variant.layers or ())[len(before)]
    assert layer_code(layer) == f"keras.layers.{expected}"


def a_lab(*stacks: list[dict[str, Any]]) -> Lab:
    variants = [{"name": f"v{n}", "layers": stack} for n, stack in enumerate(stacks)]
    return parse_lab({"title": "t", "dataset": {"name": "mnist"}, "variants": variants}, "t")


def test_what_is_written_builds_the_networks_of_the_lab() -> None:
    import keras

    odd = [
        {"conv2d": 4, "kernel": [3, 5], "strides": [2, 1], "use_bias": False, "activation": "gelu"},
        {"max_pooling2d": [2, 3], "strides": [1, 2], "padding": "same"},
        {"flatten": True},
        {"dense": 7, "use_bias": False},
        {"dense": "classes", "activation": "softmax"},
    ]
    for variant in (*load_lab("mnist").variants, *a_lab(EVERY_LAYER, odd).variants):
        space: dict[str, Any] = {"keras": keras}
        exec(model_code(variant, MNIST, 10, "float32", False), space)
        model = space["model"]
        rows = trace_variant(variant, MNIST, 10)
        assert model.count_params() == sum(row.params for row in rows)
        shapes = [layer.output.shape[1:] for layer in model.layers]
        assert shapes == [row.output_shape for row in rows]
        assert [type(layer).__name__ for layer in model.layers] == [row.layer.keras_name for row in rows]


@pytest.mark.parametrize("rate", [None, 0.0005])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop", "nadam"])
def test_what_is_written_compiles_a_model_as_the_protocol_says(optimizer: str, rate: float | None) -> None:
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    protocol = Protocol.model_validate({"optimizer": optimizer, "learning_rate": rate})
    exec(compile_code(protocol), {"model": model, "keras": keras})
    assert type(model.optimizer).__name__.lower() == optimizer
    if rate:
        assert float(model.optimizer.learning_rate) == pytest.approx(rate)
    assert model.loss == "categorical_crossentropy"


def test_in_bfloat16_the_last_layer_stays_float32() -> None:
    (variant,) = a_lab([{"flatten": True}, {"dense": "classes", "activation": "softmax"}]).variants
    code = model_code(variant, MNIST, 10, "bfloat16", False)
    assert code.splitlines()[-2].strip() == 'keras.layers.Dense(10, activation="softmax", dtype="float32"),'
    lab = load_lab("mnist")
    lab = lab.model_copy(update={"protocol": lab.protocol.model_copy(update={"precision": "bfloat16"})})
    assert 'keras.config.set_dtype_policy("mixed_bfloat16")' in code_of(cells(of_lab(lab), False))[0]


def test_a_network_of_the_lab_s_own_function_is_imported(tmp_path: Path) -> None:
    stated_lab = {
        "title": "t",
        "dataset": {"name": "mnist"},
        "variants": [{"name": "a", "build": "own:raises"}],
    }
    (variant,) = parse_lab(stated_lab, "t").variants
    for blanks in (False, True):
        code = model_code(variant, (12, 12, 1), 3, "float32", blanks)
        assert code.splitlines()[1:] == ["from own import raises", "", "model = raises((12, 12, 1), 3)"]
    (tmp_path / "own.py").write_text(MODELS, encoding="utf-8")
    space: dict[str, Any] = {}
    import sys

    sys.path.insert(0, str(tmp_path))
    try:
        exec(code, space)
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("own", None)
    assert space["model"].output_shape == (None, 3)


# --- data ----------------------------------------------------------------------------------------


def loaded(record: DatasetRecord, folder: Path) -> dict[str, Any]:
    space: dict[str, Any] = {"np": np}
    with contextlib.chdir(folder):
        exec(loading_code(record), space)
    return space


def same(space: dict[str, Any], dataset: Any) -> None:
    for name in ("x_train", "x_test"):
        images = getattr(dataset, name)
        scaled = images.astype("float32") / (255 if images.dtype == np.uint8 else 1)
        np.testing.assert_array_equal(space[name], scaled.astype("float32"))
        assert space[name].dtype == np.float32
    for name in ("y_train", "y_test"):
        np.testing.assert_array_equal(space[name], getattr(dataset, name))


def test_the_digits_are_those_of_the_run(tmp_path: Path) -> None:
    dataset = load("digits")
    space = loaded(DatasetRecord.of(dataset), tmp_path)
    same(space, dataset)
    assert "load_digits" in loading_code(DatasetRecord.of(dataset))


@pytest.mark.parametrize("kind", ["uint8", "float255", "float1", "one-hot", "column"])
def test_a_file_s_images_and_labels_are_those_of_the_run(kind: str, tmp_path: Path) -> None:
    (x, y), (x_test, y_test) = made_up_images(12, 0), made_up_images(6, 1)
    if kind.startswith("float"):
        x, x_test = (one.astype("float32") / (255 if kind == "float1" else 1) for one in (x, x_test))
    if kind == "one-hot":
        y, y_test = np.eye(3)[y], np.eye(3)[y_test]
    if kind == "column":
        y, y_test = y[:, None], y_test[:, None]
    path = tmp_path / "my images.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    dataset = load(path=path)
    space = loaded(DatasetRecord.of(dataset), tmp_path)
    same(space, dataset)


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_idx_files_is_read(packed: bool, tmp_path: Path) -> None:
    folder = tmp_path / "idx"
    folder.mkdir()
    for (images, labels), part in ((made_up_images(12, 0), "train"), (made_up_images(6, 1), "t10k")):
        for array, name in ((images, "images-idx3"), (labels, "labels-idx1")):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            content = head + array.tobytes()
            ending = ".gz" if packed else ""
            path = folder / f"{part}-{name}-ubyte{ending}"
            path.write_bytes(gzip.compress(content) if packed else content)
    dataset = load(path=folder)
    same(loaded(DatasetRecord.of(dataset), tmp_path), dataset)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_what_keras_has_is_loaded_from_keras_and_what_only_goes_by_its_name_from_its_file(name: str) -> None:
    from reportgen.data import DATASETS

    known = DATASETS[name]
    record = example().record.dataset.model_copy(
        update={
            **{"name": name, "sha256": known.content_sha256 or "0" * 64, "source": "some.npz"},
            **{"n_train": known.n_train, "n_test": known.n_test, "image_shape": known.image_shape},
        }
    )
    assert f"keras.datasets.{name}.load_data()" in loading_code(record)
    other = record.model_copy(update={"sha256": "1" * 64, "n_train": 7})
    assert "np.load(" in loading_code(other)


def test_the_images_that_are_held_out_are_those_of_the_run() -> None:
    from reportgen.training.fit import split

    dataset = load("digits")
    parts = split(dataset, 0.1, seed=1)
    space: dict[str, Any] = {"np": np, "x_train": dataset.x_train, "y_train": dataset.y_train}
    exec(splitting_code(Protocol(validation=0.1), 1), space)
    np.testing.assert_array_equal(space["x_validation"], parts.x_validation)
    np.testing.assert_array_equal(space["x_train"], parts.x_train)
    np.testing.assert_array_equal(space["y_train"], parts.y_train)


@pytest.mark.parametrize("source", ["a\"b'.npz", "a\nimport os.npz", "{0}.npz", "a\\.npz", "#.npz"])
def test_a_file_s_name_stays_a_name(source: str) -> None:
    code = loading_code(example().record.dataset.model_copy(update={"source": source}))
    compile(code, "cell", "exec")
    assert repr(source) in code
    assert not re.search("^import os", code, re.MULTILINE)


# --- from top to bottom --------------------------------------------------------------------------


def test_render_writes_it(tmp_path: Path) -> None:
    from reportgen.results import save

    folder = tmp_path / "run"
    folder.mkdir()
    save(example(), folder)
    ran = command_line("render", "run", "--format", "ipynb", cwd=tmp_path)
    assert (ran.code, ran.out) == (0, ["run/report.ipynb"])
    assert (folder / "report.ipynb").read_text(encoding="utf-8") == to_notebook(example(), blanks=False)


def on_digits(**protocol: Any) -> Results:
    """Give a run of the built-in lab on the digits, with one epoch."""
    lab = load_lab("mnist")
    stated_protocol = lab.protocol.model_copy(update={"epochs": 1, "batch_size": 32, **protocol})
    record = DatasetRecord.of(load("digits"))
    return of_lab(lab.model_copy(update={"protocol": stated_protocol}), **record.model_dump())


@pytest.mark.long
@pytest.mark.parametrize(
    "protocol",
    [{}, {"validation": 0.1, "loss": "sparse_categorical_crossentropy", "precision": "bfloat16"}],
)
def test_it_runs_from_top_to_bottom(protocol: dict[str, Any], tmp_path: Path) -> None:
    from nbclient import NotebookClient

    notebook = nbformat.reads(to_notebook(on_digits(**protocol), blanks=False), as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    nbformat.validate(notebook)
    *_, last = (cell for cell in notebook.cells if cell.cell_type == "code")
    lines = "".join(out["text"] for out in last.outputs).splitlines()
    assert {line.split()[0] for line in lines} == {one.name for one in load_lab("mnist").variants}
    shares = [float(line.split()[1].rstrip("%")) for line in lines]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 50
    pictures = [
        out
        for cell in notebook.cells
        if cell.cell_type == "code"
        for out in cell.outputs
        if "image/png" in out.get("data", {})
    ]
    assert len(pictures) == 2 * 7
