"""What changed test images say of a lab's claims: digits at the border, digits that moved, shuffled pixels.

With three seeds or more, the means over the seeds are compared (Welch's t); with fewer, the first training of
each. Of that one only counts are known, so that shares are compared as unpaired ones (Newcombe 1998, method
10); where accuracies of several levels are averaged, all of them are of the same images: the interval is that
of one level's images, so that it is rather too wide than too narrow.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reportgen.analysis.comparisons import SEEDS_FOR_AN_ARCHITECTURE
from reportgen.analysis.differences import NEWCOMBE, WELCH, Difference, newcombe, welch
from reportgen.analysis.knobs import setting, value_text
from reportgen.analysis.verdicts import MARGIN, Finding, judge, not_applicable, tally
from reportgen.text import listing, signed

if TYPE_CHECKING:
    from reportgen.analysis.contrasts import Frames
    from reportgen.lab import Claim
    from reportgen.results import Results

MOST_NAMED = 4
WORDS = {
    "border": "Accuracy with the digit moved to the edge, mean over the edges, in points",
    "shift": "Accuracy on images that were moved, mean over the shifts, in points",
}
Pairs = list[tuple[str, str]]
Shares = list[tuple[float, int]]  # of each seed's training: its accuracy, and of how many images


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
    if claim.probe == "permutation":
        return _permuted(claim, rows, results)
    pairs, why = _pairs(claim, results, analysis)
    altered = rows[rows["variant"].isin(rows.loc[rows["level"] != "0", "variant"])]
    shares = {str(name): _shares(one) for name, one in altered.groupby("variant", sort=False)}
    both = [(a, b) for a, b in pairs if {a, b} <= set(shares)]
    compared = {f"{b} against {a}": _difference(shares[a], shares[b]) for a, b in both}
    if not compared:
        return not_applicable(why if not pairs else f"no such pair of networks has the {claim.probe} probe")
    return _finding(claim, compared, WORDS[str(claim.probe)])


def _share(rows: pd.DataFrame) -> tuple[float, int]:
    """Give the mean accuracy over the levels at which images were altered, and how many images it is of.

    A level may have looked at each image in several ways; the level with fewest has their number.
    """
    altered = rows[rows["level"] != "0"]
    return float((altered["right"] / altered["n"]).astype(float).mean()), int(rows["n"].min())


def _shares(rows: pd.DataFrame) -> Shares:
    return [_share(one) for _, one in rows.groupby("seed")]


def _difference(a: Shares, b: Shares) -> Difference:
    """Compare the means over the seeds, or the first training of each where there are too few."""
    if min(len(a), len(b)) >= SEEDS_FOR_AN_ARCHITECTURE:
        ones, others = ([share for share, _ in shares] for shares in (a, b))
        return Difference(float(np.mean(ones)), float(np.mean(others)), *welch(ones, others), WELCH)
    (one, n), (other, m) = a[0], b[0]
    return Difference(one, other, *newcombe(one * n, other * m, n, m), NEWCOMBE)


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


def _finding(claim: Claim, compared: dict[str, Difference], what: str) -> Finding:
    expect = str(claim.expect)
    margin = MARGIN if expect == "same" else 0.0
    differences = list(compared.values())
    named = [f"{name} {_told(one)}" for name, one in compared.items()]
    more = f"; and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    said = f"{what}: {'; '.join(named[:MOST_NAMED])}{more}. {tally(differences, expect, margin)}".strip()
    numbers = {name: round(one.effect, 6) for name, one in compared.items()}
    kinds = " or ".join(dict.fromkeys(one.interval for one in differences))
    return Finding(judge(differences, expect, margin), f"{said} In brackets {kinds}.", dict(numbers))


def _told(one: Difference) -> str:
    if isnan(one.low):
        return signed(100 * one.effect)
    return f"{signed(100 * one.effect)} ({signed(100 * one.low)} to {signed(100 * one.high)})"


def _permuted(claim: Claim, rows: pd.DataFrame, results: Results) -> Finding:
    """Compare trainings on shuffled pixels with those on whole images, for dense networks."""
    dense, convolutional = _kinds(results)
    found: dict[str, Difference] = {}
    for name in (*dense, *convolutional):
        one = rows[rows["variant"] == name]
        if {"original", "permuted"} <= set(one["level"]):
            whole, shuffled = (_shares(one[one["level"] == level]) for level in ("original", "permuted"))
            found[name] = _difference(whole, shuffled)
    judged = {name: one for name, one in found.items() if name in dense}
    if not judged:
        return not_applicable("no dense network of this run was trained on shuffled pixels")
    finding = _finding(claim, judged, "Accuracy after training on shuffled pixels, in points")
    beside = [f"{name} {_told(one)}" for name, one in found.items() if name not in dense]
    said = f"{finding.said} Less than a point either way, with all its interval, counts as the same."
    if beside:
        said += f" Beside it, with convolutions: {listing(beside, MOST_NAMED)}."
    return Finding(finding.verdict, said, finding.numbers)
