"""What a person sees while jobs run: the time left, plain lines and live bars."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from reportgen.data.dataset import Dataset
from reportgen.jobs import DIVERGED, DONE, FAILED, Job, Outcome, plan
from reportgen.lab import parse_lab
from reportgen.progress import (
    Forecast,
    LiveWatch,
    PlainWatch,
    Watch,
    duration,
    live_progress,
    makespan,
    observer_for,
)
from support import made_up_images

EPOCHS = 5
LONG_NAME = "cnn-with-a-name-of-just-forty-characters"


@dataclass
class Clock:
    """A clock that is put forward by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def dataset() -> Dataset:
    x, y = made_up_images(60, seed=0)
    return Dataset(
        name="stripes",
        title="Stripes",
        x_train=x[..., None],
        y_train=y.astype("int64"),
        x_test=x[:30, ..., None],
        y_test=y[:30].astype("int64"),
        class_names=("left", "middle", "right"),
        sha256="0" * 64,
        source="stripes.npz",
        description="Bright stripes.",
        warnings=(),
    )


STRIPES = dataset()


def jobs_of(*names: str, seeds: int = 1, epochs: int = EPOCHS) -> list[Job]:
    """Plan dense networks; each is larger than the one before."""
    variants = [
        {
            "name": name,
            "layers": [
                {"flatten": True},
                {"dense": 50 * (n + 1), "activation": "relu"},
                {"dense": "classes", "activation": "softmax"},
            ],
        }
        for n, name in enumerate(names)
    ]
    protocol = {"epochs": epochs, "seeds": seeds}
    tables = {"title": "A lab", "dataset": {"name": "mnist"}, "protocol": protocol, "variants": variants}
    return plan(parse_lab(tables, "lab"))


def outcome(job: Job, status: str = DONE, error: str = "") -> Outcome:
    return Outcome(
        variant=job.variant.name,
        seed=job.seed,
        status=status,
        error=error,
        params=None,
        trainable_params=None,
        train_seconds=12.34,
        test_loss=float("nan"),
        epochs=pd.DataFrame(),
        layers=pd.DataFrame(),
        probabilities=None,
    )


def logs(accuracy: float = 0.9) -> dict[str, float]:
    return {"loss": 0.25, "accuracy": accuracy, "val_loss": 0.5, "val_accuracy": accuracy / 2}


def forecast(jobs: list[Job], workers: int = 1, clock: Clock | None = None) -> Forecast:
    return Forecast(jobs, STRIPES, workers, clock or Clock())


def run_epochs(told: Forecast, job: Job, *seconds: float) -> None:
    """Start a job and end as many epochs as there are times."""
    told.job_started(job)
    for epoch, taken in enumerate(seconds, start=1):
        told.epoch_ended(job, epoch, taken)


# The schedule

SECONDS = st.lists(st.floats(0, 1e4), max_size=12)
WORKERS = st.integers(1, 6)


@given(SECONDS, SECONDS)
def test_one_worker_needs_the_sum(running: list[float], waiting: list[float]) -> None:
    assert makespan(running, waiting, 1) == pytest.approx(sum(running) + sum(waiting))


@given(SECONDS, SECONDS, WORKERS)
def test_a_schedule_lies_between_its_bounds(running: list[float], waiting: list[float], workers: int) -> None:
    every, slack = [*running, *waiting], 1e-6
    made = makespan(running, waiting, workers)
    assert made >= max(every, default=0.0) - slack
    assert made >= sum(every) / workers - slack
    assert made <= sum(every) + slack


@given(SECONDS, SECONDS, WORKERS)
def test_another_worker_makes_no_schedule_longer(
    running: list[float], waiting: list[float], workers: int
) -> None:
    assert makespan(running, waiting, workers + 1) <= makespan(running, waiting, workers) + 1e-6


@given(SECONDS, SECONDS, WORKERS, st.floats(0, 1e4), st.booleans())
def test_another_job_makes_no_schedule_shorter(
    running: list[float], waiting: list[float], workers: int, more: float, runs: bool
) -> None:
    longer = ([*running, more], waiting) if runs else (running, [*waiting, more])
    assert makespan(*longer, workers) >= makespan(running, waiting, workers) - 1e-6


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1)), max_size=12), WORKERS)
def test_shorter_jobs_make_no_schedule_longer(jobs: list[tuple[float, float]], workers: int) -> None:
    whole, part = [s for s, _ in jobs], [s * share for s, share in jobs]
    assert makespan(part[:3], part[3:], workers) <= makespan(whole[:3], whole[3:], workers) + 1e-6


