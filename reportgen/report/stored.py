"""Sentences that a run has stored in English, said again in the language of its report."""

from __future__ import annotations

import re
from functools import cache

from reportgen.text import localized
from reportgen.words import mark, tr

# As data/, training/ and the pipeline write them; what stands in braces may be anything.
SENTENCES = (
    mark(
        "The data, {train} training and {test} test images, is not {data} as published, so results are not "
        "comparable with results on it."
    ),
    mark("All images are of one class, {name}, so there is nothing to tell apart."),
    mark("The training set has no image of class {name}."),
    mark("The training set has no image of classes {names} and {n} more."),
    mark("The training set has no image of classes {names} and {last}."),
    mark("The test set has no image of class {name}."),
    mark("The test set has no image of classes {names} and {n} more."),
    mark("The test set has no image of classes {names} and {last}."),
    mark("{n} of the {all} test images ({share}) also occur in the training set, pixel for pixel."),
    mark("The brightest pixel is {n} on a scale of 0 to 255, so the images are all but black."),
    mark("{data} is not on this machine and could not be downloaded ({reason})"),
    mark("the loss or the predictions were no longer numbers after epoch {n}"),
)
NUMBERS = {"train", "test", "n", "all", "share"}  # the places of numbers; a class may be called 1.5
_NUMBER = re.compile(r"[\d.,]*\d%?")


def retold(sentence: str) -> str:
    """Say a stored sentence in the spoken language; what is not of SENTENCES stays as it is."""
    for message in SENTENCES:
        found = pattern(message).fullmatch(sentence)
        if found:
            said = {name: _value(name, value) for name, value in found.groupdict().items()}
            return tr(message, **said)
    return sentence


def _value(place: str, text: str) -> str:
    number = place in NUMBERS and _NUMBER.fullmatch(text)
    return localized(text).replace("%", " %") if number else text


@cache
def pattern(message: str) -> re.Pattern[str]:
    """Give the pattern of a message; what stands in its braces may be anything."""
    parts = re.split(r"\{(\w+)\}", message)
    pieces = [f"(?P<{part}>.+)" if n % 2 else re.escape(part) for n, part in enumerate(parts)]
    return re.compile("".join(pieces), re.DOTALL)
