"""Worked arithmetic and exercises: what they print is right, and a sheet is always the same."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from math import ceil, floor
from typing import Any, get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.analysis.frames import analyse
from reportgen.jobs import FAILED
from reportgen.lab import Lab, load_lab, parse_lab, trace_variant
from reportgen.lab.claims import Knob
from reportgen.layers import Conv2D, Flatten, ShapeError, Windowed, times, trace
from reportgen.report.editions import EDITIONS
from reportgen.report.formulas import BINARY, Part, parse, pieces, plain, spoken
from reportgen.report.html import context_of
from reportgen.report.sections.objectives import OBJECTIVES
from reportgen.report.sections.summary import summary
from reportgen.report.sections.working import Working, _alike, working
from reportgen.results import Results
from reportgen.teaching import worked
from reportgen.teaching.drawing_lots import Lots
from reportgen.teaching.exercises import Exercise, Source
from reportgen.teaching.mistakes import misplaced, too_large, two_of_dense
from reportgen.teaching.predictions import _measured
from reportgen.teaching.sheets import EXERCISES, sheet
from reportgen.teaching.stacks import Stack, altered
from reportgen.text import count
from reportgen.words import LANGUAGES, speaking
from synthetic import SEVEN, made_up, studio

SMALL: dict[str, Any] = {"n_test": 200, "epochs": 1, "image_shape": (12, 12, 1)}
SHEETS = range(1, 9)


@cache
def seven() -> Results:
    return made_up(names=SEVEN, accuracies=[0.8] * 7, **SMALL)


@cache
def sheets() -> list[list[Exercise]]:
    return [sheet(Source(seven(), "mlp"), n) for n in SHEETS]


def lab() -> Lab:
    return load_lab("mnist")


def stacks(n: int = 40) -> list[Stack]:
    return [altered(Lots(f"test/{seed}", "test", seed), lab(), [Flatten(flatten=True)]) for seed in range(n)]


# --- formulas ------------------------------------------------------------------------------------


def value(side: str) -> float:
    """Work a side of a formula out as it stands there."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", side).replace(" bytes", "").replace("·", "*").replace("−", "-")
    text = re.sub(r"\[(.+?) \| (.+?)\]", r"((\1)/(\2))", text)
    text = text.replace("⌊", "floor(").replace("⌈", "ceil(").replace("⌋", ")").replace("⌉", ")")
    percent = text.strip().endswith("%")
    known = {"__builtins__": {}, "floor": floor, "ceil": ceil}
    return float(eval(text.strip(" %"), known)) / (100 if percent else 1)


def check(formula: str) -> None:
    """Hold all sides of a formula that have numbers in them against each other."""
    for part in re.split(r"; |, then ", formula):
        sides = re.sub("^(height|width) ", "", part).split(" = ")
        numbers = [value(side) for side in sides if not re.search("[a-z]{1,}(?<!bytes)", side)]
        assert len(numbers) >= 2 or part.isdigit(), formula
        assert numbers == pytest.approx([numbers[-1]] * len(numbers), abs=6e-4), formula
        parse(part)


WINDOWS = st.builds(
    lambda kernel, strides, padding, bias, filters: Conv2D(
        conv2d=filters, kernel=kernel, strides=strides, padding=padding, use_bias=bias
    ),
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(["valid", "same"]),
    st.booleans(),
    st.integers(1, 64),
)
MAPS = st.tuples(st.integers(7, 1200), st.integers(7, 1200), st.integers(1, 64))


