"""What is special about ``graphql`` and ``sql``: what they ask, and in what session."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from asyncpg.prepared_stmt import PreparedStatement

from connectors.contract import Answer, Ask, Connector, Telling
from connectors.sql import SqlConnector
from tests.connectors import samples, services
from tests.connectors.agency_database import PASSWORD, proxy, socket_of
from tests.connectors.certificates import Authority

HEAD = """
[connector]
id = "store"
agency = "11370300004220030X"
kind = "graphql"
name = { zh = "甲", en = "A" }
[connector.address]
url = "http://127.0.0.1:PORT/graphql"
[[offerings]]
name = "licence"
record = "licence"
key = "holder"
many = true
freshness = "P1D"
absent = "missing"
"""
FIELDS = """
[offerings.fields]
number = "number"
issuer = "issuer.code"
area = { path = "area.value", number = true }
[[offerings.outcomes]]
code = "NOT_FOUND"
outcome = "absent"
[[offerings.outcomes]]
code = "FORBIDDEN"
outcome = "refused"
"""
ENTITY = HEAD + 'batch = 5\n[offerings.entity]\ntypename = "Holder"\nkey = "id"\nitems = "papers.licences"\n'
QUERY = (
    HEAD
    + """
batch = 5
[offerings.query]
field = "licences"
argument = "holders"
type = "[ID!]!"
key = "holder"
"""
)
ROW = {"number": "N1", "issuer": {"code": "I1"}, "area": {"value": 12.5}}
COLUMNS = ("holder", "number", "issuer", "area")


async def ask_graphql(
    text: str, reply: Any, keys: tuple[str, ...] = ("A", "B"), columns: tuple[str, ...] = COLUMNS
) -> tuple[Answer, dict[str, Any]]:
    sent: dict[str, Any] = {}

    async def handle(request: web.Request) -> web.Response:
        sent.update(await request.json())
        return web.json_response(reply)

    through = samples.transport()
    async with services.http(handle) as port:
        connector = samples.opened((text + FIELDS).replace("PORT", str(port)), through)
        answer = await connector.fetch(Ask("licence", keys, columns, (), time.monotonic() + 3, "corr"))
        await through.close()
    return answer, sent


async def test_entities_ask_only_for_the_columns() -> None:
    text = ENTITY + 'arguments = { type = "药品\\"", valid = true, first = 5 }\n'
    entity = {"id": "A", "papers": {"licences": [ROW, {**ROW, "number": "N2"}]}}
    reply = {"data": {"_entities": [entity, {"id": "B", "papers": {"licences": []}}]}}
    answer, sent = await ask_graphql(text, reply, columns=("number", "holder"))
    assert answer.rows == {"A": (("N1", "A"), ("N2", "A")), "B": ()}
    assert sent["variables"] == {"keys": [{"__typename": "Holder", "id": key} for key in "AB"]}
    assert sent["query"] == (
        "query ($keys: [_Any!]!) { _entities(representations: $keys) { ... on Holder { id papers { "
        'licences(type: "药品\\"", valid: true, first: 5) { number } } } } }'
    )


async def test_a_plain_query() -> None:
    reply = {"data": {"licences": [{"holder": "B", **ROW}]}}
    answer, sent = await ask_graphql(QUERY, reply)
    assert answer.rows == {"A": (), "B": (("B", "N1", "I1", "12.5"),)}
    assert sent["variables"] == {"keys": ["A", "B"]}
    assert sent["query"] == (
        "query ($keys: [ID!]!) { licences(holders: $keys) { holder number issuer { code } area { value } } }"
    )


async def test_a_plain_query_for_one() -> None:
    one = QUERY.replace("batch = 5\n", "").replace("[ID!]!", "ID!") + "list = false\n"
    answer, sent = await ask_graphql(one, {"data": {"licences": {"holder": "A", **ROW}}}, ("A",))
    assert answer.rows == {"A": (("A", "N1", "I1", "12.5"),)}
    assert sent["variables"] == {"keys": "A"}
    assert (await ask_graphql(one, {"data": {"licences": None}}, ("A",)))[0].rows == {"A": ()}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({"data": {"_entities": [None, None]}}, {"A": "absent", "B": "absent"}),
        (
            {"data": {"_entities": [None, None]}, "errors": [{"message": "x"}]},
            {"A": "code_unknown", "B": "code_unknown"},
        ),
        ({"data": None, "errors": [{"extensions": {"code": "FORBIDDEN"}}]}, {"A": "refused", "B": "refused"}),
        ({"errors": [{"extensions": {"code": "NOT_FOUND"}}]}, {"A": "absent", "B": "absent"}),
        (
            {
                "data": {"_entities": [None, None]},
                "errors": [{"path": ["_entities", 0], "extensions": {"code": "FORBIDDEN"}}],
            },
            {"A": "refused", "B": "absent"},
        ),
        (
            {
                "data": {
                    "_entities": [{"id": "A", "papers": None}, {"id": "B", "papers": {"licences": [ROW]}}]
                },
                "errors": [{"path": ["_entities", 0, "papers"], "extensions": {"code": "X"}}],
            },
            {"A": "code_unknown", "B": "found"},
        ),
        (
            {"data": {"_entities": [None, None]}, "errors": [{"path": ["_entities", 9]}]},
            {"A": "code_unknown", "B": "code_unknown"},
        ),
        ({"data": {"_entities": {"id": "A"}}}, {"A": "malformed", "B": "malformed"}),
        ({"data": {}}, {"A": "malformed", "B": "malformed"}),
        ({"data": 5}, {"A": "malformed", "B": "malformed"}),
        ([], {"A": "malformed", "B": "malformed"}),
        ({"data": {"_entities": [None]}}, {"A": "incomplete", "B": "incomplete"}),
    ],
)
async def test_errors_of_entities(reply: Any, expected: dict[str, str]) -> None:
    answer, _ = await ask_graphql(ENTITY, reply)
    came = {key: "found" if rows else "absent" for key, rows in answer.rows.items()}
    assert came | {key: why.kind for key, why in answer.faults.items()} == expected


SQL = """
[connector]
id = "market"
agency = "11370300004220030X"
kind = "sql"
name = { zh = "甲", en = "A" }
tell = "per_call"
[connector.address]
host = "127.0.0.1"
port = PORT
database = "DATABASE"
user = "agency_reader"
tls = TLS
[connector.credentials]
password = { slot = "password" }
[connector.telling]
settings = { case = "hub.case", actor = "hub.actor" }
[connector.limits]
timeout_ms = 1500
[[offerings]]
name = "thing"
record = "thing"
key = "id"
batch = 10
freshness = "PT0S"
absent = "missing"
as_of = { path = "changed", date = "iso", row = true }
[offerings.view]
name = "open.thing"
key = "编号"
[offerings.fields]
born = { path = "born", date = "iso" }
amount = { path = "amount", money = "CNY", times = 10000 }
kinds = { path = "kinds", texts = true }
extra = { path = "extra", json = "a.b" }
closed = { path = "closed", boolean = true }
case = "told"
session = "session"
"""
THINGS = """
create schema if not exists open;
create table open.things ("编号" varchar(20), born date, amount numeric(20, 6), kinds text[], extra jsonb,
  closed boolean, changed timestamptz);
