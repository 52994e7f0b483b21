"""Charts draw for every run there may be, small, the same each time, and with labels that can be read."""

from __future__ import annotations

import io
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from fontTools.ttLib import woff2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.text import Text

from reportgen.analysis.scores import Leaderboard, Score, leaderboard, wilson
from reportgen.jobs import DIVERGED
from reportgen.report import charts, look
from reportgen.report.charts.pairs import cell_width
from reportgen.report.charts.probes import EDGES, LABEL_HEIGHT, ROOM, _spread
from reportgen.report.fonts import FONTS, MORE_FONTS, font_file
from reportgen.report.labels import label_size, place
from reportgen.report.look import text_width, wrap_name
from reportgen.report.svg import as_text, compact
from reportgen.report.theme import FAMILIES, to_svg, use_fonts
from reportgen.results import Results
from synthetic import DIGITS, SEVEN, made_up

LARGEST = 300_000  # bytes of an SVG: more would be a mesh
DASHED = tuple(
    f"{'cnn-' if n else 'mlp-'}with-a-name-of-forty-signs-{n:02d}".ljust(40, "x") for n in range(30)
)
UNDASHED = tuple(f"{'cnn' if n else 'mlp'}{n:02d}".ljust(40, "m") for n in range(7))


def small_svg(plot: object) -> bytes:
    svg = to_svg(plot)  # type: ignore[arg-type]
    assert svg.count(b"<svg") == 1
    assert len(svg) < LARGEST
    return svg


def run_of(names: tuple[str, ...], **options: object) -> Results:
    options = {"n_test": 100, "image_shape": (8, 8, 1), "baseline": names[0], **options}
    return made_up(names=names, **options)


# --- learning curves -----------------------------------------------------------------------------


@pytest.mark.long(but=("one-epoch", "diverged", "200-epochs"))
@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("mlp",), {"epochs": 1}),
        (("mlp",), {"epochs": 200}),
        (SEVEN, {"epochs": 5, "seeds": 5}),
        (DASHED, {"epochs": 2}),
        (UNDASHED, {"epochs": 30}),
        (("mlp", "cnn"), {"unfinished": {"cnn": DIVERGED}}),
    ],
    ids=["one-epoch", "200-epochs", "five-seeds", "thirty-variants", "long-names", "diverged"],
)
def test_learning_curves_draw(names: tuple[str, ...], options: dict[str, object]) -> None:
    epochs = run_of(names, **options).epochs
    for metric in ("accuracy", "loss"):
        small_svg(charts.learning_curves(epochs, metric, names[: look.PANELS_IN_A_FIGURE]))


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_learning_curves_draw_where_every_value_is_the_same(value: float) -> None:
    epochs = run_of(("mlp", "cnn")).epochs.assign(value=value)
    small_svg(charts.learning_curves(epochs, "accuracy", ["mlp", "cnn"]))


def test_learning_curves_leave_out_what_is_no_number() -> None:
    epochs = run_of(("mlp",), epochs=6).epochs
    epochs.loc[epochs["epoch"] == 3, "value"] = float("nan")
    small_svg(charts.learning_curves(epochs, "loss", ["mlp"]))


def test_figures_of_one_run_share_their_axes() -> None:
    epochs = run_of(SEVEN).epochs
    parts = [charts.learning_curves(epochs, "loss", part) for part in (SEVEN[:4], SEVEN[4:])]
    assert parts[0].coordinates.limits.y == parts[1].coordinates.limits.y


# --- costs ---------------------------------------------------------------------------------------


@pytest.mark.long(but=("1-seconds", "7-params", "undashed-params"))
@pytest.mark.parametrize("cost", ["params", "seconds"])
@pytest.mark.parametrize("names", [("mlp",), SEVEN, DASHED, UNDASHED], ids=["1", "7", "30", "undashed"])
def test_cost_charts_draw(names: tuple[str, ...], cost: str) -> None:
    width = look.HALF if len(names) < 9 else look.WIDTH
    small_svg(charts.cost_against_accuracy(leaderboard(run_of(names)), cost, width))


@pytest.mark.parametrize("accuracy", [0.0, 0.9, 1.0])
def test_cost_charts_draw_where_all_are_equal(accuracy: float) -> None:
    board = leaderboard(run_of(SEVEN, accuracies=[accuracy] * 7, seeds=2 if accuracy == 1 else 1))
    small_svg(charts.cost_against_accuracy(board, "params"))