@given(WINDOWS, MAPS)
def test_every_side_of_a_formula_is_worth_the_same(layer: Conv2D, shape: tuple[int, int, int]) -> None:
    out = layer.output_shape(shape)
    lines = worked.sizes(layer, shape)
    for line in lines:
        check(line.formula)
    ends = [int(line.formula.rpartition("= ")[2].replace(",", "")) for line in lines]
    assert ends == list(out[: len(ends)])
    assert len(ends) == 2 or out[0] == out[1]
    check(worked.multiply_adds(layer, shape))
    check(worked.parameters(layer, shape))
    assert worked.parameters(layer, shape).endswith(f"= {count(layer.params(shape))}")
    for _, window in worked.directions(layer.model_copy(update={"padding": "same"}), shape):
        line = worked.padding(window)
        check(line.formula)
        assert str(sum(window.zeros)) in line.words or line.words == "no zeros are needed"


def test_every_formula_of_every_answer_is_right() -> None:
    formulas = [
        line.formula
        for made in sheets()
        for one in made
        if one.answer
        for line in one.answer.work
        if line.formula
    ]
    assert len(formulas) > 100
    for formula in formulas:
        check(formula)


def test_a_formula_without_a_partner_for_its_bracket_is_refused() -> None:
    for bad in ("⌊n", "n⌋", "[a | b", "[a]", "⌈n⌋"):
        with pytest.raises(ValueError, match=r"missing|partner"):
            parse(bad)


def test_a_formula_has_its_parts() -> None:
    rounding, *rest = parse("⌊[n − k | s]⌋ + 1")
    [fraction] = rounding.inner
    assert (rounding.kind, fraction.kind) == ("floor", "fraction")
    assert [(one.kind, one.text) for one in rest if one.kind != "space"] == [
        ("operator", "+"),
        ("number", "1"),
    ]
    assert [part.text for part in fraction.inner] == ["n", " ", "−", " ", "k"]
    assert [part.text for part in fraction.below] == ["s"]
    assert [(part.kind, part.text, part.index) for part in parse("c_in")] == [("variable", "c", "in")]
    assert [part.kind for part in parse("inputs")] == ["words"]
    assert [part.text for part in parse("1,728") + parse("1.728") + parse("80,0 %")] == [
        "1,728",
        "1.728",
        "80,0 %",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("⌊[n − k | s]⌋ + 1 = ⌊[8 − 3 | 1]⌋ + 1 = 6", "{⌊(n − k)/s⌋ + 1} {= ⌊(8 − 3)/1⌋ + 1} {= 6}"),
        ("(inputs + 1) · units = (64 + 1) · 8 = 520", "{(inputs + 1) · units} {= (64 + 1) · 8} {= 520}"),
        ("j · s = 1 · 2 = 2, then r", "{j · s} {= 1 · 2} {= 2}, then {r}"),
        ("every s-th pixel of the network's 3 (or 4)", "every {s}-th pixel of the network's 3 (or 4)"),
        ("4 · 4 bytes = 16 bytes", "{4 · 4\N{NO-BREAK SPACE}bytes} {= 16} bytes"),
        ("(输入数 + 1) · 单元数，k 为", "{(输入数 + 1) · 单元数}，{k} 为"),
        ("980", "980"),
    ],
)
def test_a_line_is_divided_into_text_and_formulas(line: str, expected: str) -> None:
    divided = pieces(parse(line))
    assert "".join(f"{{{plain(one.parts)}}}" if one.parts else one.text for one in divided) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_formula_has_a_bracket_without_its_partner_in_any_language(language: str) -> None:
    with speaking(language):
        lines = [
            line.formula
            for made in sheet(Source(seven(), "mlp"), 1)
            if made.answer
            for line in made.answer.work
        ]
        made = working(context_of(seven(), studio()))
        assert made
        set_out = [
            *(block.text for block in made.blocks),
            *(one.formula for block in made.blocks for one in block.lines),
        ]
        oblong = Conv2D(conv2d=3, kernel=(3, 5), strides=(2, 1), padding="same")
        lines += [line.formula for line in worked.sizes(oblong, (9, 1200, 4))]
        lines += [worked.padding(one).formula for _, one in worked.directions(oblong, (9, 1200, 4))]
        lines.append(worked.shape_line(1, oblong, (9, 1200, 4)).formula)
        parsed = [*set_out, made.letters, *map(parse, lines)]
        divided = [one for parts in parsed for one in pieces(parts)]
    formulas = [plain(one.parts) for one in divided if one.parts]
    assert len(formulas) > 30
    for one in formulas:
        assert one.count("(") == one.count(")"), one
        assert not one.endswith((" ", "=")), one
    assert not any(sign in one.text for one in divided for sign in BINARY)


