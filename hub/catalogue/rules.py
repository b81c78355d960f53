"""Decides whether agencies, record types and offerings fit together into one catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from hub.catalogue.model import (
    Agency,
    FieldCode,
    Kind,
    RecordCode,
    RecordType,
    Snapshot,
    Supply,
)
from hub.kernel.errors import Code, Problem

CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

EVERY_EVIDENCE = tuple(
    FieldCode(code)
    for code in (
        "identifier",
        "number",
        "holder",
        "holder_scheme",
        "holder_name",
        "issuer",
        "issuer_name",
        "issued_on",
        "valid_from",
        "valid_until",
        "status",
    )
)
"""The fields that every evidence type has (GB/T 36903, GB/T 36904)."""


def record_type_mistake(record: RecordType) -> Problem | None:
    """What is wrong with a record type by itself: its codes, or a field that every evidence type has."""
    for code in (record.code, *record.fields):
        if not CODE.fullmatch(code):
            return Problem(
                Code.MANIFEST_INVALID, {"path": f"record_type.{record.code}", "expected": "lower_snake"}
            )
    if record.kind is Kind.EVIDENCE:
        for code in EVERY_EVIDENCE:
            if code not in record.fields:
                return Problem(
                    Code.MANIFEST_INVALID,
                    {"path": f"record_type.{record.code}.fields.{code}", "expected": "field"},
                )
    return None


def supply_mistake(supply: Supply, records: Mapping[RecordCode, RecordType]) -> Problem | None:
    """What is wrong with an offering against the record type that it claims to supply."""
    offering = supply.offering
    where = f"{supply.connector}.{offering.name}"
    record = records.get(RecordCode(offering.record))
    if record is None:
        return Problem(Code.MANIFEST_INVALID, {"path": f"{where}.record", "expected": "record type"})
    for column in (offering.key, *offering.columns):
        if column not in record.fields:
            return Problem(Code.MANIFEST_INVALID, {"path": f"{where}.fields.{column}", "expected": "field"})
    return None


def snapshot(
    version: int, agencies: Iterable[Agency], records: Iterable[RecordType], supplies: Iterable[Supply]
) -> Snapshot:
    """One immutable catalogue; of two supplies of the same record and key the first by connector serves."""
    by_key: dict[tuple[RecordCode, FieldCode], Supply] = {}
    for supply in supplies:
        key = (RecordCode(supply.offering.record), FieldCode(supply.offering.key))
        by_key.setdefault(key, supply)
    return Snapshot(
        version,
        MappingProxyType({agency.code: agency for agency in agencies}),
        MappingProxyType({record.code: record for record in records}),
        MappingProxyType(by_key),
    )
