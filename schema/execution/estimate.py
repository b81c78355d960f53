"""Estimates what a plan costs, once for each number of subjects that its roots name."""

from __future__ import annotations

from collections.abc import Mapping

from hub.catalogue.model import FieldCode, RecordCode, Supply
from hub.facts.service import MAX_LOOKED_UP
from schema.execution.plan import Confirmed, Fetch, FromRoot, FromRows, Keyed, Place, Plan

FAN_OUT = 5
"""Rows that a key is taken to have where it may have several: roles of a person, certificates of a type."""

MAX_KEYS = MAX_LOOKED_UP  # no inquiry ever asks about more
SIZES_REMEMBERED = 64  # of each plan

Supplies = Mapping[tuple[RecordCode, FieldCode], Supply]
Sizes = tuple[int, ...]
"""How many distinct subjects stand at each place that the arguments feed."""


class Costs:
    """The costs of one plan: with the supplies of a state of the catalogue, its sizes alone decide."""

    __slots__ = ("_entries", "_known", "_plan", "_supplies")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        feeds = [place.feed for place in plan.places if isinstance(place.feed, FromRoot)]
        self._entries = tuple(dict.fromkeys((feed.root, feed.only) for feed in feeds))
        self._supplies: Supplies | None = None
        self._known: dict[Sizes, int] = {}

    def of(self, named: list[Keyed], supplies: Supplies) -> int:
        """The cost for the subjects that each root names."""
        if supplies is not self._supplies or len(self._known) == SIZES_REMEMBERED:
            self._supplies, self._known = supplies, {}
        sizes = tuple([_distinct(named[root], only) for root, only in self._entries])
        cost = self._known.get(sizes)
        if cost is None:
            entries = dict(zip(self._entries, sizes, strict=True))
            cost = self._known[sizes] = _Estimate(entries, supplies).of(self._plan)
        return cost


def _distinct(keyed: Keyed, only: str | None) -> int:
    return len({subject for name, subject in keyed if only is None or name == only})


def cost_of_fetch(keys: int, supply: Supply | None) -> int:
    """Calls times rows; nothing where nobody is asked."""
    if supply is None:
        return 0
    return -(-keys // supply.offering.batch) * _rows(keys, supply)


def _rows(keys: int, supply: Supply | None) -> int:
    return keys * FAN_OUT if supply is not None and supply.offering.many else keys


class _Estimate:
    """The keys that a plan's places are taken to have, each counted once."""

    def __init__(self, entries: Mapping[tuple[int, str | None], int], supplies: Supplies) -> None:
        self.entries = entries
        self.supplies = supplies
        self.known: dict[int, int] = {}

    def of(self, plan: Plan) -> int:
        return sum(
            cost_of_fetch(min(sum(map(self._keys, fetch.places)), MAX_KEYS), self._supply(fetch))
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
                return self.entries[root, only]
            case Confirmed(before, _):
                return self._keys(before)
            case FromRows(before, fetch):
                return min(_rows(self._keys(before), self._supply(fetch)), MAX_KEYS)
