"""The door to the network: which addresses are open, what is not followed, not trusted and not waited for."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from datetime import timedelta
from email.utils import format_datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import web

from connectors.addresses import Endpoint, Guard, endpoints_of, parse
from connectors.contract import Fault
from connectors.transport import Call, Reply, Transport, tls_context
from tests.connectors import samples, services
from tests.connectors.certificates import Authority

APPROVED = (
    (ip_network("10.20.0.0/16"), (range(443, 444), range(8000, 8101))),
    (ip_network("fd12::/64"), (range(443, 444),)),
)
OWN = (Endpoint(parse("10.20.0.5"), 443), Endpoint(None, 8050))


@pytest.mark.parametrize(
    ("address", "port", "permitted"),
    [
        ("8.8.8.8", 443, True),
        ("2606:4700::1111", 443, True),
        ("10.20.1.1", 443, True),
        ("10.20.1.1", 8100, True),
        ("10.20.1.1", 8101, False),
        ("10.20.1.1", 22, False),
        ("10.21.1.1", 443, False),
        ("::ffff:10.20.1.1", 443, True),
        ("::ffff:10.21.1.1", 443, False),
        ("fd12::1", 443, True),
        ("fd13::1", 443, False),
        ("127.0.0.1", 443, False),
        ("::1", 443, False),
        ("::ffff:127.0.0.1", 443, False),
        ("0.0.0.0", 443, False),
        ("::", 443, False),
        ("169.254.169.254", 80, False),
        ("::ffff:169.254.169.254", 80, False),
        ("::169.254.169.254", 80, False),
        ("64:ff9b::a9fe:a9fe", 80, False),
        ("2002:a9fe:a9fe::", 80, False),
        ("2002:7f00:1::", 80, False),
        ("fd00:ec2::254", 80, False),
        ("100.100.100.200", 80, False),
        ("168.63.129.16", 80, False),
        ("fe80::1%eth0", 443, False),
        ("fec0::1", 443, False),
        ("100.64.0.1", 443, False),
        ("224.0.0.1", 443, False),
        ("255.255.255.255", 443, False),
        ("10.20.0.5", 443, False),
        ("10.20.0.5", 8000, True),
        ("64:ff9b:1::808:808", 443, False),  # NAT64 of one's own choice: nobody can tell whom it means
        ("::ffff:0:8.8.8.8", 443, True),  # SIIT's IPv4-translated form
        ("::ffff:0:127.0.0.1", 443, False),
        ("::ffff:0:169.254.169.254", 80, False),
        ("::ffff:0:10.20.1.1", 443, True),
        ("::ffff:0:10.20.0.5", 443, False),
        ("64:ff9b::8.8.8.8", 443, True),
        ("2002:808:808::", 443, True),
        ("2001:0:808:808::80ff:fffe", 443, False),  # Teredo, its client 127.0.0.1
        ("2001:0:808:808::f7f7:f7f7", 443, False),  # Teredo, its client 8.8.8.8
        ("5f00::1", 443, False),  # segment routing
        ("3fff::1", 443, False),  # documentation
        ("2001:db8::1", 443, False),
        ("2001:2::1", 443, False),  # benchmarking
        ("4000::1", 443, False),  # handed out to nobody
        ("100::1", 443, False),  # discarded
        ("192.88.99.1", 443, False),  # relays of 6to4
        ("2002:c058:6301::", 443, False),
        ("240.0.0.1", 443, False),
    ],
)
def test_addresses(address: str, port: int, permitted: bool) -> None:
    assert Guard(APPROVED, OWN).permits(parse(address), port) is permitted


def test_what_must_never_be_reached_cannot_be_approved() -> None:
    everything = ((ip_network("0.0.0.0/0"), (range(1, 65_536),)), (ip_network("::/0"), (range(1, 65_536),)))
    guard = Guard(everything, (Endpoint(None, 8300), Endpoint(parse("192.168.7.7"), 5432)))
    for address, port in [
        ("169.254.169.254", 80),
        ("fd00:ec2::254", 80),
        ("0.0.0.0", 80),
        ("127.0.0.1", 8300),
        ("127.9.9.9", 8300),
        ("::1", 8300),
        ("::ffff:127.0.0.1", 8300),
        ("192.168.7.7", 5432),
        ("64:ff9b:1::c0a8:708", 5432),
        ("::ffff:0:127.0.0.1", 8300),
        ("::ffff:0:192.168.7.7", 5432),
        ("2001:0:808:808::3f57:f8f8", 5432),
    ]:
        assert not guard.permits(parse(address), port), address
    assert guard.permits(parse("127.0.0.1"), 8301)
    assert guard.permits(parse("192.168.7.8"), 5432)


def test_an_endpoint_at_one_loopback_address_closes_them_all() -> None:
    guard = Guard(samples.LOCAL, endpoints_of("127.0.0.1", 8300))
    assert not guard.permits(parse("127.0.0.2"), 8300)
    assert not guard.permits(parse("::1"), 8300)
    assert guard.permits(parse("127.0.0.2"), 8301)


def test_endpoints() -> None:
    assert endpoints_of("0.0.0.0", 1) == (Endpoint(None, 1),)
    assert endpoints_of("10.1.2.3", 5432) == (Endpoint(parse("10.1.2.3"), 5432),)
    assert endpoints_of("no.such.host.invalid", 5432) == ()


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
