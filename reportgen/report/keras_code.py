"""A lab's networks and protocol as the Keras code that a student would write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reportgen import layers as stated
from reportgen.lab import trace_variant
from reportgen.text import count, general
from reportgen.words import tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportgen.lab import Protocol, Variant

OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "nadam": "Nadam", "sgd": "SGD", "rmsprop": "RMSprop"}


def comment(text: str) -> str:
    """Write words as a comment, which is one line."""
    return f"# {' '.join(text.split())}"


def docstring(text: str) -> str:
    """Write words as a docstring of one line."""
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"""{escaped}"""'


def model_code(
    variant: Variant, image_shape: stated.Shape, n_classes: int, precision: str, blanks: bool
) -> str:
    """Write the code that builds a variant's model for images (h, w, c).

    With `blanks`, its layers are left out, and a comment says which shapes and counts are to be reached.
    """
    if variant.build is not None:
        module, _, function = variant.build.partition(":")
        file = f"{module.replace('.', '/')}.py"
        where = comment(tr("{file} comes with the lab: it must lie beside this notebook.", file=file))
        build = f"model = {function}({image_shape}, {n_classes})"
        return f"{where}\nfrom {module} import {function}\n\n{build}"
    rows = trace_variant(variant, image_shape, n_classes)
    if blanks:
        inner = _to_be_reached(rows, image_shape)
    else:
        inner = [f"keras.Input({image_shape}),", *_lines(rows, precision)]
    return "\n".join(["model = keras.Sequential([", *(f"    {line}" for line in inner), "])"])


def compile_code(protocol: Protocol) -> str:
    """Write the code that compiles a model as a protocol says."""
    optimizer = f'"{protocol.optimizer}"'
    if protocol.learning_rate is not None:
        name = OPTIMIZERS[protocol.optimizer]
        optimizer = f"keras.optimizers.{name}(learning_rate={protocol.learning_rate!r})"
    return (
        f'model.compile(\n    loss="{protocol.loss}",\n    optimizer={optimizer},\n'
        f'    metrics=["{protocol.metric}"],\n)'
    )


def _lines(rows: list[stated.TracedLayer], precision: str) -> list[str]:
    calls = [layer_code(row.layer) for row in rows]
    if precision != "float32":  # rounded to bfloat16, probabilities no longer sum to 1
        calls[-1] = f'{calls[-1][:-1]}, dtype="float32")'
    return [f"{call}," for call in calls]


def _to_be_reached(rows: list[stated.TracedLayer], image_shape: stated.Shape) -> list[str]:
    """Say what each layer is to give, as comments."""
    wide = max(len(row.layer.keras_name) for row in rows)
    shapes = [stated.times(row.output_shape) for row in rows]
    deep = max(map(len, shapes))
    steps = [
        f"#   {row.layer.keras_name:{wide}}  {shape:{deep}}  {_params(row.params)}{_values_of(row.layer)}"
        for row, shape in zip(rows, shapes, strict=True)
    ]
    total = sum(row.params for row in rows)
    return [
        comment(
            tr(
                "Images of {image} come in. Build the layers that give, one after another:",
                image=stated.times(image_shape),
            )
        ),
        *steps,
        comment(trn("{n} parameter in all.", "{n} parameters in all.", total, n=count(total))),
    ]


def _params(n: int) -> str:
    return trn("{n} parameter", "{n} parameters", n, n=count(n))


def _values_of(layer: stated.Layer) -> str:
    """Name what no shape or count tells: the activation, or the share that is dropped."""
    if isinstance(layer, stated.Dropout):
        return ", " + tr("share {share}", share=general(layer.dropout))
    activation = getattr(layer, "activation", "linear")
    return "" if activation == "linear" else f", {activation}"


# --- layers --------------------------------------------------------------------------------------


def layer_code(layer: stated.Layer) -> str:
    """Write one layer; settings that are Keras' own are left out."""
    first, settings = CALLS[type(layer)](layer)
    words = [*map(_quoted, first), *(f"{name}={_quoted(value)}" for name, value in settings.items())]
    return f"keras.layers.{layer.keras_name}({', '.join(words)})"


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


Call = tuple[list[Any], dict[str, Any]]


def _conv(first: list[Any], x: Any, **more: Any) -> Call:
    settings = {"strides": _side(x.strides), "padding": x.padding, **more}
    return [*first, _side(x.kernel)], {**_but(settings, strides=1, padding="valid"), **_ending(x)}


def _pool(x: Any) -> Call:
    pool, strides, padding = x.window()
    settings = {"strides": _side(strides), "padding": padding}
    return [_side(pool)], _but(settings, strides=_side(pool), padding="valid")


def _ending(x: Any) -> dict[str, Any]:
    return _but({"activation": x.activation, "use_bias": x.use_bias}, activation="linear", use_bias=True)


def _but(settings: dict[str, Any], **usual: Any) -> dict[str, Any]:
    """Leave out what is as usual."""
    return {name: value for name, value in settings.items() if name not in usual or usual[name] != value}


def _side(pair: tuple[int, ...]) -> int | tuple[int, ...]:
    return pair[0] if pair[0] == pair[1] else pair


CALLS: dict[type[stated.Layer], Callable[[Any], Call]] = {
    stated.Dense: lambda x: ([x.dense], _ending(x)),
    stated.Conv2D: lambda x: _conv([x.conv2d], x),
    stated.SeparableConv2D: lambda x: _conv(
        [x.separable_conv2d], x, **_but({"depth_multiplier": x.depth_multiplier}, depth_multiplier=1)
    ),
    stated.DepthwiseConv2D: lambda x: _conv(
        [], x, **_but({"depth_multiplier": x.depthwise_conv2d}, depth_multiplier=1)
    ),
    stated.MaxPooling2D: _pool,
    stated.AveragePooling2D: _pool,
    stated.GlobalAveragePooling2D: lambda _: ([], {}),
    stated.BatchNormalization: lambda _: ([], {}),
    stated.Dropout: lambda x: ([x.dropout], {}),
    stated.Flatten: lambda _: ([], {}),
    stated.Activate: lambda x: ([x.activation], {}),
}
