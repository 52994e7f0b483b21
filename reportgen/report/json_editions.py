"""All that the handout and the instructor's edition state, as JSON: their fields, and where each comes from.

What a student's edition leaves for the reader to find out is in none of its fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reportgen.analysis.evidence import ANSWER
from reportgen.analysis.galleries import OWN_PANELS
from reportgen.layers import setting_text
from reportgen.report.editions import REPORT
from reportgen.report.formulas import parse, plain
from reportgen.report.json_fields import HEAD, MANY, ONE
from reportgen.report.json_fields import REPORT as REPORT_SHAPE
from reportgen.report.json_schema import Fields, Shape
from reportgen.report.sections.exercises import numbered
from reportgen.report.sections.objectives import objectives
from reportgen.report.sections.single import most_mistaken
from reportgen.report.sections.working import working

if TYPE_CHECKING:
    import pandas as pd

    from reportgen.arithmetic import Step
    from reportgen.report.document import Context
    from reportgen.report.editions import Edition
    from reportgen.teaching.exercises import Answer, Blanks, Exercise

EXERCISE: Fields = {
    "number": ("whole", "Number on the sheet, from 1."),
    "kind": ("text", "What it asks for: shape, parameters, field, faster, mistake, confusion or own."),
    "stands": ("text", "before or after the results."),
    "title": ("text", "Its title; empty for one of the lab's own."),
    "text": ("text", "The question; code between backticks, or Markdown."),
    "markdown": ("truth", "Whether its words are Markdown."),
    "tables": ("tables", "What is given, and null for what is to be filled in."),
}
SOLUTION: Fields = {
    "answer": ("text", "What is right."),
    "working": ("lines", "How it is worked out."),
    "teaching": ("text", "Notes for whoever teaches it."),
}
TAUGHT: Fields = {
    "edition": ("text", "handout or instructor."),
    "sheet": ("whole", "Number of the sheet of exercises."),
    "objectives": ("texts", "What a reader will be able to do."),
    "worked_for": ("text", "What the arithmetic is worked out for; empty where nothing is."),
    "started": ("text", "Start of the run, UTC, ISO 8601."),
    "letters": ("text", "What the letters of the arithmetic stand for."),
    "worked": ("text?", "The network whose arithmetic is worked out; null where none has stated layers."),
    "shown": ("text?", "The network whose confusion and images are shown; null where none has predictions."),
}
ARITHMETIC: dict[str, tuple[str, Fields]] = {
    "arithmetic": (
        "The arithmetic, by what is worked out; of the network `worked` where it is not of all.",
        {
            "title": ("text", "What is worked out."),
            "text": ("text", "What is to be known for it."),
            "lines": ("lines", "Line by line."),
        },
    ),
    "steps": (
        "The network `worked`, layer by layer.",
        {
            "layer": ("text", "Name in Keras."),
            "setting": ("text", "Its arguments."),
            "output_shape": ("wholes", "Shape of what it gives for one image."),
            "receptive_field": (
                "wholes?",
                "Pixels of the image that a value sees, (h, w); null for the whole.",
            ),
            "params": ("whole", "Parameters."),
            "multiply_adds": ("whole", "Multiply-adds for one image."),
            "bytes": ("whole", "Bytes of what it gives for one image."),
        },
    ),
}
FOUND = ("variants", "layers", "leaderboard", "epochs", "confusion", "images", "findings")
WORDS = ("points", "section_notes")
# What an edition shows of what the report shows more of.
SHOWN = {
    "confusion": "What the network `shown` predicts for the images of each class, without counts of 0.",
    "images": "The test images of the gallery of the network `shown`.",
    "epochs": "The learning curves.",
}
ANSWERS = "What came out: the checks of the run that the first page of its report answers with."
DRAWN = ("accuracy", "loss")  # metrics that the curves show
# Columns of the report's that these editions do not show.
NOT_SAID = {"layers": ("multiply_adds",), "leaderboard": ("seconds",)}


def shape_of(edition: str) -> Shape:
    """Give the fields of an edition's JSON."""
    if edition == REPORT.name:
        return REPORT_SHAPE
    answers = edition == "instructor"
    words = {name: MANY[name] for name in WORDS}
    told = SHOWN if answers else {**SHOWN, "findings": ANSWERS}
    found = {name: (told.get(name, MANY[name][0]), _without(name)) for name in FOUND}
    if answers:
        found["claims"] = MANY["claims"]
    asked = (
        "The exercises, with their answers." if answers else "The exercises.",
        EXERCISE | SOLUTION if answers else EXERCISE,
    )
    whose = "the instructor's edition" if answers else "a handout"
    return Shape(
        f"All that {whose} of reportgen states",
        {**HEAD, **TAUGHT},
        {name: ONE[name] for name in ("dataset", "protocol")},
        {**words, **ARITHMETIC, "exercises": asked, **found},
    )


