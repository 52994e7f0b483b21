"""The sections that show the analysis: what they say is what stands in the frames, and no more."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.analysis.comparisons import ARCHITECTURES, BASELINE, NETWORKS, PAIRS
from reportgen.analysis.frames import analyse
from reportgen.jobs import FAILED
from reportgen.report.document import Context
from reportgen.report.html import context_of
from reportgen.report.sections.all_pairs import MOST_PAIRS, _ahead
from reportgen.report.sections.calibration import calibration
from reportgen.report.sections.classes import WORST_SHOWN
from reportgen.report.sections.comparisons import comparisons
from reportgen.report.sections.forest import MARGIN, Axis
from reportgen.report.sections.scores import scores
from reportgen.results import Results
from reportgen.text import p_value
from synthetic import SEVEN, made_up, studio

SMALL: dict[str, Any] = {"n_test": 300, "epochs": 2, "image_shape": (8, 8, 1)}
TWELVE = tuple(f"net-{n}" for n in range(12))


@cache
def context(**options: Any) -> Context:
    return context_with(made_up(**{**SMALL, **options}))


def context_with(results: Results) -> Context:
    return context_of(results, studio(), analyse(results))


def frame(one: Context, name: str, **equal: str) -> pd.DataFrame:
    rows = one.analysis[name]
    for column, value in equal.items():
        rows = rows[rows[column] == value]
    return rows


# --- who is really better ------------------------------------------------------------------------


@pytest.mark.parametrize(("seeds", "kind"), [(1, NETWORKS), (2, NETWORKS), (3, ARCHITECTURES)])
def test_each_row_against_the_baseline_is_that_of_the_frame(seeds: int, kind: str) -> None:
    one = context(seeds=seeds)
    body = comparisons(one)
    rows = frame(one, "comparisons", family=BASELINE, kind=kind).set_index("b")
    assert [row.variant for row in body.rows] == [
        score.variant for score in one.board.scored if not score.baseline
    ]
    for row in body.rows:
        there = rows.loc[row.variant]
        assert row.value == pytest.approx(100 * there["difference"], abs=1e-5)
        assert row.apart == there["apart"]
        assert row.p == p_value(there["p_holm"])
        if kind == NETWORKS:
            assert row.alone == (str(there["only_b_right"]), str(there["only_a_right"]))
            assert not row.points
        else:
            assert len(row.points) == seeds
    assert ("architectures" in body.introduction) == (seeds > 1)


def test_of_two_seeds_it_says_why_it_does_not_speak_of_architectures() -> None:
    said = comparisons(context(seeds=2)).introduction
    assert "the first training of each variant" in said
    assert "because mlp has 2 finished seeds, and 3 are needed" in said
    assert "not applicable" not in said


def test_all_pairs_are_turned_to_the_order_of_the_leaderboard() -> None:
    one = context(seeds=3)
    names = [score.variant for score in one.board.scored]
    pairs = frame(one, "comparisons", family=PAIRS, kind=ARCHITECTURES)
    cells = _ahead(pairs, names)
    assert len(cells) == 21
    accuracy = {score.variant: 100 * score.accuracy for score in one.board.scored}
    for cell in cells.itertuples():
        assert names.index(cell.ahead) < names.index(cell.behind)
        assert cell.points == pytest.approx(accuracy[cell.ahead] - accuracy[cell.behind])
        assert cell.low <= cell.points <= cell.high


@pytest.mark.long
def test_many_variants_have_a_table_of_the_pairs_that_are_apart_and_few_have_none() -> None:
    one = context(names=TWELVE, baseline="net-0", accuracies=tuple(np.linspace(0.3, 0.99, 12)))
    body = comparisons(one)
    apart = int(frame(one, "comparisons", family=PAIRS, kind=NETWORKS)["apart"].sum())
    assert apart > MOST_PAIRS
    assert len(body.pairs) == MOST_PAIRS
    assert [row.value for row in body.pairs] == sorted((row.value for row in body.pairs), reverse=True)
    assert body.pairs_caption is not None
    assert f"{apart - MOST_PAIRS} more pairs stand in frames/comparisons.parquet" in body.pairs_caption.text
    assert f"{apart} of 66 pairs" in str(body.figure and body.figure.caption)
    assert comparisons(context()).pairs == ()


@pytest.mark.long
def test_what_is_said_of_single_seeds_is_what_the_frame_counts() -> None:
    one = context(seeds=3, accuracies=tuple(0.95 + 0.001 * n for n in range(7)))
    known = frame(one, "comparisons", family=PAIRS, kind=ARCHITECTURES)["reversed"].dropna()
    said = " ".join(comparisons(one).said)
    often = int((known > 0).sum())
    assert often
    assert f"in {often} of {len(known)} pairs" in said
    assert f"{100 * known.mean():.0f} % of the combinations" in said
    assert "one seed of each" not in " ".join(comparisons(context()).said)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            {"names": ("mlp",)},
            "Not applicable, because only mlp has predictions, and it takes two to compare.",
        ),
        (
            {"names": ("a", "b"), "unfinished": {"a": FAILED, "b": FAILED}, "baseline": "a"},
            "Not applicable, because no variant has predictions",
        ),
        (
            {"names": ("a", "b"), "baseline": None},
            "Against the baseline: not applicable, because this lab names none.",
        ),
        (
            {"names": ("a", "b", "c"), "baseline": "a", "unfinished": {"a": FAILED}},
            "Against the baseline: not applicable, because it has no predictions.",
        ),
    ],
    ids=["one", "none", "no-baseline", "failed-baseline"],
)
def test_what_cannot_be_compared_is_said(options: dict[str, Any], reason: str) -> None:
    body = comparisons(context_with(made_up(**{**SMALL, **options})))
    assert reason in " ".join(body.missing)
    assert not body.rows


def test_networks_that_err_on_the_same_images_leave_nothing_to_resolve() -> None:
    body = comparisons(context(names=("mlp", "cnn"), accuracies=(1.0, 1.0)))
    assert any("not applicable, because the networks err on the same images" in said for said in body.said)
    assert not any(row.apart for row in body.rows)


@given(st.lists(st.floats(-100, 100), max_size=8), st.sampled_from([120, 190]))
def test_an_axis_of_differences_holds_all_values_and_zero_and_its_ticks_lie_inside(
    values: list[float], width: int
) -> None:
    axis = Axis.around(values, width)
    for value in [0.0, *values]:
        assert MARGIN - 0.1 <= axis.x(value) <= width - MARGIN + 0.1
    places = [x for x, _ in axis.ticks]
    assert "0" in [label for _, label in axis.ticks]
    assert all(0 <= x <= width for x in places)
    assert places == sorted(places)
    assert len(places) <= 7
    assert len({label for _, label in axis.ticks}) == len(places)


# --- every score ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("seeds", "with_bounds"), [(1, 2), (2, 0), (3, 7)])
def test_the_table_of_scores_has_the_numbers_of_the_frame_and_the_intervals_that_there_are(
    seeds: int, with_bounds: int
) -> None:
    one = context(seeds=seeds)
    body = scores(one)
    assert body is not None
    there = one.analysis["scores"]
    for row, score in zip(body.tables[0].rows, one.board.scores, strict=True):
        assert row.variant == score.variant
        assert float(row.cells[0].value) == pytest.approx(100 * score.accuracy)
        mine = there[(there["variant"] == row.variant) & (there["metric"] == "brier")]
        expected = mine[mine["seed"].notna()]["value"].mean()
        assert float(row.cells[4].value) == pytest.approx(expected, rel=1e-5)
        assert sum(bool(cell.bounds) for cell in row.cells) == with_bounds


def test_a_variant_without_a_score_has_its_reason_in_both_tables() -> None:
    body = scores(context_with(made_up(names=("mlp", "cnn"), unfinished={"cnn": FAILED}, **SMALL)))
    assert body is not None
    for table in body.tables:
        assert table.rows[-1].reason.startswith("failed: ResourceExhaustedError")
        assert table.rows[-1].cells == ()
    assert "cnn" in body.missing
    assert "multiply-adds" not in body.tables[1].caption.text, "the one that has a score knows its own"


def test_no_score_at_all_has_no_section() -> None:
    one = context_with(made_up(names=("mlp",), unfinished={"mlp": FAILED}, **SMALL))
    assert scores(one) is None
    assert calibration(one) is None


def test_who_comes_first_is_said_by_each_score() -> None:
    one = context()
    body = scores(one)
    assert body is not None
    means = frame(one, "scores")
    means = means[means["seed"].isna()]
    loss = means[means["metric"] == "loss"].set_index("variant")["value"]
    assert str(loss.idxmin()) in body.introduction


def test_of_a_hundred_classes_the_worst_are_shown_and_said_to_be() -> None:
    one = context(names=("mlp", "cnn"), classes=tuple(f"class {n}" for n in range(100)), n_test=600)
    body = scores(one)
    assert body is not None
    assert body.figure is not None
    assert f"Of 100 classes, the {WORST_SHOWN} with the lowest F1 of the best variant" in body.figure.caption
    assert body.figure.data is not None
    shown = set(body.figure.data["class"])
    assert len(shown) == WORST_SHOWN
    f1 = frame(one, "per_class", metric="f1", variant="cnn").set_index("label")["value"]
    names = {f"class {n}": value for n, value in f1.items()}
    assert max(names[name] for name in shown) <= min(v for name, v in names.items() if name not in shown)


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_classes_of_which_recall_is_said_to_be_apart_are_those_whose_intervals_are(seeds: int) -> None:
    one = context(names=("mlp", "cnn"), accuracies=(0.6, 0.97), seeds=seeds, n_test=600)
    body = scores(one)
    assert body is not None
    assert body.figure is not None
    rows = frame(one, "per_class", metric="recall")
    rows = rows[rows["seed"] == 1].pivot_table(index="label", columns="variant", values=["low", "high"])
    above = [str(n) for n in rows.index if rows.loc[n, ("low", "cnn")] > rows.loc[n, ("high", "mlp")]]
    assert len(above) > 1
    assert f"lies wholly above that of mlp for {above[0]}" in body.figure.caption


# --- calibration ---------------------------------------------------------------------------------


def test_the_bins_that_are_drawn_as_off_are_those_of_the_finding_and_the_caption_counts_them() -> None:
    for accuracies in ((0.95, 0.95), (0.5, 0.95)):
        one = context(names=("mlp", "cnn"), accuracies=accuracies, n_test=600)
        body = calibration(one)
        assert body is not None
        data = body.figures[0].data
        assert data is not None
        numbers = json.loads(frame(one, "findings", code="miscalibration")["numbers"].iloc[0])
        off = numbers["bins that are off"]
        assert int(data["clearly off"].sum()) == off
        assert len(data) == numbers["bins"]
        said = f"Filled: {off} of {len(data)} bins" if off else f"None of {len(data)} bins is clearly off"
        assert said in body.figures[0].caption


def test_several_seeds_show_the_bins_of_the_first_training() -> None:
    body = calibration(context(seeds=2))
    assert body is not None
    assert body.figures[0].caption.count("The first training of each variant") == 1


def test_more_variants_than_a_figure_holds_have_more_figures() -> None:
    body = calibration(context(names=(*TWELVE, "net-12"), baseline="net-0"))
    assert body is not None
    assert [one.lead for one in body.figures] == ["Reliability, 1 of 2.", "Reliability, 2 of 2."]
    assert body.figures[1].caption == f"As in Figure {body.figures[0].number}."


# --- all -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0, 0.0004, 0.00049999])
def test_a_tiny_p_is_not_written_as_zero(p: float) -> None:
    assert p_value(p) == "<0.001"


@pytest.mark.parametrize(
    ("p", "written"), [(0.001, "0.001"), (0.0123, "0.012"), (0.0996, "0.10"), (0.5, "0.50"), (1.0, "1.00")]
)
def test_other_ps_have_the_digits_that_count(p: float, written: str) -> None:
    assert p_value(p) == written


def test_the_rows_behind_each_new_chart_name_their_columns_in_words() -> None:
    one = context(names=SEVEN[:3])
    found = [comparisons(one).figure, *calibration(one).figures, scores(one).figure]  # type: ignore[union-attr]
    for figure in found:
        assert figure is not None
        assert figure.data is not None
        assert len(figure.data)
        assert not any("_" in column for column in figure.data.columns)
