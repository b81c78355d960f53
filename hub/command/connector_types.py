"""The command by which the bureau takes evidence types into the catalogue, unless that broke a client."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from graphql import GraphQLError

from hub.catalogue.model import Kind, RecordType, Snapshot
from hub.catalogue.rules import read_record_types, snapshot
from hub.command.connector_steps import Account, run
from hub.documents.service import DocumentService
from hub.kernel.errors import Code, HubError, Problem
from hub.texts import Language, load_texts

if TYPE_CHECKING:
    from hub.wiring import Hub

REFUSED = 1  # exit code


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(types)


def types(
    sheet: Annotated[Path, typer.Argument(help="The sheet of evidence types (TOML). 证照类型表。")],
    officer: Account,
) -> None:
    """Take evidence types into the catalogue: all of a sheet or none. Each becomes a type of the contract.

    把证照类型登记进目录（全部成功或全部不登记）；每种成为查询接口中的一个类型。
    """
    try:
        content = sheet.read_bytes()
        found = read_record_types(content.decode())
    except (OSError, UnicodeDecodeError):
        rule = "a file in UTF-8 that can be read"
        raise HubError(Code.MANIFEST_INVALID, path=str(sheet), rule=rule) from None
    records = [one for one in found if isinstance(one, RecordType)]
    _tell([one for one in found if isinstance(one, Problem)])

    async def work(hub: Hub) -> None:
        by = await hub.register.officer(officer)
        rows = await hub.register.store.read()
        before = snapshot(rows.version, rows.agencies, rows.records, ())
        merged = dict(before.records) | {record.code: record for record in records}
        _require_evidence(before, records)
        after = snapshot(rows.version, rows.agencies, merged.values(), ())
        await _require_answered(before, after, hub.documents)
        await hub.register.add_types(by, records, hashlib.sha256(content).digest())

    run(work)
    for record in records:
        typer.echo(record.code)


def _tell(mistakes: Sequence[Problem]) -> None:
    if not mistakes:
        return
    languages = [load_texts(language) for language in Language]
    for one in mistakes:
        for texts in languages:
            typer.echo(f"{one.code.label} {texts.say(one).explanation}", err=True)
    raise typer.Exit(REFUSED)


def _require_evidence(before: Snapshot, records: Sequence[RecordType]) -> None:
    for record in records:
        known = before.records.get(record.code)
        if known is not None and known.kind is not Kind.EVIDENCE:
            rule = "a code that no base record or relation has"
            raise HubError(Code.MANIFEST_INVALID, path=f"records.{record.code}", rule=rule)


async def _require_answered(before: Snapshot, after: Snapshot, documents: DocumentService) -> None:
    """Raises HubError(TRUSTED_DOCUMENT_STALE) naming each document that would be answered no more."""
    from schema.build import build_schema
    from schema.stale import Check

    try:
        then = Check(build_schema(after))
    except (TypeError, GraphQLError):
        rule = "names that the contract does not have already"
        raise HubError(Code.MANIFEST_INVALID, path="records", rule=rule) from None
    now = Check(build_schema(before))
    stale = {
        one.name or one.id: problem
        for one in await documents.listed()
        if now.problem(one) is None and (problem := then.problem(one)) is not None
    }
    if stale:
        first = next(iter(stale.values()))
        raise HubError(first.code, part=", ".join(sorted(stale)), detail=first.detail["detail"])
