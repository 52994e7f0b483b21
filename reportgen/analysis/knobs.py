"""Pairs of a lab's networks that differ in one thing only, found from their layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, get_args

from reportgen.layers import LAYERS, Activation, Layer, Padding, layer_kind
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportgen.lab import Variant

# What a field of a layer is called as a knob; the others go by their own names.
KNOB_OF = {
    "conv2d": "filters",
    "separable_conv2d": "filters",
    "depthwise_conv2d": "depth_multiplier",
    "dense": "units",
    "max_pooling2d": "pool",
    "average_pooling2d": "pool",
}
POOLINGS = {"max_pooling2d": mark("max"), "average_pooling2d": mark("average")}
# Words in this order go from first to last; numbers go up.
WORDS = ("max", "average", *get_args(Padding), *get_args(Activation))

AS_THE_POOL = mark("as the pool")
# How a knob is said with its value; the others go by their own names.
SAID = {
    "padding": mark("{value} padding"),
    "filters": mark("{value} filters"),
    "units": mark("{value} units"),
    "strides": mark("stride {value}"),
    "kernel": mark("kernel {value}"),
    "pool": mark("pool {value}"),
    "activation": mark("activation {value}"),
    "dropout": mark("dropout {value}"),
    "depth_multiplier": mark("depth multiplier {value}"),
    "use_bias": mark("use bias {value}"),
}
SAID_POOLINGS = {"max": mark("max pooling"), "average": mark("average pooling")}
STRIDE_AS_THE_POOL = mark("stride as the pool")

Settings = dict[str, Any]


@dataclass(frozen=True)
class Pair:
    """Two variants that differ in one knob: it is `from_value` in `a` and `to_value` in `b`.

    `layers` are the positions, from 1, of the layers that differ; `fixed` says the values of the other
    knobs that vary in this lab.
    """

    knob: str
    from_value: str
    to_value: str
    layers: tuple[int, ...]
    a: str
    b: str
    fixed: str = ""


def one_knob_pairs(variants: Sequence[Variant]) -> list[Pair]:
    """Find all pairs that differ in one knob, at one or more layers alike.

    Variants with `build` have no stated layers and are left out; so are twins, which differ in nothing.
    """
    stated = {one.name: [_settings(layer) for layer in one.layers] for one in variants if one.layers}
    pairs = [
        pair
        for one, other in combinations(stated, 2)
        if (pair := _pair(one, other, stated[one], stated[other])) is not None
    ]
    return [replace(pair, fixed=_fixed(pair, pairs)) for pair in pairs]


def _settings(layer: Layer) -> Settings:
    """Give a layer's kind and knobs; the two poolings are one kind with a knob."""
    kind = str(layer_kind(layer))
    found: Settings = {"kind": "pooling" if kind in POOLINGS else kind}
    if kind in POOLINGS:
        found["pooling"] = POOLINGS[kind]
    for name, value in layer:
        if not (name in LAYERS and value is True):
            found[KNOB_OF.get(name, name)] = value
    if found.get("strides") is not None and found.get("strides") == found.get("pool"):
        found["strides"] = None  # it says what holds anyhow
    return found


def _pair(one: str, other: str, first: list[Settings], second: list[Settings]) -> Pair | None:
    """Compare two networks layer by layer; None unless they differ in one knob, alike wherever they do."""
    if len(first) != len(second):
        return None
    changes: dict[tuple[str, str, str], list[int]] = {}
    for position, (a, b) in enumerate(zip(first, second, strict=True), start=1):
        if a["kind"] != b["kind"]:
            return None
        for knob in a:
            if a[knob] != b[knob]:
                changes.setdefault((knob, value_text(a[knob]), value_text(b[knob])), []).append(position)
    if len(changes) != 1:
        return None
    ((knob, from_value, to_value), layers), *_ = changes.items()
    if _order(from_value) > _order(to_value):
        return Pair(knob, to_value, from_value, tuple(layers), other, one)
    return Pair(knob, from_value, to_value, tuple(layers), one, other)


def value_text(value: Any) -> str:
    """Write a knob's value as a lab has it: 3 and not (3, 3)."""
    if isinstance(value, tuple):
        return str(value[0]) if len(set(value)) == 1 else "×".join(str(n) for n in value)
    if value is None:
        return AS_THE_POOL
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _order(value: str) -> tuple[int, float, str]:
    try:
        return 0, float(value), value
    except ValueError:
        return 1, float(WORDS.index(value) if value in WORDS else len(WORDS)), value


def _fixed(pair: Pair, pairs: list[Pair]) -> str:
    """Say what else varies in the lab, and is the same in both of a pair."""
    said = {}
    for other in pairs:
        for name, value in ((other.a, other.from_value), (other.b, other.to_value)):
            if name in (pair.a, pair.b) and other.knob != pair.knob:
                said[other.knob] = setting(other.knob, value)
    return tr(", ").join(said[knob] for knob in sorted(said))


def said_value(value: str) -> str:
    """Say a knob's value alone: only "max", "average" and "as the pool" are words."""
    return tr(value) if value in (*POOLINGS.values(), AS_THE_POOL) else value


def setting(knob: str, value: str) -> str:
    """Write a knob with its value: "stride 2", "same padding"."""
    if knob == "pooling" and value in SAID_POOLINGS:
        return tr(SAID_POOLINGS[value])
    if knob == "strides" and value == AS_THE_POOL:
        return tr(STRIDE_AS_THE_POOL)
    return tr(SAID[knob], value=value) if knob in SAID else f"{knob.replace('_', ' ')} {value}"
