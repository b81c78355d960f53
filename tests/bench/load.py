"""Asks over keep-alive HTTP/1.1 connections, as little client as there can be, and times every answer."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
PATIENCE_SECONDS = 60.0
MISTAKES = b'"errors":'  # no contender's data has this name
LENGTH_VALUE = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
NUMBERED = re.compile(rb"HUB-[0-9]{3}")
LARGEST_HEAD = 2**20


class UnexpectedAnswerError(Exception):
    """An answer that is no success: the benchmark must not count it."""


@dataclass(slots=True)
class Load:
    """What one round of asking took; seconds."""

    latencies: list[float] = field(default_factory=list)
    wall: float = 0.0
    client: float = 0.0  # processor time of this process, which asks

    @property
    def requests(self) -> int:
        """How many were answered."""
        return len(self.latencies)


def mistakes(body: bytes) -> str:
    """What is wrong with an answer, by the numbers of its errors; what it says of people is left out."""
    numbers = sorted(set(NUMBERED.findall(body)))
    return f"the answer holds errors: {b', '.join(numbers).decode() or 'none of them numbered'}"


class Connection(asyncio.Protocol):
    """One connection: the next request goes out when the answer before it is whole."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float], until: float) -> None:
        self._requests = requests
        self._latencies = latencies
        self._until = until
        self._received = bytearray()
        self._whole = 0  # bytes of the answer with its head; 0 while the head is not there
        self._sent = 0.0
        self.bodies: list[bytes] = []
        self.keeps = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks the first question."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._ask()

    def connection_lost(self, reason: Exception | None) -> None:
        """An answer that was cut off is a failure."""
        self._fail("the connection was closed")

    def data_received(self, data: bytes) -> None:
        """Takes a piece of the answer; when it is whole, asks again."""
        self._received += data
        if not self._whole:
            self._read_head()
        if self._whole and len(self._received) >= self._whole:
            self._take()

    def _read_head(self) -> None:
        end = self._received.find(HEAD_END)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        start = head.find(LENGTH) + len(LENGTH)
        if not head.startswith(b"http/1.1 200") or start < len(LENGTH):
            self._fail(head.partition(b"\r\n")[0].decode("ascii", "replace"))
            return
        self._whole = end + len(HEAD_END) + int(head[start:].partition(b"\r\n")[0])

    def _take(self) -> None:
        now = time.perf_counter()
        self._latencies.append(now - self._sent)
        if self._received.find(MISTAKES) >= 0:
            self._fail(mistakes(bytes(self._received)))
            return
        if self.keeps:
            self.bodies.append(bytes(self._received[self._received.find(HEAD_END) + len(HEAD_END) :]))
        self._received.clear()
        self._whole = 0
        if now < self._until:
            self._ask()
        else:
            self._finish()

    def _ask(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._finish()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        self._transport.close()

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(UnexpectedAnswerError(why))
            self._transport.close()


async def ask_for(seconds: float, port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Asks for so long over so many connections; every request that was sent is waited for."""
    load = Load()
    wall, client = time.perf_counter(), time.process_time()
    supply = itertools.cycle(requests)
    loop = asyncio.get_running_loop()
    made = [Connection(supply, load.latencies, wall + seconds) for _ in range(connections)]
    for one in made:
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)  # type: ignore[misc]  # bound here
    async with asyncio.timeout(seconds + PATIENCE_SECONDS):
        await asyncio.gather(*(one.done for one in made))
    load.wall, load.client = time.perf_counter() - wall, time.process_time() - client
    return load


async def ask_each(port: int, requests: Sequence[bytes]) -> list[bytes]:
    """The bodies of the answers to each of the requests, one after the other."""
    one = Connection(iter(requests), [], float("inf"))
    one.keeps = True
    await asyncio.get_running_loop().create_connection(lambda: one, "127.0.0.1", port)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await one.done
    return one.bodies


class Line:
    """One connection that takes whatever comes: refusals, errors, and the server's wish to close it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connects, unless it is connected; raises OSError."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=LARGEST_HEAD)
        return self._streams

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; raises OSError or EOFError when the connection breaks."""
        reader, writer = await self.open()
        writer.write(request)
        head = await reader.readuntil(HEAD_END)
        found = LENGTH_VALUE.search(head)
        body = await reader.readexactly(int(found[1]) if found else 0)
        if b"connection: close" in head.lower():
            self.close()
        return int(head[9:12]), body

    def close(self) -> None:
        """Closes the connection; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
