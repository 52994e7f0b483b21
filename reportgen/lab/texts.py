"""The words of a lab, and who hands them out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from reportgen.colours import READABLE, WHITE, contrast, readable_on
from reportgen.lab.fields import FilePath, Strict, listed
from reportgen.lab.prose import Prose, Said
from reportgen.lab.values import shown

Line = Annotated[str, Field(max_length=200)]


class Point(Strict):
    """One thing that the lab teaches."""

    title: str
    text: Prose
    drawing: Literal["shuffle", "convolution", "pooling", "stride", "padding"] | None = Field(
        None, description="A drawing to set beside the text."
    )


class Texts(Strict):
    """The lab's own words, in Markdown: paragraphs are divided by empty lines, `code` is set in code type."""

    introduction: Prose = ""
    points: Annotated[tuple[Point, ...], BeforeValidator(listed)] = ()


class Exercise(Strict):
    """A question of the lab's own, in Markdown; answer and notes stand in the instructor's edition alone."""

    text: Said = Field(min_length=1)
    answer: Said = Field(min_length=1)
    notes: Prose = Field("", description="For whoever teaches it.")
    title: Line = Field("", description="Stands after its number.")
    place: Literal["before", "after"] = Field(
        "after", description="Before the results, among what is to be predicted, or after them."
    )
    lines: Annotated[int, Field(strict=True, ge=0, le=40)] | None = Field(
        None,
        description="Ruled lines to write on; default: five, or two below a table with empty cells.",
    )


def _accent(colour: str) -> str:
    if colour and (found := contrast(colour, WHITE)) < READABLE:
        better = readable_on(colour, WHITE)
        raise ValueError(
            f"{shown(colour)} has a contrast of {found:.1f} to 1 on white, expected at least "
            f"{READABLE} to 1; {better} has it"
        )
    return colour


def _authors(value: Any) -> Any:
    return listed([value] if isinstance(value, str) else value)


class Branding(Strict):
    """Who hands the report out; `logo` is a path beside the lab, `accent` a colour such as "#7a1f2b"."""

    institution: Line = ""
    term: Line = ""
    authors: Annotated[tuple[Line, ...], Field(max_length=20), BeforeValidator(_authors)] = ()
    logo: FilePath | None = None
    accent: Annotated[str, AfterValidator(_accent)] = ""
