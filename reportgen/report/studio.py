"""Charts are ordered here, and drawn in processes of their own unless they are known already.

This process imports no drawing library. A chart is ordered by the name of a function of charts/ and what
it is to be called with; all are ordered before the first is waited for. The PDF is made in one more process,
which imports WeasyPrint while charts are drawn.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from reportgen import words
from reportgen.environment import usable_cores
from reportgen.errors import PdfUnavailable, RenderError
from reportgen.processes import Answer, Death, Worker, wait
from reportgen.report.cache import ChartCache, key_of
from reportgen.report.pdf import Extras, Limits, out_of_memory, out_of_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    Work = Callable[[Any, Callable[[Any], None]], Any]

MOST_PROCESSES = 4
CHARTS_A_PROCESS = 2  # fewer, and starting one more process does not pay
TRIES = 2
# How a process ends that gets no more memory: C libraries by a signal, Python by MemoryError.
OUT_OF_MEMORY = ("SIGABRT", "SIGTRAP", "SIGSEGV", "SIGBUS", "MemoryError")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # the processes share the cores


class Order:
    """One chart that was ordered."""

    def __init__(self, studio: Studio, function: str, args: tuple[Any, ...], key: str) -> None:
        self._studio = studio
        self.function, self.args, self.key = function, args, key
        self.language = words.language()
        self.drawn: bytes | None = None
        self.fault = ""
        self.deaths = 0

    @property
    def task(self) -> tuple[str, tuple[Any, ...], str]:
        """Give what a process is told of it."""
        return self.function, self.args, self.language

    def svg(self) -> bytes:
        """Give the chart; waits until it is drawn. Raises RenderError."""
        while self.drawn is None and not self.fault:
            self._studio.work(self)
        if self.drawn is None:
            raise RenderError(f"the chart {self.function} could not be drawn: {self.fault}")
        return self.drawn


class Studio:
    """Draws charts, and prints; to be used in a `with` block, which leaves no process behind.

    `cache` is the folder of charts that were drawn before, None for none. With `processes=0` everything
    happens in this process. `limits` are for each PDF and chart.
    """

    def __init__(
        self, cache: Path | None = None, processes: int | None = None, limits: Limits | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._cache = ChartCache(cache) if cache else None
        self._processes = min(usable_cores(), MOST_PROCESSES) if processes is None else processes
        self._orders: dict[str, Order] = {}
        self._waiting: deque[Order] = deque()
        self._painters: dict[Worker, Order | None] = {}
        self._since: dict[Worker, float] = {}  # when a painter was given what it draws
        self._printer: Worker | None = None
        self.drawn = 0  # charts that were not in the cache

    def __enter__(self) -> Studio:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes."""
        while self._painters:
            self._painters.popitem()[0].kill()
        if self._printer:
            self._printer.kill()
            self._printer = None
        if self._cache and self.drawn:
            self._cache.tidy()

    def start(self, *, charts: bool = True, pdf: bool = True) -> None:
        """Start processes ahead of the first order, so that they have imported what they need by then."""
        while charts and len(self._painters) < self._processes:
            self._start_painter()
        if pdf and self._processes and not self._printer:
            self._printer = Worker("reportgen.report.pdf:prepare", self._limits.memory, ONE_THREAD)

    def order(self, function: str, *args: Any) -> Order:
        """Order a chart: a function of charts/, by name, with its arguments."""
        key = key_of(function, args, words.language())
        if key not in self._orders:
            order = self._orders[key] = Order(self, function, args, key)
            order.drawn = self._cache.get(key) if self._cache else None
            if order.drawn is None and self._processes:
                self._waiting.append(order)
        self.pump()
        return self._orders[key]

    def pump(self) -> None:
        """Take in what is drawn and hand on what waits; returns at once."""
        self._hear(0)
        self._hand_out()

    def work(self, order: Order) -> None:
        """Bring an order nearer to its end: draw it here, or wait for the processes."""
        if not self._processes:
            self._take(order, _draw(order.task))
            return
        self._hand_out()
        self._hear(self._limits.chart)
        self._stop_the_late()

    def pdf(self, html: str, extras: Extras | None = None) -> Callable[[], bytes]:
        """Have the PDF made; gives a function that waits for it and raises PdfUnavailable or RenderError.

        Where it takes more time or memory than it may, there is none.
        """
        if not self._processes:
            from reportgen.report.pdf import to_pdf  # noqa: PLC0415  WeasyPrint

            return lambda: to_pdf(html, extras)
        self.start(charts=False)
        assert self._printer is not None
        self._printer.give((html, extras))
        return lambda: self._printed((html, extras))

    def _printed(self, task: tuple[str, Extras | None]) -> bytes:
        reason = ""
        for _ in range(TRIES):
            self.start(charts=False)
            printer = self._printer
            assert printer is not None
            if printer.task is None:
                printer.give(task)
            message = self._from(printer)
            if isinstance(message, Answer):
                kind, content = message.content
                if kind == "pdf":
                    return bytes(content)
                raise {"unavailable": PdfUnavailable, "fault": RenderError}[kind](content)
            printer.kill()
            self._printer, reason = None, message.reason
        if any(name in reason for name in OUT_OF_MEMORY):
            raise PdfUnavailable(out_of_memory(self._limits.memory))
        raise RenderError(f"the PDF could not be made: {reason}")

    def _from(self, printer: Worker) -> Answer | Death:
        """Wait for the end of a task, but not for ever. Raises PdfUnavailable.

        The process may take as long for its preparations too.
        """
        begun = time.monotonic()
        while wait([printer], max(begun + self._limits.seconds - time.monotonic(), 0)):
            message = printer.hear()
            if isinstance(message, (Answer, Death)):
                return message
            begun = time.monotonic()
        printer.kill()
        self._printer = None
        raise PdfUnavailable(out_of_time(self._limits.seconds))

    def _hand_out(self) -> None:
        wanted = -(-len(self._waiting) // CHARTS_A_PROCESS) + sum(map(bool, self._painters.values()))
        while len(self._painters) < min(wanted, self._processes):
            self._start_painter()
        for painter, drawing in self._painters.items():
            if drawing is None and self._waiting:
                order = self._painters[painter] = self._waiting.popleft()
                painter.give(order.task)
                self._since[painter] = time.monotonic()

    def _start_painter(self) -> None:
        self._painters[Worker("reportgen.report.studio:prepare", None, ONE_THREAD)] = None

    def _hear(self, seconds: float | None) -> None:
        for painter in wait(self._painters, seconds):
            order = self._painters[painter]
            message = painter.hear()
            if isinstance(message, Answer) and order:
                self._painters[painter] = None
                self._take(order, message.content)
            elif isinstance(message, Death):
                del self._painters[painter]
                painter.kill()
                self._bury(order, message.reason)

    def _stop_the_late(self) -> None:
        """End what has been drawing longer than it may, for good: it would be as slow once more."""
        for painter, order in list(self._painters.items()):
            if order and time.monotonic() - self._since[painter] >= self._limits.chart:
                del self._painters[painter]
                painter.kill()
                order.fault = f"it was not drawn within {self._limits.chart:g} seconds and was stopped"

    def _take(self, order: Order, drawn: bytes | str) -> None:
        if isinstance(drawn, str):
            order.fault = drawn
            return
        order.drawn = drawn
        self.drawn += 1
        if self._cache:
            self._cache.put(order.key, drawn)

    def _bury(self, order: Order | None, reason: str) -> None:
        """Draw what a dead process was drawing once more."""
        if order is None:
            return
        order.deaths += 1
        if order.deaths < TRIES:
            self._waiting.appendleft(order)
        else:
            order.fault = reason


# --- inside a process ----------------------------------------------------------------------------


def prepare(setup: object) -> Work:
    """Import what draws; gives the function that draws."""
    from reportgen.report import charts  # noqa: F401, PLC0415  plotnine

    gc.freeze()  # what was imported stays: not worth looking through with every chart
    return lambda task, send: _draw(task)


def _draw(task: tuple[str, tuple[Any, ...], str]) -> bytes | str:
    """Draw a chart; gives text where that cannot be done."""
    from reportgen.report import charts, theme  # noqa: PLC0415  plotnine

    function, args, language = task
    try:
        with words.speaking(language):
            return theme.to_svg(getattr(charts, function)(*args))
    except RenderError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  plotnine raises many kinds; each is a bug of ours
        return f"{type(error).__name__}: {error}"
