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
    protocol = patient_protocol(LIMIT)
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
    assert f"within {LIMIT:g} seconds".encode() in answer
    assert b"connection: close" in answer
    assert LIMIT <= seconds < LIMIT * 4


async def test_a_refused_client_that_goes_on_sending_still_reads_why(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"nonsense\r\n\r\n")
    for _ in range(5):
        await asyncio.sleep(0.02)
        writer.write(b"more\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    writer.close()


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


LONG = b"y" * (MAX_HEAD_BYTES + 1)
HEADS = {
    "a head without end": (b"GET / HTTP/1.1\r\nHost: hub\r\nX: " + LONG, 431, b"HUB-151"),
    "a long header": (b"GET / HTTP/1.1\r\nHost: hub\r\nX: " + LONG + b"\r\n\r\n", 431, b"HUB-151"),
    "a long address": (b"GET /" + LONG + b" HTTP/1.1\r\nHost: hub\r\n\r\n", 431, b"HUB-151"),
    "many headers": (
        b"GET / HTTP/1.1\r\nHost: hub\r\n" + b"X: y\r\n" * (MAX_HEAD_BYTES // 6 + 1) + b"\r\n",
        431,
        b"HUB-151",
    ),
    "a method that is none": (b"BREW / HTTP/1.1\r\nHost: hub\r\n\r\n", 400, b"HUB-150"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400, b"HUB-150"),
    "two lengths": (
        b"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        400,
        b"HUB-150",
    ),
    "a length and chunks": (
        b"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        b"HUB-150",
    ),
    "a chunk that is none": (
        b"POST / HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        400,
        b"HUB-150",
    ),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400, b"exactly one header Host"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: hub\r\nHost: other\r\n\r\n", 400, b"exactly one header Host"),
}


@pytest.mark.parametrize(("head", "status", "words"), HEADS.values(), ids=HEADS.keys())
async def test_a_wrong_head_gets_a_numbered_answer(
    port: int, head: bytes, status: int, words: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert words in answer
    assert b"content-type: application/problem+json" in answer.lower()
    assert answer.count(b"HTTP/1.1 ") == 1
    assert caplog.messages == []


async def test_a_head_of_the_largest_size_is_read(port: int) -> None:
    start = b"GET / HTTP/1.1\r\nHost: hub\r\nX: "
    rest = MAX_HEAD_BYTES - len("/") - len("Host: hub\r\n") - len("X: \r\n")
    assert b"200 OK" in await exchange(port, start + b"y" * rest + b"\r\n\r\n")


async def test_before_http_1_1_there_was_no_host(port: int) -> None:
    assert b"200 OK" in await exchange(port, b"GET / HTTP/1.0\r\n\r\n")


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
async def test_an_upgrade_is_not_heeded_and_leaves_no_trace(
    port: int, protocol: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade = b"GET / HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n"
    plain = b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n"
    assert (await exchange(port, upgrade, plain)).count(b"200 OK") == 2
    assert (await exchange(port, upgrade + plain, plain)).count(b"200 OK") >= 2
    assert caplog.messages == []


async def test_a_wrong_request_behind_another_is_not_taken_for_its_answer(port: int) -> None:
    slow = b"GET /slow HTTP/1.1\r\nHost: hub\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(slow + b"BREW / HTTP/1.1\r\n\r\n")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
