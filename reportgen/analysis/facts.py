"""What the layers of a run show of each thing that a lab teaches: one sentence, counted and not typed."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from reportgen.layers import setting_text
from reportgen.text import count, number_word
from reportgen.words import tr


def _first_of(layers: pd.DataFrame, kind: str) -> pd.Series | None:
    found = layers[(layers["type"] == kind) & (layers["params"] > 0)]
    return found.iloc[0] if len(found) else None


def fact_shuffle(layers: pd.DataFrame) -> str:
    """Count what a dense layer that sees every pixel has to learn."""
    second = layers[(layers["position"] == 2) & (layers["type"] == "Dense")]
    for dense in second.itertuples():
        first = layers[(layers["variant"] == dense.variant) & (layers["position"] == 1)].iloc[0]
        if first["type"] != "Flatten":
            continue
        pixels, units = int(first["output_shape"]), int(dense.output_shape)
        if dense.params == (pixels + 1) * units:
            return tr(
                "The first dense layer of {name} has {params} parameters: one for each pair of its {inputs} "
                "inputs and {units} units, and a bias for each unit.",
                name=dense.variant,
                params=count(dense.params),
                inputs=count(pixels),
                units=count(units),
            )
    return ""


def fact_convolution(layers: pd.DataFrame) -> str:
    """Count what a convolution has to learn."""
    conv = _first_of(layers, "Conv2D")
    if conv is None:
        return ""
    return tr(
        "The first convolution of {name} ({setting}) has {params} parameters, wherever on the image its "
        "filters look.",
        name=conv["variant"],
        setting=setting_text(conv["setting"]),
        params=count(conv["params"]),
    )


def fact_pooling(layers: pd.DataFrame) -> str:
    """Count the parameters of all pooling layers."""
    pools = layers[layers["type"].isin(["MaxPooling2D", "AveragePooling2D"])]
    if pools.empty:
        return ""
    total = int(pools["params"].sum())
    if len(pools) == 1:
        return tr("The one pooling layer of this lab has {n} parameters.", n=count(total))
    return tr(
        "The {number} pooling layers of this lab have {n} parameters together.",
        number=number_word(len(pools)),
        n=count(total),
    )


def fact_stride(layers: pd.DataFrame) -> str:
    """Compare the maps that leave a first convolution of stride 1 and of stride 2."""
    return _compare(layers, ("stride 1", "stride 2"))


def fact_padding(layers: pd.DataFrame) -> str:
    """Compare the maps that leave a first convolution with valid and with same padding."""
    return _compare(layers, ("valid", "same"))


def _compare(layers: pd.DataFrame, settings: tuple[str, str]) -> str:
    first = layers[(layers["position"] == 1) & (layers["type"] == "Conv2D")]
    found = []
    for setting in settings:
        rows = first[first["setting"].str.split(", ").map(lambda parts, s=setting: s in parts)]
        if rows.empty:
            return ""
        found.append(rows.iloc[0])
    one, other = (
        tr("{size} in {name}", size=row["output_shape"].replace("x", "×"), name=row["variant"])
        for row in found
    )
    return tr("After its first convolution the map measures {one}, {other}.", one=one, other=other)


FACTS: dict[str, Callable[[pd.DataFrame], str]] = {
    "shuffle": fact_shuffle,
    "convolution": fact_convolution,
    "pooling": fact_pooling,
    "stride": fact_stride,
    "padding": fact_padding,
}