def test_running_jobs_keep_their_workers_and_the_longest_that_waits_goes_first() -> None:
    assert makespan([7, 2], [4, 5], 2) == 11  # the worker with 2 left takes the 5, then the 7 the 4


# The forecast


def test_nothing_is_forecast_before_a_second_epoch_can_be_compared_with_the_first() -> None:
    jobs = jobs_of("a", "b")
    told = forecast(jobs)
    assert told.seconds_left() is None
    run_epochs(told, jobs[0], 9.0)
    assert told.seconds_left() is None
    told.epoch_ended(jobs[0], 2, 2.0)
    assert told.seconds_left() is not None


def test_a_job_that_was_not_begun_costs_a_first_epoch_with_its_start() -> None:
    jobs = jobs_of("a", seeds=2)
    told = forecast(jobs)
    run_epochs(told, jobs[0], 9.0, 2.0)
    assert told.seconds_left() == pytest.approx(3 * 2.0 + 5 * 2.0 + 7.0)


def test_an_unmeasured_variant_costs_more_the_more_it_computes() -> None:
    def left(other: int) -> float:
        jobs = jobs_of("a", "b", "c")
        told = forecast([jobs[0], jobs[other]])
        run_epochs(told, jobs[0], *[2.0] * EPOCHS)
        return told.seconds_left() or 0.0

    assert 5 * 2.0 < left(1) < left(2)


def test_a_single_epoch_is_measured_too() -> None:
    jobs = jobs_of("a", seeds=3, epochs=1)
    told = forecast(jobs)
    run_epochs(told, jobs[0], 4.0)
    assert told.seconds_left() == pytest.approx(8.0)


def test_two_workers_share_the_jobs() -> None:
    jobs = jobs_of("a", seeds=4)
    told = forecast(jobs, workers=2)
    run_epochs(told, jobs[0], 2.0, 2.0)
    run_epochs(told, jobs[1], 2.0)
    assert told.seconds_left() == pytest.approx(4 * 2.0 + 5 * 2.0)  # 6 + 10 and 8 + 10


def test_the_time_left_counts_down_between_epochs_and_stays_where_an_epoch_takes_too_long() -> None:
    jobs, clock = jobs_of("a"), Clock()
    told = forecast(jobs, clock=clock)
    run_epochs(told, jobs[0], 2.0, 2.0)
    assert told.seconds_left() == pytest.approx(6.0)
    clock.now += 1.5
    assert told.seconds_left() == pytest.approx(4.5)
    clock.now += 100
    assert told.seconds_left() == pytest.approx(4.0)
    told.epoch_ended(jobs[0], 3, 2.0)
    assert told.seconds_left() == pytest.approx(4.0)


def test_a_retried_job_counts_whole_again() -> None:
    jobs = jobs_of("a", seeds=2)
    told = forecast(jobs)
    run_epochs(told, jobs[0], 9.0, 2.0, 2.0)
    before = (told.seconds_left(), told.epochs_done)
    told.job_retried(jobs[0])
    assert before == (pytest.approx(2 * 2.0 + 17.0), 3)
    assert (told.seconds_left(), told.epochs_done) == (pytest.approx(17.0 + 17.0), 0)
    told.job_started(jobs[0])
    assert told.seconds_left() == pytest.approx(17.0 + 17.0)


def test_a_job_that_failed_early_has_no_time_left() -> None:
    jobs = jobs_of("a", seeds=2)
    told = forecast(jobs)
    run_epochs(told, jobs[0], 2.0, 2.0)
    told.job_ended(jobs[0])
    assert told.seconds_left() == pytest.approx(5 * 2.0)
    assert (told.jobs_done, told.epochs_done) == (1, 5)


