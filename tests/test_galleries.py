"""Which images a report shows and a run keeps: order, fairness, and that one pair fills no gallery."""

from __future__ import annotations

from collections import Counter
from math import ceil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.analysis import galleries
from reportgen.analysis.galleries import PAIR, Trainings
from reportgen.results import GALLERY_SIZE
from synthetic import made_up

some = settings(max_examples=30, deadline=None)


def training(labels: np.ndarray, rng: np.random.Generator, classes: int, skill: float) -> pd.DataFrame:
    n = len(labels)
    said = np.where(rng.random(n) < skill, labels, rng.integers(0, classes, n))
    sure = rng.integers(1, 12, n) / 12  # many ties
    return pd.DataFrame({"index": np.arange(n), "label": labels, "predicted": said, "confidence": sure})


@st.composite
def any_trainings(draw: st.DrawFn, least: int = 1) -> Trainings:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    classes, n = draw(st.integers(1, 12)), draw(st.integers(1, 90))
    labels = rng.integers(0, classes, n)
    skills = draw(st.lists(st.sampled_from([0.0, 0.3, 0.8, 1.0]), min_size=least, max_size=4))
    return {f"net-{k}": training(labels, rng, classes, skill) for k, skill in enumerate(skills)}


def shown(rows: pd.DataFrame) -> list[tuple[float, int]]:
    return list(zip(rows["confidence"], rows["index"], strict=True))


@some
@given(any_trainings())
def test_the_surest_mistakes_come_first_and_the_least_sure_hits(trainings: Trainings) -> None:
    for one in trainings.values():
        wrong, hits = galleries.surest_mistakes(one), galleries.least_sure_hits(one)
        assert (~galleries.right(wrong)).all()
        assert galleries.right(hits).all()
        assert shown(wrong) == sorted(shown(wrong), key=lambda pair: (-pair[0], pair[1]))
        assert shown(hits) == sorted(shown(hits))
        for rows, correct in ((wrong, False), (hits, True)):
            assert len(rows) <= GALLERY_SIZE
            assert not rows["index"].duplicated().any()
            assert len(rows) > 0 or not (galleries.right(one) == correct).any()


@some
@given(any_trainings(), st.integers(1, 20))
def test_no_pair_has_more_than_its_share_and_what_is_left_out_comes_later(
    trainings: Trainings, most: int
) -> None:
    for one in trainings.values():
        taken = galleries.spread(one, most=most)
        pairs = one.groupby(PAIR).ngroups
        share = max(galleries.A_PAIR_AT_MOST, ceil(most / pairs))
        counts = taken.groupby(PAIR).size()
        assert counts.max() <= share
        for pair, rows in one.groupby(PAIR):  # of each pair its first
            assert rows["index"].head(counts.get(pair, 0)).tolist() == [
                row.index for row in map(Row, taken.to_dict("records")) if row.pair == pair
            ]
        full = {pair for pair, n in counts.items() if n == share}
        if len(taken) < most:  # then only what exceeds a share is missing
            rest = one[~one["index"].isin(taken["index"])]
            assert {row.pair for row in map(Row, rest.to_dict("records"))} <= full


class Row:
    def __init__(self, row: dict[str, int]) -> None:
        self.index, self.pair = row["index"], (row["label"], row["predicted"])


def test_two_a_pair_stand_in_a_gallery_of_many_pairs() -> None:
    labels = np.repeat(np.arange(10), 50)
    one = training(labels, np.random.default_rng(3), 10, 0.2)
    one.loc[one["label"] == 4, "confidence"] = 1.0
    assert galleries.surest_mistakes(one).groupby(PAIR).size().max() == 2
    assert len(galleries.surest_mistakes(one)) == GALLERY_SIZE


@some
@given(any_trainings(least=2))
def test_disagreements_are_what_exactly_one_of_two_gets_right(trainings: Trainings) -> None:
    base, other = list(trainings.values())[:2]
    rows = galleries.disagreements(base, other)
    hits = (galleries.right(base), galleries.right(other))
    assert sorted(rows["index"]) == np.flatnonzero(hits[0] != hits[1]).tolist()
    assert rows["base_right"].sum() == (hits[0] & ~hits[1]).sum()
    for row in rows.to_dict("records"):
        assert base["predicted"][row["index"]] == row["base_predicted"]
        assert other["predicted"][row["index"]] == row["predicted"]
    for base_right in (True, False):
        taken = galleries.only_one_right(rows, base_right)
        assert (taken["base_right"] == base_right).all()
        assert len(taken) <= galleries.DISAGREEMENTS
        sure = taken["confidence" if base_right else "base_confidence"].tolist()
        assert sure == sorted(sure, reverse=True)


