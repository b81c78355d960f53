"""The form of an entry, byte for byte: it is what a Merkle log will take as its leaf."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import UUID

from hub.audit.model import (
    Actor,
    ActorKind,
    AgencyCode,
    CaseReference,
    ClientId,
    InquiryId,
    Known,
    LookedUp,
    ProcedureCode,
    Purpose,
    Result,
    SourceUse,
)
from hub.audit.rules import (
    commitments_to,
    instant,
    intent_entry,
    look_up,
    outcome_entry,
    period,
    scope_content,
    subjects_entry,
)

INQUIRY = InquiryId(UUID("01900000-0000-7000-8000-000000000001"))
SECOND = UUID("01900000-0000-7000-8000-000000000002")
AT = datetime(2026, 5, 12, 3, 4, 5, 67, tzinfo=UTC)
PURPOSE = Purpose(
    ClientId("window"),
    AgencyCode("11370300004221110X"),
    ProcedureCode("drug-retail"),
    CaseReference("淄审批〔2026〕12号"),
    Actor(ActorKind.OFFICER, "zhang.san"),
    (("client", Known.VERIFIED), ("agency", Known.ASSERTED)),
)
FIELDS = {"person": frozenset({"name", "id_number"}), "business": frozenset({"status"})}


def test_an_intent() -> None:
    entry = intent_entry(INQUIRY, AT, PURPOSE, b"\xab" * 32, scope_content(FIELDS), ["01" * 32])
    assert entry.decode() == (
        '{"at":"2026-05-12T03:04:05.000067Z",'
        '"fields":{"business":["status"],"person":["id_number","name"]},'
        '"id":"01900000-0000-7000-8000-000000000001",'
        '"inquiry":"01900000-0000-7000-8000-000000000001","kind":"intent",'
        f'"operation":"{"ab" * 32}",'
        '"purpose":{"actor":{"account":"zhang.san","kind":"officer"},"agency":"11370300004221110X",'
        '"case":"淄审批〔2026〕12号","client":"window","known":{"agency":"asserted","client":"verified"},'
        '"procedure":"drug-retail"},'
        f'"subjects":["{"01" * 32}"],"v":1}}'
    )


def test_subjects_met_on_the_way() -> None:
    entry = subjects_entry(SECOND, INQUIRY, AT, ["02" * 32])
    assert entry.decode() == (
        '{"at":"2026-05-12T03:04:05.000067Z","id":"01900000-0000-7000-8000-000000000002",'
        '"inquiry":"01900000-0000-7000-8000-000000000001","kind":"subjects",'
        f'"subjects":["{"02" * 32}"],"v":1}}'
    )


def test_an_outcome() -> None:
    use = SourceUse(
        "person", "id_number", "police", 3, {"found": 2, "absent": 1}, period(AT, AT + timedelta(days=1))
    )
    looked_up = LookedUp(Result.ANSWERED, (), (use,), b"\x0a" * 32, b"\x0b" * 32)
    entry = outcome_entry(SECOND, INQUIRY, AT, looked_up, ["01" * 32])
    assert entry.decode() == (
        '{"at":"2026-05-12T03:04:05.000067Z","id":"01900000-0000-7000-8000-000000000002",'
        '"inquiry":"01900000-0000-7000-8000-000000000001","kind":"outcome",'
        f'"receipt":"{"0a" * 32}","response":"{"0b" * 32}","result":"answered",'
        '"sources":[{"asOf":{"from":"2026-05-12T03:04:05.000067Z","to":"2026-05-13T03:04:05.000067Z"},'
        '"connector":"police","key":"id_number","outcomes":{"absent":1,"found":2},"record":"person",'
        '"version":3}],'
        f'"subjects":["{"01" * 32}"],"v":1}}'
    )


def test_an_outcome_without_an_answer_has_no_digests() -> None:
    entry = outcome_entry(SECOND, INQUIRY, AT, LookedUp(Result.ABANDONED, (), ()), [])
    assert b"receipt" not in entry
    assert b"response" not in entry


def test_a_commitment_is_sha_256_of_salt_and_pseudonym() -> None:
    assert commitments_to([b"p" * 32], [b"s" * 32]) == [sha256(b"s" * 32 + b"p" * 32).hexdigest()]


def test_a_moment_without_a_fraction_is_told_as_any_other() -> None:
    whole = AT.replace(microsecond=0)
    assert b'"at":"2026-05-12T03:04:05.000000Z"' in subjects_entry(SECOND, INQUIRY, whole, [])
    beijing = timezone(timedelta(hours=8))
    assert b'"at":"2026-05-12T03:04:05.000067Z"' in subjects_entry(
        SECOND, INQUIRY, AT.astimezone(beijing), []
    )


def test_times_are_told_in_utc() -> None:
    beijing = timezone(timedelta(hours=8))
    assert instant(datetime(2026, 1, 1, 7, 0, tzinfo=beijing)) == "2025-12-31T23:00:00.000000Z"


def test_a_look_up_is_told_by_its_entries() -> None:
    intent = intent_entry(INQUIRY, AT, PURPOSE, b"\xab" * 32, scope_content(FIELDS), ["01" * 32])
    met = subjects_entry(SECOND, INQUIRY, AT, ["02" * 32])
    ended = AT + timedelta(seconds=1)
    end = outcome_entry(SECOND, INQUIRY, ended, LookedUp(Result.FAILED, (), ()), ["01" * 32])
    found = look_up(intent, [met, end])
    assert (found.inquiry, found.at, found.ended_at) == (INQUIRY, AT, ended)
    assert (found.subjects, found.result) == (2, Result.FAILED)
    assert look_up(intent, []).result is None
