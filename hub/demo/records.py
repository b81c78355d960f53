"""Holds the demo city's catalogue: its record types as ``records.toml`` describes them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldSheet:
    """One field: its type, names, sensitivity, and for a code its table of (Chinese, English) names."""

    code: str
    type: str
    zh: str
    en: str
    sensitivity: str
    codes: Mapping[str, tuple[str, str]] | None


@dataclass(frozen=True, slots=True)
class RecordSheet:
    """One record type; ``own`` are the codes of the fields that not every evidence type has."""

    code: str
    kind: str
    zh: str
    en: str
    standard: str | None
    holders: tuple[str, ...]
    sharing: str
    legal_basis: str
    fields: Mapping[str, FieldSheet]
    own: tuple[str, ...]


DESCRIBED = tomllib.loads(files("hub.demo").joinpath("records.toml").read_text("utf-8"))


def ethnicity_name(code: str) -> str:
    """The name of an ethnicity by its GB/T 3304 code."""
    return str(DESCRIBED["codes"]["ethnicity"][code]["zh"])


def read_records() -> tuple[RecordSheet, ...]:
    """Every record type, base records first."""
    sheet = DESCRIBED
    return tuple(_record(code, record, sheet) for code, record in sheet["records"].items())


def evidence_standards() -> Mapping[str, str]:
    """The GB/T 36904 type code of every evidence type."""
    return {record.code: record.standard for record in read_records() if record.standard}


def _record(code: str, record: Mapping[str, Any], sheet: Mapping[str, Any]) -> RecordSheet:
    shared = sheet["evidence_fields"] if record["kind"] == "evidence" else {}
    described = {**shared, **record["fields"]}
    return RecordSheet(
        code=code,
        kind=record["kind"],
        zh=record["name"]["zh"],
        en=record["name"]["en"],
        standard=record.get("standard"),
        holders=tuple(record["holders"]),
        sharing=record["sharing"],
        legal_basis=record["legal_basis"],
        fields={
            name: _field(name, one, record["sensitivity"], sheet["codes"]) for name, one in described.items()
        },
        own=tuple(record["fields"]),
    )


def _field(code: str, field: Mapping[str, str], sensitivity: str, codes: Mapping[str, Any]) -> FieldSheet:
    table = codes[field["codes"]] if "codes" in field else None
    return FieldSheet(
        code=code,
        type=field["type"],
        zh=field["zh"],
        en=field["en"],
        sensitivity=field.get("sensitivity", sensitivity),
        codes=table and {value: (name["zh"], name["en"]) for value, name in table.items()},
    )
