"""The log's rows: entries are added in durable groups, and look-ups are found again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Generic, NamedTuple, TypeVar

import asyncpg

from hub.audit import rules
from hub.audit.model import InquiryId, LookUp, Search
from hub.kernel.db import Database, Session, load_statements
from hub.kernel.db.reach import Reach, state_of
from hub.kernel.errors import Code, HubError
from hub.kernel.ids import new_id

Item = TypeVar("Item")
STATEMENTS = load_statements("hub.audit")
LARGEST_GROUP = 256  # entries of one commit
HEAVIEST_GROUP = 2_000_000  # bytes of one statement
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # earlier than any look-up


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item]):
    item: Item
    durable: asyncio.Future[None]
    orphaned: Callable[[], None] | None


class Groups(Generic[Item]):
    """One group is on its way at a time; whatever comes meanwhile is the next one, in the order it came.

    ``write`` makes a group durable, all or nothing; ``most``: items of a group; ``heaviest``: what the
    items of a group may weigh together by ``weigh``, unless it is one alone.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[None]],
        most: int,
        weigh: Callable[[Item], int] = lambda _: 0,
        heaviest: int = 0,
    ) -> None:
        self._write = write
        self._most = most
        self._weigh = weigh
        self._heaviest = heaviest
        self._waiting: list[_Waiting[Item]] = []
        self._writing: asyncio.Task[None] | None = None

    def add(self, item: Item, orphaned: Callable[[], None] | None = None) -> asyncio.Future[None]:
        """Done when the item is durable, or with the error of ``write``.

        Who cancels it while it waits takes the item back. One that is on its way already is written all
        the same, whole: then ``orphaned`` is called, since nobody else hears of it.
        """
        durable = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, durable, orphaned))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="group commit")
        return durable

    async def drained(self) -> None:
        """Returns when nothing waits and nothing is on its way."""
        while self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write_all(self) -> None:
        group: list[_Waiting[Item]] = []
        try:
            while self._waiting:
                group = self._take()
                if group:
                    await self._write_group(group)
        finally:
            self._writing = None
            for one in (*group, *self._waiting):  # open still only when the loop ends in the middle
                one.durable.cancel()

    def _take(self) -> list[_Waiting[Item]]:
        """The first who wait, as many as one group takes."""
        count = weight = 0
        for one in self._waiting[: self._most]:
            weight += self._weigh(one.item)
            if count and weight > self._heaviest:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return [one for one in taken if not one.durable.done()]

    async def _write_group(self, group: Sequence[_Waiting[Item]]) -> None:
        """What PostgreSQL objects to is not written at all, so that each item can be tried by itself.

        After a loss (a HubError) nobody knows what was written: all of the group are told of it.
        """
        error = await self._tried([one.item for one in group])
        if error is None:
            for one in group:
                _succeed(one)
        elif isinstance(error, HubError) or len(group) == 1:
            _fail(group, error)
        else:
            for one in group:
                await self._write_group([one])

    async def _tried(self, items: Sequence[Item]) -> Exception | None:
        try:
            await self._write(items)
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait hear of it
            return error
        return None


class Addition(NamedTuple):
    """An entry (canonical JSON) on its way into the log, with what finds it again.

    ``marks``: of each of its subjects, in their order, 32 bytes of pseudonym and 32 of salt; an outcome has
    none. They can be erased, and the entry stays as it was.
    """

    entry: bytes
    marks: bytes = b""
    key_version: int = 1  # of the pseudonyms


class AuditStore:
    """Adds and finds with the serving role; makes partitions with the owner's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._groups = Groups(self._write, LARGEST_GROUP, _weight, HEAVIEST_GROUP)
        self._reach = Reach("audit_log")

    async def add(
        self, addition: Addition, failure: Code, orphaned: Callable[[], None] | None = None
    ) -> None:
        """Adds an entry and what finds it again, in one commit with whatever else waits; durable on return.

        Raises HubError(``failure``) with the SQLSTATE when that is not possible for whatever reason: the
        database is away or full, the month has no partition, the role may not write. A caller who is
        cancelled takes the entry back, or, when it was on its way already, ``orphaned`` is called once it
        is durable.
        """
        try:
            await self._groups.add(addition, orphaned)
        except HubError as error:  # whatever goes wrong means one thing to a log
            raise HubError(failure, **error.problem.detail) from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            state = getattr(error, "sqlstate", None) or ""  # PostgreSQL's words could repeat a row
            raise HubError(failure, state=state) from None

    def add_unattended(self, addition: Addition) -> None:
        """Adds an entry for which nobody waits, as far as that is possible."""
        self._groups.add(addition).add_done_callback(_pass_over)

    async def settled(self) -> None:
        """Returns when every entry so far is durable or has failed."""
        await self._groups.drained()

    async def _write(self, group: Sequence[Addition]) -> None:
        try:
            await self._database.execute(
                STATEMENTS["add_entries"],
                [one.entry for one in group],
                [one.key_version for one in group],
                b"".join([one.marks for one in group]),  # in an array each would cost the driver more
            )
        except asyncpg.PostgresError as error:
            self._reach.lost(state_of(error))
            raise
        self._reach.used()

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

    async def steps(self, limit: int, subject: str | None = None) -> list[bytes]:
        """The newest steps of administration, at most ``limit``, of one connector or of all."""
        rows = await self._database.fetch(STATEMENTS["steps"], limit, subject)
        return [row["canonical"] for row in rows]

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


async def add_step(session: Session, at: datetime, subject: str, canonical: bytes) -> None:
    """Adds a step of administration to the log, in its own transaction. Needs the owner role."""
    await session.execute(STATEMENTS["add_step"], new_id(), at, subject, canonical)


def _weight(addition: Addition) -> int:
    return len(addition.entry) + len(addition.marks)


def _pass_over(addition: asyncio.Future[None]) -> None:
    """Its error is nobody's: an intent without an outcome tells enough."""
    if not addition.cancelled():
        addition.exception()


def _succeed(one: _Waiting[Item]) -> None:
    if not one.durable.done():
        one.durable.set_result(None)
    elif one.orphaned is not None:
        one.orphaned()


def _fail(group: Sequence[_Waiting[Item]], error: Exception) -> None:
    for one in group:
        with suppress(asyncio.InvalidStateError):  # cancelled meanwhile
            one.durable.set_exception(error)