def test_what_differs_between_the_networks_is_worked_out_for_each_of_them() -> None:
    made = working(context_of(seven(), studio()))
    assert made
    assert len(made.of_all) == 2
    layers = seven().layers
    for block, kind, column in zip(made.of_all, ("Conv2D", "Dense"), ("output_shape", "params"), strict=True):
        firsts = layers[layers["type"] == kind].groupby("variant", sort=False).first()
        said = {line.words: plain(line.formula) for line in block.lines}
        for name, value in firsts[column].items():
            (formula,) = (one for words, one in said.items() if name in re.split(", | and ", words))
            number = int(re.findall(r"\d+", str(value))[0])
            assert formula.endswith(f" = {count(number)}")
            check(next(one for one in worked_lines(made) if plain(parse(one)) == formula))
        assert len(said) == firsts[column].map(str).nunique() or kind == "Conv2D"


def worked_lines(made: Working) -> list[str]:
    """Give the formulas of all networks in the notation that they were written in."""
    return [linear(one.formula) for block in made.of_all for one in block.lines]


def linear(parts: tuple[Part, ...]) -> str:
    """Write a formula in its notation again."""

    def one(part: Part) -> str:
        if part.kind == "fraction":
            return f"[{linear(part.inner)} | {linear(part.below)}]"
        if part.kind in ("floor", "ceiling"):
            return f"⌊{linear(part.inner)}⌋" if part.kind == "floor" else f"⌈{linear(part.inner)}⌉"
        return f"{part.text}_{part.index}" if part.index else part.text

    return "".join(map(one, parts))


def test_one_network_is_compared_with_none() -> None:
    made = working(context_of(made_up(names=("cnn",), baseline=None, **SMALL), studio()))
    assert made
    assert made.of_all == ()


def test_networks_that_are_too_many_are_counted() -> None:
    lines = _alike({f"network-{n}": f"{n} + 1 = {n + 1}" for n in range(14)} | {"again": "0 + 1 = 1"})
    assert [line.words for line in lines[:2]] == ["network-0 and again", "network-1"]
    assert (len(lines), lines[-1].words) == (13, "2 other networks are worked out alike.")


def test_a_minus_belongs_to_its_number_or_stands_between_two() -> None:
    parts = [
        part
        for one in pieces(parse("(out − 1) · s + k − n = (2 − 1) · 3 + 1 − 5 = −1"))
        for part in one.parts
    ]
    assert [part.kind for part in parts if part.text == "−"] == [*["operator"] * 4, "sign"]


def test_a_fraction_of_numbers_needs_no_brackets_on_one_line() -> None:
    assert plain(parse("[1,500 | 2] + [1.500 | n − k]")) == "1,500/2 + 1.500/(n − k)"


def test_rounding_is_read_in_words() -> None:
    assert spoken(parse("⌊[n − k | s]⌋ + 1")) == "floor of ((n − k)/s) + 1"
    with speaking("de"):
        assert spoken(parse("⌈n⌉")) == "Aufrundung von (n)"


# --- stacks --------------------------------------------------------------------------------------


def test_the_shapes_and_parameters_of_a_stack_are_those_that_keras_builds() -> None:
    import keras

    from reportgen.training.models import KERAS

    for stack in stacks(3):
        model = keras.Sequential([keras.Input(stack.image), *(KERAS[type(one)](one) for one in stack.layers)])
        assert [step.row.output_shape for step in stack.steps] == [
            tuple(layer.output.shape[1:]) for layer in model.layers
        ]
        assert [step.row.params for step in stack.steps] == [layer.count_params() for layer in model.layers]


