"""Why facts are read, and what the log keeps of a look-up: the purpose, the sources, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

import msgspec

ClientId = NewType("ClientId", str)
AgencyCode = NewType("AgencyCode", str)
ProcedureCode = NewType("ProcedureCode", str)
CaseReference = NewType("CaseReference", str)
InquiryId = NewType("InquiryId", UUID)


class Known(StrEnum):
    """How a part of the purpose is known: the client says so, someone entitled vouches, or we checked."""

    DECLARED = "declared"
    ASSERTED = "asserted"
    VERIFIED = "verified"


class ActorKind(StrEnum):
    """What kind of reader acts: an official, the person herself, or a machine such as a kiosk."""

    OFFICER = "officer"
    CITIZEN = "citizen"
    DEVICE = "device"


class Actor(msgspec.Struct, frozen=True):
    """Who reads: the account of an officer, a citizen (a pseudonym of hers, never her number) or a device."""

    kind: ActorKind
    account: str


class Purpose(msgspec.Struct, frozen=True):
    """Why a fact is read (用途). Every look-up has exactly one."""

    client: ClientId
    agency: AgencyCode
    procedure: ProcedureCode
    case: CaseReference
    actor: Actor
    known: tuple[tuple[str, Known], ...]  # one pair for each of client, agency, procedure, case, actor


SubjectKey = tuple[str, str]
"""Whom a look-up is about, by scheme and value: ``hub.subjects.model.Subject``, which lies above, is one."""


class EntryKind(StrEnum):
    """What an entry of the log records: a look-up's beginning, subjects met on its way, its end."""

    INTENT = "intent"
    SUBJECTS = "subjects"
    OUTCOME = "outcome"


class Result(StrEnum):
    """How a look-up ended: an answer went out, none could be made, or nobody waited for it any more."""

    ANSWERED = "answered"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Period(msgspec.Struct, frozen=True):
    """From when till when facts are, as RFC 3339 texts in UTC."""

    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")


class SourceUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one offering of one connector version supplied: keys by outcome, and the range of as-of times.

    Encoded, it is what entries and receipts hold of it.
    """

    record: str
    key: str
    connector: str
    version: int
    outcomes: Mapping[str, int]  # connectors.contract.Outcome -> number of keys, those above zero
    as_of: Period | None = msgspec.field(name="asOf", default=None)  # None: the agency did not say


class LookedUp(msgspec.Struct, frozen=True):
    """What a look-up came to: whom agencies were asked about, what they supplied, and which answer left.

    ``receipt`` is SHA-256 of the compact JWS, ``response`` the salted digest that stands in it;
    both are None when no sealed answer was made.
    """

    result: Result
    subjects: tuple[SubjectKey, ...]
    sources: tuple[SourceUse, ...]
    receipt: bytes | None = None
    response: bytes | None = None


@dataclass(frozen=True, slots=True)
class LookUp:
    """One look-up as ``hub audit show`` lists it. ``result`` is None while no outcome is recorded."""

    inquiry: InquiryId
    at: datetime
    purpose: Mapping[str, Any]  # as in the entry: client, agency, procedure, case, actor, known
    fields: Mapping[str, tuple[str, ...]]
    subjects: int  # distinct subjects, those met on the way included
    result: Result | None
    ended_at: datetime | None
    sources: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Search:
    """Which look-ups to list, newest first: each condition narrows, None leaves open."""

    limit: int
    client: ClientId | None = None
    since: datetime | None = None
    inquiry: InquiryId | None = None
    pseudonyms: tuple[bytes, ...] | None = None  # one subject's, by key version
