"""The layers that a lab can state, and the arithmetic of their shapes.

Each layer is one table in a lab's TOML, such as ``{ conv2d = 32, kernel = 3, strides = 2 }``; its first
key names the layer. Output shapes, parameters and multiply-adds are worked out here, so that a lab is
checked and shown without TensorFlow. Shapes are channels-last and leave out the batch: (h, w, c) or (n,).

Output sizes follow Keras (https://keras.io/api/layers/convolution_layers/convolution2d/):
``valid`` floor((n - k) / s) + 1, ``same`` ceil(n / s).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil, prod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
)

from reportgen.errors import did_you_mean
from reportgen.text import general
from reportgen.words import tr

Shape = tuple[int, ...]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


def _pair(value: Any) -> Any:
    """Read 3 as (3, 3) and [3, 5] as (3, 5); leave anything else to be refused."""
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()}, expected one whole number or a list of two")
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, tuple) else (value, value)


Pair = Annotated[
    tuple[Count, Count],
    BeforeValidator(_pair),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 1},
                    "minItems": 2,
                    "maxItems": 2,
                },
            ]
        }
    ),
]
Padding = Literal["valid", "same"]
Activation = Literal[
    "linear",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "tanh",
    "sigmoid",
    "softplus",
    "softmax",
]


class ShapeError(ValueError):
    """Say why a layer cannot take the shape that reaches it: `why`, and `where`, are for readers too.

    The advice is for a lab's author: it is said in the words of a lab's file. `position` is the layer's, from
    1, where it is known.
    """

    def __init__(self, why: str, advice: str = "", where: str = "", position: int = 0) -> None:
        super().__init__(f"{why}; {advice}" if advice else why)
        self.why, self.advice, self.where, self.position = why, advice, where, position


def window_size(n: int, kernel: int, stride: int, padding: str) -> int:
    """Count the positions of a window of `kernel` pixels, moved by `stride`, along `n` pixels."""
    return ceil(n / stride) if padding == "same" else (n - kernel) // stride + 1


def times(shape: Shape) -> str:
    """Write a shape as 26×26×32."""
    return "×".join(str(n) for n in shape)


def setting_text(setting: str) -> str:
    """Say a layer's setting, as a run has it, to a reader; what Keras takes as a value stays as it is."""
    return tr(", ").join(_said(part) for part in setting.split(", "))


def _said(part: str) -> str:
    if part.startswith("stride "):
        return tr("stride {stride}", stride=part.removeprefix("stride "))
    return general(float(part)) if re.fullmatch(r"\d+\.\d+", part) else part


class Layer(BaseModel):
    """One layer; a subclass says what it does to a shape and what it costs."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
    keras_name: ClassVar[str]

    def output_shape(self, shape: Shape) -> Shape:
        """Give the shape that leaves the layer; raises ShapeError where it cannot take `shape`."""
        return shape

    def params(self, shape: Shape) -> int:
        """Count the layer's parameters, trainable or not."""
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        """Count the multiplications of one image's forward pass (convolutions and dense layers)."""
        return 0

    def setting(self) -> str:
        """Write what a reader wants to know beside the layer's name, such as ``3×3, stride 2``."""
        return ""


class Windowed(Layer):
    """What convolutions and pooling share: a window moved over a feature map."""

    def window(self) -> tuple[Shape, Shape, str]:
        """Give the window's kernel, strides and padding."""
        raise NotImplementedError

    def channels(self, shape: Shape) -> int:
        """Give the number of feature maps that leave the layer."""
        return shape[-1]

    def output_shape(self, shape: Shape) -> Shape:
        """Move the window over the map; raises ShapeError where the map has no room for it."""
        if len(shape) != 3:
            raise ShapeError(
                tr(
                    "needs an image (height, width, channels), and a vector of {shape} reaches it",
                    shape=times(shape),
                ),
                "put it before { flatten = true }",
            )
        kernel, strides, padding = self.window()
        size = tuple(
            window_size(n, k, s, padding) for n, k, s in zip(shape[:2], kernel, strides, strict=True)
        )
        if min(size) < 1:
            raise ShapeError(
                tr(
                    "its {window} window does not fit the {map} feature map that reaches it",
                    window=times(kernel),
                    map=times(shape[:2]),
                ),
                'use padding = "same", a smaller window, or fewer and smaller steps before it',
            )
        return (*size, self.channels(shape))

    def setting(self) -> str:
        """Write kernel, stride, padding and activation."""
        kernel, strides, padding = self.window()
        stride = strides[0] if strides[0] == strides[1] else times(strides)
        said = [times(kernel), tr("stride {stride}", stride=stride), padding, *self._activated()]
        return tr(", ").join(said)

    def _activated(self) -> list[str]:
        """Give the activation, where there is one."""
        activation = getattr(self, "activation", "linear")
        return [] if activation == "linear" else [activation]


