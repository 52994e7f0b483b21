"""The answer first: what came out, in sentences and as a leaderboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportgen.analysis.comparisons import SEEDS_FOR_AN_ARCHITECTURE
from reportgen.analysis.contrasts import epochs_written
from reportgen.analysis.evidence import ANSWER
from reportgen.analysis.scores import Score
from reportgen.report.document import Caption, Context
from reportgen.text import count, decimal, digits_for, inert, percent, seconds
from reportgen.words import mark, tr, trn

if TYPE_CHECKING:
    from reportgen.analysis.telling import Telling

ROWS_UNDIVIDED = 15
# By whether whole architectures are compared, and whether there are several seeds.
GROUPED = {
    (False, False): mark("Networks sharing a letter cannot be told apart (McNemar's test, Holm)."),
    (False, True): mark(
        "Networks sharing a letter cannot be told apart (McNemar's test of the first finished training of "
        "each, Holm)."
    ),
    (True, True): mark(
        "Networks sharing a letter cannot be told apart (bootstrap over seeds and images, Holm)."
    ),
}


TRAINING_TIMED = {
    True: mark("Seconds: the whole training, mean over seeds."),
    False: mark("Seconds: the whole training."),
}
# By whether there are several epochs, and several seeds.
EPOCH_TIMED = {
    (True, True): mark(
        "Seconds an epoch: training without the first epoch, in which TensorFlow starts; mean over seeds."
    ),
    (True, False): mark("Seconds an epoch: training without the first epoch, in which TensorFlow starts."),
    (False, True): mark("Seconds an epoch: training with TensorFlow's start in it; mean over seeds."),
    (False, False): mark("Seconds an epoch: training with TensorFlow's start in it."),
}


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
    seconds: str  # of the whole training, or of an epoch
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
    seconds: str  # heading of the last column
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
    took = _seconds(context)
    rows = tuple(
        _row(one, axis, digits, told.letters.get(one.variant, ""), took[one.variant]) for one in board.scores
    )
    several = board.seeds > 1
    return Summary(
        _sentences(context),
        rows,
        (percent(axis[0], digits), percent(axis[1], digits)) if board.scored else None,
        tr("95 % intervals") if several else tr("95 % interval"),
        context.table(tr("All variants."), _caption(context, told)),
        tr("Seconds an epoch") if context.asks else tr("Seconds"),
        grouped=len(board.scored) > 1,
        long=len(rows) > ROWS_UNDIVIDED,
    )


def _sentences(context: Context) -> tuple[Sentence, ...]:
    found = context.analysis["findings"]
    return tuple(Sentence(row.lead, row.rest) for row in found[found["level"] == ANSWER].itertuples())


def _caption(context: Context, told: Telling) -> str:
    board = context.board
    several = board.seeds > 1
    timed = EPOCH_TIMED[context.protocol.epochs > 1, several] if context.asks else TRAINING_TIMED[several]
    said = [_accuracy(context), tr(timed)]
    if len(board.scored) > 1:
        said.append(tr(GROUPED[told.architectures, several]))
    said.append(_speaks_of(context, told))
    return " ".join(filter(None, said))


def _accuracy(context: Context) -> str:
    """Say what the accuracies and their bars are."""
    board, epochs = context.board, context.protocol.epochs
    after = {"epochs": epochs, "images": count(board.n_test)}
    if board.seeds == 1:
        return trn(
            "Test accuracy after the last of {epochs} epoch, over {images} images (bar: the 95 % Wilson "
            "interval).",
            "Test accuracy after the last of {epochs} epochs, over {images} images (bar: the 95 % Wilson "
            "interval).",
            epochs,
            **after,
        )
    if any(one.reasons for one in board.scored):
        return trn(
            "Test accuracy after the last of {epochs} epoch, over {images} images (mean of the finished "
            "seeds, each a small point; the bar spans their 95 % Wilson intervals).",
            "Test accuracy after the last of {epochs} epochs, over {images} images (mean of the finished "
            "seeds, each a small point; the bar spans their 95 % Wilson intervals).",
            epochs,
            **after,
        )
    return trn(
        "Test accuracy after the last of {epochs} epoch, over {images} images (mean of {seeds} seeds, each a "
        "small point; the bar spans their 95 % Wilson intervals).",
        "Test accuracy after the last of {epochs} epochs, over {images} images (mean of {seeds} seeds, each "
        "a small point; the bar spans their 95 % Wilson intervals).",
        epochs,
        seeds=board.seeds,
        **after,
    )


def _speaks_of(context: Context, told: Telling) -> str:
    """Say it where the numbers are of trained networks only."""
    finished = min((one.seeds for one in context.board.scored), default=0)
    if told.architectures or finished >= SEEDS_FOR_AN_ARCHITECTURE or not finished:
        return ""
    if context.board.seeds == 1:
        return tr("With 1 seed, the numbers speak of these trained networks, not of their architectures.")
    return trn(
        "With {n} finished seed, this speaks of trained networks, not of their architectures.",
        "With {n} finished seeds, this speaks of trained networks, not of their architectures.",
        finished,
        n=finished,
    )


def _letters(group: str) -> str:
    """Write a run of three letters or more as "a–c"."""
    if len(group) > 2 and group == "".join(chr(ord(group[0]) + n) for n in range(len(group))):
        return f"{group[0]}–{group[-1]}"
    return group


def _seconds(context: Context) -> dict[str, str]:
    """Write how long each variant took: an epoch, where exercises ask for that, or the whole training."""
    if not context.asks:
        return {one.variant: seconds(one.seconds) if one.scored else "–" for one in context.board.scores}
    took = epochs_written(context.results, [one.variant for one in context.board.scored])
    return {one.variant: took.get(one.variant, "–") for one in context.board.scores}


def _row(one: Score, axis: tuple[float, float], digits: int, group: str, took: str) -> Row:
    def share(value: float) -> float:
        return (value - axis[0]) / (axis[1] - axis[0]) if one.scored else 0.0

    return Row(
        variant=one.variant,
        baseline=one.baseline,
        params=count(one.params) if one.params is not None else "–",
        accuracy=percent(one.accuracy, digits) if one.scored else "–",
        group=_letters(group),
        loss=decimal(one.loss, 4) if one.scored else "–",
        seconds=took,
        low=share(one.low),
        point=share(one.accuracy),
        high=share(one.high),
        points=tuple(share(value) for value in one.accuracies) if one.seeds > 1 else (),
        note=tr("{n} of {planned} seeds", n=one.seeds, planned=one.planned)
        if one.scored and one.reasons
        else "",
        bounds=tr("{low} to {high} %", low=percent(one.low, digits), high=percent(one.high, digits))
        if one.scored
        else "",
        reason="" if one.scored else inert(one.reasons[0], 200),
    )
