"""Merges what several requests ask the same offering at the same time into one call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from itertools import chain
from typing import Any

from connectors.alarm import Alarm
from connectors.contract import Answer, Ask, Connector, Offering, Tell
from connectors.faults import Kind, all_failed, fault
from connectors.wrapper import Wrapper

PATIENCE = 0.005  # seconds that an ask waits for the call before it, so that it can share the next one
MOST_CALLS = 8  # at the same time, for one choice of columns
SPOILED = frozenset(  # what another's key may have done to a shared call
    {
        Kind.FAILED,
        Kind.MALFORMED,
        Kind.TOO_LARGE,
        Kind.REFUSED,
        Kind.WRONG_SUBJECT,
        Kind.CODE_UNKNOWN,
        Kind.INCOMPLETE,
    }
)
Columns = tuple[str, ...]


class _Waiting(asyncio.Future[Answer]):
    """One request's ask, and what it will be answered; who cancels it waits no more."""

    __slots__ = ("alarm", "ask", "call", "deadline")

    alarm: Alarm
    ask: Ask
    call: _Call | None
    deadline: float

    def tell(self, answer: Answer) -> None:
        """Its answer, unless it waits no more."""
        if not self.done():
            self.alarm.end(self)
            self.set_result(answer)

    def cancel(self, msg: Any = None) -> bool:
        """Leaves the others of the same call alone."""
        is_cancelled = super().cancel(msg)
        if is_cancelled:
            self._leave()
        return is_cancelled

    def ring(self) -> None:
        """The time is up."""
        self.tell(all_failed(self.ask.keys, fault(Kind.TIMEOUT, correlation=self.ask.correlation)))
        self._leave()

    def _leave(self) -> None:
        self.alarm.end(self)
        if self.call is not None:
            self.call.leave()


class Coalesced(Wrapper):
    """Shares calls among asks for the same columns, so that no answer carries more than was permitted.

    Only offerings that may be asked again are shared (``repeatable``): when a shared call fails as a whole,
    each ask is made by itself, lest one request's key spoil another's answer. Purposes are never merged.
    """

    def __init__(self, inner: Connector, repeatable: Collection[str]) -> None:
        super().__init__(inner)
        self._shared = {
            offering.name: offering
            for offering in inner.describe()
            if offering.tell is Tell.NONE and offering.batch > 1 and offering.name in repeatable
        }
        self._desks: dict[tuple[str, Columns], _Desk] = {}
        self._alarm = Alarm()

    def fetch(self, ask: Ask) -> Awaitable[Answer]:
        """Its own part of a call. TIMEOUT at its own deadline; who is cancelled leaves the others alone."""
        offering = self._shared.get(ask.offering)
        if offering is None:
            return self._inner.fetch(ask)
        at = (ask.offering, ask.columns)
        desk = self._desks.get(at)
        if desk is None:
            desk = self._desks[at] = _Desk(self._inner, offering, self._alarm, partial(self._desks.pop, at))
        return desk.fetch(ask)


