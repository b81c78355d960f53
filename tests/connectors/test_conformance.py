"""The conformance suite against every kind, each on a real service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectors.conformance.cases import CASES, Case, read_expectations
from connectors.conformance.runner import check, run
from connectors.contract import Ask, Connector, Fault, Outcome
from connectors.manifest import Mistake
from connectors.manifest.model import Kind
from connectors.reference import Cases, ReferenceConnector, read_cases
from tests.connectors import samples, services
from tests.connectors.agency_database import PASSWORD, proxy, socket_of
from tests.connectors.certificates import Authority


def cases_for(kind: Kind) -> list[Case]:
    return [case for case in CASES if kind in case.kinds]


class HttpBench:
    def __init__(self, kind: Kind, authority: Authority, folder: Path) -> None:
        self.kind = kind
        self._authority = authority
        self._folder = folder

    @asynccontextmanager
    async def arrange(self, case: Case) -> AsyncIterator[Connector]:
        handler = services.rest_handler if self.kind is Kind.REST else services.graphql_handler
        write = samples.rest if self.kind is Kind.REST else samples.graphql
        wrong = case.name == "wrong_tls_name"
        tls = self._authority.server("other.example", self._folder) if wrong else None
        through = samples.transport()
        async with services.http(handler(case.name), tls) as open_port:
            port = await free_port() if case.name == "unreachable" else open_port
            url = f"https://localhost:{port}" if wrong else f"http://127.0.0.1:{port}"
            try:
                yield samples.opened(write(url, self._authority.pem if wrong else None), through)
            finally:
                await through.close()


async def free_port() -> int:
    async with services.tcp(lambda _reader, _writer: asyncio.sleep(0)) as port:
        return port


@pytest.mark.parametrize("case", cases_for(Kind.REST), ids=lambda case: case.name)
async def test_rest(case: Case, authority: Authority, tmp_path: Path) -> None:
    (verdict,) = await run(HttpBench(Kind.REST, authority, tmp_path), [case])
    assert verdict.objections == ()


@pytest.mark.parametrize("case", cases_for(Kind.GRAPHQL), ids=lambda case: case.name)
async def test_graphql(case: Case, authority: Authority, tmp_path: Path) -> None:
    (verdict,) = await run(HttpBench(Kind.GRAPHQL, authority, tmp_path), [case])
    assert verdict.objections == ()


class SqlBench:
    kind = Kind.SQL

    def __init__(self, admin_url: str, authority: Authority, folder: Path) -> None:
        self.socket, self.database = socket_of(admin_url)
        self._authority = authority
        self._folder = folder

    @asynccontextmanager
    async def arrange(self, case: Case) -> AsyncIterator[Connector]:
        views = ("partial_batch", "duplicates", "slow", "server_error", "wrong_type", "too_large")
        user = "agency_full" if case.name == "too_many_requests" else "agency_reader"
        view = case.name if case.name in views else "found"
        ca = self._authority.pem if case.name == "wrong_tls_name" else None
        through = samples.transport()
        async with services.tcp(self._talk(case.name)) as open_port:
            port = await free_port() if case.name == "unreachable" else open_port
            text = samples.sql(port, self.database, view, user, ca)
            connector = samples.opened(text, through, {"password": PASSWORD})
            try:
                yield connector
            finally:
                await connector.close()

    def _talk(self, case: str):  # noqa: ANN202 - a function for a server
        if case == "html":
            return answer_html
        if case == "wrong_tls_name":
            context = self._authority.server("other.example", self._folder)
            return lambda reader, writer: start_tls(reader, writer, context)
        most = 700 if case == "truncated" else None
        return lambda reader, writer: proxy(reader, writer, self.socket, most)


async def answer_html(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(8)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n<html></html>")
    await writer.drain()


async def start_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: object) -> None:
    await reader.readexactly(8)
    writer.write(b"S")
    await writer.drain()
    await writer.start_tls(context)
    await reader.read(100)


@pytest.mark.parametrize("case", cases_for(Kind.SQL), ids=lambda case: case.name)
async def test_sql(case: Case, authority: Authority, tmp_path: Path, agency_database: str) -> None:
    (verdict,) = await run(SqlBench(agency_database, authority, tmp_path), [case])
    assert verdict.objections == ()


REFERENCE = """
[[offerings]]
name = "person"
record = "person"
key = "id_number"
columns = { id_number = "text", name = "text", deceased = "boolean" }

