"""Decides which database a command works with: the operator's own, or an embedded one in the data folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hub.kernel.db.embedded import EmbeddedPostgres, Roles
from hub.kernel.db.migrate import is_migrated, migrate
from hub.kernel.db.places import require_readable
from hub.kernel.db.pool import Database
from hub.kernel.db.quarters import private
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import Settings

FOLDER = "postgres"  # below the data folder
DATABASE = "hub"
SERVING = "HUB_DATABASE_URL"
MAY_CHANGE_THE_LOG = "select has_table_privilege('audit.entry', 'UPDATE, DELETE, TRUNCATE')"


@contextmanager
def provided(settings: Settings) -> Iterator[Settings]:
    """Settings whose database is there and migrated while the block runs.

    An embedded PostgreSQL is started and migrated, and both URLs are filled in. The operator's own
    database is only looked at: HubError(DATABASE_UNREACHABLE), HubError(DATABASE_NOT_MIGRATED), or
    HubError(SETTING_INVALID) for a URL that cannot be read, for a role that could change the log, and for
    an owner's URL alone, which would leave the database that was migrated for an embedded one.
    """
    private(settings.data)
    if settings.database_url is not None:
        require_readable(settings.database_url, SERVING)
        asyncio.run(require_servable(settings.database_url))
        yield settings
        return
    if settings.owner_database_url is not None:
        rule = "the same database's URL as its serving role, or HUB_OWNER_DATABASE_URL absent too"
        raise HubError(Code.SETTING_INVALID, setting=SERVING, rule=rule)
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


async def require_servable(dsn: str) -> None:
    """HubError as ``provided`` raises for an operator's database that cannot be served from."""
    database = await Database.open(dsn, size=1)
    try:
        migrated = await is_migrated(database)
        trusted = not migrated or not await database.fetchval(MAY_CHANGE_THE_LOG)
    except HubError as error:
        if error.problem.code is Code.STORE_UNAVAILABLE:
            raise HubError(Code.DATABASE_UNREACHABLE) from error
        raise
    finally:
        await database.close()
    if not migrated:
        raise HubError(Code.DATABASE_NOT_MIGRATED)
    if not trusted:
        rule = "a role that can only add to the log, such as hub_server, not the owner"
        raise HubError(Code.SETTING_INVALID, setting=SERVING, rule=rule)
