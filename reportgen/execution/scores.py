"""The scores of probes: small entries of the store, each in a folder named by its key.

    output/.store/.probes/<key>/   score.json  manifest.json

They are written, claimed and set aside as the trainings are, in a store of their own below the store. A score
whose training is gone goes with the next pruning.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen import disk
from reportgen.execution.store import Claim, Store

if TYPE_CHECKING:
    from reportgen.data.probes import Probe, Row

PROBES = ".probes"
SCORE = "score.json"


class Scores:
    """The scores of all probes of the trainings in a store."""

    def __init__(self, store: Store) -> None:
        self._outcomes, self._store = store, Store(store.folder / PROBES)

    def load(self, key: str) -> tuple[Row, ...] | None:
        """Read a score; None where there is none, or one that is damaged."""
        from reportgen.data.probes import Row  # noqa: PLC0415  keeps `reportgen store` light

        if self._store.damage(key):
            return None
        try:
            rows = self._stated(key)["rows"]
            return tuple(Row(**row) for row in rows)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def claim(self, key: str) -> Claim | None:
        """Take the right to score; None where another run is at it."""
        return self._store.claim(key)

    def save(self, claim: Claim, key: str, outcome: str, probe: Probe, rows: tuple[Row, ...]) -> None:
        """Publish a claimed score of the model of an outcome."""
        stated = {"outcome": outcome, "probe": asdict(probe), "rows": [asdict(row) for row in rows]}
        disk.write(claim.folder / SCORE, f"{json.dumps(stated, indent=2)}\n".encode())
        disk.write_manifest(claim.folder)
        disk.publish(claim.folder, self._store.folder / key)

    def folders(self) -> list[Path]:
        """List all scores."""
        return [self._store.folder / entry.key for entry in self._store.entries()]

    def orphans(self, removed: frozenset[str] = frozenset()) -> list[Path]:
        """List the scores whose training is gone, or among those removed."""
        gone = []
        for entry in self._store.entries():
            outcome = self._outcome_of(entry.key)
            if outcome in removed or not (self._outcomes.folder / outcome / disk.MANIFEST).exists():
                gone.append(self._store.folder / entry.key)
        return gone

    def left_behind(self) -> list[Path]:
        """List what dead processes left half written, and the damaged scores that were set aside."""
        return [*self._store.left_behind(), *self._store.set_aside()]

    def remove(self, folder: Path) -> None:
        """Remove a score, unless a process is at it."""
        self._store.remove(folder.name, inf)

    def _outcome_of(self, key: str) -> str:
        try:
            return str(self._stated(key)["outcome"]) or "?"
        except (OSError, ValueError, KeyError, TypeError):
            return "?"

    def _stated(self, key: str) -> Any:
        return json.loads((self._store.folder / key / SCORE).read_text(encoding="utf-8"))
