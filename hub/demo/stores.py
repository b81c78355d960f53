"""Writes the demo city into the stores of its three agencies, each in the agency's own names and formats."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TypeVar

import asyncpg

from hub.demo.city import City
from hub.demo.model import Business, Certificate, Person, Role
from hub.demo.records import FieldSheet, read_records

BATCH = 2000
Advance = Callable[[int], None]  # how many more are written
Line = tuple[object, ...]
T = TypeVar("T")

POLICE_TABLE = """
CREATE TABLE rk_jbxx (
    sfzh TEXT PRIMARY KEY, xm TEXT, xb TEXT, csrq TEXT, mz TEXT, hjdz TEXT, xzqh TEXT, swbz TEXT, dczt TEXT
) WITHOUT ROWID
"""
POLICE_LINE = "INSERT INTO rk_jbxx VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"

LICENCE_TABLE = """
CREATE TABLE zzk (
    zzbs TEXT NOT NULL, zzlx TEXT NOT NULL, zzhm TEXT, czzdm TEXT NOT NULL, czzdmlx TEXT, czzmc TEXT,
    bfjgdm TEXT, bfjgmc TEXT, bfrq TEXT, yxqqs TEXT, yxqjz TEXT, zzzt TEXT, zmxx TEXT NOT NULL
)
"""
LICENCE_LINE = "INSERT INTO zzk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
LICENCE_INDEX = "CREATE INDEX zzk_czz ON zzk (czzdm, zzlx)"

MARKET_TABLES = """
DROP SCHEMA IF EXISTS gxpt CASCADE;
DROP SCHEMA IF EXISTS scjg CASCADE;
CREATE SCHEMA scjg;
CREATE SCHEMA gxpt;
CREATE TABLE scjg.zt (
    tyshxydm text, ztmc text, ztlx text, zczb numeric, zczbbz text, clrq date, jyfw text, zs text,
    xzqh text, djzt text, fddbrzjh text
);
CREATE TABLE scjg.ryzw (zjhm text, tyshxydm text, zwdm text, rzrq date);
"""
MARKET_VIEWS = """
CREATE UNIQUE INDEX zt_tyshxydm ON scjg.zt (tyshxydm);
CREATE INDEX ryzw_zjhm ON scjg.ryzw (zjhm);
CREATE INDEX ryzw_tyshxydm ON scjg.ryzw (tyshxydm);
CREATE VIEW gxpt.v_ztjbxx AS SELECT zt.*, date_trunc('hour', now()) AS gxsj FROM scjg.zt AS zt;
CREATE VIEW gxpt.v_ryzw AS SELECT ryzw.*, date_trunc('hour', now()) AS gxsj FROM scjg.ryzw AS ryzw;
GRANT USAGE ON SCHEMA gxpt TO market_read;
GRANT SELECT ON gxpt.v_ztjbxx, gxpt.v_ryzw TO market_read;
ANALYZE scjg.zt, scjg.ryzw;
"""
CURRENCIES = {"CNY": "156", "USD": "840"}
STATUSES = {"ACTIVE": "1", "SUSPENDED": "2", "REVOKED": "3", "DEREGISTERED": "4"}
FACE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
ROLES = {
    "LEGAL_REPRESENTATIVE": "01",
    "SHAREHOLDER": "02",
    "DIRECTOR": "03",
    "SUPERVISOR": "04",
    "MANAGER": "05",
}


def write_police(city: City, file: Path, advance: Advance) -> None:
    """The population register of public security: one row a person."""
    with _fresh(file) as store:
        store.execute(POLICE_TABLE)
        people = (person for family in city.families() for person in family)
        for batch in _batches(map(_police_line, people)):
            store.executemany(POLICE_LINE, batch)
            advance(len(batch))
    store.close()


def _police_line(person: Person) -> Line:
    return (
        person.id_number, person.name, person.sex, person.born.replace("-", "").ljust(8, "0"),
        person.ethnicity, person.address, person.region, "1" if person.deceased else "0",
        "10" if person.under_investigation else "00",
    )  # fmt: skip


def write_licences(city: City, file: Path, advance: Advance) -> None:
    """The licence store of the data bureau: one row a certificate, its face as JSON with Chinese keys."""
    faces = {record.code: [record.fields[code] for code in record.own] for record in read_records()}
    with _fresh(file) as store:
        store.execute(LICENCE_TABLE)
        for holders, batch in _certificates(city):
            store.executemany(LICENCE_LINE, [_licence_line(one, faces[one.type]) for one in batch])
            advance(holders)
        store.execute(LICENCE_INDEX)
    store.close()


def _certificates(city: City) -> Iterator[tuple[int, list[Certificate]]]:
    for families in _batches(city.families(), BATCH // 10):
        batch = [one for family in families for one in city.certificates_of_family(family)]
        yield sum(map(len, families)), batch
    for firms in _batches(city.businesses()):
        yield len(firms), [one for firm in firms for one in city.certificates_of_business(firm)]


def _licence_line(one: Certificate, face: Iterable[FieldSheet]) -> Line:
    printed = {field.zh: _printed(field, one.claims[field.code]) for field in face}
    return (
        one.identifier, one.type.upper(), one.number, one.holder, one.holder_scheme, one.holder_name,
        one.issuer, one.issuer_name, _slashed(one.issued_on), _slashed(one.valid_from),
        _slashed(one.valid_until) if one.valid_until else None, one.status,
        FACE.encode(printed),
    )  # fmt: skip


def _slashed(day: date) -> str:
    return day.isoformat().replace("-", "/")


def _printed(field: FieldSheet, value: str | bool | None) -> str | None:
    """A value as the face of a certificate prints it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "是" if value else "否"
    if field.type == "date":
        return f"{value[:4]}年{value[5:7]}月{value[8:]}日"
    if field.type == "money":
        return value.removesuffix(" CNY")
    return field.codes[value][0] if field.codes else value


async def write_market(city: City, dsn: str, advance: Advance) -> None:
    """The register of market regulation: tables of its own, and views for sharing that a role may read."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(MARKET_TABLES)
        for firms in _batches(city.businesses()):
            owners = {firm.index: city.person(firm.legal_representative).id_number for firm in firms}
            await _copy(connection, "zt", [_business_line(firm, owners) for firm in firms])
            await _copy(
                connection,
                "ryzw",
                [_role_line(city, firm, role) for firm in firms for role in city.roles(firm)],
            )
            advance(len(firms))
        await connection.execute(MARKET_VIEWS)
    finally:
        await connection.close()


async def _copy(connection: asyncpg.Connection[asyncpg.Record], table: str, lines: list[Line]) -> None:
    await connection.copy_records_to_table(table, schema_name="scjg", records=lines)


def _business_line(firm: Business, owners: Mapping[int, str]) -> Line:
    ten_thousands = firm.capital and Decimal(firm.capital) / 10_000
    return (
        firm.uscc, firm.name, firm.legal_form, ten_thousands, firm.capital and CURRENCIES[firm.currency],
        firm.established, firm.scope, firm.address, firm.region, STATUSES[firm.status], owners[firm.index],
    )  # fmt: skip


def _role_line(city: City, firm: Business, role: Role) -> Line:
    return city.person(role.person).id_number, firm.uscc, ROLES[role.role], role.since


def _fresh(file: Path) -> sqlite3.Connection:
    file.unlink(missing_ok=True)
    store = sqlite3.connect(file)
    # A half-made store is thrown away, so its making needs no journal.
    store.execute("PRAGMA journal_mode = OFF")
    store.execute("PRAGMA synchronous = OFF")
    return store


def _batches(items: Iterator[T], size: int = BATCH) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch
