"""The door to the network: what is not reached, not followed, not trusted and not waited for."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web

from connectors.addresses import endpoints_of
from connectors.contract import Fault
from connectors.transport import Call, Reply, Transport, tls_context
from tests.connectors import samples, services
from tests.connectors.certificates import Authority


def call(
    url: str, seconds: float = 2.0, tls: ssl.SSLContext | None = None, body: bytes | None = None
) -> Call:
    return Call("GET" if body is None else "POST", url, {}, body, tls, 1000, time.monotonic() + seconds)


async def send(one: Call, through: Transport) -> Reply | Fault:
    try:
        return await through.send(one)
    finally:
        await through.close()


def kind(result: Reply | Fault | str) -> str:
    return result.kind if isinstance(result, Fault) else "none"


async def fine(_request: web.Request) -> web.Response:
    return web.Response(text="fine")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"]
)
async def test_nothing_local_is_reached_unless_approved(host: str) -> None:
    asked = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    async with services.http(handle) as port:
        result = await send(call(f"http://{host}:{port}/"), Transport((), (), samples.now))
    assert kind(result) in ("address_refused", "unreachable", "malformed")
    assert not isinstance(result, Reply)
    assert asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_refusals_of_addresses_say_so(host: str) -> None:
    result = await send(call(f"http://{host}:9/"), Transport((), (), samples.now))
    assert kind(result) == "address_refused"
    assert (
        kind(await Transport((), (), samples.now).place(host, 9, time.monotonic() + 1)) == "address_refused"
    )
    assert (
        kind(await Transport((), (), samples.now).reach(host, 9, time.monotonic() + 1) or "x")
        == "address_refused"
    )


async def test_the_hubs_own_port_is_not_reached_though_its_network_is_approved() -> None:
    async with services.http(fine) as port:
        own = Transport(samples.LOCAL, endpoints_of("0.0.0.0", port), samples.now)
        assert kind(await send(call(f"http://127.0.0.1:{port}/"), own)) == "address_refused"
        assert isinstance(await send(call(f"http://127.0.0.1:{port}/"), samples.transport()), Reply)


async def test_a_name_bound_anew_after_the_check_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is checked when the socket is made for it, whatever a name meant before."""
    loop = asyncio.get_running_loop()
    told = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])

    async def rebinding(_host: str, port: int, **_options: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(told), port))]

    monkeypatch.setattr(loop, "getaddrinfo", rebinding)
    through = Transport((), (), samples.now)
    assert await through.place("rebind.example", 80, time.monotonic() + 1) == "93.184.216.34"
    assert kind(await send(call("http://rebind.example:80/"), through)) == "address_refused"


