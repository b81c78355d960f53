"""Requests that can be read in one way only, and replies as they may come: cut, padded, doubled, forged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.faults import Kind
from connectors.http1 import (
    LARGEST_HEAD,
    MOST_HEADERS,
    MOST_INTERIMS,
    NoReplyError,
    Received,
    Replies,
    locate,
    written,
)

MOST = 1_000
OK = b"HTTP/1.1 200 OK\r\n"
FINE = OK + b"Content-Length: 4\r\n\r\nfine"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
NEVER = object()  # more is waited for


def came(*pieces: bytes, method: str = "GET", is_clean: bool | None = None) -> tuple[object, bool]:
    """What came of one request, and whether its connection may be used again."""
    replies = Replies()
    replies.expect(method, MOST)
    outcome: object = None
    for piece in pieces:
        outcome = outcome or replies.feed(piece)
    if outcome is None and is_clean is not None:
        outcome = replies.end(is_clean=is_clean)
    match outcome:
        case Received(status, _, body):
            return (status, body), replies.is_reusable
        case NoReplyError(kind=kind):
            return kind, replies.is_reusable
    return NEVER, replies.is_reusable


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (FINE, (200, b"fine")),
        (OK + b"Content-Length: 0\r\n\r\n", (200, b"")),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", (404, b"")),
        (b"HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", (503, b"")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", (204, b"")),
        (CHUNKED + b"\r\n2;x=y\r\nfi\r\n2\r\nne\r\n0\r\nT: z\r\n\r\n", (200, b"fine")),
        (OK + b"transfer-encoding: Chunked\r\n\r\n0\r\n\r\n", (200, b"")),
        (INTERIM + b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + FINE, (200, b"fine")),
        (INTERIM * MOST_INTERIMS + FINE, (200, b"fine")),
        (OK + b"A: x\r\n" * (MOST_HEADERS - 1) + b"Content-Length: 0\r\n\r\n", (200, b"")),
        (OK + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000, (200, b"x" * 1000)),
        (OK + b"Content-Encoding: Identity\r\nContent-Length: 4\r\n\r\nfine", (200, b"fine")),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nfine", (200, b"fine")),
    ],
)
def test_a_reply_after_which_the_connection_serves_again(reply: bytes, expected: object) -> None:
    assert came(reply) == (expected, True)
    assert came(*(reply[at : at + 1] for at in range(len(reply)))) == (expected, True)


@pytest.mark.parametrize(
    "reply",
    [
        OK + b"Connection: close\r\nContent-Length: 4\r\n\r\nfine",
        OK + b"Connection: x, Close\r\nContent-Length: 4\r\n\r\nfine",
        b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine",
        FINE + FINE,
        FINE + b"H",
        FINE + b"\r\nrubbish",
        FINE + b"\0",
        CHUNKED + b"\r\n4\r\nfine\r\n0\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_reply_after_which_the_connection_is_not_trusted(reply: bytes) -> None:
    assert came(reply) == ((200, b"fine"), False)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_body_that_cannot_be_ends_the_connection(head: bytes) -> None:
    assert came(head) == ((204, b""), False)


@pytest.mark.parametrize(
    "length", [b"Content-Length: 5000\r\n\r\n", b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
def test_a_reply_to_head_has_no_body_whatever_its_head_says(length: bytes) -> None:
    assert came(OK + length, method="HEAD") == ((200, b""), False)


@pytest.mark.parametrize(
    "reply",
    [
        OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nfine",
        OK + b"Content-Length: 4, 5\r\n\r\nfine",
        OK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        OK + b"Content-Length: -4\r\n\r\nfine",
        OK + b"Content-Length: +4\r\n\r\nfine",
        OK + b"Content-Length: 0x4\r\n\r\nfine",
        OK + b"Content-Length:\r\n\r\nfine",
        OK + b"Content-Length : 4\r\n\r\nfine",
        OK + b"Content-Length: 99999999999999999999999\r\n\r\n",
        OK + b"Content-Length: " + b"0" * 5000 + b"4\r\n\r\nfine",
        OK + b"Transfer-Encoding: gzip\r\n\r\nfine",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        CHUNKED + b"\r\n0x4\r\nfine\r\n0\r\n\r\n",
        CHUNKED + b"\r\n4\nfine\r\n0\r\n\r\n",
        CHUNKED + b"\r\nfffffffffffffffff\r\nfine\r\n0\r\n\r\n",
        CHUNKED + b"\r\n4\r\nfiness\r\n0\r\n\r\n",
        OK + b"Content-Encoding: br\r\nContent-Length: 4\r\n\r\nfine",
        OK + b"A: b\r\n c\r\nContent-Length: 4\r\n\r\nfine",
        OK + b"A: b\rc\r\nContent-Length: 4\r\n\r\nfine",
        OK + b"A: b\nContent-Length: 4\r\n\r\nfine",
        OK + b"A\0: b\r\nContent-Length: 4\r\n\r\nfine",
        b"HTTP/1.1 099 Odd\r\nContent-Length: 4\r\n\r\nfine",
        b"HTTP/1.1 2000 Odd\r\nContent-Length: 4\r\n\r\nfine",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n" + FINE,
        b"HTTP/1.1 100 Continue\r\nContent-Length: 4\r\n\r\n" + FINE,
        b"HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n" + FINE,
        INTERIM * (MOST_INTERIMS + 1) + FINE,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        OK + b"A: " + b"x" * LARGEST_HEAD,
        OK + b"A: " + b"x" * LARGEST_HEAD + b"\r\nContent-Length: 0\r\n\r\n",
        OK + b"A: x\r\n" * MOST_HEADERS + b"Content-Length: 0\r\n\r\n",
    ],
)
def test_what_is_no_reply(reply: bytes) -> None:
    assert came(reply) == (Kind.MALFORMED, False)


@pytest.mark.parametrize(
    "reply",
    [
        OK + b"Content-Length: 1001\r\n\r\n",
        CHUNKED + b"\r\n3e9\r\n" + b"x" * 1001,
        CHUNKED + b"\r\n" + b"1\r\nx\r\n" * 1001,
        OK + b"\r\n" + b"x" * 1001,
    ],
)
def test_a_body_is_too_large_as_soon_as_that_is_known(reply: bytes) -> None:
    assert came(reply) == (Kind.TOO_LARGE, False)


@pytest.mark.parametrize(
    "padding", [b"1;" + b"x" * 200_000, b"0\r\n" + b"T: x\r\n" * 40_000, b"0\r\nT: " + b"x" * 200_000]
)
def test_what_is_no_body_is_not_listened_to_for_ever(padding: bytes) -> None:
    assert came(CHUNKED + b"\r\n", padding) == (Kind.MALFORMED, False)


def test_a_redirect_tells_its_status() -> None:
    replies = Replies()
    replies.expect("GET", MOST)
    outcome = replies.feed(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")
    assert isinstance(outcome, NoReplyError)
    assert (outcome.kind, outcome.status) == (Kind.ADDRESS_REFUSED, 302)
    assert came(b"HTTP/1.1 304 Not Modified\r\n\r\n")[0] is Kind.ADDRESS_REFUSED


@pytest.mark.parametrize(
    ("begun", "is_clean", "expected"),
    [
        (b"", True, Kind.UNREACHABLE),
        (OK + b"Content-", True, Kind.UNREACHABLE),
        (INTERIM, True, Kind.UNREACHABLE),
        (OK + b"\r\nuntil the end", True, (200, b"until the end")),
        (b"HTTP/1.0 200 OK\r\n\r\n", True, (200, b"")),
        (OK + b"\r\nuntil the", False, Kind.MALFORMED),
        (OK + b"Content-Length: 5\r\n\r\nfine", True, Kind.MALFORMED),
        (CHUNKED + b"\r\n4\r\nfine\r\n", True, Kind.MALFORMED),
        (CHUNKED + b"\r\n4\r\nfine\r\n0\r\nT: z\r\n", True, Kind.MALFORMED),
    ],
)
def test_the_end_of_a_connection(begun: bytes, is_clean: bool, expected: object) -> None:
    assert came(begun) == (NEVER, False)
    assert came(begun, is_clean=is_clean) == (expected, False)


@pytest.mark.parametrize(("begun", "is_unheard"), [(b"", True), (b"H", False)])
def test_only_silence_is_unheard(begun: bytes, is_unheard: bool) -> None:
    replies = Replies()
    replies.expect("GET", MOST)
    replies.feed(begun)
    outcome = replies.end(is_clean=True)
    assert isinstance(outcome, NoReplyError)
    assert outcome.is_unheard is is_unheard


def test_headers_of_one_name_are_joined_and_a_trailer_is_none() -> None:
    replies = Replies()
    replies.expect("GET", MOST)
    outcome = replies.feed(CHUNKED + b"A: 1\r\na: 2\r\n\r\n0\r\nA: 3\r\nRetry-After: 7\r\n\r\n")
    assert isinstance(outcome, Received)
    assert outcome.headers == {b"transfer-encoding": b"chunked", b"a": b"1, 2"}


def test_an_interim_reply_and_a_second_one_leave_the_headers_alone() -> None:
    replies = Replies()
    replies.expect("GET", MOST)
    outcome = replies.feed(b"HTTP/1.1 103 Hints\r\nA: 0\r\n\r\n" + FINE + OK + b"A: 1\r\n\r\n")
    assert isinstance(outcome, Received)
    assert outcome.headers == {b"content-length": b"4"}


def test_one_reply_after_another() -> None:
    replies = Replies()
    for body in (b"first", b"second"):
        replies.expect("POST", MOST)
        assert replies.feed(OK + b"Content-Length: %d\r\n\r\n" % len(body)) is None
        outcome = replies.feed(body)
        assert isinstance(outcome, Received)
        assert outcome.body == body


LONG = CHUNKED + b"Retry-After: 7\r\n\r\n4\r\nfine\r\n3\r\nday\r\n0\r\nT: z\r\n\r\n"
WHOLE = INTERIM + b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 7\r\n\r\nfineday"


@settings(max_examples=150)
@given(st.sampled_from([LONG, WHOLE]), st.lists(st.integers(1, 130), max_size=12))
def test_it_does_not_matter_how_a_reply_is_cut_into_pieces(reply: bytes, cuts: list[int]) -> None:
    replies = Replies()
    replies.expect("GET", MOST)
    edges = [0, *sorted(cuts), len(reply)]
    outcomes = [replies.feed(reply[start:end]) for start, end in pairwise(edges)]
    assert isinstance(outcomes[-1], Received)
    assert (outcomes[-1].body, outcomes[-1].headers[b"retry-after"]) == (b"fineday", b"7")
    assert replies.is_reusable


@settings(max_examples=300)
@given(st.sampled_from([b"", OK, CHUNKED + b"\r\n"]), st.lists(st.binary(max_size=60), max_size=4))
def test_whatever_comes_is_a_reply_or_none(begun: bytes, rubbish: Sequence[bytes]) -> None:
    outcome, is_reusable = came(begun, *rubbish, is_clean=True)
    assert isinstance(outcome, Kind | tuple)
    assert not is_reusable


def test_a_request() -> None:
    origin, target = locate("http://agency.example:80/people?id=%E5%BC%A0")
    assert written("GET", origin, target, {}, None).split(b"\r\n") == [
        b"GET /people?id=%E5%BC%A0 HTTP/1.1",
        b"Host: agency.example",
        b"accept: */*",
        b"accept-encoding: identity",
        b"user-agent: Proofless",
        b"",
        b"",
    ]
    lines = written("POST", origin, "/", {"Accept": "application/json", "X": "张"}, b"{}").split(b"\r\n")
    assert lines[2:] == [
        b"accept-encoding: identity",
        b"user-agent: Proofless",
        b"Accept: application/json",
        b"X: \xe5\xbc\xa0",
        b"Content-Length: 2",
        b"",
        b"{}",
    ]
    assert b"\r\nContent-Length: 0\r\n" in written("POST", origin, "/", {}, None)


def test_of_headers_that_differ_in_case_only_the_last_is_sent() -> None:
    origin, target = locate("http://agency.example/")
    headers = {"Content-Type": "application/json", "A": "b", "content-type": "text/xml"}
    lines = written("POST", origin, target, headers, b"x").split(b"\r\n")
    assert lines[5:7] == [b"content-type: text/xml", b"A: b"]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"X": "a\r\nY: b"}),
        ("GET", {"X": "a\nb"}),
        ("GET", {"X": "\r"}),
        ("GET", {"X": "a\0b"}),
        ("GET", {"X\r\nY": "b"}),
        ("GET", {"X:": "b"}),
        ("GET", {"X ": "b"}),
        ("GET", {"": "b"}),
        ("GET", {"content-length": "4"}),
        ("GET", {"Transfer-Encoding": "chunked"}),
        ("GET", {"HOST": "other.example"}),
        ("GET", {"Connection": "close"}),
        ("GET / HTTP/1.1\r\n", {}),
        ("get", {}),
        ("", {}),
    ],
)
def test_no_request_holds_another(method: str, headers: Mapping[str, str]) -> None:
    origin, target = locate("http://agency.example/")
    with pytest.raises(ValueError, match="not a"):
        written(method, origin, target, headers, None)


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "target"),
    [
        ("http://agency.example", "agency.example", 80, "agency.example", "/"),
        ("https://Agency.example:443/a/b", "agency.example", 443, "Agency.example", "/a/b"),
        ("https://agency.example:80?q=/?", "agency.example", 80, "agency.example:80", "/?q=/?"),
        ("http://[fd12::1]:8080/a", "fd12::1", 8080, "[fd12::1]:8080", "/a"),
        ("https://[::1]/a", "::1", 443, "[::1]", "/a"),
        ("http://10.20.1.1:81//a//", "10.20.1.1", 81, "10.20.1.1:81", "//a//"),
    ],
)
def test_where_a_url_leads(url: str, host: str, port: int, authority: str, target: str) -> None:
    origin, found = locate(url)
    assert (origin.host, origin.port, origin.authority, found) == (host, port, authority, target)
    assert origin.is_secure is url.startswith("https")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/people",
        "ftp://agency.example/",
        "HTTPS://agency.example/",
        "http:///people",
        "http://:80/",
        "http://user:word@agency.example/",
        "http://agency.example\\@other.example/",
        "http://agency.example:port/",
        "http://agency.example:99999/",
        "http://[::1/",
        "http://agency.example/a b",
        "http://agency.example/a\r\nX: y",
        "http://agency.example/张",
        "http://机关.example/",
        "http://agency.example/#a",
        "http://agency.example#@other.example/",
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"^not an absolute URL in ASCII$"):
        locate(url)
