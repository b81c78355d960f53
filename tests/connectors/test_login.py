"""Which secret an agency is shown: the present one, then the next, and none when both are refused."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from connectors.contract import Answer, Ask, Connector, Fault
from connectors.faults import Kind
from connectors.login import FIRST_PAUSE, LONGEST_PAUSE, Login, Verdict
from connectors.manifest import read
from tests.connectors import samples, services
from tests.connectors.agency_database import PASSWORD, proxy, socket_of

MANIFEST = """
[connector]
id = "agency"
agency = "11370300004220030X"
kind = "rest"
name = { zh = "甲", en = "A" }
tell = "none"
[connector.address]
url = "http://127.0.0.1:PORT"
[connector.credentials]
CREDENTIALS
[[offerings]]
name = "person"
record = "person"
key = "id_number"
freshness = "PT0S"
[offerings.request]
path = "/people/$key"
[offerings.response]
[offerings.fields]
name = "xm"
[[offerings.outcomes]]
status = 200
outcome = "found"
MORE
"""
KEY = 'api_key = { header = "X-Key", slot = "key" }'
OAUTH2 = """[connector.credentials.oauth2]
token_url = "http://127.0.0.1:PORT/token"
client = "hub:1"
slot = "key"
scope = "people read"
"""


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Account:
    """Shows secrets to an agency that takes some of them."""

    def __init__(self, taken: set[int]) -> None:
        self.taken = taken
        self.shown: list[int] = []

    async def show(self, place: int) -> tuple[int, bool]:
        self.shown.append(place)
        is_taken = place in self.taken
        await asyncio.sleep(0)
        return place, is_taken


def judge(result: tuple[int, bool]) -> Verdict:
    return Verdict.TAKEN if result[1] else Verdict.REFUSED


async def test_a_new_secret_is_tried_by_one_call_while_the_others_wait() -> None:
    account, login = Account({1}), Login(2)
    results = await asyncio.gather(*(login.use(account.show, judge) for _ in range(10)))
    assert results == [(1, True)] * 10
    assert account.shown == [0] + [1] * 10


async def test_when_all_are_refused_none_is_shown_for_longer_and_longer() -> None:
    clock = Clock()
    account = Account(set())
    login, pauses = Login(2, clock), []
    for _ in range(8):
        refused = await asyncio.gather(*(login.use(account.show, judge) for _ in range(5)))
        assert {one.kind for one in refused if isinstance(one, Fault)} == {Kind.LOGIN_REFUSED}
        assert account.shown == [0, 1]
        (wait,) = {one.retry_after for one in refused if isinstance(one, Fault)}
        pauses.append(wait)
        account.shown.clear()
        clock.seconds += wait or 0.0
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    account.taken = {0}
    assert await login.use(account.show, judge) == (0, True)


async def test_a_secret_that_ends_gives_way_to_the_next_though_many_hold_it() -> None:
    account, login = Account({0}), Login(2)
    await login.use(account.show, judge)
    account.taken = {1}
    account.shown.clear()
    assert await asyncio.gather(*(login.use(account.show, judge) for _ in range(4))) == [(1, True)] * 4
    assert account.shown.count(0) == 4
    assert account.shown.count(1) == 4


async def test_no_reply_says_nothing_of_a_secret() -> None:
    shown: list[int] = []

    async def show(place: int) -> int:
        shown.append(place)
        return place

    login = Login(2)
    for _ in range(3):
        await login.use(show, lambda _: Verdict.UNKNOWN)
    assert shown == [0, 0, 0]


Handler = Callable[[web.Request], Any]


class Agency:
    """A service that takes one secret at its look-ups, or one client's secret at its token endpoint."""

    def __init__(self, secret: str, lasts: object = 3600) -> None:
        self.secret = secret
        self.lasts = lasts
        self.seen: list[str] = []
        self.forms: list[Mapping[str, list[str]]] = []
        self.token: str | None = None
        self.tokens = 0

    async def __call__(self, request: web.Request) -> web.Response:
        if request.path == "/token":
            return await self._grant(request)
        shown = request.headers.get("X-Key") or request.headers.get("Authorization", "")
        self.seen.append(shown)
        if shown not in (self.secret, f"Bearer {self.token}"):
            return web.json_response({}, status=401)
        return web.json_response({"xm": "张三"})

    async def _grant(self, request: web.Request) -> web.Response:
        form = parse_qs(await request.text())
        self.forms.append(form)
        scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
        sent = (
            base64.b64decode(pair).decode()
            if scheme == "Basic"
            else ":".join(form["client_id"] + form["client_secret"])
        )
        if sent.split(":")[-1] != self.secret:
            return web.json_response({"error": "invalid_client"}, status=400)
        self.tokens += 1
        self.token = f"t{self.tokens}"
        return web.json_response(
            {"access_token": self.token, "token_type": "bearer", "expires_in": self.lasts}
        )


