"""What lies in the store, and what of it may go. Neither pandas nor TensorFlow is loaded for it."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import disk
from reportgen.errors import RunError
from reportgen.execution.scores import Scores
from reportgen.execution.store import STORE, Entry, Store, size
from reportgen.rundir import PARTIAL
from reportgen.text import inert, shorten, volume

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHARTS = ".charts"
# A run touches each entry that it takes from the store, may then train for long, and names what it took in
# run.json only at its end. As long as any run is at work, whatever was used within the last week is taken
# to be one that such a run has loaded: no run is thought to last longer.
LONGEST_RUN = 7 * 86400.0
_KEY = re.compile(r"[0-9a-f]{64}|")


@dataclass(frozen=True)
class Runs:
    """What the runs below an output folder say of the store.

    `users` counts the runs by key, `titles` gives data sets by SHA-256, `unreadable` says of each run whose
    keys cannot be known why; `at_work` tells whether a run is being made now.
    """

    users: Counter[str] = field(default_factory=Counter)
    titles: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    at_work: bool = False


@dataclass(frozen=True)
class Files:
    """Files or folders of one kind, and their bytes."""

    paths: tuple[Path, ...]
    bytes: int

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Files:
        """Measure what is there."""
        return cls(tuple(paths), sum(map(size, paths)))


@dataclass(frozen=True)
class Stock:
    """All that a store holds, beside the runs that use it; `now` is when it was looked at."""

    store: Store
    runs: Runs
    entries: list[Entry]
    claimed: list[str]
    left_behind: Files
    set_aside: Files
    charts: Files
    scores: Files
    now: float


@dataclass(frozen=True)
class Pruned:
    """What was removed, or would be, beside what there was; what was kept has its reason."""

    stock: Stock
    entries: list[Entry]
    others: dict[str, Files]
    kept: list[tuple[Entry, str]]

    @property
    def bytes(self) -> int:
        """Count the bytes that were freed."""
        return sum(one.bytes for one in self.entries) + sum(one.bytes for one in self.others.values())


def take_stock(output: Path, now: float) -> Stock | None:
    """Look at everything in the store below an output folder; None where there is no store."""
    store = Store(output / STORE)
    if not store.folder.is_dir():
        return None
    with disk.disk_errors(store.folder):
        return Stock(
            store=store,
            runs=read_runs(output, store.anyone_at_work()),
            entries=store.entries(),
            claimed=store.claimed(),
            left_behind=Files.of([*store.left_behind(), *Scores(store).left_behind()]),
            set_aside=Files.of(store.set_aside()),
            charts=Files.of(sorted((store.folder / CHARTS).glob("*.svg*"))),  # half-written ones too
            scores=Files.of(Scores(store).folders()),
            now=now,
        )


# --- the runs ------------------------------------------------------------------------------------


class _Unreadable(Exception):
    """A run whose keys cannot be known."""


def read_runs(output: Path, at_work: bool = False) -> Runs:
    """Read which entries the runs below an output folder refer to, those that are being made too.

    `at_work` tells whether any was going on before they are read: it may have ended unseen meanwhile.
    """
    users: Counter[str] = Counter()
    titles: dict[str, str] = {}
    unreadable = []
    for run in sorted(output.glob("*/*")):
        if run.parent.name == STORE or _shows_one_beside(run) or not run.is_dir():
            continue
        being_made = run.name.endswith(PARTIAL)
        at_work = at_work or (being_made and _is_held(run))
        try:
            record = _record(run)
            keys = _keys(record)
        except _Unreadable as problem:
            if not being_made:  # else a dead process left it, or it counts as at work
                unreadable.append(f"{run / 'run.json'}: {problem}")
            continue
        users.update(keys)
        titles |= _title(record)
    return Runs(users, titles, unreadable, at_work)


def _shows_one_beside(run: Path) -> bool:
    """Tell whether a link is to a run beside it: it is no run of its own, as one to another disk is."""
    return run.is_symlink() and (run.parent / run.readlink()).parent.resolve() == run.parent.resolve()


def _is_held(partial: Path) -> bool:
    """Tell whether a run is being made in a folder; one that is gone meanwhile has become a run."""
    with disk.lock_folder(partial) as nobodys:
        return not nobodys


def _record(run: Path) -> Any:
    """Read a run.json of any format; None where the folder is no run."""
    try:
        content = (run / "run.json").read_bytes()
        listed = disk.listed_files(run / disk.MANIFEST) or {}
        if "run.json" in listed and listed["run.json"]["sha256"] != disk.sha256(run / "run.json"):
            raise _Unreadable("is not what was written: its checksum differs")
        return json.loads(content)
    except FileNotFoundError:
        if (run / disk.MANIFEST).exists():
            raise _Unreadable("is missing") from None
        return None
    except OSError as error:
        raise _Unreadable(f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise _Unreadable(f"is damaged: {error}") from None


def _keys(record: Any) -> set[str]:
    """Give the keys in a run.json, of a later format too, as long as each job has its own where ours is."""
    if record is None:
        return set()
    try:
        # Runs of before there was a store have no keys.
        keys = {job.get("key", "" if record["format_version"] == 1 else None) for job in _jobs(record)}
        if all(_KEY.fullmatch(key) for key in keys):
            return keys - {""}
    except (KeyError, TypeError, AttributeError):
        pass
    raise _Unreadable("the keys of its jobs are not where format_version 1 has them")


def _jobs(record: Any) -> list[Any]:
    """List the jobs in a run.json, those on permuted pixels too."""
    return [*record["jobs"], *record.get("controls", ())]


def _title(record: Any) -> dict[str, str]:
    """Give the data set's title by its SHA-256, where a run.json tells both."""
    try:
        return {str(record["dataset"]["sha256"]): str(record["dataset"]["title"])}
    except (KeyError, TypeError):
        return {}


