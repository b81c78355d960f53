"""The command that brings the database to this release."""

from __future__ import annotations

import asyncio

import typer

from hub.kernel.db.migrate import migrate as apply_migrations
from hub.kernel.db.provision import embedded
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import Settings, settings_of_process

app = typer.Typer(help="Bring the database to this release. 升级数据库结构。")


@app.callback(invoke_without_command=True)
def migrate() -> None:
    """Apply the missing migrations as the owner role; does nothing when there are none."""
    settings = settings_of_process()
    if settings.database_url is None and settings.owner_database_url is None:
        with embedded(settings) as filled:
            _apply(filled)
    else:
        _apply(settings)


def _apply(settings: Settings) -> None:
    if settings.owner_database_url is None:
        rule = "the database's URL as its owner role"
        raise HubError(Code.SETTING_INVALID, setting="HUB_OWNER_DATABASE_URL", rule=rule)
    count = asyncio.run(apply_migrations(settings.owner_database_url, applied=typer.echo))
    typer.echo(f"{count} applied. 已执行 {count} 个迁移。")
