"""What a report says in words: what the comparisons carry and no more, and each number in a frame."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.analysis.comparisons import comparisons
from reportgen.analysis.costs import pairs_apart, reading
from reportgen.analysis.evidence import (
    ANSWER,
    NOT_APPLICABLE,
    NOTE,
    NOTHING,
    WARNING,
    Evidence,
    NotApplicable,
    Said,
)
from reportgen.analysis.findings import FINDINGS, findings
from reportgen.analysis.frames import analyse
from reportgen.analysis.scores import leaderboard
from reportgen.analysis.scoring import calibration, per_class
from reportgen.jobs import DIVERGED, FAILED
from reportgen.results import DatasetRecord, Results
from slim import compared, slim_run
from synthetic import example, made_up

OF_DIFFERENCES = (
    "against-baseline",
    "best-score",
    "smaller-but-better",
    "resolution",
    "cannot-tell",
    "single-seeds",
    "label-errors",
)


def ask(code: str, run: Any, analysis: dict[str, pd.DataFrame] | None = None) -> Said | NotApplicable:
    return FINDINGS[code].ask(Evidence(run, compared(run) if analysis is None else analysis))


def said(code: str, run: Any, analysis: dict[str, pd.DataFrame] | None = None) -> Said:
    answer = ask(code, run, analysis)
    assert isinstance(answer, Said), answer
    return answer


@st.composite
def runs(draw: st.DrawFn) -> Any:
    """Make up runs of networks that share hard images, some of them better than others."""
    n, variants = draw(st.sampled_from([1, 40, 300])), draw(st.integers(1, 5))
    seeds = draw(st.sampled_from([1, 1, 2, 3]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    skill = rng.choice([0.0, 0.7, 0.9, 0.9, 1.0], (1, variants, 1))
    hard = rng.random((n, 1, 1)) < 0.2
    answers = rng.random((n, variants, seeds)) < np.where(hard, 0.6 * skill, skill)
    base = draw(st.sampled_from([None, *range(variants)]))
    sizes = tuple(int(size) for size in rng.integers(1, 10**6, variants))
    return slim_run(answers, base, sizes)


# --- what is said of differences -----------------------------------------------------------------


def text(answer: Said | NotApplicable) -> str:
    return f"{answer.lead} {answer.rest}".strip() if isinstance(answer, Said) else ""


def named(words: str) -> set[str]:
    return set(re.findall(r"\bv\d\b", words))


@given(runs())
@settings(max_examples=60, deadline=None)
def test_what_is_said_of_the_baseline_is_what_the_comparisons_tell(run: Any) -> None:
    evidence = Evidence(run, compared(run))
    answer = FINDINGS["against-baseline"].ask(evidence)
    if run.record.lab.baseline is None or len(run.variants) < 2:
        assert isinstance(answer, NotApplicable)
        return
    assert isinstance(answer, Said)
    base, told = evidence.base, evidence.telling
    others = [name for name in run.variants if name != base]
    above = {name for name in others if told.above(name, base)}
    below = {name for name in others if told.above(base, name)}
    assert answer.lead.startswith("No ") == (not above)
    assert answer.lead.startswith(("All", "Both")) == (len(above) == len(others) > 1)
    *_, last = answer.rest.split("it: ")[0].rpartition("cannot be told apart") if answer.rest else ("", "")
    level = set(others) - above - below
    for name in level:
        assert re.search(rf"\b{name}\b.*cannot be told apart from it", answer.rest)
    assert ("clearly less accurate" in answer.rest) == bool(below)
    assert ("in this run" in answer.lead) == (not told.architectures)
    assert (answer.numbers["above"], answer.numbers["below"]) == (len(above), len(below))
    assert last is not None


@given(runs())
@settings(max_examples=60, deadline=None)
def test_a_network_is_called_the_most_accurate_only_where_it_is_told_apart_from_all(run: Any) -> None:
    evidence = Evidence(run, compared(run))
    answer = FINDINGS["best-score"].ask(evidence)
    assert isinstance(answer, Said)
    best, *others = evidence.standings
    if not others:
        assert "classifies" in answer.lead
        return
    level = {one.variant for one in others if not evidence.telling.apart(best.variant, one.variant)}
    ties = {one.variant for one in evidence.standings if one.accuracy == best.accuracy}
    if len(ties) > 1:
        assert named(answer.lead) == ties
        assert "share the highest score" in answer.lead
    elif level:
        told = answer.rest.split("told apart from ")[1].split(";")[0].split(":")[0]
        assert "any other" in told or named(told) == level
        assert ("any other" in told) == (len(level) == len(others) > 1)
    else:
        assert answer.lead == f"{best.variant} is the most accurate:"


@given(runs())
@settings(max_examples=40, deadline=None)
def test_a_small_network_is_praised_only_where_it_is_told_apart_from_the_baseline(run: Any) -> None:
    evidence = Evidence(run, compared(run))
    answer = FINDINGS["smaller-but-better"].ask(evidence)
    if not isinstance(answer, Said) or answer.level == NOTHING:
        return
    one, base = (evidence.standing(name) for name in (answer.rest.split()[0], evidence.base))
    assert evidence.telling.above(one.variant, base.variant)
    assert (one.params or 0) < 0.8 * (base.params or 0)


@given(runs())
@settings(max_examples=40, deadline=None)
def test_letters_words_and_costs_tell_the_same_networks_apart(run: Any) -> None:
    evidence = Evidence(run, compared(run))
    told, board = evidence.telling, evidence.board
    apart = [pair for pair in combinations(run.variants, 2) if told.apart(*pair)]
    for one, other in combinations(run.variants, 2):
        shared = set(told.letters[one]) & set(told.letters[other])
        assert bool(shared) == ((one, other) not in apart)
    total, ahead = pairs_apart(run, told, "params")
    params = {one.variant: one.params or 0 for one in board.scored}
    differ = [pair for pair in apart if params[pair[0]] != params[pair[1]]]
    assert total == len(differ)
    assert ahead == sum(
        told.above(max(pair, key=params.__getitem__), min(pair, key=params.__getitem__)) for pair in differ
    )
    if len(run.variants) > 1:
        answer = FINDINGS["cannot-tell"].ask(evidence)
        assert isinstance(answer, Said)
        assert answer.numbers["not told apart"] == len(told.pairs) - len(apart)


@given(runs())
@settings(max_examples=40, deadline=None)
def test_every_sentence_is_whole(run: Any) -> None:
    evidence = Evidence(run, compared(run))
    for code in OF_DIFFERENCES:
        answer = FINDINGS[code].ask(evidence)
        if isinstance(answer, Said):
            words = text(answer)
            assert words[-1] in ".:", words
            assert "nan" not in words.split()
            assert "  " not in words
            json.dumps(answer.numbers, allow_nan=False)
        else:
            assert answer.why[0].islower()
            assert answer.why[-1] != "."


def test_costs_are_read_in_words() -> None:
    rng = np.random.default_rng(0)
    shares = np.array([0.99, 0.6, 0.8])
    run = slim_run(rng.random((1000, 3, 1)) < shares[None, :, None], 0, (9000, 10, 500))
    evidence = Evidence(run, compared(run))
    apart = "In all three pairs of networks that can be told apart,"
    words = reading(run, evidence.telling, "params")
    assert words == f"{apart} the one with more parameters is the more accurate."
    none = "There are no two networks that can be told apart and whose seconds an epoch differ clearly."
    assert reading(run, evidence.telling, "seconds") == none
    that = "that can be told apart and whose seconds an epoch differ clearly"
    longer = "the one whose epochs took longer is the more accurate."
    for epochs, last, words in (
        (5, 15.0, f"In all three pairs of networks {that}, {longer}"),
        (5, 33.0, f"In both pairs of networks {that}, {longer}"),  # once as slow as the slowest
        (3, 15.0, none),  # too few epochs for a range
    ):
        timings = {"v0": [32.0] * epochs, "v1": [1.0] * epochs, "v2": [*[15.0] * (epochs - 1), last]}
        rows = [
            (name, 1, epoch, "train", "seconds", value)
            for name, values in timings.items()
            for epoch, value in enumerate(values, start=2)
        ]
        run.epochs = pd.DataFrame(rows, columns=run.epochs.columns)
        assert reading(run, evidence.telling, "seconds") == words


# --- the chance of a false claim -----------------------------------------------------------------


def alike(rng: np.random.Generator, n: int, variants: int, seeds: int) -> Any:
    """Make up networks of one architecture: of one skill, erring together on hard images.

    Of several seeds, each training is by chance a little better or worse.
    """
    hard = rng.random((n, 1, 1)) < 0.2
    skill = rng.normal(0, 0.01, (1, variants, seeds)) if seeds > 1 else 0.0
    return slim_run(rng.random((n, variants, seeds)) < np.where(hard, 0.6, 0.97) + skill)


CLAIMS = re.compile(
    r"^(?!No ).*more accurate than|less accurate|is the most accurate|does not come from size|"
    r"^(All|The two).* can be told"
)


def claims_a_difference(run: Any) -> bool:
    evidence = Evidence(run, compared(run))
    answers = [FINDINGS[code].ask(evidence) for code in OF_DIFFERENCES]
    apart = sum(pair.apart for pair in evidence.telling.pairs.values())
    claimed = any(CLAIMS.search(text(answer)) for answer in answers)
    assert not claimed or apart, [text(answer) for answer in answers]
    return bool(apart)  # a letter of its own, or one missing among those not told apart, is a claim too


def state_a_difference(experiments: int, variants: int, seeds: int) -> int:
    rng = np.random.default_rng([variants, seeds])
    return sum(claims_a_difference(alike(rng, 300, variants, seeds)) for _ in range(experiments))


@pytest.mark.long
@pytest.mark.parametrize("seeds", [1, 3])
def test_of_experiments_without_a_difference_at_most_5_percent_state_one(seeds: int) -> None:
    assert state_a_difference(100, 4, seeds) <= 5


@pytest.mark.long
@pytest.mark.parametrize(("variants", "seeds"), [(4, 1), (2, 1), (4, 3), (2, 3), (7, 3), (3, 5)])
def test_of_1000_experiments_without_a_difference_at_most_50_state_one(variants: int, seeds: int) -> None:
    assert state_a_difference(1000, variants, seeds) <= 50


@pytest.mark.long
def test_classes_that_are_alike_are_seldom_set_apart() -> None:
    rng = np.random.default_rng(0)
    run = made_up(names=("a", "b"), n_test=100)
    false = 0
    for _ in range(200):
        # 10 classes of 40 images each, all recognised with the same chance
        hits = rng.binomial(40, 0.8, (2, 10))
        rows = [
            {
                "variant": name,
                "seed": 1,
                "label": k,
                "metric": "recall",
                "value": hits[v, k] / 40,
                "n": 40,
                "low": 0.0,
                "high": 1.0,
            }
            for v, name in enumerate(("a", "b"))
            for k in range(10)
        ]
        false += said("class-below", run, {"per_class": pd.DataFrame(rows)}).level == WARNING
    assert false <= 10


@pytest.mark.long
def test_networks_that_are_as_sure_as_right_are_seldom_called_miscalibrated() -> None:
    rng = np.random.default_rng(0)
    run = made_up(names=("a", "b"), n_test=100)
    false = 0
    for _ in range(200):
        parts = []
        for name in ("a", "b"):
            sure = 1 - rng.beta(0.5, 5, 500)
            right = rng.random(500) < sure
            parts.append(
                pd.DataFrame(
                    {
                        "variant": name,
                        "seed": 1,
                        "label": 1,
                        "predicted": right.astype(int),
                        "confidence": sure,
                    }
                )
            )
        bins = calibration(replace(run, predictions=pd.concat(parts)), {})
        scores = pd.DataFrame({"variant": ["a", "b"], "seed": 1, "metric": "ece", "value": 0.01})
        false += said("miscalibration", run, {"calibration": bins, "scores": scores}).level != NOTHING
    assert false <= 10


# --- each check ----------------------------------------------------------------------------------


def small(**options: Any) -> Results:
    return made_up(**{"names": ("mlp", "cnn"), "n_test": 400, "accuracies": (0.9, 0.9), **options})


def with_record(run: Results, **dataset: Any) -> Results:
    data = run.record.dataset.model_copy(update=dataset)
    return replace(run, record=run.record.model_copy(update={"dataset": data}))


def with_protocol(run: Results, **protocol: Any) -> Results:
    lab = run.record.lab
    lab = lab.model_copy(update={"protocol": lab.protocol.model_copy(update=protocol)})
    return replace(run, record=run.record.model_copy(update={"lab": lab}))


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_networks_that_answer_alike_are_told_apart_nowhere(right: float) -> None:
    run = slim_run(np.full((50, 3, 1), bool(right)))
    assert said("against-baseline", run).lead.startswith("No trained network is clearly more accurate")
    assert said("best-score", run).lead == "v0, v1 and v2 share the highest score:"
    assert said("cannot-tell", run).numbers["not told apart"] == 3
    assert ask("resolution", run) == NotApplicable(
        "there is no test image that only one of two networks gets right"
    )


def test_few_images_on_which_networks_differ_are_too_few_to_tell_them_apart() -> None:
    answers = np.ones((100, 2, 1), bool)
    answers[0, 0] = False
    assert "too few for any to be found" in said("resolution", slim_run(answers)).rest


def test_what_is_said_names_architectures_only_with_three_seeds_of_all() -> None:
    rng = np.random.default_rng(0)
    answers = rng.random((1000, 2, 3)) < np.array([0.7, 0.95])[None, :, None]
    lead = said("against-baseline", slim_run(answers)).lead
    assert lead == "v1 is more accurate than the baseline v0."
    assert "on average over 3 seeds" in said("best-score", slim_run(answers)).rest
    two = said("against-baseline", slim_run(answers[:, :, :2]))
    assert two.lead == "v1 is more accurate than the baseline v0 in this run."
    assert "in the first training" in two.rest


def test_a_difference_that_looks_clear_by_itself_is_explained_where_it_is_not_enough_among_all_pairs() -> (
    None
):
    # Each network errs on images of its own: 24 against 12, whose interval just leaves 0 out.
    answers = np.ones((1000, 3, 1), bool)
    for v, wrong in enumerate((24, 12, 12)):
        answers[100 * v : 100 * v + wrong, v] = False
    evidence = Evidence(slim_run(answers), compared(slim_run(answers)))
    pair = evidence.telling.pair("v0", "v1")
    assert not pair.apart
    assert pair.low > 0
    assert evidence.level_points(pair) == "1.2 points (0.0 to 2.4, which is not enough among 3 pairs)"
    assert evidence.level_points(replace(pair, low=-0.001)) == "1.2 points (−0.1 to 2.4)"


def test_single_seeds_that_stand_otherwise_are_counted() -> None:
    answers = np.zeros((100, 2, 3), bool)
    for v, shares in enumerate(((80, 90, 85), (84, 92, 91))):
        for seed, share in enumerate(shares):
            answers[:share, v, seed] = True
    found = said("single-seeds", slim_run(answers))
    assert found.numbers["v1 − v0, reversed"] == pytest.approx(2 / 9)  # 84 < 90, 84 < 85
    assert "in 22\N{NO-BREAK SPACE}% of the pairs of seeds" in found.rest
    assert isinstance(ask("single-seeds", slim_run(answers[:, :, :2])), NotApplicable)


def test_where_nothing_was_trained_it_is_said_and_every_other_check_says_why_it_is_not_made() -> None:
    run = made_up(names=("a", "b"), unfinished={"a": FAILED, "b": DIVERGED})
    frame = findings(run, analyse(run)).set_index("code")
    assert frame.loc["trainings", "lead"] == "No training was finished."
    assert frame.loc["trainings", "level"] == ANSWER
    rest = frame.drop(["trainings", "validation-set", "repeated-images"])
    assert not rest["applies"].any()
    assert rest["lead"].str.fullmatch("Not applicable, because .*[.]").all()


def test_one_reason_is_not_given_for_two_failures_that_differ() -> None:
    names = ("a", "b", "c")
    same = made_up(names=names, baseline="a", unfinished={"b": FAILED, "c": FAILED}, n_test=60)
    assert said("without-score", same, {}).rest.startswith("failed: ResourceExhaustedError")
    other = made_up(names=names, baseline="a", unfinished={"b": FAILED, "c": DIVERGED}, n_test=60)
    found = said("without-score", other, {})
    assert (found.lead, found.rest) == ("No score for b and c:", "the reasons stand in the table below.")


def test_a_seed_that_failed_is_named() -> None:
    run = small(seeds=3)
    rows = run.runs.copy()
    broken = (rows["variant"] == "cnn") & (rows["seed"] == 2)
    rows.loc[broken, ["status", "error"]] = [FAILED, "no luck"]
    found = said("seeds-missing", replace(run, runs=rows), {})
    assert (found.level, found.lead) == (WARNING, "Not every seed was finished: cnn (2 of 3).")
    assert found.rest == "cnn failed: no luck."


def history(run: Results, **ends: list[float]) -> Results:
    """Replace the epochs of all trainings; `ends` maps train_accuracy and the like to values by epoch."""
    rows = [
        {
            "variant": name,
            "seed": 1,
            "epoch": epoch,
            "split": key.split("_")[0],
            "metric": key.split("_")[1],
            "value": value,
        }
        for name in run.variants
        for key, values in ends.items()
        for epoch, value in enumerate(values, start=1)
    ]
    return replace(run, epochs=pd.DataFrame(rows))


def test_a_gap_that_its_interval_carries_is_a_sign_of_overfitting_and_is_measured_as_said() -> None:
    run = history(small(), train_accuracy=[0.9, 0.99], validation_accuracy=[0.9, 0.90])
    found = said("overfitting", run, {})
    assert found.level == WARNING
    assert (
        "mlp is 9.0 points (6.0 to 12.4) more accurate on the training than on the validation images"
        in found.rest
    )
    assert "with dropout at work" in found.rest
    level = history(small(), train_accuracy=[0.9, 0.93], validation_accuracy=[0.9, 0.90])
    assert said("overfitting", level, {}).level == NOTHING


def test_a_validation_loss_that_has_been_rising_is_a_sign_of_overfitting() -> None:
    kept = {"train_accuracy": [0.9], "validation_accuracy": [0.9]}
    run = history(small(), **kept, validation_loss=[0.5, 0.4, 0.6, 1.2])
    assert (
        "loss of mlp was lowest in epoch 2, and ends 200\N{NO-BREAK SPACE}% above"
        in said("overfitting", run, {}).rest
    )
    within_noise = history(small(), **kept, validation_loss=[0.5, 0.4, 0.42, 0.45])
    assert said("overfitting", within_noise, {}).level == NOTHING
    always_right = history(small(accuracies=(1.0, 1.0)), **kept, validation_loss=[0.5, 1e-5, 1e-4, 9e-5])
    assert said("overfitting", always_right, {}).level == NOTHING
    late = history(small(), **kept, validation_loss=[0.5, 0.4, 0.5])
    assert said("overfitting", late, {}).level == NOTHING


def test_a_run_without_histories_has_no_check_of_overfitting() -> None:
    run = history(small(), train_loss=[1.0])
    assert ask("overfitting", run, {}) == NotApplicable(
        "no history of training and validation accuracy was kept"
    )


def recall_of(run: Results, hits: dict[str, list[int]], of: int) -> Said:
    """Ask for classes far below the others, where each network gets `hits` of `of` images of each right."""
    rows = [
        {
            "variant": name,
            "seed": 1,
            "label": k,
            "predicted": said,
            "count": n if said == k else 0 if said != (k + 1) % len(right) else of - n,
        }
        for name, right in hits.items()
        for k, n in enumerate(right)
        for said in range(len(right))
    ]
    frame = pd.DataFrame(rows)
    return said("class-below", run, {"per_class": per_class(replace(run, confusion=frame), {})})


def test_a_class_that_fails_is_named_with_its_interval() -> None:
    found = recall_of(small(), {"mlp": [95, 50, 94], "cnn": [95, 60, 96]}, 100)
    assert (found.level, found.lead) == (WARNING, "Class far below the others:")
    assert found.rest == (
        "mlp recognises 50.0\N{NO-BREAK SPACE}% of the images of 1 (40.4 to 59.6\N{NO-BREAK SPACE}%) and "
        "94.5\N{NO-BREAK SPACE}% of all others; so does one more."
    )
    assert recall_of(small(), {"mlp": [95, 90, 94]}, 100).level == NOTHING
    assert recall_of(small(), {"mlp": [0, 0, 0]}, 100).level == NOTHING


def test_one_class_is_not_set_against_others() -> None:
    run = made_up(names=("a",), baseline=None, classes=("only",), n_test=60)
    assert ask("class-below", run, {"per_class": per_class(run, {})}) == NotApplicable(
        "the test set has fewer than two classes"
    )
    assert said("confused-pairs", run, {}).level == NOTHING


def sure(run: Results, confidence: float, right: float) -> Said:
    frame = run.predictions.copy()
    frame["confidence"] = confidence
    hits = np.arange(len(frame)) % 400 < 400 * right
    frame["predicted"] = np.where(hits, frame["label"], (frame["label"] + 1) % 10)
    scores = pd.DataFrame(
        {"variant": list(run.variants), "seed": 1, "metric": "ece", "value": abs(confidence - right)}
    )
    return said(
        "miscalibration",
        run,
        {"calibration": calibration(replace(run, predictions=frame), {}), "scores": scores},
    )


@pytest.mark.long
def test_a_network_that_is_surer_than_right_is_overconfident_and_the_other_way_round() -> None:
    over = sure(small(), 0.95, 0.7)
    assert over.level == WARNING
    assert "mlp is overconfident: where it is 95.0\N{NO-BREAK SPACE}% sure on average, 70.0" in over.rest
    assert "expected calibration error 25.0 points" in over.rest
    assert "mlp is underconfident" in sure(small(), 0.6, 0.9).rest
    assert sure(small(), 0.9, 0.9).level == NOTHING
    assert sure(small(), 0.92, 0.9).level == NOTHING


def test_the_most_confused_classes_are_counted_over_all_trainings() -> None:
    run = small(seeds=2)
    counts = run.confusion[run.confusion["label"] != run.confusion["predicted"]]
    most = counts.groupby(["label", "predicted"])["count"].sum().max()
    found = said("confused-pairs", run, {})
    assert f"({most} times)" in found.rest
    assert "by four trained networks together" in found.rest


def test_validation_on_the_test_set_is_told_with_what_was_not_selected_on_it() -> None:
    found = said("validation-set", small(), {})
    assert (found.level, "nothing was chosen by it" in found.rest) == (NOTE, True)
    held = said("validation-set", with_protocol(small(), validation=0.1), {})
    assert (held.level, held.numbers["validation"]) == (NOTHING, 0.1)


def test_images_in_both_sets_are_a_warning_and_older_runs_do_not_know() -> None:
    found = said("repeated-images", with_record(small(), repeats=8), {})
    assert (found.level, found.lead) == (
        WARNING,
        "8 test images are in the training set too, pixel for pixel:",
    )
    assert found.rest.startswith("2.00\N{NO-BREAK SPACE}% of the test set.")
    assert said("repeated-images", with_record(small(), repeats=0), {}).level == NOTHING
    assert isinstance(ask("repeated-images", with_record(small(), repeats=None), {}), NotApplicable)


def test_label_errors_matter_where_networks_lie_as_near_as_that() -> None:
    rng = np.random.default_rng(0)
    answers = np.repeat(rng.random((10_000, 1, 1)) < 0.98, 2, axis=1)
    answers[:5, 1] = False
    near = slim_run(answers)
    assert said("label-errors", near).level == NOTE
    far = slim_run(rng.random((10_000, 2, 1)) < np.array([0.5, 0.9])[None, :, None])
    assert said("label-errors", far).level == NOTHING
    fewer = slim_run(rng.random((2000, 2, 1)) < 0.98)
    assert isinstance(ask("label-errors", fewer), NotApplicable), "not the published test set"
    near.record.dataset.name = "digits"
    assert isinstance(ask("label-errors", near), NotApplicable)


# --- the frame -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"names": ("mlp",)},
        {"names": ("mlp",), "seeds": 3},
        {"names": ("mlp",), "baseline": None, "accuracies": (1.0,)},
        {"names": ("mlp", "cnn"), "accuracies": (0.0, 1.0)},
        {"names": ("mlp", "cnn"), "unfinished": {"mlp": FAILED}},
        {"seeds": 2, "unfinished": {"cnn-same-s1": DIVERGED}},
        {"seeds": 3},
        {"classes": ("one",)},
        {"classes": ("<b>", "\u202e" * 3, "x" * 900)},
    ],
    ids=str,
)
def test_every_check_has_one_whole_row_in_order(options: dict[str, Any]) -> None:
    run = made_up(**{"n_test": 90, **options})
    frame = findings(run, analyse(run))
    assert frame["code"].tolist() == list(FINDINGS)
    assert frame["position"].tolist() == list(range(1, len(FINDINGS) + 1))
    assert (frame["applies"] == (frame["level"] != NOT_APPLICABLE)).all()
    assert frame["lead"].str.len().min() > 0
    for row in frame.itertuples():
        words = f"{row.lead} {row.rest}"
        assert words.strip()[-1] == ".", words
        assert len(words) < 2500
        assert "nan" not in words.split()
        assert isinstance(json.loads(row.numbers), dict)
    assert 1 <= (frame["level"] == ANSWER).sum() <= 5


@pytest.mark.long
def test_thirty_variants_of_five_seeds_are_told_in_a_few_sentences() -> None:
    names = tuple(f"a-network-with-a-long-name-{n}" for n in range(30))
    run = made_up(names=names, baseline=names[0], seeds=5, n_test=200, epochs=1)
    frame = findings(run, {name: part for name, part in analyse(run).items() if name != "findings"})
    assert (frame["lead"] + frame["rest"]).str.len().max() < 1200


@pytest.mark.parametrize("make", [example, lambda: made_up(seeds=3), lambda: made_up(n_test=10_000)])
def test_each_number_in_a_sentence_is_among_its_numbers(make: Any) -> None:
    run = make()
    for row in analyse(run)["findings"].itertuples():
        known = list(json.loads(row.numbers).values())
        known += [run.record.dataset.n_test, run.record.lab.protocol.seeds, 95]
        known += [int(name) for name in run.record.dataset.classes if name.isdigit()]
        names = "|".join(rf"\b{name}\b" for name in sorted(run.variants, key=len, reverse=True))
        words = re.sub(rf"{names}|\d+ more|Mueller 2021|128x\S+", "", f"{row.lead} {row.rest}")
        for number in re.findall(r"−?\d+(?:,\d{3})*(?:\.\d+)?", words):
            assert printed(number, known), (row.code, number, words)


def printed(number: str, known: list[Any]) -> bool:
    """Tell whether one of the known values is printed like this, as it is or in percent."""
    digits, sign = len(number.partition(".")[2]), -1 if number[0] == "−" else 1
    values = [sign * value for value in known if not isinstance(value, str)]
    scaled = [scale * value for value in values for scale in (1, 100)]
    return any(f"{value:,.{digits}f}" == number.removeprefix("−") for value in scaled)


@pytest.mark.long
def test_the_board_and_the_comparisons_order_networks_alike() -> None:
    run = made_up(seeds=3)
    evidence = Evidence(run, {"comparisons": comparisons(run, {}), "scores": analyse(run)["scores"]})
    assert [one.variant for one in evidence.standings] == [one.variant for one in leaderboard(run).scored]


def test_a_record_of_before_images_were_counted_still_loads() -> None:
    dataset = small().record.dataset.model_dump()
    del dataset["repeats"]
    assert DatasetRecord.model_validate(dataset).repeats is None
