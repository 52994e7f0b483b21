"""Checks of trainings, classes and probabilities: what weakens a result, or is worth a look."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from reportgen.analysis import confusion
from reportgen.analysis.answers import NOTHING_TRAINED
from reportgen.analysis.differences import newcombe
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
from reportgen.analysis.scores import wilson
from reportgen.analysis.scoring import clearly_off
from reportgen.analysis.sentences import ended, together
from reportgen.text import PERCENT, count, listing, number_word, percent
from reportgen.words import tr, trn

MOST_NAMED = 3
GAP = 0.01  # of training over validation accuracy, with all its interval, before it is called a sign
RISE = 0.1  # of the validation loss over its lowest value
EPOCHS_PAST = 2  # the lowest validation loss
WELL_BELOW = 0.05  # a class's recall under that of the others
MISCALIBRATED = 0.05  # an expected calibration error that is worth a warning


# --- training ------------------------------------------------------------------------------------


def overfitting(e: Evidence) -> Answer:
    """Name networks that are better on training images, or whose validation loss has been rising."""
    if not e.board.scored:
        return NotApplicable(tr(NOTHING_TRAINED))
    known = {one.variant: _last_accuracies(e, one.variant) for one in e.board.scored}
    ends = {name: pair for name, pair in known.items() if pair}
    if not ends:
        return NotApplicable(tr("no history of training and validation accuracy was kept"))
    numbers: Numbers = {}
    level = 0.05 / len(ends)  # of Bonferroni: one error at most in all of them
    gaps = [words for name, pair in ends.items() if (words := _gap(e, name, pair, level, numbers))]
    rises = [words for name in ends if (words := _rise(e, name, level, numbers))]
    if not gaps and not rises:
        lead = tr(
            "No network is clearly more than a point better on training than on validation images, and no "
            "validation loss is clearly rising."
        )
        return Said(NOTHING, lead)
    rest = [ended(together(part, MOST_NAMED)) for part in (gaps, rises) if part]
    rest += [_how_measured(e)] if gaps else []
    return Said(WARNING, tr("Signs of overfitting:"), " ".join(rest), numbers)


def _last_accuracies(e: Evidence, variant: str) -> tuple[float, float] | None:
    """Give the training and the validation accuracy of the last epoch of the shown training."""
    train, validation = (_history(e, variant, split, "accuracy") for split in ("train", "validation"))
    return (train.iloc[-1], validation.iloc[-1]) if len(train) and len(validation) else None


def _history(e: Evidence, variant: str, split: str, metric: str) -> pd.Series:
    frame = e.results.epochs
    mine = (frame["variant"] == variant) & (frame["seed"] == e.seeds[variant])
    part = frame[mine & (frame["split"] == split) & (frame["metric"] == metric)]
    return part.sort_values("epoch").set_index("epoch")["value"].dropna()


def _gap(e: Evidence, variant: str, ends: tuple[float, float], level: float, numbers: Numbers) -> str:
    train, validation = ends
    n_train, n_validation = _sizes(e)
    counts = (validation * n_validation, train * n_train, n_validation, n_train)
    if newcombe(*counts, level)[0] < GAP:
        return ""
    low, high = newcombe(*counts)
    numbers |= {f"{variant}: gap": train - validation, f"{variant}: gap, low": low}
    numbers[f"{variant}: gap, high"] = high
    return tr(
        "{name} is {points} more accurate on the training than on the validation images",
        name=variant,
        points=e.points_between(train - validation, low, high),
    )


def _sizes(e: Evidence) -> tuple[int, int]:
    """Count the images that were trained on and validated on."""
    validation = e.results.record.lab.protocol.validation
    if isinstance(validation, str):
        return e.dataset.n_train, e.dataset.n_test
    held = max(round(validation * e.dataset.n_train), 1)
    return max(e.dataset.n_train - held, 1), held


def _rise(e: Evidence, variant: str, level: float, numbers: Numbers) -> str:
    """Say by how much the validation loss has risen, where that is more than its images make it waver."""
    loss = _history(e, variant, "validation", "loss")
    if loss.empty or not loss.min() > 0:
        return ""
    best, last = int(loss.idxmin()), int(loss.index[-1])
    rise = float(loss.iloc[-1] / loss.min() - 1)
    if last - best < EPOCHS_PAST or rise < RISE or loss.iloc[-1] - loss.min() < _wavers(e, variant, level):
        return ""
    numbers |= {f"{variant}: rise of the validation loss": rise, f"{variant}: lowest in epoch": best}
    return tr(
        "the validation loss of {name} was lowest in epoch {epoch}, and ends {share} above that",
        name=variant,
        epoch=best,
        share=_percent(rise, 0),
    )


def _wavers(e: Evidence, variant: str, level: float) -> float:
    """Give a bound on how far the validation losses of two epochs lie apart by the choice of images.

    From the losses of the test images. The epochs are taken as independent, though they share their images
    and most of their weights: the bound is rather too large.
    """
    frame = e.results.predictions
    mine = frame[(frame["variant"] == variant) & (frame["seed"] == e.seeds[variant])]
    columns = [name for name in frame.columns if name.startswith("p_")]
    given = mine[columns].to_numpy("float64")[range(len(mine)), mine["label"].to_numpy(int)]
    losses = -np.log(np.maximum(given, np.finfo("float32").tiny))
    return float(NormalDist().inv_cdf(1 - level / 2) * sqrt(2 / _sizes(e)[1]) * losses.std())


def _how_measured(e: Evidence) -> str:
    if (e.results.layers["type"] == "Dropout").any():
        return tr(
            "Training accuracy is averaged over the last epoch, while the weights still change, with dropout "
            "at work, so that the gap at its end is rather larger."
        )
    return tr(
        "Training accuracy is averaged over the last epoch, while the weights still change, so that the gap "
        "at its end is rather larger."
    )


def _percent(share: float, digits: int = 1) -> str:
    return f"{percent(share, digits)}{PERCENT}"


# --- classes -------------------------------------------------------------------------------------


def class_below(e: Evidence) -> Answer:
    """Name classes that a network recognises far less often than the others."""
    rows = _recalls(e)
    if rows.empty:
        few = tr("the test set has fewer than two classes")
        return NotApplicable(few if e.board.scored else tr(NOTHING_TRAINED))
    level = 0.05 / len(rows)  # of Bonferroni: one error at most in all of them
    below = [row for row in rows.to_dict("records") if _is_below(row, level)]
    numbers: Numbers = {"classes and networks": len(rows), "well below": len(below)}
    if not below:
        return Said(NOTHING, tr("No class is recognised far less often than the others."), "", numbers)
    labels = pd.Series([row["label"] for row in below])
    worst = sorted(
        (min((row for row in below if row["label"] == label), key=_recall) for label in labels.unique()),
        key=_recall,
    )
    named = [_told(e, row, int((labels == row["label"]).sum()), numbers) for row in worst]
    lead = trn("Class far below the others:", "Classes far below the others:", len(worst))
    return Said(WARNING, lead, ended(together(named, MOST_NAMED)), numbers)


def _recalls(e: Evidence) -> pd.DataFrame:
    """Give the recall of each class in each shown training, with that of all other classes together."""
    frame = e.analysis["per_class"]
    mine = frame["seed"] == frame["variant"].map(e.seeds).astype("Int64")
    rows = frame[mine & (frame["metric"] == "recall") & (frame["n"] > 0)].copy()
    rows["hits"] = (rows["value"] * rows["n"]).round().astype(int)
    whole = rows.groupby("variant", sort=False)[["hits", "n"]].transform("sum")
    rows["rest_hits"], rows["rest_n"] = whole["hits"] - rows["hits"], whole["n"] - rows["n"]
    return rows[rows["rest_n"] > 0]


def _recall(row: dict[str, Any]) -> float:
    return float(row["value"])


def _is_below(row: dict[str, Any], level: float) -> bool:
    """Tell whether a class's interval lies wholly below the others', and its recall well below theirs."""
    _, high = wilson(row["hits"], row["n"], level)
    low, _ = wilson(row["rest_hits"], row["rest_n"], level)
    return bool(high < low and row["rest_hits"] / row["rest_n"] - row["value"] >= WELL_BELOW)


def _told(e: Evidence, row: dict[str, Any], networks: int, numbers: Numbers) -> str:
    name, variant = e.class_name(int(row["label"])), row["variant"]
    rest = row["rest_hits"] / row["rest_n"]
    numbers |= {f"{variant}, {name}: recall": row["value"], f"{variant}, {name}: low": row["low"]}
    numbers |= {f"{variant}, {name}: high": row["high"], f"{variant}, all but {name}: recall": rest}
    said = tr(
        "{network} recognises {share} of the images of {label} ({low} to {high}) and {rest} of all others",
        network=variant,
        share=_percent(row["value"]),
        label=name,
        low=percent(row["low"], 1),
        high=_percent(row["high"]),
        rest=_percent(rest),
    )
    if networks == 1:
        return said
    # Translators: more networks recognise images of a class far less often than the others, too
    also = trn("so does one more", "so do {number} more", networks - 1, number=number_word(networks - 1))
    return together([said, also], 2)


def confused_pairs(e: Evidence) -> Answer:
    """List the classes that are taken for each other most often, by all trained networks together."""
    frame = e.results.confusion
    if frame.empty:
        return NotApplicable(tr(NOTHING_TRAINED))
    pairs = confusion.pairs(frame.groupby(confusion.CELL, as_index=False)["count"].sum()).head(MOST_NAMED)
    if pairs.empty:
        return Said(NOTHING, tr("No image was taken for another class."))
    numbers: Numbers = {}
    named: list[str] = []
    for row in pairs.to_dict("records"):
        true, said = e.class_name(int(row["label"])), e.class_name(int(row["predicted"]))
        numbers[f"{true} for {said}"] = int(row["count"])
        named.append(_taken(true, said, int(row["count"]), not named))
    trainings = frame.groupby(["variant", "seed"]).ngroups
    numbers["trained networks"] = trainings
    rest = ended(listing(named))
    if trainings > 1:
        by = number_word(trainings)
        rest = tr("{pairs}, by {number} trained networks together.", pairs=listing(named), number=by)
    return Said(NOTE, tr("Most often mistaken:"), rest, numbers)


def _taken(true: str, said: str, n: int, times: bool) -> str:
    """Say how often a class was taken for another; `times` says what the number counts."""
    values = {"one": true, "other": said, "n": count(n)}
    if not times:
        return tr("{one} for {other} ({n})", **values)
    return trn("{one} for {other} ({n} time)", "{one} for {other} ({n} times)", n, **values)


# --- probabilities -------------------------------------------------------------------------------


def miscalibration(e: Evidence) -> Answer:
    """Name networks whose confidence and accuracy part by more than chance, and in which way."""
    bins = clearly_off(e.analysis["calibration"], e.seeds)
    if bins.empty:
        return NotApplicable(tr(NOTHING_TRAINED))
    off = bins[bins["off"]]
    numbers: Numbers = {"bins": len(bins), "bins that are off": len(off)}
    if off.empty:
        return Said(NOTHING, tr("No network is clearly more or less sure than it is right."), "", numbers)
    errors = {name: float(e.score(name, "ece")["value"]) for name in off["variant"].unique()}
    worst = sorted(errors, key=lambda name: -errors[name])
    named = [_sure(off[off["variant"] == name], name, errors[name], numbers) for name in worst]
    level = WARNING if errors[worst[0]] >= MISCALIBRATED else NOTE
    rest = ended(together(named, MOST_NAMED))
    return Said(level, tr("Probabilities to read with care:"), rest, numbers)


def _sure(off: pd.DataFrame, variant: str, error: float, numbers: Numbers) -> str:
    """Say which way a network errs, with the bin that weighs most."""
    over = off["confidence"] > off["accuracy"]
    weight = (off["confidence"] - off["accuracy"]).abs() * off["count"]
    row = off.loc[weight.idxmax()]
    numbers |= {f"{variant}: ECE": error, f"{variant}: images in the bin": int(row["count"])}
    for name in ("confidence", "accuracy", "low", "high"):
        numbers[f"{variant}: {name}"] = float(row[name])
    return tr(
        "{clause}: where it is {confidence} sure on average, {accuracy} are right ({low} to {high} of {n} "
        "images); expected calibration error {error} points",
        clause=_errs(variant, over),
        confidence=_percent(row["confidence"]),
        accuracy=_percent(row["accuracy"]),
        low=percent(row["low"], 1),
        high=_percent(row["high"]),
        n=count(row["count"]),
        error=percent(error, 1),
    )


def _errs(variant: str, over: pd.Series) -> str:
    if over.all():
        return tr("{name} is overconfident", name=variant)
    if not over.any():
        return tr("{name} is underconfident", name=variant)
    return tr("{name} is miscalibrated", name=variant)
