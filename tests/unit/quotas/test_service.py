"""Workers that share a limit never admit more than it, ask rarely, and give back what they do not need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from hub.audit.model import ClientId
from hub.catalogue.model import RecordCode
from hub.kernel.errors import Code, HubError
from hub.quotas import service
from hub.quotas.model import Limits, Quota, headers_after
from hub.quotas.service import QuotaService
from hub.quotas.store import Lease, Place, QuotaStore, Remainder, Wish

CLIENT, OTHER = ClientId("window"), ClientId("kiosk")
PERSON = RecordCode("person")


class Clock:
    """Stands still unless moved."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def monotonic(self) -> float:
        return self.at


class Pool:
    """Stands for the table that all workers lease from, and for the database that tells of changes."""

    def __init__(self, clock: Clock, *quotas: Quota) -> None:
        self.clock = clock
        self.quotas = list(quotas)
        self.database = self
        self.leased: dict[tuple[Place, int], int] = {}
        self.rounds = 0
        self.returned = asyncio.Event()
        self.broken: Exception | None = None
        self.tell: Callable[[str], None] = lambda _payload: None

    async def listen(self, channel: str, heard: Callable[[str], None]) -> None:
        assert channel == "quotas"
        self.tell = heard

    async def read(self) -> tuple[Quota, ...]:
        return tuple(self.quotas)

    async def lease(self, wishes: Sequence[Wish]) -> list[Lease]:
        self.rounds += 1
        await asyncio.sleep(0)
        if self.broken:
            raise self.broken
        return [self._one(wish) for wish in wishes]

    def _one(self, wish: Wish) -> Lease:
        seconds = wish.place[2]
        began = int(self.clock.at) // seconds * seconds
        gone = self.leased.get((wish.place, began), 0)
        amount = min(wish.wanted, wish.quota - gone) if wish.quota - gone >= wish.need else 0
        self.leased[wish.place, began] = gone + amount
        lasts = began + seconds - self.clock.at
        return Lease(wish.place, began, amount, wish.quota - gone - amount, lasts)

    async def give_back(self, remainders: Sequence[Remainder]) -> None:
        self.returned.set()
        for one in remainders:
            self.leased[one.place, one.began] -= one.amount


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def workers(pool: Pool, limits: Limits, count: int = 1) -> AsyncIterator[list[QuotaService]]:
    made = [
        QuotaService(cast("QuotaStore", pool), cast("Any", pool.clock), limits, count) for _ in range(count)
    ]
    for one in made:
        await one.start()
    yield made
    for one in made:
        await one.stop()


async def admitted(asks: Sequence[Awaitable[Any]]) -> int:
    return sum(decision.problem is None for decision in await asyncio.gather(*asks))


async def test_without_limits_nothing_is_leased_and_everything_admitted(clock: Clock) -> None:
    pool = Pool(clock)
    async with workers(pool, Limits(0, 0, None)) as (worker,):
        decisions = [await worker.admit(CLIENT), await worker.take(CLIENT, 10_000, [PERSON])]
    assert [one.problem for one in decisions] == [None, None]
    assert headers_after(decisions) == {}
    assert pool.rounds == 0


async def test_exactly_the_limit_is_admitted_by_one_worker(clock: Clock) -> None:
    async with workers(Pool(clock), Limits(per_minute=100)) as (worker,):
        assert await admitted([worker.admit(CLIENT) for _ in range(130)]) == 100
        clock.at += 60
        assert await admitted([worker.admit(CLIENT) for _ in range(130)]) == 100


@pytest.mark.parametrize("count", [2, 3, 8])
async def test_several_workers_admit_together_no_more_and_hardly_less(clock: Clock, count: int) -> None:
    pool = Pool(clock)
    async with workers(pool, Limits(per_minute=1000), count) as made:
        asks = [made[number % count].admit(CLIENT) for number in range(2000)]
        assert 1000 - count * 1000 // (8 * count) <= await admitted(asks) <= 1000


async def test_one_busy_worker_among_idle_ones_gets_nearly_everything(clock: Clock) -> None:
    async with workers(Pool(clock), Limits(per_minute=1000), 8) as made:
        for idle in made[1:]:
            await idle.admit(CLIENT)
        first = await admitted([made[0].admit(CLIENT) for _ in range(1200)])
        assert first > 800


async def test_most_requests_need_no_round_trip(clock: Clock) -> None:
    pool = Pool(clock)
    async with workers(pool, Limits(10**6, 10**6, 10**6)) as (worker,):
        for _ in range(2000):
            assert (await worker.admit(CLIENT)).problem is None
    assert pool.rounds < 20


async def test_requests_that_come_together_share_a_round_trip(clock: Clock) -> None:
    pool = Pool(clock)
    async with workers(pool, Limits(per_minute=100)) as (worker,):
        clients = [ClientId(f"client-{number}") for number in range(50)]
        assert await admitted([worker.admit(client) for client in clients]) == 50
    assert pool.rounds <= 2


async def test_refusals_cost_no_round_trips(clock: Clock) -> None:
    pool = Pool(clock)
    async with workers(pool, Limits(per_minute=3)) as (worker,):
        await admitted([worker.admit(CLIENT) for _ in range(4)])
        rounds = pool.rounds
        assert await admitted([worker.admit(CLIENT) for _ in range(1000)]) == 0
    assert pool.rounds == rounds


