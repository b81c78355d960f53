"""The one door through which connectors reach the network: checked addresses, capped sizes, no redirects."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from connectors.addresses import AddressRefused, Approved, Endpoint, Guard, parse
from connectors.contract import Fault
from connectors.faults import Kind, fault

KEEP_ALIVE = 30.0  # seconds
LONGEST_WAIT = 3600.0  # seconds of Retry-After that are believed


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. ``url`` is already percent-encoded; ``deadline`` is in time.monotonic() seconds."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    tls: ssl.SSLContext | None
    max_bytes: int
    deadline: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole. ``retry_after`` is in seconds."""

    status: int
    body: bytes
    retry_after: float | None = None


class Transport:
    """Opens every connection of every connector of a process.

    ``approved`` are the operator's networks and port ranges for agencies; ``own`` are the hub's and its
    database's endpoints, which no connector reaches; ``now`` is the wall clock, for Retry-After dates.
    """

    def __init__(
        self, approved: tuple[Approved, ...], own: tuple[Endpoint, ...], now: Callable[[], datetime]
    ) -> None:
        self._guard = Guard(approved, own)
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    async def send(self, call: Call) -> Reply | Fault:
        """The reply, or why there is none. It raises only when cancelled."""
        try:
            async with asyncio.timeout(call.deadline - time.monotonic()):
                return await self._exchange(call)
        except TimeoutError:
            return fault(Kind.TIMEOUT)
        except (aiohttp.ClientError, ValueError, OSError) as error:
            return fault(_kind_of(error))

    async def place(self, host: str, port: int, deadline: float) -> str | Fault:
        """The address of ``host`` to connect to: the first that is permitted, already resolved."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            return fault(Kind.TIMEOUT)
        except OSError:
            return fault(Kind.UNREACHABLE)
        addresses = [str(entry[4][0]) for entry in found]
        permitted = [text for text in addresses if self._guard.permits(parse(text), port)]
        return permitted[0] if permitted else fault(Kind.ADDRESS_REFUSED)

    async def reach(self, host: str, port: int, deadline: float) -> Fault | None:
        """Whether a connection to the place can be made."""
        place = await self.place(host, port, deadline)
        if isinstance(place, Fault):
            return place
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                _, writer = await asyncio.open_connection(place, port)
        except TimeoutError:
            return fault(Kind.TIMEOUT)
        except OSError:
            return fault(Kind.UNREACHABLE)
        writer.close()
        return None

    async def close(self) -> None:
        """Closes every connection that is kept open."""
        if self._session is not None:
            await self._session.close()

    async def _exchange(self, call: Call) -> Reply | Fault:
        async with self._open_session().request(
            call.method,
            URL(call.url, encoded=True),
            headers={"Accept-Encoding": "identity", **call.headers},
            data=call.body,
            ssl=call.tls or True,
            allow_redirects=False,
        ) as response:
            if 300 <= response.status < 400:
                return fault(Kind.ADDRESS_REFUSED, agency_code=str(response.status))
            if response.headers.get("Content-Encoding", "identity") != "identity":
                return fault(Kind.MALFORMED)
            body = await _read_capped(response, call.max_bytes)
            if body is None:
                return fault(Kind.TOO_LARGE)
            return Reply(response.status, body, self._wait(response.headers.get("Retry-After")))

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    use_dns_cache=False,
                    keepalive_timeout=KEEP_ALIVE,
                    socket_factory=self._open_socket,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    def _open_socket(self, where: aiohttp.connector.AddrInfoType) -> socket.socket:
        """Checks the very address about to be connected to, so that no name can be bound anew in between."""
        family, kind, protocol, _, address = where
        if not self._guard.permits(parse(str(address[0])), int(address[1])):
            raise AddressRefused("not an approved address")
        return socket.socket(family, kind, protocol)

    def _wait(self, header: str | None) -> float | None:
        """Seconds or an HTTP date (RFC 9110, 10.2.3)."""
        if header is None:
            return None
        if header.isascii() and header.isdigit() and len(header) < 10:
            return min(float(header), LONGEST_WAIT)
        try:
            until = parsedate_to_datetime(header)
            until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
            return min(max((until - self._now()).total_seconds(), 0.0), LONGEST_WAIT)
        except (ValueError, OverflowError):
            return None


class NamedContext(ssl.SSLContext):
    """Checks a certificate against the declared name although the connection goes to a resolved address."""

    name: str | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As ssl.SSLContext does, for the declared name."""
        return super().wrap_bio(incoming, outgoing, server_side, self.name or server_hostname, session)


def tls_context(ca: str | None, certificate: str | None, name: str | None = None) -> ssl.SSLContext:
    """A verifying context (TLS 1.2 or newer).

    ``ca``: PEM of the authorities, None for the system's. ``certificate``: PEM of the client's certificate
    and key. ``name``: the declared name, where the connection goes to a resolved address. Raises ssl.SSLError
    when a PEM cannot be read.
    """
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.name = name
    if ca is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=ca)
    if certificate is not None:
        _load_certificate(context, certificate)
    return context


def _load_certificate(context: ssl.SSLContext, certificate: str) -> None:
    """The ssl module reads keys only from files: one in memory, which is on no disk."""
    descriptor = os.memfd_create("client-certificate")
    try:
        os.write(descriptor, certificate.encode())
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


async def _read_capped(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    if (response.content_length or 0) > most:
        return None
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > most:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _kind_of(error: Exception) -> Kind:
    match error:
        case aiohttp.ClientConnectorError(os_error=AddressRefused()):
            return Kind.ADDRESS_REFUSED
        case aiohttp.ClientConnectionError():
            return Kind.UNREACHABLE
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError() | ValueError():
            return Kind.MALFORMED
        case _:
            return Kind.UNREACHABLE
