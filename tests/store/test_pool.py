"""The database door: what it maps, and that it comes back by itself."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import traceback

import asyncpg
import pytest
from structlog.testing import capture_logs

from hub.kernel.db import Database
from hub.kernel.db.embedded import EmbeddedPostgres
from hub.kernel.db.reach import STEADY_SECONDS
from hub.kernel.errors import Code, HubError


async def answers(database: Database, within: float = 15.0) -> None:
    until = time.monotonic() + within
    while True:
        try:
            await database.fetchval("select 1")
        except HubError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)
        else:
            return


async def test_statements_return_rows_values_and_tags(owner_database: Database) -> None:
    assert (
        await owner_database.execute("create table note (id int primary key, words text)") == "CREATE TABLE"
    )
    await owner_database.executemany("insert into note values ($1, $2)", [(1, "a"), (2, "b")])
    assert [tuple(row) for row in await owner_database.fetch("select * from note order by id")] == [
        (1, "a"),
        (2, "b"),
    ]
    assert await owner_database.fetchrow("select * from note where id = 3") is None
    assert await owner_database.fetchval("select words from note where id = $1", 2) == "b"


async def test_a_transaction_is_kept_whole_or_not_at_all(owner_database: Database) -> None:
    await owner_database.execute("create table note (id int primary key)")
    async with owner_database.transaction() as session:
        await session.execute("insert into note values (1)")

    async def two_then_one() -> None:
        async with owner_database.transaction() as session:
            await session.execute("insert into note values (2)")
            await session.execute("insert into note values (1)")

    with pytest.raises(asyncpg.UniqueViolationError):
        await two_then_one()
    assert await owner_database.fetchval("select count(*) from note") == 1


async def test_wrong_statements_and_arguments_pass_as_they_are(database: Database) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await database.fetch("selec 1")
    with pytest.raises(asyncpg.DataError):
        await database.fetchval("select $1::int", "no number")


async def test_a_cancelled_statement_leaves_no_used_up_connection(database_url: str) -> None:
    database = await Database.open(database_url, size=1)
    slow = asyncio.create_task(database.fetchval("select pg_sleep(30)"))
    await asyncio.sleep(0.2)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert await database.fetchval("select 7") == 7
    await database.close()


async def test_a_slow_statement_is_given_up(database_url: str) -> None:
    database = await Database.open(database_url, size=1, timeout=0.3)
    with pytest.raises(HubError) as caught:
        await database.fetchval("select pg_sleep(30)")
    assert caught.value.problem.code is Code.STORE_UNAVAILABLE
    assert await database.fetchval("select 7") == 7
    await database.close()


async def test_a_full_pool_says_so_in_time(database_url: str) -> None:
    database = await Database.open(database_url, size=1, timeout=0.3)
    async with database.transaction():
        with pytest.raises(HubError) as caught:
            await database.fetchval("select 1")
    assert caught.value.problem.code is Code.STORE_UNAVAILABLE
    await database.close()


async def test_nobody_there_is_unavailable_without_telling_the_password() -> None:
    database = await Database.open("postgresql://somebody:a-secret-word@127.0.0.1:1/hub")
    with pytest.raises(HubError) as caught:
        await database.fetchval("select 1")
    assert caught.value.problem.code is Code.STORE_UNAVAILABLE
    assert "a-secret-word" not in f"{caught.value} {caught.value.problem}"
    await database.close()


async def test_a_killed_postgresql_costs_errors_and_then_nothing(own_postgres: EmbeddedPostgres) -> None:
    database = await Database.open(own_postgres.dsn("hub_owner"), size=4)
    await database.execute("create table note (id int primary key)")
    failures: list[Code] = []

    async def write(number: int) -> None:
        try:
            await database.execute("insert into note values ($1)", number)
        except HubError as error:
            failures.append(error.problem.code)

    with capture_logs() as logs:
        for number in range(20):
            await write(number)
        assert own_postgres.pid is not None
        os.kill(own_postgres.pid, signal.SIGKILL)
        written = 20
        async with asyncio.timeout(20):  # its servants live a little longer than itself
            while not failures:
                await write(written)
                written += 1
        await answers(database)
        await asyncio.sleep(STEADY_SECONDS)
        await write(written)
    assert failures == [Code.STORE_UNAVAILABLE]
    kept = await database.fetchval("select count(*) from note")
    assert kept in (written, written + 1), "what was told to have failed may have been written"
    assert [entry["event"] for entry in logs] == ["database_away", "database_back"]
    assert logs[1]["count"] >= len(failures)
    await database.close()


async def test_a_listener_hears_and_hears_again_after_a_loss(own_postgres: EmbeddedPostgres) -> None:
    database = await Database.open(own_postgres.dsn("hub_server"))
    heard: asyncio.Queue[str] = asyncio.Queue()
    await database.listen("news", heard.put_nowait)
    await database.execute("select pg_notify('news', 'first')")
    assert await asyncio.wait_for(heard.get(), 5) == "first"
    assert own_postgres.pid is not None
    os.kill(own_postgres.pid, signal.SIGKILL)
    assert await asyncio.wait_for(heard.get(), 20) == ""
    await answers(database)
    await database.execute("select pg_notify('news', 'second')")
    assert await asyncio.wait_for(heard.get(), 5) == "second"
    await database.close()


async def test_a_listener_may_start_before_postgresql_does(own_postgres: EmbeddedPostgres) -> None:
    dsn = own_postgres.dsn("hub_server")
    await asyncio.to_thread(own_postgres.stop)
    database = await Database.open(dsn)
    heard: asyncio.Queue[str] = asyncio.Queue()
    await database.listen("news", heard.put_nowait)
    await asyncio.to_thread(own_postgres.start)
    assert await asyncio.wait_for(heard.get(), 20) == ""
    await database.close()


async def test_a_url_that_the_driver_cannot_read_is_not_quoted() -> None:
    database = await Database.open("postgresql://hub:s3cret/x@127.0.0.1/hub")
    with pytest.raises(HubError) as caught, capture_logs() as logs:
        await database.fetchval("select 1")
    assert caught.value.problem.code is Code.STORE_UNAVAILABLE
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in repr(logs)
    await database.close()
