"""Says yes or no to each request of a client from what this worker has leased of the client's limits."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from math import ceil
from types import MappingProxyType

from hub.audit.model import ClientId
from hub.catalogue.model import RecordCode
from hub.kernel.clock import Clock
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.log import get_log
from hub.kernel.watch import Watched
from hub.quotas import rules
from hub.quotas.model import Decision, Limits, Measure, Quota, Standing, name_of
from hub.quotas.store import Lease, Place, QuotaStore, Remainder, Wish

CHANNEL = "quotas"
ROUNDS = 4
"""Leases that one request waits for at the most; a window may end between two."""
IDLE_SECONDS = 10.0
"""What nobody has used for so long goes back to the other workers."""
RECHECK_SECONDS = 1.0
"""For so long a worker believes that a pool has too little; meanwhile refusals cost no round trip."""


class Allotment:
    """What one worker holds of one limit of one client; times are monotonic."""

    __slots__ = (
        "asked_at", "began", "by_subject", "demand", "left", "low", "measure", "name", "need",
        "place", "pool", "quota", "record", "until", "used_at",
    )  # fmt: skip

    def __init__(self, client: ClientId, record: RecordCode | None, measure: Measure) -> None:
        self.place: Place = (client, record or "", measure.seconds)
        self.record = record
        self.measure = measure
        self.by_subject = measure.unit == "subjects"
        self.name = name_of(measure, record)
        self.quota = 0
        self.left = 0
        self.pool = 0
        self.low = 0
        self.began = 0
        self.until = 0.0
        self.asked_at = 0.0
        self.used_at = 0.0
        self.need = 0
        self.demand = 0

    def covers(self, subjects: int, now: float) -> bool:
        """Whether it is enough as it is for a request about so many subjects."""
        amount = subjects if self.by_subject else 1
        return amount <= self.left and now < self.until

    def is_hopeless(self, subjects: int, now: float) -> bool:
        """Whether asking for more is known to be in vain."""
        amount = subjects if self.by_subject else 1
        if amount > self.quota:
            return True
        return now < min(self.until, self.asked_at + RECHECK_SECONDS) and amount > self.left + self.pool

    def spend(self, subjects: int, now: float) -> bool:
        """Counts a request; whether it is time to ask for more."""
        self.left -= subjects if self.by_subject else 1
        self.used_at = now
        return self.left < self.low and self.pool > 0

    def wait_for(self, subjects: int) -> None:
        """Notes that a request about so many subjects waits."""
        amount = subjects if self.by_subject else 1
        self.need = max(self.need, amount)
        self.demand += amount

    def wish(self, now: float, workers: int) -> Wish:
        """What to ask for the requests that wait and for some to come."""
        running = now < self.until
        left, pool = (self.left, self.pool) if running else (0, self.quota)
        need, demand = max(self.need - left, 0), max(self.demand - left, 0)
        self.need = self.demand = 0
        return Wish(self.place, self.quota, need, demand + rules.block(pool, workers))

    def fill(self, lease: Lease, asked_at: float) -> None:
        """Takes in a lease, whose time counts from the asking: it must not outlive its window."""
        self.left = lease.amount + (self.left if lease.began == self.began else 0)
        self.low = lease.amount // 2
        self.began, self.pool = lease.began, lease.pool
        self.until = asked_at + lease.lasts
        self.asked_at = self.used_at = asked_at

    def remainder(self, now: float) -> Remainder | None:
        """What is not needed of a running window; nothing is left here then."""
        if self.left <= 0 or now >= self.until:
            return None
        rest = Remainder(self.place, self.began, self.left)
        self.left, self.until = 0, 0.0
        return rest

    def standing(self, now: float) -> Standing:
        """Where the client stands, as far as this worker knows."""
        if now >= self.until:
            return Standing(self.measure, self.record, self.quota, self.quota, self.measure.seconds)
        remaining = max(self.left + self.pool, 0)
        return Standing(self.measure, self.record, self.quota, remaining, self.until - now)

    def limit(self, now: float) -> str:
        """As the standing's text in ``RateLimit``, made without it: every admitted request needs it."""
        remaining = max(self.left + self.pool, 0)
        return f'"{self.name}";r={remaining};t={ceil(self.until - now)}'


Held = tuple[tuple[Allotment, ...], str]
"""The allotments of some limits of one client and their text in ``RateLimit-Policy``."""
UNLIMITED = Decision(None)


