"""Claims that no run of a lab as it stands can answer: known before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportgen.analysis.knobs import one_knob_pairs, setting, value_text

if TYPE_CHECKING:
    from reportgen.lab import Claim, Lab


def unanswerable(lab: Lab) -> list[str]:
    """Say of which claims a report will only say "can't tell here", and why."""
    found = []
    for position, claim in enumerate(lab.claims, start=1):
        if why := _no_probe(lab, claim) or _no_pair(lab, claim):
            found.append(f"claims[{position}] will not be answered: {why}")
    return found


def _no_probe(lab: Lab, claim: Claim) -> str:
    # The permutation control costs trainings: a lab may well claim, and leave it to whoever wants to know.
    if claim.probe in (None, "permutation") or getattr(lab.probes, claim.probe):
        return ""
    wanted = f"{claim.probe} = {6 if claim.probe == 'shift' else 'true'}"
    return f"this lab has no {claim.probe} probe; [probes] with {wanted} adds it"


def _no_pair(lab: Lab, claim: Claim) -> str:
    if claim.knob is None or claim.change is None:
        return ""
    ends = {value_text(value) for value in claim.change}
    pairs = one_knob_pairs(lab.variants)
    if any(pair.knob == claim.knob and {pair.from_value, pair.to_value} == ends for pair in pairs):
        return ""
    change = " and ".join(setting(claim.knob, value_text(value)) for value in claim.change)
    return f"no two variants differ in {change} alone"
