"""Differences between networks: against statsmodels and mlxtend, without any, and at the edges."""

from __future__ import annotations

from itertools import combinations
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlxtend.evaluate import cochrans_q as mlxtend_cochrans_q
from mlxtend.evaluate import mcnemar as mlxtend_mcnemar
from scipy.stats import binom, nct, t, ttest_ind
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
    spread,
    student,
    tie_groups,
)
from reportgen.analysis.differences import wald_plus_2
from reportgen.analysis.holm import holm, shares
from reportgen.analysis.resolution import resolution, resolution_over_seeds, resolutions
from slim import slim_run
from synthetic import made_up


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
    bounds = [wald_plus_2(int(a), int(b), n) for a, b, _ in drawn]
    assert 0.935 <= np.mean([low <= shift <= high for low, high in bounds]) <= 0.975


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(5, 60), st.integers(0, 1000))
def test_cochrans_q_is_that_of_mlxtend(variants: int, n: int, seed: int) -> None:
    answers = np.random.default_rng(seed).random((n, variants, 1)) < 0.7
    frame = comparisons(slim_run(answers), {})
    row = frame[frame["family"] == OMNIBUS].iloc[0]
    one_sided = answers[:, :, 0]
    if (one_sided.all(axis=1) | ~one_sided.any(axis=1)).all():
        assert row["p"] == 1
        return
    statistic, p = mlxtend_cochrans_q(np.ones(n), *(one_sided[:, v].astype(float) for v in range(variants)))
    assert (row["statistic"], row["p"]) == pytest.approx((statistic, p))


@pytest.mark.long
@settings(max_examples=20)  # statsmodels collects garbage each time
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_equal_weights_give_the_adjustment_of_statsmodels(p: list[float]) -> None:
    adjusted = holm(np.array(p), np.full(len(p), 1 / len(p)))
    assert adjusted == pytest.approx(multipletests(p, method="holm")[1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.2), st.floats(0.05, 1)), min_size=1, max_size=5))
def test_weighted_adjustment_is_the_closed_test_of_weighted_bonferroni(
    cases: list[tuple[float, float]],
) -> None:
    # Marcus, Peritz and Gabriel 1976: a hypothesis falls if every set that it is in falls.
    p, weights = np.array(cases).T
    every = range(len(p))
    sets = [np.array(one) for size in every for one in combinations(every, size + 1)]
    fall = {tuple(one): min(p[one] / weights[one]) * weights[one].sum() for one in sets}
    expected = [min(max(value for one, value in fall.items() if n in one), 1.0) for n in every]
    assert holm(p, weights / weights.sum()) == pytest.approx(expected)


@given(st.lists(st.booleans(), max_size=30))
def test_what_is_declared_first_has_at_least_half_of_the_weight_and_no_less_than_its_share(
    first: list[bool],
) -> None:
    given = shares(np.array(first, bool))
    if not first:
        return
    assert given.sum() == pytest.approx(1)
    assert (given > 0).all()
    own = given[np.array(first, bool)].sum()
    assert not any(first) or own >= max(0.5, sum(first) / len(first)) - 1e-12


def test_a_pair_has_one_verdict_in_whichever_family_it_stands() -> None:
    run = made_up(names=("cnn", "mlp", "cnn-s2", "deep"), baseline="mlp", seeds=3)
    frame = comparisons(run, {})
    for kind in (NETWORKS, ARCHITECTURES):
        rows = frame[frame["kind"] == kind]
        pairs = {frozenset((row.a, row.b)): row for row in rows[rows["family"] == PAIRS].itertuples()}
        first = rows[rows["family"] == BASELINE]
        assert (first["a"] == "mlp").all()
        assert len(first) == 3
        assert len(pairs) == 6
        for row in first.itertuples():
            pair = pairs[frozenset((row.a, row.b))]
            sign = 1 if pair.a == row.a else -1
            assert (row.p, row.p_holm, row.apart) == (pair.p, pair.p_holm, pair.apart)
            assert row.difference == sign * pair.difference
            assert {row.low, row.high} == {sign * pair.low, sign * pair.high}
        weights = shares(np.array(["mlp" in pair for pair in pairs]))
        p = np.array([row.p for row in pairs.values()])
        assert [row.p_holm for row in pairs.values()] == pytest.approx(holm(p, weights))
    counts = {"only_a_right", "only_b_right"} & set(frame)
    assert len(counts) == 2