async def test_a_refused_question_takes_nothing_of_any_limit(clock: Clock) -> None:
    pool = Pool(clock, Quota(CLIENT, PERSON, Limits(per_minute=10)))
    async with workers(pool, Limits(per_day=100)) as (worker,):
        refused = await worker.take(CLIENT, 101, [PERSON])
        assert refused.problem is not None
        assert refused.problem.code is Code.QUOTA_USED_UP
        assert (await worker.take(CLIENT, 100, [PERSON])).problem is None
        decision = await worker.take(CLIENT, 1, [PERSON])
        assert decision.problem is not None
        assert '"per-minute/person";r=9' in decision.limits


async def test_requests_and_subjects_are_leased_in_one_round_trip(clock: Clock) -> None:
    pool = Pool(clock)
    async with workers(pool, Limits(100, 100, 100)) as (worker,):
        for _ in range(3):
            assert (await worker.admit(CLIENT)).problem is None
            assert (await worker.take(CLIENT, 1, [])).problem is None
            clock.at += 1
    assert pool.rounds == 3


async def test_a_large_request_that_does_not_fit_leaves_room_for_small_ones_elsewhere(clock: Clock) -> None:
    async with workers(Pool(clock), Limits(per_day=100), 2) as (one, other):
        assert (await one.take(CLIENT, 60, [])).problem is None
        assert (await one.take(CLIENT, 50, [])).problem is not None
        assert (await other.take(CLIENT, 20, [])).problem is None


async def test_clients_do_not_share_their_limits(clock: Clock) -> None:
    async with workers(Pool(clock), Limits(per_minute=5)) as (worker,):
        assert await admitted([worker.admit(CLIENT) for _ in range(9)]) == 5
        assert await admitted([worker.admit(OTHER) for _ in range(9)]) == 5


async def test_a_records_limit_counts_only_where_the_record_is_asked_for(clock: Clock) -> None:
    pool = Pool(clock, Quota(CLIENT, PERSON, Limits(per_day=4)))
    async with workers(pool, Limits(per_minute=100)) as (worker,):
        refused = await worker.take(CLIENT, 5, [PERSON])
        assert refused.problem is not None
        assert refused.problem.detail["record"] == "person"
        assert (await worker.take(CLIENT, 5, [])).problem is None
        assert (await worker.take(OTHER, 5, [PERSON])).problem is None


async def test_changed_quotas_count_at_once(clock: Clock) -> None:
    pool = Pool(clock)
    async with workers(pool, Limits(per_minute=5)) as (worker,):
        await admitted([worker.admit(CLIENT) for _ in range(6)])
        pool.quotas.append(Quota(CLIENT, None, Limits(per_minute=8)))
        pool.tell("")
        for _ in range(20):
            await asyncio.sleep(0)
        clock.at += 1.5  # until then a worker remembers that nothing was left
        assert await admitted([worker.admit(CLIENT) for _ in range(9)]) == 3


async def test_subjects_met_on_the_way_are_charged_to_the_next_request(clock: Clock) -> None:
    async with workers(Pool(clock), Limits(per_day=100)) as (worker,):
        await worker.take(CLIENT, 10, [])
        worker.charge(CLIENT, 80, [])
        assert (await worker.take(CLIENT, 11, [])).problem is not None
        assert (await worker.take(CLIENT, 10, [])).problem is None


async def test_what_is_not_used_goes_back_when_a_worker_stops(clock: Clock) -> None:
    pool = Pool(clock)
    async with workers(pool, Limits(per_day=800)) as (worker,):
        await worker.take(CLIENT, 7, [])
        assert sum(pool.leased.values()) > 7
    assert sum(pool.leased.values()) == 7


async def test_what_is_not_used_for_long_goes_back(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "IDLE_SECONDS", 0.02)
    pool = Pool(clock)
    async with workers(pool, Limits(per_day=800), 2) as (one, other):
        await one.take(CLIENT, 7, [])
        clock.at += 1
        async with asyncio.timeout(5):
            await pool.returned.wait()
        assert (await other.take(CLIENT, 793, [])).problem is None


async def test_a_store_that_is_away_is_told_to_whoever_needs_a_lease_and_found_again(clock: Clock) -> None:
    pool = Pool(clock)
    async with workers(pool, Limits(per_minute=80)) as (worker,):
        pool.broken = HubError(Code.STORE_UNAVAILABLE)
        with pytest.raises(HubError) as caught:
            await worker.admit(CLIENT)
        assert caught.value.problem.code is Code.STORE_UNAVAILABLE
        pool.broken = RuntimeError("a mistake of ours")
        with pytest.raises(HubError):
            await worker.admit(CLIENT)
        pool.broken = None
        assert (await worker.admit(CLIENT)).problem is None
        pool.broken = HubError(Code.STORE_UNAVAILABLE)
        assert (await worker.admit(CLIENT)).problem is None  # from what is leased


@pytest.mark.parametrize(
    "quota",
    [Quota(None, None, Limits(1)), Quota(CLIENT, None, Limits(per_day=-1))],
    ids=["nobody", "negative"],
)
async def test_a_quota_for_nobody_or_below_nothing_is_refused(clock: Clock, quota: Quota) -> None:
    async with workers(Pool(clock), Limits()) as (worker,):
        with pytest.raises(HubError) as caught:
            await worker.put(quota)
    assert caught.value.problem.code is Code.QUOTA_INVALID
