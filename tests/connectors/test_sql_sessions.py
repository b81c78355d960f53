"""How the rows of many keys are asked for: in one text where the key is text, else one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from connectors.sql_sessions import KEYS_AS_LIST, KEYS_AS_TEXT, PREPARED_HIGHEST, Selection, Session

UUIDS = ("0b7a0d0e-7d1e-4a53-9f6b-0d6c0f1d2a01", "0b7a0d0e-7d1e-4a53-9f6b-0d6c0f1d2a02")
ODD = ("a\x1fb", "a", "b", "", "NULL", "{a,b}", '"', "\\", "案", " a", "a ")


def selection(table: str, select: str = "key, name") -> Selection:
    rows = f"select {select} from {table} where key = any"
    return Selection(f"{rows}({KEYS_AS_LIST})", f"{rows}({KEYS_AS_TEXT})")


@pytest.fixture
async def database(cluster: Any) -> str:
    return str((await cluster.make(empty=True)).admin)


@pytest.fixture
async def session(database: str) -> AsyncIterator[Session]:
    connection = await asyncpg.connect(database)
    yield Session(connection)
    await connection.close()


async def make(session: Session, kind: str, keys: tuple[str, ...]) -> None:
    await session.connection.execute(f"create table thing (key {kind} primary key, name text)")
    for key in keys:
        literal = key.replace("'", "''")
        await session.connection.execute(f"insert into thing values ('{literal}', 'of ' || '{literal}')")


async def found(session: Session, asked: Selection, *keys: str) -> list[str]:
    return sorted(str(row[0]) for row in await session.select(asked, keys))


async def forms(session: Session, asked: Selection) -> list[str]:
    """In which ways the session has it prepared, or had."""
    rows = await session.connection.fetch("select statement from pg_prepared_statements")
    prepared = {row[0] for row in rows}
    return [name for name in ("by_list", "by_text") if getattr(asked, name) in prepared]


@pytest.mark.parametrize("kind", ["text", "varchar", "varchar(20)", 'text collate "C"', "label"])
async def test_keys_that_are_text_are_sent_as_one(session: Session, kind: str) -> None:
    await session.connection.execute("create domain label as text check (length(value) < 100)")
    await make(session, kind, ODD)
    asked = selection("thing")
    assert await found(session, asked, "a", "b", "none") == ["a", "b"]
    assert "by_text" in await forms(session, asked)
    for key in ODD:
        assert await found(session, asked, key) == [key], "what is no text, or another, goes the old way"
    assert await found(session, asked, *ODD) == sorted(ODD)
    whole = [key for key in ODD if "\x1f" not in key]
    assert await found(session, asked, *whole) == sorted(whole)
    assert await found(session, asked, "", "x") == [""]
    assert await found(session, asked, "x\x1fa") == [], "no key is ever taken for two"


@pytest.mark.parametrize(
    ("kind", "keys"),
    [("char(3)", ("a  ", "b  ")), ("uuid", UUIDS), ("name", ("a", "b"))],
)
async def test_other_keys_are_sent_one_by_one(session: Session, kind: str, keys: tuple[str, ...]) -> None:
    await make(session, kind, keys)
    asked = selection("thing", "key::text, name")
    assert [key.strip() for key in await found(session, asked, *map(str.strip, keys))] == [
        key.strip() for key in keys
    ]
    assert await forms(session, asked) == ["by_list"]


async def test_keys_that_are_numbers_are_no_texts_as_ever(session: Session) -> None:
    await make(session, "bigint", ("1", "2"))
    with pytest.raises(asyncpg.DataError):
        await session.select(selection("thing"), ("1",))


@pytest.mark.parametrize("kind", ["text", "varchar(20)"])
@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_an_index_of_the_key_is_used_also_through_a_view(
    session: Session, kind: str, mode: str
) -> None:
    connection = session.connection
    await make(session, kind, ())
    await connection.execute("insert into thing select n::text, '' from generate_series(1, 20000) n")
    await connection.execute("analyze thing")
    await connection.execute("create view seen with (security_barrier) as select * from thing")
    await connection.execute(f"set plan_cache_mode = {mode}")
    for table in ("thing", "seen"):
        statement = await connection.prepare(selection(table).by_text)
        rows = await statement.fetch("7\x1f20000\x1fx")
        assert sorted(row["key"] for row in rows) == ["20000", "7"]
        plan = str(await statement.explain("7\x1f20000\x1fx", analyze=True))
        assert "thing_pkey" in plan
        assert "Seq Scan" not in plan
        assert "Rows Removed by Filter" not in plan


@pytest.mark.parametrize(("before", "after"), [("text", "char(3)"), ("char(3)", "varchar(9)")])
async def test_a_key_of_another_type_is_noticed_in_the_same_session(
    session: Session, before: str, after: str
) -> None:
    await make(session, before, ("a", "b"))
    asked = selection("thing")
    assert await found(session, asked, "a") == ["a" if before == "text" else "a  "]
    await session.connection.execute(f"alter table thing alter key type {after}")
    assert await found(session, asked, "a") == ["a  " if after == "char(3)" else "a"]
    way = session._ways[asked]
    assert way.is_text == (after != "char(3)")
    assert way.statement.get_parameters()[0].name == ("text" if way.is_text else "bpchar[]")


async def test_a_column_of_another_type_is_noticed_in_the_same_session(session: Session) -> None:
    await make(session, "text", ("a", "b"))
    asked = selection("thing")
    assert (await session.select(asked, ("a",)))[0]["name"] == "of a"
    await session.connection.execute("alter table thing alter name type int using length(name)")
    assert (await session.select(asked, ("a",)))[0]["name"] == 4
    assert (await session.select(asked, ("a\x1f", "a")))[0]["name"] == 4


async def test_in_a_transaction_it_is_an_error_and_afterwards_right_again(session: Session) -> None:
    await make(session, "text", ("a", "b"))
    asked = selection("thing")
    await session.select(asked, ("a",))
    await session.connection.execute("alter table thing alter name type int using length(name)")
    with pytest.raises(asyncpg.InvalidCachedStatementError):
        async with session.connection.transaction():
            await session.select(asked, ("a",))
    async with session.connection.transaction():
        assert (await session.select(asked, ("a",)))[0]["name"] == 4


async def test_a_session_prepares_no_more_statements_than_it_may(session: Session) -> None:
    await make(session, "text", ("a",))
    choices = [selection("thing", f"key, {number}") for number in range(PREPARED_HIGHEST + 20)]
    for asked in choices:
        assert await found(session, asked, "a") == ["a"]
    assert await found(session, choices[0], "a") == ["a"]
    held = await session.connection.fetchval(
        "select count(*) from pg_prepared_statements where statement like '%from thing%'"
    )
    assert held <= PREPARED_HIGHEST + 2
