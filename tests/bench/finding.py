"""One measured figure, and what it must and should reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.measuring import Readings


@dataclass(frozen=True, slots=True)
class Bound:
    """``is_most``: whether the figure may be at most, else must be at least, what is said here."""

    must: float
    aim: float | None = None
    is_most: bool = True

    def is_met(self, value: float) -> bool:
        """Whether a figure is what it must be."""
        return self._reaches(value, self.must)

    def is_aim_met(self, value: float) -> bool:
        """Whether there is an aim and a figure reaches it."""
        return self.aim is not None and self._reaches(value, self.aim)

    def _reaches(self, value: float, bound: float) -> bool:
        return value <= bound if self.is_most else value >= bound


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the table. ``of``: at which size or number of connections; no bound: only told."""

    row: str
    what: str
    of: str
    value: float
    bound: Bound | None = None
    form: str = ".2f"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one part of a run found: its lines, every round behind them, and what else is worth keeping.

    ``notes`` are sentences for whoever reads the tables; ``failure``: why the part has no findings.
    """

    findings: Sequence[Finding]
    readings: Readings = field(default_factory=dict)
    bytes: Mapping[int, int] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    failure: str | None = None
