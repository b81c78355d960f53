"""Knows the regions: their names and what lies in what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from hub.kernel.watch import Watched
from hub.regions.model import Region, RegionCode
from hub.regions.store import RegionStore

CHANNEL = "regions"
DEEPEST = 5  # province, city, county, street, village


class RegionService:
    """Answers from memory once started; a change is seen within a second in every worker."""

    def __init__(self, store: RegionStore) -> None:
        self._store = store
        nothing: Mapping[RegionCode, Region] = MappingProxyType({})
        self._regions = Watched(store.database, CHANNEL, store.read, nothing)

    async def start(self) -> None:
        """Reads all and follows changes. Raises HubError(STORE_UNAVAILABLE)."""
        await self._regions.start()

    async def stop(self) -> None:
        """Ends the following of changes."""
        await self._regions.stop()

    def find(self, code: RegionCode) -> Region | None:
        """The region with this code, or None (codes of the past are not all kept)."""
        return self._regions.value.get(code)

    def full_name(self, code: str) -> str | None:
        """The region's name behind those of the regions it lies in, as in addresses; None when unknown."""
        region = self.find(RegionCode(code))
        names: list[str] = []
        while region is not None and len(names) < DEEPEST:
            names.append(region.name)
            region = self.find(region.parent) if region.parent else None
        return "".join(reversed(names)) or None

    async def put(self, regions: Iterable[Region]) -> None:
        """Adds or replaces regions, parents in the same call or before. Needs the owner's connection."""
        await self._store.put(regions)
