"""The arithmetic of a layer, line by line, as it is done by hand: each number is computed, none is typed."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from reportgen.arithmetic import FLOAT32, Along, along
from reportgen.layers import Conv2D, Dense, Flatten, Windowed, times
from reportgen.text import count
from reportgen.words import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportgen.arithmetic import Step
    from reportgen.layers import Layer, Shape

DIRECTIONS = (mark("height"), mark("width"))


@dataclass(frozen=True)
class Line:
    """One line of working: words, and a formula in the notation of this package, or ""."""

    words: str
    formula: str = ""


def output_size(window: Along) -> str:
    """Write how many positions a window has."""
    n, k, s = count(window.n), window.kernel, window.stride
    if window.padding == "same":
        return f"⌈[n | s]⌉ = ⌈[{n} | {s}]⌉ = {count(window.out)}"
    return f"⌊[n − k | s]⌋ + 1 = ⌊[{n} − {k} | {s}]⌋ + 1 = {count(window.out)}"


def padding(window: Along) -> Line:
    """Write how many zeros `same` padding needs, and on which side they stand."""
    before, after = window.zeros
    working = f"({count(window.out)} − 1) · {window.stride} + {window.kernel} − {count(window.n)}"
    total = (window.out - 1) * window.stride + window.kernel - window.n
    formula = f"(out − 1) · s + k − n = {working} = {_minus(total)}"
    return Line(_zeros(before, after), formula)


def _minus(number: int) -> str:
    return count(number).replace("-", "−")


def _zeros(before: int, after: int) -> str:
    if not before + after:
        return tr("no zeros are needed")
    if before == after:
        return tr("{n} rows of zeros, half of them on either side", n=before + after)
    return trn(
        "{n} row of zeros, {before} before and {after} after: Keras puts the odd one last",
        "{n} rows of zeros, {before} before and {after} after: Keras puts the odd one last",
        before + after,
        n=before + after,
        before=before,
        after=after,
    )


def directions(layer: Windowed, shape: Shape) -> list[tuple[str, Along]]:
    """List the directions in which a window differs: one, called "", where height and width are alike."""
    high, wide = along(layer, shape)
    return [("", high)] if high == wide else list(zip(DIRECTIONS, (high, wide), strict=True))


def sizes(layer: Windowed, shape: Shape) -> list[Line]:
    """Work out the size of the map that leaves a window."""
    return [Line(tr(name) or tr("size"), output_size(window)) for name, window in directions(layer, shape)]


def parameters(layer: Layer, shape: Shape) -> str:
    """Write how many parameters a layer has; only the number where it has a formula of its own."""
    total = count(layer.params(shape))
    if isinstance(layer, Conv2D):
        k, c_in, c_out = " · ".join(map(str, layer.kernel)), count(shape[-1]), count(layer.conv2d)
        bias = ("(", " + 1)") if layer.use_bias else ("", "")
        return f"{bias[0]}k · k · c_in{bias[1]} · c_out = {bias[0]}{k} · {c_in}{bias[1]} · {c_out} = {total}"
    if isinstance(layer, Dense):
        inputs, units = count(shape[0]), count(int(layer.dense))
        if layer.use_bias:
            formula = tr("(inputs + 1) · units")
            return f"{formula} = ({inputs} + 1) · {units} = {total}"
        return _product(inputs, units, total)
    return total


def multiply_adds(layer: Layer, shape: Shape) -> str:
    """Write how many multiplications one image takes in a layer."""
    total = count(layer.multiply_adds(shape))
    if isinstance(layer, Conv2D):
        out = " · ".join(count(n) for n in layer.output_shape(shape))
        k, c_in = " · ".join(map(str, layer.kernel)), count(shape[-1])
        return f"h_out · w_out · c_out · k · k · c_in = {out} · {k} · {c_in} = {total}"
    if isinstance(layer, Dense):
        return _product(count(shape[0]), count(int(layer.dense)), total)
    return total


def _product(inputs: str, units: str, total: str) -> str:
    formula = tr("inputs · units")
    return f"{formula} = {inputs} · {units} = {total}"


def layer_name(position: int, layer: Layer) -> str:
    """Name one layer of a stack, at the beginning of a line."""
    return tr("layer {position}, {layer}", position=position, layer=layer.keras_name)


def receptive(steps: Sequence[Step]) -> list[Line]:
    """Work out, window by window, how many pixels one value sees in height; windows are mostly square."""
    lines, size, jump = [], 1, 1
    for position, step in enumerate(steps, start=1):
        if not isinstance(step.layer, Windowed):
            continue
        kernel, strides, _ = step.layer.window()
        grown, farther = size + (kernel[0] - 1) * jump, jump * strides[0]
        sees = f"r + (k − 1) · j = {size} + ({kernel[0]} − 1) · {jump} = {grown}"
        jumps = f"j · s = {jump} · {strides[0]} = {farther}"
        formula = tr("{sees}, then {jumps}", sees=sees, jumps=jumps)
        lines.append(Line(layer_name(position, step.layer), formula))
        size, jump = grown, farther
    return lines


def memory(step: Step) -> list[Line]:
    """Work out the bytes of what a layer gives for one image, and of its parameters."""
    values = " · ".join(count(n) for n in step.row.output_shape)
    each = step.memory.activations // max(prod(step.row.output_shape), 1)
    return [
        Line(tr("what it gives for one image"), _bytes(values, each, step.memory.activations)),
        Line(tr("its parameters"), _bytes(count(step.row.params), FLOAT32, step.memory.parameters)),
    ]


def _bytes(values: str, each: int, total: int) -> str:
    return tr("{values} · {each} bytes = {total} bytes", values=values, each=each, total=count(total))


def shape_line(position: int, layer: Layer, shape: Shape) -> Line:
    """Work out what leaves one layer, in one line."""
    out = layer.output_shape(shape)
    words = tr("{name}: {values}", name=layer_name(position, layer), values=times(out))
    if isinstance(layer, Windowed):
        found = directions(layer, shape)
        return Line(words, tr("; ").join(f"{tr(name)} {output_size(one)}".strip() for name, one in found))
    if isinstance(layer, Flatten):
        return Line(words, f"{' · '.join(count(n) for n in shape)} = {count(out[0])}")
    return Line(words)
