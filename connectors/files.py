"""The kind ``files``: answers from the rows that an agency has handed over and the hub has loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from connectors.contract import Answer, Ask, Fault, Offering, Row
from connectors.faults import Kind, all_failed, fault
from connectors.manifest.model import FileSource, Manifest, Offered
from connectors.staged import Held, Judged, Place, Staged, StoreAway

NO_TOLERANCE = timedelta()


class FilesConnector:
    """Asks nobody: every answer is as old as the file that was loaded last. ``now`` is the wall clock."""

    def __init__(self, manifest: Manifest, staged: Staged, now: Callable[[], datetime]) -> None:
        self._drops = {
            one.offering.name: _Drop(manifest.id, one, one.source)
            for one in manifest.offerings
            if isinstance(one.source, FileSource)
        }
        self._staged = staged
        self._max_rows = manifest.limits.max_rows
        self._now = now

    def describe(self) -> tuple[Offering, ...]:
        """The declared offerings."""
        return tuple(drop.offering for drop in self._drops.values())

    async def health(self, deadline: float) -> Fault | None:  # noqa: ARG002 the port's shape
        """LATE when one of the files is overdue or was never loaded."""
        for drop in self._drops.values():
            held = await self._held(drop, ())
            if isinstance(held, Fault):
                return held
        return None

    async def fetch(self, ask: Ask) -> Answer:
        """LATE for every key while the file is overdue: what it does not hold may be there by now."""
        drop = self._drops[ask.offering]
        held = await self._held(drop, ask.keys)
        if isinstance(held, Fault):
            why = fault(Kind(held.kind), correlation=ask.correlation)
            return all_failed(ask.keys, why)
        return drop.answer(held, ask)

    async def close(self) -> None:
        """Nothing is open."""

    async def _held(self, drop: _Drop, keys: Sequence[str]) -> Held | Fault:
        try:
            held = await self._staged.held(drop.place, keys, self._max_rows + 1)
        except StoreAway:
            return fault(Kind.UNREACHABLE)
        if held is None or drop.is_late(held.as_of, self._now()):
            return fault(Kind.LATE)
        if sum(map(len, held.rows.values())) > self._max_rows:
            return fault(Kind.TOO_LARGE)
        return held


class _Drop:
    """One offering and its file."""

    def __init__(self, connector: str, offered: Offered, source: FileSource) -> None:
        self.offering = offered.offering
        self.place = Place(connector, offered.offering.name, source.mapping)
        self._missing_is_absent = offered.missing_is_absent
        self._source = source

    def is_late(self, as_of: datetime, now: datetime) -> bool:
        until = latest(self._source, as_of)
        return until is not None and now > until

    def answer(self, held: Held, ask: Ask) -> Answer:
        places = tuple(map(self.offering.columns.index, ask.columns))
        rows: dict[str, tuple[Row, ...]] = {}
        faults: dict[str, Fault] = {}
        for key in ask.keys:
            kept = held.rows.get(key, ())
            refused = next((one for one in kept if isinstance(one, Judged) and one.is_refused), None)
            if refused is not None:
                faults[key] = fault(Kind.REFUSED, correlation=ask.correlation, agency_code=refused.code)
            elif kept or self._missing_is_absent:
                found = [row for row in kept if not isinstance(row, Judged)]
                rows[key] = tuple(tuple(row[place] for place in places) for row in found)
            else:
                faults[key] = fault(Kind.INCOMPLETE, correlation=ask.correlation)
        return Answer(rows, faults, held.as_of)


def latest(source: FileSource, as_of: datetime) -> datetime | None:
    """Until when the rows of a file of this time may be answered with; None where no rhythm is declared."""
    return None if source.every is None else as_of + source.every + (source.tolerance or NO_TOLERANCE)
