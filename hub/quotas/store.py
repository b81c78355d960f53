"""The quotas' rows and what workers have leased of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

import asyncpg

from hub.audit.model import ClientId
from hub.catalogue.model import RecordCode
from hub.kernel.db import Database, load_statements
from hub.kernel.errors import HubError
from hub.quotas.model import Limits, Quota
from hub.quotas.rules import invalid

STATEMENTS = load_statements("hub.quotas")

Place = tuple[str, str, int]
"""One row of what is leased: client, record (empty: all), window in seconds."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a worker asks of one limit: at least ``need`` or nothing, and ``wanted`` if there is so much."""

    place: Place
    quota: int
    need: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Lease:
    """What it got: ``amount`` of the window that ``began`` then (Unix seconds) and ``lasts`` so many seconds.

    ``pool`` is left for everybody.
    """

    place: Place
    began: int
    amount: int
    pool: int
    lasts: float


@dataclass(frozen=True, slots=True)
class Remainder:
    """What a worker does not need of a window."""

    place: Place
    began: int
    amount: int


class QuotaStore:
    """Reads and writes quotas and leases."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def read(self) -> tuple[Quota, ...]:
        """All quotas."""
        rows = await self.database.fetch(STATEMENTS["quotas"])
        return tuple(
            Quota(row["client"], row["record"], Limits(row["per_second"], row["per_minute"], row["per_day"]))
            for row in rows
        )

    async def put(self, quota: Quota) -> None:
        """Adds a quota or replaces the one for the same client and record. Needs the owner role.

        Raises HubError(QUOTA_INVALID) when nobody is registered as the client.
        """
        limits = astuple(quota.limits)
        try:
            await self.database.execute(STATEMENTS["put"], quota.client, quota.record, *limits)
        except asyncpg.ForeignKeyViolationError as error:
            problem = invalid("client", "a registered client")
            raise HubError(problem.code, **problem.detail) from error

    async def remove(self, client: ClientId | None, record: RecordCode | None) -> bool:
        """Deletes a quota; False: there was none. Needs the owner role."""
        return await self.database.execute(STATEMENTS["remove"], client, record) == "DELETE 1"

    async def lease(self, wishes: Sequence[Wish]) -> list[Lease]:
        """Leases of one round, one for each wish (places are distinct), in any order."""
        leases = await self._lease(wishes)
        if len(leases) == len(wishes):
            return leases
        there = {lease.place for lease in leases}
        missing = [wish for wish in wishes if wish.place not in there]
        await self.database.execute(STATEMENTS["prepare"], *_columns(wish.place for wish in missing))
        return leases + await self._lease(missing)

    async def give_back(self, remainders: Sequence[Remainder]) -> None:
        """Lets others have what is left of leases, where their windows still run."""
        rows = [(*one.place, one.began, one.amount) for one in remainders]
        await self.database.execute(STATEMENTS["give_back"], *_columns(rows))

    async def _lease(self, wishes: Sequence[Wish]) -> list[Lease]:
        asked = [(*wish.place, wish.quota, wish.need, wish.wanted) for wish in wishes]
        rows = await self.database.fetch(STATEMENTS["lease"], *_columns(asked))
        return [
            Lease(
                (row["client"], row["record"], row["seconds"]),
                row["began"],
                row["amount"],
                row["pool"],
                row["lasts"],
            )
            for row in rows
        ]


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