def test_no_stack_is_the_beginning_of_one_of_the_lab_s_networks() -> None:
    def windows(layers: Any) -> list[Any]:
        return [one.window()[:2] for one in layers if isinstance(one, Windowed)]

    for stack in stacks():
        mine = windows(stack.layers)
        assert mine not in [windows(one.layers)[: len(mine)] for one in lab().variants]
        assert stack.image != (28, 28, 1)


@pytest.mark.parametrize("make", [too_large, misplaced])
def test_what_cannot_be_built_has_one_mistake_and_is_mended_as_it_is_said(make: Any) -> None:
    said = set()
    for seed in range(30):
        wrong = make(Lots(f"test/{seed}", "test", seed), lab())
        with pytest.raises(ShapeError) as refused:
            trace(wrong.stack.layers, wrong.stack.image, wrong.classes)
        position = int(re.findall(r"layer (\d+)", str(refused.value))[0])
        assert wrong.said.startswith(f"Layer {position} ")
        assert wrong.said.endswith(".")
        said.add(wrong.mended)
        trace(mended(wrong.stack.layers, wrong, position), wrong.stack.image, wrong.classes)
    assert len(said) > 1


def mended(layers: tuple[Any, ...], wrong: Any, position: int) -> tuple[Any, ...]:
    """Do what is said to mend a stack."""
    bad = layers[position - 1]
    before, after = layers[: position - 1], layers[position:]
    if "With same padding" in wrong.mended:
        return (*before, bad.model_copy(update={"padding": "same"}), *after)
    if "belongs before the first dense" in wrong.mended:
        return (*before, Flatten(flatten=True), bad, *after)
    if "belongs before the Flatten" in wrong.mended:
        return (*before[:-1], bad.model_copy(update={"padding": "same"}), before[-1], *after)
    return (*before, bad.model_copy(update={"dense": wrong.classes}))


# --- sheets --------------------------------------------------------------------------------------


def test_the_same_number_gives_the_same_sheet_and_another_gives_another() -> None:
    assert sheet(Source(seven(), "mlp"), 1) == sheets()[0]
    texts = [str(made) for made in sheets()]
    assert len(set(texts)) == len(texts)
    for kind in ("shape", "parameters", "field", "mistake"):
        asked = [str(next(one for one in made if one.kind == kind)) for made in sheets()]
        assert len(set(asked)) == len(asked), kind


def test_a_training_that_fails_leaves_the_sheet_as_it_is() -> None:
    run = made_up(names=SEVEN, accuracies=[0.8] * 7, unfinished={SEVEN[3]: FAILED}, **SMALL)
    whole, part = (sheet(Source(one, None), 2) for one in (seven(), run))
    assert [one.unanswered for one in part] == [one.unanswered for one in whole]


def test_all_sheets_are_as_hard() -> None:
    def asked(made: list[Exercise]) -> list[Any]:
        sizes = [
            (one.kind, one.lines, [(len(t.rows), t.blank) for t in one.tables if one.kind != "mistake"])
            for one in made
        ]
        windows = [
            [("stride 1" not in row[1], "same" in row[1]) for row in one.tables[0].rows if row[0] == "Conv2D"]
            for one in made
            if one.kind in ("shape", "parameters", "field")
        ]
        # One convolution, the first, moves by more than one, and one of them has the other's padding not.
        return [
            sizes,
            [[moves for moves, _ in one] for one in windows],
            [len({p for _, p in one}) for one in windows],
        ]

    first, *others = [asked(made) for made in sheets()]
    assert [one for one in others if one != first] == []
    assert [kind for kind, *_ in first[0]] == list(EXERCISES)


