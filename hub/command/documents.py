"""Commands of the operator who decides which queries are trusted."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.catalogue.rules import snapshot
from hub.catalogue.store import CatalogueStore
from hub.documents.model import TrustedDocument
from hub.documents.rules import SHA256, mistake, read_file
from hub.documents.service import DocumentService
from hub.documents.store import DocumentStore
from hub.kernel.db import Database
from hub.kernel.db.provision import provided
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.settings import Settings, settings_of_process
from hub.texts import Language, load_texts
from schema.build import Contract, build_schema
from schema.stale import Check
from schema.trusted import Mistake, checked

REFUSED = 1  # exit code
NO_WIDTH = 10_000  # columns of a table that goes to a file or another program

Listed = tuple[TrustedDocument, Problem | None]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def documents() -> None:
    """Decide which queries are trusted.

    登记可信查询。
    """


@app.command()
def add(
    file: Annotated[
        Path, typer.Argument(help="A .graphql file, or a manifest of them in JSON. 查询文件或 JSON 清单。")
    ],
) -> None:
    """Register the queries of a file, all or none, and print their ids.

    登记文件中的查询（全部成功或全部不登记），并打印编号。
    """
    try:
        content = file.read_bytes()
    except OSError:
        problem = mistake(str(file), "a file that can be read")
        raise HubError(problem.code, **problem.detail) from None
    with provided(settings_of_process()) as settings:
        added = asyncio.run(_add(settings, content))
    for document in added:
        typer.echo(f"{SHA256}{document.digest} {document.name}")


@app.command(name="list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON. 以 JSON 输出。")] = False,
) -> None:
    """List the registered queries, and whether the catalogue as it is now still answers them.

    列出已登记的查询，并说明按现行目录能否回答。
    """
    with provided(settings_of_process()) as settings:
        found = asyncio.run(_listed(settings))
    if as_json:
        content = [_content(one, problem) for one, problem in found]
        typer.echo(json.dumps(content, ensure_ascii=False, indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else NO_WIDTH).print(_table(found))


@app.command()
def remove(
    document: Annotated[str, typer.Argument(help="Its id or name. 编号或名称。")],
) -> None:
    """Remove a registered query; clients that send its id are refused within a second.

    取消登记；之后凭其编号的请求不再受理。
    """
    with provided(settings_of_process()) as settings:
        removed = asyncio.run(_remove(settings, document))
    if not removed:
        raise HubError(Code.DOCUMENT_UNKNOWN)


async def _add(settings: Settings, content: bytes) -> Sequence[TrustedDocument]:
    submitted = read_file(content)
    if isinstance(submitted, Problem):
        raise HubError(submitted.code, **submitted.detail)
    database = await _owners(settings)
    try:
        good, mistakes = checked(await _contract(database), submitted)
        if mistakes:
            _tell(mistakes)
            raise typer.Exit(REFUSED)
        await DocumentService(DocumentStore(database)).add(good)
    finally:
        await database.close()
    return good


async def _contract(database: Database) -> Contract:
    rows = await CatalogueStore(database).read()
    return build_schema(snapshot(rows.version, rows.agencies, rows.records, ()))


async def _listed(settings: Settings) -> Sequence[Listed]:
    database = await Database.open(settings.database_url or "", size=1)
    try:
        found = await DocumentService(DocumentStore(database)).listed()
        check = Check(await _contract(database))
        return [(one, check.problem(one)) for one in found]
    finally:
        await database.close()


async def _remove(settings: Settings, document: str) -> bool:
    database = await _owners(settings)
    try:
        return await DocumentService(DocumentStore(database)).remove(document)
    finally:
        await database.close()


async def _owners(settings: Settings) -> Database:
    if settings.owner_database_url is None:
        raise HubError(Code.DATABASE_UNREACHABLE, database="HUB_OWNER_DATABASE_URL")
    return await Database.open(settings.owner_database_url, size=1)


def _tell(mistakes: Sequence[Mistake]) -> None:
    languages = list(map(load_texts, Language))
    for one in mistakes:
        typer.echo(f"{one.document}: {one.problem.code.label}", err=True)
        for said in (texts.say(one.problem) for texts in languages):
            typer.echo(f"  {said.title}: {said.explanation}", err=True)


def _table(found: Sequence[Listed]) -> Table:
    words = [load_texts(language).page("documents") for language in Language]
    made = Table(caption=None if found else " ".join(one["empty"] for one in words))
    for column in ("name", "id", "state"):
        made.add_column(" ".join(one[column] for one in words), overflow="fold")
    fits = " ".join(one["fits"] for one in words)
    for one, problem in found:
        made.add_row(Text(one.name or ""), Text(one.id), Text(_told(problem) if problem else fits))
    return made


def _told(problem: Problem) -> str:
    said = [load_texts(language).say(problem) for language in Language]
    return "\n".join((problem.code.label, *(one.explanation for one in said)))


def _content(one: TrustedDocument, problem: Problem | None) -> dict[str, str | None]:
    content: dict[str, str | None] = {"id": one.id, "name": one.name, "digest": one.digest, "text": one.text}
    number, answer = (problem.code.label, problem.detail["detail"]) if problem else (None, None)
    return content | {"problem": number, "answer": answer}
