"""Holds the HTTP connections to agencies: made to checked addresses, kept by place for the next call."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple, cast

from connectors.faults import Kind
from connectors.http1 import NoReplyError, Received, Replies, locate, written

KEEP_ALIVE = 30.0  # seconds
NEXT_ADDRESS = 0.25  # seconds after which the next address of a host is tried too (RFC 8305, 5)
KEPT_BY_PLACE = 64  # connections that nobody uses
KEPT_IN_ALL = 512
AGAIN = frozenset({"GET", "HEAD"})  # what may be sent a second time (RFC 9110, 9.2.2)
TIMEOUT = re.compile(rb"(?:^|[ ,;])timeout=([0-9]{1,6})(?:$|[ ,;])")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Place(NamedTuple):
    """What a connection leads to, and as whom: a context holds one agency's credentials."""

    host: str
    port: int
    tls: ssl.SSLContext | None


class HttpClient:
    """Sends requests. ``resolve`` gives the addresses, at least one, that a host's connections may go to."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._living: set[Connection] = set()
        self._kept: dict[Place, list[Connection]] = {}
        self._pruning: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        tls: ssl.SSLContext | None,
        most: int,
    ) -> Received:
        """The reply, at most ``most`` bytes of body. Nothing is followed, unpacked or remembered.

        ``tls`` must be given for https and is not looked at for http. Raises NoReplyError, OSError when no
        connection can be made, ValueError for what is no request.
        """
        origin, target = locate(url)
        if origin.is_secure and tls is None:
            raise ValueError("no TLS context")
        request = written(method, origin, target, headers, body)
        place = Place(origin.host, origin.port, tls if origin.is_secure else None)
        kept = self._take(place)
        if kept is not None:
            try:
                return await self._exchange(kept, method, request, most)
            except NoReplyError as error:
                if not error.is_unheard or method not in AGAIN:
                    raise  # else the place had given up this connection: that is no answer
        return await self._exchange(await self._connect(place), method, request, most)

    async def close(self) -> None:
        """Ends every connection; calls that are under way get no reply."""
        self._is_closed = True
        self._kept.clear()
        if self._pruning is not None:
            self._pruning.cancel()
        living = list(self._living)
        for connection in living:
            connection.close()
        await asyncio.gather(*(one.gone.wait() for one in living))

    async def _exchange(self, connection: Connection, method: str, request: bytes, most: int) -> Received:
        try:
            return await connection.exchange(method, request, most)
        finally:
            if connection.is_reusable and not self._is_closed:
                self._keep(connection)
            else:
                connection.close()

    def _take(self, place: Place) -> Connection | None:
        now = asyncio.get_running_loop().time()
        kept = self._kept.get(place, [])
        while kept:
            connection = kept.pop()
            if connection.is_reusable and connection.until > now:
                return connection
            connection.close()
        return None

    def _keep(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        connection.until = loop.time() + connection.patience
        kept = self._kept.setdefault(connection.place, [])
        kept.append(connection)
        if len(kept) > KEPT_BY_PLACE:
            kept.pop(0).close()
        elif sum(map(len, self._kept.values())) > KEPT_IN_ALL:
            min((one for one in self._kept.values() if one), key=lambda one: one[0].until).pop(0).close()
        if self._pruning is None:
            self._pruning = loop.call_later(KEEP_ALIVE, self._prune)

    def _prune(self) -> None:
        """Ends what nobody has needed for a while."""
        loop = asyncio.get_running_loop()
        for place, kept in list(self._kept.items()):
            good = [one for one in kept if one.is_reusable and one.until > loop.time()]
            for connection in set(kept).difference(good):
                connection.close()
            if good:
                self._kept[place] = good
            else:
                del self._kept[place]
        self._pruning = loop.call_later(KEEP_ALIVE, self._prune) if self._kept else None

    async def _connect(self, place: Place) -> Connection:
        if self._is_closed:
            raise NoReplyError(Kind.UNREACHABLE)
        addresses = await self._resolve(place.host, place.port)
        return await first_of([self._open(place, address) for address in addresses])

    async def _open(self, place: Place, address: str) -> Connection:
        """To this very address, whatever the host's name means by now: an address is not resolved again."""
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(place, self._living),
            address,
            place.port,
            ssl=place.tls,
            server_hostname=None if place.tls is None else place.host.rstrip("."),
        )
        if self._is_closed:
            connection.close()
        return connection


