"""Commands of those who check the log of look-ups."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.audit.model import ClientId, InquiryId, LookUp
from hub.audit.service import LogReader
from hub.audit.store import AuditStore
from hub.command.subject import subject_on_standard_input
from hub.kernel.crypto.master import master_key
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Database
from hub.kernel.db.provision import provided
from hub.kernel.settings import Settings, settings_of_process
from hub.subjects.model import Subject
from hub.texts import Language, load_texts

STANDARD_INPUT = "-"
NO_WIDTH = 10_000  # columns of a table that goes to a file or another program
COLUMNS = ("at", "client", "case", "fields", "result")

Words = tuple[Mapping[str, str], ...]  # the page table "audit" in each language

app = typer.Typer(no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Check the log of look-ups.

    查看和核对查询日志。
    """


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a time such as 2026-05-12 or 2026-05-12T08:00+08:00") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _only_standard_input(text: str | None) -> str | None:
    """A number on the command line would stand in the shell's history and in the list of processes."""
    if text not in {None, STANDARD_INPUT}:
        raise typer.BadParameter("give - and write the number on standard input 请写 -，号码从标准输入给出")
    return text


@app.command()
def show(
    client: Annotated[str | None, typer.Option(help="By this client. 某调用方的查询。")] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            help="-: about the ID number or USCC on standard input. 从标准输入读证件号码。",
            callback=_only_standard_input,
        ),
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=_instant, metavar="TIME", help="Since then, UTC. 起始时间。")
    ] = None,
    inquiry: Annotated[UUID | None, typer.Option(help="This one (a receipt's jti). 某一次查询。")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many. 最多条数。")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON. 以 JSON 输出。")] = False,
) -> None:
    """List look-ups, newest first, also those that have no outcome.

    列出查询记录，新的在前；没有结果的也列出。
    """
    whom = subject_on_standard_input("--subject") if subject else None
    with provided(settings_of_process()) as settings:
        found = asyncio.run(
            _found(settings, InquiryId(inquiry) if inquiry else None, whom, client, since, limit)
        )
    if as_json:
        typer.echo(json.dumps([_content(one) for one in found], ensure_ascii=False, indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else NO_WIDTH).print(table(found))


@app.command()
def steps(
    connector: Annotated[str | None, typer.Argument(help="Of this connector. 某个连接器。")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many. 最多条数。")] = 50,
) -> None:
    """List, as JSON lines and newest first, what officers did with connectors.

    以 JSON 行列出经办人员对连接器的操作，新的在前。
    """
    with provided(settings_of_process()) as settings:
        for one in asyncio.run(_steps(settings, connector, limit)):
            typer.echo(one)


async def _steps(settings: Settings, connector: str | None, limit: int) -> list[str]:
    database = await Database.open(settings.database_url or "", size=1)
    try:
        return [one.decode() for one in await AuditStore(database).steps(limit, connector)]
    finally:
        await database.close()


async def _found(
    settings: Settings,
    inquiry: InquiryId | None,
    subject: Subject | None,
    client: str | None,
    since: datetime | None,
    limit: int,
) -> list[LookUp]:
    database = await Database.open(settings.database_url or "", size=1)
    reader = LogReader(AuditStore(database), [Pseudonyms(master_key(settings.master_key, settings.data))])
    try:
        if inquiry is None:
            by = ClientId(client) if client else None
            return await reader.look_ups(limit, subject=subject, client=by, since=since)
        one = await reader.look_up(inquiry)
        return [one] if one else []
    finally:
        await database.close()


def table(found: list[LookUp]) -> Table:
    """The look-ups as a table with headings in both languages."""
    words = tuple(load_texts(language).page("audit") for language in Language)
    caption = None if found else _said(words, "empty")
    made = Table(title=_said(words, "title"), caption=caption, show_lines=True)
    for column in COLUMNS:
        heading = "\n".join(one[column] for one in words)
        made.add_column(heading, overflow="fold", no_wrap=column == COLUMNS[0])
    for one in found:
        made.add_row(*(Text(cell) for cell in _cells(one, words)))
    return made


def _cells(one: LookUp, words: Words) -> tuple[str, ...]:
    why, actor = one.purpose, one.purpose["actor"]
    counted = [language["subjects"].format(count=one.subjects) for language in words]
    return (
        f"{one.at:%Y-%m-%d %H:%M:%S}Z\n{one.inquiry}",
        f"{why['client']}\n{_said(words, actor['kind'])} {actor['account']}",
        f"{why['agency']}\n{why['procedure']}\n{why['case']}",
        "\n".join(f"{record}: {', '.join(codes)}" for record, codes in one.fields.items()),
        "\n".join((_said(words, one.result or "unrecorded"), *counted)),
    )


def _said(words: Words, key: str) -> str:
    return " ".join(one[key] for one in words)


def _content(one: LookUp) -> dict[str, object]:
    return {
        "inquiry": str(one.inquiry),
        "at": one.at.isoformat(),
        "purpose": one.purpose,
        "fields": one.fields,
        "subjects": one.subjects,
        "result": one.result,
        "endedAt": one.ended_at.isoformat() if one.ended_at else None,
        "sources": one.sources,
    }
