"""The catalogue's rows: written with the owner's connection, read with the serving one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from hub.audit.model import AgencyCode
from hub.audit.store import add_step
from hub.catalogue.model import Agency, ConnectorId, Label, Officer, RecordType, State, Version
from hub.kernel.db import Database, Session, load_statements

STATEMENTS = load_statements("hub.catalogue")
DECODER = msgspec.json.Decoder(RecordType)


@dataclass(frozen=True, slots=True)
class ConnectorRow:
    """One connector version in service as stored; its credentials are still sealed."""

    id: ConnectorId
    version: int
    agency: AgencyCode
    manifest: str
    sealed_credentials: bytes
    paused: bool = False
    paused_until: datetime | None = None


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
        await self.database.execute(STATEMENTS["put_record_type"], record.code, _definition(record))

    async def add_types(self, records: Sequence[RecordType], at: datetime, canonical: bytes) -> None:
        """Adds record types or replaces them, all or none, with the step in the log of the same."""
        async with self.database.transaction() as session:
            for record in records:
                await session.execute(STATEMENTS["put_record_type"], record.code, _definition(record))
            await add_step(session, at, "record types", canonical)

    async def officer(self, account: str) -> Officer | None:
        """The officer with this account."""
        row = await self.database.fetchrow(STATEMENTS["officer"], account)
        return None if row is None else Officer(*row)

    async def officers(self) -> list[Officer]:
        """Every officer, by account."""
        return [Officer(*row) for row in await self.database.fetch(STATEMENTS["officers"])]

    async def put_officer(self, officer: Officer) -> None:
        await self.database.execute(
            STATEMENTS["put_officer"], officer.account, officer.agency, officer.approves
        )

    async def versions(self, connector: ConnectorId | None = None) -> list[Version]:
        """Every version of one connector, or of all, the oldest first."""
        return [_version(row) for row in await self.database.fetch(STATEMENTS["versions"], connector)]

    async def serving(self, connector: ConnectorId) -> tuple[int, str, bytes] | None:
        """The active version with its manifest and its sealed credentials."""
        row = await self.database.fetchrow(STATEMENTS["in_service"], connector)
        return None if row is None else (row["version"], row["manifest"], row["sealed_credentials"])

    @asynccontextmanager
    async def changing(self, connector: ConnectorId) -> AsyncIterator[Changes]:
        """Changes of one connector, all or none, while nobody else changes it."""
        async with self.database.transaction() as session:
            await session.execute(STATEMENTS["lock_connector"], connector)
            yield Changes(session, connector)


class Changes:
    """What is done to one connector in one transaction, with each step in the log of the same."""

    def __init__(self, session: Session, connector: ConnectorId) -> None:
        self._session = session
        self._connector = connector

    async def owner(self) -> AgencyCode | None:
        """The agency whose connector it is; None: there is none of this name."""
        found = await self._session.fetchval(STATEMENTS["owner_of"], self._connector)
        return None if found is None else AgencyCode(str(found))

    async def versions(self) -> list[Version]:
        """Every version, the oldest first."""
        return [_version(row) for row in await self._session.fetch(STATEMENTS["versions"], self._connector)]

    async def add(
        self, officer: Officer, agency: AgencyCode, manifest: str, sealed: bytes, report: bytes | None
    ) -> int:
        """A new version, which is proposed; returns its number."""
        number = 1 + int(str(await self._session.fetchval(STATEMENTS["last_version"], self._connector)))
        await self._session.execute(
            STATEMENTS["add_connector"],
            self._connector,
            number,
            agency,
            manifest,
            sealed,
            officer.account,
            report,
        )
        return number

    async def set_state(
        self, version: Version, state: State, approved_by: str | None, until: datetime | None
    ) -> None:
        await self._session.execute(
            STATEMENTS["set_state"], self._connector, version.number, state.value, approved_by, until
        )

    async def note(self, at: datetime, canonical: bytes) -> None:
        """Writes a step into the log."""
        await add_step(self._session, at, self._connector, canonical)


def _definition(record: RecordType) -> str:
    return msgspec.json.encode(record, enc_hook=dict).decode()  # read-only views


def _version(row: asyncpg.Record) -> Version:
    return Version(
        row["id"],
        row["version"],
        row["agency"],
        State(row["state"]),
        row["manifest"],
        row["proposed_by"],
        row["approved_by"],
        row["report"],
        row["paused_until"],
    )
