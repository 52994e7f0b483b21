"""The answer first: what came out, in sentences and as a leaderboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen.analysis.comparisons import SEEDS_FOR_AN_ARCHITECTURE
from reportgen.analysis.evidence import ANSWER
from reportgen.analysis.scores import Score
from reportgen.report.document import Caption, Context
from reportgen.text import count, digits_for, inert, percent, seconds

if TYPE_CHECKING:
    from reportgen.analysis.telling import Telling

ROWS_UNDIVIDED = 15


@dataclass(frozen=True)
class Sentence:
    """A finding in words: what it says first, and the numbers behind it."""

    lead: str
    rest: str


@dataclass(frozen=True)
class Row:
    """One row of the leaderboard; `low`, `point`, `high` are shares of the drawn axis, 0 to 1."""

    variant: str
    baseline: bool
    params: str
    accuracy: str
    group: str  # letters; networks that share one cannot be told apart
    loss: str
    seconds: str
    low: float
    point: float
    high: float
    points: tuple[float, ...]  # the single seeds, where there are several
    bounds: str  # the same in words
    note: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """The answer first."""

    sentences: tuple[Sentence, ...]
    rows: tuple[Row, ...]
    axis: tuple[str, str] | None  # the ends of the drawn axis; None where no variant has a score
    interval: str
    caption: Caption
    grouped: bool  # there are two networks or more to be told apart
    long: bool  # too long to be kept on one page


def summary(context: Context) -> Summary:
    """Say what came out, and list every variant with its scores."""
    board = context.board
    lows = [one.low for one in board.scored] or [0.0]
    highs = [one.high for one in board.scored] or [1.0]
    axis = (min(lows), max(*highs, min(lows) + 1e-4))
    told = context.told
    digits = digits_for(board.n_test)
    rows = tuple(_row(one, axis, digits, told.letters.get(one.variant, "")) for one in board.scores)
    several = board.seeds > 1
    return Summary(
        _sentences(context),
        rows,
        (percent(axis[0], digits), percent(axis[1], digits)) if board.scored else None,
        "95 % intervals" if several else "95 % interval",
        context.table("All variants.", _caption(context, told)),
        grouped=len(board.scored) > 1,
        long=len(rows) > ROWS_UNDIVIDED,
    )


def _sentences(context: Context) -> tuple[Sentence, ...]:
    found = context.analysis["findings"]
    return tuple(Sentence(row.lead, row.rest) for row in found[found["level"] == ANSWER].itertuples())


def _caption(context: Context, told: Telling) -> str:
    board = context.board
    several = board.seeds > 1
    kind = "bar: the 95 % Wilson interval"
    if several:
        seeds = "the finished" if any(one.reasons for one in board.scored) else f"{board.seeds}"
        kind = f"mean of {seeds} seeds, each a small point; the bar spans their 95 % Wilson intervals"
    text = (
        f"Test accuracy after the last of {_epochs(context)}, over {count(board.n_test)} images "
        f"({kind}). Seconds: the whole training{', mean over seeds' if several else ''}."
    )
    if len(board.scored) > 1:
        text += _grouped(context, told)
    return text + _speaks_of(context, told)


def _grouped(context: Context, told: Telling) -> str:
    how = "bootstrap over seeds and images" if told.architectures else "McNemar's test"
    if context.board.seeds > 1 and not told.architectures:
        how += " of the first finished training of each"
    return f" Networks sharing a letter cannot be told apart ({how}, Holm)."


def _speaks_of(context: Context, told: Telling) -> str:
    """Say it where the numbers are of trained networks only."""
    finished = min((one.seeds for one in context.board.scored), default=0)
    if told.architectures or finished >= SEEDS_FOR_AN_ARCHITECTURE or not finished:
        return ""
    if context.board.seeds == 1:
        return " With 1 seed, the numbers speak of these trained networks, not of their architectures."
    s = "s" if finished > 1 else ""
    return f" With {finished} finished seed{s}, this speaks of trained networks, not of their architectures."


def _letters(group: str) -> str:
    """Write a run of three letters or more as "a–c"."""
    if len(group) > 2 and group == "".join(chr(ord(group[0]) + n) for n in range(len(group))):
        return f"{group[0]}–{group[-1]}"
    return group


def _row(one: Score, axis: tuple[float, float], digits: int, group: str) -> Row:
    def share(value: float) -> float:
        return (value - axis[0]) / (axis[1] - axis[0]) if one.scored else 0.0

    return Row(
        variant=one.variant,
        baseline=one.baseline,
        params=count(one.params) if one.params is not None else "–",
        accuracy=percent(one.accuracy, digits) if one.scored else "–",
        group=_letters(group),
        loss=f"{one.loss:.4f}" if one.scored else "–",
        seconds=seconds(one.seconds) if one.scored else "–",
        low=share(one.low),
        point=share(one.accuracy),
        high=share(one.high),
        points=tuple(share(value) for value in one.accuracies) if one.seeds > 1 else (),
        note=f"{one.seeds} of {one.planned} seeds" if one.scored and one.reasons else "",
        bounds=f"{percent(one.low, digits)} to {percent(one.high, digits)} %" if one.scored else "",
        reason="" if one.scored else inert(one.reasons[0], 200),
    )


def _epochs(context: Context) -> str:
    epochs = context.protocol.epochs
    return f"{epochs} epoch{'s' if epochs != 1 else ''}"
