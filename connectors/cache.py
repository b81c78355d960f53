"""Keeps facts in a worker's memory for as long as their agency has declared them fresh."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from connectors.contract import Row

ENTRY_BYTES = 500  # of an entry's own objects: its place, its key, itself, its places in two tables
STEP = 2_000  # entries looked through before others get their turn

Place = tuple[int, str]  # number of a layout, key


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """When one call's facts were true, when they were fetched, and until when they may be told."""

    as_of: datetime | None
    fetched_at: datetime
    until: float  # time.monotonic() seconds


@dataclass(frozen=True, slots=True)
class Entry:
    """One key's rows (none: Absent)."""

    rows: tuple[Row, ...]
    stamp: Stamp
    size: int


class Cache:
    """The facts of all of a worker's connectors, bounded in bytes; those longest unused go first.

    ``pseudonym`` gives a key the keyed name by which it is forgotten, so that it need not be sent around;
    ``now`` is the wall clock.
    """

    def __init__(
        self, most_bytes: int, pseudonym: Callable[[str], bytes], now: Callable[[], datetime]
    ) -> None:
        self.bytes = 0
        self.now = now
        self.forgettings = 0  # whoever began to fetch before the last of them has nothing to keep
        self._most_bytes = most_bytes
        self._pseudonym = pseudonym
        self._entries: OrderedDict[Place, Entry] = OrderedDict()
        self._numbers = itertools.count()

    @property
    def is_on(self) -> bool:
        """Whether anything is kept at all."""
        return self._most_bytes > 0

    def next_number(self) -> int:
        """A number that no other layout has."""
        return next(self._numbers)

    def get(self, place: Place, now: float) -> Entry | None:
        """The entry, while it is fresh."""
        entry = self._entries.get(place)
        if entry is None:
            return None
        if entry.stamp.until <= now:
            self._drop(place)
            return None
        self._entries.move_to_end(place)
        return entry

    def put(self, place: Place, rows: tuple[Row, ...], stamp: Stamp) -> None:
        """Keeps the rows of a key, in the place of any that were there."""
        self._drop(place)
        size = ENTRY_BYTES + sys.getsizeof(place[1]) + sum(map(_size, rows))
        if size > self._most_bytes:
            return
        self._entries[place] = Entry(rows, stamp, size)
        self.bytes += size
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))

    async def forget(self, pseudonym: bytes) -> None:
        """Drops whatever is kept about the subject of this pseudonym."""
        self.forgettings += 1
        names: dict[str, bool] = {}
        for count, place in enumerate(tuple(self._entries), 1):
            key = place[1]
            if key not in names:
                names[key] = self._pseudonym(key) == pseudonym
            if names[key]:
                self._drop(place)
            if count % STEP == 0:
                await asyncio.sleep(0)

    def clear(self) -> None:
        """Drops everything."""
        self.forgettings += 1
        self._entries.clear()
        self.bytes = 0

    def drop_layouts(self, numbers: Iterable[int]) -> None:
        """Drops the entries of layouts that nobody will ask for again."""
        gone = frozenset(numbers)
        for place in [place for place in self._entries if place[0] in gone]:
            self._drop(place)

    def _drop(self, place: Place) -> None:
        entry = self._entries.pop(place, None)
        if entry is not None:
            self.bytes -= entry.size


def _size(row: Row) -> int:
    """Bytes of a row with its values; those that several rows share count each time."""
    inner = sum(sum(map(sys.getsizeof, value)) for value in row if isinstance(value, tuple))
    return sys.getsizeof(row) + sum(map(sys.getsizeof, row)) + inner
