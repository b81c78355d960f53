"""Decides on records and fields, before anything is fetched, whether a purpose allows a question.

Basis: 个人信息保护法 §6 (no more than the purpose needs) and §34 (within statutory powers);
政务数据共享条例 (sharing classes; data is used for the purpose it was applied for).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from hub.audit.model import Purpose
from hub.catalogue.model import FieldCode, RecordCode, RecordType, Sharing
from hub.grants.model import Grant, Permit
from hub.kernel.errors import Code, Problem

Fields = Mapping[RecordCode, frozenset[FieldCode]]
Records = Mapping[RecordCode, RecordType]


def decide(
    purpose: Purpose, fields: Fields, grants: Iterable[Grant], records: Records, now: datetime
) -> Permit | Problem:
    """A Permit for all of it, or one Problem for the whole: nothing is silently dropped.

    OVER_ASKED names every field that no living grant covers as ``record.field`` (``record`` alone where
    only its existence was asked) in detail["fields"], sorted, comma separated; those that an expired
    grant covered stand in detail["expired"] too. NOT_SHARED comes first and no grant helps against it.
    """
    mistake = unknown(fields, records) or _unshared(fields, records)
    if mistake:
        return mistake
    fitting = [grant for grant in grants if _fits(grant, purpose)]
    missing = _beyond(fields, (grant for grant in fitting if now < grant.until))
    if not missing:
        return Permit(MappingProxyType(dict(fields)))
    expired = missing - _beyond(fields, fitting)
    detail = {"fields": _named(missing)} | ({"expired": _named(expired)} if expired else {})
    return Problem(Code.OVER_ASKED, MappingProxyType(detail))


def first_end(grants: Iterable[Grant], now: datetime) -> datetime:
    """When the first of the grants that are in force ends; ``now`` where none is."""
    return min((grant.until for grant in grants if now < grant.until), default=now)


def unknown(fields: Fields, records: Records) -> Problem | None:
    """EVIDENCE_TYPE_UNKNOWN or CLAIM_UNKNOWN when the catalogue lacks a record or field."""
    strangers = sorted(fields.keys() - records.keys())
    if strangers:
        return Problem(Code.EVIDENCE_TYPE_UNKNOWN, {"record": ", ".join(strangers)})
    missing = {
        f"{record}.{field}"
        for record, asked in fields.items()
        if not asked <= records[record].fields.keys()
        for field in asked - records[record].fields.keys()
    }
    return Problem(Code.CLAIM_UNKNOWN, {"fields": _named(missing)}) if missing else None


def grant_mistake(grant: Grant, records: Records) -> Problem | None:
    """Why a grant cannot be made: it names what the catalogue lacks, nothing, or what may not be shared."""
    if not grant.fields:
        return Problem(Code.REQUEST_SHAPE, {"part": "fields"})
    if grant.until.tzinfo is None:
        return Problem(Code.REQUEST_SHAPE, {"part": "until"})
    named = {grant.record: grant.fields}
    return unknown(named, records) or _unshared(named, records)


def _unshared(fields: Fields, records: Records) -> Problem | None:
    held_back = sorted(record for record in fields if records[record].sharing is Sharing.NOT_SHARED)
    return Problem(Code.NOT_SHARED, {"record": ", ".join(held_back)}) if held_back else None


def _fits(grant: Grant, purpose: Purpose) -> bool:
    asked = (purpose.client, purpose.agency, purpose.procedure)
    return (grant.client, grant.agency, grant.procedure) == asked


def _beyond(fields: Fields, grants: Iterable[Grant]) -> set[str]:
    """What no grant covers. That a record exists is a fact too, and needs a grant of the record."""
    allowed: dict[RecordCode, set[FieldCode]] = {}
    for grant in grants:
        allowed.setdefault(grant.record, set()).update(grant.fields)
    beyond = {
        f"{record}.{field}"
        for record, asked in fields.items()
        for field in asked - allowed.get(record, set())
    }
    return beyond | {str(record) for record, asked in fields.items() if not asked and record not in allowed}


def _named(fields: Iterable[str]) -> str:
    return ", ".join(sorted(fields))
