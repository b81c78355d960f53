"""Connections to agencies: which are kept, given up, tried anew and closed, over real sockets."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectors import connections
from connectors.connections import Connection, HttpClient, Place
from connectors.faults import Kind
from connectors.transport import tls_context
from tests.connectors import services
from tests.connectors.certificates import Authority
from tests.connectors.wire.agency import (
    CUT,
    END,
    FINE,
    MOST,
    OK,
    OPEN_ENDED,
    RIGHT,
    Agency,
    Reply,
    asked,
    client_of,
    kind_of,
    soon,
    until,
)


async def test_a_connection_is_kept() -> None:
    agency = Agency([FINE])
    async with asked(agency) as ask:
        assert [(await ask()).body, (await ask("POST", b"{}")).body, (await ask("POST")).status] == [
            b"fine",
            b"fine",
            200,
        ]
    assert len(agency.writers) == 1
    assert [one.partition(b" ")[0] for one in agency.requests] == [b"GET", b"POST", b"POST"]
    assert agency.requests[1].endswith(b"\r\nContent-Length: 2\r\n\r\n{}")


@pytest.mark.parametrize(
    "reply",
    [
        [OK + b"Connection: close\r\nContent-Length: 4\r\n\r\nfine"],
        [b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine"],
        [OK + b"Keep-Alive: timeout=1, max=100\r\nContent-Length: 4\r\n\r\nfine"],
        [OK + b"\r\nfine", END],
        [FINE + RIGHT],
        [FINE + b"\r\nrubbish"],
    ],
)
async def test_a_connection_that_cannot_be_trusted_is_not_kept(reply: Reply) -> None:
    agency = Agency(reply)
    async with asked(agency) as ask:
        assert [(await ask()).body, (await ask()).body] == [b"fine", b"fine"]
    assert len(agency.writers) == 2


async def test_what_comes_without_being_asked_for_answers_nobody() -> None:
    agency = Agency([FINE], [RIGHT])
    async with asked(agency) as ask:
        await ask()
        agency.writers[0].write(OK + b"Content-Length: 5\r\n\r\nwrong")
        await soon(agency.gone)
        assert (await ask()).body == b"right"
    assert len(agency.writers) == 2


@pytest.mark.parametrize(
    ("method", "requests"), [("GET", 3), ("HEAD", 3), ("POST", 2), ("PUT", 2), ("DELETE", 2)]
)
async def test_a_connection_given_up_meanwhile_is_tried_anew_only_for_what_is_safe(
    method: str, requests: int
) -> None:
    agency = Agency([FINE], [END], [RIGHT])
    async with asked(agency) as ask:
        await ask()
        if requests == 3:
            assert (await ask(method)).status == 200
        else:
            assert await kind_of(ask(method)) is Kind.UNREACHABLE
    assert len(agency.requests) == requests


async def test_nothing_is_tried_a_third_time_nor_what_was_begun_to_be_answered() -> None:
    for replies, requests in (([[FINE], [END]], 3), ([[FINE], [b"H", END]], 2), ([[END]], 1)):
        agency = Agency(*replies)
        async with asked(agency) as ask:
            if len(replies) > 1:
                await ask()
            assert await kind_of(ask()) is Kind.UNREACHABLE
        assert len(agency.requests) == requests


async def test_a_connection_that_is_closed_while_nobody_uses_it_is_not_used() -> None:
    agency = Agency([FINE, END], [RIGHT])
    async with services.tcp(agency.talk) as port, client_of("127.0.0.1") as client:
        url = f"http://127.0.0.1:{port}/"
        await client.send("POST", url, {}, None, None, MOST)
        await until(lambda: not client._living)
        assert (await client.send("POST", url, {}, None, None, MOST)).body == b"right"
    assert len(agency.requests) == 2


async def test_who_is_cancelled_ends_the_connection() -> None:
    agency = Agency([FINE])
    agency.may_speak.clear()
    async with asked(agency) as ask:
        going = asyncio.ensure_future(ask())
        await soon(agency.heard)
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
        agency.may_speak.set()
        await soon(agency.gone)
        assert (await ask()).body == b"fine"
    assert len(agency.writers) == 2


async def test_closing_ends_calls_and_connections_and_nothing_is_sent_later() -> None:
    agency = Agency([FINE], [OK + b"\r\nhalf"])
    async with services.tcp(agency.talk) as port, client_of("127.0.0.1") as client:
        url = f"http://127.0.0.1:{port}/"
        await client.send("GET", url, {}, None, None, MOST)
        going = asyncio.create_task(client.send("GET", url, {}, None, None, MOST))
        await until(lambda: any(one._replies._pieces for one in client._living))
        await client.close()
        assert await kind_of(going) is Kind.MALFORMED
        assert await kind_of(client.send("GET", url, {}, None, None, MOST)) is Kind.UNREACHABLE
    assert (len(agency.requests), len(agency.writers)) == (2, 1)


async def test_a_call_that_was_ended_by_closing_is_not_tried_anew() -> None:
    agency = Agency([FINE])
    async with services.tcp(agency.talk) as port, client_of("127.0.0.1") as client:
        url = f"http://127.0.0.1:{port}/"
        await client.send("GET", url, {}, None, None, MOST)
        agency.may_speak.clear()
        agency.heard.clear()
        going = asyncio.create_task(client.send("GET", url, {}, None, None, MOST))
        await soon(agency.heard)
        await client.close()
        assert await kind_of(going) is Kind.UNREACHABLE
        agency.may_speak.set()
        await soon(agency.gone)
    assert (len(agency.requests), len(agency.writers)) == (2, 1)


async def test_the_next_address_is_tried() -> None:
    agency = Agency([FINE])
    async with services.tcp(agency.talk) as port, client_of("127.0.0.2", "::1", "127.0.0.1") as client:
        received = await client.send("GET", f"http://agency.example:{port}/", {}, None, None, MOST)
    assert received.body == b"fine"
    assert b"Host: agency.example:%d\r\n" % port in agency.requests[0]


async def test_no_address_answers() -> None:
    async with client_of("127.0.0.2", "127.0.0.3") as client:
        with pytest.raises(ConnectionRefusedError):
            await client.send("GET", "http://agency.example:1/", {}, None, None, MOST)


async def test_the_faster_of_two_addresses_is_used_and_the_other_given_up(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first accepts and then says nothing, so that its TLS never begins."""
    monkeypatch.setattr(connections, "NEXT_ADDRESS", 0.05)
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()
        writer.close()

    agency = Agency([FINE])
    tls = authority.server("agency.example", tmp_path)
    async with services.tcp(silent) as port:
        server = await asyncio.start_server(agency.talk, "127.0.0.2", port, ssl=tls)
        async with client_of("127.0.0.1", "127.0.0.2") as client:
            async with asyncio.timeout(5):
                url = f"https://agency.example:{port}/"
                received = await client.send("GET", url, {}, None, tls_context(authority.pem, None), MOST)
                await gone.wait()
        await soon(agency.gone)
        server.close()
    assert received.body == b"fine"


