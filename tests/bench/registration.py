"""Registers the sources, a procedure, a client and its grants with a hub, as any city would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from hub.audit.model import AgencyCode, ClientId, ProcedureCode
from hub.catalogue.model import Agency, ConnectorId, Label, Officer
from hub.demo.authorities import department
from hub.demo.seed import record_types
from hub.grants.model import Grant
from hub.kernel.settings import Settings
from hub.procedures.model import Procedure
from hub.wiring import Hub, open_hub
from tests.bench.city import CERTIFICATES, LICENCE
from tests.bench.manifests import Supply

CLIENT = ClientId("bench-client")
PROCEDURE = ProcedureCode("370300-bench-approval")
DEPARTMENTS = {"police": "police", "market": "market", "licences": "data"}
USING = "approval"
BUREAU = Officer("bureau", AgencyCode(department("data").code()), approves=True)
READ = ("person", "business", "business_role", *CERTIFICATES, LICENCE)


def purpose() -> dict[str, str]:
    """The purpose that every question names."""
    return {
        "agency": department(USING).code(),
        "procedure": PROCEDURE,
        "case": "淄审批〔2026〕12号",
        "officer": "li.na",
    }


async def register(settings: Settings, supply: Supply) -> str:
    """Fills the hub's database through its own services; returns the client's secret."""
    async with _owned(settings) as hub:
        await hub.clients.start()
        try:
            await _catalogue(hub)
            await _connect(hub, supply)
            return await _access(hub)
        finally:
            await hub.clients.stop()


async def connect(settings: Settings, supply: Supply) -> None:
    """Registers every connector anew, at another address perhaps; servers that run swap them."""
    async with _owned(settings) as hub:
        await _connect(hub, supply)


@asynccontextmanager
async def _owned(settings: Settings) -> AsyncIterator[Hub]:
    hub = open_hub(replace(settings, database_url=settings.owner_database_url), CollectorRegistry())
    try:
        yield hub
    finally:
        await hub.close_connections()
        await hub.database.close()


def _codes() -> dict[str, str]:
    return {name: department(key).code() for name, key in {**DEPARTMENTS, USING: USING}.items()}


async def _catalogue(hub: Hub) -> None:
    for name, code in _codes().items():
        await hub.catalogue.put_agency(Agency(AgencyCode(code), Label(name, name)))
    for record in record_types().values():
        await hub.catalogue.put_record_type(record)


async def _connect(hub: Hub, supply: Supply) -> None:
    codes = _codes()
    for name, manifest in supply.manifests(codes).items():
        officer = Officer(name, AgencyCode(codes[name]))
        await hub.register.register(officer, BUREAU, ConnectorId(name), manifest, supply.credentials)


async def _access(hub: Hub) -> str:
    agency = AgencyCode(department(USING).code())
    await hub.procedures.put(Procedure(PROCEDURE, "性能测试", "Benchmark"))
    secret = await hub.clients.register(CLIENT, "性能测试", (agency,))
    until = datetime.now(UTC) + timedelta(days=1)
    records = record_types()
    grants = tuple(
        Grant(CLIENT, agency, PROCEDURE, record.code, frozenset(record.fields), until)
        for record in records.values()
        if record.code in READ
    )
    await hub.grants.put_all(grants, records)
    return secret