[[offerings]]
name = "roles"
record = "business_role"
key = "person_id"
columns = { person_id = "text", uscc = "text", scope = "texts" }
many = true

[[cases]]
offering = "person"
key = "A"
rows = [{ id_number = "A", name = "张三", deceased = false }]

[[cases]]
offering = "person"
key = "B"
fault = "pending"
agency_code = "P1"

[[cases]]
offering = "person"
key = "C"
delay_ms = 30000
rows = [{ id_number = "C" }]

[[cases]]
offering = "roles"
key = "A"
rows = [{ person_id = "A", uscc = "X", scope = ["a", "b"] }, { person_id = "A", uscc = "Y" }]
"""


def reference() -> ReferenceConnector:
    cases = read_cases(REFERENCE)
    assert isinstance(cases, Cases)
    return ReferenceConnector(cases)


def ask(offering: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> Ask:
    return Ask(offering, keys, columns, (), time.monotonic() + 0.2, "corr")


async def test_the_reference_answers_its_cases() -> None:
    connector = reference()
    answer = await connector.fetch(ask("person", ("A", "B", "Z"), ("name", "id_number")))
    assert answer.rows == {"A": (("张三", "A"),), "Z": ()}
    assert answer.faults == {"B": Fault(Outcome.PENDING, "pending", "P1", "corr")}
    many = await connector.fetch(ask("roles", ("A",), ("uscc", "scope")))
    assert many.rows == {"A": (("X", ("a", "b")), ("Y", None))}


async def test_the_reference_is_slow_where_it_should_be() -> None:
    answer = await reference().fetch(ask("person", ("C",), ("id_number",)))
    assert answer.faults["C"].kind == "timeout"


def test_mistakes_in_reference_cases_are_told_together() -> None:
    mistakes = read_cases(REFERENCE.replace('"pending"', '"asleep"').replace("deceased = false", "dead = 1"))
    assert isinstance(mistakes, tuple)
    assert [mistake.path for mistake in mistakes] == ["cases[0].rows[0].dead", "cases[1].fault"]


async def test_an_agency_runs_its_own_expectations() -> None:
    text = """
    [[cases]]
    name = "right"
    offering = "person"
    expected = { A = "found", B = "pending", Z = "absent" }
    [[cases]]
    name = "wrong"
    offering = "person"
    expected = { A = "absent" }
    [[cases]]
    name = "nowhere"
    offering = "nothing"
    expected = { A = "absent" }
    """
    cases = read_expectations(text)
    verdicts = []
    for case in cases:
        assert isinstance(case, Case)
        verdicts.append(await check(reference(), case))
    assert [verdict.objections for verdict in verdicts] == [
        (),
        ("key 1: expected absent, came found",),
        ("no offering nothing",),
    ]


def test_mistakes_in_expectations_are_told_together() -> None:
    mistakes = read_expectations('[[cases]]\nname = "x"\nexpected = { A = "maybe" }')
    assert all(isinstance(mistake, Mistake) for mistake in mistakes)
    assert {mistake.path for mistake in mistakes if isinstance(mistake, Mistake)} == {
        "cases[0].offering",
        "cases[0].expected.A",
    }


async def test_the_suite_notices_a_wrong_value() -> None:
    case = Case("x", {"A": frozenset({"found"})}, records={"A": {"name": "李四"}})
    assert (await check(reference(), case)).objections == ("key 1: name differs",)
