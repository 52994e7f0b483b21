"""Variants become Keras models."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pandas as pd

from reportgen import layers as stated
from reportgen.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from numpy.typing import NDArray

    from reportgen.lab import Protocol, Variant

# Keras' policies for what a protocol calls precision; variables are float32 in both.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
LAYER_COLUMNS = [
    "position",
    "layer",
    "type",
    "setting",
    "output_shape",
    "params",
    "trainable",
    "multiply_adds",
]


@contextmanager
def as_shipped(policy: str = "float32") -> Iterator[None]:
    """Give Keras the defaults it ships with, and layers made meanwhile the dtype policy.

    A keras.json or a notebook may have set others; they hold again afterwards.
    """
    config = keras.config
    before = config.floatx(), config.epsilon(), config.image_data_format(), config.dtype_policy()
    try:
        _set_keras("float32", 1e-7, "channels_last", policy)
        yield
    finally:
        _set_keras(*before)


def _set_keras(floatx: str, epsilon: float, data_format: str, policy: Any) -> None:
    keras.config.set_floatx(floatx)
    keras.config.set_epsilon(epsilon)
    keras.config.set_image_data_format(data_format)
    keras.config.set_dtype_policy(policy)


def build(
    variant: Variant,
    image_shape: stated.Shape,
    n_classes: int,
    folder: Path | None = None,
    precision: str = "float32",
) -> keras.Model:
    """Build a variant's model for images (h, w, c); not yet compiled.

    Its variables are float32, and so are its probabilities: rounded to bfloat16's 8 bits, they no longer
    sum to 1. Raises LabError where the instructor's own function cannot be found or does not give a model
    of n_classes probabilities.
    """
    if variant.build is not None:
        with as_shipped(POLICIES[precision]):
            return _built_by_function(variant, image_shape, n_classes, folder, precision)
    rows = stated.trace(variant.layers or (), image_shape, n_classes)
    with as_shipped(POLICIES[precision]):
        inner = [KERAS[type(row.layer)](row.layer) for row in rows[:-1]]
    with as_shipped():
        return keras.Sequential(
            [keras.Input(image_shape), *inner, KERAS[type(rows[-1].layer)](rows[-1].layer)],
            name=variant.name.replace(".", "_").replace("-", "_"),
        )


def _conv(layer: Any) -> dict[str, Any]:
    return {
        "kernel_size": layer.kernel,
        "strides": layer.strides,
        "padding": layer.padding,
        "activation": layer.activation,
        "use_bias": layer.use_bias,
    }


def _pool(layer: Any) -> dict[str, Any]:
    pool, strides, padding = layer.window()
    return {"pool_size": pool, "strides": strides, "padding": padding}


KERAS: dict[type[stated.Layer], Callable[[Any], keras.layers.Layer]] = {
    stated.Dense: lambda x: keras.layers.Dense(x.dense, activation=x.activation, use_bias=x.use_bias),
    stated.Conv2D: lambda x: keras.layers.Conv2D(x.conv2d, **_conv(x)),
    stated.SeparableConv2D: lambda x: keras.layers.SeparableConv2D(
        x.separable_conv2d, depth_multiplier=x.depth_multiplier, **_conv(x)
    ),
    stated.DepthwiseConv2D: lambda x: keras.layers.DepthwiseConv2D(
        depth_multiplier=x.depthwise_conv2d, **_conv(x)
    ),
    stated.MaxPooling2D: lambda x: keras.layers.MaxPooling2D(**_pool(x)),
    stated.AveragePooling2D: lambda x: keras.layers.AveragePooling2D(**_pool(x)),
    stated.GlobalAveragePooling2D: lambda _: keras.layers.GlobalAveragePooling2D(),
    stated.BatchNormalization: lambda _: keras.layers.BatchNormalization(),
    stated.Dropout: lambda x: keras.layers.Dropout(x.dropout),
    stated.Flatten: lambda _: keras.layers.Flatten(),
    stated.Activate: lambda x: keras.layers.Activation(x.activation),
}


def _built_by_function(
    variant: Variant, image_shape: stated.Shape, n_classes: int, folder: Path | None, precision: str
) -> keras.Model:
    where = f"variant '{variant.name}': build = \"{variant.build}\""
    with _importable(folder):
        function = _find(str(variant.build), where, folder)
        try:
            model = function(image_shape, n_classes)
        except (Exception, SystemExit) as error:  # the instructor's own code may raise anything
            raise LabError(f"{where}: {type(error).__name__}: {_one_line(error)}") from error
    if not isinstance(model, keras.Model):
        raise LabError(f"{where}: gave {type(model).__name__}, expected a keras.Model")
    given = _probabilities_of_nothing(model, image_shape, where)
    if given.shape == (1, n_classes) and precision != "float32" and given.dtype != np.float32:
        raise LabError(
            f"{where}: the model gives {given.dtype.name}, expected float32: "
            f'with precision = "{precision}", give its last layer dtype="float32"'
        )
    total = float(given.sum(dtype="float32"))
    if given.shape != (1, n_classes) or abs(total - 1) > 1e-3:
        raise LabError(
            f"{where}: the model gives {given.shape[1:]} values that sum to {total:.3g}, "
            f"expected {n_classes} probabilities; end it with a softmax"
        )
    return model


@contextmanager
def _importable(folder: Path | None) -> Iterator[None]:
    """Let the modules beside a lab import each other, and leave no trace of it."""
    before = list(sys.path)
    if folder is not None:
        sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = before


def _find(reference: str, where: str, folder: Path | None) -> Callable[..., Any]:
    module_name, _, name = reference.partition(":")
    try:
        module = _import(module_name, folder)
    except (Exception, SystemExit) as error:  # importing runs the instructor's own code
        raise LabError(
            f"{where}: cannot import '{module_name}': {_one_line(error)}; "
            "put the module beside the lab's file or install it"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise LabError(f"{where}: module '{module_name}' has no function '{name}'")
    return function  # type: ignore[no-any-return]  # checked by calling it


def _import(module_name: str, folder: Path | None) -> ModuleType:
    """Import a module; one beside the lab is read anew from its file.

    By its name alone, a module of the same name beside another lab, or an older text of this one, would do.
    """
    file = folder / f"{module_name}.py" if folder else None
    if file is None or not file.is_file():
        return importlib.import_module(module_name)
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _probabilities_of_nothing(model: keras.Model, image_shape: stated.Shape, where: str) -> NDArray[Any]:
    """Ask a model about a black image."""
    try:
        return np.asarray(model(np.zeros((1, *image_shape), "float32"), training=False))
    except Exception as error:  # Keras raises what its layers raise
        raise LabError(
            f"{where}: the model does not take an image of {stated.times(image_shape)}: {_one_line(error)}"
        ) from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def compile_model(model: keras.Model, protocol: Protocol, steps_per_execution: int) -> None:
    """Compile a model as the protocol says."""
    config: dict[str, Any] = {}
    if protocol.learning_rate is not None:
        config["learning_rate"] = protocol.learning_rate
    model.compile(
        optimizer=keras.optimizers.get({"class_name": protocol.optimizer, "config": config}),
        loss=protocol.loss,
        metrics=[protocol.metric],
        steps_per_execution=steps_per_execution,
    )


def layer_table(model: keras.Model, variant: Variant, image_shape: stated.Shape) -> pd.DataFrame:
    """List a model's layers, one a row, with shapes and parameters as Keras counts them."""
    rows = stated.trace(variant.layers, image_shape, model.output_shape[-1]) if variant.layers else []
    real = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    return pd.DataFrame(
        [
            {
                "position": position,
                "layer": layer.name,
                "type": type(layer).__name__,
                "setting": rows[position - 1].layer.setting() if rows else "",
                "output_shape": _output_shape(layer),
                "params": layer.count_params(),
                "trainable": sum(int(np.prod(w.shape)) for w in layer.trainable_weights),
                "multiply_adds": rows[position - 1].multiply_adds if rows else None,
            }
            for position, layer in enumerate(real, start=1)
        ],
        columns=LAYER_COLUMNS,
    )


def _output_shape(layer: keras.layers.Layer) -> str:
    """Write what leaves a layer as 26x26x32; empty where Keras cannot tell (a subclassed model)."""
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError):
        return ""
    return "x".join(str(n) for n in shape[1:])
