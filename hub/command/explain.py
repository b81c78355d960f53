"""The command that tells what an operation will cost and ask, before anybody is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectors.manifest import Manifest, read
from hub.audit.model import AgencyCode
from hub.catalogue.model import Agency, ConnectorId, Label, Snapshot, Supply
from hub.catalogue.rules import snapshot
from hub.catalogue.store import CatalogueRows, CatalogueStore
from hub.kernel.db import Database
from hub.kernel.db.provision import FOLDER, provided
from hub.kernel.errors import HubError, Problem
from hub.kernel.settings import Settings, settings_of_process

if TYPE_CHECKING:
    from graphql import GraphQLError, OperationDefinitionNode

SAMPLES = {"ResidentIdNumber": "11010519491231002X", "UnifiedSocialCreditCode": "91350100M000100Y43"}
"""The standards' own examples (GB 11643, GB 32100): they stand for keys that were not given."""

ANY_ORDER = {"allow_interspersed_args": True}  # options may stand behind the file

app = typer.Typer(context_settings=ANY_ORDER, subcommand_metavar="")


@app.callback(invoke_without_command=True)
def explain(
    file: Annotated[Path, typer.Argument(help="A .graphql file. 查询文件。")],
    variables: Annotated[Path | None, typer.Option(help="Variables in JSON. 变量（JSON 文件）。")] = None,
    operation: Annotated[str | None, typer.Option(help="One of several operations. 查询名称。")] = None,
    types: Annotated[
        str, typer.Option(help="Evidence types, by commas, for variables that are lists of texts. 证照类型。")
    ] = "",
    demo: Annotated[bool, typer.Option(help="The demo city's catalogue, no database. 演示目录。")] = False,
) -> None:
    """Show the plan of a query: waves of calls, cost, fields that need a grant, and the generated code.

    显示查询的执行计划：各波调用、成本、所需授权的字段和生成的代码。
    """
    text, given = _read(file), _variables(variables)
    settings = settings_of_process()
    typer.echo(explanation(_catalogue(settings, demo), text, operation, given, types), nl=False)


def explanation(
    catalogue: Snapshot, text: str, name: str | None, given: Mapping[str, Any], types: str = ""
) -> str:
    """The explanation of one operation; raises HubError with the first thing that is wrong with it.

    Variables that choose keys or evidence types and are not given get samples: the plan is the same.
    """
    from schema.build import build_schema
    from schema.execution.explanation import explained

    contract = build_schema(catalogue)
    document = contract.documents.read(text)
    if isinstance(document, tuple):
        raise _mistake(document[0])
    operation = document.operation(name)
    if isinstance(operation, Problem):
        raise HubError(operation.code, **operation.detail)
    codes = [code.strip() for code in types.split(",") if code.strip()]
    ready = contract.prepared(document, operation).ready(samples(operation, codes) | dict(given))
    if isinstance(ready, tuple):
        raise HubError(ready[0].code, **ready[0].detail)
    return explained(ready, catalogue.supplies)


def samples(operation: OperationDefinitionNode, types: Sequence[str]) -> dict[str, Any]:
    """A value for each variable that has no default and whose type says that it names keys or types."""
    from graphql import print_ast

    found: dict[str, Any] = {}
    for variable in operation.variable_definitions or ():
        kind = print_ast(variable.type).strip("[]!")
        if variable.default_value is not None:
            continue
        if kind in SAMPLES:
            found[variable.variable.name.value] = SAMPLES[kind]
        elif kind == "String" and print_ast(variable.type).startswith("["):
            found[variable.variable.name.value] = list(types)
    return found


def of_demo() -> Snapshot:
    """The demo city's catalogue as it is registered, without a database."""
    from hub.demo.authorities import DEPARTMENTS, department
    from hub.demo.seed import AGENCIES, CONNECTORS, PORTS_IN_MANIFESTS, manifest, record_types

    agencies = {
        one.code(): Agency(AgencyCode(one.code()), Label(one.name, one.english)) for one in DEPARTMENTS
    }
    supplies = [
        supply
        for name, port in PORTS_IN_MANIFESTS.items()
        for supply in _supplies(
            CONNECTORS[name], 1, agencies[department(AGENCIES[name]).code()], manifest(name, port)
        )
    ]
    return snapshot(1, agencies.values(), record_types().values(), supplies)


def _catalogue(settings: Settings, demo: bool) -> Snapshot:
    if not demo and (settings.database_url or (settings.data / FOLDER).exists()):
        with provided(settings) as ready:
            return _of_rows(asyncio.run(_rows(ready)))
    if not demo:
        typer.echo("no database: the demo city's catalogue · 没有数据库：使用演示目录", err=True)
    return of_demo()


async def _rows(settings: Settings) -> CatalogueRows:
    database = await Database.open(settings.database_url or "", size=1)
    try:
        return await CatalogueStore(database).read()
    finally:
        await database.close()


def _of_rows(rows: CatalogueRows) -> Snapshot:
    agencies = {agency.code: agency for agency in rows.agencies}
    supplies = [
        supply
        for row in rows.connectors
        for supply in _supplies(row.id, row.version, agencies[row.agency], row.manifest)
    ]
    return snapshot(rows.version, rows.agencies, rows.records, supplies)


def _supplies(connector: str, version: int, agency: Agency, manifest: str) -> list[Supply]:
    """What a manifest offers; one that no longer holds offers nothing, as in a serving hub."""
    declared = read(manifest)
    offerings = declared.offerings if isinstance(declared, Manifest) else ()
    return [Supply(ConnectorId(connector), version, agency, one.offering) for one in offerings]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter("a file of GraphQL in UTF-8 · UTF-8 编码的 GraphQL 文件") from None


def _variables(file: Path | None) -> Mapping[str, Any]:
    try:
        found = {} if file is None else json.loads(file.read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise typer.BadParameter("a file with one JSON object · 内容为一个 JSON 对象的文件")
    return found


def _mistake(error: GraphQLError) -> HubError:
    from schema.faults import problem_of

    problem = problem_of(error)
    return HubError(problem.code, **problem.detail)
