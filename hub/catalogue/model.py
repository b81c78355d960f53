"""What the catalogue holds: agencies, evidence types with typed fields, connectors, and a snapshot of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from connectors.contract import Offering
from hub.audit.model import AgencyCode
from hub.subjects.model import Scheme

RecordCode = NewType("RecordCode", str)  # an evidence type or base record: "person", "drug_business_licence"
FieldCode = NewType("FieldCode", str)  # "valid_until"
ConnectorId = NewType("ConnectorId", str)


class Kind(StrEnum):
    """What a record is: the base record of a subject, a relation between subjects, or evidence."""

    BASE = "base"
    RELATION = "relation"
    EVIDENCE = "evidence"


class FieldType(StrEnum):
    """The closed set of field types; a value is a str but for BOOLEAN (bool) and TEXTS (tuple of str)."""

    TEXT = "text"
    TEXTS = "texts"
    BOOLEAN = "boolean"
    DATE = "date"  # YYYY-MM-DD
    PARTIAL_DATE = "partial_date"  # YYYY, YYYY-MM or YYYY-MM-DD
    MONEY = "money"  # "AMOUNT CURRENCY": decimal string, ISO 4217 code
    NUMBER = "number"  # decimal string
    CODE = "code"  # one of the field's codes
    REGION = "region"  # GB/T 2260
    RESIDENT_ID = "resident_id"
    USCC = "uscc"


class Sharing(StrEnum):
    """Sharing class of 政务数据共享条例: 无条件, 有条件, 不予共享."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NOT_SHARED = "not_shared"


class Sensitivity(StrEnum):
    """公开 · 内部 · 个人 · 敏感."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


@dataclass(frozen=True, slots=True)
class Label:
    """A name in Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Agency:
    code: AgencyCode  # its unified social credit code
    name: Label


@dataclass(frozen=True, slots=True)
class Field:
    code: FieldCode
    type: FieldType
    name: Label
    sensitivity: Sensitivity
    codes: Mapping[str, Label] | None = None  # for FieldType.CODE
    unit: str | None = None  # a UCUM code, for FieldType.NUMBER


@dataclass(frozen=True, slots=True)
class RecordType:
    """An evidence type (证照类型) or base record with its typed fields.

    ``standard`` is the GB/T 36904 type code of an evidence type (USCC of the defining department
    and three digits), else None. ``holders`` are the schemes of those who can hold it.
    """

    code: RecordCode
    kind: Kind
    name: Label
    standard: str | None
    holders: tuple[Scheme, ...]
    sharing: Sharing
    legal_basis: str
    fields: Mapping[FieldCode, Field]


class State(StrEnum):
    """Where a connector's version stands on its way into service and out of it."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    ACTIVE = "active"
    PAUSED = "paused"  # announced maintenance: it is not asked, and answers say until when
    SUPERSEDED = "superseded"  # it has served, and can again
    RETIRED = "retired"


class Step(StrEnum):
    """What an officer does with a connector's version."""

    PROPOSE = "propose"
    APPROVE = "approve"
    REJECT = "reject"
    ACTIVATE = "activate"
    PAUSE = "pause"
    RESUME = "resume"
    RETIRE = "retire"
    ROLL_BACK = "roll_back"
    SUPERSEDE = "supersede"  # by the version that takes its place


@dataclass(frozen=True, slots=True)
class Officer:
    """Who acts on the catalogue: an account of an agency; ``approves``: for the bureau that runs the hub."""

    account: str
    agency: AgencyCode
    approves: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a connector. ``manifest`` and ``report`` are SHA-256 digests.

    ``paused_until``: when announced maintenance ends; None while it is not paused, or where nobody said.
    """

    connector: ConnectorId
    number: int
    agency: AgencyCode
    state: State
    manifest: bytes
    proposed_by: str | None = None  # None: registered by a release that knew no states
    approved_by: str | None = None
    report: bytes | None = None
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """One active offering with who answers for it."""

    connector: ConnectorId
    version: int
    agency: Agency
    offering: Offering


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One immutable state of the catalogue; requests in flight finish on the one they began with."""

    version: int
    agencies: Mapping[AgencyCode, Agency]
    records: Mapping[RecordCode, RecordType]
    supplies: Mapping[tuple[RecordCode, FieldCode], Supply]  # (record, key field) -> who supplies it
