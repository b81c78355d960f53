"""The port between the hub and an agency: what a connector offers, is asked, and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

NONE: Mapping[str, Any] = MappingProxyType({})
Row = tuple[object, ...]  # values in the order of Ask.columns: str, bool, None, or tuples of str
Outcome = StrEnum("Outcome", ["FOUND", "ABSENT", "UNAVAILABLE", "REFUSED", "PENDING"])
Form = StrEnum("Form", "TEXT TEXTS BOOLEAN DATE PARTIAL_DATE MONEY NUMBER CODE")  # of values, as in FieldType


class Tell(StrEnum):
    """How much of the purpose the agency must be told; ``PER_CALL`` is never shared nor cached."""

    NONE = "none"
    PER_CALL = "per_call"
    PER_KEY = "per_key"


@dataclass(frozen=True, slots=True)
class Telling:  # the purpose in the words told to an agency
    client: str
    agency: str
    procedure: str
    case: str
    actor: str


@dataclass(frozen=True, slots=True)
class Offering:  # what one connector supplies: a record (evidence type or base record) by one key
    name: str
    record: str
    key: str  # the record's field that holds the key
    columns: tuple[str, ...]  # every field it can supply; the key is one of them
    many: bool  # whether one key has several rows
    batch: int  # keys a call at the most
    tell: Tell
    freshness: timedelta
    forms: Mapping[str, Form]  # of every column
    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by CODE column all its values


class Ask(NamedTuple):
    offering: str
    keys: tuple[str, ...]  # distinct
    columns: tuple[str, ...]  # a subset of the offering's
    tellings: tuple[Telling, ...]  # NONE: empty; PER_CALL: one; PER_KEY: one a key, in order
    deadline: float  # time.monotonic() seconds
    correlation: str  # sent to the agency, shown in errors


@dataclass(frozen=True, slots=True)
class Fault:  # why a key has no answer
    outcome: Outcome
    kind: str  # one of connectors.faults.Kind
    agency_code: str | None = None  # the agency's own
    correlation: str | None = None
    retry_after: float | None = None  # seconds
    place: str | None = None  # the declared field that did not fit; never a value


class Answer(NamedTuple):  # every asked key stands in exactly one of rows (no rows: Absent) and faults
    rows: Mapping[str, tuple[Row, ...]]
    faults: Mapping[str, Fault] = NONE
    as_of: datetime | None = None  # aware UTC; None: the agency did not say
    fetched_at: datetime | None = None  # aware UTC, of the oldest part; None: by this very fetch


class Connector(Protocol):
    def describe(self) -> tuple[Offering, ...]: ...
    async def health(self, deadline: float) -> Fault | None: ...
    def fetch(self, ask: Ask) -> Awaitable[Answer]: ...  # a "no" is a Fault; raises only when cancelled
    async def close(self) -> None: ...
