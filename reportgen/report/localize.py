"""What a run has stored in English, in the language of its report: labs, data sets, and what went wrong.

A lab of one's own is written in its own language already, and stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reportgen import words
from reportgen.data import DATASETS
from reportgen.report.stored import pattern, retold
from reportgen.words import IN_A_LAB, tr, trc

if TYPE_CHECKING:
    from reportgen.lab import Lab
    from reportgen.results import DatasetRecord, Results


def localized(results: Results) -> Results:
    """Give a run in the language that is spoken."""
    if words.language() == words.ENGLISH:
        return results
    record = results.record
    update = {
        "lab": _lab(record.lab),
        "dataset": _dataset(record.dataset),
        "fallback": retold(record.fallback),
        "jobs": tuple(one.model_copy(update={"error": retold(one.error)}) for one in record.jobs),
    }
    runs = results.runs.assign(error=[retold(str(error)) for error in results.runs["error"]])
    return replace(results, record=record.model_copy(update=update), runs=runs)


def _lab(lab: Lab) -> Lab:
    """Translate whatever stands in the catalogue as the text of a built-in lab."""
    points = tuple(
        one.model_copy(update={"title": _said(one.title), "text": _said(one.text)})
        for one in lab.texts.points
    )
    texts = {"introduction": _said(lab.texts.introduction), "points": points}
    return lab.model_copy(
        update={
            "title": _said(lab.title),
            "course": _said(lab.course),
            "texts": lab.texts.model_copy(update=texts),
            "exercises": tuple(
                one.model_copy(update={key: _said(getattr(one, key)) for key in ("text", "answer", "notes")})
                for one in lab.exercises
            ),
            "claims": tuple(one.model_copy(update={"text": _said(one.text)}) for one in lab.claims),
            "variants": tuple(
                one.model_copy(update={"description": _described(one.description)}) for one in lab.variants
            ),
        }
    )


def _said(text: str) -> str:
    """Translate a lab's text; line breaks in its paragraphs mean nothing."""
    plain = words.in_one_line(text)
    found = trc(IN_A_LAB, plain)
    return text if found == plain else found


def _described(text: str) -> str:
    """Translate a variant's description, into which a sweep may have put its values."""
    for message in words.in_context(IN_A_LAB):
        found = "{" in message and pattern(message).fullmatch(words.in_one_line(text))
        if found:
            return trc(IN_A_LAB, message, **found.groupdict())
    return _said(text)


def _dataset(data: DatasetRecord) -> DatasetRecord:
    known = data.name in DATASETS
    return data.model_copy(
        update={
            "title": tr(data.title) if known else data.title,
            "description": tr(data.description),
            "classes": tuple(map(tr, data.classes)) if known else data.classes,
            "warnings": tuple(map(retold, data.warnings)),
        }
    )
