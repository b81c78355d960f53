"""The grants' rows: read with the serving connection, written with the owner's."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from hub.audit.model import AgencyCode, ClientId, ProcedureCode
from hub.catalogue.model import RecordCode
from hub.grants.model import Grant
from hub.kernel.db import Database, load_statements

STATEMENTS = load_statements("hub.grants")


class GrantStore:
    """Reads and writes grants."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def read(self, client: ClientId, agency: AgencyCode, procedure: ProcedureCode) -> tuple[Grant, ...]:
        """The grants of a client for an agency and a procedure, expired ones too. Needs the serving role."""
        rows = await self.database.fetch(STATEMENTS["grants_for"], client, agency, procedure)
        return tuple(map(_grant, rows))

    async def of_client(self, client: ClientId) -> tuple[Grant, ...]:
        """All grants of a client, expired ones too, in a fixed order. Needs the serving role."""
        return tuple(map(_grant, await self.database.fetch(STATEMENTS["grants_of"], client)))

    async def put(self, grants: Iterable[Grant]) -> None:
        """Adds grants or replaces those for the same record, all or none. Needs the owner role."""
        rows = [
            (grant.client, grant.agency, grant.procedure, grant.record, sorted(grant.fields), grant.until)
            for grant in grants
        ]
        async with self.database.transaction() as session:
            await session.executemany(STATEMENTS["put_grant"], rows)

    async def revoke(
        self, client: ClientId, agency: AgencyCode, procedure: ProcedureCode, record: RecordCode
    ) -> bool:
        """Deletes one grant; False: there was none. Needs the owner role."""
        tag = await self.database.execute(STATEMENTS["revoke"], client, agency, procedure, record)
        return tag == "DELETE 1"


def _grant(row: asyncpg.Record) -> Grant:
    return Grant(
        row["client"], row["agency"], row["procedure"], row["record"], frozenset(row["fields"]), row["until"]
    )