def test_jobs_from_the_store_cost_nothing_and_measure_nothing() -> None:
    jobs = jobs_of("a", "b", seeds=2)
    told = forecast(jobs)
    told.job_ended(jobs[0])
    assert told.seconds_left() is None
    told.job_ended(jobs[2])
    told.job_ended(jobs[3])
    run_epochs(told, jobs[1], 9.0, 2.0)
    assert told.seconds_left() == pytest.approx(6.0)


def test_nothing_is_left_when_all_jobs_came_from_the_store() -> None:
    jobs = jobs_of("a", "b")
    told = forecast(jobs)
    for job in jobs:
        told.job_ended(job)
    assert told.seconds_left() == 0.0


def test_a_job_of_another_run_takes_no_worker_and_counts_down_from_where_it_was_met() -> None:
    jobs, clock = jobs_of("a", seeds=2), Clock()
    told = forecast(jobs, clock=clock)
    told.job_waits(jobs[1])
    run_epochs(told, jobs[0], 2.0, 2.0)
    assert told.seconds_left() == pytest.approx(10.0)
    clock.now += 1
    assert told.seconds_left() == pytest.approx(9.0)
    told.job_ended(jobs[0])
    clock.now += 100
    assert told.seconds_left() == 0.0
    told.job_started(jobs[1])  # the other run was stopped
    assert told.seconds_left() == pytest.approx(10.0)


@st.composite
def told_events(draw: st.DrawFn) -> list[tuple[str, int, float]]:
    """Draw what happens to which of six jobs; an epoch's or a pause's seconds stand beside it."""
    kinds = st.sampled_from(["start", "epoch", "epoch", "epoch", "end", "retry", "wait", "pause"])
    return draw(st.lists(st.tuples(kinds, st.integers(0, 5), st.floats(0.01, 100)), max_size=40))


@dataclass
class Rehearsal:
    """A forecast that is told drawn events, as far as they make sense in their order."""

    workers: int
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.jobs = jobs_of("a", "b", "c", seeds=2)
        self.forecast = forecast(self.jobs, self.workers, self.clock)
        self.epochs = dict.fromkeys(range(len(self.jobs)), 0)

    def tell(self, kind: str, n: int, seconds: float) -> None:
        job = self.jobs[n]
        if kind == "pause":
            self.clock.now += seconds
        elif kind == "epoch":
            if self.epochs[n] < EPOCHS:
                self.epochs[n] += 1
                self.forecast.epoch_ended(job, self.epochs[n], seconds)
        elif kind == "end":
            self.epochs[n] = EPOCHS
            self.forecast.job_ended(job)
        else:
            self.epochs[n] = 0
            {
                "start": self.forecast.job_started,
                "retry": self.forecast.job_retried,
                "wait": self.forecast.job_waits,
            }[kind](job)


def rehearsed(workers: int, events: list[tuple[str, int, float]]) -> Rehearsal:
    made = Rehearsal(workers)
    for event in events:
        made.tell(*event)
    return made


@given(told_events(), WORKERS)
def test_whatever_happens_the_time_left_is_never_negative(
    events: list[tuple[str, int, float]], workers: int
) -> None:
    made = Rehearsal(workers)
    for event in events:
        made.tell(*event)
        left = made.forecast.seconds_left()
        assert left is None or left >= 0
        assert 0 <= made.forecast.epochs_done <= 6 * EPOCHS


@given(told_events(), st.integers(2, 6), st.lists(st.floats(0, 50), max_size=5))
def test_while_nothing_is_heard_the_time_left_never_grows(
    events: list[tuple[str, int, float]], workers: int, pauses: list[float]
) -> None:
    made = rehearsed(workers, events)
    before = made.forecast.seconds_left()
    for pause in pauses:
        made.clock.now += pause
        after = made.forecast.seconds_left()
        assert (before is None) == (after is None)
        assert (after or 0.0) <= (before or 0.0) + 1e-6
        before = after


@given(told_events(), WORKERS)
def test_more_workers_forecast_no_more_time_and_no_less_than_their_share(
    events: list[tuple[str, int, float]], workers: int
) -> None:
    ours = [event for event in events if event[0] != "wait"]
    alone, shared = (rehearsed(n, ours).forecast.seconds_left() for n in (1, workers))
    assert (alone is None) == (shared is None)
    assert (alone or 0.0) / workers - 1e-6 <= (shared or 0.0) <= (alone or 0.0) + 1e-6


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.4, "59 s"), (125, "2 min 05 s"), (4200, "1 h 10 min")]
)
def test_a_duration_reads_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# Plain lines


