"""Limits are held across workers by PostgreSQL: never more than allowed, and changed limits count at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from hub.audit.model import AgencyCode, ClientId
from hub.catalogue.model import RecordCode
from hub.clients.model import Client
from hub.clients.store import ClientStore
from hub.kernel.clock import SystemClock
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError, Problem
from hub.quotas import rules
from hub.quotas.model import Limits, Quota
from hub.quotas.service import QuotaService
from hub.quotas.store import STATEMENTS, QuotaStore, Remainder, Wish

CLIENT, PERSON = ClientId("window"), RecordCode("person")
DAY = (CLIENT, "", 86_400)
WORKERS = 3


@pytest.fixture
async def office(owner_database: Database) -> QuotaService:
    """The service of whoever sets quotas; the client is registered."""
    await ClientStore(owner_database).put(
        Client(CLIENT, "审批系统", frozenset({AgencyCode("11370300MB2841234X")}))
    )
    return QuotaService(QuotaStore(owner_database), SystemClock(), Limits(), 1)


@asynccontextmanager
async def workers(dsn: str, limits: Limits) -> AsyncIterator[list[QuotaService]]:
    """Workers with connections of their own."""
    databases = [await Database.open(dsn, size=2) for _ in range(WORKERS)]
    made = [QuotaService(QuotaStore(one), SystemClock(), limits, WORKERS) for one in databases]
    for worker in made:
        await worker.start()
    try:
        yield made
    finally:
        for worker, database in zip(made, databases, strict=True):
            await worker.stop()
            await database.close()


async def within_one_window(seconds: int, need: float) -> None:
    """Waits, if need be, until the database's window has ``need`` seconds to go."""
    left = seconds - time.time() % seconds
    if left < need:
        await asyncio.sleep(left)


