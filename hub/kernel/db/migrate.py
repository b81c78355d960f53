"""Brings a database to this release: numbered SQL files, in order, once, one process at a time."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Protocol

import asyncpg

from hub.kernel.db.places import require_readable
from hub.kernel.errors import Code, HubError

FILE_NAME = re.compile(r"(\d{4})_[a-z][a-z0-9_]*\.sql")
LOCK_KEY = 0x50_52_4F_4F_46  # "PROOF": advisory lock of whoever migrates
LOCK_POLL_SECONDS = 0.1
LOCK_WAIT_SECONDS = 120.0
CONNECT_SECONDS = 10.0
OWNER = "HUB_OWNER_DATABASE_URL"
LOCK_TIMEOUT = "5s"  # a migration that waits longer would hold up everybody who queues behind it
STATEMENT_TIMEOUT = "60s"
BOOTSTRAP = """
create schema if not exists kernel;
create table if not exists kernel.migration (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One forward step: file name, SQL, and SHA-256 of the file in hexadecimal."""

    name: str
    sql: str
    checksum: str


class Queries(Protocol):
    """What reading the applied migrations needs of a database."""

    async def fetch(self, statement: str) -> list[asyncpg.Record]:
        """All rows."""
        ...

    async def fetchval(self, statement: str) -> object:
        """The first column of the first row."""
        ...


def load_migrations(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """The migrations of this release in order: in the wheel below ``hub``, in the tree beside it."""
    place = folder or _place()
    found = [entry for entry in place.iterdir() if FILE_NAME.fullmatch(entry.name)]
    return tuple(_load(entry) for entry in sorted(found, key=lambda entry: entry.name))


def _place() -> Traversable:
    packed = files("hub").joinpath("_migrations")
    return packed if packed.is_dir() else Path(__file__).parents[3] / "migrations"


def _load(entry: Traversable) -> Migration:
    content = entry.read_bytes()
    return Migration(entry.name, content.decode("utf-8"), hashlib.sha256(content).hexdigest())


def pending(migrations: tuple[Migration, ...], applied: Mapping[str, str]) -> tuple[Migration, ...]:
    """The migrations still to apply, given the applied ones' checksums by name.

    Raises HubError(MIGRATION_CHANGED) when an applied file differs, or one comes before an applied one.
    """
    for migration in migrations:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise HubError(Code.MIGRATION_CHANGED, part=migration.name)
    waiting = tuple(migration for migration in migrations if migration.name not in applied)
    if waiting and applied and waiting[0].name < max(applied):
        raise HubError(Code.MIGRATION_CHANGED, part=waiting[0].name)
    return waiting


async def is_migrated(database: Queries) -> bool:
    """Whether a database has every migration of this release; works as the serving role."""
    if await database.fetchval("select to_regclass('kernel.migration')::text") is None:
        return False
    return not pending(load_migrations(), await _applied(database))


async def migrate(
    dsn: str,
    migrations: tuple[Migration, ...] | None = None,
    applied: Callable[[str], None] = lambda _name: None,
) -> int:
    """Apply what is missing as the owner role; returns how many, and tells each name to ``applied``.

    Raises HubError: DATABASE_UNREACHABLE, MIGRATION_CHANGED, SETTING_INVALID when the URL cannot be read or
    its role is not the owner, or STORE_UNAVAILABLE when another process keeps the lock for two minutes. A
    migration that fails leaves nothing behind and its error passes.
    """
    require_readable(dsn, OWNER)
    steps = load_migrations() if migrations is None else migrations
    connection = await _connect(dsn)
    try:
        await _lock(connection)
        await connection.execute(BOOTSTRAP)
        waiting = pending(steps, await _applied(connection))
        for migration in waiting:
            await _apply(connection, migration)
            applied(migration.name)
        return len(waiting)
    except asyncpg.InsufficientPrivilegeError as error:
        rule = "a role that owns the database, and may create roles unless hub_serve exists"
        raise HubError(Code.SETTING_INVALID, setting=OWNER, rule=rule) from error
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def _connect(dsn: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise HubError(Code.DATABASE_UNREACHABLE, state=type(error).__name__) from error


async def _lock(connection: asyncpg.Connection) -> None:
    """Poll, rather than wait in PostgreSQL: a waiting statement would hold a snapshot open."""
    for _ in range(int(LOCK_WAIT_SECONDS / LOCK_POLL_SECONDS)):
        if await connection.fetchval("select pg_try_advisory_lock($1)", LOCK_KEY):
            return
        await asyncio.sleep(LOCK_POLL_SECONDS)
    raise HubError(Code.STORE_UNAVAILABLE, state="another process migrates")


async def _applied(database: Queries) -> dict[str, str]:
    rows = await database.fetch("select name, checksum from kernel.migration")
    return {row["name"]: row["checksum"] for row in rows}


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute("select set_config('lock_timeout', $1, true)", LOCK_TIMEOUT)
        await connection.execute("select set_config('statement_timeout', $1, true)", STATEMENT_TIMEOUT)
        await connection.execute(migration.sql)
        await connection.execute(
            "insert into kernel.migration (name, checksum) values ($1, $2)",
            migration.name,
            migration.checksum,
        )
