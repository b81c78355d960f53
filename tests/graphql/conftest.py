"""A hub over the small town's agencies, with everything real but the agencies themselves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from hub.asgi import application
from hub.audit.model import AgencyCode, ClientId, ProcedureCode
from hub.catalogue.model import ConnectorId, FieldCode, Officer
from hub.catalogue.service import CatalogueService, ConnectorRegister
from hub.catalogue.store import CatalogueStore
from hub.clients.service import ClientService
from hub.clients.store import ClientStore
from hub.grants.model import Grant
from hub.grants.service import GrantService
from hub.grants.store import GrantStore
from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.master import master_key
from hub.kernel.db import Database
from hub.kernel.settings import read_settings
from hub.procedures.model import Procedure
from hub.procedures.service import ProcedureService
from hub.procedures.store import ProcedureStore
from hub.regions.model import Region, RegionCode
from hub.regions.service import RegionService
from hub.regions.store import RegionStore
from hub.wiring import Hub, assemble
from tests.graphql.town import MARKET, POLICE, RECORDS, STORE, Town

CLIENT = ClientId("window-system")
AGENCY = AgencyCode(STORE.code)
BUREAU = Officer("bureau", AGENCY, approves=True)
PROCEDURE = ProcedureCode("370300-open-pharmacy")
PURPOSE = {"agency": AGENCY, "procedure": PROCEDURE, "case": "淄审批〔2026〕12号", "officer": "li.na"}


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def codes(self) -> list[str]:
        """The numbers of its errors."""
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]


@dataclass
class Counter:
    """A person at the window: asks the hub with a token and a purpose."""

    hub: Hub
    town: Town
    database: Database
    app: Any
    tokens: dict[str, str] = field(default_factory=dict)

    async def ask(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        purpose: Mapping[str, Any] | None = PURPOSE,
        client: str = CLIENT,
        **members: Any,
    ) -> Reply:
        """Posts one question."""
        body: dict[str, Any] = {"query": query, **members}
        if variables is not None:
            body["variables"] = variables
        if purpose is not None:
            body["extensions"] = {"purpose": dict(purpose)}
        return await self.post(json.dumps(body).encode(), client=client)

    async def post(
        self, content: bytes, headers: Mapping[str, str] | None = None, *, client: str = CLIENT
    ) -> Reply:
        """Posts any bytes with the client's token."""
        sent = {
            "content-type": "application/json",
            "accept": "application/graphql-response+json",
            "authorization": f"Bearer {self.tokens[client]}",
            "accept-language": "en",
        }
        return await call(self.app, "POST", "/graphql", sent | dict(headers or {}), content)

    async def entries(self) -> list[dict[str, Any]]:
        """What stands in the log, oldest first."""
        rows = await self.database.fetch("SELECT canonical FROM audit.entry ORDER BY at, id")
        return [json.loads(row["canonical"]) for row in rows]


async def call(app: Any, method: str, path: str, headers: Mapping[str, str], content: bytes = b"") -> Reply:
    """One request straight to an ASGI application."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.partition("?")[0],
        "raw_path": path.partition("?")[0].encode(),
        "query_string": path.partition("?")[2].encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "server": ("hub.test", 80),
        "client": ("127.0.0.1", 1),
    }
    incoming = [{"type": "http.request", "body": content, "more_body": False}]
    outgoing: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not incoming:
            await asyncio.Event().wait()  # the client stays
        return incoming.pop()

    async def send(message: dict[str, Any]) -> None:
        outgoing.append(message)

    await app(scope, receive, send)
    start = outgoing[0]
    body = b"".join(message.get("body", b"") for message in outgoing[1:])
    return Reply(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body)


async def settle(owner: Database, hub: Hub, town: Town, data: Path) -> tuple[str, str]:
    """Fills the hub's own tables: catalogue, procedure, regions, two clients and their grants."""
    envelope = Envelope(master_key(None, data))
    catalogue = CatalogueService(CatalogueStore(owner), envelope, town.open, 1, hub.clock)
    register = ConnectorRegister(CatalogueStore(owner), envelope, town.open, hub.clock)
    for agency in (POLICE, MARKET, STORE):
        await catalogue.put_agency(agency)
    for record in RECORDS:
        await catalogue.put_record_type(record)
    for name, agency in (("police", POLICE), ("market", MARKET), ("store", STORE)):
        officer = Officer(f"officer.{name}", agency.code)
        await register.register(officer, BUREAU, ConnectorId(name), name, {})
    await ProcedureService(ProcedureStore(owner)).put(Procedure(PROCEDURE, "开药店", "Open a pharmacy"))
    await RegionService(RegionStore(owner)).put([Region(RegionCode("370303"), "张店区")])
    clients = ClientService(ClientStore(owner), hub.keyring, hub.clock, hub.settings.issuer, 600)
    secret = await clients.register(CLIENT, "窗口系统", [AGENCY], ["introspect"])
    other = await clients.register(ClientId("kiosk"), "自助机", [AGENCY])
    until = datetime.now(UTC) + timedelta(days=1)
    records = {record.code: record for record in RECORDS}
    grants = tuple(
        Grant(CLIENT, AGENCY, PROCEDURE, record.code, frozenset(record.fields), until)
        for record in RECORDS
        if record.code != "sealed_will"
    )
    narrow = Grant(
        ClientId("kiosk"),
        AGENCY,
        PROCEDURE,
        RECORDS[0].code,
        frozenset({FieldCode("name"), FieldCode("id_number")}),
        until,
    )
    await GrantService(GrantStore(owner), hub.clock).put_all((*grants, narrow), records)
    return secret, other


@pytest.fixture
def town() -> Town:
    """The agencies, answering."""
    return Town()


@pytest.fixture
async def counter(
    town: Town, database_url: str, owner_database: Database, tmp_path: Path
) -> AsyncIterator[Counter]:
    """A hub that runs over the town, with a token for each client."""
    settings = read_settings(
        {"HUB_DATABASE_URL": database_url, "HUB_DATA": str(tmp_path), "HUB_DEADLINE_SECONDS": "2"}
    )
    database = await Database.open(database_url)
    registry = CollectorRegistry()
    hub = assemble(settings, database, town.open, town.close, registry)
    secrets = await settle(owner_database, hub, town, tmp_path)
    async with hub.running():
        made = Counter(hub, town, owner_database, application(hub, registry))
        for client, secret in zip((CLIENT, "kiosk"), secrets, strict=True):
            known = hub.clients.authenticate_secret(client, secret)
            issued = hub.clients.issue_token(known)  # type: ignore[arg-type]  # a problem fails the next line
            made.tokens[client] = issued.token  # type: ignore[union-attr]  # as above
        town.police.asks.clear()
        yield made
