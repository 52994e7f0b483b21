"""Charts in the eyes of readers who see fewer colours, and on a grey printer: series stay apart."""

from __future__ import annotations

import io
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib import rc_context
from numpy.typing import NDArray
from PIL import Image
from plotnine import ggplot
from scipy import ndimage

from reportgen.analysis.scores import leaderboard
from reportgen.colours import contrast
from reportgen.report import charts, look
from reportgen.report.charts.matrix import _cells, _changes
from reportgen.report.charts.probes import MOST_LABELS
from reportgen.report.theme import SETTINGS, use_fonts
from reportgen.results import Results
from synthetic import SEVEN, made_up

Picture = NDArray[np.float64]  # (h, w, 3), sRGB from 0 to 1

# What a reader without one kind of cones sees, in linear light: Machado, Oliveira and Fernandes, A
# physiologically-based model for simulation of color vision deficiency, IEEE TVCG 15 (2009), table 1.
SEEN = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
D65 = np.array([0.9505, 1.0, 1.089])
APART = 20.0  # of CIE 1976: ten times what is just seen where two patches touch
NEAR = 12.0  # of a series' colour: its pixels, without those at its smoothed edges


def linear(picture: Picture) -> Picture:
    return np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)


def seen(picture: Picture, sight: str) -> Picture:
    """Give a picture in linear light as it is seen; "all" is by all cones."""
    light = linear(picture)
    return light if sight == "all" else np.clip(light @ np.array(SEEN[sight]).T, 0, 1)


def lab(light: Picture) -> Picture:
    """Give CIE L*a*b* of linear sRGB (D65)."""
    ratio = light @ XYZ.T / D65
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def patch(colour: str) -> Picture:
    return np.array([int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)])


def apart(one: str, other: str, sight: str = "all") -> float:
    return float(np.linalg.norm(lab(seen(patch(one), sight)) - lab(seen(patch(other), sight))))


def lightness(colour: str) -> float:
    return float(lab(linear(patch(colour)))[0])


# --- the palette -----------------------------------------------------------------------------------

PALETTE = [look.ACCENT, look.CONTRAST, look.GREY, look.HAIRLINE, "#ffffff"]
sights = pytest.mark.parametrize("sight", ["all", *SEEN])


def test_the_simulation_leaves_grey_grey_and_merges_what_it_should() -> None:
    for sight in SEEN:
        assert np.allclose(seen(patch("#808080"), sight), linear(patch("#808080")), atol=0.002)
    assert apart("#ff0000", "#808000") > 3 * apart("#ff0000", "#808000", "protanopia")


@sights
def test_the_palette_is_told_apart_by_every_eye(sight: str) -> None:
    for one, other in combinations(PALETTE, 2):
        if {one, other} != {look.HAIRLINE, "#ffffff"}:  # a hairline is there to be overlooked
            assert apart(one, other, sight) >= APART, (one, other)


@pytest.mark.parametrize("colour", [look.ACCENT, look.CONTRAST, look.GREY, look.INK])
def test_what_is_drawn_and_written_is_seen_on_white(colour: str) -> None:
    # Graphics need 3 to 1 (WCAG 2.1, 1.4.11); these colours are of words too, which need 4.5.
    assert contrast(colour, "#ffffff") >= 4.45


# --- drawn charts ----------------------------------------------------------------------------------


@cache
def run() -> Results:
    return made_up(names=SEVEN[:4], accuracies=(0.7, 0.8, 0.9, 0.95), n_test=300, epochs=4)


def probes() -> pd.DataFrame:
    levels = ["left", "right", "top", "bottom"]
    rows = [
        (v, level, n, 0.5 + 0.1 * m + 0.02 * n)
        for m, v in enumerate(SEVEN[:3])
        for n, level in enumerate(levels)
    ]
    frame = pd.DataFrame(rows, columns=["variant", "level", "pixels", "accuracy"])
    return frame.assign(low=frame["accuracy"] - 0.02, high=frame["accuracy"] + 0.02)


