"""Writes requests and reads replies of HTTP/1.1 (RFC 9112): what a reply is and where it ends; no sockets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from connectors.faults import Kind

LARGEST_HEAD = 65_536  # bytes of status lines and headers, interim ones included
MOST_HEADERS = 256  # of a reply and its interim ones
MOST_INTERIMS = 16  # before one reply
AROUND_HEADER = len(": \r\n")
PORTS = {"http": 80, "https": 443}
REMEMBERED = 256  # origins, and sets of headers: as many as manifests declare
STANDARD = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "Proofless"}
FRAMING = frozenset({"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding"})
BODILESS = frozenset({"GET", "HEAD"})  # they need no length when they have no body
URL = re.compile(r"(https?://[!-~]+?)([/?][!-~]*)?")
METHOD = re.compile(r"[A-Z]+")
NAME = re.compile(r"[!#-'*+.^_`|~0-9a-z-]+")
UNWRITABLE = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")  # RFC 9110, 5.5


class NoReplyError(Exception):
    """Why a call has no reply; ``status`` is that of a redirect, ``is_unheard`` if not a byte came back."""

    def __init__(self, kind: Kind, status: int | None = None, *, is_unheard: bool = False) -> None:
        self.kind = kind
        self.status = status
        self.is_unheard = is_unheard
        super().__init__(kind.value)


class Received(NamedTuple):
    """A reply, whole. Names of headers are in lower case; repeated ones are joined (RFC 9110, 5.3)."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a URL leads: ``authority`` is what the Host header says."""

    host: str
    port: int
    is_secure: bool
    authority: str


def locate(url: str) -> tuple[Origin, str]:
    """The origin and the request target of an http(s) URL, percent-encoded and without a fragment.

    Raises ValueError, which does not repeat the URL.
    """
    match = URL.fullmatch(url)
    if match is None or "#" in url:
        raise ValueError("not an absolute URL in ASCII")
    target = match[2] or "/"
    return _origin(match[1]), target if target[0] == "/" else f"/{target}"


@lru_cache(REMEMBERED)
def _origin(text: str) -> Origin:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not an absolute URL in ASCII") from None
    if not host or "@" in parts.netloc or "\\" in parts.netloc:
        raise ValueError("not an absolute URL in ASCII")
    usual = PORTS[parts.scheme]
    authority = parts.netloc.removesuffix(f":{usual}")  # RFC 9110, 4.2.3
    return Origin(host, usual if port is None else port, parts.scheme == "https", authority)


def written(
    method: str, origin: Origin, target: str, headers: Mapping[str, str], body: bytes | None
) -> bytes:
    """A request. Raises ValueError for what could be read as another one."""
    if not METHOD.fullmatch(method) or UNWRITABLE.search("".join(headers.values())):
        raise ValueError("not a method, or a control character in a header")
    length = "" if body is None and method in BODILESS else f"Content-Length: {len(body or b'')}\r\n"
    standing, names = _standing(tuple(headers))
    given = "".join([f"{name}: {headers[name]}\r\n" for name in names])
    head = f"{method} {target} HTTP/1.1\r\nHost: {origin.authority}\r\n{standing}{given}{length}\r\n"
    return head.encode() + (body or b"")


