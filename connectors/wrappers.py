"""What every connector is wrapped in, each wrapper of the port's own shape and with one duty."""

from __future__ import annotations

import asyncio
import random
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, compress
from pathlib import PurePath

import structlog
from aiolimiter import AsyncLimiter

from connectors.alarm import Alarm
from connectors.cache import Cache
from connectors.cached import Cached
from connectors.coalescing import Coalesced
from connectors.contract import Answer, Ask, Connector, Fault, Offering, Row
from connectors.faults import Kind, all_failed, fault
from connectors.forms import Check, RowsCheck, compile_check, compile_rows_check
from connectors.manifest.model import Manifest
from connectors.metering import Meter, Metered
from connectors.wrapper import Wrapper

RETRIED = frozenset({Kind.UNREACHABLE, Kind.BUSY, Kind.FAILED})
COUNTED = frozenset({Kind.TIMEOUT, Kind.UNREACHABLE, Kind.FAILED, Kind.MALFORMED, Kind.TOO_LARGE})
FIRST_PAUSE = 0.05  # seconds before the second try, doubled before each further one
COMPILED_HIGHEST = 256  # choices of columns
Checks = tuple[tuple[str, Check], ...]  # by column, in the order of the ask


def wrap(
    connector: Connector, manifest: Manifest, meter: Meter, workers: int = 1, cache: Cache | None = None
) -> Connector:
    """The connector in all its wrappers; an agency's limits are shared evenly among ``workers`` processes.

    From the outside in: Cached (where there is a cache), Coalesced, Batches, Metered, Breaker, Retry, Limit,
    Validate, Deadline.
    """
    limits = manifest.limits
    concurrency = max(1, limits.concurrency // workers)
    per_second = None if limits.per_second is None else limits.per_second / workers
    bounded = Validate(Deadline(connector, limits.timeout))
    retried = Retry(Limit(bounded, concurrency, per_second), limits.attempts, limits.repeatable)
    broken = Breaker(retried, limits.breaker_failures, limits.breaker_seconds)
    shared = Coalesced(Batches(Metered(broken, manifest.id, meter)), limits.repeatable)
    return shared if cache is None or not cache.is_on else Cached(shared, cache, manifest.id, meter)


class Deadline(Wrapper):
    """Ends a call at the ask's deadline, or after the longest time one try may take (seconds).

    Nearest to the kind, it also turns whatever the kind raises into a fault; only a cancellation passes.
    """

    def __init__(self, inner: Connector, longest: float) -> None:
        super().__init__(inner)
        self._longest = longest
        self._alarm = Alarm()

    async def health(self, deadline: float) -> Fault | None:
        """MALFORMED when the connector itself breaks."""
        try:
            return await self._inner.health(deadline)
        except Exception as error:  # noqa: BLE001 what breaks one connector must not break the board of all
            _tell_break(error, "health")
            return fault(Kind.MALFORMED)

    async def fetch(self, ask: Ask) -> Answer:
        """TIMEOUT for every key when the time is up, MALFORMED when the connector itself breaks."""
        latest = time.monotonic() + self._longest
        if ask.deadline > latest:
            ask = Ask(ask.offering, ask.keys, ask.columns, ask.tellings, latest, ask.correlation)
        try:
            with self._alarm.until(ask.deadline):
                return await self._inner.fetch(ask)
        except TimeoutError:
            return all_failed(ask.keys, fault(Kind.TIMEOUT, correlation=ask.correlation))
        except Exception as error:  # noqa: BLE001 whatever an answer provokes is that agency's failure alone
            _tell_break(error, ask.offering)
            return all_failed(ask.keys, fault(Kind.MALFORMED, correlation=ask.correlation))


class Limit(Wrapper):
    """Holds calls back to what the agency bears: at once, and a second (None: any number)."""

    def __init__(self, inner: Connector, concurrency: int, per_second: float | None) -> None:
        super().__init__(inner)
        self._slots = asyncio.Semaphore(concurrency)
        self._rate = None if per_second is None else _limiter(per_second)

    async def fetch(self, ask: Ask) -> Answer:
        """BUSY for every key when no turn comes before the deadline."""
        if not self._slots.locked():
            await self._slots.acquire()
        elif not await self._has_turn(ask.deadline):
            return _busy(ask)
        try:
            if self._rate is not None and not await self._is_within_rate(self._rate, ask.deadline):
                return _busy(ask)
            return await self._inner.fetch(ask)
        finally:
            self._slots.release()

    async def _has_turn(self, deadline: float) -> bool:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await self._slots.acquire()
        except TimeoutError:
            return False

    @staticmethod
    async def _is_within_rate(rate: AsyncLimiter, deadline: float) -> bool:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await rate.acquire()
        except TimeoutError:
            return False
        return True


class Retry(Wrapper):
    """Asks again for the keys that failed in a passing way, where the offering may be asked again."""

    def __init__(self, inner: Connector, attempts: int, repeatable: frozenset[str]) -> None:
        super().__init__(inner)
        self._attempts = attempts
        self._repeatable = repeatable

    async def fetch(self, ask: Ask) -> Answer:
        """At most ``attempts`` calls, jitter between, as late as the agency says, never past the deadline."""
        answer = await self._inner.fetch(ask)
        if not answer.faults or ask.offering not in self._repeatable:
            return answer
        for attempt in range(1, self._attempts):
            again = [key for key, why in answer.faults.items() if why.kind in RETRIED]
            if not again:
                break
            pause = _pause(attempt, [answer.faults[key] for key in again])
            if time.monotonic() + pause >= ask.deadline:
                break
            await asyncio.sleep(pause)
            answer = _merged([answer, await self._inner.fetch(_narrowed(ask, again))])
        return answer


class Breaker(Wrapper):
    """Leaves an offering alone for ``seconds`` after ``failures`` calls failed in a row, then tries one."""

    def __init__(
        self, inner: Connector, failures: int, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(inner)
        self._failures = failures
        self._seconds = seconds
        self._monotonic = monotonic
        self._circuits = {offering.name: _Circuit() for offering in inner.describe()}

    async def fetch(self, ask: Ask) -> Answer:
        """PAUSED for every key while the offering is left alone."""
        circuit = self._circuits[ask.offering]
        if circuit.failed >= self._failures:
            wait = circuit.closed_until - self._monotonic()
            if wait > 0 or circuit.is_trying:
                why = fault(Kind.PAUSED, correlation=ask.correlation, retry_after=max(wait, FIRST_PAUSE))
                return all_failed(ask.keys, why)
            circuit.is_trying = True
        try:
            answer = await self._inner.fetch(ask)
        finally:
            circuit.is_trying = False
        if answer.faults or circuit.failed:
            self._note(circuit, answer)
        return answer

    def _note(self, circuit: _Circuit, answer: Answer) -> None:
        circuit.failed = circuit.failed + 1 if _has_failed(answer) else 0
        over = circuit.failed >= self._failures
        circuit.closed_until = self._monotonic() + self._seconds if over else 0.0


class Validate(Wrapper):
    """Holds any connector to the port's contract, so that a wrong answer is never taken for a right one."""

    def __init__(self, inner: Connector) -> None:
        super().__init__(inner)
        self._offerings = {offering.name: offering for offering in inner.describe()}
        self._checks = lru_cache(COMPILED_HIGHEST)(self._compile)
        self._rows_check = lru_cache(COMPILED_HIGHEST)(self._compile_rows_check)

    async def fetch(self, ask: Ask) -> Answer:
        """WRONG_SUBJECT for all when somebody is answered who was not asked for; else each key by itself."""
        answer = await self._inner.fetch(ask)
        if self._is_sound(ask, answer):
            return answer
        asked = set(ask.keys)
        if not asked.issuperset(answer.rows) or not asked.issuperset(answer.faults):
            return all_failed(ask.keys, fault(Kind.WRONG_SUBJECT, correlation=ask.correlation))
        offering = self._offerings[ask.offering]
        checks = self._checks(ask.offering, ask.columns)
        objections = {
            key: why
            for key in ask.keys
            if (why := _objection(offering, checks, ask, answer, key)) is not None
        }
        if not objections:
            return answer
        rows = {key: rows for key, rows in answer.rows.items() if key not in objections}
        return Answer(rows, {**answer.faults, **objections}, answer.as_of)

    def _is_sound(self, ask: Ask, answer: Answer) -> bool:
        """Whether there is nothing to object to, found out a column at a time."""
        rows, offering = answer.rows, self._offerings[ask.offering]
        if answer.faults or len(rows) != len(ask.keys) or not all(map(rows.__contains__, ask.keys)):
            return False
        every = list(chain.from_iterable(rows.values()))
        if not every:
            return True
        owners = tuple(compress(rows, rows.values()))
        if len(owners) != len(every):  # one of them has several
            if not offering.many:
                return False
            owners = tuple(key for key, own in rows.items() for _ in own)
        try:
            columns = tuple(zip(*every, strict=True))
        except ValueError:  # rows of several lengths
            return False
        are_allowed = self._rows_check(ask.offering, ask.columns)
        return len(columns) == len(ask.columns) and are_allowed(columns, owners)

    def _compile_rows_check(self, offering: str, columns: tuple[str, ...]) -> RowsCheck:
        return compile_rows_check(self._offerings[offering], columns)

    def _compile(self, offering: str, columns: tuple[str, ...]) -> Checks:
        described = self._offerings[offering]
        return tuple((column, compile_check(described, column)) for column in columns)


class Batches(Wrapper):
    """Splits an ask into calls of as many keys as the offering takes, made together."""

    def __init__(self, inner: Connector) -> None:
        super().__init__(inner)
        self._sizes = {offering.name: offering.batch for offering in inner.describe()}

    def fetch(self, ask: Ask) -> Awaitable[Answer]:
        """All calls' answers as one; its age is that of the oldest."""
        size = self._sizes[ask.offering]
        return self._inner.fetch(ask) if len(ask.keys) <= size else self._fetch_parts(ask, size)

    async def _fetch_parts(self, ask: Ask, size: int) -> Answer:
        parts = [list(ask.keys[start : start + size]) for start in range(0, len(ask.keys), size)]
        calls = [self._inner.fetch(_narrowed(ask, keys)) for keys in parts]
        return _merged(await asyncio.gather(*calls))


@dataclass(slots=True)
class _Circuit:
    """How an offering has done lately."""

    failed: int = 0
    closed_until: float = 0.0
    is_trying: bool = False


def _limiter(per_second: float) -> AsyncLimiter:
    return AsyncLimiter(per_second, 1) if per_second >= 1 else AsyncLimiter(1, 1 / per_second)


def _busy(ask: Ask) -> Answer:
    return all_failed(ask.keys, fault(Kind.BUSY, correlation=ask.correlation))


def _pause(attempt: int, faults: Iterable[Fault]) -> float:
    told = max((why.retry_after or 0.0 for why in faults), default=0.0)
    jittered = FIRST_PAUSE * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter is no secret
    return told + jittered


def _narrowed(ask: Ask, keys: list[str]) -> Ask:
    if len(ask.tellings) != len(ask.keys):
        return ask._replace(keys=tuple(keys))
    told = dict(zip(ask.keys, ask.tellings, strict=True))
    return ask._replace(keys=tuple(keys), tellings=tuple(told[key] for key in keys))


def _merged(answers: Iterable[Answer]) -> Answer:
    """Later answers settle what earlier ones left open."""
    rows: dict[str, tuple[Row, ...]] = {}
    faults: dict[str, Fault] = {}
    ages = []
    for answer in answers:
        faults = {key: why for key, why in faults.items() if key not in answer.rows} | dict(answer.faults)
        rows |= answer.rows
        if answer.rows:
            ages.append(answer.as_of)
    known = [age for age in ages if age is not None]
    return Answer(rows, faults, min(known) if known and len(known) == len(ages) else None)


def _has_failed(answer: Answer) -> bool:
    """One record that does not fit (``place``) is no failure of the service."""
    faults = answer.faults.values()
    return (
        bool(faults) and not answer.rows and all(why.kind in COUNTED and why.place is None for why in faults)
    )


def _tell_break(error: Exception, offering: str) -> None:
    """What broke and where; never its message, which may hold a value."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    structlog.stdlib.get_logger("connectors").error(
        "connector_broke",
        offering=offering,
        error=type(error).__name__,
        frames=[f"{PurePath(last.filename).name}:{last.lineno}"],
    )


def _objection(offering: Offering, checks: Checks, ask: Ask, answer: Answer, key: str) -> Fault | None:
    rows = answer.rows.get(key)
    if rows is None:
        return None if key in answer.faults else fault(Kind.INCOMPLETE, correlation=ask.correlation)
    if key in answer.faults:
        return answer.faults[key]
    if len(rows) > 1 and not offering.many:
        return fault(Kind.WRONG_SUBJECT, correlation=ask.correlation)
    for row in rows:
        why = _row_objection(offering, checks, ask, row, key)
        if why is not None:
            return why
    return None


def _row_objection(offering: Offering, checks: Checks, ask: Ask, row: Row, key: str) -> Fault | None:
    if len(row) != len(checks):
        return fault(Kind.MALFORMED, correlation=ask.correlation)
    for (column, allows), value in zip(checks, row, strict=True):
        if column == offering.key and value != key:
            return fault(Kind.WRONG_SUBJECT, correlation=ask.correlation)
        if not allows(value):
            return fault(Kind.MALFORMED, correlation=ask.correlation, place=column)
    return None