@pytest.mark.parametrize(
    ("written", "name"), [("agency.example", "agency.example"), ("[fd12::1]", "fd12::1")]
)
async def test_the_address_that_was_checked_is_connected_to(
    written: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is asked for once a connection; a second answer would never be heard."""
    asked, hosts = [], []

    async def resolve(host: str, port: int, **_options: object) -> list[object]:
        asked.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port)) for text in ("10.9.9.9", "127.0.0.1")
        ]

    async def handle(request: web.Request) -> web.Response:
        hosts.append(request.headers["Host"])
        return web.Response()

    through = samples.transport()
    async with services.http(handle) as port:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        for _ in range(2):
            assert isinstance(await through.send(call(f"http://{written}:{port}/")), Reply)
        await through.close()
    assert asked == [name]
    assert hosts == [f"{written}:{port}"] * 2


@pytest.mark.parametrize("host", ["no.such.host.invalid", "x" * 80 + ".example"])
async def test_a_name_that_names_nothing(host: str) -> None:
    assert kind(await send(call(f"http://{host}/"), samples.transport())) == "unreachable"
    assert kind(await samples.transport().place(host, 80, time.monotonic() + 2)) == "unreachable"


async def test_a_redirect_is_not_followed() -> None:
    asked = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with services.http(handle) as port:
        result = await send(call(f"http://127.0.0.1:{port}/here"), samples.transport())
    assert isinstance(result, Fault)
    assert (result.kind, result.agency_code) == ("address_refused", "307")
    assert asked == ["/here"]


async def test_sizes_are_capped_declared_or_not() -> None:
    async def declared(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 1001)

    async def exact(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 1000)

    async with services.http(declared) as port:
        assert kind(await send(call(f"http://127.0.0.1:{port}/"), samples.transport())) == "too_large"
    async with services.http(exact) as port:
        reply = await send(call(f"http://127.0.0.1:{port}/"), samples.transport())
    assert isinstance(reply, Reply)
    assert len(reply.body) == 1000


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async def bomb(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=b"x" * 900, headers={"Content-Encoding": "gzip"})

    async with services.http(bomb) as port:
        assert kind(await send(call(f"http://127.0.0.1:{port}/"), samples.transport())) == "malformed"


async def test_a_byte_now_and_then_is_not_waited_for() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        for _ in range(100):
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with services.tcp(drip) as port:
        before = time.monotonic()
        result = await send(call(f"http://127.0.0.1:{port}/", 0.3), samples.transport())
    assert kind(result) in ("timeout", "malformed")
    assert time.monotonic() - before < 1.5


async def test_connecting_is_not_waited_for_longer_than_the_call_may_take(authority: Authority) -> None:
    ended = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        ended.set()

    async with services.tcp(silent) as port:
        url = f"https://localhost:{port}/"
        before = time.monotonic()
        result = await send(call(url, 0.2, tls_context(authority.pem, None)), samples.transport())
        assert kind(result) == "timeout"
        assert time.monotonic() - before < 1.5
        await asyncio.wait_for(ended.wait(), 5)


async def test_resolving_is_not_waited_for_longer_than_the_call_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(_host: str, _port: int, **_options: object) -> list[object]:
        await asyncio.sleep(30)
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    assert kind(await send(call("http://agency.example/", 0.1), samples.transport())) == "timeout"


async def test_nothing_is_asked_when_the_time_is_over() -> None:
    asked = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    through = samples.transport()
    async with services.http(handle) as port:
        assert isinstance(await through.send(call(f"http://127.0.0.1:{port}/in-time")), Reply)
        assert kind(await through.send(call(f"http://127.0.0.1:{port}/late", 0))) == "timeout"
        await through.close()
    assert asked == ["/in-time"]


async def test_a_call_given_up_is_forgotten_by_the_next() -> None:
    """The late reply of the first must not answer the second."""
    may_speak = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        if request.path == "/slow":
            await may_speak.wait()
        return web.Response(text=request.path)

    through = samples.transport()
    async with services.http(handle) as port:
        assert kind(await through.send(call(f"http://127.0.0.1:{port}/slow", 0.2))) == "timeout"
        may_speak.set()
        reply = await through.send(call(f"http://127.0.0.1:{port}/next"))
        await through.close()
    assert isinstance(reply, Reply)
    assert reply.body == b"/next"


async def test_what_is_no_http_is_malformed() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()

    async with services.tcp(nonsense) as port:
        assert kind(await send(call(f"http://127.0.0.1:{port}/"), samples.transport())) == "malformed"


async def test_no_cookie_is_kept() -> None:
    cookies = []

    async def handle(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "session=1; Path=/"})

    through = samples.transport()
    async with services.http(handle) as port:
        for _ in range(2):
            await through.send(call(f"http://127.0.0.1:{port}/"))
        await through.close()
    assert cookies == [None, None]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("99999", 3600.0),
        (format_datetime(samples.now().replace(microsecond=0) + timedelta(seconds=30)), 29.5),
        ("Sun, 01 Jan 2023 00:00:00 GMT", 0.0),
        ("soon", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("-1", None),
    ],
)
async def test_retry_after(header: str, seconds: float | None) -> None:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": header})

    async with services.http(handle) as port:
        reply = await send(call(f"http://127.0.0.1:{port}/"), samples.transport())
    assert isinstance(reply, Reply)
    assert reply.retry_after == seconds


async def test_tls(authority: Authority, tmp_path: Path) -> None:
    async with services.http(fine, authority.server("localhost", tmp_path)) as port:
        url = f"https://localhost:{port}/"
        right = await send(call(url, tls=tls_context(authority.pem, None)), samples.transport())
        unknown = await send(call(url, tls=tls_context(None, None)), samples.transport())
        default = await send(call(url), samples.transport())
        by_address = await send(
            call(f"https://127.0.0.1:{port}/", tls=tls_context(authority.pem, None)), samples.transport()
        )
    assert isinstance(right, Reply)
    assert [kind(unknown), kind(default), kind(by_address)] == ["unreachable"] * 3


async def test_client_certificate(authority: Authority, tmp_path: Path) -> None:
    shown = []

    async def handle(request: web.Request) -> web.Response:
        assert request.transport is not None
        shown.append(request.transport.get_extra_info("peercert")["subject"][0][0][1])
        return web.Response()

    tls = authority.server("localhost", tmp_path, client_needed=True)
    async with services.http(handle, tls) as port:
        url = f"https://localhost:{port}/"
        with_it = tls_context(authority.pem, authority.issue("hub").pem)
        assert isinstance(await send(call(url, tls=with_it), samples.transport()), Reply)
        without = await send(call(url, tls=tls_context(authority.pem, None)), samples.transport())
    assert kind(without) == "unreachable"
    assert shown == ["hub"]


async def test_a_broken_certificate_is_told_when_opening(authority: Authority) -> None:
    with pytest.raises(ssl.SSLError):
        tls_context(authority.pem, "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----")


@pytest.mark.parametrize("traceparent", [None, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
async def test_an_agency_is_told_whose_trace_it_belongs_to(traceparent: str | None) -> None:
    seen: list[str | None] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.headers.get("traceparent"))
        return web.Response(text="{}")

    async with services.http(handle) as port:
        through = Transport(samples.LOCAL, (), samples.now, lambda: traceparent)
        assert isinstance(await send(call(f"http://127.0.0.1:{port}/"), through), Reply)
    assert seen == [traceparent]