def plain(jobs: list[Job], workers: int = 1, clock: Clock | None = None) -> PlainWatch:
    watch = PlainWatch(clock or Clock())
    watch.begin(jobs, STRIPES, workers)
    return watch


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_plain_lines_open_with_what_will_be_trained(capsys: pytest.CaptureFixture[str]) -> None:
    plain(jobs_of("a", "b", "c"))
    plain(jobs_of("a", "b", "c"), workers=2)
    plain(jobs_of("a", epochs=1), workers=4)
    images = "Stripes: 60 training and 30 test images; "
    assert lines(capsys) == [
        images + "3 trainings of 5 epochs",
        images + "3 trainings of 5 epochs, 2 at once",
        images + "1 training of 1 epoch",
    ]


def test_plain_lines_of_several_jobs_at_once_count_the_finished_trainings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    jobs = jobs_of("a", "b", "c", epochs=2)
    watch = plain(jobs, workers=2)
    for job in jobs[:2]:
        watch.job_started(job)
    watch.epoch_ended(jobs[0], 1, logs(), 3.0)
    watch.epoch_ended(jobs[1], 1, logs(), 3.0)
    watch.epoch_ended(jobs[0], 2, logs(), 2.0)
    watch.job_ended(jobs[0], outcome(jobs[0]))
    watch.job_started(jobs[2])
    watch.epoch_ended(jobs[2], 1, logs(), 3.0)
    watch.epoch_ended(jobs[1], 2, logs(), 2.0)
    said = lines(capsys)[1:]
    assert [line.split("  ")[0] for line in said] == ["[0/3] a", "[0/3] b", "[1/3] a", "[1/3] c", "[2/3] b"]
    metrics = "loss 0.2500  accuracy 0.9000  validation loss 0.5000  accuracy 0.4500"
    assert said[0] == f"[0/3] a  epoch 1/2  {metrics}  3.0 s"
    assert " left" in said[2]


