"""What starts worker processes: one dataset, shared by all of them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from reportgen.data.sharing import share
from reportgen.execution.keys import is_outdated
from reportgen.processes import Worker
from reportgen.training import worker as training

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from reportgen.data import Dataset
    from reportgen.execution.plan import Identified, Workers


class Trainers:
    """Start worker processes for one dataset, which they share."""

    def __init__(self, dataset: Dataset, workers: Workers, folder: Path | None) -> None:
        self.dataset, self.limits, self._folder = dataset, workers, folder
        self._stack = ExitStack()
        self._setup: training.Setup | None = None

    def start(self) -> Worker:
        """Start a process; the first one has the dataset written where all can map it."""
        if self._setup is None:
            file, shared = share(self.dataset)
            self._stack.enter_context(file)
            self._setup = training.Setup(shared, self._folder)
        files = (self._setup.dataset.descriptor,)
        return Worker(training.ENTRY, self._setup, self.limits.environment, files)

    def has_changed(self, one: Identified) -> bool:
        """Tell whether what builds a variant is not what its key was taken of."""
        return is_outdated(one.identity, one.job.variant, self._folder)

    def __enter__(self) -> Trainers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._setup = None
        self._stack.close()