async def test_of_two_connections_made_at_once_one_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "NEXT_ADDRESS", 0.01)
    go = asyncio.Event()
    begun = []

    async def attempt(client: HttpClient, place: Place) -> Connection:
        begun.append(connection := await client._open(place, "127.0.0.1"))
        await go.wait()
        return connection

    async with services.tcp(Agency([FINE]).talk) as port, client_of("127.0.0.1") as client:
        attempts = [attempt(client, Place("agency.example", port, None)) for _ in range(2)]
        first = asyncio.create_task(connections.first_of(attempts))
        await until(lambda: len(begun) == 2)
        go.set()
        used = await first
        await until(lambda: client._living == {used})


async def test_what_nobody_needs_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "KEEP_ALIVE", 0.05)
    agency = Agency([FINE])
    async with asked(agency) as ask:
        await ask()
        await soon(agency.gone)
        assert (await ask()).body == b"fine"


@pytest.mark.parametrize(("bound", "kept"), [("KEPT_BY_PLACE", 2), ("KEPT_IN_ALL", 3)])
async def test_no_more_is_kept_than_may_be(bound: str, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, bound, kept)
    agencies = Agency([FINE]), Agency([FINE])
    async with (
        services.tcp(agencies[0].talk) as one,
        services.tcp(agencies[1].talk) as other,
        client_of("127.0.0.1") as client,
    ):
        for port in (one, other):
            calls = [client.send("GET", f"http://a.b:{port}/", {}, None, None, MOST) for _ in range(4)]
            await asyncio.gather(*calls)
        expected = [one, one, other, other] if bound == "KEPT_BY_PLACE" else [other] * 3
        await until(lambda: sorted(living.place.port for living in client._living) == sorted(expected))
    assert [len(agency.writers) for agency in agencies] == [4, 4]


