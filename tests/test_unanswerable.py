"""Claims that no run can answer: said before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reportgen.analysis.unanswerable import unanswerable
from reportgen.lab import load_lab, parse_lab
from support import TWO_VARIANTS, command_line, lab_text
from test_claims import BORDER, FASTER, SAYS, SHIFT
from test_contrasts import LAB


def lab_with(*claims: dict[str, Any], **stated: Any) -> Any:
    whole = {"title": "t", "dataset": {"name": "mnist"}, "variants": LAB["variants"], **stated}
    return parse_lab({**whole, "claims": list(claims)}, "t")


@pytest.mark.parametrize("name", ["mnist"])
def test_the_built_in_lab_has_no_claim_that_cannot_be_answered(name: str) -> None:
    assert unanswerable(load_lab(name)) == []


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ({**FASTER, "change": [1, 3]}, "no two variants differ in stride 1 and stride 3 alone"),
        ({**FASTER, "knob": "dropout", "change": [0.1, 0.2]}, "no two variants differ in"),
        (BORDER, "this lab has no border probe; [probes] with border = true adds it"),
        (SHIFT, "this lab has no shift probe; [probes] with shift = 6 adds it"),
    ],
)
def test_a_claim_without_its_evidence_is_named_with_the_reason(claim: dict[str, Any], why: str) -> None:
    found = unanswerable(lab_with({**SAYS, "evidence": "stacking"}, claim))
    assert len(found) == 1
    assert found[0].startswith(f"claims[2] will not be answered: {why}")


def test_a_claim_with_its_evidence_is_not_named() -> None:
    assert unanswerable(lab_with(FASTER, BORDER, SHIFT, probes={"border": True, "shift": 2})) == []


def test_show_says_it_before_anything_is_trained(tmp_path: Path, tiny_npz: Path) -> None:
    claim = '\n[[claims]]\ntext = "So."\nevidence = "probe"\nprobe = "shift"\nexpect = "higher"\n'
    (tmp_path / "lab.toml").write_text(lab_text(tiny_npz, TWO_VARIANTS + claim), encoding="utf-8")
    ran = command_line("show", "lab.toml", cwd=tmp_path)
    assert ran.code == 0
    assert ran.out[-1].startswith("claims[1] will not be answered: this lab has no shift probe")


def test_a_stack_that_cannot_be_built_is_refused_before_any_other_is_shown(tmp_path: Path) -> None:
    variants = TWO_VARIANTS.replace("kernel = 3", "kernel = 40")
    (tmp_path / "lab.toml").write_text(lab_text("digits", variants), encoding="utf-8")
    ran = command_line("show", "lab.toml", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, [])
    assert ran.err[-1].startswith("reportgen: lab.toml: variant 'cnn': layer 1 (Conv2D): its 40×40 window")