insert into open.things values
  ('A', '1990-02-28', 3000.123456, '{a,b}', '{"a": {"b": "x"}}', true, '2026-02-01 08:00+08'),
  ('B', null, null, null, null, null, '2026-02-02 08:00+08');
create view open.thing as select *,
  current_setting('hub.case', true) || '/' || current_setting('hub.actor', true) as told,
  concat_ws(' ', current_setting('default_transaction_read_only'), current_setting('statement_timeout'),
    current_setting('application_name')) as session from open.things;
"""
UUID = "0b7a0d0e-7d1e-4a53-9f6b-0d6c0f1d2a01"


@pytest.fixture
async def things(cluster: Any, agency_database: str) -> str:
    """A database with a view of every type; the reader's role exists in its cluster."""
    made = await cluster.make(empty=True)
    admin = await asyncpg.connect(made.admin)
    await admin.execute(THINGS)
    await admin.execute(
        "grant usage on schema open to agency_reader; grant all on open.thing to agency_reader"
    )
    await admin.execute(
        "create function open.writes() returns text language sql volatile as $$"
        " insert into open.things values ('C') returning 'C' $$"
    )
    await admin.close()
    return str(made.admin)


@asynccontextmanager
async def reached(url: str) -> AsyncIterator[tuple[Connector, list[int]]]:
    """A connector to the database by a proxy, and the number of each connection that was made."""
    socket, database = socket_of(url)
    made: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(len(made))
        await proxy(reader, writer, socket, None)

    async with services.tcp(talk) as port:
        text = SQL.replace("PORT", str(port)).replace("DATABASE", database).replace("TLS", "false")
        connector = samples.opened(text, samples.transport(), {"password": PASSWORD})
        yield connector, made
        await connector.close()