def test_what_is_to_be_filled_in_stands_nowhere_else() -> None:
    layers = seven().layers
    shown = {text.replace("x", "×") for text in layers["output_shape"]} | {count(n) for n in layers["params"]}
    for made in sheets():
        asked = {cell for one in made for row in (one.answer.filled if one.answer else ()) for cell in row}
        telling = {cell for cell in asked if "×" in cell or len(cell) > 2}
        telling -= {cell for cell in telling if cell.endswith("pixels")}
        printed = {cell for one in made for table in one.tables for row in table.rows for cell in row}
        assert telling
        assert not telling & (printed | shown)


def test_what_stands_in_the_blanks_is_what_the_arithmetic_gives() -> None:
    by_kind = {one.kind: one for one in sheets()[0]}
    shapes, counts = by_kind["shape"], by_kind["parameters"]
    assert shapes.answer is not None
    assert counts.answer is not None
    assert shapes.answer.filled[-1][0] in shapes.answer.text
    total = sum(int(cell.replace(",", "")) for (cell,) in counts.answer.filled)
    assert f"Together they have {count(total)} parameters." in counts.answer.text
    assert len(shapes.answer.filled) == len(shapes.tables[0].rows)


def test_which_trains_faster_is_told_by_multiply_adds_and_by_this_run() -> None:
    data = seven().record.dataset
    adds = {
        one.name: sum(row.multiply_adds for row in trace_variant(one, data.image_shape, len(data.classes)))
        for one in seven().record.lab.variants
    }
    for made in sheets():
        one = next(one for one in made if one.kind == "faster")
        first, second = re.findall("`(.+?)`", one.text)
        assert one.answer is not None
        quick, slow = sorted((first, second), key=lambda name: adds[name])
        assert one.answer.text.startswith(
            f"By the arithmetic, `{quick}`: one image takes {count(adds[quick])} "
        )
        assert f"{adds[slow] / adds[quick]:.1f} times as many" in one.answer.text
        assert adds[slow] >= 1.3 * adds[quick]


def test_a_confusion_matrix_is_read_as_it_stands() -> None:
    frame = seven().confusion
    rows = frame[(frame["variant"] == "mlp") & (frame["seed"] == 1)]
    table = rows.pivot_table(index="label", columns="predicted", values="count")
    for made in sheets():
        one = next(one for one in made if one.kind == "confusion")
        recalled, called = (int(n) for n in re.findall(r"(?:class|called) (\d)", one.text))
        assert one.answer is not None
        recall, precision = (line.formula for line in one.answer.work)
        assert recall.startswith(
            f"[{table.loc[recalled, recalled]:.0f} | {table.loc[recalled].sum():.0f}] = "
        )
        assert precision.startswith(f"[{table.loc[called, called]:.0f} | {table[called].sum():.0f}] = ")
        n = int(one.answer.text.split(": ")[1].split()[0])
        wrong = rows[rows["label"] != rows["predicted"]]
        assert n == wrong["count"].max()


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({"names": ("mlp",)}, ["shape", "parameters", "mistake", "confusion"]),
        ({"names": ("cnn",), "baseline": None}, ["shape", "parameters", "field", "mistake", "confusion"]),
        ({"names": ("mlp", "cnn"), "unfinished": {"mlp": FAILED, "cnn": FAILED}}, [*EXERCISES][:5]),
        ({"names": ("mlp", "cnn"), "accuracies": (1.0, 1.0)}, [*EXERCISES][:5]),
        ({"names": ("mlp", "cnn"), "classes": [f"class {n}" for n in range(100)]}, [*EXERCISES][:5]),
    ],
    ids=["dense", "alone", "failed", "faultless", "hundred-classes"],
)
def test_what_a_run_gives_no_occasion_for_is_left_out(options: dict[str, Any], kinds: list[str]) -> None:
    run = made_up(**{**SMALL, **options})
    shown = None if "unfinished" in options else str(options["names"][0])
    assert [one.kind for one in sheet(Source(run, shown))] == kinds