def test_the_t_interval_is_that_of_scipy() -> None:
    one, other = np.array([0.98, 0.981, 0.979, 0.984]), np.array([0.985, 0.986, 0.983, 0.988])
    found = ttest_ind(other, one)
    error = (other.mean() - one.mean()) / found.statistic
    interval = found.confidence_interval()
    low, high, statistic, p = student(other.mean() - one.mean(), error, found.df)
    assert (low, high, statistic, p) == pytest.approx(
        (interval.low, interval.high, found.statistic, found.pvalue)
    )


@pytest.mark.long
def test_in_1000_experiments_without_a_difference_at_most_5_percent_state_one() -> None:
    rng = np.random.default_rng(1)
    stated = 0
    for _ in range(1000):
        hard = rng.random((400, 1, 1)) < 0.2  # images that networks err on together
        right = rng.random((400, 4, 1)) < np.where(hard, 0.6, 0.98)
        stated += bool(comparisons(slim_run(right), {})["apart"].any())
    assert stated <= 50


def drawn_experiments(
    rng: np.random.Generator, variants: int, seeds: int, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw accuracies (variants, seeds) without a true difference, and bootstrap draws (500, variants).

    `noise` is each variant's spread over the seeds; that of the images is 1 for a difference. Other units
    than shares are no matter: nothing but the ratio counts.
    """
    by_seed = rng.normal(0, 1, (variants, seeds)) * noise[:, None]
    accuracies = by_seed + rng.normal(0, sqrt(0.5), (variants, 1))
    picked = rng.multinomial(seeds, [1 / seeds] * seeds, (500, variants)) / seeds
    images = rng.normal(0, sqrt(0.5), (500, variants))
    return accuracies, images + (picked * by_seed).sum(axis=2)


@pytest.mark.long
@pytest.mark.parametrize("equal", [True, False], ids=["equal", "unequal"])
@pytest.mark.parametrize("ratio", [0.5, 1, 3])
@pytest.mark.parametrize(("variants", "seeds"), [(2, 3), (7, 3), (7, 5), (30, 3)])
def test_architectures_without_a_difference_are_told_apart_in_at_most_5_percent(
    variants: int, seeds: int, ratio: float, equal: bool
) -> None:
    rng = np.random.default_rng(2)
    noise = np.full(variants, ratio) if equal else ratio * np.where(np.arange(variants) % 3, 0.5, 2.0)
    pairs = list(combinations(range(variants), 2))
    weights = shares(np.array([pair[0] == 0 for pair in pairs]))
    experiments = {2: 400, 7: 100, 30: 12}[variants]
    stated = 0
    for _ in range(experiments):
        accuracies, drawn = drawn_experiments(rng, variants, seeds, noise)
        least = float(accuracies.var(axis=1, ddof=1).mean())
        tested = [
            student(*spread((accuracies[a], accuracies[b]), drawn[:, b] - drawn[:, a], least, 10**9))[3]
            for a, b in pairs
        ]
        stated += bool((holm(np.array(tested), weights) < 0.05).any())
    assert stated <= binom.ppf(0.995, experiments, 0.05)


@given(
    st.lists(st.floats(0.5, 1), min_size=3, max_size=6),
    st.lists(st.floats(0.5, 1), min_size=3, max_size=6),
    st.floats(0, 0.1),
)
def test_the_spread_over_seeds_is_no_less_than_what_is_unbiased(
    one: list[float], other: list[float], images: float
) -> None:
    a, b = np.array(one), np.array(other)
    s2 = [values.var(ddof=1) for values in (a, b)]
    seeds = [(s - 1) * v / s**2 for v, s in zip(s2, (len(a), len(b)), strict=True)]
    rng = np.random.default_rng(0)
    drawn = rng.normal(0, 1, 2000)
    drawn *= np.sqrt(images**2 + sum(seeds)) / drawn.std(ddof=1)  # as a bootstrap has it
    for least in (0.0, 0.01):
        difference, error, freedom = spread((a, b), drawn, least, 998)
        assert difference == pytest.approx(b.mean() - a.mean(), abs=1e-12)
        own = sum(max(v, least) / (s - 1) for v, s in zip(s2, (len(a), len(b)), strict=True))
        assert error**2 == pytest.approx(images**2 + 0.001**2 + own, abs=1e-12)
        assert error**2 >= images**2 + s2[0] / len(a) + s2[1] / len(b) - 1e-12
        assert freedom >= min(len(a), len(b)) - 1


def test_without_images_noise_and_with_as_many_seeds_the_degrees_of_freedom_are_those_of_welch() -> None:
    one, other = np.array([0.98, 0.981, 0.979, 0.984]), np.array([0.985, 0.996, 0.983, 0.988])
    seeds = sum(3 * values.var(ddof=1) / 16 for values in (one, other))
    drawn = np.array([-1.0, 1.0]) * np.sqrt(seeds / 2)
    assert spread((one, other), drawn, 0.0, 10**9)[2] == pytest.approx(
        ttest_ind(one, other, equal_var=False).df
    )


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_five_seeds_of_thirty_networks_are_compared_in_all_pairs(share: float) -> None:
    answers = np.random.default_rng(0).random((80, 30, 5)) < share
    frame = comparisons(slim_run(answers), {})
    assert len(frame) == 2 * (29 + 435) + 1
    assert not frame["apart"].any()
    assert set(tie_groups(frame, [f"v{n}" for n in range(30)]).values()) == {"a"}


def test_a_large_difference_is_found_for_networks_and_architectures() -> None:
    rng = np.random.default_rng(3)
    right = rng.random((1000, 2, 3)) < np.array([0.8, 0.95])[None, :, None]
    frame = comparisons(slim_run(right), {})
    rows = frame[frame["family"] == BASELINE]
    assert rows["apart"].all()
    assert (rows["low"] > 0.05).all()
    assert rows["reversed"].dropna().tolist() == [0.0]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_networks_that_answer_alike_are_not_told_apart(share: float) -> None:
    frame = comparisons(slim_run(np.full((50, 3, 3), share == 1.0)), {})
    assert not frame["apart"].any()
    known = frame.dropna(subset="low")
    assert (known["high"] > 0.03).all(), "50 images leave room for a difference"
    assert (known["low"] < -0.03).all()
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


@pytest.mark.parametrize("level", [0.05, 0.05 / 21])
def test_a_difference_that_can_be_resolved_is_found_in_four_of_five_runs(level: float) -> None:
    power_at = resolution(2000, 0.05, level)
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(2000, [(0.05 - power_at) / 2, (0.05 + power_at) / 2, 0.95], 1500)
    found = np.mean([mcnemar(int(a), int(b))[2] < level for a, b, _ in drawn])
    assert 0.72 <= found <= 0.84


@pytest.mark.parametrize("freedom", [4, 12, 1e6])
@pytest.mark.parametrize("level", [0.05, 0.05 / 21])
def test_a_difference_of_architectures_that_can_be_resolved_is_found_in_at_least_four_of_five_runs(
    freedom: float, level: float
) -> None:
    # Exact: |T| > t with T of a noncentral t distribution.
    shift = resolution_over_seeds(1.0, freedom, level)
    found = nct.sf(t.ppf(1 - level / 2, freedom), freedom, shift)
    assert 0.79 <= found <= 0.97


def test_what_the_median_pair_resolves_takes_the_number_of_comparisons_into_account() -> None:
    right = np.random.default_rng(4).random((800, 7, 1)) < 0.9
    frame = comparisons(slim_run(right), {})
    pairs = frame[frame["family"] == PAIRS].dropna(subset="p")
    found = resolutions(pairs)
    for row, one in zip(pairs.itertuples(), found, strict=True):
        discordant = (row.only_a_right + row.only_b_right) / row.n
        assert one == resolution(800, discordant, 0.05 * row.weight) > resolution(800, discordant)
    alike = comparisons(slim_run(np.ones((50, 2, 1), bool)), {})
    assert resolutions(alike[alike["family"] == PAIRS].dropna(subset="p")).isna().all()