def ask_sql(keys: tuple[str, ...], columns: tuple[str, ...], told: tuple[Telling, ...] = ()) -> Ask:
    return Ask("thing", keys, columns, told, time.monotonic() + 3, "corr")


async def test_types_of_postgresql(things: str) -> None:
    async with reached(things) as (connector, _):
        columns = ("id", "born", "amount", "kinds", "extra", "closed")
        answer = await connector.fetch(ask_sql(("A", "B", "Z"), columns))
    assert answer.rows == {
        "A": (("A", "1990-02-28", "30001234.560000 CNY", ("a", "b"), "x", True),),
        "B": (("B", None, None, None, None, None),),
        "Z": (),
    }
    assert answer.as_of == datetime(2026, 2, 1, tzinfo=UTC)


async def test_a_key_is_never_part_of_a_statement(things: str) -> None:
    async with reached(things) as (connector, _):
        answer = await connector.fetch(ask_sql(("' or true --", '"'), ("id",)))
    assert answer.rows == {"' or true --": (), '"': ()}


async def test_the_session_can_only_read_and_is_told_the_purpose(things: str) -> None:
    told = (Telling("c", "a", "p", "案〔1〕' --", "officer"),)
    async with reached(things) as (connector, made):
        first = await connector.fetch(ask_sql(("A",), ("case", "session"), told))
        second = await connector.fetch(ask_sql(("A",), ("case",)))
    assert first.rows["A"] == (("案〔1〕' --/officer", "on 1500ms proofless"),)
    assert second.rows["A"] == (("/",),), "what was told is forgotten after the call"
    assert made == [0], "the session is kept"


async def test_a_view_that_writes_is_stopped(things: str) -> None:
    admin = await asyncpg.connect(things)
    await admin.execute(
        "create or replace view open.thing as select *, open.writes() as told, '' as session from open.things"
    )
    await admin.execute("grant insert on open.things to agency_reader")
    await admin.close()
    async with reached(things) as (connector, _):
        answer = await connector.fetch(ask_sql(("A",), ("case",)))
    assert (answer.faults["A"].kind, answer.faults["A"].agency_code) == ("failed", "25006")


async def test_what_is_not_granted_or_not_there(things: str) -> None:
    admin = await asyncpg.connect(things)
    await admin.execute("revoke all on open.thing from agency_reader")
    async with reached(things) as (connector, _):
        assert (await connector.fetch(ask_sql(("A",), ("id",)))).faults["A"].kind == "refused"
        await admin.execute("drop view open.thing")
        gone = (await connector.fetch(ask_sql(("A",), ("id",)))).faults["A"]
    await admin.close()
    assert (gone.kind, gone.agency_code, gone.correlation) == ("malformed", "42P01", "corr")


async def test_health_and_recovery_after_the_server_went_away(things: str) -> None:
    async with reached(things) as (connector, made):
        assert await connector.health(time.monotonic() + 2) is None
        admin = await asyncpg.connect(things)
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'agency_reader'"
        )
        await admin.close()
        answer = await connector.fetch(ask_sql(("A",), ("id",)))
        assert answer.rows == {"A": (("A",),)}
        assert len(made) == 2
    gone = await connector.health(time.monotonic() + 1)
    assert gone is not None
    assert gone.kind == "unreachable"