async def test_connections_of_one_certificate_are_not_used_with_another(
    authority: Authority, tmp_path: Path
) -> None:
    agency = Agency([FINE])
    server = authority.server("localhost", tmp_path, client_needed=True)
    async with secured(agency, server) as port, client_of("127.0.0.1") as client:
        contexts = [tls_context(authority.pem, authority.issue(name).pem) for name in ("a", "b")]
        for context in (*contexts, *contexts):
            await client.send("GET", f"https://localhost:{port}/", {}, None, context, MOST)
    shown = [writer.get_extra_info("peercert")["subject"][0][0][1] for writer in agency.writers]
    assert (shown, len(agency.requests)) == (["a", "b"], 4)


@pytest.mark.parametrize("name", ["localhost", "localhost.", "127.0.0.1"])
async def test_the_certificate_is_the_names(name: str, authority: Authority, tmp_path: Path) -> None:
    agency = Agency([FINE])
    context = tls_context(authority.pem, None)
    for shown in (name.rstrip("."), "agency.example"):
        async with (
            secured(agency, authority.server(shown, tmp_path)) as port,
            client_of("127.0.0.1") as client,
        ):
            calling = client.send("GET", f"https://{name}:{port}/", {}, None, context, MOST)
            if shown == "agency.example":
                with pytest.raises(ssl.SSLCertVerificationError):
                    await calling
            else:
                assert (await calling).body == b"fine"
    assert len(agency.requests) == 1


async def test_https_without_a_context_is_not_asked() -> None:
    async with client_of("127.0.0.1") as client:
        with pytest.raises(ValueError, match="TLS"):
            await client.send("GET", "https://agency.example:1/", {}, None, None, MOST)


@pytest.mark.asyncio(loop_factories=["uvloop"])  # asyncio's own does not tell one end from the other
@pytest.mark.parametrize(("last", "expected"), [(END, b"until the end"), (CUT, Kind.MALFORMED)])
async def test_over_tls_only_the_agency_can_end_a_body(
    last: str | None, expected: bytes | Kind, authority: Authority, tmp_path: Path
) -> None:
    """An end without close_notify may be anybody's (RFC 9112, 9.8)."""
    agency = Agency([OPEN_ENDED, last])
    context = tls_context(authority.pem, None)
    async with (
        secured(agency, authority.server("localhost", tmp_path)) as port,
        client_of("127.0.0.1") as client,
    ):
        calling = client.send("GET", f"https://localhost:{port}/", {}, None, context, MOST)
        if isinstance(expected, Kind):
            assert await kind_of(calling) is expected
        else:
            assert (await calling).body == expected


async def test_a_reply_before_the_request_was_read_is_the_last() -> None:
    """What is left of the request would be the beginning of the next one."""
    taken = []

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(30)

    async with services.tcp(hasty) as port, client_of("127.0.0.1") as client:
        for _ in range(2):
            body = b"x" * 20_000_000
            received = await client.send("POST", f"http://127.0.0.1:{port}/", {}, body, None, MOST)
            assert received.status == 413
    assert len(taken) == 2


async def test_no_url_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    agency = Agency([FINE], [b"rubbish"])
    async with services.tcp(agency.talk) as port, client_of("127.0.0.1") as client:
        url = f"http://127.0.0.1:{port}/people?id=370303199001011234"
        await client.send("GET", url, {}, None, None, MOST)
        assert await kind_of(client.send("GET", url, {}, None, None, MOST)) is Kind.MALFORMED
        with pytest.raises(ConnectionRefusedError) as raised:
            await client.send("GET", url.replace(str(port), "1"), {}, None, None, MOST)
    assert "370303" not in caplog.text + str(raised.value)


@asynccontextmanager
async def secured(agency: Agency, tls: ssl.SSLContext) -> AsyncIterator[int]:
    """The agency over TLS; gives its port."""
    server = await asyncio.start_server(agency.talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in agency.writers:
            writer.transport.abort()
        await asyncio.sleep(0.02)
