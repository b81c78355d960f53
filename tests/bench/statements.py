"""What the hand-written contenders ask the sources, over leased connections with prepared statements."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

PEOPLE = """
select id_number, name, sex, birth_date, address from open.person where id_number = any($1)
"""
CERTIFICATES = """
select holder, type, identifier, number, issued_on, valid_until, status from open.certificate
where holder = any($1) order by holder, type
"""
BUSINESSES = """
select role.person_id, business.uscc, business.name, business.status, business.address,
  business.legal_representative
from open.business_role role join open.business on business.uscc = role.uscc
where role.person_id = any($1) order by role.person_id, business.uscc
"""
LICENCES = """
select holder, identifier, number, valid_until, status from open.licence where holder = any($1)
"""
LEGAL_REPRESENTATIVES = "select id_number, name from open.person where id_number = any($1)"
ALL = (PEOPLE, CERTIFICATES, BUSINESSES, LICENCES, LEGAL_REPRESENTATIVES)

Record = asyncpg.Record
Lease = dict[str, "PreparedStatement[Record]"]


class Leases:
    """Open connections, each with every statement prepared; none is reset between two uses."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._idle: list[Lease] = []

    async def fetch(self, statement: str, keys: Sequence[str]) -> list[Record]:
        """The rows of one statement for all keys."""
        lease = self._idle.pop() if self._idle else await self._open()
        rows = await lease[statement].fetch(keys)
        self._idle.append(lease)
        return rows

    async def _open(self) -> Lease:
        connection = await asyncpg.connect(self._dsn, ssl=False)
        return {statement: await connection.prepare(statement) for statement in ALL}
