"""Scores, and what may be said of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from reportgen.analysis.costs import pairs_apart, reading
from reportgen.analysis.facts import FACTS
from reportgen.analysis.findings import FINDINGS, Sentence, clearly_above, findings
from reportgen.analysis.scores import (
    Leaderboard,
    Score,
    leaderboard,
    most_confused,
    shown_seed,
    wilson,
)
from reportgen.jobs import DIVERGED, FAILED
from synthetic import made_up

# --- scores --------------------------------------------------------------------------------------


def test_the_wilson_interval_of_9900_in_10000_is_the_known_one() -> None:
    low, high = wilson(9900, 10_000)
    assert (round(100 * low, 2), round(100 * high, 2)) == (98.79, 99.18)


@given(st.integers(1, 20_000), st.floats(0, 1))
@settings(max_examples=30)
def test_the_wilson_interval_holds_the_share_and_is_that_of_statsmodels(trials: int, share: float) -> None:
    successes = round(share * trials)
    low, high = wilson(successes, trials)
    assert (low, high) == pytest.approx(proportion_confint(successes, trials, method="wilson"))
    assert -1e-12 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1 + 1e-12


def test_the_most_accurate_variant_stands_first_and_those_without_a_score_last() -> None:
    names = ("a", "b", "c", "d")
    run = made_up(names=names, baseline="a", accuracies=(0.9, 0.95, 0.99, 0.92), unfinished={"c": FAILED})
    board = leaderboard(run)
    assert [one.variant for one in board.scores] == ["b", "d", "a", "c"]
    assert board.scores[-1].reasons[0].startswith("failed: ResourceExhaustedError")
    assert (board.seeds, board.n_test) == (1, 1000)
    assert board.baseline is not None
    assert board.baseline.variant == "a"


def test_equal_scores_keep_the_order_of_the_lab() -> None:
    board = leaderboard(made_up(names=("b", "a", "c"), baseline=None, accuracies=(0.9, 0.9, 0.9)))
    assert [one.variant for one in board.scores] == ["b", "a", "c"]


def test_one_seed_has_the_wilson_interval_and_several_seeds_span_theirs() -> None:
    one = leaderboard(made_up(names=("a",), baseline=None, accuracies=(0.9,))).scores[0]
    assert (one.low, one.high) == wilson(900, 1000)
    run = made_up(names=("a",), baseline=None, accuracies=(0.9,), seeds=4)
    board = leaderboard(run)
    values = run.runs["test_accuracy"]
    bounds = [wilson(round(value * 1000), 1000) for value in values]
    assert board.scores[0].low == min(low for low, _ in bounds)
    assert board.scores[0].high == max(high for _, high in bounds)
    assert (board.seeds, board.scores[0].accuracies) == (4, tuple(values))
    assert board.scores[0].accuracy == pytest.approx(values.mean())


def test_a_diverged_variant_keeps_its_parameters_and_has_no_shown_seed() -> None:
    run = made_up(names=("a", "b"), baseline="a", unfinished={"b": DIVERGED})
    board = leaderboard(run)
    assert board.failed[0].params is not None
    assert shown_seed(run, "b") is None
    assert shown_seed(run, "a") == 1


def test_the_most_confused_pairs_are_the_largest_off_the_diagonal() -> None:
    frame = pd.DataFrame({"label": [0, 0, 1, 1, 2], "predicted": [0, 1, 0, 2, 1], "count": [90, 3, 7, 0, 3]})
    assert most_confused(frame).to_dict("split")["data"] == [[1, 0, 7], [0, 1, 3], [2, 1, 3]]
    assert most_confused(frame[frame["label"] == frame["predicted"]]).empty


# --- findings ------------------------------------------------------------------------------------


def score(name: str, right: int, *, n: int = 1000, baseline: bool = False, params: int = 1000) -> Score:
    low, high = wilson(right, n)
    seconds = 1.0 + params
    return Score(name, baseline, params, 1, (right / n,), low, high, 0.1, seconds, n - right)


def unscored(name: str, reason: str = "failed: no luck", *, baseline: bool = False) -> Score:
    return Score(name, baseline, None, 1, reasons=(reason,))


def board_of(*scores: Score, n: int = 1000) -> Leaderboard:
    ordered = sorted(scores, key=lambda one: (not one.scored, -one.accuracy if one.scored else 0.0))
    return Leaderboard(tuple(ordered), n, 1)


@st.composite
def boards(draw: st.DrawFn) -> Leaderboard:
    n = draw(st.sampled_from([50, 1000, 10_000]))
    size = draw(st.integers(1, 7))
    base = draw(st.integers(-1, size - 1))
    made = []
    for k in range(size):
        if draw(st.integers(0, 5)) == 0:
            made.append(unscored(f"v{k}", baseline=k == base))
            continue
        right, params = draw(st.integers(0, n)), draw(st.integers(1, 10**6))
        made.append(score(f"v{k}", right, n=n, baseline=k == base, params=params))
    return board_of(*made, n=n)


def named(board: Leaderboard, words: str) -> set[str]:
    """Give the variants that a sentence names; `v1` is no part of another name here."""
    return {one.variant for one in board.scores if one.variant in words.replace(",", " ").split()}


def apart(one: Score, other: Score) -> bool:
    return one.low > other.high or other.low > one.high


@given(boards())
@settings(max_examples=150)
def test_what_is_said_of_the_baseline_is_what_the_intervals_carry(board: Leaderboard) -> None:
    base, said = board.baseline, FINDINGS["against-baseline"](board)
    if base is None or len(board.scored) < 2:
        assert said is None
        return
    assert said is not None
    others = [one for one in board.scored if not one.baseline]
    above = [one for one in others if one.low > base.high]
    level = {one.variant for one in others if not apart(one, base)}
    lead = said.lead
    if not above:
        assert lead.startswith("No network is clearly more accurate")
    elif len(above) < len(others):
        assert "more accurate" in lead
        assert "All" not in lead
    else:
        assert lead.startswith(("All", "Both")) or len(others) == 1
    told = said.rest.split("cannot be told apart from it")
    if level and len(above) < len(others):
        assert len(told) == 2
    if not level:
        assert "cannot be told" not in said.rest


@given(boards())
@settings(max_examples=150)
def test_a_variant_is_called_the_most_accurate_only_if_it_is_apart_from_all_others(
    board: Leaderboard,
) -> None:
    said = FINDINGS["best-score"](board)
    if len(board.scored) < 2:
        assert said is None
        return
    assert said is not None
    best, *others = board.scored
    if "is the most accurate" in said.lead:
        assert all(best.low > one.high for one in others)
    elif "share the highest score" in said.lead:
        assert named(board, said.lead) == {
            one.variant for one in board.scored if one.accuracy == best.accuracy
        }
    else:
        assert not all(best.low > one.high for one in others)
        assert "cannot be told apart from" in said.rest
        assert ("any other" in said.rest) == (len(others) > 1 and not any(apart(best, one) for one in others))


@given(boards())
@settings(max_examples=150)
def test_a_small_network_is_praised_only_where_it_is_clearly_above_the_baseline(board: Leaderboard) -> None:
    said = FINDINGS["smallest-above-baseline"](board)
    if said is None:
        return
    base = board.baseline
    assert base is not None
    name = said.rest.split()[0]
    one = next(one for one in board.scored if one.variant == name)
    assert one.low > base.high
    assert (one.params or 0) < 0.8 * (base.params or 0)


@given(boards())
@settings(max_examples=100)
def test_every_board_has_something_to_say_and_every_sentence_is_whole(board: Leaderboard) -> None:
    said = findings(board)
    assert said
    for sentence in said:
        assert sentence.lead
        assert "nan" not in f"{sentence.lead} {sentence.rest}".split()
        assert f"{sentence.lead} {sentence.rest}".strip()[-1] in ".:"


def leads(board: Leaderboard) -> list[str]:
    return [sentence.lead for sentence in findings(board)]


def test_without_a_baseline_nothing_is_compared_with_one() -> None:
    board = board_of(score("a", 990), score("b", 900))
    assert leads(board) == ["a is the most accurate:"]


def test_one_variant_has_its_score_stated() -> None:
    assert leads(board_of(score("a", 990))) == [
        "a classifies 99.0\N{NO-BREAK SPACE}% of the test images correctly"
    ]


def test_where_nothing_was_trained_it_is_said_and_nothing_else() -> None:
    assert leads(board_of(unscored("a"), unscored("b"))) == ["No training was finished."]


@pytest.mark.parametrize("right", [0, 500, 1000])
def test_equal_scores_are_told_apart_nowhere(right: int) -> None:
    board = board_of(score("a", right, baseline=True), score("b", right), score("c", right))
    assert leads(board) == [
        "No network is clearly more accurate than the baseline a in this run.",
        "a, b and c share the highest score:",
    ]


def test_only_trained_networks_are_counted_where_one_failed() -> None:
    board = board_of(score("a", 500, baseline=True), score("b", 990), score("c", 980), unscored("d"))
    first = leads(board)[0]
    assert first == "Both other trained networks are more accurate than the baseline a in this run."


def test_one_reason_is_not_given_for_two_failures_that_differ() -> None:
    same = board_of(score("a", 900), unscored("b"), unscored("c"))
    assert findings(same)[-1] == Sentence("No score for b and c:", "failed: no luck.")
    other = board_of(score("a", 900), unscored("b"), unscored("c", "diverged: NaN"))
    assert findings(other)[-1] == Sentence("No score for b and c:", "the reasons stand in the table below.")


def test_seeds_that_lie_apart_do_not_tell_what_the_test_set_is_too_small_for() -> None:
    run = made_up(names=("a", "b"), baseline="a", accuracies=(0.90, 0.91), seeds=3)
    board = leaderboard(run)
    assert not clearly_above(board.scores[0], board.scores[1])
    assert leads(board)[0] == "No network is clearly more accurate than the baseline a in this run."


def test_a_seed_that_failed_is_named() -> None:
    run = made_up(names=("a", "b"), baseline="a", seeds=3)
    rows = run.runs.copy()
    broken = (rows["variant"] == "b") & (rows["seed"] == 2)
    rows.loc[broken, ["status", "error"]] = [FAILED, "no luck"]
    board = leaderboard(replace(run, runs=rows))
    said = FINDINGS["seeds-missing"](board)
    assert said == Sentence("Not every seed was finished: b (2 of 3).", "b failed: no luck.")


# --- costs ---------------------------------------------------------------------------------------


@given(boards())
@settings(max_examples=100)
def test_a_cost_is_compared_only_in_pairs_that_are_told_apart(board: Leaderboard) -> None:
    total, ahead = pairs_apart(board, "params")
    pairs = [pair for pair in combinations(board.scored, 2) if apart(*pair)]
    pairs = [(one, other) for one, other in pairs if one.params != other.params]
    assert total == len(pairs)
    assert ahead == sum(
        (one.accuracy > other.accuracy) == (one.params > other.params) for one, other in pairs
    )


def test_a_cost_is_read_in_words() -> None:
    big, small = score("big", 990, params=9000), score("small", 900, params=10)
    middle = score("middle", 500, params=500)
    assert reading(board_of(big, small), "params").endswith(
        "the one with more parameters is the more accurate."
    )
    assert reading(board_of(big, big), "params") == "No two networks have intervals that are apart."
    assert reading(board_of(big, small, middle), "seconds") == (
        "Of the three pairs of networks whose intervals are apart, the one that trained longer is the more "
        "accurate in two."
    )
    assert clearly_above(big, small)


# --- facts ---------------------------------------------------------------------------------------


def test_facts_are_counted_from_the_layers() -> None:
    layers = made_up(names=("mlp", "cnn-s1", "cnn-s2")).layers
    assert "of mlp has 200,960 parameters" in FACTS["shuffle"](layers)
    assert "of cnn-s1 (3×3, stride 1, same) has 90 parameters" in FACTS["convolution"](layers)
    assert FACTS["pooling"](layers) == "The four pooling layers of this lab have 0 parameters together."
    assert FACTS["stride"](layers) == (
        "After its first convolution the map measures 28×28×9 in cnn-s1, 14×14×10 in cnn-s2."
    )


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_that_no_layer_shows_is_left_out(name: str) -> None:
    layers = made_up(names=("mlp",), unfinished={"mlp": FAILED}).layers
    assert FACTS[name](layers) == ""
