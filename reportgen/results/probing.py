"""How the trained models of a run fared in its probes, and what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportgen.data.probes import ORIGINAL, PERMUTATION, PERMUTED, Row
from reportgen.jobs import FAILED, ON_PERMUTED
from reportgen.results.frames import Score
from reportgen.results.record import LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from reportgen.execution.plan import Ran
    from reportgen.jobs import Outcome


def scores_of(ran: Sequence[Ran], labels: NDArray[np.int64]) -> list[Score]:
    """List how each training fared in each probe; labels are those of the test set."""
    controls = _controls(ran)
    found: list[Score] = []
    for one in ran:
        who = one.outcome.variant, one.outcome.seed
        found += [Score(*who, probed.probe, row) for probed in one.probed for row in probed.rows]
        if who in controls:
            rows = _permutation(one.outcome, controls[who], labels)
            found += [Score(*who, PERMUTATION, row) for row in rows]
    return found


def left_out(ran: Sequence[Ran]) -> tuple[LeftOut, ...]:
    """List the probes that a training has no rows of, with the reasons."""
    return tuple(_left_out(ran))


def _left_out(ran: Sequence[Ran]) -> Iterator[LeftOut]:
    controls = _controls(ran)
    for one in ran:
        who = {"variant": one.outcome.variant, "seed": one.outcome.seed}
        for probed in one.probed:
            if not probed.rows:
                yield LeftOut(**who, probe=probed.probe, reason=probed.reason, lasting=probed.lasting)
        control = controls.get((one.outcome.variant, one.outcome.seed))
        if control is not None and control.probabilities is None:
            reason = f"on permuted pixels, it {control.status}: {control.error}"
            yield LeftOut(**who, probe=PERMUTATION, reason=reason, lasting=control.status != FAILED)


def _controls(ran: Sequence[Ran]) -> dict[tuple[str, int], Outcome]:
    """Find the outcomes on permuted pixels by the variant and seed that they are held against."""
    outcomes = [one.outcome for one in ran if one.is_control]
    return {(one.variant.removesuffix(ON_PERMUTED), one.seed): one for one in outcomes}


def _permutation(one: Outcome, control: Outcome, labels: NDArray[np.int64]) -> list[Row]:
    if one.probabilities is None or control.probabilities is None:
        return []
    both = ((ORIGINAL, one.probabilities), (PERMUTED, control.probabilities))
    return [Row(level, None, int((p.argmax(axis=1) == labels).sum()), len(labels)) for level, p in both]
