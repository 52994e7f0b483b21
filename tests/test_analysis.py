"""Scores of a run, and facts of its layers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from reportgen.analysis.facts import FACTS
from reportgen.analysis.scores import leaderboard, shown_seed, wilson
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
