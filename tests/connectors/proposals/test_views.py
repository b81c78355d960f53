"""Views of a PostgreSQL database: listed and proposed from, in a session that cannot write."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import asyncpg
import pytest

from connectors.manifest.model import SqlSource
from connectors.proposals.model import Choices, Reason, Refusal
from connectors.proposals.views import findings, objection, read_views
from connectors.sql_views import READ_ONLY, View, list_views, read_view
from tests.connectors.agency_database import PASSWORD, socket_of
from tests.connectors.proposals.proposing import accepted, fields, proposal

URL = "postgresql://reader@db.example.cn:5433/hr"
ANNA = "11010519491231002X"


@pytest.fixture
def reader(agency_database: str) -> str:
    socket, database = socket_of(agency_database)
    folder, _, port = socket.rpartition("/.s.PGSQL.")
    return f"postgresql://agency_reader@/{database}?host={folder}&port={port}"


async def test_views_are_listed_and_one_is_chosen(reader: str) -> None:
    choices = await read_views(reader, PASSWORD, None)
    assert isinstance(choices, Choices)
    assert "open.found" in {one.given for one in choices.listed}
    assert await read_views(reader, PASSWORD, "open.none") == Refusal(Reason.CHOICE_UNKNOWN, "open.none")
    assert await read_views(reader, "wrong", None) == Refusal(Reason.LOGIN_REFUSED)


async def test_a_view_becomes_a_manifest(reader: str) -> None:
    view = View("open", "found", "")
    made = proposal(findings(URL, view, await read_view(reader, PASSWORD, view)))
    (offered,) = accepted(made).offerings
    assert offered.source == SqlSource(("open", "found"), "sfzh")
    assert fields(made)["birth_date"] == {"path": "csrq", "date": "YYYYMMDD", "partial": True}
    assert fields(made)["holder_name"] == "xm"
    assert ANNA not in made.manifest + made.sheet
    assert PASSWORD not in made.manifest


async def test_the_session_cannot_write(reader: str) -> None:
    connection = await asyncpg.connect(reader, password=PASSWORD, server_settings=dict(READ_ONLY))
    try:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("create temp sequence s; select nextval('s')")
    finally:
        await connection.close()


async def test_a_view_that_never_answers_is_given_up(reader: str) -> None:
    assert await asyncio.wait_for(list_views(reader, PASSWORD), 5)
    unreachable = await read_views("postgresql://a@127.0.0.1:1/x", "p", None)
    assert unreachable == Refusal(Reason.UNREACHABLE)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://a:secret@h/d", Reason.PASSWORD_IN_URL),
        ("postgresql://a@h/d?password=secret", Reason.PASSWORD_IN_URL),
        ("postgresql://h/d", Reason.URL_INVALID),
        ("postgresql://a@h", Reason.URL_INVALID),
        ("postgresql://a@h:99999999/d", Reason.URL_INVALID),
        ("postgresql://a@h/d?options=-cx", Reason.URL_INVALID),
        ("postgresql://a@h/d?service=x", Reason.URL_INVALID),
    ],
)
def test_addresses_that_are_not_used(url: str, reason: Reason) -> None:
    assert objection(url) == Refusal(reason)
    assert "secret" not in repr(objection(url))


def test_a_plain_address_is_used() -> None:
    assert objection(URL) is None
    assert urlsplit(URL).port == 5433
