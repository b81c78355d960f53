"""Commands of the operator who decides how much each client may ask."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.audit.model import ClientId
from hub.catalogue.model import RecordCode
from hub.catalogue.store import CatalogueStore
from hub.clients.store import ClientStore
from hub.kernel.clock import SystemClock
from hub.kernel.db import Database
from hub.kernel.db.provision import provided
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.settings import Settings, settings_of_process
from hub.quotas.model import Limits, Quota
from hub.quotas.rules import MOST, invalid
from hub.quotas.service import QuotaService
from hub.quotas.store import QuotaStore
from hub.texts import Language, load_texts

MOST_COST = 10**12
NO_WIDTH = 10_000  # columns of a table that goes to a file or another program
COLUMNS = ("client", "record", "per_second", "per_minute", "per_day", "cost")

ForClient = Annotated[str | None, typer.Option("--client", help="Of this client. 此调用方。")]
ForRecord = Annotated[str | None, typer.Option("--record", help="Over this record. 此种数据。")]
Costs = Mapping[ClientId, int]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def quotas() -> None:
    """Decide how much each client may ask.

    设置调用方的限额。
    """


@app.command(name="list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON. 以 JSON 输出。")] = False,
) -> None:
    """List the quotas that differ from the settings.

    列出单独设置的限额。
    """
    with provided(settings_of_process()) as settings:
        found, costs = asyncio.run(_listed(settings))
    if as_json:
        typer.echo(json.dumps(_content(found, costs), ensure_ascii=False, indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else NO_WIDTH).print(_table(found, costs))


@app.command(name="set")
def set_(
    client: ForClient = None,
    record: ForRecord = None,
    per_second: Annotated[int | None, typer.Option(min=0, max=MOST, help="Requests. 每秒请求数。")] = None,
    per_minute: Annotated[int | None, typer.Option(min=0, max=MOST, help="Requests. 每分钟请求数。")] = None,
    per_day: Annotated[int | None, typer.Option(min=0, max=MOST, help="Subjects. 每天对象数。")] = None,
) -> None:
    """Set the quota of a client, of every client over a record, or of one client over one; 0: no limit.

    设置某调用方、某种数据、或某调用方查某种数据的限额；0 为不限，未写的按统一设置。
    """
    quota = Quota(
        ClientId(client) if client else None,
        RecordCode(record) if record else None,
        Limits(per_second, per_minute, per_day),
    )
    with provided(settings_of_process()) as settings:
        asyncio.run(_set(settings, quota))


@app.command()
def remove(client: ForClient = None, record: ForRecord = None) -> None:
    """Take a quota back; from then on the settings count.

    取消单独设置的限额，恢复统一设置。
    """
    with provided(settings_of_process()) as settings:
        removed = asyncio.run(
            _remove(settings, ClientId(client) if client else None, RecordCode(record) if record else None)
        )
    if not removed:
        raise _refusal(invalid("client" if client else "record", "one that has a quota"))


@app.command()
def cost(
    client: Annotated[str, typer.Argument(help="The client. 调用方。")],
    limit: Annotated[
        int | None, typer.Argument(min=1, max=MOST_COST, help="None: as the setting says. 不写则按统一设置。")
    ] = None,
) -> None:
    """Set what one question of a client may cost.

    设置某调用方单次查询的代价上限。
    """
    with provided(settings_of_process()) as settings:
        found = asyncio.run(_limit_cost(settings, ClientId(client), limit))
    if not found:
        raise _refusal(invalid("client", "a registered client"))


async def _listed(settings: Settings) -> tuple[tuple[Quota, ...], Costs]:
    async with _opened(settings.database_url) as database:
        clients = await ClientStore(database).read()
        costs = {one.id: one.cost_limit for one in clients.values() if one.cost_limit is not None}
        return await _service(database).listed(), costs


async def _set(settings: Settings, quota: Quota) -> None:
    async with _opened(settings.owner_database_url) as database:
        records = {record.code for record in (await CatalogueStore(database).read()).records}
        if quota.record is not None and quota.record not in records:
            raise _refusal(invalid("record", "a record of the catalogue"))
        await _service(database).put(quota)


async def _remove(settings: Settings, client: ClientId | None, record: RecordCode | None) -> bool:
    async with _opened(settings.owner_database_url) as database:
        return await _service(database).remove(client, record)


async def _limit_cost(settings: Settings, client: ClientId, limit: int | None) -> bool:
    async with _opened(settings.owner_database_url) as database:
        return await ClientStore(database).limit_cost(client, limit)


@asynccontextmanager
async def _opened(url: str | None) -> AsyncIterator[Database]:
    if url is None:
        raise HubError(Code.DATABASE_UNREACHABLE, database="HUB_OWNER_DATABASE_URL")
    database = await Database.open(url, size=1)
    try:
        yield database
    finally:
        await database.close()


def _service(database: Database) -> QuotaService:
    return QuotaService(QuotaStore(database), SystemClock(), Limits(), 1)


def _refusal(problem: Problem) -> HubError:
    return HubError(problem.code, **problem.detail)


def _content(found: tuple[Quota, ...], costs: Costs) -> list[dict[str, str | int | None]]:
    """One object a quota; what a question may cost stands with the client's own, over all records."""
    rows = [
        {
            "client": one.client,
            "record": one.record,
            "per_second": one.limits.per_second,
            "per_minute": one.limits.per_minute,
            "per_day": one.limits.per_day,
            "cost": costs.get(one.client) if one.client and one.record is None else None,
        }
        for one in found
    ]
    alone = costs.keys() - {one.client for one in found if one.record is None}
    return rows + [
        dict.fromkeys(COLUMNS) | {"client": client, "cost": costs[client]} for client in sorted(alone)
    ]


def _table(found: tuple[Quota, ...], costs: Costs) -> Table:
    words = [load_texts(language).page("quotas") for language in Language]

    def said(key: str) -> str:
        return " ".join(one[key] for one in words)

    rows = _content(found, costs)
    made = Table(caption=None if rows else said("empty"))
    for column in COLUMNS:
        made.add_column(said(column), overflow="fold")
    for row in rows:
        whom = [row["client"] or said("everybody"), row["record"] or said("all_records")]
        numbers = [
            said("unset") if row[name] is None else row[name] or said("unlimited") for name in COLUMNS[2:]
        ]
        made.add_row(*(Text(str(cell)) for cell in (*whom, *numbers)))
    return made