# --- pruning -------------------------------------------------------------------------------------


def prune(output: Path, older: float, dry_run: bool, now: float) -> Pruned | None:
    """Remove what was last used more than `older` seconds ago and no run refers to; None without a store.

    Damaged entries that were set aside and charts go by their age too; what dead processes left goes
    whatever its age. Raises RunError, having removed nothing, where a run cannot be read: what it refers to
    would be unknown.
    """
    stock = take_stock(output, now)
    if stock is None:
        return None
    if stock.runs.unreadable:
        raise RunError(
            f"{stock.runs.unreadable[0]}; nothing was removed, as this run's entries are not known: "
            f"move the run out of {output}, or remove it, first"
        )
    gone: list[Entry] = []
    kept: list[tuple[Entry, str]] = []
    with disk.disk_errors(stock.store.folder):
        for entry in stock.entries:
            reason = _reason_to_keep(stock, entry, older, output)
            if not reason and not dry_run and not stock.store.remove(entry.key, now - older):
                reason = "in use this moment"
            (kept.append((entry, reason)) if reason else gone.append(entry))
        others = _others(stock, now - older, frozenset(one.key for one in gone))
        if not dry_run:
            _remove(stock.store, others)
    return Pruned(stock, gone, others, kept)


def _reason_to_keep(stock: Stock, entry: Entry, older: float, output: Path) -> str:
    """Say why an entry must stay, or ""."""
    unused = stock.now - entry.used
    if entry.key in stock.runs.users:
        return "a run refers to it"
    if entry.key in stock.claimed:
        return "being trained now"
    if unused <= older:
        return f"used in the last {span(older)}"
    # Asked anew for each entry: a run that trains one job after another holds nothing between two of them.
    if unused <= LONGEST_RUN and (stock.runs.at_work or _anyone_at_work(stock.store, output)):
        return f"used in the last {span(LONGEST_RUN)}, and a run is at work"
    return ""


def _anyone_at_work(store: Store, output: Path) -> bool:
    partials = output.glob(f"*/.*{PARTIAL}")
    return store.anyone_at_work() or bool(store.claimed()) or any(_is_held(one) for one in partials)


def _others(stock: Stock, before: float, removed: frozenset[str]) -> dict[str, Files]:
    """Find what may go beside the entries, by its kind in WORDS; scores go with the entries removed."""
    return {
        "scores": Files.of(Scores(stock.store).orphans(removed)),
        "set aside": _of_before(stock.set_aside, before),
        "charts": _of_before(stock.charts, before),
        "left behind": stock.left_behind,
    }


def _of_before(files: Files, before: float) -> Files:
    old = []
    for path in files.paths:
        with suppress(FileNotFoundError):  # another pruning
            if path.stat().st_mtime < before:
                old.append(path)
    return Files.of(old)