def _without(name: str) -> Fields:
    """Give the fields of a table of the report's that these editions show, too."""
    return {field: said for field, said in MANY[name][1].items() if field not in NOT_SAID.get(name, ())}


def taught(context: Context, edition: Edition) -> dict[str, Any]:
    """Gather what an edition with exercises states beside what the report does."""
    if not context.asks:
        return {}
    set_out = working(context)
    blocks = (*set_out.blocks, *set_out.of_all) if set_out else ()
    return {
        "edition": edition.name,
        "sheet": edition.sheet,
        "objectives": [one.striptags() for one in objectives(context).objectives],
        "started": context.results.record.started.isoformat(),
        "worked_for": " ".join(one.striptags() for one in set_out.introduction) if set_out else "",
        "letters": plain(set_out.letters) if set_out else "",
        "worked": set_out.variant if set_out else None,
        "shown": most_mistaken(context),
        "arithmetic": [
            {
                "title": block.title,
                "text": plain(block.text),
                "lines": [{"words": one.words, "formula": plain(one.formula)} for one in block.lines],
            }
            for block in blocks
        ],
        "steps": [_step(one) for one in set_out.steps] if set_out else [],
        "exercises": [_exercise(number, one) for number, one in numbered(context)],
    }


def narrowed(name: str, frame: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Keep the rows that an edition shows; the report shows all."""
    if not context.asks:
        return frame
    if name == "epochs":
        return frame[frame["metric"].isin(DRAWN)]
    if name == "confusion":
        shown = dict(context.shown())
        chosen = most_mistaken(context)
        return frame[(frame["variant"] == chosen) & (frame["seed"] == shown.get(chosen or "", -1))]
    if name == "images":
        return frame[(frame["variant"] == most_mistaken(context)) & frame["panel"].isin(OWN_PANELS)]
    if name == "findings" and not context.answers:
        return frame[frame["level"] == ANSWER]
    return frame


def _step(one: Step) -> dict[str, Any]:
    return {
        "layer": one.layer.keras_name,
        "setting": setting_text(one.layer.setting()),
        "output_shape": list(one.row.output_shape),
        "receptive_field": None if one.field.whole else list(one.field.size),
        "params": one.row.params,
        "multiply_adds": one.row.multiply_adds,
        "bytes": one.memory.activations,
    }


def _exercise(number: int, one: Exercise) -> dict[str, Any]:
    made: dict[str, Any] = {
        name: getattr(one, name) for name in ("kind", "stands", "title", "text", "markdown")
    }
    made |= {"number": number, "tables": [_table(table, one.answer) for table in one.tables]}
    if one.answer:
        lines = [{"words": line.words, "formula": plain(parse(line.formula))} for line in one.answer.work]
        made |= {"answer": one.answer.text, "working": lines, "teaching": one.answer.notes}
    return made


def _table(table: Blanks, answer: Answer | None) -> dict[str, Any]:
    nothing = (None,) * table.blank
    filled = answer.filled if answer and table.blank else (nothing,) * len(table.rows)
    rows = [[*given, *blanks] for given, blanks in zip(table.rows, filled, strict=True)]
    return {"headings": list(table.headings), "rows": rows}
