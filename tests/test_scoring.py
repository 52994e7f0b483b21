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
from sklearn.metrics import (
    brier_score_loss,
    f1_score,
    jaccard_score,
    log_loss,
    precision_recall_fscore_support,
)
from statsmodels.stats.proportion import proportion_confint

from reportgen.analysis.scores import wilson
from reportgen.analysis.scoring import (
    BINS,
    FEW_SEEDS,
    NO_MISTAKE,
    RANGES,
    STUDENT,
    _classes,
    _f1,
    _macro,
    binned,
    brier,
    calibration,
    calibration_error,
    clearly_off,
    f_scores,
    log_likelihood,
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
    expected = f1_score(labels, predicted, labels=range(k), average=None, zero_division=np.nan)
    assert f_scores(square(pairs, k)) == pytest.approx(expected, nan_ok=True)


@given(PAIRS)
def test_shares_and_f1_of_a_class_and_their_intervals_are_those_of_scikit_learn_and_statsmodels(
    case: tuple[int, list[tuple[int, int]]],
) -> None:
    k, pairs = case
    labels, predicted = np.array(pairs).T
    rows = pd.DataFrame(_classes(square(pairs, k))).pivot(index="label", columns="metric")
    of_classes = {"labels": range(k), "zero_division": np.nan}
    precision, recall, f1, _ = precision_recall_fscore_support(labels, predicted, **of_classes)
    for name, expected in (("precision", precision), ("recall", recall), ("f1", f1)):
        assert rows["value"][name].to_numpy() == pytest.approx(expected, nan_ok=True)
    jaccard = jaccard_score(labels, predicted, labels=range(k), average=None, zero_division=0)
    either = [int(((labels == n) | (predicted == n)).sum()) for n in range(k)]
    for n in range(k):
        if not either[n]:
            assert rows["note"]["f1"][n].startswith("not applicable, because no image is of this class")
            continue
        ends = proportion_confint(round(jaccard[n] * either[n]), either[n], method="wilson")
        expected = [2 * end / (1 + end) for end in ends]
        assert [rows["low"]["f1"][n], rows["high"]["f1"][n]] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("images", "errors"), [(50, 0.01), (50, 0.02), (50, 0.1), (1000, 0.001)])
def test_intervals_of_f1_cover_about_95_percent(images: int, errors: float) -> None:
    rng = np.random.default_rng(0)
    truth, covered = 1 - errors, []  # F1 of a class that loses as many images as it gains
    for _ in range(1500):
        lost, gained = rng.binomial(images, errors, 2)
        row = _f1(int(images - lost), int(2 * images - lost + gained))
        covered.append(row["low"] <= truth <= row["high"])
    assert 0.93 <= np.mean(covered) <= 0.995


SURE = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, 10**6)), min_size=1, max_size=30).map(
        lambda cases: (k, cases)
    )
)


@pytest.mark.long
@given(SURE)
def test_log_likelihood_and_brier_score_are_those_of_scikit_learn_and_of_their_definitions(
    case: tuple[int, list[tuple[int, int]]],
) -> None:
    k, cases = case
    labels = np.array([label for label, _ in cases])
    drawn = [np.random.default_rng(seed).dirichlet(np.ones(k)) for _, seed in cases]
    probabilities = np.array(drawn).astype("float32").astype("float64")
    whole = probabilities / probabilities.sum(axis=1, keepdims=True)
    one_hot = np.eye(k)[labels]
    squares = ((whole - one_hot) ** 2).sum(axis=1).mean()
    assert brier(labels, probabilities) == pytest.approx(squares)
    theirs = brier_score_loss(labels, whole, labels=range(k), scale_by_half=False)
    assert brier(labels, probabilities) == pytest.approx(theirs)
    own = -np.log(whole[np.arange(len(labels)), labels]).mean()
    assert log_likelihood(labels, probabilities) == pytest.approx(own, rel=1e-5)
    assert log_likelihood(labels, probabilities) == pytest.approx(log_loss(labels, whole, labels=range(k)))


@given(PAIRS)
def test_macro_f1_leaves_out_classes_that_neither_occur_nor_are_predicted(
    case: tuple[int, list[tuple[int, int]]],
) -> None:
    k, pairs = case
    labels, predicted = np.array(pairs).T
    row = _macro(labels, predicted, k)
    assert row["value"] == pytest.approx(f1_score(labels, predicted, average="macro", zero_division=0))
    assert row["value"] == pytest.approx(np.nanmean(f_scores(square(pairs, k))))
    if (labels == predicted).all():
        assert (row["value"], row["note"]) == (1, NO_MISTAKE)
    else:
        assert 0 <= row["low"] <= row["high"] <= 1


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


@pytest.mark.long
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


def test_no_interval_over_seeds_reaches_beyond_what_a_score_can_be() -> None:
    assert over_seeds(np.array([0.99, 0.995, 1.0]), (0, 1))[1] == 1
    assert over_seeds(np.array([0.001, 0.002, 0.009]), (0, 1))[0] == 0
    results = made_up(names=("mlp", "cnn"), accuracies=(0.99, 1.0), seeds=3, n_test=100)
    frame = scores(results, {})
    of = frame[frame["seed"].isna() & (frame["interval"] == STUDENT)]
    assert {"accuracy", "ece", "brier", "nll"} <= set(of["metric"])
    for row in of.itertuples():
        low, high = RANGES.get(row.metric, (0.0, np.inf))
        assert low <= row.low <= row.value <= row.high <= high


def calibrated(rng: np.random.Generator, networks: int, n: int, scale: tuple[float, float]) -> pd.DataFrame:
    """Make up the bins of networks that are right exactly as often as they say, on the same images."""
    rows = []
    for name in range(networks):
        confidence = 1 / (1 + np.exp(-rng.normal(*scale, n)))
        confidence = np.maximum(confidence, 1 - confidence)
        right = rng.random(n) < confidence
        rows += [{"variant": str(name), "seed": 1, **row} for row in binned(confidence, right)]
    return pd.DataFrame(rows).astype({"variant": "string", "seed": "Int64"})


@pytest.mark.long
@pytest.mark.parametrize("scale", [(14, 2), (9, 3), (2, 1)], ids=["peaked", "sure", "unsure"])
def test_networks_that_are_as_right_as_they_say_are_seldom_called_off(scale: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    seeds = {str(name): 1 for name in range(7)}
    called = [clearly_off(calibrated(rng, 7, 10_000, scale), seeds)["off"].any() for _ in range(60)]
    assert sum(called) <= binom.ppf(0.99, 60, 0.05)


def test_a_network_that_is_too_sure_is_called_off() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 4000)
    rows = binned(confidence, rng.random(4000) < confidence - 0.2)
    frame = pd.DataFrame([{"variant": "mlp", "seed": 1, **row} for row in rows])
    frame = frame.astype({"variant": "string", "seed": "Int64"})
    assert clearly_off(frame, {"mlp": 1})["off"].all()
    assert clearly_off(frame, {}).empty


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
        assert of["macro_f1"] == pytest.approx(np.nanmean(f1))
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
    found = scores(results, {}).dropna(subset="seed").set_index("metric")
    assert found.loc["accuracy", "value"] == (labels == predicted).mean()
    expected = f1_score(labels, predicted, average="macro", zero_division=0)
    assert found.loc["macro_f1", "value"] == pytest.approx(expected)
    for metric in ("accuracy", "macro_f1"):
        row = found.loc[metric]
        if row["note"] == NO_MISTAKE:
            assert (row["value"], row["interval"]) == (1, "")
            continue
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
