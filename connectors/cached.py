"""Answers from memory what its agency declared fresh, and asks only for the rest."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from connectors.cache import Cache, Stamp
from connectors.contract import Answer, Ask, Connector, Row, Tell
from connectors.metering import Meter
from connectors.wrapper import Wrapper

MOST_LAYOUTS = 64  # choices of columns of an offering that are remembered at the same time

Columns = tuple[str, ...]
Rows = dict[str, tuple[Row, ...]]
Project = Callable[[Row], Row]
Shelf = tuple[int, Project | None]  # number of a layout, and what takes the asked columns out of its rows


class Cached(Wrapper):
    """Keeps Found and Absent only, of offerings that demand no telling and declare some freshness.

    An entry with more columns than are asked for serves as well: what is not asked for stays inside.
    """

    def __init__(
        self,
        inner: Connector,
        cache: Cache,
        name: str,
        meter: Meter,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``name``: the connector's, for the meter."""
        super().__init__(inner)
        self._cache = cache
        self._monotonic = monotonic
        kept = [one for one in inner.describe() if one.tell is Tell.NONE and one.freshness > timedelta()]
        self._freshness = {one.name: one.freshness for one in kept}
        self._layouts = {one.name: _Layouts(cache) for one in kept}
        self._hits = {one.name: meter.cache.labels(name, one.name, "hit") for one in kept}
        self._misses = {one.name: meter.cache.labels(name, one.name, "miss") for one in kept}

    def fetch(self, ask: Ask) -> Awaitable[Answer]:
        """As the inner connector, with the time of the oldest fetch that it tells from."""
        return self._told(ask) if ask.offering in self._freshness else self._inner.fetch(ask)

    async def _told(self, ask: Ask) -> Answer:
        shelves = self._layouts[ask.offering].shelves(ask.columns)
        rows, stamps, missing = self._look(shelves, ask.keys)
        self._hits[ask.offering].inc(len(rows))
        if not missing:
            return _told(rows, stamps, None)
        self._misses[ask.offering].inc(len(missing))
        rest = ask if not rows else Ask(ask.offering, missing, ask.columns, (), ask.deadline, ask.correlation)
        answer = await self._fetch(rest, shelves[0][0])
        return _told(rows, stamps, answer) if rows else answer

    async def close(self) -> None:
        """Forgets what it kept."""
        for layouts in self._layouts.values():
            layouts.clear()
        await self._inner.close()

    def _look(self, shelves: Sequence[Shelf], keys: Iterable[str]) -> tuple[Rows, set[Stamp], Columns]:
        now, get = self._monotonic(), self._cache.get
        rows: Rows = {}
        stamps: set[Stamp] = set()
        missing = []
        for key in keys:
            for number, project in shelves:
                entry = get((number, key), now)
                if entry is not None:
                    rows[key] = entry.rows if project is None else tuple(map(project, entry.rows))
                    stamps.add(entry.stamp)
                    break
            else:
                missing.append(key)
        return rows, stamps, tuple(missing)

    async def _fetch(self, ask: Ask, number: int) -> Answer:
        began, fetched_at, forgettings = self._monotonic(), self._cache.now(), self._cache.forgettings
        answer = await self._inner.fetch(ask)
        if forgettings != self._cache.forgettings:
            return answer
        age = timedelta() if answer.as_of is None else max(timedelta(), fetched_at - answer.as_of)
        until = began + (self._freshness[ask.offering] - age).total_seconds()
        if until > self._monotonic():
            stamp = Stamp(answer.as_of, fetched_at, until)
            for key, rows in answer.rows.items():
                self._cache.put((number, key), rows, stamp)
        return answer


class _Layouts:
    """The choices of columns in which an offering's rows are kept, those longest unused forgotten first."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._numbers: OrderedDict[Columns, int] = OrderedDict()
        self._known: dict[Columns, tuple[Shelf, ...]] = {}

    def shelves(self, columns: Columns) -> tuple[Shelf, ...]:
        """Where rows with these columns may stand: the exact choice first, then those that hold them all."""
        found = self._known.get(columns)
        if found is None:
            self._add(columns)
            found = self._known[columns] = self._found(columns)
        self._numbers.move_to_end(columns)
        return found

    def clear(self) -> None:
        self._cache.drop_layouts(self._numbers.values())
        self._numbers.clear()
        self._known.clear()

    def _add(self, columns: Columns) -> None:
        self._known.clear()
        if columns in self._numbers:
            return
        self._numbers[columns] = self._cache.next_number()
        if len(self._numbers) > MOST_LAYOUTS:
            _, number = self._numbers.popitem(last=False)
            self._cache.drop_layouts((number,))

    def _found(self, columns: Columns) -> tuple[Shelf, ...]:
        wanted = set(columns)
        wider = [other for other in self._numbers if other != columns and wanted.issubset(other)]
        return (
            (self._numbers[columns], None),
            *((self._numbers[other], _projection(other, columns)) for other in wider),
        )


def _projection(held: Columns, wanted: Columns) -> Project:
    places = [held.index(column) for column in wanted]
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)


def _told(rows: Mapping[str, tuple[Row, ...]], stamps: set[Stamp], answer: Answer | None) -> Answer:
    """What is kept and what has just come, as one answer: as old as its oldest part."""
    ages = [stamp.as_of for stamp in stamps]
    fetched_at = min(stamp.fetched_at for stamp in stamps)
    if answer is None:
        return Answer(rows, {}, _oldest(ages), fetched_at)
    if answer.rows:
        ages.append(answer.as_of)
    return Answer({**rows, **answer.rows}, answer.faults, _oldest(ages), fetched_at)


def _oldest(ages: Sequence[datetime | None]) -> datetime | None:
    known = [age for age in ages if age is not None]
    return min(known) if len(known) == len(ages) else None
