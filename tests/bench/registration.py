"""Registers the sources, a procedure, a client and its grants with the hub, as any city would."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from hub.audit.model import AgencyCode, ClientId, ProcedureCode
from hub.catalogue.model import Agency, ConnectorId, Label
from hub.demo.authorities import department
from hub.demo.seed import record_types
from hub.grants.model import Grant
from hub.kernel.settings import Settings
from hub.procedures.model import Procedure
from hub.wiring import Hub, open_hub
from tests.bench.city import CERTIFICATES, LICENCE
from tests.bench.sources import Sources, manifests

CLIENT = ClientId("bench-client")
PROCEDURE = ProcedureCode("370300-bench-approval")
DEPARTMENTS = {"police": "police", "market": "market", "licences": "data"}
USING = "approval"
READ = ("person", "business", "business_role", *CERTIFICATES, LICENCE)


def purpose() -> dict[str, str]:
    """The purpose that every question names."""
    return {
        "agency": department(USING).code(),
        "procedure": PROCEDURE,
        "case": "淄审批〔2026〕12号",
        "officer": "li.na",
    }


async def register(settings: Settings, sources: Sources) -> str:
    """Fills the hub's database through its own services; returns the client's secret."""
    owning = replace(settings, database_url=settings.owner_database_url)
    hub = open_hub(owning, CollectorRegistry())
    try:
        await hub.clients.start()
        await _catalogue(hub, sources)
        return await _access(hub)
    finally:
        await hub.clients.stop()
        await hub.close_connections()
        await hub.database.close()


async def _catalogue(hub: Hub, sources: Sources) -> None:
    codes = {name: department(key).code() for name, key in {**DEPARTMENTS, USING: USING}.items()}
    for name, code in codes.items():
        await hub.catalogue.put_agency(Agency(AgencyCode(code), Label(name, name)))
    for record in record_types().values():
        await hub.catalogue.put_record_type(record)
    shown = {"password": sources.password}
    for name, manifest in manifests(sources, codes).items():
        await hub.catalogue.put_connector(ConnectorId(name), AgencyCode(codes[name]), manifest, shown)


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
