"""Differences between networks: against statsmodels and mlxtend, without any, and at the edges."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlxtend.evaluate import cochrans_q as mlxtend_cochrans_q
from mlxtend.evaluate import mcnemar as mlxtend_mcnemar
from scipy.stats import binom, ttest_ind
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from reportgen.analysis.comparisons import (
    ARCHITECTURES,
    BASELINE,
    NETWORKS,
    OMNIBUS,
    PAIRS,
    comparisons,
    mcnemar,
    paired_interval,
    resolution,
    student,
    tie_groups,
)
from reportgen.jobs import DONE
from synthetic import made_up


def marked_run(answers: np.ndarray) -> Any:
    """Give as much of a run as is compared: `answers` (n, variants, seeds) tells what is right."""
    n, variants, seeds = answers.shape
    names = [f"v{v}" for v in range(variants)]
    grid = [(name, seed + 1, answers[:, v, seed]) for v, name in enumerate(names) for seed in range(seeds)]
    predictions = pd.concat(
        pd.DataFrame(
            {"variant": name, "seed": seed, "index": np.arange(n), "label": 1, "predicted": right.astype(int)}
        )
        for name, seed, right in grid
    )
    runs = pd.DataFrame([{"variant": name, "seed": seed, "status": DONE} for name, seed, _ in grid])
    lab = SimpleNamespace(baseline=SimpleNamespace(name="v0"))
    record = SimpleNamespace(lab=lab)
    return SimpleNamespace(predictions=predictions, runs=runs, variants=names, record=record)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_that_of_statsmodels_and_mlxtend(only_a: int, only_b: int) -> None:
    _, statistic, p = mcnemar(only_a, only_b)
    exact = only_a + only_b < 25
    if only_a + only_b == 0:
        assert p == 1
        return
    theirs = statsmodels_mcnemar([[5, only_a], [only_b, 5]], exact=exact)
    assert (statistic, p) == pytest.approx((theirs.statistic, theirs.pvalue))
    _, other = mlxtend_mcnemar(np.array([[5, only_a], [only_b, 5]]), exact=exact)
    assert p == pytest.approx(min(other, 1.0), abs=1e-9)


@pytest.mark.parametrize(
    ("n", "discordant", "shift"), [(1000, 0.03, 0.0), (1000, 0.03, 0.01), (300, 0.1, 0.02)]
)
def test_paired_intervals_cover_about_95_percent(n: int, discordant: float, shift: float) -> None:
    rng = np.random.default_rng(0)
    shares = [(discordant - shift) / 2, (discordant + shift) / 2, 1 - discordant]
    drawn = rng.multinomial(n, shares, 4000)
    bounds = [paired_interval(int(a), int(b), n) for a, b, _ in drawn]
    assert 0.935 <= np.mean([low <= shift <= high for low, high in bounds]) <= 0.975


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(5, 60), st.integers(0, 1000))
def test_cochrans_q_is_that_of_mlxtend(variants: int, n: int, seed: int) -> None:
    answers = np.random.default_rng(seed).random((n, variants, 1)) < 0.7
    frame = comparisons(marked_run(answers), {})
    row = frame[frame["family"] == OMNIBUS].iloc[0]
    one_sided = answers[:, :, 0]
    if (one_sided.all(axis=1) | ~one_sided.any(axis=1)).all():
        assert row["p"] == 1
        return
    statistic, p = mlxtend_cochrans_q(np.ones(n), *(one_sided[:, v].astype(float) for v in range(variants)))
    assert (row["statistic"], row["p"]) == pytest.approx((statistic, p))


def test_families_are_adjusted_after_holm_by_themselves() -> None:
    frame = comparisons(made_up(seeds=3), {})
    for family in (BASELINE, PAIRS):
        for kind in (NETWORKS, ARCHITECTURES):
            rows = frame[(frame["family"] == family) & (frame["kind"] == kind)]
            assert rows["p_holm"].to_numpy() == pytest.approx(multipletests(rows["p"], method="holm")[1])
    assert len(frame[frame["family"] == BASELINE]) == 2 * 6
    assert len(frame[frame["family"] == PAIRS]) == 2 * 21


def test_the_t_interval_is_that_of_scipy() -> None:
    one, other = np.array([0.98, 0.981, 0.979, 0.984]), np.array([0.985, 0.986, 0.983, 0.988])
    found = ttest_ind(other, one)
    error = (other.mean() - one.mean()) / found.statistic
    interval = found.confidence_interval()
    low, high, statistic, p = student(other.mean() - one.mean(), error, found.df)
    assert (low, high, statistic, p) == pytest.approx(
        (interval.low, interval.high, found.statistic, found.pvalue)
    )


def test_in_1000_experiments_without_a_difference_at_most_5_percent_state_one() -> None:
    rng = np.random.default_rng(1)
    stated = 0
    for _ in range(1000):
        hard = rng.random((400, 1)) < 0.2  # images that networks err on together
        right = rng.random((400, 4)) < np.where(hard, 0.6, 0.98)
        pairs = []
        for v in range(1, 4):
            only_a, only_b = int((right[:, 0] & ~right[:, v]).sum()), int((~right[:, 0] & right[:, v]).sum())
            pairs.append((mcnemar(only_a, only_b)[2], *paired_interval(only_a, only_b, 400)))
        adjusted = multipletests([p for p, _, _ in pairs], method="holm")[1]
        stated += any(
            p < 0.05 and (low > 0 or high < 0) for p, (_, low, high) in zip(adjusted, pairs, strict=True)
        )
    assert stated <= binom.ppf(0.99, 1000, 0.05)
    assert stated <= 50


@pytest.mark.parametrize("seeds", [3, 5])
def test_architectures_without_a_difference_are_seldom_told_apart(seeds: int) -> None:
    rng = np.random.default_rng(2)
    experiments, stated = 60, 0
    for _ in range(experiments):
        hard = rng.random((300, 1, 1)) < 0.2
        skill = rng.normal(0, 0.02, (1, 3, seeds))  # every training is a little better or worse
        right = rng.random((300, 3, seeds)) < np.where(hard, 0.6, 0.95) + skill
        frame = comparisons(marked_run(right), {})
        rows = frame[(frame["family"] == BASELINE) & (frame["kind"] == ARCHITECTURES)]
        stated += bool(rows["apart"].any())
    assert stated <= binom.ppf(0.99, experiments, 0.05)


def test_a_large_difference_is_found_for_networks_and_architectures() -> None:
    rng = np.random.default_rng(3)
    right = rng.random((1000, 2, 3)) < np.array([0.8, 0.95])[None, :, None]
    frame = comparisons(marked_run(right), {})
    rows = frame[frame["family"] == BASELINE]
    assert rows["apart"].all()
    assert (rows["low"] > 0.05).all()
    assert rows["reversed"].dropna().tolist() == [0.0]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_networks_that_answer_alike_are_not_told_apart(share: float) -> None:
    frame = comparisons(marked_run(np.full((50, 3, 3), share == 1.0)), {})
    assert not frame["apart"].any()
    assert (frame["p"] == 1).all()
    assert (frame["difference"].dropna() == 0).all()


def test_fewer_than_three_seeds_do_not_speak_of_architectures() -> None:
    frame = comparisons(made_up(names=("mlp", "cnn"), seeds=2), {})
    notes = frame[frame["kind"] == ARCHITECTURES]["note"]
    assert notes.str.startswith("not applicable, because mlp has 2 finished seeds").all()


def test_one_variant_has_nothing_to_be_compared_with() -> None:
    frame = comparisons(made_up(names=("mlp",)), {})
    assert frame["note"].tolist() == ["not applicable, because there are no two trained networks"]


@settings(deadline=None)
@given(
    st.integers(1, 9).flatmap(
        lambda k: st.tuples(st.just(k), st.sets(st.sampled_from(list(combinations(range(k), 2)) or [(0, 0)])))
    )
)
def test_two_variants_share_a_letter_exactly_where_they_are_not_told_apart(
    case: tuple[int, set[tuple[int, int]]],
) -> None:
    k, apart = case
    names = [f"v{n}" for n in range(k)]
    rows = [
        {"family": PAIRS, "kind": NETWORKS, "a": names[i], "b": names[j], "p": 0.5, "apart": (i, j) in apart}
        for i, j in combinations(range(k), 2)
    ]
    frame = pd.DataFrame(rows, columns=["family", "kind", "a", "b", "p", "apart"])
    frame["apart"] = frame["apart"].astype(bool)
    letters = tie_groups(frame, names)
    assert all(letters.values())
    for i, j in combinations(range(k), 2):
        assert bool(set(letters[names[i]]) & set(letters[names[j]])) == ((i, j) not in apart)


def test_what_can_be_told_apart_shrinks_with_the_test_set() -> None:
    assert resolution(10_000, 0.02) == pytest.approx(0.00396, abs=2e-4)
    assert resolution(10_000, 0.02) < resolution(1000, 0.02)
    power_at = resolution(2000, 0.05)
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(2000, [(0.05 - power_at) / 2, (0.05 + power_at) / 2, 0.95], 1500)
    found = np.mean([mcnemar(int(a), int(b))[2] < 0.05 for a, b, _ in drawn])
    assert 0.72 <= found <= 0.84
