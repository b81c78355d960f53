"""Registers the demo city with the hub, through the same services as any city: nothing is put in by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from hub.audit.model import AgencyCode, ClientId, ProcedureCode
from hub.catalogue.model import (
    Agency,
    ConnectorId,
    Field,
    FieldCode,
    FieldType,
    Kind,
    Label,
    Officer,
    RecordCode,
    RecordType,
    Sensitivity,
    Sharing,
)
from hub.catalogue.service import CatalogueService, ConnectorRegister
from hub.clients.model import INTROSPECT, Client
from hub.clients.service import ClientService
from hub.demo.authorities import DEPARTMENTS, department
from hub.demo.records import FieldSheet, RecordSheet, read_records
from hub.demo.regions import region_names
from hub.grants.model import Grant
from hub.grants.service import GrantService
from hub.procedures.model import Procedure
from hub.procedures.service import ProcedureService
from hub.regions.model import Region, RegionCode
from hub.regions.service import RegionService
from hub.subjects.model import Scheme

UNTIL = datetime(2036, 12, 31, 15, 59, 59, tzinfo=UTC)
BUREAU = "demo.bureau"  # the account that approves
PORTS_IN_MANIFESTS = {"police": 8311, "market": 8312, "licences": 8313}
CONNECTORS = {"police": "police-population", "market": "market-registration", "licences": "licence-store"}
AGENCIES = {"police": "police", "market": "market", "licences": "data"}
"""Which department runs each of the three agency processes."""


@dataclass(frozen=True, slots=True)
class Desks:
    """The services that a city registers with, all over the owner's connection."""

    catalogue: CatalogueService
    register: ConnectorRegister
    clients: ClientService
    procedures: ProcedureService
    grants: GrantService
    regions: RegionService


@dataclass(frozen=True, slots=True)
class Item:
    """A procedure of the demo and what its client may read for it, by record."""

    key: str
    code: ProcedureCode
    zh: str
    en: str
    reads: Mapping[RecordCode, frozenset[FieldCode]]


def read_plan() -> dict[str, Any]:
    """The sheet of procedures, client, officer and case."""
    return tomllib.loads(files("hub.demo").joinpath("procedures.toml").read_text("utf-8"))


def read_items(records: Mapping[RecordCode, RecordType]) -> tuple[Item, ...]:
    """Every procedure of the demo."""
    approval = department("approval").code()
    return tuple(
        Item(key, ProcedureCode(approval + item["item"]), item["zh"], item["en"], _reads(item, records))
        for key, item in read_plan()["procedures"].items()
    )


def record_types() -> Mapping[RecordCode, RecordType]:
    """Every record type of the demo as the catalogue keeps it."""
    return {RecordCode(sheet.code): _record_type(sheet) for sheet in read_records()}


def manifest(name: str, port: int) -> str:
    """The manifest of an agency, with the port that it has here."""
    text = files("hub.demo").joinpath(f"manifests/{name}.toml").read_text("utf-8")
    written = PORTS_IN_MANIFESTS[name]
    return text.replace(f"127.0.0.1:{written}", f"127.0.0.1:{port}").replace(
        f"port = {written}", f"port = {port}"
    )


def credentials(secrets: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
    """What the connectors show to the agencies, by agency and slot."""
    return {
        "police": {"api_key": secrets["police_api_key"], "hmac_key": secrets["police_hmac_key"]},
        "market": {"password": secrets["market_password"]},
        "licences": {"token": secrets["licences_token"]},
    }


async def register_city(desks: Desks, ports: Mapping[str, int], secrets: Mapping[str, str]) -> str:
    """Registers everything that is missing; returns the client's secret, the known one while it holds."""
    records = record_types()
    for one in DEPARTMENTS:
        await desks.catalogue.put_agency(Agency(AgencyCode(one.code()), Label(one.name, one.english)))
    for record in records.values():
        await desks.catalogue.put_record_type(record)
    shown = credentials(secrets)
    bureau = Officer(BUREAU, AgencyCode(department("data").code()), approves=True)
    await desks.register.put_officer(bureau)
    for name, port in ports.items():
        officer = Officer(f"demo.{name}", AgencyCode(department(AGENCIES[name]).code()))
        await desks.register.put_officer(officer)
        await desks.register.register(
            officer, bureau, ConnectorId(CONNECTORS[name]), manifest(name, port), shown[name]
        )
    await desks.regions.put(_regions())
    items = read_items(records)
    approval = AgencyCode(department("approval").code())
    for item in items:
        await desks.procedures.put(Procedure(item.code, item.zh, item.en, approval))
    secret = await _register_client(desks.clients, approval, secrets.get("client_secret"))
    await desks.grants.put_all(tuple(_grants(items, approval)), records)
    return secret


async def _register_client(clients: ClientService, agency: AgencyCode, known: str | None) -> str:
    plan = read_plan()
    client = ClientId(plan["client"])
    if known and isinstance(clients.authenticate_secret(client, known), Client):
        return known
    return await clients.register(client, plan["client_name"], (agency,), (INTROSPECT,))


def _grants(items: tuple[Item, ...], agency: AgencyCode) -> Iterator[Grant]:
    client = ClientId(read_plan()["client"])
    for item in items:
        for record, fields in item.reads.items():
            yield Grant(client, agency, item.code, record, fields, UNTIL)


def _reads(
    item: Mapping[str, Any], records: Mapping[RecordCode, RecordType]
) -> dict[RecordCode, frozenset[FieldCode]]:
    keys = {"person": "id_number", "business": "uscc", "business_role": "role"}
    reads = {
        RecordCode(code): frozenset(FieldCode(field) for field in (key, *item[code].split()))
        for code, key in keys.items()
        if code in item
    }
    return reads | {code: frozenset(records[code].fields) for code in map(RecordCode, item["evidence"])}


def _record_type(sheet: RecordSheet) -> RecordType:
    return RecordType(
        code=RecordCode(sheet.code),
        kind=Kind(sheet.kind),
        name=Label(sheet.zh, sheet.en),
        standard=sheet.standard,
        holders=tuple(Scheme(holder) for holder in sheet.holders),
        sharing=Sharing(sheet.sharing),
        legal_basis=sheet.legal_basis,
        fields={FieldCode(code): _field(field) for code, field in sheet.fields.items()},
    )


def _field(sheet: FieldSheet) -> Field:
    return Field(
        FieldCode(sheet.code),
        FieldType(sheet.type),
        Label(sheet.zh, sheet.en),
        Sensitivity(sheet.sensitivity),
        None if sheet.codes is None else {code: Label(*names) for code, names in sheet.codes.items()},
    )


def _regions() -> list[Region]:
    return [
        Region(RegionCode(code), name, None if parent is None else RegionCode(parent))
        for code, (name, parent) in region_names().items()
    ]
