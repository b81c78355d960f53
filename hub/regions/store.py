"""The regions' rows: read with the serving connection, written with the owner's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from hub.kernel.db import Database, load_statements
from hub.regions.model import Region, RegionCode

STATEMENTS = load_statements("hub.regions")


class RegionStore:
    """Reads and writes regions."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def read(self) -> Mapping[RegionCode, Region]:
        """Every region by its code. Needs the serving role."""
        rows = await self.database.fetch(STATEMENTS["regions"])
        return MappingProxyType({row["code"]: Region(*row) for row in rows})

    async def put(self, regions: Iterable[Region]) -> None:
        """Adds or replaces regions, all or none. Needs the owner role."""
        async with self.database.transaction() as session:
            await session.executemany(
                STATEMENTS["put_region"], [(region.code, region.name, region.parent) for region in regions]
            )
