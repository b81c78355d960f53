"""Estimates before any work what an operation costs: over its fetches, calls to agencies times rows.

A fetch costs ``calls × rows``, with ``calls = ⌈keys ÷ batch⌉``, and ``rows = keys`` or, where one key has
several rows, ``keys × FAN_OUT``. The keys of the first wave are the subjects that the request names; behind a
relation or a key in a record they are the rows of the fetch that leads there, MAX_KEYS at the most. The
cost of an operation is the sum over its fetches, one for each (wave, offering).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.catalogue.model import FieldCode, RecordCode, Supply
from hub.facts.service import MAX_LOOKED_UP
from schema.execution.plan import Confirmed, Fetch, FromRoot, FromRows, Keyed, Place, Plan
from schema.execution.prepare import Ready

FAN_OUT = 5
"""Rows that a key is taken to have where it may have several: roles of a person, certificates of a type."""

MAX_KEYS = MAX_LOOKED_UP  # no inquiry ever asks about more

Supplies = Mapping[tuple[RecordCode, FieldCode], Supply]


def cost_of(ready: Ready, supplies: Supplies) -> int:
    """The cost of one request's operation; what reads no facts costs nothing."""
    question = ready.asked.question
    if not question.fields:
        return 0
    if ready.compiled is None:
        return _unplanned(question.fields, len(question.roots), supplies)
    return _Estimate(ready.named, supplies).of(ready.compiled.plan)


def _unplanned(records: Mapping[RecordCode, object], roots: int, supplies: Supplies) -> int:
    """What has no plan reads each record once by each of its keys, for FAN_OUT keys a subject named."""
    keys = min(roots * FAN_OUT, MAX_KEYS)
    return sum(_of_fetch(keys, supply) for (record, _), supply in supplies.items() if record in records)


def _of_fetch(keys: int, supply: Supply | None) -> int:
    if supply is None:
        return 0  # nobody is asked
    return -(-keys // supply.offering.batch) * _rows(keys, supply)


def _rows(keys: int, supply: Supply | None) -> int:
    return keys * FAN_OUT if supply is not None and supply.offering.many else keys


class _Estimate:
    """The keys that a plan's places are taken to have, each counted once."""

    def __init__(self, named: Sequence[Keyed], supplies: Supplies) -> None:
        self.named = named
        self.supplies = supplies
        self.known: dict[int, int] = {}

    def of(self, plan: Plan) -> int:
        return sum(
            _of_fetch(min(sum(map(self._keys, fetch.places)), MAX_KEYS), self._supply(fetch))
            for fetch in plan.fetches
        )

    def _supply(self, fetch: Fetch) -> Supply | None:
        return self.supplies.get((fetch.record, fetch.key))

    def _keys(self, place: Place) -> int:
        if place.index not in self.known:
            self.known[place.index] = self._fed(place)
        return self.known[place.index]

    def _fed(self, place: Place) -> int:
        match place.feed:
            case FromRoot(root, only):
                return len({subject for name, subject in self.named[root] if only in (None, name)})
            case Confirmed(before, _):
                return self._keys(before)
            case FromRows(before, fetch):
                return min(_rows(self._keys(before), self._supply(fetch)), MAX_KEYS)
