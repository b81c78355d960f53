"""The staged rows, and what became of each file: read by whoever serves, written as the owner."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple

import asyncpg
import msgspec

from connectors.files_reasons import Bad
from connectors.staged import Place
from hub.kernel.db import Database, Session, load_statements
from hub.staging.model import Doubt, Load, LoadId, LoadState

STATEMENTS = load_statements("hub.staging")
MOST = 100
COLUMNS = ("load", "subject", "line", "sealed")

SealedRow = tuple[int, bytes, int, bytes]
"""Load, pseudonym of the key, line, sealed content."""


class HeldRows(NamedTuple):
    """Of the load that is answered with: what opens it, and (pseudonym, line, sealed) of the asked keys."""

    id: LoadId
    as_of: datetime
    sealed_key: bytes
    rows: Sequence[tuple[bytes, int, bytes]]


class Reasons(msgspec.Struct):
    """As they are stored."""

    bad: tuple[Bad, ...] = ()
    doubts: tuple[Doubt, ...] = ()


class StagingStore:
    """Reads and writes; what takes a Session belongs to a transaction of the caller's."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """All or nothing."""
        return self.database.transaction()

    async def held(self, place: Place, subjects: Sequence[bytes], most: int) -> HeldRows | None:
        """At most ``most`` rows; None when nothing is loaded under this mapping."""
        rows = await self.database.fetch(STATEMENTS["held"], *place, list(subjects), most)
        if not rows:
            return None
        first = rows[0]
        found = [(row["subject"], row["line"], row["sealed"]) for row in rows if row["subject"] is not None]
        return HeldRows(LoadId(first["id"]), first["as_of"], first["sealed_key"], found)

    async def loads(
        self, connector: str | None = None, offering: str | None = None, most: int = MOST
    ) -> list[Load]:
        """The newest first."""
        rows = await self.database.fetch(STATEMENTS["loads"], connector, offering, most)
        return list(map(_load, rows))

    async def known(self, session: Session, place: Place) -> list[Load]:
        """Those of an offering as a transaction that holds its lock sees them."""
        rows = await session.fetch(STATEMENTS["loads"], place.connector, place.offering, MOST)
        return list(map(_load, rows))

    async def load(self, number: int) -> Load | None:
        """One by its number."""
        row = await self.database.fetchrow(STATEMENTS["load"], number)
        return None if row is None else _load(row)

    async def lock(self, session: Session, place: Place) -> bool:
        """Whether nobody else is loading this offering; until the transaction ends nobody will."""
        return bool(await session.fetchval(STATEMENTS["lock"], place.connector, place.offering))

    async def next_number(self, session: Session) -> LoadId:
        """A number that no other load has."""
        return LoadId(int(str(await session.fetchval(STATEMENTS["next_number"]))))

    async def copy(self, session: Session, rows: Sequence[SealedRow]) -> None:
        """Adds rows of a load."""
        await session.copy("staging", "row", COLUMNS, rows)

    async def repeated(self, session: Session, number: LoadId) -> list[int]:
        """The lines whose key an earlier line of the load has."""
        return [row["line"] for row in await session.fetch(STATEMENTS["repeated"], number)]

    async def add(self, session: Session, load: Load, sealed_key: bytes | None, keep: int) -> None:
        """Writes a load down, and forgets what became of files more than ``keep`` loads ago."""
        reasons = msgspec.json.encode(Reasons(load.reasons, load.doubts)).decode()
        await session.execute(
            STATEMENTS["add"],
            load.id,
            *load.place,
            load.state.value,
            load.file,
            load.sha256,
            load.stamp,
            load.as_of,
            load.rows,
            load.bad,
            reasons,
            sealed_key,
        )  # fmt: skip
        await session.execute(STATEMENTS["trim"], load.place.connector, load.place.offering, keep)

    async def retire(self, session: Session, place: Place, states: Sequence[LoadState]) -> None:
        """Removes the rows of what serves or waits: a newer load takes its place."""
        named = [state.value for state in states]
        await session.execute(STATEMENTS["retire"], place.connector, place.offering, named)

    async def serve(self, session: Session, number: LoadId, officer: str) -> None:
        """From now on a waiting load is answered with."""
        await session.execute(STATEMENTS["serve"], number, officer)

    async def reject(self, session: Session, number: LoadId, officer: str) -> None:
        """Removes the rows of a waiting load."""
        await session.execute(STATEMENTS["reject"], number, officer)
        await session.execute(STATEMENTS["delete_rows"], number)

    async def announce(self, session: Session, channel: str) -> None:
        """Tells every worker, when the transaction is committed."""
        await session.execute(STATEMENTS["announce"], channel)


def _load(row: asyncpg.Record) -> Load:
    reasons = msgspec.json.decode(row["reasons"], type=Reasons)
    return Load(
        LoadId(row["id"]),
        Place(row["connector"], row["offering"], row["mapping"]),
        LoadState(row["state"]),
        row["file"],
        row["sha256"],
        row["stamp"],
        row["as_of"],
        row["total"],
        row["bad"],
        reasons.bad,
        reasons.doubts,
        row["came_at"],
        row["decided_by"],
        row["decided_at"],
    )
