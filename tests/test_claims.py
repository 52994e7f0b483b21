"""A lab's claims: which evidence they have, what is said of them, and how the report shows it."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from math import nan
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.analysis import frames
from reportgen.analysis.claims import COLUMNS, EVIDENCE, claims
from reportgen.analysis.comparisons import NETWORKS, PAIRS, comparisons, spoken_of
from reportgen.analysis.contrasts import Timing, contrasts, slower
from reportgen.analysis.differences import Difference, newcombe, wald_plus_2
from reportgen.analysis.stacking import blocks
from reportgen.analysis.verdicts import CANT_TELL, DOES_NOT, HOLDS, agrees, judge, tally
from reportgen.jobs import FAILED
from reportgen.lab import load_lab, parse_lab
from reportgen.lab.claims import CLAIM_KEYS, Evidence
from reportgen.report.sections import SECTIONS
from reportgen.results import Results
from synthetic import SEVEN, made_up, section_html
from test_contrasts import CONV, END, LAB, run_of, timed

SAYS = {"text": "It is so."}
FASTER = {
    **SAYS,
    "evidence": "contrast",
    "knob": "strides",
    "change": [1, 2],
    "quantity": "seconds_per_epoch",
    "expect": "lower",
}
BORDER = {
    **SAYS,
    "evidence": "probe",
    "probe": "border",
    "knob": "padding",
    "change": ["valid", "same"],
    "expect": "higher",
}
SHIFT = {**SAYS, "evidence": "probe", "probe": "shift", "expect": "higher"}
PERMUTED = {**SAYS, "evidence": "probe", "probe": "permutation", "expect": "same"}
KINDS = {
    "variant": "string",
    "seed": "Int64",
    "probe": "string",
    "level": "string",
    "pixels": "Int64",
    "right": "Int64",
    "n": "Int64",
    "accuracy": "float64",
}


@dataclass(frozen=True)
class Probed(Results):
    """Results with probes, whether or not Results has them."""

    probes: pd.DataFrame = None  # type: ignore[assignment]


def with_probes(run: Results, rows: list[tuple[Any, ...]]) -> Results:
    """Give a run probes: (variant, seed, probe, level, pixels, right, n) a row."""
    full = [(*row, row[5] / row[6]) for row in rows]
    probes = pd.DataFrame(full, columns=list(KINDS)).astype(KINDS)
    stated = {**{name: value for name, value in vars(run).items() if name != "probes"}}
    return Probed(**stated, probes=probes)


def with_claims(run: Results, *claims: dict[str, Any]) -> Results:
    lab = run.record.lab.model_dump(mode="json", exclude_none=True)
    stated = parse_lab({**lab, "claims": list(claims)}, "t")
    return replace(run, record=run.record.model_copy(update={"lab": stated}))


def seven(*claims: dict[str, Any], **options: Any) -> Results:
    run = made_up(names=SEVEN, texts={"variants": LAB["variants"]}, **{"n_test": 300, **options})
    return with_claims(run, *claims)


def judged(run: Results) -> Any:
    """Give the one claim of a run as it was judged."""
    analysis = {"comparisons": comparisons(run, {})}
    frame = claims(run, {**analysis, "contrasts": contrasts(run, analysis)})
    assert len(frame) == 1
    return next(frame.itertuples())


# --- what a claim is -----------------------------------------------------------------------------


def test_every_evidence_that_a_lab_can_name_has_its_function_and_its_keys() -> None:
    assert list(EVIDENCE) == list(get_args(Evidence)) == list(CLAIM_KEYS)


def test_the_mnist_lab_has_claims_of_every_kind_and_of_every_probe() -> None:
    claims = load_lab("mnist").claims
    assert {claim.evidence for claim in claims} == set(EVIDENCE)
    assert {claim.probe for claim in claims} == {None, "border", "shift", "permutation"}
    assert len({claim.text for claim in claims}) == len(claims)


def test_the_claim_in_the_readme_is_one() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    block = next(one for one in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "[[claims]]" in one)
    stated = {"title": "A lab", "dataset": {"name": "mnist"}, "variants": LAB["variants"]}
    assert parse_lab({**stated, **tomllib.loads(block)}, "README.md").claims


def test_a_run_that_is_saved_keeps_its_claims() -> None:
    record = seven(FASTER, BORDER).record
    assert type(record).model_validate_json(record.model_dump_json()) == record


# --- verdicts ------------------------------------------------------------------------------------


def difference(low: float, high: float) -> Difference:
    return Difference(0, (low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("intervals", "expect", "verdict"),
    [
        ([(-2, -1)], "lower", HOLDS),
        ([(-2, -1), (-3, -0.1)], "lower", HOLDS),
        ([(-2, -1), (-3, 0.1)], "lower", CANT_TELL),
        ([(-2, 0)], "lower", CANT_TELL),
        ([(-2, -1), (1, 2)], "lower", DOES_NOT),
        ([(-2, 1), (1, 2)], "lower", DOES_NOT),
        ([(1, 2)], "higher", HOLDS),
        ([(0, 0)], "higher", DOES_NOT),
        ([(0, 0)], "same", HOLDS),
        ([(-0.02, 0.009)], "same", CANT_TELL),
        ([(-0.005, 0.009)], "same", HOLDS),
        ([(0.02, 0.03)], "same", DOES_NOT),
        ([(nan, nan)], "higher", CANT_TELL),
        ([(1, 2), (nan, nan)], "higher", CANT_TELL),
        ([], "higher", CANT_TELL),
    ],
)
def test_a_claim_holds_only_if_every_interval_lies_where_it_says(
    intervals: list[tuple[float, float]], expect: str, verdict: str
) -> None:
    assert judge([difference(*one) for one in intervals], expect, 0.01) == verdict


@pytest.mark.parametrize("expect", ["lower", "higher"])
def test_what_the_comparisons_cannot_tell_apart_is_no_difference(expect: str) -> None:
    for one in (difference(-2, -1), difference(1, 2), difference(-1, 1)):
        assert agrees(replace(one, apart=False), expect) is None
        assert agrees(replace(one, apart=True), expect) == agrees(one, expect)
    assert agrees(replace(difference(2, 3), apart=False), "same", 1) is None
    assert agrees(replace(difference(0.2, 0.3), apart=False), "same", 1) is True


ENDS = st.tuples(st.integers(-9, 9), st.integers(-9, 9)).map(sorted)


@given(st.lists(ENDS, min_size=1, max_size=4))
def test_no_run_bears_out_a_claim_and_its_opposite(ends: list[list[int]]) -> None:
    differences = [difference(*one) for one in ends]
    verdicts = {judge(differences, expect) for expect in ("lower", "higher")}
    assert verdicts != {HOLDS}
    assert judge([one.turned() for one in differences], "higher") == judge(differences, "lower")


@given(ENDS, st.sampled_from(["lower", "higher", "same"]))
def test_an_interval_that_holds_zero_inside_says_neither_lower_nor_higher(
    ends: list[int], expect: str
) -> None:
    low, high = ends
    if low < 0 < high and expect != "same":
        assert agrees(difference(low, high), expect) is None


def test_comparisons_are_counted_in_words() -> None:
    up, down, wide = difference(1, 2), difference(-2, -1), difference(-1, 1)
    assert tally([up], "higher") == ""
    assert tally([up, up], "higher") == "Both comparisons are as the claim says."
    assert tally([wide, wide], "higher") == "Neither of the two comparisons is clear."
    assert tally([wide] * 3, "higher") == "None of the three comparisons is clear."
    assert tally([up, down, wide], "higher") == (
        "Of three comparisons, one as the claim says, one clearly otherwise, one not clear."
    )


# --- evidence ------------------------------------------------------------------------------------


def test_pooling_layers_are_counted_with_their_parameters() -> None:
    claim = {**SAYS, "evidence": "pooling-parameters"}
    found = judged(seven(claim))
    assert (found.verdict, found.said) == (
        HOLDS,
        "The 13 pooling layers of this lab together have 0 parameters.",
    )
    run = seven(claim)
    odd = run.layers.assign(params=1)
    assert judged(replace(run, layers=odd)).verdict == DOES_NOT
    none = judged(with_claims(run_of(a=[CONV]), claim))
    assert none.verdict == CANT_TELL
    assert none.said == "Not applicable, because no network of this run has a pooling layer."


@pytest.mark.parametrize(
    ("knob", "value", "expect", "verdict"),
    [
        ("strides", 2, "lower", HOLDS),
        ("strides", 2, "same", DOES_NOT),
        ("padding", "valid", "lower", HOLDS),
        ("padding", "same", "same", HOLDS),
        ("padding", "same", "lower", DOES_NOT),
        ("strides", 7, "lower", CANT_TELL),
    ],
)
def test_a_claim_of_shapes_is_followed_through_every_convolution(
    knob: str, value: int | str, expect: str, verdict: str
) -> None:
    claim = {**SAYS, "evidence": "shape", "knob": knob, "value": value, "expect": expect}
    assert judged(seven(claim)).verdict == verdict


def test_a_shape_that_is_otherwise_is_said_with_an_example() -> None:
    claim = {**SAYS, "evidence": "shape", "knob": "strides", "value": 2, "expect": "same"}
    said = "None of the two convolutions with stride 2 keeps the map: it goes from 28×28 to 13×13 in "
    assert judged(seven(claim)).said == f"{said}cnn-valid-s2."
    alone = with_claims(run_of(a=[{**CONV, "strides": 2}]), claim)
    assert judged(alone).said.startswith("The one convolution with stride 2 does not keep the map: it goes")


def test_windows_of_one_pixel_say_nothing_of_padding() -> None:
    claim = {**SAYS, "evidence": "shape", "knob": "padding", "value": "valid", "expect": "lower"}
    assert judged(with_claims(run_of(a=[{**CONV, "kernel": 1}]), claim)).verdict == CANT_TELL


def clocked(fast: float) -> Results:
    seconds = {name: [5.0, 5.5] * 3 for name in SEVEN}
    seconds |= {"cnn-valid-s2": [2.0, 2.2] * 3, "cnn-same-s2": [fast] * 6}
    return timed(seven(FASTER), seconds)


@pytest.mark.parametrize(("fast", "verdict"), [(3.0, HOLDS), (5.2, CANT_TELL), (9.0, DOES_NOT)])
def test_a_contrast_is_judged_by_all_its_pairs(fast: float, verdict: str) -> None:
    found = judged(clocked(fast))
    assert found.verdict == verdict
    assert "cnn-valid-s2 against cnn-valid-s1 −3.15 (−3.50 to −2.80)" in found.said
    assert "no confidence interval" in found.said
    numbers = json.loads(found.numbers)
    ends = [numbers[f"cnn-valid-s2 against cnn-valid-s1{end}"] for end in ("", ", low", ", high")]
    assert ends == pytest.approx([-3.15, -3.5, -2.8])


def test_a_contrast_turned_around_is_the_opposite_claim() -> None:
    run = clocked(3.0)
    turned = {**FASTER, "change": [2, 1], "expect": "higher"}
    assert judged(with_claims(run, turned)).verdict == HOLDS
    assert "cnn-valid-s1 against cnn-valid-s2 +3.15 (+2.80 to +3.50)" in judged(with_claims(run, turned)).said


def test_one_timing_cannot_tell_which_is_quicker() -> None:
    found = judged(seven(FASTER))
    assert found.verdict == CANT_TELL
    assert found.said.endswith("No interval to judge by, because the epochs were not timed by themselves.")


@pytest.mark.parametrize(
    ("epochs", "few"), [(1, "one epoch each is"), (3, "three epochs of one training each are")]
)
def test_the_range_of_fewer_than_four_epochs_gives_no_verdict_and_says_why(epochs: int, few: str) -> None:
    quick = {name: [1.0 if "s2" in name else 9.0] * epochs for name in SEVEN}
    found = judged(timed(seven(FASTER), quick))
    assert found.verdict == CANT_TELL
    assert found.said.endswith(f"No interval to judge by, because {few} too few (four are needed).")
    enough = {name: [values[0]] * 4 for name, values in quick.items()}
    assert judged(timed(seven(FASTER), enough)).verdict == HOLDS


def test_epochs_of_equal_speed_give_a_verdict_in_three_of_100_runs_at_most() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.normal(10, 1, (20_000, 2, 4))
    least, most = drawn.min(axis=2), drawn.max(axis=2)
    apart = (most[:, 0] < least[:, 1]) | (most[:, 1] < least[:, 0])
    few = slower(*(Timing(tuple(one[:3]), (one[:3].mean(),), (1.0,)) for one in drawn[0]))
    enough = slower(*(Timing(tuple(one), (one.mean(),), (1.0,)) for one in drawn[0]))
    assert (enough.low, enough.high) == (least[0, 1] - most[0, 0], most[0, 1] - least[0, 0])
    assert np.isnan(few.low)
    assert apart.mean() <= 0.031


def test_seconds_say_what_they_depend_on_besides_the_networks() -> None:
    run = clocked(3.0)
    assert "machine" not in judged(run).said
    jobs = [one.model_copy(update={"reused": one.variant == "cnn-same-s2"}) for one in run.record.jobs]
    update = {"environment": {**run.record.environment, "jobs": 2}, "jobs": tuple(jobs)}
    found = judged(replace(run, record=run.record.model_copy(update=update)))
    assert found.said.endswith(
        "Up to two trainings at a time shared the machine, so that seconds depend on the neighbour too; "
        "one of four timings are of trainings from earlier runs."
    )


def test_a_contrast_without_a_pair_is_not_applicable() -> None:
    found = judged(with_claims(run_of(a=[CONV]), FASTER))
    assert (found.verdict, found.said) == (
        CANT_TELL,
        "Not applicable, because no two networks of this run differ in stride 1 and stride 2 alone.",
    )


def test_a_pair_with_a_failed_training_keeps_a_claim_from_holding() -> None:
    run = timed(seven(FASTER, unfinished={"cnn-same-s2": FAILED}), {name: [5.0, 5.5] * 3 for name in SEVEN})
    rest = run.epochs["value"].where(run.epochs["variant"] != "cnn-valid-s2", 1.0)
    found = judged(replace(run, epochs=run.epochs.assign(value=rest)))
    assert found.verdict == CANT_TELL
    both = {"cnn-same-s2": FAILED, "cnn-valid-s2": FAILED}
    found = judged(seven(FASTER, unfinished=both))
    assert found.said == "Not applicable, because cnn-valid-s2 has no finished training."


LESS_ACCURATE = {**FASTER, "quantity": "accuracy", "expect": "lower"}


@cache
def three_networks(seeds: int) -> Results:
    layers = {"a": [CONV], "b": [{**CONV, "strides": 2}], "c": [{**CONV, "padding": "same"}]}
    stated = [{"name": name, "layers": [*first, *END]} for name, first in layers.items()]
    run = made_up(names=("a", "b", "c"), baseline=None, texts={"variants": stated}, n_test=200, seeds=seeds)
    return with_claims(run, LESS_ACCURATE)


def alike(rng: np.random.Generator, seeds: int) -> Results:
    """Make up networks of one skill that err together on hard images; each training is luckier or not."""
    run = three_networks(seeds)
    right = 1 - 0.4 * (rng.random((run.record.dataset.n_test, 1)) < 0.2)
    predictions, runs = run.predictions, run.runs.copy()
    hits = rng.random((len(right), len(runs))) < right + rng.normal(0, 0.01, (1, len(runs))) * (seeds > 1)
    given = {(row.variant, row.seed): n for n, row in enumerate(runs.itertuples())}
    chosen = [given[key] for key in zip(predictions["variant"], predictions["seed"], strict=True)]
    hit = hits[predictions["index"].to_numpy(int), chosen]
    label = predictions["label"]
    runs["test_accuracy"] = hits.mean(axis=0)
    predicted = label.where(hit, (label + 1) % 10)
    return replace(run, predictions=predictions.assign(predicted=predicted), runs=runs)


def verdicts_without_a_difference(runs: int, seeds: int) -> int:
    """Count the runs in which the claim or the comparisons see a difference that is not there."""
    rng, found = np.random.default_rng(seeds), 0
    for _ in range(runs):
        run = alike(rng, seeds)
        compared = comparisons(run, {})
        pairs = compared[(compared["family"] == PAIRS) & (compared["kind"] == spoken_of(compared))]
        analysis = {"comparisons": compared}
        verdict = claims(run, {**analysis, "contrasts": contrasts(run, analysis)})["verdict"].iloc[0]
        assert verdict == CANT_TELL or pairs["apart"].any()
        found += bool(pairs["apart"].any())
    return found


@pytest.mark.long
@pytest.mark.parametrize("seeds", [1, 3])
def test_without_a_difference_a_claim_of_accuracy_is_seldom_judged(seeds: int) -> None:
    assert verdicts_without_a_difference(40, seeds) <= 4  # 5 % of 40 are 2


@pytest.mark.long
@pytest.mark.parametrize("seeds", [1, 3])
def test_of_500_runs_without_a_difference_5_percent_at_most_judge_a_claim_of_accuracy(seeds: int) -> None:
    assert verdicts_without_a_difference(500, seeds) <= 25


def test_a_claim_of_accuracy_counts_only_what_the_comparisons_tell_apart() -> None:
    run = seven(LESS_ACCURATE, n_test=1000, accuracies=(0.5, 0.92, 0.99, 0.892, 0.8, 0.9, 0.9))
    compared = comparisons(run, {})
    found = judged(run)
    rows = compared[(compared["kind"] == NETWORKS) & (compared["a"] == "cnn-valid-s1")].set_index("b")
    assert not rows.loc["cnn-valid-s2", "apart"]
    assert rows.loc["cnn-valid-s2", "high"] < 0
    assert found.verdict == CANT_TELL
    assert "not enough among all pairs)" in found.said
    assert "one as the claim says, one not clear" in found.said
    assert "adjusted for all 21 pairs of this run" in found.said


def test_parameters_are_compared_exactly() -> None:
    claim = {**FASTER, "quantity": "params", "expect": "lower"}
    found = judged(seven(claim))
    assert found.verdict == HOLDS
    assert "By arithmetic." in found.said


@pytest.mark.parametrize("claim", [BORDER, SHIFT, PERMUTED])
def test_a_run_without_the_probe_says_so(claim: dict[str, Any]) -> None:
    found = judged(seven(claim))
    assert (found.verdict, found.said) == (
        CANT_TELL,
        f"Not applicable, because this run has no {claim['probe']} probe.",
    )
    assert judged(with_probes(seven(claim), [])).verdict == CANT_TELL


def level(claim: dict[str, Any], **options: Any) -> Results:
    """Make up networks that are equally good on 1,000 unmoved images."""
    return seven(claim, **{"n_test": 1000, "accuracies": (0.95,) * 7, **options})


def at_the_edges(same: int, seed: int = 1) -> list[tuple[Any, ...]]:
    return [
        (name, seed, "border", edge, None, same if "same" in name else 700, 1000)
        for name in SEVEN
        for edge in ("left", "right", "top", "bottom")
    ]


@pytest.mark.parametrize(("same", "verdict"), [(820, HOLDS), (710, CANT_TELL), (580, DOES_NOT)])
def test_padding_at_the_border_is_judged_by_networks_that_differ_in_padding(same: int, verdict: str) -> None:
    found = judged(with_probes(level(BORDER), at_the_edges(same)))
    assert found.verdict == verdict
    assert {name for name in json.loads(found.numbers) if "," not in name} == {
        "cnn-same-s1 against cnn-valid-s1",
        "cnn-same-s2 against cnn-valid-s2",
    }
    assert "95\u00a0% for both together: Newcombe" in found.said


def test_a_network_that_is_better_everywhere_does_not_cope_better_at_the_border() -> None:
    better = tuple(0.95 if "same" in name else 0.8 for name in SEVEN)
    found = judged(with_probes(level(BORDER, accuracies=better), at_the_edges(850)))
    assert found.verdict == CANT_TELL
    assert "cnn-same-s1 against cnn-valid-s1 0.00 (" in found.said
    assert judged(with_probes(level(BORDER), at_the_edges(850))).verdict == HOLDS


def test_without_predictions_of_the_probes_images_a_change_is_not_known() -> None:
    found = judged(with_probes(seven(BORDER), at_the_edges(850)))
    why = "it is not known what the networks make of the same images unmoved"
    assert (found.verdict, found.said) == (CANT_TELL, f"Not applicable, because {why}.")


def moved(dense: int, seed: int = 1) -> list[tuple[Any, ...]]:
    rows = [(name, seed, "shift", "0", 0, 980, 1000) for name in SEVEN]
    for name in SEVEN:
        right = dense if name == "mlp" else 3200
        rows += [(name, seed, "shift", str(n), n, right, 4000) for n in (1, 2)]
    return rows


@pytest.mark.parametrize(("dense", "verdict"), [(2000, HOLDS), (3210, CANT_TELL), (3900, DOES_NOT)])
def test_dense_networks_are_compared_with_convolutional_ones_on_moved_images(
    dense: int, verdict: str
) -> None:
    found = judged(with_probes(level(SHIFT), moved(dense)))
    assert found.verdict == verdict
    assert len(json.loads(found.numbers)) == 6 * 3


def test_several_ways_to_move_an_image_are_not_several_images() -> None:
    run = level(SHIFT)
    found = judged(with_probes(run, moved(2000)))
    low, high = newcombe(500, 800, 1000, 1000, 0.05 / 6)
    one, other = (hits_of(run, name) for name in ("mlp", "cnn-valid-s1"))
    least, most = wald_plus_2(int((one & ~other).sum()), int((other & ~one).sum()), 1000, 0.05 / 6)
    assert f"+30.00 (+{100 * (low - most):.2f} to +{100 * (high - least):.2f})" in found.said
    assert "for all six together" in found.said


def hits_of(run: Results, variant: str) -> Any:
    mine = run.predictions[run.predictions["variant"] == variant].sort_values("index")
    return (mine["label"] == mine["predicted"]).to_numpy(bool)


def test_with_two_seeds_only_the_first_one_of_a_probe_counts() -> None:
    rows = moved(2000) + moved(3900, seed=2)
    assert judged(with_probes(level(SHIFT, seeds=2), rows)).verdict == HOLDS


@pytest.mark.parametrize(
    ("dense", "verdict"),
    [((2000, 2100, 1900), HOLDS), ((2000, 3900, 3100), CANT_TELL), ((3900, 3950, 3850), DOES_NOT)],
)
def test_with_three_seeds_a_probe_is_judged_by_the_means_over_them(
    dense: tuple[int, ...], verdict: str
) -> None:
    rows = [row for seed, right in enumerate(dense, start=1) for row in moved(right, seed)]
    found = judged(with_probes(level(SHIFT, seeds=3), rows))
    assert found.verdict == verdict
    assert "t over seeds and images" in found.said and "Newcombe" not in found.said


def test_seeds_that_all_agree_are_judged_by_the_images() -> None:
    rows = [row for seed in (1, 2, 3) for row in moved(2000, seed)]
    assert judged(with_probes(level(SHIFT, seeds=3), rows)).verdict == HOLDS


def test_without_a_dense_network_a_shift_says_nothing() -> None:
    run = with_claims(run_of(a=[CONV]), SHIFT)
    found = judged(with_probes(run, [("a", 1, "shift", "1", 1, 5, 10)]))
    assert found.said == "Not applicable, because this run has not both a dense and a convolutional network."


def shuffled(dense: int, n: int = 10_000) -> list[tuple[Any, ...]]:
    return [
        (name, 1, "permutation", level, None, right, n)
        for name, right in (("mlp", dense), ("cnn-same-s1", 9000))
        for level, right in (("original", 9800), ("permuted", right))
    ]


@pytest.mark.parametrize(("dense", "verdict"), [(9790, HOLDS), (9700, CANT_TELL), (9500, DOES_NOT)])
def test_a_dense_network_that_learns_shuffled_pixels_as_well_is_the_same_within_a_point(
    dense: int, verdict: str
) -> None:
    found = judged(with_probes(seven(PERMUTED), shuffled(dense)))
    assert found.verdict == verdict
    assert "Beside it, with convolutions: cnn-same-s1 −8.00" in found.said


def test_a_permutation_of_convolutional_networks_alone_says_nothing_of_dense_ones() -> None:
    rows = [row for row in shuffled(9800) if row[0] != "mlp"]
    assert judged(with_probes(seven(PERMUTED), rows)).verdict == CANT_TELL


@pytest.mark.parametrize(("side", "same", "valid"), [(28, 4, 3), (8, 3, 1), (32, 5, 3), (2, 1, 0), (1, 0, 0)])
def test_blocks_are_stacked_until_the_map_is_used_up(side: int, same: int, valid: int) -> None:
    assert (blocks(side, "same"), blocks(side, "valid")) == (same, valid)


def test_stacking_names_the_network_that_needs_its_padding() -> None:
    claim = {**SAYS, "evidence": "stacking"}
    found = judged(seven(claim))
    assert found.verdict == HOLDS
    assert "four blocks" in found.said
    assert "cnn-same-deep stacks six convolutions; without padding its layer 8 (Conv2D)" in found.said
    lost = judged(seven(claim, unfinished={"cnn-same-deep": FAILED}))
    assert lost.said.endswith("It has no finished training.")
    tiny = made_up(names=("a",), baseline=None, image_shape=(8, 8, 1), n_test=60)
    assert "cnn-same-deep" not in judged(with_claims(tiny, claim)).said


# --- numbers -------------------------------------------------------------------------------------

NUMBER = re.compile(r"(?<![\w.-])[+\u2212]?\d[\d,]*(?:\.\d+)?(?![\w-])")
METHODS = re.compile(r"In brackets (?:\d+\s?%|the range)[^.]*\.|3×3|2×2|and \d+ more")


def stated(said: str, names: list[str]) -> list[str]:
    """List the numbers in a sentence, but for those in names and in words about methods."""
    for name in sorted(names, key=len, reverse=True):
        said = said.replace(name, "")
    return [one.replace(",", "").replace("\u2212", "-") for one in NUMBER.findall(METHODS.sub("", said))]


def known(text: str, numbers: dict[str, Any]) -> bool:
    """Tell whether a number as it is written is one of those behind it, as it is or in percent."""
    digits = len(text.partition(".")[2])
    values = [value for value in numbers.values() if isinstance(value, (int, float))]
    words = " ".join(value for value in numbers.values() if isinstance(value, str))
    shapes = [int(n) for n in re.findall(r"\d+", words)]
    every = [*values, *(100 * value for value in values), *shapes]
    return any(abs(value - float(text)) <= 0.5001 * 10**-digits for value in every)


@pytest.mark.parametrize("seeds", [1, 3])
def test_every_number_in_a_claims_sentence_stands_beside_it_unrounded(seeds: int) -> None:
    accuracy = {**FASTER, "quantity": "accuracy"}
    claims_of = [*LAB["claims"], {**accuracy, "expect": "same"}, {**FASTER, "quantity": "multiply_adds"}]
    run = seven(*claims_of, n_test=1000, seeds=seeds)
    rows = [row for seed in range(1, seeds + 1) for row in at_the_edges(800, seed) + moved(2000, seed)]
    run = with_probes(timed(run, {name: [5.0, 5.5, 5.25] * 2 for name in SEVEN}), rows + shuffled(9790))
    frame = frames.analyse(run)["claims"]
    found = 0
    for row in frame.itertuples():
        numbers = json.loads(row.numbers)
        for text in stated(row.said, [*SEVEN]):
            found += 1
            assert known(text, numbers), (text, row.said, numbers)
    assert found > 60


# --- frames and pages ----------------------------------------------------------------------------


def whole() -> Results:
    run = seven(*LAB["claims"], n_test=1000)
    return with_probes(run, at_the_edges(800) + moved(2000) + shuffled(9790))


def test_frames_are_written_beside_the_runs_own(tmp_path: Path) -> None:
    analysis = frames.analyse(whole())
    frames.write(analysis, tmp_path)
    for name in ("contrasts", "claims"):
        back = pd.read_parquet(tmp_path / "frames" / f"{name}.parquet")
        pd.testing.assert_frame_equal(back, analysis[name])
    claims = analysis["claims"]
    assert {name: str(dtype) for name, dtype in claims.dtypes.items()} == COLUMNS
    assert list(claims["position"]) == list(range(1, len(LAB["claims"]) + 1))
    assert set(claims["verdict"]) <= {HOLDS, DOES_NOT, CANT_TELL}


@pytest.mark.parametrize("seeds", [1, 3])
def test_all_failed_trainings_leave_claims_that_cannot_be_told(seeds: int) -> None:
    run = seven(*LAB["claims"], unfinished=dict.fromkeys(SEVEN, FAILED), seeds=seeds)
    verdicts = frames.analyse(run)["claims"].set_index("evidence")["verdict"]
    assert set(verdicts["contrast"]) == set(verdicts["probe"]) == {CANT_TELL}
    assert "Not applicable, because" in section_of(run)


def section_of(run: Results) -> str:
    return section_html(run, "claims")


def test_the_section_has_every_claim_with_its_verdict_a_table_and_the_probes_charts() -> None:
    page = section_of(whole())
    assert page.count('<li class="claim ') == len(LAB["claims"])
    assert page.count("<figure") == 2
    assert page.count('<th scope="row">') == 5
    assert "mlp: 0 98.0 %, 1 50.0 %" in page.replace("\N{NO-BREAK SPACE}", " ")
    for verdict in (HOLDS, "can&#39;t tell here"):
        assert f"<strong>{verdict}</strong>" in page


def test_each_verdict_has_a_sign_of_its_own_shape() -> None:
    run = seven(
        {**SAYS, "evidence": "stacking"},
        {**SAYS, "evidence": "shape", "knob": "strides", "value": 2, "expect": "same"},
        SHIFT,
    )
    signs = re.findall(r'<svg[^>]*"0 0 14 14".*?</svg>', section_of(run), re.DOTALL)
    assert len({re.sub(r"#\w+", "", sign) for sign in signs}) == 3


def test_a_run_without_probes_has_no_chart_of_them() -> None:
    assert "<figure" not in section_of(seven(*LAB["claims"]))


def test_a_lab_that_claims_and_compares_nothing_has_no_such_section() -> None:
    assert "claims" in SECTIONS
    assert section_of(made_up(names=("a",), baseline=None, n_test=60)) == ""


def test_a_lab_without_claims_still_has_its_knobs() -> None:
    page = section_of(seven())
    assert "This lab states no claims" in page
    assert "contrasts" in page


def test_a_lab_with_claims_and_one_network_says_why_there_is_no_table() -> None:
    page = section_of(with_claims(run_of(a=[CONV]), FASTER))
    assert "no two networks of this run differ in one only" in page


def test_many_pairs_are_cut_and_the_rest_counted() -> None:
    variants = {f"n{n}": [{**CONV, "conv2d": n}] for n in range(1, 9)}
    page = section_of(run_of(**variants))
    assert page.count('<th scope="row">') == 24
    assert "4 more pairs stand in frames/contrasts.parquet" in page
    assert '<table class="contrasts sortable long"' in page


def test_a_short_table_stays_on_one_page() -> None:
    assert '<table class="contrasts sortable"' in section_of(seven())


def test_a_claims_text_is_text() -> None:
    page = section_of(seven({**SAYS, "text": "<b>&</b> \u202e `same`" + "w" * 9000, "evidence": "stacking"}))
    assert "<b>" not in page
    assert "\u202e" not in page
    assert "<code>same</code>" in page
    assert len(page) < 20_000