class QuotaService:
    """Holds the limits of clients across workers.

    Workers lease parts of each limit from PostgreSQL and answer from them, so that most requests need no
    round trip; while one lease is under way, the wishes of all clients gather for the next. Over all
    workers no more than the limit is ever admitted in a window (a second, a minute or a day, counted from
    its beginning). A client may be refused while other workers still hold some: each at most
    ``rules.block``, an eighth of its even share, which goes back after ``IDLE_SECONDS`` without use; what
    a killed worker held is lost for the window. A lowered limit counts for leases from then on.
    While the store is away, what is leased is still good; who needs more is told STORE_UNAVAILABLE, never
    let through.
    """

    def __init__(self, store: QuotaStore, clock: Clock, defaults: Limits, workers: int) -> None:
        """``defaults`` are the limits over all records of a client without its own."""
        self._store = store
        self._clock = clock
        self._defaults = defaults
        self._workers = workers
        nothing: Mapping[rules.Key, Limits] = MappingProxyType({})
        self._quotas = Watched(store.database, CHANNEL, self._read, nothing)
        self._named = nothing  # the quotas that ``_clientwide`` was made from
        self._allotments: dict[tuple[ClientId, RecordCode | None, Measure], Allotment] = {}
        self._clientwide: dict[ClientId, tuple[Held, Held]] = {}
        self._wanting: dict[Allotment, None] = {}
        self._wanted = asyncio.Event()
        self._round: asyncio.Future[Problem | None] | None = None
        self._filling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reads the quotas and follows changes. Raises HubError(STORE_UNAVAILABLE)."""
        await self._quotas.start()
        self._filling = asyncio.create_task(self._keep_filling(), name="quotas")

    async def stop(self) -> None:
        """Gives back what is not used."""
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)
            self._filling = None
        await self._quotas.stop()
        await self._give_back(self._allotments.values())

    async def admit(self, client: ClientId) -> Decision:
        """The yes or no to one more request of a client, of which nothing else is known yet.

        Raises HubError(STORE_UNAVAILABLE) when there is nothing leased and no lease to be had.
        """
        requests, subjects = self._of(client)
        return self._at_once(requests, 0) or await self._decide_with_more(requests, 0, subjects[0])

    async def take(self, client: ClientId, subjects: int, records: Collection[RecordCode]) -> Decision:
        """The yes or no to asking about so many subjects and these records; a no takes nothing.

        It comes after ``admit``, which has counted the request. Raises HubError(STORE_UNAVAILABLE) as that.
        """
        held = self._of_question(client, records)
        return self._at_once(held, subjects) or await self._decide_with_more(held, subjects)

    def charge(self, client: ClientId, subjects: int, records: Collection[RecordCode]) -> None:
        """Counts subjects that were met only on the way: never refused, but the next request may be."""
        now = self._clock.monotonic()
        for one in self._of_question(client, records)[0]:
            if one.by_subject and now < one.until:
                one.spend(subjects, now)

    def standings(self, client: ClientId) -> tuple[Standing, ...]:
        """Where a client stands with each of its limits, as far as this worker knows."""
        now = self._clock.monotonic()
        requests, subjects = self._of(client)
        records = {record for _, record in self._named if record is not None}
        more = [self._of_question(client, (record,))[0][len(subjects[0]) :] for record in sorted(records)]
        return tuple(one.standing(now) for held in (requests[0], subjects[0], *more) for one in held)

    async def put(self, quota: Quota) -> None:
        """Sets the limits of a client, of a record, or of both together. Needs the owner's connection.

        Raises HubError(QUOTA_INVALID) when it breaks a rule, or the client is not registered.
        """
        mistake = rules.mistake(quota)
        if mistake:
            raise HubError(mistake.code, **mistake.detail)
        await self._store.put(quota)

    async def remove(self, client: ClientId | None, record: RecordCode | None) -> bool:
        """Takes limits back; False: there were none. Needs the owner's connection."""
        return await self._store.remove(client, record)

    async def listed(self) -> tuple[Quota, ...]:
        """Every quota, read now: those over one record of every client first, then by client and record."""
        return await self._store.read()

    async def _read(self) -> Mapping[rules.Key, Limits]:
        return MappingProxyType(rules.by_key(await self._store.read()))

    def _at_once(self, held: Held, subjects: int) -> Decision | None:
        """The yes that what is leased suffices for; None: it does not."""
        if not held[0]:
            return UNLIMITED
        now = self._clock.monotonic()
        for one in held[0]:
            if not one.covers(subjects, now):
                return None
        return self._admit(held, subjects, now)

    async def _decide_with_more(self, held: Held, subjects: int, soon: Iterable[Allotment] = ()) -> Decision:
        """``soon``: what the same request will ask for next; it is leased along when there is a wait."""
        rounds = 0
        while True:
            now = self._clock.monotonic()
            short = [one for one in held[0] if not one.covers(subjects, now)]
            if not short:
                return self._admit(held, subjects, now)
            hopeless = [one for one in short if one.is_hopeless(subjects, now)]
            if hopeless or rounds == ROUNDS:
                by = (hopeless or short)[0].standing(now)
                return rules.refused(by, (one.standing(now) for one in held[0]))
            for one in soon:
                if not one.covers(1, now):
                    self._want(one)
            await self._wait_for(short, subjects)
            rounds += 1

    def _of(self, client: ClientId) -> tuple[Held, Held]:
        """A client's limits over all records: those on requests, and those on subjects."""
        quotas = self._quotas.value
        if quotas is not self._named:
            self._clientwide, self._named = {}, quotas
        known = self._clientwide.get(client)
        if known is None:
            limits = rules.limits_of(client, self._defaults, quotas)
            requests = self._hold(client, (one for one in limits if one[1].unit == "requests"))
            subjects = self._hold(client, (one for one in limits if one[1].unit == "subjects"))
            known = self._clientwide[client] = requests, subjects
        return known

    def _of_question(self, client: ClientId, records: Collection[RecordCode]) -> Held:
        """A client's limits on subjects, and all of those over one of the records."""
        known, quotas = self._of(client)[1], self._named
        if not quotas:
            return known
        limits = [one for record in records for one in rules.limits_of_record(client, record, quotas)]
        if not limits:
            return known
        more = self._hold(client, limits)
        return known[0] + more[0], ", ".join(filter(None, (known[1], more[1])))

    def _hold(self, client: ClientId, limits: Iterable[rules.Named]) -> Held:
        held = tuple(self._allotment(client, *limit) for limit in limits)
        return held, rules.texts(one.standing(0.0) for one in held)[0]

    def _allotment(
        self, client: ClientId, record: RecordCode | None, measure: Measure, quota: int
    ) -> Allotment:
        key = (client, record, measure)
        found = self._allotments.get(key)
        if found is None:
            found = self._allotments[key] = Allotment(client, record, measure)
        found.quota = quota
        return found

    def _admit(self, held: Held, subjects: int, now: float) -> Decision:
        limits = []
        for one in held[0]:
            if one.spend(subjects, now):
                self._want(one)
            limits.append(one.limit(now))
        return Decision(None, held[1], ", ".join(limits))

    def _want(self, one: Allotment) -> None:
        self._wanting[one] = None
        self._wanted.set()

    async def _wait_for(self, short: Iterable[Allotment], subjects: int) -> None:
        for one in short:
            one.wait_for(subjects)
            self._want(one)
        if self._round is None:
            self._round = asyncio.get_running_loop().create_future()
        problem = await asyncio.shield(self._round)
        if problem is not None:
            raise HubError(problem.code, **problem.detail)

    async def _keep_filling(self) -> None:
        due = self._clock.monotonic() + IDLE_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(due - self._clock.monotonic(), 0.0)):
                    await self._wanted.wait()
            if self._wanted.is_set():
                await self._fill()
            if self._clock.monotonic() >= due:
                await self._give_back(self._idle())
                due = self._clock.monotonic() + IDLE_SECONDS

    async def _fill(self) -> None:
        """One round: the wishes gathered so far, in one statement."""
        self._wanted.clear()
        wanting, self._wanting = {one.place: one for one in self._wanting}, {}
        waiting, self._round = self._round, None
        problem: Problem | None = Problem(Code.STORE_UNAVAILABLE)
        try:
            asked_at = self._clock.monotonic()
            wishes = [one.wish(asked_at, self._workers) for one in wanting.values()]
            for lease in await self._store.lease(wishes):
                wanting[lease.place].fill(lease, asked_at)
            problem = None
        except HubError as error:
            problem = error.problem
        except Exception:  # noqa: BLE001 whoever waits for a lease would wait for ever
            get_log(__name__).error("quotas_unleased", count=len(wanting), exc_info=True)
        finally:
            if waiting is not None and not waiting.done():
                waiting.set_result(problem)

    def _idle(self) -> list[Allotment]:
        latest = self._clock.monotonic() - IDLE_SECONDS
        return [one for one in self._allotments.values() if one.used_at < latest]

    async def _give_back(self, allotments: Iterable[Allotment]) -> None:
        now = self._clock.monotonic()
        rests = [rest for one in allotments if (rest := one.remainder(now)) is not None]
        if not rests:
            return
        try:
            await self._store.give_back(rests)
        except HubError as error:
            get_log(__name__).warning("quotas_kept", count=len(rests), code=error.problem.code.label)
