"""What changed test images say of a lab's claims: digits at the border, digits that moved, shuffled pixels.

All intervals of one claim hold together with 95 %, so that a claim about many pairs of networks is not
refuted by the luck of one. Where they come from stands in probe_scores.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.analysis.knobs import setting, value_text
from reportgen.analysis.probe_scores import Fared, Right, compared, unmoved
from reportgen.analysis.sentences import against, together
from reportgen.analysis.verdicts import (
    MARGIN,
    SAME_MARGIN,
    Finding,
    Numbers,
    judge,
    not_applicable,
    numbers_of,
    tally,
)
from reportgen.data.probes import ORIGINAL, PERMUTATION, PERMUTED
from reportgen.text import PERCENT, listing, number_word, signed
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from reportgen.analysis.contrasts import Frames
    from reportgen.analysis.differences import Difference
    from reportgen.lab import Claim
    from reportgen.results import Results

MOST_NAMED = 4
WORDS = {
    "border": mark(
        "Change of accuracy when the digit is moved to the edge, mean over the edges, in points: "
        "{differences}."
    ),
    "shift": mark(
        "Change of accuracy when images are moved, mean over the shifts, in points: {differences}."
    ),
    PERMUTATION: mark("Change of accuracy by training on shuffled pixels, in points: {differences}."),
}
NO_PROBE = {
    "border": mark("this run has no border probe"),
    "shift": mark("this run has no shift probe"),
    PERMUTATION: mark("this run has no permutation probe"),
}
NO_SUCH_PAIR = {
    "border": mark("no such pair of networks has the border probe"),
    "shift": mark("no such pair of networks has the shift probe"),
}
LESS = mark("Above 0, the one named first loses less of its accuracy on the same images unmoved.")
Pairs = list[tuple[str, str]]
Trainings = list[Fared]  # of one variant, a seed each


def probes_of(results: Results) -> pd.DataFrame:
    """Give the run's probes, a row a variant, seed and level; empty where it has none."""
    found = getattr(results, "probes", None)
    return found if found is not None else pd.DataFrame(columns=["variant", "seed", "probe", "level"])


def probed(claim: Claim, results: Results, analysis: Frames) -> Finding:
    """Judge a claim by a probe of the run."""
    probes = probes_of(results)
    rows = probes[probes["probe"] == claim.probe] if len(probes) else probes
    if rows.empty:
        return not_applicable(tr(NO_PROBE[str(claim.probe)]))
    if claim.probe == PERMUTATION:
        return _permuted(claim, rows, results)
    pairs, why = _pairs(claim, results, analysis)
    moved = rows[rows["variant"].isin(rows.loc[rows["level"] != "0", "variant"])]
    both = [(a, b) for a, b in pairs if {a, b} <= set(moved["variant"])]
    if not both:
        return not_applicable(tr(NO_SUCH_PAIR[str(claim.probe)]) if pairs else why)
    named = {name for pair in both for name in pair}
    known = unmoved(results.predictions, int(moved["n"].min()))
    fared = {name: _fared(moved[moved["variant"] == name], known) for name in named}
    if not all(fared.values()):
        return not_applicable(tr("it is not known what the networks make of the same images unmoved"))
    found = {(b, a): compared(fared[a], fared[b], len(both)) for a, b in both}
    numbers = numbers_of({f"{b} against {a}": one for (b, a), one in found.items()})
    return _finding(claim, {against(*pair): one for pair, one in found.items()}, tr(LESS), numbers)


def _share(rows: pd.DataFrame) -> tuple[float, int]:
    """Give the mean accuracy over the levels at which images were altered, and how many images it is of.

    A level may have looked at each image in several ways; the level with fewest has their number.
    """
    altered = rows[rows["level"] != "0"]
    return float((altered["right"] / altered["n"]).astype(float).mean()), int(rows["n"].min())


def _fared(rows: pd.DataFrame, known: Right) -> Trainings:
    """Give how each training of a variant fared, of those whose unmoved images are known."""
    trainings = [(str(one["variant"].iloc[0]), int(seed), one) for seed, one in rows.groupby("seed")]
    return [
        Fared(*_share(one), known[variant, seed])
        for variant, seed, one in trainings
        if (variant, seed) in known
    ]


