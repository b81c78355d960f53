"""Commands of the officer who takes in the files that agencies hand over."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.files_control import SUFFIX
from connectors.files_folder import is_unchanged, stamp_of
from connectors.files_reasons import Bad
from hub.kernel.db.provision import provided
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import Settings, settings_of_process
from hub.staging.model import Delivery, Load, LoadState
from hub.texts import Language, load_texts
from hub.wiring import file_desk

NO_WIDTH = 10_000  # columns of a table that goes to a file or another program
TOLD = 20  # reasons, on the screen
REFUSED = 1  # exit code
LARGEST = 2**63 - 1  # number of a load

app = typer.Typer(no_args_is_help=True)
Connector = Annotated[str, typer.Option(help="The connector's id. 连接器编号。")]
Officer = Annotated[str, typer.Option("--by", help="Account of who decides. 处理人账号。")]
Number = Annotated[int, typer.Argument(min=1, max=LARGEST, help="The load's number. 装载编号。")]


@app.callback()
def files() -> None:
    """Take in files that agencies hand over.

    装载部门送来的数据文件。
    """


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or JSON Lines. 数据文件。")],
    connector: Connector,
    offering: Annotated[
        str | None, typer.Option(help="Which of the connector's offerings. 数据资源名称。")
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(help="When the data was true (UTC). 数据截至时间（UTC）。")
    ] = None,
) -> None:
    """Load a file, all of it or nothing; exit code 1 when it was refused, 0 when it serves or waits.

    装载一个文件，全部成功或全部不装。
    """
    with provided(settings_of_process()) as settings:
        loaded = asyncio.run(_load(settings, file, connector, offering, as_of))
    if loaded.state is LoadState.REFUSED:
        _tell_reasons(loaded)
        raise typer.Exit(REFUSED)
    typer.echo(_summary(loaded))


@app.command("list")
def list_loads(
    connector: Annotated[str | None, typer.Option(help="Of this connector only. 只列此连接器。")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON. 以 JSON 输出。")] = False,
) -> None:
    """List what became of the files, the newest first.

    列出各文件的装载情况，新的在前。
    """
    with provided(settings_of_process()) as settings:
        found = asyncio.run(_listed(settings, connector))
    if as_json:
        typer.echo(json.dumps(list(map(_content, found)), ensure_ascii=False, indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else NO_WIDTH).print(_table(found))


@app.command()
def accept(number: Number, officer: Officer) -> None:
    """Answer with a waiting file from now on.

    接受等待处理的文件，开始使用。
    """
    with provided(settings_of_process()) as settings:
        typer.echo(_summary(asyncio.run(_accept(settings, number, officer))))


@app.command()
def reject(number: Number, officer: Officer) -> None:
    """Remove a waiting file's rows; what served before goes on serving.

    退回等待处理的文件，继续使用原来的数据。
    """
    with provided(settings_of_process()) as settings:
        typer.echo(_summary(asyncio.run(_reject(settings, number, officer))))


async def _load(
    settings: Settings, file: Path, connector: str, offering: str | None, as_of: datetime | None
) -> Load:
    async with file_desk(settings) as desk:
        drops = desk.of(connector, offering)
        if len(drops) != 1:
            raise HubError(Code.FILE_REFUSED, part=file.name, rule="drop")
        try:
            with file.open("rb") as stream:
                loaded = await desk.staging.load(drops[0], _delivery(file, stream, as_of))
        except OSError as error:
            raise HubError(Code.FILE_REFUSED, part=file.name, rule="unreadable") from error
    if loaded is None:
        raise HubError(Code.FILE_REFUSED, part=file.name, rule="loading")
    return loaded


def _delivery(file: Path, stream: BinaryIO, as_of: datetime | None) -> Delivery:
    beside = file.with_name(file.name + SUFFIX)
    control = beside.read_bytes() if beside.is_file() else None
    stamp = stamp_of(stream, control)
    changed_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    moment = None if as_of is None else as_of.replace(tzinfo=as_of.tzinfo or UTC)
    return Delivery(
        file.name, stream, changed_at, control, moment, stamp, lambda: is_unchanged(stream, stamp)
    )


async def _listed(settings: Settings, connector: str | None) -> list[Load]:
    async with file_desk(settings) as desk:
        return await desk.staging.loads(connector)


async def _accept(settings: Settings, number: int, officer: str) -> Load:
    async with file_desk(settings) as desk:
        return await desk.accept(number, officer)


async def _reject(settings: Settings, number: int, officer: str) -> Load:
    async with file_desk(settings) as desk:
        return await desk.reject(number, officer)


def _summary(load: Load) -> str:
    said = [f"{load.id} {load.place.connector}/{load.place.offering}"]
    said += [f"{words['state_' + load.state]} {words['rows']} {load.rows}" for words in _words()]
    said += [f"{words['doubt_' + doubt]}" for doubt in load.doubts for words in _words()]
    return "\n".join(said)


def _tell_reasons(load: Load) -> None:
    for bad in load.reasons[:TOLD]:
        typer.echo(_told(bad), err=True)
    for words in _words():
        typer.echo(f"{load.file}: {words['state_refused']}. {words['wrong']} {load.bad}", err=True)


def _told(bad: Bad) -> str:
    """Where and why, in both languages; never what stands there."""
    where = [] if bad.line is None else [f"{words['line']} {bad.line}" for words in _words()]
    where += [] if bad.column is None else [bad.column]
    return " · ".join([*where, *(words[f"reason_{bad.reason}"] for words in _words())])


def _words() -> list[dict[str, str]]:
    return [dict(load_texts(language).page("files")) for language in Language]


def _table(found: Sequence[Load]) -> Table:
    words = _words()
    made = Table(caption=None if found else " ".join(one["empty"] for one in words))
    for column in ("number", "offering", "file", "state", "rows", "as_of", "why"):
        made.add_column(" ".join(one[column] for one in words), overflow="fold")
    for one in found:
        why = [_told(bad) for bad in one.reasons[:3]] + [f"… {one.bad}"] * (one.bad > 3)
        why += [words_of[f"doubt_{doubt}"] for doubt in one.doubts for words_of in words]
        cells = (
            str(one.id), f"{one.place.connector}/{one.place.offering}", one.file,
            " ".join(words_of[f"state_{one.state}"] for words_of in words),
            str(one.rows), one.as_of.isoformat(timespec="minutes"), "\n".join(why),
        )  # fmt: skip
        made.add_row(*map(Text, cells))
    return made


def _content(one: Load) -> dict[str, object]:
    return {
        "number": one.id,
        "connector": one.place.connector,
        "offering": one.place.offering,
        "file": one.file,
        "sha256": one.sha256,
        "state": one.state,
        "rows": one.rows,
        "as_of": one.as_of.isoformat(),
        "came_at": None if one.came_at is None else one.came_at.isoformat(),
        "doubts": list(one.doubts),
        "bad": one.bad,
        "reasons": [{"reason": bad.reason, "line": bad.line, "column": bad.column} for bad in one.reasons],
        "decided_by": one.decided_by,
        "decided_at": None if one.decided_at is None else one.decided_at.isoformat(),
    }
