"""Decides which database a command works with: the operator's own, or an embedded one in the data folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hub.kernel.db.embedded import EmbeddedPostgres, Roles
from hub.kernel.db.migrate import is_migrated, migrate
from hub.kernel.db.pool import Database
from hub.kernel.db.quarters import private
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import Settings

FOLDER = "postgres"  # below the data folder
DATABASE = "hub"


@contextmanager
def provided(settings: Settings) -> Iterator[Settings]:
    """Settings whose database is there and migrated while the block runs.

    An embedded PostgreSQL is started and migrated, and both URLs are filled in. The operator's own
    database is only looked at: HubError(DATABASE_UNREACHABLE) or HubError(DATABASE_NOT_MIGRATED).
    """
    private(settings.data)
    if settings.database_url is not None:
        asyncio.run(_check(settings.database_url))
        yield settings
        return
    with embedded(settings) as filled:
        asyncio.run(migrate(filled.owner_database_url or ""))
        yield filled


@contextmanager
def embedded(settings: Settings) -> Iterator[Settings]:
    """Settings with the URLs of the embedded PostgreSQL, which runs while the block does; not migrated."""
    private(settings.data)
    roles = Roles()
    server = EmbeddedPostgres(settings.data / FOLDER, (DATABASE,), roles=roles)
    server.start()
    try:
        yield replace(
            settings,
            database_url=server.dsn(roles.serving[0], DATABASE),
            owner_database_url=server.dsn(roles.owner, DATABASE),
        )
    finally:
        server.stop()


async def _check(dsn: str) -> None:
    database = await Database.open(dsn, size=1)
    try:
        migrated = await is_migrated(database)
    except HubError as error:
        if error.problem.code is Code.STORE_UNAVAILABLE:
            raise HubError(Code.DATABASE_UNREACHABLE) from error
        raise
    finally:
        await database.close()
    if not migrated:
        raise HubError(Code.DATABASE_NOT_MIGRATED)
