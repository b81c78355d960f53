"""Grants are made by the owner against the catalogue, and count or cease to count at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
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
from hub.clients.model import Client
from hub.clients.store import ClientStore
from hub.grants.model import Grant, Permit
from hub.grants.service import GrantService
from hub.grants.store import GrantStore
from hub.kernel.clock import SystemClock
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError, Problem
from hub.procedures.model import Procedure
from hub.procedures.store import ProcedureStore

LABEL = Label("自然人", "person")
PERSON, NAME, ADDRESS = RecordCode("person"), FieldCode("name"), FieldCode("address")
RECORDS = {
    PERSON: RecordType(
        PERSON, Kind.BASE, LABEL, None, (), Sharing.CONDITIONAL, "",
        {code: Field(code, FieldType.TEXT, LABEL, Sensitivity.PERSONAL) for code in (NAME, ADDRESS)},
    )
}  # fmt: skip
PURPOSE = Purpose(
    ClientId("window"),
    AgencyCode("11370300MB2841234X"),
    ProcedureCode("370303000000"),
    CaseReference("1"),
    Actor(ActorKind.OFFICER, "zhang"),
    (),
)
LATER = datetime.now(UTC) + timedelta(days=30)
ASKED = {PERSON: frozenset({NAME})}


def grant(*fields: FieldCode, until: datetime = LATER, record: RecordCode = PERSON) -> Grant:
    return Grant(PURPOSE.client, PURPOSE.agency, PURPOSE.procedure, record, frozenset(fields), until)


@pytest.fixture
async def office(owner_database: Database) -> GrantService:
    """The service of whoever grants; client and procedure are registered."""
    await ClientStore(owner_database).put(Client(PURPOSE.client, "审批系统", frozenset({PURPOSE.agency})))
    await ProcedureStore(owner_database).put(Procedure(PURPOSE.procedure, "药品零售", "Retail of drugs"))
    return GrantService(GrantStore(owner_database), SystemClock())


@pytest.fixture
async def grants(database: Database, office: GrantService) -> GrantService:
    """The service of a worker."""
    service = GrantService(GrantStore(database), SystemClock())
    await service.start()
    return service


async def soon(seen: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(1):
        while True:
            if await seen():
                return
            await asyncio.sleep(0.01)


async def permitted(grants: GrantService) -> bool:
    return isinstance(await grants.decide(PURPOSE, ASKED, RECORDS), Permit)


async def test_a_grant_permits_and_its_revocation_refuses_within_a_second(
    office: GrantService, grants: GrantService
) -> None:
    assert await grants.decide(PURPOSE, ASKED, RECORDS) == Problem(Code.OVER_ASKED, {"fields": "person.name"})
    await office.put(grant(NAME), RECORDS)
    await soon(lambda: permitted(grants))
    assert await office.revoke(PURPOSE.client, PURPOSE.agency, PURPOSE.procedure, PERSON)

    async def refused() -> bool:
        return not await permitted(grants)

    await soon(refused)
    assert not await office.revoke(PURPOSE.client, PURPOSE.agency, PURPOSE.procedure, PERSON)


async def test_a_grant_put_again_replaces_the_first(office: GrantService, grants: GrantService) -> None:
    await office.put(grant(NAME, ADDRESS), RECORDS)
    await office.put(grant(ADDRESS), RECORDS)
    assert not await permitted(grants)


async def test_a_remembered_grant_is_not_read_again(
    office: GrantService, grants: GrantService, owner_database: Database
) -> None:
    await office.put(grant(NAME), RECORDS)
    await soon(lambda: permitted(grants))
    await asyncio.sleep(0.05)  # the news of the grant has surely been heard
    await permitted(grants)
    await owner_database.execute("ALTER TABLE grants.grant_of_fields RENAME TO away")
    assert await permitted(grants)


async def test_a_change_during_a_reading_is_not_lost(
    grants: GrantService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_while_changing(*_key: str) -> tuple[Grant, ...]:
        grants._forget()  # the news comes while the old state is on its way
        return (grant(NAME),)

    with monkeypatch.context() as patched:
        patched.setattr(grants._store, "read", read_while_changing)
        assert await permitted(grants)
    assert not await permitted(grants)


async def test_an_expired_grant_is_named_as_such(office: GrantService, grants: GrantService) -> None:
    await office.put(grant(NAME, until=datetime.now(UTC) - timedelta(seconds=1)), RECORDS)
    refused = await grants.decide(PURPOSE, ASKED, RECORDS)
    assert refused == Problem(Code.OVER_ASKED, {"fields": "person.name", "expired": "person.name"})


async def test_a_grant_of_what_the_catalogue_lacks_is_refused_with_all_beside_it(
    office: GrantService, owner_database: Database
) -> None:
    with pytest.raises(HubError) as refused:
        await office.put_all((grant(NAME), grant(FieldCode("religion"))), RECORDS)
    assert refused.value.problem == Problem(Code.CLAIM_UNKNOWN, {"fields": "person.religion"})
    assert await owner_database.fetchval("SELECT count(*) FROM grants.grant_of_fields") == 0


async def test_a_grant_for_an_unknown_client_or_procedure_is_refused(owner_database: Database) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await GrantService(GrantStore(owner_database), SystemClock()).put(grant(NAME), RECORDS)


async def test_the_serving_role_grants_nothing(database: Database, grants: GrantService) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await grants.put(grant(NAME), RECORDS)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await grants.revoke(PURPOSE.client, PURPOSE.agency, PURPOSE.procedure, PERSON)