POINTS = st.tuples(st.floats(3, 7), st.floats(40, 100), st.floats(0.05, 4))
NAMES = st.lists(
    st.text("abcdnlmrs-", min_size=2, max_size=40).map(lambda name: f"n{name}"), min_size=1, max_size=7
)


def placed(names: list[str], values: list[tuple[float, float, float]], width: float = 2.65) -> pd.DataFrame:
    frame = pd.DataFrame(
        [(name, 10**x, y, y - e, min(y + e, 100)) for name, (x, y, e) in zip(names, values, strict=True)],
        columns=["variant", "x", "y", "low", "high"],
    )
    return place(frame, width=width, height=2.0, points=7)


def boxes(frame: pd.DataFrame, width: float = 2.65) -> list[tuple[float, float, float, float]]:
    """Give the labels' boxes in inches: left, bottom, right, top."""
    (x0, x1), (y0, y1) = np.log10(frame.attrs["x_limits"]), frame.attrs["y_limits"]
    found = []
    for row in frame[frame["label"] != ""].itertuples():
        w, h = label_size(row.label, 7 / 72)
        left = (np.log10(row.label_x) - x0) / (x1 - x0) * width
        middle = (row.label_y - y0) / (y1 - y0) * 2.0
        found.append((left, middle - h / 2, left + w, middle + h / 2))
    return found


