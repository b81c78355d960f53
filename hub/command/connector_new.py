"""The command that proposes a connector from what an agency has: its interface, schema, views or a sample."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from connectors.manifest.document import ID
from connectors.proposals.model import Asked, Choices, Findings, Note, Proposal, Reason, Refusal
from connectors.proposals.write import propose
from hub.kernel.errors import Code, HubError
from hub.subjects.rules import uscc
from hub.texts import Language, load_texts

LARGEST = 20_000_000  # bytes of a document
REFUSED = 1  # exit code
POSTGRESQL = ("postgresql://", "postgres://")
DOCUMENTS = (".yaml", ".yml", ".json")
SCHEMAS = (".graphql", ".graphqls", ".gql")
Read = Findings | Choices | Refusal


def register(app: typer.Typer) -> None:
    """Adds ``new`` to the family."""
    app.command()(new)


def new(
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="openapi.yaml, schema.graphql, postgresql://USER@HOST/DATABASE, sample.xlsx, .csv. 来源。",
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder to write into. 写入的文件夹。")] = Path(),
    id: Annotated[str | None, typer.Option(help="The connector's id. 连接器编号。")] = None,  # noqa: A002 - the option's name
    agency: Annotated[str | None, typer.Option(help="The agency's USCC. 部门统一社会信用代码。")] = None,
    operation: Annotated[
        str | None, typer.Option(help="Which operation, by its id or like 'GET /people/{id}'. 选用的接口。")
    ] = None,
    view: Annotated[str | None, typer.Option(help="Which view, as schema.name. 选用的视图。")] = None,
) -> None:
    """Propose a connector and its evidence type from what you have; every guess is marked "# ?".

    根据现有接口、视图或样例表生成连接器和证照类型草稿；每处猜测都标有“# ?”，请逐处确认。
    """
    asked = _asked(id, agency, operation or view)
    read = _read(source, asked)
    if isinstance(read, Refusal):
        raise _refused(read)
    if isinstance(read, Choices):
        _tell_choices(read, "--view" if source.startswith(POSTGRESQL) else "--operation")
        raise HubError(Code.IMPORT_AMBIGUOUS)
    proposal = propose(read, asked, notes_in_words())
    written = [
        _written(out / f"{proposal.id}.toml", proposal.manifest),
        _written(out / f"{proposal.id}.records.toml", proposal.sheet),
    ]
    _tell(proposal, written)


def notes_in_words() -> Mapping[Note, str]:
    """What is said of each guess, in both languages."""
    pages = [load_texts(language).page("proposal") for language in Language]
    return {note: " / ".join(page[note] for page in pages) for note in Note}


def _asked(connector: str | None, agency: str | None, choice: str | None) -> Asked:
    if connector is not None and not re.fullmatch(ID, connector):
        raise typer.BadParameter(
            "--id: a-z, 0-9 and -, 2 to 64 characters · 小写字母、数字和 -，2 至 64 个字符"
        )
    if agency is not None and uscc(agency) != agency:
        raise typer.BadParameter("--agency: 18 characters by GB 32100 · 18 位统一社会信用代码（GB 32100）")
    return Asked(connector, agency, choice)


def _read(source: str, asked: Asked) -> Read:
    if source.startswith(POSTGRESQL):
        return _of_database(source, asked.choice)
    file = Path(source)
    suffix = file.suffix.lower()
    try:
        if suffix in (".csv", ".xlsx"):
            from connectors.proposals.sheets import read_csv, read_xlsx

            return read_csv(file) if suffix == ".csv" else read_xlsx(file)
        if suffix not in DOCUMENTS + SCHEMAS:
            return Refusal(Reason.UNKNOWN_KIND)
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except (OSError, ValueError):
        return Refusal(Reason.NO_FILE)
    return _of_document(content, file, asked.choice)


def _of_document(content: bytes, file: Path, choice: str | None) -> Read:
    if len(content) > LARGEST:
        return Refusal(Reason.TOO_LARGE)
    if file.suffix.lower() in SCHEMAS:
        from connectors.proposals.graphql_schema import read_graphql

        return read_graphql(content, file.stem, choice)
    from connectors.proposals.openapi import read_openapi

    return read_openapi(content, choice)


def _of_database(url: str, choice: str | None) -> Read:
    from connectors.proposals.views import objection, read_views

    why_not = objection(url)
    if why_not is not None:
        return why_not
    read = asyncio.run(read_views(url, None, choice))
    if isinstance(read, Refusal) and read.reason is Reason.LOGIN_REFUSED and sys.stdin.isatty():
        password = typer.prompt("Password · 密码", hide_input=True, err=True)
        read = asyncio.run(read_views(url, password, choice))
    return read


def _refused(refusal: Refusal) -> HubError:
    return HubError(Code.IMPORT_REFUSED, reason=refusal.reason.value, part=refusal.place or "—")


def _tell_choices(choices: Choices, option: str) -> None:
    for one in choices.listed:
        given = f'{option} "{one.given}"'
        typer.echo("\t".join(part for part in (given, one.shown, one.key) if part))


def _written(file: Path, text: str) -> Path:
    """A file that is there already may hold what somebody confirmed: it is never written over."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError:
        raise HubError(Code.PROPOSAL_NOT_WRITTEN, part=str(file)) from None
    return file


def _tell(proposal: Proposal, written: list[Path]) -> None:
    for file in written:
        typer.echo(str(file))
    pages = [load_texts(language).page("proposal") for language in Language]
    for page in pages:
        typer.echo(page["summary"].format(marks=proposal.marks))
        if proposal.digits_lost:
            typer.echo(page["summary_digits_lost"].format(columns=", ".join(proposal.digits_lost)), err=True)
