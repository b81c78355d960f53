"""How long a client may take to send a request, and how large its head may be, below the application."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import ClassVar

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD_BYTES = 65_536


class PatientProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with one time limit for a request's head and body together.

    Uvicorn alone waits forever (a header sent a byte a second). It counts from the connection's first
    moment, then from each further request's first byte. When the time is over, ``refusal``, a whole
    HTTP answer, is sent where none has begun, and the connection is closed.
    """

    seconds: ClassVar[float]
    refusal: ClassVar[bytes]

    limit: asyncio.TimerHandle | None = None
    is_reading_head = True
    head_bytes = 0

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
        if self.limit is None:
            self._start_clock()
        if self.is_reading_head:
            self.head_bytes += len(data)
        super().data_received(data)
        if self.is_reading_head and self.head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The request's head is too large.")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.is_reading_head = False
        super().on_headers_complete()

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
            self.transport.write(self.refusal)
        self.transport.close()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and cycle.response_started and not cycle.response_complete


def patient_protocol(time_limit: float, answer: bytes) -> type[HttpToolsProtocol]:
    """The protocol with a time limit in seconds, and the whole HTTP answer to whom it runs out."""

    class Limited(PatientProtocol):
        seconds = time_limit
        refusal = answer

    return Limited


def raw_answer(response: Response) -> bytes:
    """A response as the bytes that go over the wire, closing the connection (RFC 9112)."""
    status = HTTPStatus(response.status_code)
    headers = [*response.raw_headers, (b"connection", b"close")]
    head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() + head + b"\r\n" + bytes(response.body)