@some
@given(any_trainings())
def test_everyone_is_wrong_where_no_training_is_right(trainings: Trainings) -> None:
    rows = galleries.everyone_wrong(trainings)
    expected = set.intersection(
        *({int(n) for n in np.flatnonzero(~galleries.right(one))} for one in trainings.values())
    )
    assert set(rows["index"]) == expected
    assert not rows["index"].duplicated().any()
    for row in rows.to_dict("records"):
        said = Counter(int(one["predicted"][row["index"]]) for one in trainings.values())
        assert said[row["predicted"]] == row["votes"] == max(said.values())
        mean = np.mean([one["confidence"][row["index"]] for one in trainings.values()])
        assert row["confidence"] == pytest.approx(mean)


@some
@given(any_trainings())
def test_any_beginning_of_a_fair_order_is_fair_to_variants_and_to_cells(trainings: Trainings) -> None:
    rows = galleries.mistakes(trainings)
    ordered = galleries.fairly(rows)
    assert sorted(ordered.index) == sorted(rows.index)
    totals = rows.groupby(["variant", *PAIR]).size()
    for n in range(0, len(ordered), max(len(ordered) // 7, 1)):
        some_rows = ordered.head(n)
        of_variant = some_rows.groupby("variant").size().to_dict()
        left = [name for name in rows["variant"].unique() if of_variant.get(name, 0) < sum(totals[name])]
        for name in left:  # none that still waits is more than one turn behind
            assert of_variant.get(name, 0) >= max(of_variant.values(), default=0) - 1
        cells = some_rows.groupby(["variant", *PAIR]).size()
        for name in of_variant:
            deepest = cells[name].max()
            for cell, total in totals[name].items():
                assert cells[name].get(cell, 0) >= min(deepest - 1, total)


@some
@given(any_trainings())
def test_pairs_are_counted_over_all_trainings(trainings: Trainings) -> None:
    pairs = galleries.confused_pairs(trainings)
    counts = Counter(
        (int(row.label), int(row.predicted))
        for one in trainings.values()
        for row in one[~galleries.right(one)].itertuples()
    )
    assert pairs["count"].tolist() == sorted(counts.values(), reverse=True)[: galleries.PAIRS]
    for pair in pairs.itertuples():
        assert counts[int(pair.label), int(pair.predicted)] == pair.count
        rows = galleries.examples(trainings, int(pair.label), int(pair.predicted))
        assert 1 <= len(rows) <= galleries.EXAMPLES
        assert not rows["index"].duplicated().any()
        assert rows["votes"].tolist() == sorted(rows["votes"], reverse=True)
        for row in rows.to_dict("records"):
            one = trainings[row["variant"]].loc[row["index"]]
            assert (one["label"], one["predicted"]) == (pair.label, pair.predicted)
            assert one["confidence"] == row["confidence"]


@pytest.mark.long
@some
@given(any_trainings(), st.integers(0, 60))
def test_a_run_keeps_all_that_its_galleries_show_and_no_more_than_it_may(
    trainings: Trainings, most: int
) -> None:
    base = next(iter(trainings))
    kept = galleries.kept(trainings, base, most)
    needed = {int(n) for _, _, rows in galleries.panels(trainings, base) for n in rows["index"]}
    wrong = {int(n) for one in trainings.values() for n in one["index"][~galleries.right(one)]}
    assert needed <= set(kept) <= needed | wrong
    assert kept == sorted(set(kept))
    assert len(kept) == max(len(needed), min(most, len(needed | wrong)))
    assert set(galleries.kept(trainings, base, 10_000)) == needed | wrong


def test_a_hundred_classes_and_bad_networks_stay_small() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 100, 10_000)
    trainings = {f"net-{k}": training(labels, rng, 100, 0.1) for k in range(3)}
    assert len(galleries.kept(trainings, "net-0", galleries.room_for(32 * 32 * 3))) == 8_000_000 // 3072
    assert galleries.room_for(28 * 28) == galleries.KEPT_IMAGES


def test_what_is_shown_is_the_first_finished_seed_of_each_variant() -> None:
    run = made_up(names=("mlp", "cnn"), seeds=3, n_test=80, epochs=1, image_shape=(8, 8, 1))
    trainings = galleries.trainings_shown(run)
    assert list(trainings) == ["mlp", "cnn"]
    assert all(len(one) == 80 for one in trainings.values())
    first = run.predictions[(run.predictions["variant"] == "cnn") & (run.predictions["seed"] == 1)]
    assert trainings["cnn"]["predicted"].tolist() == first["predicted"].tolist()


@pytest.mark.parametrize(
    "trainings", [{}, {"net": training(np.zeros(5, int), np.random.default_rng(1), 1, 1)}]
)
def test_without_a_training_or_a_mistake_there_is_nothing_to_show(trainings: Trainings) -> None:
    assert galleries.fairly(galleries.mistakes(trainings)).empty
    assert galleries.confused_pairs(trainings).empty
    assert galleries.everyone_wrong(trainings).empty
    assert len(galleries.kept(trainings, None, 100)) == (5 if trainings else 0)