def scores_by_class() -> pd.DataFrame:
    rows = [
        (name, variant, role, metric, value, value - 0.06, value + 0.06)
        for n, name in enumerate("abc")
        for variant, role, value in (("cnn", "best", 0.9 - 0.1 * n), ("mlp", "baseline", 0.7 - 0.1 * n))
        for metric in ("recall", "precision", "f1")
    ]
    return pd.DataFrame(rows, columns=["name", "variant", "role", "metric", "value", "low", "high"])


def bins() -> pd.DataFrame:
    rows = [
        ("mlp", n / 15, (n + 1) / 15, 50, (n + 0.5) / 15, n / 15, n / 15 - 0.1, n / 15 + 0.1, n % 3 == 0)
        for n in range(3, 15)
    ]
    columns = ["variant", "lower", "upper", "count", "confidence", "accuracy", "low", "high", "off"]
    return pd.DataFrame(rows, columns=columns)


def mistakes(counts: tuple[int, ...]) -> pd.DataFrame:
    """Give a confusion matrix whose first row has these counts, and an untouched diagonal besides."""
    k = len(counts)
    frame = pd.MultiIndex.from_product([range(k), range(k)], names=["label", "predicted"]).to_frame(
        index=False
    )
    row = frame["label"] == 0
    frame["count"] = np.where(row, frame["predicted"].map(dict(enumerate(counts))), 0)
    return frame


def differences() -> pd.DataFrame:
    frame = mistakes((0, -8, 8, -8, 8)).rename(columns={"count": "difference"})
    return frame.assign(variant="cnn")


def pairs() -> pd.DataFrame:
    rows = [(a, b, 1.0, n % 2 == 0) for n, (a, b) in enumerate(combinations(SEVEN[:4], 2))]
    return pd.DataFrame(rows, columns=["ahead", "behind", "points", "apart"])


CHARTS = {
    "curves": lambda: charts.learning_curves(run().epochs, "accuracy", SEVEN[:1]),
    "costs": lambda: charts.cost_against_accuracy(leaderboard(run()), "params"),
    "shift": lambda: charts.accuracy_by_shift(probes(), "mlp"),
    "edges": lambda: charts.accuracy_at_edges(probes(), "mlp"),
    "classes": lambda: charts.class_scores(scores_by_class(), ["a", "b", "c"]),
    "reliability": lambda: charts.reliability(bins(), ["mlp"]),
    "differences": lambda: charts.confusion_differences(differences(), ["cnn"], list("abcde"), 8, 1),
    "pairs": lambda: charts.pair_matrix(pairs(), list(SEVEN[:4]), "mlp", 1),
    "matrix": lambda: charts.confusion_matrix(mistakes((90, 1, 9, 1, 9)), list("abcde"), 0.1),
}
# What is to be told apart in each: two series, or the ends of a scale.
SERIES = dict.fromkeys(CHARTS, (look.ACCENT, look.CONTRAST)) | {
    "pairs": (look.ACCENT, look.PALE),
    "matrix": tuple(_cells(mistakes((90, 1, 9, 1, 9)), 0.1)["fill"][1:3]),
}


def test_every_chart_is_looked_at() -> None:
    looked_at = {"learning_curves", "cost_against_accuracy", "accuracy_by_shift", "accuracy_at_edges"}
    looked_at |= {"class_scores", "reliability", "confusion_differences", "pair_matrix", "confusion_matrix"}
    assert looked_at == set(charts.__all__)
    assert len(CHARTS) == len(looked_at)


@cache
def drawn(name: str) -> Picture:
    plot: ggplot = CHARTS[name]()
    use_fonts()
    buffer = io.BytesIO()
    with rc_context(SETTINGS):
        plot.save(buffer, format="png", dpi=480, verbose=False)
    return np.asarray(Image.open(buffer).convert("RGB"), dtype="float64") / 255


@cache
def pixels_of(name: str, colour: str) -> NDArray[np.bool_]:
    """Find a colour in a drawn chart."""
    picture = np.rint(255 * drawn(name)).astype("int64")
    packed, places = np.unique(picture @ [1 << 16, 1 << 8, 1], return_inverse=True)
    known = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1) / 255
    distance = np.linalg.norm(lab(linear(known)) - lab(linear(patch(colour))), axis=-1)
    found: NDArray[np.bool_] = (distance < NEAR)[places].reshape(picture.shape[:2])
    return found


