"""The steps of a connector's versions as commands: proposed, approved, active, paused, retired."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from prometheus_client import CollectorRegistry
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.manifest import Manifest, read
from hub.audit.model import AgencyCode
from hub.catalogue.model import ConnectorId, Officer, State, Step, Version
from hub.catalogue.service import ConnectorRegister
from hub.kernel.db.provision import provided
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import Settings, settings_of_process
from hub.texts import Language, load_texts

if TYPE_CHECKING:
    from hub.wiring import Hub

NO_WIDTH = 10_000  # columns of a table that goes to a file or another program
COLUMNS = ("connector", "version", "state", "proposed_by", "approved_by", "until")
Result = TypeVar("Result")

Named = Annotated[str, typer.Argument(help="The connector's id. 连接器编号。")]
Number = Annotated[int, typer.Argument(min=1, help="Its version. 版本号。")]
Account = Annotated[str, typer.Option(help="The account of the officer. 经办人员账号。")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON. 以 JSON 输出。")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (propose, pause, officer):
        app.command()(command)
    app.command(name="list")(list_)
    for step, told in (
        (Step.APPROVE, "Approve a proposed version. 审核通过。"),
        (Step.REJECT, "Reject a proposed version. 退回。"),
        (Step.ACTIVATE, "Activate an approved version; it takes the place of the one before. 启用。"),
        (Step.RESUME, "End maintenance before its time. 恢复服务。"),
        (Step.RETIRE, "Retire a version for ever. 停用。"),
        (Step.ROLL_BACK, "Go back to an earlier version. 回退到早先的版本。"),
    ):
        app.command(name=step.value.replace("_", "-"), help=told)(_taking(step))


def propose(
    file: Annotated[Path, typer.Argument(help="The manifest. 连接器清单。")],
    officer: Account,
    secrets: Annotated[
        Path | None, typer.Option(help="A TOML file of secrets by slot. 凭据文件（TOML）。")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="The test's report; its digest is kept. 测试报告。")
    ] = None,
) -> None:
    """Propose a manifest as a new version of its connector, and print its number.

    提出连接器清单的新版本，并打印版本号。
    """
    manifest = _content(file).decode("utf-8", "replace")
    known = _secrets(secrets)
    digest = None if report is None else hashlib.sha256(_content(report)).digest()

    async def work(office: ConnectorRegister) -> int:
        proposer = await office.officer(officer)
        return await office.propose(proposer, _named(manifest, proposer), manifest, known, digest)

    typer.echo(_run(work))


def pause(
    connector: Named,
    version: Number,
    officer: Account,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="When maintenance ends. 维护结束时间。")
    ] = None,
) -> None:
    """Announce maintenance: nobody is asked, and answers say until when.

    公告维护：期间不查询该部门，应答说明何时恢复。
    """
    _taken(Step.PAUSE, connector, version, officer, None if until is None else _instant(until))


def officer(
    account: Annotated[str, typer.Argument(help="The account. 账号。")],
    agency: Annotated[str, typer.Option(help="The agency's code. 部门代码。")],
    approves: Annotated[
        bool, typer.Option("--approves", help="May approve, for the bureau. 有审核权限。")
    ] = False,
) -> None:
    """Register an officer, or change what an account stands for.

    登记经办人员。
    """

    async def work(office: ConnectorRegister) -> None:
        await office.put_officer(Officer(account, AgencyCode(agency), approves))

    _run(work)


def list_(
    connector: Annotated[str | None, typer.Argument(help="One connector. 某个连接器。")] = None,
    as_json: AsJson = False,
) -> None:
    """List connectors with the states of their versions.

    列出连接器各版本的状态。
    """

    async def work(office: ConnectorRegister) -> list[Version]:
        return await office.store.versions(None if connector is None else ConnectorId(connector))

    found = _run(work)
    if as_json:
        typer.echo(json.dumps(list(map(_told, found)), ensure_ascii=False, indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else NO_WIDTH).print(_table(found))


def _taking(step: Step) -> Callable[[str, int, str], None]:
    def command(connector: Named, version: Number, officer: Account) -> None:
        _taken(step, connector, version, officer, None)

    return command


def _taken(step: Step, connector: str, version: int, account: str, until: datetime | None) -> None:
    async def work(office: ConnectorRegister) -> State:
        taker = await office.officer(account)
        return await office.take(step, taker, ConnectorId(connector), version, until)

    typer.echo(_run(work).value)


def _run(work: Callable[[ConnectorRegister], Awaitable[Result]]) -> Result:
    return run(lambda hub: work(hub.register))


def run(work: Callable[[Hub], Awaitable[Result]]) -> Result:
    """Does what needs the hub's services with the owner's role."""
    with provided(settings_of_process()) as settings:
        return asyncio.run(_with_hub(settings, work))


async def _with_hub(settings: Settings, work: Callable[[Hub], Awaitable[Result]]) -> Result:
    from hub.wiring import open_hub

    if settings.owner_database_url is None:
        raise HubError(Code.DATABASE_UNREACHABLE, database="HUB_OWNER_DATABASE_URL")
    hub = open_hub(replace(settings, database_url=settings.owner_database_url), CollectorRegistry())
    try:
        return await work(hub)
    finally:
        await hub.close_connections()
        await hub.database.close()


def _named(text: str, proposer: Officer) -> ConnectorId:
    """The connector that a manifest describes, which must be the proposer's own agency's."""
    manifest = read(text)
    if not isinstance(manifest, Manifest):
        raise HubError(Code.MANIFEST_INVALID, path=manifest[0].path, rule=manifest[0].expected)
    if manifest.agency != proposer.agency:
        raise HubError(Code.CONNECTOR_OF_ANOTHER)
    return ConnectorId(manifest.id)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise HubError(Code.MANIFEST_INVALID, path=str(file), rule="a file that can be read") from None


def _secrets(file: Path | None) -> Mapping[str, str]:
    if file is None:
        return {}
    try:
        table = tomllib.loads(_content(file).decode())
    except ValueError:
        raise HubError(Code.MANIFEST_INVALID, path=str(file), rule="TOML") from None
    if not all(isinstance(secret, str) for secret in table.values()):
        raise HubError(Code.MANIFEST_INVALID, path=str(file), rule='slot = "secret"')
    return table


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a time such as 2026-05-12T08:00+08:00") from None
    return at.astimezone(UTC)


def _told(version: Version) -> dict[str, str | int | None]:
    return {
        "connector": version.connector,
        "version": version.number,
        "agency": version.agency,
        "state": version.state.value,
        "proposed_by": version.proposed_by,
        "approved_by": version.approved_by,
        "until": None if version.paused_until is None else version.paused_until.isoformat(),
        "manifest": version.manifest.hex(),
        "report": None if version.report is None else version.report.hex(),
    }


def _table(found: Sequence[Version]) -> Table:
    words = [load_texts(language).page("connectors") for language in Language]
    made = Table(caption=None if found else " ".join(one["empty"] for one in words))
    for column in COLUMNS:
        made.add_column(" ".join(one[column] for one in words), overflow="fold")
    for version in found:
        told = _told(version) | {"state": " ".join(one[version.state.value] for one in words)}
        made.add_row(*(Text(str(told[column] or "")) for column in COLUMNS))
    return made
