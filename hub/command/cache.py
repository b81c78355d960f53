"""Commands about facts that workers keep in memory."""

from __future__ import annotations

import asyncio

import typer

from hub.cache.service import CacheService
from hub.cache.store import CacheStore
from hub.command.subject import subject_on_standard_input
from hub.kernel.crypto.master import master_key
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Database
from hub.kernel.db.provision import provided
from hub.kernel.settings import Settings, settings_of_process

app = typer.Typer(no_args_is_help=True)


@app.callback()
def cache() -> None:
    """Facts that workers keep in memory while they are fresh.

    各工作进程在有效时限内缓存的数据。
    """


@app.command()
def forget() -> None:
    """Make every worker forget what it keeps about the ID number or USCC on standard input.

    让所有工作进程忘掉标准输入所给证件号码的缓存数据。
    """
    whom = subject_on_standard_input()
    with provided(settings_of_process()) as settings:
        asyncio.run(_forget(settings, whom.value))
    typer.echo("forgotten 已清除")


async def _forget(settings: Settings, value: str) -> None:
    database = await Database.open(settings.database_url or "", size=1)
    try:
        pseudonyms = Pseudonyms(master_key(settings.master_key, settings.data))
        await CacheService(CacheStore(database), pseudonyms).forget(value)
    finally:
        await database.close()