def _shares(rows: pd.DataFrame) -> Trainings:
    return [Fared(*_share(one)) for _, one in rows.groupby("seed")]


def _pairs(claim: Claim, results: Results, analysis: Frames) -> tuple[Pairs, str]:
    """Pair networks that differ in the claim's knob alone, else each dense with each convolutional one."""
    if claim.knob is None or claim.change is None:
        dense, convolutional = _kinds(results)
        pairs = [(a, b) for a in dense for b in convolutional]
        return pairs, tr("this run has not both a dense and a convolutional network")
    ends = tuple(value_text(value) for value in claim.change)
    frame = analysis["contrasts"]
    frame = frame[(frame["knob"] == claim.knob) & (frame["quantity"] == "params")]
    rows = list(frame.itertuples())
    pairs = [(str(row.a), str(row.b)) for row in rows if (row.from_value, row.to_value) == ends]
    pairs += [(str(row.b), str(row.a)) for row in rows if (row.to_value, row.from_value) == ends]
    one, other = (setting(claim.knob, end) for end in ends)
    return pairs, tr("no two networks of this run differ in {one} and {other} alone", one=one, other=other)


def _kinds(results: Results) -> tuple[list[str], list[str]]:
    """List the networks without and with a convolution, of those whose layers are stated."""
    stated = [one for one in results.record.lab.variants if one.layers]
    has = {one.name: any(hasattr(layer, "kernel") for layer in one.layers or ()) for one in stated}
    return [name for name in has if not has[name]], [name for name in has if has[name]]


def _finding(claim: Claim, found: dict[str, Difference], more: str, numbers: Numbers) -> Finding:
    expect = str(claim.expect)
    margin = MARGIN if expect == "same" else 0.0
    differences = list(found.values())
    named = [f"{name} {_told(one)}" for name, one in found.items()]
    said = [
        tr(WORDS[str(claim.probe)], differences=together(named, MOST_NAMED)),
        more,
        tally(differences, expect, margin),
        _in_brackets(differences),
    ]
    return Finding(judge(differences, expect, margin), " ".join(filter(None, said)), numbers)


def _in_brackets(differences: list[Difference]) -> str:
    """Say what the brackets hold."""
    kinds = tr(" or ").join(dict.fromkeys(tr(one.interval) for one in differences))
    values = {"level": f"95{PERCENT}", "kinds": kinds, "number": number_word(len(differences))}
    if len(differences) == 1:
        return tr("In brackets {level}: {kinds}.", **values)
    if len(differences) == 2:
        return tr("In brackets {level} for both together: {kinds}.", **values)
    return tr("In brackets {level} for all {number} together: {kinds}.", **values)


def _told(one: Difference) -> str:
    effect, low, high = (signed(100 * value) for value in (one.effect, one.low, one.high))
    return tr("{effect} ({low} to {high})", effect=effect, low=low, high=high)


def _permuted(claim: Claim, rows: pd.DataFrame, results: Results) -> Finding:
    """Compare trainings on shuffled pixels with those on whole images, for dense networks."""
    dense, convolutional = _kinds(results)
    fared: dict[str, tuple[Trainings, Trainings]] = {}
    for name in (*dense, *convolutional):
        one = rows[rows["variant"] == name]
        if {ORIGINAL, PERMUTED} <= set(one["level"]):
            fared[name] = _shares(one[one["level"] == ORIGINAL]), _shares(one[one["level"] == PERMUTED])
    judged = [name for name in fared if name in dense]
    if not judged:
        return not_applicable(tr("no dense network of this run was trained on shuffled pixels"))
    found = {name: compared(*both, len(judged)) for name, both in fared.items()}
    more = tr(SAME_MARGIN) if claim.expect == "same" else ""
    finding = _finding(claim, {name: found[name] for name in judged}, more, numbers_of(found))
    others = [f"{name} {_told(one)}" for name, one in found.items() if name not in dense]
    if not others:
        return finding
    beside = tr("Beside it, with convolutions: {names}.", names=listing(others, MOST_NAMED))
    return replace(finding, said=f"{finding.said} {beside}")