async def spend(made: list[QuotaService], requests: int) -> int:
    async def some(worker: QuotaService) -> int:
        asks = [worker.admit(CLIENT) for _ in range(requests // len(made))]
        return sum(decision.problem is None for decision in await asyncio.gather(*asks))

    return sum(await asyncio.gather(*map(some, made)))


async def soon(seen: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while True:
            if await seen():
                return
            await asyncio.sleep(0.02)


async def test_workers_admit_together_no_more_than_the_limit_and_nearly_all_of_it(
    database_url: str, database: Database
) -> None:
    await within_one_window(60, 10)
    async with workers(database_url, Limits(per_minute=300)) as made:
        first = await spend(made, 600)
        assert 300 - 300 // 8 <= first <= 300
        await asyncio.sleep(1.1)
        admitted = first + await spend(made, 60)
        assert admitted <= 300
    assert await database.fetchval("SELECT leased FROM quotas.leased") == admitted


async def test_a_killed_worker_takes_no_more_than_its_lease_with_it(database_url: str) -> None:
    await within_one_window(60, 10)
    async with workers(database_url, Limits(per_minute=400)) as (killed, other, _):
        assert await spend([killed], 1) == 1
        assert killed._filling is not None
        killed._filling.cancel()  # it gives nothing back any more
        killed._allotments.clear()
        lost = rules.block(400, WORKERS)
        admitted = await spend([other], 500)
        assert 400 - 1 - lost <= admitted < 400


async def test_a_new_second_is_a_new_window(database_url: str) -> None:
    async with workers(database_url, Limits(per_second=30)) as made:
        await within_one_window(1, 0.7)
        began = time.time()
        first = await spend(made, 90)
        assert first <= 30 * (1 + int(time.time()) - int(began))
        await asyncio.sleep(1)
        assert await spend(made, 9) == 9


async def test_a_row_is_reset_in_place_and_a_lease_never_goes_back_in_time(
    database: Database, owner_database: Database
) -> None:
    store = QuotaStore(database)
    wish = Wish(DAY, 100, 10, 40)
    (first,) = await store.lease([wish])
    assert (first.amount, first.pool) == (40, 60)
    assert 0 < first.lasts <= 86_400
    assert (first.began + 28_800) % 86_400 == 0  # midnight, UTC+8
    await owner_database.execute("UPDATE quotas.leased SET began = began - seconds, leased = 90")
    (fresh,) = await store.lease([wish])
    assert (fresh.began, fresh.amount, fresh.pool) == (first.began, 40, 60)
    await owner_database.execute("UPDATE quotas.leased SET began = began + seconds, leased = 90")
    (ahead,) = await store.lease([wish])
    assert (ahead.began, ahead.amount) == (first.began + 86_400, 10)
    assert await database.fetchval("SELECT count(*) FROM quotas.leased") == 1


async def test_a_lease_is_whole_or_nothing(database: Database) -> None:
    store = QuotaStore(database)
    other = ("kiosk", "person", 60)
    leases = {
        lease.place: lease for lease in await store.lease([Wish(DAY, 100, 101, 150), Wish(other, 5, 0, 9)])
    }
    assert (leases[DAY].amount, leases[DAY].pool) == (0, 100)
    assert (leases[other].amount, leases[other].pool) == (5, 0)


async def test_a_lowered_quota_gives_nothing_and_breaks_nothing(database: Database) -> None:
    store = QuotaStore(database)
    await store.lease([Wish(DAY, 100, 0, 80)])
    (lease,) = await store.lease([Wish(DAY, 50, 0, 5)])
    assert (lease.amount, lease.pool) == (0, 0)


async def test_what_is_given_back_counts_in_its_own_window_only(database: Database) -> None:
    store = QuotaStore(database)
    (lease,) = await store.lease([Wish(DAY, 100, 0, 80)])
    await store.give_back([Remainder(DAY, lease.began, 30), Remainder(("nobody", "", 60), 0, 5)])
    assert await database.fetchval("SELECT leased FROM quotas.leased") == 50
    await store.give_back([Remainder(DAY, lease.began - 86_400, 30)])
    assert await database.fetchval("SELECT leased FROM quotas.leased") == 50


async def test_no_commit_waits_for_the_disk(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute("SET LOCAL synchronous_commit = on")
        await session.fetch(STATEMENTS["prepare"], ["window"], [""], [60])
        await session.fetch(STATEMENTS["lease"], ["window"], [""], [60], [10], [0], [5])
        assert await session.fetchval("SHOW synchronous_commit") == "off"


async def test_many_workers_leasing_the_same_limits_never_deadlock(database_url: str) -> None:
    places = [(f"client-{number}", "", seconds) for number in range(10) for seconds in (60, 86_400)]
    database = await Database.open(database_url, size=8)
    store = QuotaStore(database)

    async def lease(turn: int) -> None:
        ordered = places if turn % 2 else places[::-1]
        await store.lease([Wish(place, 10**6, 0, 1) for place in ordered])
        await store.give_back([Remainder(place, 0, 1) for place in ordered])

    await asyncio.gather(*map(lease, range(60)))
    total = "SELECT min(leased) FROM quotas.leased WHERE seconds = 86400"
    assert int(str(await database.fetchval(total))) <= 60
    await database.close()


async def test_a_clients_and_a_records_limits_are_set_seen_and_taken_back(
    office: QuotaService, database_url: str
) -> None:
    await within_one_window(60, 10)
    async with workers(database_url, Limits(per_minute=1000)) as (worker, *_):

        async def policy() -> str:
            decisions = (await worker.admit(CLIENT), await worker.take(CLIENT, 1, [PERSON]))
            return ", ".join(one.policies for one in decisions if one.policies)

        async def is_set() -> bool:
            return await policy() == '"per-minute";q=700;w=60, "per-day/person";q=50;qu="subjects";w=86400'

        async def is_default() -> bool:
            return await policy() == '"per-minute";q=1000;w=60'

        await office.put(Quota(CLIENT, None, Limits(per_minute=700)))
        await office.put(Quota(None, PERSON, Limits(per_day=50)))
        await soon(is_set)
        assert await office.remove(CLIENT, None)
        assert await office.remove(None, PERSON)
        assert not await office.remove(None, PERSON)
        await soon(is_default)


async def test_a_quota_put_again_replaces_the_first(office: QuotaService, database: Database) -> None:
    await office.put(Quota(None, PERSON, Limits(per_day=50)))
    await office.put(Quota(None, PERSON, Limits(per_day=60)))
    assert await QuotaStore(database).read() == (Quota(None, PERSON, Limits(per_day=60)),)


async def test_a_quota_of_a_client_that_nobody_knows_is_refused(office: QuotaService) -> None:
    with pytest.raises(HubError) as caught:
        await office.put(Quota(ClientId("nobody"), None, Limits(1)))
    assert caught.value.problem == Problem(
        Code.QUOTA_INVALID, {"part": "client", "rule": "a registered client"}
    )


async def test_the_serving_role_sets_no_quota(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await QuotaStore(database).put(Quota(None, PERSON, Limits(1)))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await QuotaStore(database).remove(None, PERSON)