class _Convolution(Windowed):
    kernel: Pair
    strides: Pair = (1, 1)
    padding: Padding = "valid"
    activation: Activation = "linear"
    use_bias: bool = True

    def window(self) -> tuple[Shape, Shape, str]:
        return self.kernel, self.strides, self.padding


class Conv2D(_Convolution):
    """Convolve: `conv2d` filters, each as deep as its input."""

    keras_name = "Conv2D"
    conv2d: Count = Field(description="Number of filters.")

    def channels(self, shape: Shape) -> int:
        return self.conv2d

    def params(self, shape: Shape) -> int:
        return (prod(self.kernel) * shape[-1] + self.use_bias) * self.conv2d

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * prod(self.kernel) * shape[-1]


class SeparableConv2D(_Convolution):
    """Convolve each channel by itself, then mix the channels by a 1x1 convolution."""

    keras_name = "SeparableConv2D"
    separable_conv2d: Count = Field(description="Number of filters.")
    depth_multiplier: Count = 1

    def channels(self, shape: Shape) -> int:
        return self.separable_conv2d

    def params(self, shape: Shape) -> int:
        deep = shape[-1] * self.depth_multiplier
        return prod(self.kernel) * deep + (deep + self.use_bias) * self.separable_conv2d

    def multiply_adds(self, shape: Shape) -> int:
        deep = shape[-1] * self.depth_multiplier
        places = prod(self.output_shape(shape)[:2])
        return places * deep * (prod(self.kernel) + self.separable_conv2d)


class DepthwiseConv2D(_Convolution):
    """Convolve each channel by itself; `depthwise_conv2d` is the depth multiplier."""

    keras_name = "DepthwiseConv2D"
    depthwise_conv2d: Count = Field(description="Depth multiplier: filters for each channel.")

    def channels(self, shape: Shape) -> int:
        return shape[-1] * self.depthwise_conv2d

    def params(self, shape: Shape) -> int:
        return (prod(self.kernel) + self.use_bias) * self.channels(shape)

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * prod(self.kernel)


class _Pooling(Windowed):
    strides: Pair | None = Field(default=None, description="Default: as large as the window.")
    padding: Padding = "valid"

    def pool(self) -> Shape:
        """Give the window's height and width."""
        raise NotImplementedError

    def window(self) -> tuple[Shape, Shape, str]:
        return self.pool(), self.strides or self.pool(), self.padding


class MaxPooling2D(_Pooling):
    """Keep the largest value in each window of `max_pooling2d` pixels."""

    keras_name = "MaxPooling2D"
    max_pooling2d: Pair = Field(description="Size of the window.")

    def pool(self) -> Shape:
        return self.max_pooling2d


class AveragePooling2D(_Pooling):
    """Keep the mean of each window of `average_pooling2d` pixels."""

    keras_name = "AveragePooling2D"
    average_pooling2d: Pair = Field(description="Size of the window.")

    def pool(self) -> Shape:
        return self.average_pooling2d


class GlobalAveragePooling2D(Layer):
    """Keep the mean of each feature map."""

    keras_name = "GlobalAveragePooling2D"
    global_average_pooling2d: Literal[True]

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 3:
            raise ShapeError(tr("needs feature maps, and a vector of {shape} reaches it", shape=times(shape)))
        return shape[-1:]


class BatchNormalization(Layer):
    """Normalise each channel over the batch: 4 parameters a channel, 2 of them trained."""

    keras_name = "BatchNormalization"
    batch_normalization: Literal[True]

    def params(self, shape: Shape) -> int:
        return 4 * shape[-1]


class Dropout(Layer):
    """Set a share of the values to zero while training."""

    keras_name = "Dropout"
    dropout: float = Field(ge=0, lt=1, description="Share that is dropped.")

    def setting(self) -> str:
        return f"{self.dropout:g}"


class Flatten(Layer):
    """Lay the feature maps out as one vector."""

    keras_name = "Flatten"
    flatten: Literal[True]

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)


class Activate(Layer):
    """Apply an activation function by itself."""

    keras_name = "Activation"
    activation: Activation

    def setting(self) -> str:
        return self.activation


class Dense(Layer):
    """Connect every value to `dense` units; "classes" stands for the data set's number of classes."""

    keras_name = "Dense"
    dense: Count | Literal["classes"] = Field(
        description='Number of units, or "classes" for as many as the data set has.'
    )
    activation: Activation = "linear"
    use_bias: bool = True

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ShapeError(
                tr("needs a vector, and a {map} feature map reaches it", map=times(shape)),
                "put { flatten = true } before it",
            )
        return (int(self.dense),)

    def params(self, shape: Shape) -> int:
        return (shape[0] + self.use_bias) * int(self.dense)

    def multiply_adds(self, shape: Shape) -> int:
        return shape[0] * int(self.dense)

    def setting(self) -> str:
        return "" if self.activation == "linear" else self.activation