def _remove(store: Store, others: dict[str, Files]) -> None:
    for path in others["charts"].paths:
        disk.step("remove", path)
        path.unlink(missing_ok=True)
    for path in others["scores"].paths:
        Scores(store).remove(path)
    store.sweep([*others["set aside"].paths, *others["left behind"].paths])


# --- words ---------------------------------------------------------------------------------------

WIDTH = 80
COLUMNS = ("variant", "seed", "data", "status", "size", "used", "runs")
TO_THE_LEFT = ("variant", "data", "status")
_SPANS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def span(seconds: float) -> str:
    """Write seconds in the largest unit of which there are two, or one and no more: 12 d, 1 h, 90 s."""
    fitting = (one for one in _SPANS if seconds >= 2 * one[1] or seconds == one[1])
    unit, length = next(fitting, _SPANS[-1])
    return f"{max(seconds, 0) / length:.0f} {unit}"


WORDS = {  # one, and many
    "entries": ("entry", "entries"),
    "claimed": ("job being trained now", "jobs being trained now"),
    "left behind": (
        "job left unfinished by a process that died",
        "jobs left unfinished by processes that died",
    ),
    "set aside": ("damaged entry that was set aside", "damaged entries that were set aside"),
    "charts": ("drawn chart", "drawn charts"),
    "scores": ("score of a probe", "scores of probes"),
}


def _counted(n: int, kind: str, size: int | None = None) -> str:
    words = f"{n:,} {WORDS[kind][n != 1]}"
    return words if size is None else f"{words}, {volume(size)}"


def listing(stock: Stock) -> Iterator[str]:
    """List what the store holds, in lines of at most 80 characters but for what is wrong with a run."""
    yield from table(stock.entries, stock)
    yield _counted(len(stock.entries), "entries", sum(one.bytes for one in stock.entries))
    if stock.claimed:
        yield _counted(len(stock.claimed), "claimed")
    others = {
        "left behind": stock.left_behind,
        "set aside": stock.set_aside,
        "charts": stock.charts,
        "scores": stock.scores,
    }
    yield from (_counted(len(one.paths), kind, one.bytes) for kind, one in others.items() if one.paths)
    for problem in stock.runs.unreadable:
        yield f"it is not known what this run refers to: {inert(problem)}"


def account(pruned: Pruned, dry_run: bool) -> Iterator[str]:
    """Tell what was freed, or would be, what was kept, and why."""
    yield from table(pruned.entries, pruned.stock)
    removed = "would remove" if dry_run else "removed"
    if pruned.entries:
        yield f"{removed} {_counted(len(pruned.entries), 'entries', sum(e.bytes for e in pruned.entries))}"
    for kind, one in pruned.others.items():
        if one.paths:
            yield f"{removed} {_counted(len(one.paths), kind, one.bytes)}"
    for reason, n in Counter(reason for _, reason in pruned.kept).most_common():
        yield f"kept {_counted(n, 'entries')}: {reason}"
    yield f"{'would free' if dry_run else 'freed'} {volume(pruned.bytes)}"


def no_store(output: Path) -> str:
    """Say that there is no store."""
    return f"there is no store in {output}; `reportgen run` makes one"


def table(entries: Sequence[Entry], stock: Stock) -> Iterator[str]:
    """Set entries in columns of 80 characters in all; a long name is cut."""
    if not entries:
        return
    rows = [COLUMNS, *(_row(entry, stock) for entry in entries)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(COLUMNS))]
    widths[2] = min(widths[2], 16)
    widths[0] = min(widths[0], WIDTH - sum(widths[1:]) - 2 * len(widths[1:]))
    sides = ["<" if name in TO_THE_LEFT else ">" for name in COLUMNS]
    for row in rows:
        cells = zip(row, sides, widths, strict=True)
        yield "  ".join(f"{shorten(cell, width):{side}{width}}" for cell, side, width in cells)
    yield ""


def _row(entry: Entry, stock: Stock) -> tuple[str, ...]:
    return (
        inert(entry.variant) or entry.key[:12],
        str(entry.seed or "?"),
        inert(stock.runs.titles.get(entry.dataset, entry.dataset[:8])) or "?",
        inert(entry.status),
        volume(entry.bytes),
        f"{span(stock.now - entry.used)} ago",
        str(stock.runs.users[entry.key]),
    )
