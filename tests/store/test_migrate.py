"""Migrations against a real PostgreSQL: once, whole, and by one process at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from hub.kernel.db import Database
from hub.kernel.db.migrate import LOCK_KEY, Migration, is_migrated, load_migrations, migrate
from hub.kernel.errors import Code, HubError
from tests.conftest import Cluster

MADE = Migration("0001_a.sql", "create table a (id int)", "aa")
WRONG = Migration("0002_b.sql", "create table b (id int); select 1/0", "bb")


async def tables(database: Database) -> set[str]:
    return {
        row[0] for row in await database.fetch("select tablename from pg_tables where schemaname = 'public'")
    }


async def open_empty(cluster: Cluster) -> tuple[str, Database]:
    databases = await cluster.make(empty=True)
    admin = await asyncpg.connect(databases.admin)
    await admin.execute("grant create on schema public to hub_owner")
    await admin.close()
    return databases.owner, await Database.open(databases.owner)


async def test_all_migrations_apply_and_apply_only_once(cluster: Cluster) -> None:
    databases = await cluster.make(empty=True)
    names: list[str] = []
    assert await migrate(databases.owner, applied=names.append) == len(load_migrations())
    assert names == [migration.name for migration in load_migrations()]
    assert await migrate(databases.owner) == 0


async def test_a_failing_migration_leaves_nothing_of_itself(cluster: Cluster) -> None:
    dsn, database = await open_empty(cluster)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(dsn, (MADE, WRONG))
    assert await tables(database) == {"a"}
    assert await migrate(dsn, (MADE, replace(WRONG, sql="create table b (id int)"))) == 1
    assert await tables(database) == {"a", "b"}
    await database.close()


async def test_a_changed_file_stops_before_anything_is_applied(cluster: Cluster) -> None:
    dsn, database = await open_empty(cluster)
    await migrate(dsn, (MADE,))
    with pytest.raises(HubError) as caught:
        await migrate(dsn, (replace(MADE, checksum="other"), WRONG))
    assert caught.value.problem.code is Code.MIGRATION_CHANGED
    assert await tables(database) == {"a"}
    await database.close()


async def test_two_at_once_apply_each_migration_once(cluster: Cluster) -> None:
    databases = await cluster.make(empty=True)
    counts = await asyncio.gather(*(migrate(databases.owner) for _ in range(3)))
    assert sorted(counts) == [0, 0, len(load_migrations())]


async def test_it_waits_for_whoever_holds_the_lock(cluster: Cluster) -> None:
    dsn, database = await open_empty(cluster)
    async with database.transaction() as session:
        await session.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
        waiting = asyncio.create_task(migrate(dsn, (MADE,)))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    assert await waiting == 1
    await database.close()


async def test_the_serving_role_can_tell_whether_it_is_migrated(cluster: Cluster, database: Database) -> None:
    assert await is_migrated(database)
    empty = await Database.open((await cluster.make(empty=True)).serving)
    assert not await is_migrated(empty)
    await empty.close()


async def test_nobody_there_is_told_as_such() -> None:
    with pytest.raises(HubError) as caught:
        await migrate("postgresql://somebody:word@127.0.0.1:1/hub")
    assert caught.value.problem.code is Code.DATABASE_UNREACHABLE


@pytest.mark.parametrize(
    "statement",
    [
        "create table kernel.mine (id int)",
        "delete from kernel.migration",
        "update kernel.signing_key set retired_at = now()",
        "create role friend",
        "set role hub_owner",
    ],
)
async def test_the_serving_role_has_only_what_it_needs(database: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute(statement)


async def test_who_does_not_own_the_database_is_told_so(cluster: Cluster) -> None:
    databases = await cluster.make(empty=True)
    with pytest.raises(HubError) as caught:
        await migrate(databases.serving)
    assert caught.value.problem.code is Code.SETTING_INVALID
    assert caught.value.problem.detail["setting"] == "HUB_OWNER_DATABASE_URL"