LAYERS: dict[str, type[Layer]] = {
    "dense": Dense,
    "conv2d": Conv2D,
    "separable_conv2d": SeparableConv2D,
    "depthwise_conv2d": DepthwiseConv2D,
    "max_pooling2d": MaxPooling2D,
    "average_pooling2d": AveragePooling2D,
    "global_average_pooling2d": GlobalAveragePooling2D,
    "batch_normalization": BatchNormalization,
    "dropout": Dropout,
    "flatten": Flatten,
    "activation": Activate,
}


def layer_kind(value: Any) -> str | None:
    """Name the layer that a table states: its one key that is a layer's name."""
    if isinstance(value, Layer):
        return next(kind for kind, layer in LAYERS.items() if type(value) is layer)
    if not isinstance(value, dict):
        return None
    # An activation is also a setting of other layers: it names the layer only where it stands alone.
    kinds = [key for key in LAYERS if key in value and key != "activation"]
    if not kinds and list(value) == ["activation"]:
        kinds = ["activation"]
    return kinds[0] if len(kinds) == 1 else None


def unknown_layer(table: Any) -> str:
    """Say what is wrong with a table that names no known layer."""
    if not isinstance(table, dict):
        return "expected a table such as { dense = 128 }"
    kinds = [key for key in LAYERS if key in table and key != "activation"]
    if len(kinds) > 1:
        return f"names {' and '.join(kinds)}, expected one layer in each table"
    first = next((key for key in table if key != "activation"), "")
    return f"'{first}' is not a layer; {did_you_mean(str(first), LAYERS)}"


AnyLayer = Annotated[
    Annotated[Dense, Tag("dense")]
    | Annotated[Conv2D, Tag("conv2d")]
    | Annotated[SeparableConv2D, Tag("separable_conv2d")]
    | Annotated[DepthwiseConv2D, Tag("depthwise_conv2d")]
    | Annotated[MaxPooling2D, Tag("max_pooling2d")]
    | Annotated[AveragePooling2D, Tag("average_pooling2d")]
    | Annotated[GlobalAveragePooling2D, Tag("global_average_pooling2d")]
    | Annotated[BatchNormalization, Tag("batch_normalization")]
    | Annotated[Dropout, Tag("dropout")]
    | Annotated[Flatten, Tag("flatten")]
    | Annotated[Activate, Tag("activation")],
    Discriminator(layer_kind),
]


@dataclass(frozen=True)
class TracedLayer:
    """One row of a shape trace: a layer, what leaves it, and what it costs."""

    layer: Layer
    output_shape: Shape
    params: int
    multiply_adds: int


def trace(layers: tuple[Layer, ...], image_shape: Shape, n_classes: int) -> list[TracedLayer]:
    """Follow an image of `image_shape` (h, w, c) through the layers.

    Raises ShapeError, naming the layer, where a layer cannot take what reaches it, or where the last
    layer does not give one probability for each class.
    """
    rows: list[TracedLayer] = []
    shape = image_shape
    for position, stated in enumerate(layers, start=1):
        layer = _resolve(stated, n_classes)
        try:
            out = layer.output_shape(shape)
        except ShapeError as error:
            where = _where(layer, position)
            raise ShapeError(
                tr("{name}: {values}", name=where, values=error.why), error.advice, where, position
            ) from None
        rows.append(TracedLayer(layer, out, layer.params(shape), layer.multiply_adds(shape)))
        shape = out
    _check_ending(rows, shape, n_classes)
    return rows


def _where(layer: Layer, position: int) -> str:
    return tr("layer {position} ({layer})", position=position, layer=layer.keras_name)


def _resolve(layer: Layer, n_classes: int) -> Layer:
    """Put the number of classes where a lab says "classes"."""
    if isinstance(layer, Dense) and layer.dense == "classes":
        return layer.model_copy(update={"dense": n_classes})
    return layer


def _check_ending(rows: list[TracedLayer], shape: Shape, n_classes: int) -> None:
    last = _where(rows[-1].layer, len(rows))
    advice = 'end with { dense = "classes", activation = "softmax" }'
    if shape != (n_classes,):
        why = tr(
            "{layer} is the last one and gives {shape}, expected {classes}, one for each class",
            layer=last,
            shape=times(shape),
            classes=n_classes,
        )
        raise ShapeError(why, advice, last)
    if getattr(rows[-1].layer, "activation", None) != "softmax":
        why = tr("{layer} is the last one and must give probabilities", layer=last)
        raise ShapeError(why, advice, last)