def test_a_variant_without_a_training_is_said_to_have_none() -> None:
    run = made_up(names=("mlp", "cnn"), unfinished={"cnn": FAILED}, **SMALL)
    one = next(one for one in sheet(Source(run, "mlp")) if one.kind == "faster")
    assert one.answer is not None
    assert one.answer.text.endswith("This run cannot say: `cnn` has no finished training.")


def timed(results: Results, values: dict[str, list[float]]) -> Results:
    """Give a run whose epochs took so many seconds after the first, which is slow in all."""
    rows = [
        {"variant": name, "seed": 1, "epoch": n, "split": "train", "metric": "seconds", "value": value}
        for name, many in values.items()
        for n, value in enumerate([60.0, *many], start=1)
    ]
    return replace(results, epochs=pd.concat([results.epochs, pd.DataFrame(rows)], ignore_index=True))


@pytest.mark.parametrize(
    ("quick", "slow", "said"),
    [
        (
            [1.0, 1.1, 1.0, 1.2],
            [3.0, 3.1, 3.2, 3.0],
            "So it was in this run: an epoch of `mlp` took 1.1 seconds, one of `cnn` 3.1.",
        ),
        ([3.0, 3.1, 3.2, 3.0], [1.0, 1.1, 1.0, 1.2], "In this run it was the other way round: an epoch"),
        ([1.0, 3.0, 1.0, 3.0], [2.0, 2.1, 2.0, 2.1], "which is not enough to tell them apart."),
        ([1.0], [3.0], "which is not enough to tell them apart."),
    ],
)
def test_what_was_measured_is_said_as_far_as_it_carries(
    quick: list[float], slow: list[float], said: str
) -> None:
    run = timed(made_up(names=("mlp", "cnn"), **SMALL), {"mlp": quick, "cnn": slow})
    assert said in _measured(run, "mlp", "cnn")


@pytest.mark.parametrize("number", SHEETS)
def test_a_lab_of_dense_networks_asks_of_dense_layers_alone(number: int) -> None:
    run = made_up(names=("mlp", "mlp-wide"), **SMALL)
    made = sheet(Source(run, "mlp"), number)
    asked = {row[0] for one in made for table in one.tables for row in table.rows}
    assert asked == {"Flatten", "Dense"}
    shapes, counts, mistake = (
        next(one for one in made if one.kind == kind) for kind in ("shape", "parameters", "mistake")
    )
    for one in (shapes, counts, mistake):
        assert one.answer
        assert "convolution" not in one.answer.notes + one.text
        for line in one.answer.work:
            if line.formula:
                check(line.formula)
    assert "a little changed" in shapes.text
    for one, name in zip(
        two_of_dense(Lots("a", "b", number), run.record.lab), ("Dense", "Dense"), strict=True
    ):
        with pytest.raises(ShapeError):
            trace(one.stack.layers, one.stack.image, one.classes)
        assert f"({name})" in one.said


def test_what_was_measured_stands_in_the_table_of_the_handout() -> None:
    run = timed(
        made_up(names=("mlp", "cnn"), **{**SMALL, "epochs": 6}), {"mlp": [0.08] * 5, "cnn": [0.114] * 5}
    )
    context = context_of(run, studio(), analyse(run), None, EDITIONS["handout"])
    table = summary(context)
    took = {row.variant: row.seconds for row in table.rows}
    assert (table.seconds, took) == ("Seconds an epoch", {"mlp": "0.080", "cnn": "0.114"})
    assert "an epoch of `mlp` took 0.080 seconds, one of `cnn` 0.114." in _measured(run, "mlp", "cnn")
    assert "without the first epoch, in which TensorFlow starts" in table.caption.text
    whole = summary(context_of(run, studio(), analyse(run)))
    assert whole.seconds == "Seconds"


def test_neighbours_with_other_sheets_cannot_copy() -> None:
    for kind in ("shape", "parameters", "field", "mistake", "confusion"):
        found = [one for made in sheets() for one in made if one.kind == kind]
        answers = {(one.answer.text, one.answer.filled, one.answer.work) for one in found if one.answer}
        assert len(answers) == len(SHEETS), kind


