"""The catalogue's rows: written with the owner's connection, read with the serving one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from hub.audit.model import AgencyCode
from hub.catalogue.model import Agency, ConnectorId, Label, RecordType
from hub.kernel.db import Database, load_statements

STATEMENTS = load_statements("hub.catalogue")
DECODER = msgspec.json.Decoder(RecordType)


@dataclass(frozen=True, slots=True)
class ConnectorRow:
    """One active connector version as stored; its credentials are still sealed."""

    id: ConnectorId
    version: int
    agency: AgencyCode
    manifest: str
    sealed_credentials: bytes


@dataclass(frozen=True, slots=True)
class CatalogueRows:
    """All rows of one state of the catalogue, read in one transaction."""

    version: int
    agencies: Sequence[Agency]
    records: Sequence[RecordType]
    connectors: Sequence[ConnectorRow]


class CatalogueStore:
    """Reads and writes the catalogue."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._defined: Mapping[str, RecordType] = {}  # of the last reading, by definition

    async def read(self) -> CatalogueRows:
        """The present state as one consistent reading; what has not changed is the same object again."""
        async with self.database.transaction() as session:
            await session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            version = int(str(await session.fetchval(STATEMENTS["version"])))
            agencies = await session.fetch(STATEMENTS["agencies"])
            records = await session.fetch(STATEMENTS["record_types"])
            connectors = await session.fetch(STATEMENTS["connectors"])
        self._defined = {row["definition"]: self._record(row["definition"]) for row in records}
        return CatalogueRows(
            version,
            [Agency(row["code"], Label(row["name_zh"], row["name_en"])) for row in agencies],
            [self._defined[row["definition"]] for row in records],
            [ConnectorRow(*row) for row in connectors],
        )

    def _record(self, definition: str) -> RecordType:
        return self._defined.get(definition) or DECODER.decode(definition)

    async def version(self) -> int:
        """The number of the present state."""
        return int(str(await self.database.fetchval(STATEMENTS["version"])))

    async def put_agency(self, agency: Agency) -> None:
        await self.database.execute(STATEMENTS["put_agency"], agency.code, agency.name.zh, agency.name.en)

    async def put_record_type(self, record: RecordType) -> None:
        definition = msgspec.json.encode(record, enc_hook=dict).decode()  # read-only views
        await self.database.execute(STATEMENTS["put_record_type"], record.code, definition)

    async def put_connector(
        self,
        connector: ConnectorId,
        agency: AgencyCode,
        manifest: str,
        sealed_credentials: bytes,
        unchanged: Callable[[bytes], bool],
    ) -> int:
        """Makes this the connector's active version, unless the active one is the same; returns its number.

        ``unchanged`` compares the active version's sealed credentials with the new ones.
        """
        async with self.database.transaction() as session:
            await session.execute(STATEMENTS["lock_connector"], connector)
            active = await session.fetchrow(STATEMENTS["active_manifest"], connector)
            if active and active["manifest"] == manifest and unchanged(active["sealed_credentials"]):
                return int(active["version"])
            version = 1 + int(str(await session.fetchval(STATEMENTS["last_version"], connector)))
            await session.execute(STATEMENTS["deactivate"], connector)
            await session.execute(
                STATEMENTS["add_connector"], connector, version, agency, manifest, sealed_credentials
            )
            return version
