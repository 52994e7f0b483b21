"""How networks fare on changed images: changes against those of others, and how often an interval errs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.analysis.differences import newcombe, wald_plus_2
from reportgen.analysis.probe_scores import Fared, compared, unmoved
from reportgen.data.probes import subset
from synthetic import made_up


def drawn(rng: np.random.Generator, gap: float, seeds: int, n: int) -> tuple[list[Fared], list[Fared]]:
    """Draw two networks that see the same images, some of them hard for both, unmoved and at four edges.

    The second loses less by `gap`, though it is better on the unmoved images too; seeds are luckier or not.
    """
    hard = np.where(rng.random(n) < 0.3, -0.25, 0.25 * 0.3 / 0.7)  # of mean 0

    def one(share: float, better: float) -> Fared:
        luck = rng.normal(0, 0.01) if seeds > 1 else 0.0
        right = rng.random((4, n)) < share + luck + hard
        return Fared(float(right.mean()), n, rng.random(n) < better)

    a = [one(0.5, 0.95) for _ in range(seeds)]
    return a, [one(0.5 + gap + 0.02, 0.97) for _ in range(seeds)]


def covered(experiments: int, seeds: int, pairs: int = 1) -> float:
    rng = np.random.default_rng(seeds)
    inside = 0
    for _ in range(experiments):
        found = compared(*drawn(rng, 0.05, seeds, 400), pairs)
        inside += found.low <= 0.05 <= found.high
    return inside / experiments


@pytest.mark.parametrize("seeds", [1, 3])
def test_an_interval_of_a_change_covers_the_truth_at_least_as_often_as_it_says(seeds: int) -> None:
    assert covered(300, seeds) >= 0.95


@pytest.mark.long
@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_of_5000_intervals_of_a_change_95_percent_cover_the_truth(seeds: int) -> None:
    assert covered(5000, seeds) >= 0.95


SHARES = st.lists(st.integers(0, 200), min_size=3, max_size=5)


def fared(rights: list[int], n: int = 200) -> list[Fared]:
    rng = np.random.default_rng(rights)
    return [Fared(right / n, n, rng.random(n) < 0.9) for right in rights]


@given(SHARES, SHARES, st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_a_comparison_turned_around_is_its_opposite_and_more_pairs_make_it_wider(
    a: list[int], b: list[int], pairs: int
) -> None:
    for trainings in (slice(None), slice(1)):  # over seeds, and of one each
        one, other = fared(a)[trainings], fared(b)[trainings]
        found, turned = compared(one, other, pairs), compared(other, one, pairs).turned()
        assert (found.low, found.high) == pytest.approx((turned.low, turned.high))
        assert found.low <= found.effect <= found.high
        wider = compared(one, other, pairs + 1)
        assert wider.low <= found.low <= found.high <= wider.high
        changes = [np.mean([training.change for training in each]) for each in (one, other)]
        assert found.effect == pytest.approx(changes[1] - changes[0])


def test_over_seeds_an_interval_has_the_images_part_even_if_the_seeds_agree() -> None:
    right = np.arange(200) < 190
    one, other = ([Fared(share, 200, right)] * 3 for share in (0.5, 0.6))
    found = compared(one, other)
    assert found.effect == pytest.approx(0.1)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt((0.25 + 0.24) / 200), rel=0.01)


def test_one_training_each_takes_the_worst_of_what_is_not_known() -> None:
    a, b = np.arange(200) < 180, np.arange(200) >= 10
    found = compared([Fared(0.5, 200, a)], [Fared(0.6, 200, b)])
    (low, high), (least, most) = newcombe(100, 120, 200, 200), wald_plus_2(10, 20, 200)
    assert (found.low, found.high) == (low - most, high - least)
    alone = compared([Fared(0.5, 200)], [Fared(0.6, 200)])
    assert (alone.low, alone.high) == (low, high)


@pytest.mark.parametrize("n", [50, 200])
def test_the_unmoved_images_are_those_that_a_probe_draws(n: int) -> None:
    run = made_up(names=("a", "b"), n_test=200, seeds=2)
    shuffled: Any = run.predictions.sample(frac=1, random_state=0)
    found = unmoved(shuffled, n)
    assert set(found) == {("a", 1), ("a", 2), ("b", 1), ("b", 2)}
    for (variant, seed), right in found.items():
        mine = run.predictions[(run.predictions["variant"] == variant) & (run.predictions["seed"] == seed)]
        hits = pd.Series((mine["label"] == mine["predicted"]).to_numpy(), index=mine["index"])
        labels = mine.set_index("index")["label"].sort_index().to_numpy("int64")
        assert right.tolist() == hits.loc[subset(labels, n)].tolist()
    assert unmoved(run.predictions, 201) == {}