async def first_of(attempts: Sequence[Coroutine[Any, Any, Connection]]) -> Connection:
    """The connection made first; the next attempt begins when one fails or takes long (RFC 8305, 5).

    Raises what the last one to fail raised.
    """
    if len(attempts) == 1:
        return await attempts[0]
    waiting, going = [*reversed(attempts)], set[asyncio.Task[Connection]]()
    try:
        while True:
            if waiting:
                going.add(asyncio.create_task(waiting.pop()))
            pause = NEXT_ADDRESS if waiting else None
            done, _ = await asyncio.wait(going, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                going.discard(task)
                if task.exception() is None or not (waiting or going):
                    return task.result()
    finally:
        for attempt in waiting:
            attempt.close()
        for task in going:
            task.cancel()
            task.add_done_callback(_unwanted)


def _unwanted(task: asyncio.Task[Connection]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


class Connection(asyncio.Protocol):
    """One connection, one exchange at a time; among the ``living`` from its first moment to its last."""

    def __init__(self, place: Place, living: set[Connection]) -> None:
        self.place = place
        self.until = 0.0  # when it is no longer used, by the loop's clock
        self.patience = KEEP_ALIVE  # seconds that the agency is likely to keep it open
        self.gone = asyncio.Event()
        self._living = living
        self._replies = Replies()
        self._reply: asyncio.Future[Received] | None = None
        self._has_ended = False

    @property
    def is_reusable(self) -> bool:
        """Whether the last reply left nothing behind, on either side."""
        if not self._replies.is_reusable or self._transport.is_closing():
            return False
        return not self._transport.get_write_buffer_size()

    def exchange(self, method: str, request: bytes, most: int) -> asyncio.Future[Received]:
        """The reply. Raises NoReplyError, at once or when it is awaited."""
        if self._transport.is_closing():
            raise NoReplyError(Kind.UNREACHABLE)
        self._replies.expect(method, most)
        self._reply = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._reply

    def close(self) -> None:
        """At once: whatever still comes is for nobody."""
        self._replies.is_reusable = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop; not every loop's transports descend from asyncio's."""
        self._transport = cast("asyncio.Transport", transport)
        self._living.add(self)

    def data_received(self, data: bytes) -> None:
        """What nobody has asked for ends the connection."""
        if self._reply is None or self._reply.done():
            self.close()
            return
        outcome = self._replies.feed(data)
        if outcome is not None:
            self._settle(self._reply, outcome)

    def eof_received(self) -> None:
        """The agency says that nothing more comes; over TLS uvloop calls this for a close_notify only."""
        self._has_ended = True

    def connection_lost(self, reason: Exception | None) -> None:
        """The end, whoever made it."""
        self._living.discard(self)
        self.gone.set()
        if self._reply is not None and not self._reply.done():
            self._settle(self._reply, self._replies.end(is_clean=self._has_ended and reason is None))
        self._replies.is_reusable = False

    def _settle(self, reply: asyncio.Future[Received], outcome: Received | NoReplyError) -> None:
        if isinstance(outcome, NoReplyError):
            reply.set_exception(outcome)
            self.close()
            return
        told = outcome.headers.get(b"keep-alive")
        match = None if told is None else TIMEOUT.search(told)
        if match is not None:
            self.patience = min(KEEP_ALIVE, int(match[1]) - 1.0)  # it was sent a moment ago
        reply.set_result(outcome)