@pytest.mark.parametrize("lost", [asyncpg.InternalClientError, asyncpg.InterfaceError, ConnectionError])
async def test_a_session_that_lost_its_server_is_replaced(
    things: str, monkeypatch: pytest.MonkeyPatch, lost: type[Exception]
) -> None:
    real = PreparedStatement.fetch
    losses = [lost("not connected")]

    async def fetch(self: Any, *asked: Any) -> Any:
        if losses:
            raise losses.pop()
        return await real(self, *asked)

    monkeypatch.setattr(PreparedStatement, "fetch", fetch)
    async with reached(things) as (connector, made):
        assert (await connector.fetch(ask_sql(("A",), ("id",)))).rows == {"A": (("A",),)}
    assert made == [0, 1]


async def test_a_session_that_nobody_needs_is_ended(things: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqlConnector.__init__, "__defaults__", (0.2,))
    async with reached(things) as (connector, made):
        for _ in range(3):
            await connector.fetch(ask_sql(("A",), ("id",)))
        assert made == [0]
        admin = await asyncpg.connect(things)
        counted = "select count(*) from pg_stat_activity where usename = 'agency_reader'"
        assert await admin.fetchval(counted) == 1
        async with asyncio.timeout(3):
            while await admin.fetchval(counted):  # noqa: ASYNC110  a server's view has no event
                await asyncio.sleep(0.02)
        await admin.close()
        assert (await connector.fetch(ask_sql(("A",), ("id",)))).rows == {"A": (("A",),)}
        assert made == [0, 1], "and a new one opened when there is need"


@pytest.mark.parametrize(("key", "kind"), [("A", "char(2)"), ("A", "text"), (UUID, "uuid")])
async def test_a_key_that_changes_its_type_is_soon_found_again(things: str, key: str, kind: str) -> None:
    admin = await asyncpg.connect(things)
    async with reached(things) as (connector, made):
        assert (await connector.fetch(ask_sql(("A",), ("id",)))).rows == {"A": (("A",),)}
        view = f"create view open.thing as select '{key}'::{kind} as \"编号\", current_date as changed"
        await admin.execute(f"drop view open.thing; {view}; grant select on open.thing to agency_reader")
        answers = [await connector.fetch(ask_sql((key,), ("id",))) for _ in range(2)]
    await admin.close()
    assert [one.rows for one in answers] == [{} if kind == "uuid" else {key: ((key,),)}, {key: ((key,),)}]
    assert made == ([0, 1] if kind == "uuid" else [0]), "what is refused as a statement ends the session"


async def test_surroundings_do_not_step_in(things: str, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = {"PGHOST": "evil", "PGPASSWORD": "x", "PGSSLMODE": "require", "PGUSER": "evil"}
    for name, value in evil.items():
        monkeypatch.setitem(os.environ, name, value)
    async with reached(things) as (connector, _):
        assert not (await connector.fetch(ask_sql(("A",), ("id",)))).faults


async def test_tls_is_checked_for_the_declared_name(authority: Authority, tmp_path: Path) -> None:
    """The server of the tests has no TLS, so that its hello is played; the handshake is real."""
    met: list[str] = []
    context = authority.server("localhost", tmp_path)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        await writer.drain()
        try:
            await writer.start_tls(context)
            hello = await reader.read(200)
        except OSError:
            hello = b""
        met.append("spoken to" if b"agency_reader" in hello else "refused")

    async with services.tcp(talk) as port:
        for host in ("localhost", "127.0.0.1"):
            text = samples.sql(port, "x", "found", ca=authority.pem).replace('"localhost"', f'"{host}"')
            connector = samples.opened(text, samples.transport(), {"password": PASSWORD})
            await connector.health(time.monotonic() + 1)
            await connector.close()
        await asyncio.sleep(0.05)
    assert met == ["spoken to", "refused"]
