"""How long a client may take to send a request, and what of its head is refused, below the application."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

import httptools
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from hub.http.problems import Problems
from hub.kernel.errors import Code, Problem
from hub.texts import Language, load_texts

MAX_HEAD_BYTES = 65_536
AROUND_HEADER = len(": \r\n")
LINGER = 1.0  # seconds in which a refused client can still read its answer


@dataclass(frozen=True, slots=True)
class Refusals:
    """Whole HTTP answers to requests that no application sees; each closes the connection."""

    slow: bytes
    malformed: bytes
    hostless: bytes
    oversized: bytes


class _RefusedError(Exception):
    """Ends the parsing of a request whose head is refused."""


class PatientProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with one time limit for a request's head and body together.

    Uvicorn alone waits forever (a header sent a byte a second). It counts from the connection's first
    moment, then from each further request's first byte. When the time is over, or when a head is wrong,
    a numbered answer is sent where none has begun, and the connection is closed. Nobody can write to
    the log with wrong requests. What a refused client still sends is dropped for a while before the
    connection is closed, or the answer could be lost on its way (RFC 9112 §9.6). An Upgrade is not heeded
    (RFC 9110 §7.8).
    """

    seconds: ClassVar[float]
    refusals: ClassVar[Refusals]

    limit: asyncio.TimerHandle | None = None
    is_reading_head = True
    head_bytes = 0
    fault = b""
    is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of one request or of several."""
        if self.is_refused:
            return
        if self.limit is None:
            self._start_clock()
        if self.is_reading_head:
            self.head_bytes += len(data)
        self._unset_keepalive_if_required()
        self._parse(data)
        if self.is_reading_head and self.head_bytes > MAX_HEAD_BYTES:
            self._refuse(self.refusals.oversized)

    def _parse(self, data: bytes) -> None:
        self.fault = self.refusals.malformed
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            (read,) = upgrade.args
            if 0 < read < len(data):
                self._parse(data[read:])
        except httptools.HttpParserError:
            self._refuse(self.fault)

    def on_headers_complete(self) -> None:
        """The head is whole; what is raised here ends the parsing."""
        size = len(self.url) + sum(len(name) + len(value) + AROUND_HEADER for name, value in self.headers)
        if size > MAX_HEAD_BYTES:
            self.fault = self.refusals.oversized
            raise _RefusedError
        if not self._names_one_host():
            self.fault = self.refusals.hostless
            raise _RefusedError
        self.is_reading_head = False
        super().on_headers_complete()

    def _names_one_host(self) -> bool:
        """RFC 9112 §3.2; before HTTP/1.1 there was no Host."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        return hosts == 1 or (hosts == 0 and self.parser.get_http_version() == "1.0")

    def on_message_complete(self) -> None:
        """The body is whole; the next head may follow in the same data."""
        self._stop_clock()
        self.is_reading_head, self.head_bytes = True, 0
        super().on_message_complete()

    def _start_clock(self) -> None:
        self.limit = self.loop.call_later(self.seconds, self._lose_patience)

    def _stop_clock(self) -> None:
        if self.limit is not None:
            self.limit.cancel()
            self.limit = None

    def _lose_patience(self) -> None:
        self.limit = None
        if self.transport.is_closing():
            return
        if self.head_bytes > 0 and not self._is_answering():
            self._part_with(self.refusals.slow)
        else:
            self.transport.close()

    def _refuse(self, answer: bytes) -> None:
        """Answers unless that would be taken for the answer to an earlier request."""
        if self.is_refused or self.transport.is_closing():
            return
        if self._is_answering() or (self.is_reading_head and self._is_occupied()):
            self.transport.close()
        else:
            self._part_with(answer)

    def _part_with(self, answer: bytes) -> None:
        """The last words; the client's own end of the connection, or LINGER, closes it."""
        self.is_refused = True
        self._stop_clock()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(answer)
        self.transport.write_eof()
        self.limit = self.loop.call_later(LINGER, self.transport.close)

    def _is_occupied(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and cycle.response_started and not cycle.response_complete


def patient_protocol(time_limit: float) -> type[HttpToolsProtocol]:
    """The protocol with a time limit in seconds."""

    class Limited(PatientProtocol):
        seconds = time_limit
        refusals = refusals_after(time_limit)

    return Limited


def refusals_after(seconds: float) -> Refusals:
    """The answers of a protocol with this time limit."""
    problems = Problems({language: load_texts(language) for language in Language})

    def said(problem: Problem) -> bytes:
        return raw_answer(problems.answer(problem))

    return Refusals(
        slow=said(Problem(Code.REQUEST_TOO_SLOW, {"seconds": f"{seconds:g}"})),
        malformed=said(Problem(Code.HTTP_INVALID, {"rule": "syntax"})),
        hostless=said(Problem(Code.HTTP_INVALID, {"rule": "host"})),
        oversized=said(Problem(Code.HEAD_TOO_LARGE, {"maximum": str(MAX_HEAD_BYTES)})),
    )


def raw_answer(response: Response) -> bytes:
    """A response as the bytes that go over the wire, closing the connection (RFC 9112)."""
    status = HTTPStatus(response.status_code)
    headers = [*response.raw_headers, (b"connection", b"close")]
    head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() + head + b"\r\n" + bytes(response.body)
