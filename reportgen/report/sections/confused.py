"""What the parts of the section on confusion are all made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reportgen.analysis import confusion as cells
from reportgen.report import look
from reportgen.report.sections.cells import anchor_of
from reportgen.text import inert
from reportgen.words import tr

if TYPE_CHECKING:
    import pandas as pd

    from reportgen.report.document import Context

MATRICES_IN_PAIRS = 4  # more of them stand three in a row
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Confused:
    """What each variant's shown training confuses, and how it is drawn."""

    context: Context

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame]:
        """Give the confusion of the training that is shown of each variant."""
        results = self.context.results
        return {name: cells.of_training(results, name, seed) for name, seed in self.context.shown()}

    @cached_property
    def darkest(self) -> float:
        """Choose the share that takes the darkest colour: a round one, which a further variant may keep."""
        largest = max((cells.largest_share(one) for one in self.frames.values()), default=0.0)
        return next(step for step in SHARES if step >= largest)

    @property
    def base(self) -> str | None:
        """Name the baseline, if it has predictions."""
        base = self.context.lab.baseline
        return base.name if base and base.name in self.frames else None

    @property
    def compared(self) -> list[str]:
        """List the variants that stand against the baseline."""
        return [name for name in self.frames if name != self.base] if self.base else []

    @property
    def counted(self) -> bool:
        """Tell whether a matrix has room for all classes."""
        return len(self.context.dataset.classes) <= look.CLASSES_COUNTED

    @cached_property
    def axis_names(self) -> tuple[str, ...]:
        """Give the classes' names, or numbers where the charts' type cannot write one of the names."""
        classes = self.context.dataset.classes
        if all(look.can_draw(inert(name).replace("\n", " ")) for name in classes):
            return classes
        return tuple(str(n) for n in range(len(classes)))

    @property
    def wide(self) -> bool:
        """Tell whether the classes are too many, or their names too long, for a third of the page."""
        classes = self.context.dataset.classes
        return len(classes) > 12 or max(len(name) for name in classes) > 5

    def width_for(self, matrices: int) -> float:
        """Choose the width of each of several matrices."""
        return look.HALF if matrices <= MATRICES_IN_PAIRS or self.wide else look.THIRD

    def named(self, variant: str) -> str:
        """Name a variant, with its seed where there are several."""
        if self.context.protocol.seeds == 1:
            return variant
        return tr("{variant}, seed {seed}", variant=variant, seed=dict(self.context.shown())[variant])

    def href(self, variant: str, label: int, predicted: int) -> str:
        """Give the link to a cell's images; empty where they are not shown."""
        shown = (variant, label, predicted) in self.context.cells_shown
        return f"#{anchor_of(variant, label, predicted)}" if shown else ""
