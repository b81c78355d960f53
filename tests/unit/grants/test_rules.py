"""A grant names what the catalogue has and may share; a permit never exceeds its question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit.model import Actor, ActorKind, AgencyCode, CaseReference, ClientId, ProcedureCode, Purpose
from hub.catalogue.model import (
    Field,
    FieldCode,
    FieldType,
    Kind,
    Label,
    RecordCode,
    RecordType,
    Sensitivity,
    Sharing,
)
from hub.grants import rules
from hub.grants.model import Grant, Permit
from hub.kernel.errors import Code, Problem

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
LABEL = Label("证照", "record")
NAMES = st.sampled_from("abcd")
CODES = st.sampled_from([RecordCode("one"), RecordCode("two"), RecordCode("secret")])


def record(code: str) -> RecordType:
    sharing = Sharing.NOT_SHARED if code == "secret" else Sharing.CONDITIONAL
    fields = {
        FieldCode(name): Field(FieldCode(name), FieldType.TEXT, LABEL, Sensitivity.PERSONAL)
        for name in "abcd"
    }
    return RecordType(RecordCode(code), Kind.EVIDENCE, LABEL, None, (), sharing, "", fields)


RECORDS = {RecordCode(code): record(code) for code in ("one", "two", "secret")}
PURPOSE = Purpose(
    ClientId("c"), AgencyCode("a"), ProcedureCode("p"), CaseReference("1"), Actor(ActorKind.OFFICER, "o"), ()
)


def grant(record: str = "one", *fields: str, until: datetime = LATER, procedure: str = "p") -> Grant:
    named = frozenset(map(FieldCode, fields))
    return Grant(PURPOSE.client, PURPOSE.agency, ProcedureCode(procedure), RecordCode(record), named, until)


GRANTS = st.lists(
    st.builds(
        lambda record, fields, until, procedure: grant(record, *fields, until=until, procedure=procedure),
        CODES, st.sets(NAMES, min_size=1), st.sampled_from([NOW, LATER]), st.sampled_from(["p", "q"]),
    )
)  # fmt: skip


@given(st.dictionaries(CODES, st.frozensets(NAMES.map(FieldCode))), GRANTS)
def test_a_permit_is_given_only_when_every_field_stands_in_a_living_grant_of_this_purpose(
    fields: dict[RecordCode, frozenset[FieldCode]], grants: list[Grant]
) -> None:
    living = [one for one in grants if one.until > NOW and one.procedure == "p"]
    covered = all(
        record != "secret"
        and any(one.record == record for one in living)
        and all(any(one.record == record and field in one.fields for one in living) for field in asked)
        for record, asked in fields.items()
    )
    decided = rules.decide(PURPOSE, fields, grants, RECORDS, NOW)
    assert isinstance(decided, Permit) is covered
    if isinstance(decided, Permit):
        assert decided.fields == fields


def test_a_permit_does_not_change_with_the_question_it_was_given_for() -> None:
    fields = {RecordCode("one"): frozenset({FieldCode("a")})}
    permit = rules.decide(PURPOSE, fields, [grant("one", "a")], RECORDS, NOW)
    fields[RecordCode("two")] = frozenset({FieldCode("b")})
    assert permit == Permit({RecordCode("one"): frozenset({FieldCode("a")})})


def test_a_grant_over_the_catalogue_may_be_made() -> None:
    assert rules.grant_mistake(grant("one", "a", "b"), RECORDS) is None


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (grant("three", "a"), Problem(Code.EVIDENCE_TYPE_UNKNOWN, {"record": "three"})),
        (grant("one", "a", "z", "y"), Problem(Code.CLAIM_UNKNOWN, {"fields": "one.y, one.z"})),
        (grant("one", "*"), Problem(Code.CLAIM_UNKNOWN, {"fields": "one.*"})),
        (grant("*", "a"), Problem(Code.EVIDENCE_TYPE_UNKNOWN, {"record": "*"})),
        (grant("secret", "a"), Problem(Code.NOT_SHARED, {"record": "secret"})),
        (grant("one"), Problem(Code.REQUEST_SHAPE, {"part": "fields"})),
        (grant("one", "a", until=datetime(2027, 1, 1)), Problem(Code.REQUEST_SHAPE, {"part": "until"})),  # noqa: DTZ001 what is wrong here
    ],
    ids=["record", "fields", "any field", "any record", "not shared", "no field", "no time zone"],
)
def test_another_grant_may_not(wrong: Grant, problem: Problem) -> None:
    assert rules.grant_mistake(wrong, RECORDS) == problem
