"""The one door through which connectors reach the network: checked addresses, capped sizes, no redirects."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from connectors.addresses import AddressRefused, Approved, Endpoint, Guard, parse
from connectors.alarm import Alarm
from connectors.connections import HttpClient
from connectors.contract import Fault
from connectors.faults import Kind, fault
from connectors.http1 import NoReplyError

LONGEST_WAIT = 3600.0  # seconds of Retry-After that are believed


class Call(NamedTuple):
    """One HTTP request. ``url`` is already percent-encoded; ``deadline`` is in time.monotonic() seconds."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    tls: ssl.SSLContext | None
    max_bytes: int
    deadline: float


class Reply(NamedTuple):
    """What came back, whole. ``retry_after`` is in seconds."""

    status: int
    body: bytes
    retry_after: float | None = None


class Transport:
    """Opens every connection of every connector of a process.

    ``approved`` are the operator's networks and port ranges for agencies; ``own`` are the hub's and its
    database's endpoints, which no connector reaches; ``now`` is the wall clock, for Retry-After dates;
    ``traceparent`` tells an agency whose work it does (W3C Trace Context), if anybody wants to know.
    """

    def __init__(
        self,
        approved: tuple[Approved, ...],
        own: tuple[Endpoint, ...],
        now: Callable[[], datetime],
        traceparent: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._guard = Guard(approved, own)
        self._now = now
        self._traceparent = traceparent
        self._client = HttpClient(self._permitted)
        self._default_tls: ssl.SSLContext | None = None
        self._alarm = Alarm()

    async def send(self, call: Call) -> Reply | Fault:
        """The reply, or why there is none. It raises only when cancelled."""
        if call.deadline <= time.monotonic():
            return fault(Kind.TIMEOUT)
        try:
            with self._alarm.until(call.deadline):
                received = await self._client.send(
                    call.method,
                    call.url,
                    self._headers(call),
                    call.body,
                    call.tls or self._tls_of(call.url),
                    call.max_bytes,
                )
        except NoReplyError as error:
            return fault(error.kind, agency_code=None if error.status is None else str(error.status))
        except OSError as error:
            return _unreached(error)
        except ValueError:
            return fault(Kind.MALFORMED)
        return Reply(received.status, received.body, self._wait(received.headers.get(b"retry-after")))

    async def place(self, host: str, port: int, deadline: float) -> str | Fault:
        """The address of ``host`` to connect to: the first that is permitted, already resolved."""
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return (await self._permitted(host, port))[0]
        except OSError as error:
            return _unreached(error)

    async def reach(self, host: str, port: int, deadline: float) -> Fault | None:
        """Whether a connection to the place can be made."""
        place = await self.place(host, port, deadline)
        if isinstance(place, Fault):
            return place
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                _, writer = await asyncio.open_connection(place, port)
        except OSError as error:
            return _unreached(error)
        writer.close()
        return None

    async def close(self) -> None:
        """Closes every connection that is kept open."""
        await self._client.close()

    def _headers(self, call: Call) -> Mapping[str, str]:
        traceparent = self._traceparent()
        return {"traceparent": traceparent, **call.headers} if traceparent else call.headers

    async def _permitted(self, host: str, port: int) -> Sequence[str]:
        """The addresses, at least one, that a connection to the host may go to: it is not asked for again."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:
            raise OSError("not a host's name") from None
        addresses = dict.fromkeys(parse(str(entry[4][0])) for entry in found)
        permitted = [str(one) for one in addresses if self._guard.permits(one, port)]
        if not permitted:
            raise AddressRefused("not an approved address")
        return permitted

    def _tls_of(self, url: str) -> ssl.SSLContext | None:
        if not url.startswith("https:"):
            return None
        if self._default_tls is None:
            self._default_tls = tls_context(None, None)
        return self._default_tls

    def _wait(self, value: bytes | None) -> float | None:
        """Seconds or an HTTP date (RFC 9110, 10.2.3)."""
        if value is None:
            return None
        header = value.decode("latin-1")
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


def _unreached(error: OSError) -> Fault:
    match error:
        case TimeoutError():
            return fault(Kind.TIMEOUT)
        case AddressRefused():
            return fault(Kind.ADDRESS_REFUSED)
        case _:
            return fault(Kind.UNREACHABLE)