def test_what_is_drawn_in_turn_comes_again_only_when_all_have_been() -> None:
    values = list("abcdefg")
    drawn = [Lots("any", "series", turn).in_turn(values) for turn in range(14)]
    assert sorted(drawn[:7]) == values
    assert drawn[7:] == drawn[:7]
    assert drawn[:7] != [Lots("any", "another", turn).in_turn(values) for turn in range(7)]
    assert Lots("any", "series").in_turn(values, 1) in values


def test_lots_are_the_same_in_every_process() -> None:
    lots = Lots("mnist/1/0/shape")
    assert [lots.one(range(1000)) for _ in range(4)] == [533, 606, 975, 918]
    assert Lots("a").other((1, 1, 1), 1) == 1


# --- the lab's own -------------------------------------------------------------------------------


def with_exercises(*tables: dict[str, Any]) -> Lab:
    variants = [{"name": "a", "layers": [{"flatten": True}, {"dense": "classes", "activation": "softmax"}]}]
    raw = {"title": "t", "dataset": {"name": "mnist"}, "variants": variants, "exercises": list(tables)}
    return parse_lab(raw, "lab.toml")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"text": "Why?"}, "exercises[1].answer: is missing"),
        ({"text": "Why?", "answer": ""}, "exercises[1].answer: is empty"),
        (
            {"text": "Why?", "answer": "So.", "note": "n"},
            "exercises[1].note: unknown key; did you mean 'notes'?",
        ),
        ({"text": 3, "answer": "So."}, "exercises[1].text: 3, expected text in quotes"),
        ({"text": "Why?", "answer": "So.", "lines": 41}, "exercises[1].lines: 41, expected at most 40"),
        ({"text": "Why?", "answer": "So.", "place": "befor"}, "exercises[1].place: 'befor'"),
    ],
)
def test_an_exercise_that_cannot_be_meant_is_refused(table: dict[str, Any], said: str) -> None:
    from reportgen.errors import LabError

    with pytest.raises(LabError) as refused:
        with_exercises(table)
    assert said in str(refused.value)


def test_the_lab_s_own_exercises_come_last() -> None:
    one = with_exercises({"text": "Why?", "answer": "So."}).exercises[0]
    assert (one.text, one.answer, one.notes) == ("Why?", "So.", "")
    made = sheet(Source(made_up(names=("mlp",), texts={"exercises": [one.model_dump()]}, **SMALL), "mlp"))
    assert made[-1].kind == "own"
    assert made[-1].answer is not None
    assert made[-1].unanswered.answer is None


def test_the_lab_says_where_its_exercises_stand_what_they_are_called_and_how_much_room_they_have() -> None:
    table = "Fill in.\n\n| layer | values |\n|:--|--:|\n| first | |\n| second | 4 |"
    asked = with_exercises(
        {"text": "Why?", "answer": "So."},
        {"text": "How?", "answer": "So.", "place": "before", "title": "Guess", "lines": 0},
        {"text": table, "answer": "4"},
        {"text": table, "answer": "4", "lines": 7},
    )
    run = made_up(names=("mlp",), texts={"exercises": [one.model_dump() for one in asked.exercises]}, **SMALL)
    made = sheet(Source(run, "mlp"))
    stands = [one.stands for one in made]
    assert stands == sorted(stands, key=lambda one: one == "after")
    own = [(one.stands, one.title, one.lines) for one in made if one.kind == "own"]
    assert own == [("before", "Guess", 0), ("after", "", 5), ("after", "", 2), ("after", "", 7)]


def test_every_knob_has_its_objective() -> None:
    assert set(OBJECTIVES) == set(get_args(Knob))


def test_times_are_written_with_the_sign_that_shapes_have() -> None:
    assert times((2, 3)) == "2×3"
