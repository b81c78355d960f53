"""The log's rows: entries are added, each in one durable statement, and look-ups are found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime

import asyncpg

from hub.audit import rules
from hub.audit.model import Entry, InquiryId, LookUp, Mark, Search
from hub.kernel.db import Database, load_statements
from hub.kernel.errors import Code, HubError

STATEMENTS = load_statements("hub.audit")
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # earlier than any look-up


class AuditStore:
    """Adds and finds with the serving role; makes partitions with the owner's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: Entry, marks: Sequence[Mark], key_version: int, failure: Code) -> None:
        """Adds an entry and what finds it again, in one commit; durable on return.

        Raises HubError(``failure``) with the SQLSTATE when that is not possible for whatever reason: the
        database is away or full, the month has no partition, the role may not write.
        """
        columns = (entry.at, entry.id, entry.inquiry, entry.kind.value, entry.client, entry.canonical)
        with _failing_as(failure):
            if not marks:
                await self._database.execute(STATEMENTS["add_lone_entry"], *columns)
                return
            # One value for all of them: an array costs the driver more than its content is worth.
            joined = b"".join([mark.pseudonym + mark.salt for mark in marks])
            await self._database.execute(STATEMENTS["add_entry"], *columns, key_version, joined)

    async def find(self, search: Search) -> list[LookUp]:
        """The newest look-ups that satisfy every condition, with their outcomes as far as there are any."""
        intents = await self._intents(search)
        if not intents:
            return []
        inquiries = [row["inquiry"] for row in intents]
        later = await self._database.fetch(
            STATEMENTS["later_entries"], inquiries, min(row["at"] for row in intents)
        )
        followers: dict[InquiryId, list[bytes]] = {inquiry: [] for inquiry in inquiries}
        for row in later:
            followers[row["inquiry"]].append(row["canonical"])
        return [rules.look_up(row["canonical"], followers[row["inquiry"]]) for row in intents]

    async def _intents(self, search: Search) -> list[asyncpg.Record]:
        if search.inquiry is not None:
            return await self._database.fetch(STATEMENTS["intent"], search.inquiry)
        window = (search.since or BEGINNING, search.limit)
        if search.pseudonyms is not None:
            statement = STATEMENTS["newest_of_subject"]
            return await self._database.fetch(statement, *window, list(search.pseudonyms), search.client)
        if search.client is not None:
            return await self._database.fetch(STATEMENTS["newest_of_client"], *window, search.client)
        return await self._database.fetch(STATEMENTS["newest"], *window)

    async def make_partitions(self, first: date, months: int) -> int:
        """Makes the partitions of a day's month and the following ones; returns how many were missing."""
        made = await self._database.fetchval(STATEMENTS["make_partitions"], first, months)
        return int(str(made))

    async def is_writable(self, at: datetime) -> bool:
        """Whether this role may add entries and the month has its partitions."""
        return await self._database.fetchval(STATEMENTS["is_writable"], at) is True

    async def last_month(self) -> date | None:
        """The first day of the last month that can be written, or None where no partition exists."""
        month = await self._database.fetchval(STATEMENTS["last_month"])
        return month if isinstance(month, date) else None


@contextmanager
def _failing_as(code: Code) -> Iterator[None]:
    """Whatever goes wrong means one thing to a log; PostgreSQL's words could repeat a row, so they go."""
    try:
        yield
    except HubError as error:
        raise HubError(code, **error.problem.detail) from None
    except asyncpg.PostgresError as error:
        raise HubError(code, state=error.sqlstate or "") from None
