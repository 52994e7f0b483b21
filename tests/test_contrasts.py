"""One knob at a time: which pairs are found, and how far apart they are said to be."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import comb, isnan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from reportgen.analysis.comparisons import ARCHITECTURES, NETWORKS, PAIRS, comparisons
from reportgen.analysis.contrasts import COLUMNS, contrasts
from reportgen.analysis.differences import (
    EXACT,
    NONE,
    OVER_SEEDS,
    PAIRED,
    RANGE,
    WELCH,
    Difference,
    newcombe,
    ranges,
    wald_plus_2,
    welch,
)
from reportgen.analysis.knobs import one_knob_pairs
from reportgen.analysis.scores import Z
from reportgen.jobs import DIVERGED, FAILED
from reportgen.lab import load_lab, parse_lab
from reportgen.lab.claims import Knob
from reportgen.layers import LAYERS
from reportgen.results import Results
from synthetic import SEVEN, made_up

END = [{"flatten": True}, {"dense": "classes", "activation": "softmax"}]
CONV = {"conv2d": 4, "kernel": 3, "activation": "relu"}
LAB = load_lab("mnist").model_dump(mode="json", exclude_none=True)


def run_of(**variants: list[dict[str, Any]]) -> Results:
    """Make up a run of variants with these layers before the last two."""
    stated = [{"name": name, "layers": [*layers, *END]} for name, layers in variants.items()]
    return made_up(names=tuple(variants), baseline=None, texts={"variants": stated}, n_test=200, epochs=2)


def seven(**options: Any) -> Results:
    return made_up(names=SEVEN, texts={"variants": LAB["variants"]}, n_test=400, **options)


def contrasts_of(run: Results) -> pd.DataFrame:
    return contrasts(run, {"comparisons": comparisons(run, {})})


def timed(run: Results, seconds: dict[str, list[float]]) -> Results:
    """Give each training of a run the seconds of its epochs from the second; the first is never counted."""
    rows = [
        (variant, seed, epoch, "train", "seconds", value + 0.01 * seed)
        for variant, values in seconds.items()
        for seed in sorted(set(run.runs["seed"]))
        for epoch, value in enumerate([99.0, *values], start=1)
    ]
    more = pd.DataFrame(rows, columns=list(run.epochs.columns)).astype(run.epochs.dtypes.to_dict())
    return replace(run, epochs=pd.concat([run.epochs, more], ignore_index=True))


def pairs_of(run: Results) -> list[tuple[str, str, str, str, str]]:
    found = one_knob_pairs(run.record.lab.variants)
    return [(one.knob, one.from_value, one.to_value, one.a, one.b) for one in found]


def row_of(frame: pd.DataFrame, quantity: str) -> Any:
    rows = frame[frame["quantity"] == quantity]
    assert len(rows) == 1
    return next(rows.itertuples())


# --- pairs ---------------------------------------------------------------------------------------


def test_the_mnist_lab_has_five_pairs_that_differ_in_one_knob() -> None:
    assert sorted(pairs_of(seven())) == [
        ("padding", "valid", "same", "cnn-valid-s1", "cnn-same-s1"),
        ("padding", "valid", "same", "cnn-valid-s2", "cnn-same-s2"),
        ("pooling", "max", "average", "cnn-valid-s1", "cnn-valid-s1-avg"),
        ("strides", "1", "2", "cnn-same-s1", "cnn-same-s2"),
        ("strides", "1", "2", "cnn-valid-s1", "cnn-valid-s2"),
    ]


def test_a_pair_says_which_layers_differ_and_what_stays_fixed() -> None:
    found = {(one.a, one.b): one for one in one_knob_pairs(load_lab("mnist").variants)}
    padding = found["cnn-valid-s1", "cnn-same-s1"]
    assert padding.layers == (1, 3)
    assert padding.fixed == "max pooling, stride 1"
    assert found["cnn-valid-s2", "cnn-same-s2"].fixed == "stride 2"
    assert found["cnn-same-s1", "cnn-same-s2"].fixed == "same padding"


@pytest.mark.parametrize(
    ("one", "other", "knob"),
    [
        ([{**CONV}], [{**CONV, "conv2d": 8}], ("filters", "4", "8")),
        ([{**CONV}], [{**CONV, "kernel": 5}], ("kernel", "3", "5")),
        ([{**CONV}], [{**CONV, "kernel": [3, 5]}], ("kernel", "3", "3×5")),
        ([{**CONV}], [{**CONV, "activation": "tanh"}], ("activation", "relu", "tanh")),
        ([{**CONV}], [{**CONV, "use_bias": False}], ("use_bias", "false", "true")),
        ([{"max_pooling2d": 2}], [{"max_pooling2d": 4}], ("pool", "2", "4")),
        ([{"max_pooling2d": 2}], [{"average_pooling2d": 2}], ("pooling", "max", "average")),
        ([{"dropout": 0.5}], [{"dropout": 0.25}], ("dropout", "0.25", "0.5")),
    ],
)
def test_each_knob_is_found_and_goes_up(
    one: list[dict[str, Any]], other: list[dict[str, Any]], knob: tuple[str, str, str]
) -> None:
    for variants in ({"a": one, "b": other}, {"a": other, "b": one}):
        found = pairs_of(run_of(**variants))
        assert [pair[:3] for pair in found] == [knob]


def test_the_number_of_units_is_a_knob_and_classes_stay() -> None:
    stated = [
        {"name": f"mlp-{n}", "layers": [END[0], {"dense": n, "activation": "relu"}, END[1]]} for n in (9, 80)
    ]
    lab = parse_lab({"title": "t", "dataset": {"name": "mnist"}, "variants": stated}, "t")
    assert [(one.knob, one.from_value, one.to_value) for one in one_knob_pairs(lab.variants)] == [
        ("units", "9", "80")
    ]


@pytest.mark.parametrize(
    "other",
    [
        [{**CONV, "padding": "same", "strides": 2}],  # two knobs
        [{**CONV}, {"dropout": 0.5}],  # another length
        [{**CONV}],  # twins
        [{"separable_conv2d": 4, "kernel": 3, "activation": "relu"}],  # another kind
    ],
)
def test_what_differs_in_nothing_or_more_than_one_knob_is_no_pair(other: list[dict[str, Any]]) -> None:
    assert pairs_of(run_of(a=[CONV], b=other)) == []


def test_a_knob_that_changes_differently_at_two_layers_is_no_pair() -> None:
    a = [{**CONV, "kernel": 3}, {**CONV, "kernel": 5}]
    b = [{**CONV, "kernel": 5}, {**CONV, "kernel": 3}]
    assert pairs_of(run_of(a=a, b=b)) == []


def test_strides_as_large_as_the_pool_are_those_of_no_strides() -> None:
    assert pairs_of(run_of(a=[{"max_pooling2d": 2}], b=[{"max_pooling2d": 2, "strides": 2}])) == []


def test_networks_that_are_built_are_left_out() -> None:
    stated = [
        {"name": "a", "build": "m:f"},
        {"name": "b", "build": "m:g"},
        {"name": "c", "layers": END},
    ]
    lab = parse_lab({"title": "t", "dataset": {"name": "mnist"}, "variants": stated}, "t")
    assert one_knob_pairs(lab.variants) == []


def test_every_field_of_every_layer_is_a_knob_that_a_claim_can_name() -> None:
    from reportgen.analysis.knobs import KNOB_OF

    names = {KNOB_OF.get(name, name) for layer in LAYERS.values() for name in layer.model_fields}
    always_true = {"flatten", "global_average_pooling2d", "batch_normalization"}
    assert names - always_true | {"pooling"} == set(Knob.__args__)  # type: ignore[attr-defined]


# --- the frame -----------------------------------------------------------------------------------


def test_the_frame_has_its_columns_and_their_kinds_with_and_without_pairs() -> None:
    for run in (seven(), run_of(a=[CONV]), run_of(a=[CONV], b=[])):
        frame = contrasts_of(run)
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == COLUMNS


def test_accuracy_of_one_seed_is_compared_image_by_image() -> None:
    run = run_of(a=[CONV], b=[{**CONV, "padding": "same"}])
    row = row_of(contrasts_of(run), "accuracy")
    wide = run.predictions.assign(hit=run.predictions["label"] == run.predictions["predicted"])
    hits = wide.pivot_table(index="index", columns="variant", values="hit", aggfunc="first").astype(bool)
    only_a, only_b = int((hits["a"] & ~hits["b"]).sum()), int((hits["b"] & ~hits["a"]).sum())
    assert (row.low, row.high) == wald_plus_2(only_a, only_b, 200)
    assert row.effect == pytest.approx((only_b - only_a) / 200)
    assert (row.interval, row.n_seeds, row.layers, row.note) == (PAIRED, 1, "1", "the trainings with seed 1")


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_difference_of_accuracies_has_the_interval_that_the_comparisons_give_it(seeds: int) -> None:
    run = seven(seeds=seeds)
    compared = comparisons(run, {})
    pairs = compared[compared["family"] == PAIRS]
    frame = contrasts(run, {"comparisons": compared})
    rows = frame[frame["quantity"] == "accuracy"]
    assert len(rows) == 5 * (1 if seeds == 1 else 2)
    for row in rows.itertuples():
        kind = ARCHITECTURES if row.interval == OVER_SEEDS else NETWORKS
        same = pairs[(pairs["kind"] == kind) & (pairs["a"] == row.a) & (pairs["b"] == row.b)]
        turned = pairs[(pairs["kind"] == kind) & (pairs["a"] == row.b) & (pairs["b"] == row.a)]
        given = [(one.difference, one.low, one.high) for one in same.itertuples()]
        given += [(-one.difference, -one.high, -one.low) for one in turned.itertuples()]
        assert given == [pytest.approx((row.effect, row.low, row.high))]


def test_a_pair_is_apart_where_the_comparisons_say_so_and_in_accuracy_only() -> None:
    run = seven(accuracies=(0.95, 0.95, 0.95, 0.5, 0.95, 0.95, 0.95))
    frame = contrasts_of(run)
    apart = frame[frame["apart"]]
    assert {frozenset(pair) for pair in zip(apart["a"], apart["b"], strict=True)} == {
        frozenset(("cnn-valid-s1", "cnn-valid-s2")),
        frozenset(("cnn-valid-s2", "cnn-same-s2")),
    }
    assert set(apart["quantity"]) == {"accuracy"}


def test_what_the_report_speaks_of_stands_last() -> None:
    run = seven(seeds=3)
    accuracy = contrasts_of(run).query("quantity == 'accuracy'")
    assert set(accuracy.groupby(["a", "b"])["interval"].last()) == {OVER_SEEDS}
    first = run.runs["variant"].eq("mlp") & run.runs["seed"].gt(2)
    fewer = replace(
        run,
        runs=run.runs.assign(status=run.runs["status"].mask(first, FAILED)),
        predictions=run.predictions[~(run.predictions["variant"].eq("mlp") & run.predictions["seed"].gt(2))],
    )
    accuracy = contrasts_of(fewer).query("quantity == 'accuracy'")
    assert set(accuracy.groupby(["a", "b"])["interval"].last()) == {PAIRED}


def test_accuracy_of_three_seeds_has_a_second_row_over_the_seeds() -> None:
    run = seven(seeds=3)
    frame = contrasts_of(run)
    rows = frame[(frame["quantity"] == "accuracy") & (frame["b"] == "cnn-valid-s2")]
    assert list(rows["interval"]) == [PAIRED, OVER_SEEDS]
    means = run.runs.groupby("variant")["test_accuracy"].mean()
    last = rows.iloc[1]
    assert (last["value_a"], last["value_b"]) == pytest.approx((means["cnn-valid-s1"], means["cnn-valid-s2"]))
    assert (last["n_seeds"], last["note"]) == (3, "means over the seeds")


def test_two_seeds_are_too_few_for_an_interval_over_seeds() -> None:
    assert OVER_SEEDS not in set(contrasts_of(seven(seeds=2))["interval"])


def test_a_pair_is_compared_whichever_of_the_two_the_lab_lists_first() -> None:
    one, other = [CONV], [{**CONV, "padding": "same"}]
    rows = [
        row_of(contrasts_of(run_of(**variants)), "accuracy")
        for variants in ({"valid": one, "same": other}, {"same": other, "valid": one})
    ]
    for row in rows:
        assert (row.a, row.b) == ("valid", "same")
        assert row.low <= row.effect <= row.high


def test_seconds_of_one_seed_span_the_epochs_and_are_no_confidence_interval() -> None:
    run = run_of(a=[CONV], b=[{**CONV, "strides": 2}])
    timings = {"a": [5, 6, 5.5, 5.5, 5.5], "b": [2, 4, 3, 3, 3]}
    row = row_of(contrasts_of(timed(run, timings)), "seconds_per_epoch")
    assert row.interval == RANGE
    assert (row.value_a, row.value_b) == pytest.approx((5.51, 3.01))
    assert (row.low, row.high) == pytest.approx((2 - 6, 4 - 5))
    assert "no confidence interval" in row.note


def test_seconds_of_three_seeds_have_an_interval_over_seeds() -> None:
    run = timed(seven(seeds=3), {name: [5.0 + n, 6.0] for n, name in enumerate(SEVEN)})
    frame = contrasts_of(run)
    assert set(frame.loc[frame["quantity"] == "seconds_per_epoch", "interval"]) == {WELCH}


def test_few_timings_have_no_interval() -> None:
    run = run_of(a=[CONV], b=[{**CONV, "strides": 2}])
    for one in (run, timed(run, {"a": [5], "b": [3]}), timed(run, {"a": [5] * 9, "b": [3] * 3})):
        row = row_of(contrasts_of(one), "seconds_per_epoch")
        assert row.interval == NONE
        assert isnan(row.low)
        assert not isnan(row.effect)


def test_parameters_and_map_are_arithmetic() -> None:
    frame = contrasts_of(run_of(a=[CONV], b=[{**CONV, "padding": "same"}]))
    params, size = row_of(frame, "params"), row_of(frame, "map_size")
    assert params.effect == params.low == params.high == (28 * 28 - 26 * 26) * 4 * 10
    assert (size.value_a, size.value_b, size.note) == (26 * 26, 28 * 28, "26×26 → 28×28")
    assert params.interval == size.interval == EXACT


def test_networks_without_a_map_have_no_size_of_it() -> None:
    frame = contrasts_of(run_of(a=[END[0], {"dropout": 0.2}], b=[END[0], {"dropout": 0.4}]))
    assert set(frame["quantity"]) == {"accuracy", "seconds_per_epoch", "params", "multiply_adds"}


@pytest.mark.parametrize("status", [FAILED, DIVERGED])
def test_a_failed_network_keeps_its_arithmetic_and_says_why_the_rest_is_missing(status: str) -> None:
    run = seven(unfinished={"cnn-same-s1": status})
    frame = contrasts_of(run)
    rows = frame[(frame["a"] == "cnn-same-s1") | (frame["b"] == "cnn-same-s1")]
    missing = rows[rows["value_a"].isna()]
    assert set(missing["quantity"]) == {"accuracy", "seconds_per_epoch"}
    assert set(missing["note"]) == {"cnn-same-s1 has no finished training"}
    assert set(missing["n_seeds"]) == {0}
    assert rows.loc[rows["quantity"] == "params", "effect"].notna().all()


# --- intervals -----------------------------------------------------------------------------------

COUNTS = st.integers(0, 400)


@given(COUNTS, COUNTS, st.integers(1, 10_000))
@settings(max_examples=60, deadline=None)
def test_wald_plus_2_is_the_normal_interval_of_statsmodels_with_half_a_pair_more_in_each_cell(
    only_a: int, only_b: int, rest: int
) -> None:
    weights = [only_a + 0.5, rest + 1, only_b + 0.5]
    mean = DescrStatsW([-1.0, 0.0, 1.0], weights=weights, ddof=0)
    reach = Z * mean.std / sqrt(sum(weights))
    low, high = wald_plus_2(only_a, only_b, only_a + only_b + rest)
    assert low == pytest.approx(max(mean.mean - reach, -1), abs=1e-12)
    assert high == pytest.approx(min(mean.mean + reach, 1), abs=1e-12)


@given(COUNTS, COUNTS, st.integers(0, 1000))
@settings(max_examples=60)
def test_wald_plus_2_turns_around_with_its_sides(only_a: int, only_b: int, rest: int) -> None:
    n = only_a + only_b + rest or 1
    low, high = wald_plus_2(only_a, only_b, n)
    assert wald_plus_2(only_b, only_a, n) == pytest.approx((-high, -low))
    assert -1 <= low <= high <= 1
    if only_a == only_b:
        assert low < 0 < high


@pytest.mark.parametrize(("share_a", "share_b"), [(0.05, 0.05), (0.1, 0.2), (0.02, 0.1)])
def test_wald_plus_2_covers_the_truth_as_often_as_it_says(share_a: float, share_b: float) -> None:
    n, truth, covered = 60, share_b - share_a, 0.0
    for a, b in product(range(n + 1), repeat=2):
        if a + b > n:
            continue
        low, high = wald_plus_2(a, b, n)
        ways = comb(n, a) * comb(n - a, b)
        chance = ways * share_a**a * share_b**b * (1 - share_a - share_b) ** (n - a - b)
        covered += chance * (low <= truth <= high)
    assert 0.94 < covered < 0.995


VALUES = st.lists(st.floats(0, 1).map(lambda x: round(x, 4)), min_size=3, max_size=6)


@pytest.mark.filterwarnings("ignore:Precision loss:RuntimeWarning")  # SciPy's, where one side is constant
@given(VALUES, VALUES)
@settings(max_examples=50, deadline=None)
def test_welch_is_that_of_scipy_and_nothing_where_no_side_varies(a: list[float], b: list[float]) -> None:
    from scipy.stats import ttest_ind

    low, high = welch(a, b)
    if len(set(a)) == len(set(b)) == 1:
        assert isnan(low)
        assert isnan(high)
        return
    known = ttest_ind(b, a, equal_var=False).confidence_interval()
    assert (low, high) == pytest.approx((known.low, known.high), abs=1e-9)


@given(st.integers(1, 2000), st.integers(1, 2000), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_newcombe_is_made_of_the_two_wilson_intervals(n: int, m: int, share_a: float, share_b: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    a, b = round(share_a * n), round(share_b * m)
    low, high = newcombe(a, b, n, m)
    (low_a, high_a), (low_b, high_b) = (
        proportion_confint(k, total, method="wilson") for k, total in ((a, n), (b, m))
    )
    p, q = a / n, b / m
    assert low == pytest.approx(q - p - sqrt((q - low_b) ** 2 + (high_a - p) ** 2), abs=1e-9)
    assert high == pytest.approx(q - p + sqrt((high_b - q) ** 2 + (p - low_a) ** 2), abs=1e-9)


def test_newcombe_gives_the_published_example() -> None:
    # Newcombe 1998, table II, (a): 56/70 - 48/80 by method 10.
    assert newcombe(48, 56, 80, 70) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(VALUES, VALUES)
@settings(max_examples=30)
def test_the_range_holds_every_difference(a: list[float], b: list[float]) -> None:
    every = [y - x for x, y in product(a, b)]
    assert ranges(a, b) == pytest.approx((min(every), max(every)))


def test_a_difference_turned_twice_is_itself() -> None:
    one = Difference(0.5, 0.75, 0.1, 0.4, PAIRED, "n")
    assert one.turned() == Difference(0.75, 0.5, -0.4, -0.1, PAIRED, "n")
    assert one.turned().turned() == one
    assert np.isnan(Difference(1, 2).turned().low)
