"""What a reader will be able to do: from what the lab's networks differ in, and its own points."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from reportgen.analysis.knobs import one_knob_pairs
from reportgen.report.document import Context
from reportgen.text import inert, paragraphs
from reportgen.words import mark, tr

LONGEST_POINT = 160
BY_HAND = mark(
    "work out output shapes, parameters, multiply-adds and receptive fields of a stack of layers by hand"
)
FASTER = mark("predict which of two networks trains faster, and give a reason that can be counted")
READ = mark("read a confusion matrix: recall along its rows, precision down its columns")
DENSE_AND_CONVOLUTIONAL = mark("say what a convolution knows of an image that a dense layer does not")
# What a lab teaches by varying a knob.
OBJECTIVES = {
    "padding": mark("say what padding does to the size of a feature map, and where Keras puts the zeros"),
    "strides": mark("say what a larger stride saves, and what it passes over"),
    "pooling": mark("tell max pooling from average pooling, and say why neither has anything to learn"),
    "kernel": mark("say what a larger kernel costs in parameters, and how far it lets a value see"),
    "pool": mark("say what a larger pooling window does to the map and to the layers after it"),
    "filters": mark("say how the number of filters enters into parameters and multiply-adds"),
    "units": mark("say how the number of units enters into the parameters of a dense layer"),
    "activation": mark("compare activation functions, and say why none of them changes a shape"),
    "dropout": mark("say what dropout does while a network is trained, and what it does afterwards"),
    "depth_multiplier": mark("say what a depth multiplier does to channels and parameters"),
    "use_bias": mark("say where the + 1 in the number of parameters comes from"),
}


@dataclass(frozen=True)
class Objectives:
    """What is to be learned; `points` are the titles of what the lab itself explains."""

    objectives: tuple[Markup, ...]
    points: tuple[str, ...]


def objectives(context: Context) -> Objectives:
    """List what the lab's networks let a reader learn."""
    lab = context.lab
    knobs = dict.fromkeys(pair.knob for pair in one_knob_pairs(lab.variants))
    stated = [one for one in lab.variants if one.layers]
    found = [BY_HAND]
    if len({one.has_convolution for one in stated}) == 2:
        found.append(DENSE_AND_CONVOLUTIONAL)
    found += [OBJECTIVES[knob] for knob in knobs]
    if len(stated) > 1:
        found.append(FASTER)
    if context.trainings:
        found.append(READ)
    points = tuple(inert(point.title, LONGEST_POINT) for point in lab.texts.points)
    return Objectives(tuple(paragraphs("\n\n".join(map(tr, found)))), points)
