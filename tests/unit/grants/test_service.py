"""A permit that is given again is the one that would be given anew: it ends with its grants, and changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

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
from hub.grants import service as services
from hub.grants.model import Grant, Permit
from hub.grants.service import GrantService
from hub.grants.store import GrantStore

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LABEL = Label("自然人", "person")
PERSON, ROLE, NAME, ADDRESS = (
    RecordCode("person"),
    RecordCode("role"),
    FieldCode("name"),
    FieldCode("address"),
)
ASKED = {PERSON: frozenset({NAME}), ROLE: frozenset({NAME})}


def catalogue(sharing: Sharing = Sharing.CONDITIONAL) -> Mapping[RecordCode, RecordType]:
    fields = {code: Field(code, FieldType.TEXT, LABEL, Sensitivity.PERSONAL) for code in (NAME, ADDRESS)}
    return {
        code: RecordType(code, Kind.BASE, LABEL, None, (), sharing, "", fields) for code in (PERSON, ROLE)
    }


RECORDS = catalogue()


def purpose(client: str = "window", procedure: str = "p") -> Purpose:
    actor = Actor(ActorKind.OFFICER, "zhang")
    return Purpose(ClientId(client), AgencyCode("a"), ProcedureCode(procedure), CaseReference("1"), actor, ())


class Office:
    """The store, the channel that tells of changes, the clock, and how often a decision was thought over."""

    def __init__(self) -> None:
        self.database = self
        self.time = NOW
        self.ends = {PERSON: NOW + timedelta(hours=1), ROLE: NOW + timedelta(hours=2)}
        self.decisions = 0

    async def listen(self, _channel: str, heard: Callable[[str], None]) -> None:
        self.heard = heard

    async def read(self, *key: str) -> tuple[Grant, ...]:
        client, agency, procedure = ClientId(key[0]), AgencyCode(key[1]), ProcedureCode(key[2])
        fields = frozenset({NAME})
        return tuple(
            Grant(client, agency, procedure, record, fields, end) for record, end in self.ends.items()
        )

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    """An office that counts decisions."""
    made, decide = Office(), rules.decide

    def counted(*question: Any) -> Any:
        made.decisions += 1
        return decide(*question)

    monkeypatch.setattr(rules, "decide", counted)
    return made


@pytest.fixture
async def grants(office: Office) -> GrantService:
    """A service that has started."""
    service = GrantService(cast("GrantStore", office), office)
    await service.start()
    return service


async def test_the_same_question_is_thought_over_once(office: Office, grants: GrantService) -> None:
    first = await grants.decide(purpose(), ASKED, RECORDS)
    assert isinstance(first, Permit)
    assert await grants.decide(purpose(), ASKED, RECORDS) is first
    assert office.decisions == 1


async def test_a_permit_ends_at_the_instant_when_its_first_grant_ends(
    office: Office, grants: GrantService
) -> None:
    assert isinstance(await grants.decide(purpose(), ASKED, RECORDS), Permit)
    office.time = office.ends[PERSON] - timedelta.resolution
    assert isinstance(await grants.decide(purpose(), ASKED, RECORDS), Permit)
    assert office.decisions == 1
    office.time = office.ends[PERSON]
    refused = await grants.decide(purpose(), ASKED, RECORDS)
    assert not isinstance(refused, Permit)
    assert refused.detail == {"fields": "person.name", "expired": "person.name"}


async def test_a_grant_that_has_ended_before_does_not_end_a_permit(
    office: Office, grants: GrantService
) -> None:
    office.time = office.ends[PERSON]
    only_roles = {ROLE: frozenset({NAME})}
    for _ in range(2):
        assert isinstance(await grants.decide(purpose(), only_roles, RECORDS), Permit)
    assert office.decisions == 1


async def test_a_changed_grant_counts_at_once(office: Office, grants: GrantService) -> None:
    assert isinstance(await grants.decide(purpose(), ASKED, RECORDS), Permit)
    del office.ends[ROLE]
    office.heard("")
    assert not isinstance(await grants.decide(purpose(), ASKED, RECORDS), Permit)


async def test_another_state_of_the_catalogue_is_another_question(
    office: Office, grants: GrantService
) -> None:
    assert isinstance(await grants.decide(purpose(), ASKED, RECORDS), Permit)
    held_back = await grants.decide(purpose(), ASKED, catalogue(Sharing.NOT_SHARED))
    assert not isinstance(held_back, Permit)


async def test_fields_that_have_become_more_are_another_question(
    office: Office, grants: GrantService
) -> None:
    fields = dict(ASKED)
    assert isinstance(await grants.decide(purpose(), fields, RECORDS), Permit)
    fields[PERSON] = frozenset({NAME, ADDRESS})
    assert not isinstance(await grants.decide(purpose(), fields, RECORDS), Permit)


@pytest.mark.parametrize("other", [purpose(client="kiosk"), purpose(procedure="q")])
async def test_a_permit_is_nobody_elses(office: Office, grants: GrantService, other: Purpose) -> None:
    await grants.decide(purpose(), ASKED, RECORDS)
    office.ends = {}
    assert not isinstance(await grants.decide(other, ASKED, RECORDS), Permit)


async def test_a_refusal_is_thought_over_each_time(office: Office, grants: GrantService) -> None:
    too_much = {PERSON: frozenset({ADDRESS})}
    refusals = [await grants.decide(purpose(), too_much, RECORDS) for _ in range(2)]
    assert not any(isinstance(one, Permit) for one in refusals)
    assert office.decisions == 2


async def test_so_many_permits_are_remembered_and_no_more(
    office: Office, grants: GrantService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "PERMITS_REMEMBERED", 3)
    questions = [dict(ASKED) for _ in range(5)]
    for fields in questions:
        await grants.decide(purpose(), fields, RECORDS)
    assert len(grants._given) == 3
    await grants.decide(purpose(), questions[-1], RECORDS)
    assert office.decisions == 5, "the latest are kept"
    await grants.decide(purpose(), questions[0], RECORDS)
    assert office.decisions == 6, "the oldest is not"
