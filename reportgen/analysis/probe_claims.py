"""What changed test images say of a lab's claims: digits at the border, digits that moved, shuffled pixels.

All intervals of one claim hold together with 95 %, so that a claim about many pairs of networks is not
refuted by the luck of one. Where they come from stands in probe_scores.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from reportgen.analysis.knobs import setting, value_text
from reportgen.analysis.probe_scores import Fared, Right, compared, unmoved
from reportgen.analysis.verdicts import (
    MARGIN,
    SAME_MARGIN,
    Finding,
    judge,
    not_applicable,
    numbers_of,
    tally,
)
from reportgen.data.probes import ORIGINAL, PERMUTATION, PERMUTED
from reportgen.text import PERCENT, all_of, listing, signed

if TYPE_CHECKING:
    from reportgen.analysis.contrasts import Frames
    from reportgen.analysis.differences import Difference
    from reportgen.lab import Claim
    from reportgen.results import Results

MOST_NAMED = 4
WORDS = {
    "border": "Change of accuracy when the digit is moved to the edge, mean over the edges, in points",
    "shift": "Change of accuracy when images are moved, mean over the shifts, in points",
}
LESS = "Above 0, the one named first loses less of its accuracy on the same images unmoved."
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
        return not_applicable(f"this run has no {claim.probe} probe")
    if claim.probe == PERMUTATION:
        return _permuted(claim, rows, results)
    pairs, why = _pairs(claim, results, analysis)
    moved = rows[rows["variant"].isin(rows.loc[rows["level"] != "0", "variant"])]
    both = [(a, b) for a, b in pairs if {a, b} <= set(moved["variant"])]
    if not both:
        return not_applicable(why if not pairs else f"no such pair of networks has the {claim.probe} probe")
    named = {name for pair in both for name in pair}
    known = unmoved(results.predictions, int(moved["n"].min()))
    fared = {name: _fared(moved[moved["variant"] == name], known) for name in named}
    if not all(fared.values()):
        return not_applicable("it is not known what the networks make of the same images unmoved")
    found = {f"{b} against {a}": compared(fared[a], fared[b], len(both)) for a, b in both}
    return _finding(claim, found, WORDS[str(claim.probe)], LESS)


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
        return pairs, "this run has not both a dense and a convolutional network"
    ends = tuple(value_text(value) for value in claim.change)
    frame = analysis["contrasts"]
    frame = frame[(frame["knob"] == claim.knob) & (frame["quantity"] == "params")]
    rows = list(frame.itertuples())
    pairs = [(str(row.a), str(row.b)) for row in rows if (row.from_value, row.to_value) == ends]
    pairs += [(str(row.b), str(row.a)) for row in rows if (row.to_value, row.from_value) == ends]
    change = " and ".join(setting(claim.knob, end) for end in ends)
    return pairs, f"no two networks of this run differ in {change} alone"


def _kinds(results: Results) -> tuple[list[str], list[str]]:
    """List the networks without and with a convolution, of those whose layers are stated."""
    stated = [one for one in results.record.lab.variants if one.layers]
    has = {one.name: any(hasattr(layer, "kernel") for layer in one.layers or ()) for one in stated}
    return [name for name in has if not has[name]], [name for name in has if has[name]]


def _finding(claim: Claim, found: dict[str, Difference], what: str, more: str) -> Finding:
    expect = str(claim.expect)
    margin = MARGIN if expect == "same" else 0.0
    differences = list(found.values())
    named = [f"{name} {_told(one)}" for name, one in found.items()]
    rest = f"; and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    kinds = " or ".join(dict.fromkeys(one.interval for one in differences))
    together = f" for {all_of(len(named)).lower()} together" if len(named) > 1 else ""
    said = [
        f"{what}: {'; '.join(named[:MOST_NAMED])}{rest}.",
        more,
        tally(differences, expect, margin),
        f"In brackets 95{PERCENT}{together}: {kinds}.",
    ]
    return Finding(judge(differences, expect, margin), " ".join(filter(None, said)), numbers_of(found))


def _told(one: Difference) -> str:
    return f"{signed(100 * one.effect)} ({signed(100 * one.low)} to {signed(100 * one.high)})"


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
        return not_applicable("no dense network of this run was trained on shuffled pixels")
    found = {name: compared(*both, len(judged)) for name, both in fared.items()}
    more = SAME_MARGIN if claim.expect == "same" else ""
    what = "Change of accuracy by training on shuffled pixels, in points"
    finding = _finding(claim, {name: found[name] for name in judged}, what, more)
    others = [f"{name} {_told(one)}" for name, one in found.items() if name not in dense]
    beside = f" Beside it, with convolutions: {listing(others, MOST_NAMED)}." if others else ""
    return Finding(finding.verdict, finding.said + beside, numbers_of(found))