@sights
@pytest.mark.parametrize("name", CHARTS)
def test_the_series_of_a_drawn_chart_are_told_apart_by_every_eye(name: str, sight: str) -> None:
    middle = {}
    for colour in SERIES[name]:
        here = drawn(name)[pixels_of(name, colour)]
        assert len(here) > 100, "it is drawn"
        middle[colour] = lab(seen(here, sight)).mean(axis=0)
    one, other = middle.values()
    assert np.linalg.norm(one - other) >= APART
    if set(SERIES[name]) == {look.ACCENT, look.CONTRAST}:  # else the weaker one is there to be overlooked
        paper = lab(seen(drawn(name)[0, 0], sight))
        assert all(np.linalg.norm(one - paper) >= APART for one in middle.values())


def fills(mask: NDArray[np.bool_], least: int = 40) -> list[float]:
    """Tell of each mark, without its lines, how much of its box it fills: a disc 0.79, a diamond 0.5."""
    y, x = np.mgrid[-4:5, -4:5]
    worn = ndimage.binary_opening(mask, y**2 + x**2 <= 18)
    labels, _ = ndimage.label(worn)
    shares = []
    for n, box in enumerate(ndimage.find_objects(labels), start=1):
        mark = labels[box] == n
        if mark.sum() >= least and 0.8 < mark.shape[0] / mark.shape[1] < 1.25:
            shares.append(float(mark.mean()))
    return shares


@pytest.mark.parametrize("name", ["costs", "shift", "edges", "classes"])
def test_without_colour_the_baseline_has_another_mark(name: str) -> None:
    discs, diamonds = (fills(pixels_of(name, one)) for one in (look.ACCENT, look.CONTRAST))
    assert discs
    assert diamonds
    assert np.median(discs) > np.median(diamonds) + 0.06, (discs, diamonds)


@pytest.mark.parametrize("networks", [2, 7, MOST_LABELS])
def test_without_colour_each_line_of_moved_images_has_a_mark_of_its_own(networks: int) -> None:
    names = [f"network-{n}" for n in range(networks)]
    frame = pd.DataFrame([(one, "", n, 0.5) for one in names for n in (0, 1)])
    frame.columns = pd.Index(["variant", "level", "pixels", "accuracy"])
    layers = charts.accuracy_by_shift(frame, "network-0")
    marks = set(zip(layers.data["variant"], layers.data["shape"], layers.data["line"], strict=True))
    assert len(marks) == len({mark[1:] for mark in marks}) == networks
    assert ("network-0", "D", "solid") in marks


def test_without_colour_a_bin_that_is_off_is_filled_and_the_others_are_rings() -> None:
    assert len(fills(pixels_of("reliability", look.CONTRAST))) == 4
    assert not fills(pixels_of("reliability", look.ACCENT))


def test_without_colour_training_is_dashed_and_validation_is_not() -> None:
    solid, dashed = (ndimage.label(pixels_of("curves", one))[1] for one in (look.ACCENT, look.CONTRAST))
    assert dashed >= solid + 8


def test_in_grey_what_is_better_is_darker_than_what_is_alike() -> None:
    # Pairs of networks: those that can be told apart, and those that cannot.
    assert abs(lightness(look.ACCENT) - lightness(look.PALE)) >= 40


def test_a_matrix_gets_darker_with_every_mistake_in_grey() -> None:
    counts = pd.DataFrame({"label": [0] * 5, "predicted": range(5), "count": [90, 1, 3, 5, 9]})
    cells = _cells(counts, 0.1)
    shades = [lightness(fill) for fill in cells["fill"][1:]]
    assert all(lighter - darker > 4 for lighter, darker in pairwise(shades))


def test_in_grey_the_sign_of_a_change_is_written() -> None:
    changes = pd.DataFrame({"label": [0] * 4, "predicted": [1, 2, 3, 4], "difference": [-8, 8, -2, 2]})
    assert list(_changes(changes, 8)["text"]) == ["−8", "+8", "−2", "+2"]
