"""A request that is sent too slowly is refused in time; one that is sent in time is not."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

import pytest
import uvicorn

from hub.command.serve import slow_request_answer
from hub.http.patience import MAX_HEAD_BYTES, patient_protocol

Message = MutableMapping[str, Any]
LIMIT = 0.5


async def echo(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Reads the body and answers with its length; ``/slow`` thinks longer than the limit first."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    if scope["path"] == "/slow":
        await asyncio.sleep(LIMIT * 2)
    body = str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    protocol = patient_protocol(LIMIT, slow_request_answer())
    server = uvicorn.Server(uvicorn.Config(echo, http=protocol, lifespan="off", log_config=None, ws="none"))
    serving = asyncio.create_task(server._serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it by an attribute only
        await asyncio.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving
    listening.close()


async def drip(port: int, data: bytes, pause: float) -> tuple[bytes, float]:
    """Send a byte at a time; the whole answer and the seconds it took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    start = time.monotonic()
    answer = asyncio.create_task(reader.read())
    for byte in data:
        if answer.done():
            break
        with suppress(ConnectionError):
            writer.write(bytes([byte]))
            await writer.drain()
        await asyncio.sleep(pause)
    received = await asyncio.wait_for(answer, 10)
    writer.close()
    return received, time.monotonic() - start


async def exchange(port: int, *parts: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    for part in parts:
        writer.write(part)
        received += await asyncio.wait_for(reader.read(65_536), 10)
    writer.close()
    return received


async def test_a_header_sent_a_byte_at_a_time_is_refused(port: int) -> None:
    answer, seconds = await drip(port, b"POST / HTTP/1.1\r\nHost: hub\r\nX: " + b"y" * 100, 0.05)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"HUB-124" in answer
    assert b"connection: close" in answer
    assert LIMIT <= seconds < LIMIT * 4


async def test_a_body_sent_a_byte_at_a_time_is_refused(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 1000\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    for _ in range(5):
        writer.write(b"a")
        await asyncio.sleep(0.02)
    assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_a_connection_without_a_request_is_closed_without_a_word(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_thinking_takes_as_long_as_it_takes(port: int) -> None:
    assert b"200 OK" in await exchange(port, b"GET /slow HTTP/1.1\r\nHost: hub\r\n\r\n")


async def test_a_kept_connection_has_the_limit_for_each_request(port: int) -> None:
    request = b"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\nab"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(request)
        assert b"200 OK" in await asyncio.wait_for(reader.read(65_536), 10)
        await asyncio.sleep(LIMIT * 0.6)
    writer.write(request[:-1])
    assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_pipelined_requests_are_all_answered(port: int) -> None:
    request = b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n"
    answer = await exchange(port, request * 3, request)
    assert answer.count(b"200 OK") >= 3


async def test_a_head_without_end_is_refused(port: int) -> None:
    head = b"GET / HTTP/1.1\r\nHost: hub\r\nX: " + b"y" * (MAX_HEAD_BYTES + 1)
    assert (await exchange(port, head)).startswith(b"HTTP/1.1 400 ")
