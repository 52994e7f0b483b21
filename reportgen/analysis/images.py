"""Checks of the images: what was validated on, which repeat, and which are labelled wrongly."""

from __future__ import annotations

from reportgen.analysis.answers import NOTHING_TRAINED
from reportgen.analysis.evidence import (
    NOTE,
    NOTHING,
    WARNING,
    Answer,
    Evidence,
    NotApplicable,
    Numbers,
    Said,
)
from reportgen.text import PERCENT, count, number_word, percent
from reportgen.words import tr, trn

# Confirmed by people in the published test set, of so many images: Northcutt, Athalye and Mueller 2021.
LABEL_ERRORS = {("mnist", 10_000): 15}


def validation_set(e: Evidence) -> Answer:
    """Say what was validated on, and whether anything was selected on it."""
    protocol = e.results.record.lab.protocol
    if not isinstance(protocol.validation, str):
        digits = len(f"{100 * protocol.validation:g}".partition(".")[2])
        share = f"{percent(protocol.validation, digits)}{PERCENT}"
        numbers: Numbers = {"validation": protocol.validation, "epochs": protocol.epochs}
        lead = tr(
            "Validation held {share} of the training set out; the test images were used for the score alone.",
            share=share,
        )
        return Said(NOTHING, lead, "", numbers)
    if not e.board.scored:
        return NotApplicable(tr(NOTHING_TRAINED))
    rest = trn(
        "but nothing was chosen by it. All networks trained for {n} epoch, fixed beforehand, and the last "
        "epoch's weights were scored, so this harms the scores little.",
        "but nothing was chosen by it. All networks trained for {n} epochs, fixed beforehand, and the last "
        "epoch's weights were scored, so this harms the scores little.",
        protocol.epochs,
        n=count(protocol.epochs),
    )
    if len(e.board.scored) > 1:
        picked = tr("Who picks a network by its score here should expect slightly less of it on new images.")
        rest = f"{rest} {picked}"
    return Said(NOTE, tr("The test set also served for validation,"), rest, {"epochs": protocol.epochs})


def repeated_images(e: Evidence) -> Answer:
    """Say how many test images the networks saw in training."""
    repeats, n = e.dataset.repeats, e.dataset.n_test
    if repeats is None:
        return NotApplicable(tr("this run was made before repeated images were counted"))
    numbers: Numbers = {"repeated": repeats, "test images": n}
    if not repeats:
        return Said(NOTHING, tr("No test image is in the training set too."), "", numbers)
    lead = trn(
        "{n} test image is in the training set too, pixel for pixel:",
        "{n} test images are in the training set too, pixel for pixel:",
        repeats,
        n=count(repeats),
    )
    rest = tr(
        "{share} of the test set. A network that remembers them gains up to that much, so differences of "
        "that size may be memory.",
        share=f"{percent(repeats / n)}{PERCENT}",
    )
    return Said(WARNING, lead, rest, numbers | {"share": repeats / n})


def label_errors(e: Evidence) -> Answer:
    """Say it where differences are no larger than the known errors among the test labels."""
    known = LABEL_ERRORS.get((e.dataset.name, e.dataset.n_test))
    if not known:
        return NotApplicable(tr("no count of wrong test labels is known of these test images"))
    if len(e.board.scored) < 2:
        return NotApplicable(tr("no two networks have a score"))
    size = known / e.dataset.n_test
    small = [one for one in e.telling.pairs.values() if one.difference <= size]
    numbers: Numbers = {"label errors": known, "share": size, "pairs": len(small)}
    about = {"n": count(known), "title": e.dataset.title, "all": count(e.dataset.n_test)}
    if not small:
        lead = tr(
            "About {n} of {title}'s {all} test labels are wrong; every difference here is larger than that.",
            **about,
        )
        return Said(NOTHING, lead, "", numbers)
    rest = trn(
        "(Northcutt, Athalye and Mueller 2021), which make {points} points. One pair of networks lies no "
        "further apart than that, and who is ahead may hang on those labels.",
        "(Northcutt, Athalye and Mueller 2021), which make {points} points. {number} pairs of networks lie "
        "no further apart than that, and who is ahead may hang on those labels.",
        len(small),
        points=e.minus(size),
        number=number_word(len(small)).capitalize(),
    )
    return Said(NOTE, tr("About {n} of {title}'s {all} test labels are wrong", **about), rest, numbers)