@asynccontextmanager
async def opened(
    handler: Handler, credentials: str, secrets: Mapping[str, str], more: str = ""
) -> AsyncIterator[Connector]:
    through = samples.transport()
    async with services.http(handler) as port:
        text = MANIFEST.replace("CREDENTIALS", credentials).replace("MORE", more).replace("PORT", str(port))
        connector = samples.opened(text, through, secrets)
        try:
            yield connector
        finally:
            await connector.close()
            await through.close()


async def fetch(connector: Connector, key: str = "A") -> Answer:
    return await connector.fetch(
        Ask("person", (key,), ("id_number", "name"), (), time.monotonic() + 3, "corr-1")
    )


def kinds(answer: Answer) -> list[str]:
    return [why.kind for why in answer.faults.values()]


async def test_a_service_that_changed_its_key_is_shown_the_next_one() -> None:
    agency = Agency("new")
    async with opened(agency, KEY, {"key": "old", "key.next": "new"}) as connector:
        answers = await asyncio.gather(*(fetch(connector, f"K{number}") for number in range(6)))
    assert [kinds(answer) for answer in answers] == [[]] * 6
    assert agency.seen.count("old") == 1


async def test_a_key_that_is_refused_is_not_shown_again_and_again() -> None:
    agency = Agency("right")
    async with opened(agency, KEY, {"key": "wrong-secret"}) as connector:
        answers = [await fetch(connector) for _ in range(5)]
    assert [kinds(answer) for answer in answers] == [["login_refused"]] * 5
    assert agency.seen == ["wrong-secret"]
    (why,) = answers[0].faults.values()
    assert (why.outcome, why.correlation) == ("unavailable", "corr-1")
    assert "wrong-secret" not in repr(answers)


async def test_who_means_something_by_401_is_heard() -> None:
    agency = Agency("right")
    told = '[[offerings.outcomes]]\nstatus = 401\noutcome = "refused"\n'
    async with opened(agency, KEY, {"key": "wrong"}, told) as connector:
        assert [kinds(await fetch(connector)) for _ in range(2)] == [["refused"]] * 2


@pytest.mark.parametrize("way", ["header", "body"])
async def test_a_token_is_fetched_once_for_all(way: str) -> None:
    agency = Agency("s p+ä&=")
    credentials = OAUTH2 + f'secret_in = "{way}"'
    if way == "header":  # as RFC 6749, 2.3.1 has it encoded
        agency.secret = "s+p%2B%C3%A4%26%3D"
    async with opened(agency, credentials, {"key": "s p+ä&="}) as connector:
        answers = await asyncio.gather(*(fetch(connector, f"K{number}") for number in range(5)))
        answers.append(await fetch(connector))
    assert [kinds(answer) for answer in answers] == [[]] * 6
    assert agency.tokens == 1
    assert agency.seen == ["Bearer t1"] * 6
    assert agency.forms[0]["grant_type"] == ["client_credentials"]
    assert agency.forms[0]["scope"] == ["people read"]


async def test_a_token_that_is_over_or_withdrawn_is_fetched_anew() -> None:
    agency = Agency("s", lasts=0)
    async with opened(agency, OAUTH2, {"key": "s"}) as connector:
        assert kinds(await fetch(connector)) == kinds(await fetch(connector)) == []
        assert agency.tokens == 2
        agency.lasts = 3600
        await fetch(connector)
        agency.token = "withdrawn"
        assert kinds(await fetch(connector)) == []
    assert agency.seen[-2:] == ["Bearer t3", "Bearer t4"]