class _Desk:
    """What waits for one offering and one choice of columns, and the calls on their way."""

    def __init__(
        self, inner: Connector, offering: Offering, alarm: Alarm, idle: Callable[[], object]
    ) -> None:
        self._inner = inner
        self._batch = offering.batch
        self._alarm = alarm
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Waiting] = []
        self._keys = 0  # of those who wait
        self._calls: set[asyncio.Task[None]] = set()
        self._start: asyncio.Handle | None = None

    def fetch(self, ask: Ask) -> asyncio.Future[Answer]:
        one = _Waiting(loop=self._loop)
        one.alarm, one.ask, one.call, one.deadline = self._alarm, ask, None, ask.deadline
        self._alarm.begin(one)
        self._waiting.append(one)
        self._keys += len(ask.keys)
        if self._start is None and not self._calls:
            self._start = self._loop.call_soon(self._go)  # after whatever else is ready has asked too
        elif self._keys >= self._batch:
            self._start_soon()
        elif self._start is None:
            self._start = self._loop.call_later(PATIENCE, self._go)
        return one

    def _start_soon(self) -> None:
        """Sooner than the patience for the call before."""
        if isinstance(self._start, asyncio.TimerHandle):
            self._start.cancel()
            self._start = None
        if self._start is None:
            self._start = self._loop.call_soon(self._go)

    def _go(self) -> None:
        """Starts as many calls as there may be; what is left over starts when one of them ends."""
        if self._start is not None:
            self._start.cancel()
            self._start = None
        self._waiting = [one for one in self._waiting if not one.done()]
        while self._waiting and len(self._calls) < MOST_CALLS:
            call = self._loop.create_task(self._call(self._take()))
            self._calls.add(call)
            call.add_done_callback(self._ended)
        self._keys = sum([len(one.ask.keys) for one in self._waiting])
        if not self._calls:
            self._idle()

    def _take(self) -> Sequence[_Waiting]:
        """The first who wait, up to as many keys as one call takes; at least one of them."""
        if self._keys <= self._batch:
            taken, self._waiting = self._waiting, []
            return taken
        keys: set[str] = set()
        count = 0
        for one in self._waiting:
            keys.update(one.ask.keys)
            if count and len(keys) > self._batch:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # those who waited have it
        if self._waiting:
            self._go()
        elif not self._calls:
            self._idle()

    async def _call(self, group: Sequence[_Waiting]) -> None:
        call = _Call(group, asyncio.current_task())
        try:
            answer = await self._inner.fetch(_merged([one.ask for one in group]))
        except BaseException as error:
            call.fail(error)
            raise
        call.release()
        if len(group) > 1 and _is_spoiled(answer):
            await asyncio.gather(*(self._call([one]) for one in group if not one.done()))
        else:
            call.tell(answer)


class _Call:
    """Those who share one call. It is cancelled when none of them waits any more."""

    def __init__(self, group: Sequence[_Waiting], task: asyncio.Task[None] | None) -> None:
        self._group = group
        self._task = task
        self._left = len(group)
        for one in group:
            one.call = self

    def leave(self) -> None:
        """One of them waits no more."""
        self._left -= 1
        if not self._left and self._task is not None:
            self._task.cancel()

    def release(self) -> None:
        """The call is over: who leaves now takes nothing along, and none of it refers to itself any more."""
        self._task = None
        for one in self._group:
            one.call = None

    def tell(self, answer: Answer) -> None:
        """Each its part."""
        is_shared = len(self._group) > 1
        for one in self._group:
            if not one.done():
                one.tell(_part(answer, one.ask) if is_shared else answer)

    def fail(self, error: BaseException) -> None:
        """The port's connectors raise only when they are cancelled; then nobody waits, or the loop ends."""
        self.release()
        for one in self._group:
            if isinstance(error, Exception) and not one.done():
                one.alarm.end(one)
                one.set_exception(error)
            one.cancel()


def _merged(asks: Sequence[Ask]) -> Ask:
    """One ask for all their keys, which lasts as long as the most patient of them waits."""
    first = asks[0]
    if len(asks) == 1:
        return first
    keys = tuple(dict.fromkeys(chain.from_iterable([ask.keys for ask in asks])))
    deadline = max(ask.deadline for ask in asks)
    return Ask(first.offering, keys, first.columns, (), deadline, first.correlation)


def _part(answer: Answer, ask: Ask) -> Answer:
    rows, faults = answer.rows, answer.faults
    if not faults and len(ask.keys) == 1 and ask.keys[0] in rows:
        return Answer({ask.keys[0]: rows[ask.keys[0]]}, faults, answer.as_of, answer.fetched_at)
    return Answer(
        {key: rows[key] for key in ask.keys if key in rows},
        {key: faults[key] for key in ask.keys if key in faults} if faults else faults,
        answer.as_of,
        answer.fetched_at,
    )


def _is_spoiled(answer: Answer) -> bool:
    return not answer.rows and all(why.kind in SPOILED for why in answer.faults.values())
