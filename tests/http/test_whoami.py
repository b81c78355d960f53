"""A client learns from the hub itself who it is, what it may read until when, and what it has left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.audit.model import AgencyCode, ProcedureCode
from hub.catalogue.model import FieldCode, RecordCode
from hub.clients.service import ClientService
from hub.clients.store import ClientStore
from hub.grants.model import Grant
from hub.grants.service import GrantService
from hub.grants.store import GrantStore
from hub.kernel.db import Database
from hub.quotas.service import QuotaService
from tests.graphql.conftest import AGENCY, CLIENT, PROCEDURE, Counter, Reply, call
from tests.graphql.town import ANNA, RECORDS
from tests.http.conftest import until
from tests.http.test_quotas import PERSON, left, limited, office

__all__ = ["office"]

RECORDS_BY_CODE = {record.code: record for record in RECORDS}
PATH = "/whoami"


async def whoami(counter: Counter, token: str | None = None) -> Reply:
    headers = {"accept-language": "en"}
    if token != "":
        headers["authorization"] = f"Bearer {token or counter.tokens[CLIENT]}"
    return await call(counter.app, "GET", PATH, headers)


async def test_a_client_sees_itself(counter: Counter) -> None:
    reply = await whoami(counter)
    assert (reply.status, reply.headers["cache-control"]) == (200, "no-store")
    told = reply.body
    assert told["client"] == CLIENT
    assert [one["code"] for one in told["agencies"]] == [AGENCY]
    assert told["agencies"][0]["name"]["zh"]
    assert "facts" in told["scopes"]
    assert told["credentials"] == {"secrets": 1, "keys": []}
    assert told["costLimit"] == counter.hub.settings.cost_limit
    ends = datetime.fromisoformat(told["token"]["until"])
    assert timedelta(0) < ends - datetime.now(UTC) <= timedelta(seconds=counter.hub.settings.token_seconds)


async def test_what_it_may_read_is_what_is_permitted(counter: Counter) -> None:
    grants = (await whoami(counter)).body["grants"]
    (person,) = [one for one in grants if one["record"]["code"] == "person"]
    assert (person["agency"], person["procedure"]["code"], person["state"]) == (AGENCY, PROCEDURE, "active")
    assert person["record"]["name"]["en"]
    assert person["gone"] == []
    query = '{ person(idNumber: "%s") { %s } }'
    assert "name" in person["fields"]
    assert (await counter.ask(query % (ANNA, "name"))).codes == []


async def test_a_grant_that_ended_and_an_agency_that_left_say_so(
    counter: Counter, owner_database: Database
) -> None:
    grants = GrantService(GrantStore(owner_database), counter.hub.clock)
    ended = datetime.now(UTC) - timedelta(days=1)
    name = frozenset({FieldCode("name")})
    other = AgencyCode("11370300004220030X")
    await grants.put(Grant(CLIENT, AGENCY, PROCEDURE, PERSON, name, ended), RECORDS_BY_CODE)
    await grants.put(
        Grant(CLIENT, other, PROCEDURE, PERSON, name, ended + timedelta(days=9)), RECORDS_BY_CODE
    )
    told = (await whoami(counter)).body["grants"]
    states = {one["agency"]: one["state"] for one in told if one["record"]["code"] == "person"}
    assert states == {AGENCY: "expired", other: "undelegated"}


async def test_a_field_that_the_catalogue_no_longer_has_is_named(
    counter: Counter, owner_database: Database
) -> None:
    record = RECORDS_BY_CODE[PERSON]
    old = replace(record, fields={**record.fields, FieldCode("shoe_size"): record.fields[FieldCode("name")]})
    fields = frozenset({FieldCode("name"), FieldCode("shoe_size")})
    grant = Grant(CLIENT, AGENCY, PROCEDURE, PERSON, fields, datetime.now(UTC) + timedelta(days=1))
    await GrantService(GrantStore(owner_database), counter.hub.clock).put(grant, {PERSON: old})
    told = (await whoami(counter)).body["grants"]
    (person,) = [one for one in told if one["record"]["code"] == "person"]
    assert (person["fields"], person["gone"]) == (["name"], ["shoe_size"])


async def test_limits_stand_as_the_next_request_would_meet_them(
    counter: Counter, office: QuotaService
) -> None:
    await limited(office, counter, per_minute=9, per_day=50)
    await limited(office, counter, record=RecordCode("person"), per_day=20)
    await counter.ask('{ person(idNumber: "%s") { name } }' % ANNA)
    reply = await whoami(counter)
    told = {(one["name"], one["record"]): one for one in reply.body["limits"]}
    assert set(told) == {("per-minute", None), ("per-day", None), ("per-day", "person")}
    assert told["per-minute", None]["remaining"] == left(reply)["per-minute"] == 7
    assert (told["per-day", None]["remaining"], told["per-day", "person"]["remaining"]) == (49, 19)
    assert 0 < told["per-minute", None]["seconds"] <= 60


async def test_it_counts_as_a_request_and_looks_nobody_up(counter: Counter, office: QuotaService) -> None:
    await limited(office, counter, per_minute=2)
    replies = [await whoami(counter) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[2].body["code"] == "HUB-205"
    assert int(replies[2].headers["retry-after"]) > 0
    assert await counter.entries() == []


@pytest.mark.parametrize(("token", "code"), [("", "HUB-130"), ("a.b.c", "HUB-131")])
async def test_who_shows_no_token_is_told_nothing(counter: Counter, token: str, code: str) -> None:
    reply = await whoami(counter, token)
    assert (reply.status, reply.body["code"]) == (401, code)
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert CLIENT not in reply.content.decode()


async def test_one_clients_grants_are_not_anothers(counter: Counter, owner_database: Database) -> None:
    told = (await whoami(counter, counter.tokens["kiosk"])).body
    assert told["client"] == "kiosk"
    rows = await owner_database.fetch(
        "SELECT agency, procedure, record FROM grants.grant_of_fields WHERE client = 'kiosk'"
    )
    assert {(one["agency"], one["procedure"]["code"], one["record"]["code"]) for one in told["grants"]} == {
        (row["agency"], ProcedureCode(row["procedure"]), row["record"]) for row in rows
    }


async def test_two_secrets_overlap(counter: Counter, owner_database: Database) -> None:
    clients = ClientService(
        ClientStore(owner_database), counter.hub.keyring, counter.hub.clock, counter.hub.settings.issuer, 60
    )
    await clients.roll_secret(CLIENT)
    await until(lambda: len(counter.hub.clients.find(CLIENT).secrets) == 2)  # type: ignore[union-attr]
    assert (await whoami(counter)).body["credentials"]["secrets"] == 2


@pytest.mark.parametrize("path", ["/openapi.json", "/schema.graphql"])
async def test_reading_a_description_counts_too(counter: Counter, office: QuotaService, path: str) -> None:
    await limited(office, counter, per_minute=1)
    headers = {"authorization": f"Bearer {counter.tokens[CLIENT]}"}
    replies = [await call(counter.app, "GET", path, headers) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 429]
    assert replies[1].body["code"] == "HUB-205"