@given(NAMES, st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_label_covers_another_or_leaves_the_panel(names: list[str], data: st.DataObject) -> None:
    values = [data.draw(POINTS) for _ in names]
    made = boxes(placed(names, values))
    for n, (left, bottom, right, top) in enumerate(made):
        assert left > -1e-6
        assert right < 2.65 + 1e-6
        assert bottom > -1e-6
        assert top < 2.0 + 1e-6
        for other in made[:n]:
            across = min(right, other[2]) - max(left, other[0])
            up = min(top, other[3]) - max(bottom, other[1])
            assert min(across, up) < 1e-6


@given(st.lists(POINTS, min_size=7, max_size=7, unique_by=(lambda p: round(p[0], 1), lambda p: round(p[1]))))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_seven_networks_of_a_lab_nearly_all_have_their_names(
    values: list[tuple[float, float, float]],
) -> None:
    """Points that lie on one another may leave one or two without a name, which the caption then says."""
    frame = placed(list(SEVEN), values)
    assert (frame["label"] != "").sum() >= 5


def test_a_line_to_a_far_label_ends_at_its_edge() -> None:
    frame = placed(list(SEVEN), [(5 + n / 1000, 90 + n / 100, 1.0) for n in range(7)])
    assert frame["far"].any()
    (x0, x1) = np.log10(frame.attrs["x_limits"])
    for row, (left, _, right, _) in zip(frame[frame["label"] != ""].itertuples(), boxes(frame), strict=True):
        lead = (np.log10(row.lead_x) - x0) / (x1 - x0) * 2.65
        assert left - 1e-6 <= lead <= right + 1e-6


# --- confusion -----------------------------------------------------------------------------------


@pytest.mark.long(but=("3.1-10", "2.05-20"))
@pytest.mark.parametrize("k", [1, 2, 10, look.CLASSES_COUNTED])
@pytest.mark.parametrize("width", [look.HALF, look.THIRD])
def test_confusion_draws_for_any_number_of_classes_with_long_names(k: int, width: float) -> None:
    classes = [f"class {n} $x_{n}$ of a long taxonomy" for n in range(k)]
    run = run_of(("mlp",), classes=classes, accuracies=(0.3,), n_test=400)
    assert b"<image" not in small_svg(charts.confusion_matrix(run.confusion, classes, 0.5, width))


@pytest.mark.long(but=("1-2", "2-10", "12-2"))
@pytest.mark.parametrize("k", [1, 2, 10, look.CLASSES_COUNTED])
@pytest.mark.parametrize("panels", [1, 2, 6, 12])
def test_differences_draw_for_any_number_of_classes_and_networks(k: int, panels: int) -> None:
    names = [f"network-{n}-with-a-long-name" for n in range(panels)]
    cells = pd.MultiIndex.from_product([names, range(k), range(k)], names=["variant", "label", "predicted"])
    frame = cells.to_frame(index=False)
    frame["difference"] = np.random.default_rng(1).poisson(0.4, len(frame)) * 3 - 1
    classes = [f"class {n} of a long taxonomy" if k > 10 else str(n) for n in range(k)]
    svg = to_svg(charts.confusion_differences(frame, names, classes, 15, min(panels, 2 if k > 10 else 3)))
    assert len(svg) < 100_000 + 60_000 * panels


def test_more_and_fewer_mistakes_have_their_colour_and_sign_and_the_diagonal_has_none() -> None:
    frame = pd.DataFrame(
        {"label": [0, 0, 1, 1], "predicted": [0, 1, 0, 1], "difference": [5, -12, 3, -1], "variant": "a"}
    )
    cells = charts.matrix._changes(frame, 12)
    assert cells["text"].tolist() == ["", "−12", "+3", ""]
    assert cells["fill"][1] == look.ACCENT
    assert cells["fill"][0] == cells["fill"][3] == look.PALE
    red, _, blue = (int(cells["fill"][2][n : n + 2], 16) for n in (1, 3, 5))
    assert red > blue


def test_confusion_draws_where_nothing_was_confused_and_where_a_class_is_absent() -> None:
    run = run_of(("mlp",), accuracies=(1.0,), n_test=9)
    small_svg(charts.confusion_matrix(run.confusion, DIGITS, 0.0))


def test_names_beside_a_matrix_keep_their_distance() -> None:
    for k in (2, 10, 26, 100, 1000):
        axes = charts.matrix._MatrixAxes.fit([f"a class named {n}" for n in range(k)], look.HALF, 7.0)
        assert axes.panel > 1
        step = axes.breaks[1] if len(axes.breaks) > 1 else k
        assert axes.panel / k * step > 7.0 / 72


# --- comparisons, classes, reliability -----------------------------------------------------------


def pairs_of(names: tuple[str, ...]) -> pd.DataFrame:
    rows = [(a, b, 0.1 * n - 0.2, n % 2 == 0) for n, (a, b) in enumerate(combinations(names, 2))]
    return pd.DataFrame(rows, columns=["ahead", "behind", "points", "apart"])


@pytest.mark.parametrize(
    "names", [SEVEN[:2], SEVEN, DASHED[:10], DASHED, UNDASHED], ids=["2", "7", "10", "30", "undashed"]
)
def test_all_pairs_draw_with_every_name_inside_the_picture(names: tuple[str, ...]) -> None:
    svg = small_svg(charts.pair_matrix(pairs_of(names), names, names[0], 1))
    assert (b'data-text="+' in svg) == (2 < len(names) <= look.PAIRS_COUNTED)
    wide = cell_width(names)
    assert wide > 0.1
    for n, name in enumerate(names):
        assert n * wide + text_width(name, look.SIZE - 0.5) < look.WIDTH


def classes_of(k: int, variants: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    roles = ("best", "baseline", *["other"] * variants)[:variants]
    rows = [
        (f"class {n}", f"variant-{v}", role, metric, value, max(value - 0.05, 0), min(value + 0.05, 1))
        for n in range(k)
        for v, role in enumerate(roles)
        for metric in ("recall", "precision", "f1")
        for value in [float(rng.uniform(0.3, 1))]
    ]
    return pd.DataFrame(rows, columns=["name", "variant", "role", "metric", "value", "low", "high"])


@pytest.mark.parametrize(("k", "variants"), [(1, 1), (10, 1), (10, 7), (20, 30)])
def test_classes_draw_for_any_number_of_classes_and_variants(k: int, variants: int) -> None:
    small_svg(charts.class_scores(classes_of(k, variants), [f"class {n}" for n in range(k)]))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_classes_draw_where_all_are_right_or_wrong_and_where_one_has_no_value(value: float) -> None:
    data = classes_of(3, 2).assign(value=value, low=value, high=value)
    data.loc[0, ["value", "low", "high"]] = np.nan
    small_svg(charts.class_scores(data, [f"class {n}" for n in range(3)]))


def bins_of(names: tuple[str, ...], lowest: int) -> pd.DataFrame:
    rows = [
        (name, n / 15, (n + 1) / 15, 5 + 900 * (n == 14), (n + 0.5) / 15, 0.9, 0.8, 0.95, n == 3)
        for name in names
        for n in range(lowest, 15)
    ]
    columns = ["variant", "lower", "upper", "count", "confidence", "accuracy", "low", "high", "off"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.long(but=("1-0", "7-3"))
@pytest.mark.parametrize("lowest", [0, 3, 12, 14])
@pytest.mark.parametrize("names", [("mlp",), SEVEN, DASHED[:12]], ids=["1", "7", "12"])
def test_reliability_draws_wherever_the_bins_begin(names: tuple[str, ...], lowest: int) -> None:
    svg = small_svg(charts.reliability(bins_of(names, lowest), names))
    assert svg.count(b'data-text="100"') >= 2, "on both axes, in the charts' own type"


# --- how a chart is written ----------------------------------------------------------------------


def svg_of(body: str) -> bytes:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="20pt" '
        f'height="10pt" viewBox="0 0 20 10">{body}</svg>'
    ).encode()


def test_every_chart_is_made_small() -> None:
    run = run_of(SEVEN, classes=[f"class {n}" for n in range(30)], seeds=2)
    one = run.confusion[(run.confusion["variant"] == "mlp") & (run.confusion["seed"] == 1)]
    for plot in (
        charts.learning_curves(run.epochs, "loss", SEVEN),
        charts.cost_against_accuracy(leaderboard(run), "seconds"),
        charts.confusion_matrix(one, [f"class {n}" for n in range(30)], 0.1),
    ):
        svg = to_svg(plot)
        assert b"<use" not in svg
        assert b"<metadata" not in svg
        texts = ElementTree.fromstring(as_text(svg.decode())).iter("{http://www.w3.org/2000/svg}text")
        assert {"epoch", "true", "test accuracy, %"} & {one.text for one in texts}


def test_lines_of_text_say_what_they_spell_and_become_it() -> None:
    line = (
        "<g><!-- a &lt;b&gt; &amp; c --><g style='fill: #123456' "
        "transform='translate(3 4) rotate(-90) scale(0.07 -0.07)'>"
        "<defs><path id='SourceSans3ExtraLight-Regular-1' d='M 64 0 L 128 0 Q 128 64 64 64 z' "
        "transform='scale(0.015625)'/></defs><use xlink:href='#SourceSans3ExtraLight-Regular-1'/>"
        "<use xlink:href='#SourceSans3ExtraLight-Regular-1' transform='translate(100 0)'/></g></g>"
    )
    small = compact(svg_of(line)).decode()
    assert small.count("<path") == 1
    assert "M0 -7v-7q-7 0-7 7zM0 -707v-7q-7 0-7 7z" in small
    written = as_text(small)
    assert 'font-weight="400" font-size="700"' in written
    assert 'fill="#123456" transform="translate(300 400) rotate(-90)">a &lt;b&gt; &amp; c</text>' in written
    other = svg_of(line.replace("SourceSans3ExtraLight-Regular", "DejaVuSans"))
    assert "data-text" not in compact(other).decode(), "only the shipped type is sure to be at hand"


def test_marks_of_one_look_become_one_and_those_that_show_what_is_below_do_not() -> None:
    def paths(style: str) -> int:
        two = "".join(f"<path d='M {n} 0 L 5 5 z' style='{style}'/>" for n in range(2))
        return compact(svg_of(two)).count(b"<path")

    assert paths("fill: #ff0000") == 1
    assert paths("fill: none; stroke: #ff0000; stroke-width: 2") == 1
    assert paths("fill: #ff0000; opacity: 0.5") == 2
    assert paths("fill: #ff0000; stroke: #00ff00") == 2
    assert paths("fill: none") == 0


@pytest.mark.parametrize(
    "body",
    [
        "<circle r='1'/>",
        "<path d='M 0 0 A 1 1'/>",
        "<path d='M 0 0 L 1 1' style='filter: url(#a)'/>",
        "<g transform='skewX(3)'/>",
        "<defs><style>* {fill: red}</style></defs>",
    ],
)
def test_an_svg_with_what_is_not_known_is_left_as_it_is(body: str) -> None:
    assert compact(svg_of(body)) == svg_of(body)


def test_the_plain_typefaces_are_those_of_the_html() -> None:
    for stem in (*FONTS.values(), *MORE_FONTS["zh"].values()):
        unpacked = io.BytesIO()
        woff2.decompress(io.BytesIO(font_file(stem, "woff2").read_bytes()), unpacked)
        assert unpacked.getvalue() == font_file(stem).read_bytes(), stem


# --- all -----------------------------------------------------------------------------------------


def test_the_same_chart_gives_the_same_bytes() -> None:
    run = run_of(SEVEN)
    board = leaderboard(run)

    def draw() -> list[bytes]:
        return [
            to_svg(charts.learning_curves(run.epochs, "loss", SEVEN)),
            to_svg(charts.cost_against_accuracy(board, "params")),
            to_svg(charts.confusion_matrix(run.confusion[run.confusion["variant"] == "mlp"], DIGITS, 0.1)),
        ]

    assert draw() == draw()


@given(st.text("ab-._ ", min_size=1, max_size=60))
def test_a_wrapped_name_keeps_every_character_in_lines_that_fit(name: str) -> None:
    lines = wrap_name(name).split("\n")
    assert "".join(lines) == name
    assert max(map(len, lines)) <= 18


def test_text_is_measured_as_it_is_drawn() -> None:
    assert text_width("", 7) == 0
    assert text_width("mm", 7) == pytest.approx(2 * text_width("m", 7))
    assert text_width("漢", 72) == pytest.approx(1.0)
    assert 0.4 < text_width("n", 72) < 0.65


@pytest.mark.parametrize("seconds", [0.1208, 0.6234, 1.7686, 13.5, 167.658, 1510.336])
def test_one_variant_alone_has_its_point_wherever_its_cost_lies(seconds: float) -> None:
    low, high = wilson(400, 497)
    one = Score("alone", True, 2275, 1, (400 / 497,), low, high, 0.5, seconds, 97)
    board = Leaderboard((one,), 497, 1)
    for cost in ("seconds", "params"):
        assert b"<svg" in to_svg(charts.cost_against_accuracy(board, cost))


def probed(variants: int, levels: int) -> pd.DataFrame:
    rows = [
        (f"network-{n}", str(k), float(k), 0.95 - 0.1 * k - 0.001 * n)
        for n in range(variants)
        for k in range(levels)
    ]
    data = pd.DataFrame(rows, columns=["variant", "level", "pixels", "accuracy"])
    return data.assign(low=data["accuracy"] - 0.02, high=data["accuracy"] + 0.02)


@pytest.mark.parametrize(("variants", "levels"), [(1, 1), (1, 7), (7, 7), (30, 3)])
def test_probes_are_drawn_for_any_number_of_networks_and_levels(variants: int, levels: int) -> None:
    data = probed(variants, levels)
    assert b"<svg" in to_svg(charts.accuracy_by_shift(data, "network-0"))
    edges = data.assign(level=data["level"].map(dict(zip("0123456", EDGES, strict=False))))
    assert b"<svg" in to_svg(charts.accuracy_at_edges(edges.dropna(), ""))


def test_of_too_many_networks_the_best_at_the_edges_and_the_baseline_are_drawn() -> None:
    data = probed(60, 1).assign(level="left")
    names = [f"network-{n}" for n in range(60)]
    assert list(charts.accuracy_at_edges(data, "network-3").data["variant"]) == names[:48]
    last = charts.accuracy_at_edges(data, "network-59").data["variant"]
    assert list(last) == [*names[:47], "network-59"]


@pytest.mark.parametrize("values", [[0.9] * 7, [0.1] * 7, [0.1, 0.5, 0.9], [0.98, 0.979, 0.978, 0.1]])
def test_names_beside_the_lines_do_not_touch_and_stay_in_the_panel(values: list[float]) -> None:
    ends = pd.DataFrame({"variant": [f"v{n}" for n in range(len(values))], "value": values})
    limits, height = (0.0, 1.0), 2.7
    places = _spread(ends, limits, height)["y"].tolist()
    step = LABEL_HEIGHT / (height - ROOM)
    assert all(one - other >= step - 1e-9 for one, other in pairwise(places))
    assert min(places) >= 0
    assert max(places) <= 1


def test_all_letters_of_a_chart_may_come_from_every_shipped_type() -> None:
    """Three panels, as many as types: a list of types would be dealt out to their titles."""
    use_fonts()
    figure = charts.class_scores(classes_of(2, 2), ["class 0", "class 1"]).draw()
    families = {tuple(text.get_fontfamily()) for text in figure.findobj(Text) if text.get_text()}
    assert families == {tuple(FAMILIES)}
    pyplot.close(figure)