def test_plain_lines_say_in_one_line_what_the_store_had(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = jobs_of("a", seeds=7)
    watch = plain(jobs)
    for job in jobs[:5]:
        watch.job_reused(job, outcome(job))
    watch.job_started(jobs[5])
    watch.epoch_ended(jobs[5], 1, logs(), 3.0)
    said = lines(capsys)[1:]
    assert said[0] == "5 of 7 trainings are in the store already"
    assert said[1].startswith("[5/7] a seed 6  epoch 1/5  ")
    assert len(said) == 2


def test_the_store_is_spoken_of_even_where_nothing_is_trained(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = jobs_of("a")
    watch = plain(jobs)
    watch.job_reused(jobs[0], outcome(jobs[0]))
    watch.say("drawing the report")
    assert lines(capsys)[1:] == ["1 of 1 training is in the store already", "drawing the report"]


def test_what_the_store_had_later_is_said_as_more(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = jobs_of("a", "b", "c")
    watch = plain(jobs)
    watch.job_reused(jobs[0], outcome(jobs[0]))
    watch.job_started(jobs[1])
    watch.job_reused(jobs[2], outcome(jobs[2]))
    watch.say("on")
    assert lines(capsys)[1:] == [
        "1 of 3 trainings is in the store already",
        "1 more of 3 trainings is in the store already",
        "on",
    ]


def test_a_stored_job_that_diverged_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = jobs_of("a", "b")
    watch = plain(jobs)
    watch.job_reused(jobs[0], outcome(jobs[0], DIVERGED, "no longer a number"))
    watch.job_started(jobs[1])
    assert lines(capsys)[1:] == [
        "1 of 2 trainings is in the store already",
        "a: diverged: no longer a number",
    ]


def test_plain_lines_name_only_those_that_ended_badly(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = jobs_of("a", "b")
    watch = plain(jobs)
    watch.job_started(jobs[0])
    watch.job_ended(jobs[0], outcome(jobs[0]))
    watch.job_started(jobs[1])
    watch.job_ended(jobs[1], outcome(jobs[1], FAILED, "ValueError: no luck"))
    assert lines(capsys)[1:] == ["b: failed: ValueError: no luck"]


def test_a_retry_is_said_with_its_reason_and_counts_from_the_first_epoch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    jobs = jobs_of("a", epochs=2)
    watch = plain(jobs)
    watch.job_started(jobs[0])
    watch.epoch_ended(jobs[0], 1, logs(), 1.0)
    watch.epoch_ended(jobs[0], 2, logs(), 1.0)
    watch.job_retried(jobs[0], "its worker was killed (signal 9)")
    watch.epoch_ended(jobs[0], 1, logs(), 1.0)
    said = lines(capsys)[1:]
    assert said[2] == "a: starts again: its worker was killed (signal 9)"
    assert [line[:5] for line in said if line.startswith("[")] == ["[0/1]", "[1/1]", "[0/1]"]


def test_plain_lines_name_the_jobs_of_another_run(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = jobs_of("a", "b")
    watch = plain(jobs)
    for job in jobs:
        watch.job_waits(job)
    watch.job_reused(jobs[0], outcome(jobs[0]))
    watch.job_started(jobs[1])
    watch.say("on")
    assert lines(capsys)[1:] == [
        "a: waits for another run",
        "b: waits for another run",
        "a: another run has trained it",
        "on",
    ]


def test_the_reason_of_a_retry_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = jobs_of("a")
    plain(jobs).job_retried(jobs[0], "\x1b[31mred\x07")
    assert lines(capsys)[-1] == "a: starts again: red"


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with observer_for(quiet=True) as watch:
        watch.begin(jobs_of("a"), STRIPES, 3)
        watch.say("hello")
    assert type(watch) is Watch
    assert lines(capsys) == []


# Live bars


class Screen:
    """A live display on a made-up terminal; each look renders its bars anew."""

    def __init__(self, jobs: list[Job], width: int = 80, workers: int = 2) -> None:
        self.console = Console(width=width, height=40, file=io.StringIO(), force_terminal=True)
        self.progress = live_progress(self.console)
        self.clock = Clock()
        self.watch = LiveWatch(self.progress, self.clock)
        self.watch.begin(jobs, STRIPES, workers)

    def bars(self) -> list[str]:
        with self.console.capture() as captured:
            self.console.print(self.progress.get_renderable(), no_wrap=True)
        return [plain_text(line) for line in captured.get().splitlines()]

    def said(self) -> list[str]:
        file: Any = self.console.file
        return [plain_text(line) for line in file.getvalue().splitlines()][1:]


def plain_text(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", line).rstrip()


def test_each_running_job_has_a_bar_with_its_metrics_until_it_ends() -> None:
    jobs = jobs_of("a", "b", "c")
    screen = Screen(jobs)
    screen.watch.job_started(jobs[0])
    screen.watch.job_started(jobs[1])
    screen.watch.epoch_ended(jobs[1], 1, logs(0.8), 3.0)
    whole, first, second = screen.bars()
    assert whole.startswith("0 of 3 trainings ")
    assert " 1/15 " in whole
    assert first.split()[0] == "a"
    assert " 0/5 " in first
    assert second.split()[0] == "b"
    assert " 1/5 " in second
    assert second.endswith("accuracy 0.8000  validation 0.4000")
    screen.watch.job_ended(jobs[0], outcome(jobs[0]))
    assert [line.split()[0] for line in screen.bars()] == ["1", "b"]
    assert screen.bars()[0].startswith("1 of 3 trainings ")
    assert screen.said() == ["a: 12.3 s"]


def test_the_time_left_on_the_screen_counts_down_between_epochs() -> None:
    jobs = jobs_of("a")
    screen = Screen(jobs)
    assert screen.bars()[0].endswith("time left not known yet")
    screen.watch.job_started(jobs[0])
    screen.watch.epoch_ended(jobs[0], 1, logs(), 60.0)
    screen.watch.epoch_ended(jobs[0], 2, logs(), 60.0)
    assert screen.bars()[0].endswith("about 3 min 00 s left")
    screen.clock.now += 40
    assert screen.bars()[0].endswith("about 2 min 20 s left")
    screen.watch.job_ended(jobs[0], outcome(jobs[0]))
    assert screen.bars()[0].endswith("almost done")


def test_jobs_from_the_store_are_done_at_once_and_said_in_one_line() -> None:
    jobs = jobs_of("a", seeds=7)
    screen = Screen(jobs)
    for job in jobs[:5]:
        screen.watch.job_reused(job, outcome(job))
    assert " 25/35 " in screen.bars()[0]
    assert screen.bars()[0].startswith("5 of 7 trainings ")
    screen.watch.job_started(jobs[5])
    assert screen.said() == ["5 of 7 trainings are in the store already"]
    assert len(screen.bars()) == 2


def test_a_job_of_another_run_has_a_bar_that_says_so_until_its_outcome_is_there() -> None:
    jobs = jobs_of("a", "b")
    screen = Screen(jobs)
    screen.watch.job_waits(jobs[0])
    assert screen.bars()[1].endswith("waits for another run")
    screen.watch.job_reused(jobs[0], outcome(jobs[0]))
    assert len(screen.bars()) == 1
    assert screen.said() == ["a: another run has trained it"]
    screen.watch.job_waits(jobs[1])
    screen.watch.job_started(jobs[1])
    assert len(screen.bars()) == 2
    assert "waits" not in screen.bars()[1]


@pytest.mark.parametrize("told", [True, False], ids=["started again", "only its next epoch"])
def test_a_retried_job_has_a_new_bar_and_its_epochs_are_taken_back(told: bool) -> None:
    jobs = jobs_of("a", "b")
    screen = Screen(jobs)
    screen.watch.job_started(jobs[0])
    screen.watch.epoch_ended(jobs[0], 1, logs(), 3.0)
    screen.watch.epoch_ended(jobs[0], 2, logs(), 3.0)
    screen.watch.job_retried(jobs[0], "its worker was killed")
    assert " 0/10 " in screen.bars()[0]
    assert len(screen.bars()) == 1
    if told:
        screen.watch.job_started(jobs[0])
        assert " 0/5 " in screen.bars()[1]
    screen.watch.epoch_ended(jobs[0], 1, logs(), 3.0)
    assert " 1/5 " in screen.bars()[1]
    assert screen.said() == ["a: starts again: its worker was killed"]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132, 200])
def test_no_bar_is_wider_than_the_terminal_and_no_note_is_cut(width: int) -> None:
    jobs = jobs_of(LONG_NAME, "b", "cnn-valid-s1-avg", seeds=12, epochs=100)
    screen = Screen(jobs, width, workers=4)
    for job in jobs[:3]:
        screen.watch.job_started(job)
        screen.watch.epoch_ended(job, 1, logs(), 3.0)
        screen.watch.epoch_ended(job, 2, logs(), 3.0)
    screen.watch.job_waits(jobs[-1])
    bars = screen.bars()
    assert len(bars) == 5
    assert all(len(line) <= width for line in bars)
    assert all(" 0:00:0" in line for line in bars)
    assert "seed 1 " in bars[1]  # of a long name the seed is kept
    notes = [line.partition("0:00:0")[2][1:].strip() for line in bars]
    full = "loss 0.2500  accuracy 0.9000  validation loss 0.5000  accuracy 0.4500"
    short = ("validation 0.4500", "validation accuracy 0.4500", "accuracy 0.9000  validation 0.4500")
    assert set(notes[1:4]) <= {full, *short, ""}
    assert notes[4] in ("waits for another run", "waits", "")
    assert re.search(r" left$|^~", notes[0]) or width < 60
    if width >= 80:
        assert notes[1] in (full, *short)
        assert notes[4] == "waits for another run"


def test_a_live_display_that_runs_redraws_by_itself_and_leaves_no_bar() -> None:
    jobs = jobs_of("a", "b")
    screen = Screen(jobs)
    with screen.progress:
        for job in jobs:
            screen.watch.job_started(job)
            screen.watch.epoch_ended(job, 1, logs(), 3.0)
            screen.watch.job_ended(job, outcome(job))
    assert [line for line in screen.said() if line.startswith(("a:", "b:"))] == ["a: 12.3 s", "b: 12.3 s"]