@lru_cache(REMEMBERED)
def _standing(given: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What stands in every request, and which of its own headers follow: of one name's, the last."""
    names = {name.lower(): name for name in given}
    if not all(map(NAME.fullmatch, names)) or names.keys() & FRAMING:
        raise ValueError("not a header's name, or one of HTTP's own framing")
    standard = [f"{name}: {value}\r\n" for name, value in STANDARD.items() if name not in names]
    return "".join(standard), tuple(names.values())


class Replies:
    """Reads what comes over one connection, a reply for each request that was told of before."""

    def __init__(self) -> None:
        self.is_reusable = False  # the reply ended where it should, and nothing came after it
        self._parser = HttpResponseParser(self)
        self._outcome: Received | NoReplyError | None = None

    def expect(self, method: str, most: int) -> None:
        """A request by ``method`` is sent, to which at most ``most`` bytes of body may come."""
        self.is_reusable = False
        self._outcome = None
        self._is_without_body = method == "HEAD"
        self._most = most
        self._heard = 0  # bytes
        self._head = 0  # bytes
        self._lines = 0
        self._interims = 0
        self._begin()

    def feed(self, data: bytes) -> Received | NoReplyError | None:
        """What came of the request; None while more must come."""
        self._heard += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._settle(NoReplyError(Kind.MALFORMED))
        if self._outcome is None and self._is_padded():
            self._settle(NoReplyError(Kind.MALFORMED))
        return self._outcome

    def end(self, *, is_clean: bool) -> Received | NoReplyError:
        """What came of the request when nothing more comes; ``is_clean``: the agency ended the connection.

        A body of no declared length ends here (RFC 9112, 6.3); everything else is cut off.
        """
        if not self._has_head:
            return NoReplyError(Kind.UNREACHABLE, is_unheard=not self._heard)
        if is_clean and not {b"content-length", b"transfer-encoding"} & self._headers.keys():
            return self._received()
        return NoReplyError(Kind.MALFORMED)

    def on_message_begin(self) -> None:
        """A second reply to one request is nobody's."""
        if self._outcome is not None:
            self.is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Those that trail a body are dropped: they could change what its head said (RFC 9110, 6.5.1)."""
        if self._has_head or self._outcome is not None:
            return
        self._lines += 1
        self._head += len(name) + len(value) + AROUND_HEADER
        if self._lines > MOST_HEADERS or self._head > LARGEST_HEAD:
            self._settle(NoReplyError(Kind.MALFORMED))
            return
        name = name.lower()
        before = self._headers.get(name)
        self._headers[name] = value if before is None else before + b", " + value

    def on_headers_complete(self) -> None:
        """What will not be taken is refused here, before any of the body."""
        if self._outcome is not None:
            return
        self._status = self._parser.get_status_code()
        length, coding = self._headers.get(b"content-length"), self._headers.get(b"transfer-encoding")
        self._has_head = self._status >= 200
        objection = self._objection(length, coding)
        if objection is not None:
            self._settle(objection)
        elif self._is_without_body or (self._status == 204 and (coding or length not in (None, b"0"))):
            self._settle(self._received())  # a body may still come, wrongly: the connection is not used again

    def on_body(self, body: bytes) -> None:
        """A piece of the body, its chunk's frame taken off."""
        self._size += len(body)
        if self._size <= self._most:
            self._pieces.append(body)
        else:
            self._settle(NoReplyError(Kind.TOO_LARGE))

    def on_message_complete(self) -> None:
        """An interim reply (1xx) only announces the real one."""
        if self._outcome is not None:
            return
        if self._has_head:
            self.is_reusable = self._parser.should_keep_alive()
            self._settle(self._received())
            return
        self._interims += 1
        if self._interims > MOST_INTERIMS:
            self._settle(NoReplyError(Kind.MALFORMED))
        self._begin()

    def _begin(self) -> None:
        self._has_head = False
        self._status = 0
        self._headers: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        self._size = 0  # bytes of body

    def _is_padded(self) -> bool:
        """Whether more comes than a body: an endless head, extensions of chunks, trailers."""
        if not self._has_head:
            return self._heard > LARGEST_HEAD
        return self._heard - self._size > LARGEST_HEAD + self._most

    def _objection(self, length: bytes | None, coding: bytes | None) -> NoReplyError | None:
        """RFC 9112, 6.1 and 6.3; a redirect is followed nowhere, a coding not undone."""
        if self._status < 200:
            is_interim = self._status >= 100 and self._status != 101 and length is None and coding is None
            return None if is_interim else NoReplyError(Kind.MALFORMED)
        if coding is not None and not self._is_chunked(coding):
            return NoReplyError(Kind.MALFORMED)
        if 300 <= self._status < 400:
            return NoReplyError(Kind.ADDRESS_REFUSED, self._status)
        if self._headers.get(b"content-encoding", b"identity").lower() != b"identity":
            return NoReplyError(Kind.MALFORMED)
        if length is not None and int(length) > self._most and not self._is_without_body:
            return NoReplyError(Kind.TOO_LARGE)
        return None

    def _is_chunked(self, coding: bytes) -> bool:
        """Chunked and nothing else, from a server that knows it; a length beside it the parser refuses."""
        return coding.lower() == b"chunked" and self._parser.get_http_version() == "1.1"

    def _received(self) -> Received:
        return Received(self._status, self._headers, b"".join(self._pieces))

    def _settle(self, outcome: Received | NoReplyError) -> None:
        if self._outcome is None:
            self._outcome = outcome
            self._pieces = []