async def test_a_client_whose_secret_changed_asks_with_the_next() -> None:
    agency = Agency("new")
    async with opened(agency, OAUTH2, {"key": "old", "key.next": "new"}) as connector:
        assert kinds(await fetch(connector)) == []
    assert (agency.tokens, len(agency.forms)) == (1, 2)


async def test_a_client_that_is_refused_does_not_ask_again() -> None:
    agency = Agency("right")
    async with opened(agency, OAUTH2, {"key": "wrong"}) as connector:
        assert [kinds(await fetch(connector)) for _ in range(4)] == [["login_refused"]] * 4
    assert (len(agency.forms), agency.seen) == (1, [])


GRANTED = {"access_token": "t", "token_type": "Bearer"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>", "malformed"),
        (200, b"\xff", "malformed"),
        (200, json.dumps({**GRANTED, "token_type": "mac"}).encode(), "malformed"),
        (200, json.dumps({**GRANTED, "access_token": "t\r\nX-Evil: 1"}).encode(), "malformed"),
        (200, json.dumps({**GRANTED, "expires_in": "soon"}).encode(), "malformed"),
        (400, json.dumps({"error": "invalid_scope"}).encode(), "failed"),
        (400, b"\xff", "failed"),
        (429, b"", "busy"),
        (503, b"", "failed"),
        (200, b" " * 70_000, "too_large"),
    ],
)
async def test_a_token_endpoint_that_has_a_bad_day(status: int, body: bytes, kind: str) -> None:
    async def handle(request: web.Request) -> web.Response:
        assert request.path == "/token"
        return web.Response(status=status, body=body)

    async with opened(handle, OAUTH2, {"key": "s"}) as connector:
        assert kinds(await fetch(connector)) == [kind]


async def test_a_password_of_a_database_gives_way_to_the_next(agency_database: str) -> None:
    socket, database = socket_of(agency_database)
    made = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(1)
        await proxy(reader, writer, socket, None)

    async with services.tcp(talk) as port:
        text = samples.sql(port, database, "found")
        ask = Ask("person", ("360426199101010071",), ("name",), (), time.monotonic() + 5, "corr")
        for secrets, kind, connections in (
            ({"password": "old", "password.next": PASSWORD}, [], 2),
            ({"password": "wrong"}, ["login_refused"], 1),
        ):
            made.clear()
            connector = samples.opened(text, samples.transport(), secrets)
            answers = [await connector.fetch(ask) for _ in range(3)]
            await connector.close()
            assert [kinds(answer) for answer in answers] == [kind] * 3
            assert len(made) == connections


@pytest.mark.parametrize(
    ("credentials", "path"),
    [
        (OAUTH2.replace("http:", "file:"), "connector.credentials.oauth2.token_url"),
        (OAUTH2.replace(":PORT/", "/../"), "connector.credentials.oauth2.token_url"),
        (OAUTH2.replace(":PORT/token", ":PORT/token?x=1"), "connector.credentials.oauth2.token_url"),
        (OAUTH2.replace("hub:1", "hub 1"), "connector.credentials.oauth2.client"),
        (OAUTH2.replace("people read", 'a\\"b'), "connector.credentials.oauth2.scope"),
        (OAUTH2 + 'secret_in = "url"', "connector.credentials.oauth2.secret_in"),
        (OAUTH2 + "more = 1", "connector.credentials.oauth2.more"),
        ('basic = { user = "u", slot = "b" }\n' + OAUTH2, "connector.credentials"),
    ],
)
def test_a_wrong_declaration_is_told_by_its_path(credentials: str, path: str) -> None:
    text = MANIFEST.replace("CREDENTIALS", credentials).replace("MORE", "").replace("PORT", "80")
    mistakes = read(text)
    assert isinstance(mistakes, tuple)
    assert [one.path for one in mistakes] == [path]
