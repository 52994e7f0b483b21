"""Scores, scores by class and calibration against scikit-learn and statsmodels, and at the edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.calibration import calibration_curve
from sklearn.metrics import f1_score, log_loss, precision_recall_fscore_support
from statsmodels.stats.proportion import proportion_confint

from reportgen.analysis.scores import wilson
from reportgen.analysis.scoring import (
    BINS,
    FEW_SEEDS,
    binned,
    calibration,
    calibration_error,
    f_scores,
    over_seeds,
    per_class,
    resampled,
    scores,
)
from synthetic import made_up

PAIRS = st.integers(2, 6).flatmap(
    lambda k: st.tuples(
        st.just(k),
        st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=60),
    )
)


def square(pairs: list[tuple[int, int]], k: int) -> np.ndarray:
    labels, predicted = np.array(pairs).T
    return np.bincount(labels * k + predicted, minlength=k * k).reshape(k, k)


@given(PAIRS)
def test_f_scores_are_those_of_scikit_learn(case: tuple[int, list[tuple[int, int]]]) -> None:
    k, pairs = case
    labels, predicted = np.array(pairs).T
    expected = f1_score(labels, predicted, labels=range(k), average=None, zero_division=0)
    assert f_scores(square(pairs, k)) == pytest.approx(expected)


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=80))
def test_the_calibration_error_is_that_of_a_plain_loop_over_the_bins(cases: list[tuple[float, bool]]) -> None:
    confidence = np.array([one for one, _ in cases], "float64")
    right = np.array([one for _, one in cases])
    expected = 0.0
    for n in range(BINS):
        inside = np.ceil(confidence * BINS) == n + 1
        if n == 0:
            inside |= confidence == 0
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert calibration_error(confidence, right) == pytest.approx(expected)


@settings(max_examples=30)
@given(st.integers(1, 300), st.integers(0, 10**6))
def test_bins_are_those_of_scikit_learns_calibration_curve(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence, right = rng.random(n), rng.random(n) < 0.7
    share, mean = calibration_curve(right, confidence, n_bins=BINS, strategy="uniform")
    rows = binned(confidence, right)
    assert [row["accuracy"] for row in rows] == pytest.approx(share)
    assert [row["confidence"] for row in rows] == pytest.approx(mean)


@settings(max_examples=20)
@given(PAIRS)
def test_resampled_test_sets_have_as_many_images_and_no_cell_that_never_occurred(
    case: tuple[int, list[tuple[int, int]]],
) -> None:
    k, pairs = case
    counts = square(pairs, k)
    drawn = np.concatenate(list(resampled(counts, 50)))
    assert drawn.shape == (50, k, k)
    assert (drawn.sum(axis=(1, 2)) == len(pairs)).all()
    assert not drawn[:, counts == 0].any()


@pytest.mark.parametrize(("n", "shares"), [(10_000, (0.9, 0.995)), (497, (0.8, 0.97)), (200, (0.5, 0.97))])
def test_wilson_intervals_cover_94_to_96_percent(n: int, shares: tuple[float, float]) -> None:
    # Exact: the chance of each count, times whether its interval holds the true share; averaged over shares,
    # for of one share and few images the coverage swings by more than a point (only n + 1 intervals exist).
    counts = np.arange(n + 1)
    low, high = np.array([wilson(int(c), n) for c in counts]).T
    grid = np.linspace(*shares, 200)
    covered = [binom.pmf(counts, n, p)[(low <= p) & (p <= high)].sum() for p in grid]
    assert 0.94 <= np.mean(covered) <= 0.96


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_intervals_are_those_of_statsmodels(case: tuple[int, int]) -> None:
    assert wilson(*case) == pytest.approx(proportion_confint(*case, method="wilson"), abs=1e-12)


def test_the_interval_over_seeds_is_that_of_students_t() -> None:
    from statsmodels.stats.weightstats import DescrStatsW

    values = np.array([0.98, 0.981, 0.985, 0.979])
    assert over_seeds(values) == pytest.approx(DescrStatsW(values).tconfint_mean())


def test_a_run_is_scored_as_scikit_learn_scores_it() -> None:
    results = made_up(names=("mlp", "cnn"), seeds=3)
    found = (
        scores(results, {})
        .dropna(subset="seed")
        .set_index(["variant", "seed", "metric"])["value"]
        .sort_index()
    )
    classes = per_class(results, {}).set_index(["variant", "seed", "label", "metric"])["value"].sort_index()
    k = len(results.record.dataset.classes)
    for (variant, seed), part in results.predictions.groupby(["variant", "seed"]):
        labels, predicted = part["label"].to_numpy(int), part["predicted"].to_numpy(int)
        probabilities = part[[f"p_{n}" for n in range(k)]].to_numpy(float)
        one_hot = np.eye(k)[labels]
        of = found[variant, seed]
        assert of["accuracy"] == pytest.approx((labels == predicted).mean())
        assert of["brier"] == pytest.approx(((probabilities - one_hot) ** 2).sum(axis=1).mean(), abs=1e-5)
        whole = probabilities / probabilities.sum(axis=1, keepdims=True)
        if (whole[np.arange(len(labels)), labels] > 1e-6).all():
            assert of["nll"] == pytest.approx(log_loss(labels, whole, labels=range(k)), rel=1e-3)
        precision, recall, f1, _ = precision_recall_fscore_support(
            labels, predicted, labels=range(k), zero_division=np.nan
        )
        assert of["macro_f1"] == pytest.approx(np.nan_to_num(f1).mean())
        for n in range(k):
            own = classes[variant, seed, n]
            assert own["recall"] == pytest.approx(recall[n], nan_ok=True)
            assert own["precision"] == pytest.approx(precision[n], nan_ok=True)


@pytest.mark.parametrize(
    "options",
    [
        {"accuracies": (1.0,)},
        {"accuracies": (0.0,)},
        {"classes": ("only",)},
        {"classes": ("a", "b"), "accuracies": (0.5,)},
    ],
    ids=["all right", "all wrong", "one class", "half right"],
)
def test_scores_at_the_edges_are_those_of_scikit_learn(options: dict[str, Any]) -> None:
    results = made_up(names=("mlp",), n_test=60, **options)
    labels, predicted = (results.predictions[name].to_numpy(int) for name in ("label", "predicted"))
    k = range(len(results.record.dataset.classes))
    found = scores(results, {}).dropna(subset="seed").set_index("metric")
    assert found.loc["accuracy", "value"] == (labels == predicted).mean()
    of_classes = {"average": "macro", "labels": k, "zero_division": 0}
    assert found.loc["macro_f1", "value"] == pytest.approx(f1_score(labels, predicted, **of_classes))
    for metric in ("accuracy", "macro_f1"):
        row = found.loc[metric]
        assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1
    classes = per_class(results, {})
    known = classes[classes["note"] == ""]
    assert (known["low"] <= known["value"] + 1e-9).all()
    assert (known["high"] >= known["value"] - 1e-9).all()
    assert classes[classes["note"] != ""]["value"].isna().all()
    assert calibration(results, {})["count"].sum() == 60


def test_means_over_three_seeds_have_an_interval_and_of_fewer_say_why_not() -> None:
    for seeds, note in ((3, ""), (2, FEW_SEEDS)):
        frame = scores(made_up(names=("mlp",), seeds=seeds), {})
        mean = frame[frame["seed"].isna() & (frame["metric"] == "accuracy")].iloc[0]
        assert mean["note"] == note
        assert np.isfinite(mean["low"]) == (seeds == 3)


def test_bins_of_calibration_hold_every_image_once() -> None:
    results = made_up(names=("mlp", "cnn"))
    frame = calibration(results, {})
    assert (frame.groupby("variant")["count"].sum() == results.record.dataset.n_test).all()
    assert (frame["confidence"] <= frame["upper"] + 1e-9).all()
    assert isinstance(frame, pd.DataFrame)
