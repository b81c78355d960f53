"""An agency that says exactly the bytes it is told to, and a client that asks it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from connectors.connections import HttpClient
from connectors.faults import Kind
from connectors.http1 import NoReplyError, Received
from tests.connectors import services

MOST = 1_000
OK = b"HTTP/1.1 200 OK\r\n"
FINE = OK + b"Content-Length: 4\r\n\r\nfine"
RIGHT = OK + b"Content-Length: 5\r\n\r\nright"
OPEN_ENDED = OK + b"\r\nuntil the end"
END, CUT = None, ""  # of the connection: as it should be, and in the middle
Reply = Sequence[bytes | str | None]


class Agency:
    """A server of bytes: what it says to each request in turn, the last for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.heard = asyncio.Event()
        self.gone = asyncio.Event()
        self.may_speak = asyncio.Event()
        self.may_speak.set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(EOFError, OSError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.requests.append(head + await reader.readexactly(int(length or b"0")))
                self.heard.set()
                await self.may_speak.wait()
                if not await self.say(writer):
                    break
        self.gone.set()
        writer.close()

    async def say(self, writer: asyncio.StreamWriter) -> bool:
        for piece in self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]:
            if not isinstance(piece, bytes):
                if piece is CUT:
                    writer.transport.abort()
                return False
            writer.write(piece)
            await writer.drain()
        return True


Ask = Callable[..., Awaitable[Received]]


@asynccontextmanager
async def asked(agency: Agency) -> AsyncIterator[Ask]:
    async with services.tcp(agency.talk) as port, client_of("127.0.0.1") as client:

        async def ask(method: str = "GET", body: bytes | None = None, **headers: str) -> Received:
            url = f"http://agency.example:{port}/people?a=b"
            async with asyncio.timeout(5):
                return await client.send(method, url, headers, body, None, MOST)

        yield ask


@asynccontextmanager
async def client_of(*addresses: str) -> AsyncIterator[HttpClient]:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    client = HttpClient(resolve)
    try:
        yield client
    finally:
        await client.close()
        assert client._living == set()


async def soon(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), 5)


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def kind_of(reply: Awaitable[Received]) -> Kind:
    with pytest.raises(NoReplyError) as raised:
        await reply
    return raised.value.kind
