"""What a question costs is known before anybody is asked, told with the answer, and bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from hub.asgi import application
from hub.audit.model import ClientId
from hub.clients.model import Caller
from hub.clients.service import ClientService
from hub.clients.store import ClientStore
from hub.kernel.db import Database
from schema.execution.estimate import FAN_OUT, MAX_KEYS
from tests.graphql.conftest import CLIENT, Counter
from tests.graphql.town import ACME, ANNA, BEN
from tests.http.conftest import until

BATCH = 2  # keys a call, of every desk of the town


def times(keys: int, rows: int) -> int:
    """Calls times rows."""
    return -(-keys // BATCH) * rows


NAME = 'person(idNumber: "%s") { name }' % ANNA
PEOPLE = 'people(idNumbers: ["%s", "%s", "%s"]) { name }' % (ANNA, BEN, ANNA)
ROLES = times(1, FAN_OUT)
COSTS = {
    "one person": ("{%s}" % NAME, times(1, 1)),
    "two people, one of them twice": ("{%s}" % PEOPLE, times(2, 2)),
    "two aliases of one fetch": ("{ a: %s b: %s }" % (NAME, NAME), times(2, 2)),
    "one behind the other": (
        '{ person(idNumber: "%s") { businesses { name } } }' % ANNA,
        ROLES + times(FAN_OUT, FAN_OUT),
    ),
    "three deep": (
        '{ person(idNumber: "%s") { businesses { people { name } } } }' % ANNA,
        ROLES + times(FAN_OUT, FAN_OUT**2) + times(FAN_OUT**2, FAN_OUT**2),
    ),
    "nobody is asked": (
        '{ business(uscc: "%s") { certificates(types: ["ship_registration"]) { number } } }' % ACME,
        0,
    ),
    "without a plan": (
        '{ person(idNumber: "%s") { relationsConnection(first: 1) { totalCount } } }' % ANNA,
        2 * times(FAN_OUT, FAN_OUT**2),
    ),
}


@pytest.mark.parametrize(("query", "cost"), COSTS.values(), ids=COSTS.keys())
async def test_the_cost_of_a_question_is_told(counter: Counter, query: str, cost: int) -> None:
    reply = await counter.ask(query)
    assert reply.status == 200, reply.body
    assert reply.headers["hub-cost"] == str(cost)
    assert reply.body["extensions"].keys() == {"receipt", "receiptSalt"}


async def test_no_estimate_goes_beyond_the_subjects_of_an_inquiry(counter: Counter) -> None:
    depth = 6
    query = '{ person(idNumber: "%s") { ' % ANNA + "businesses { people { " * depth + "name" + "} }" * depth
    reply = await counter.ask(query + "} }")
    assert int(reply.headers["hub-cost"]) <= 2 * depth * times(MAX_KEYS, MAX_KEYS * FAN_OUT)


async def test_what_reads_no_facts_has_no_cost(counter: Counter) -> None:
    assert "hub-cost" not in (await counter.ask("{ __typename }")).headers


async def test_a_question_over_the_limit_asks_nobody(counter: Counter) -> None:
    counter.hub = replace(counter.hub, settings=replace(counter.hub.settings, cost_limit=3))
    counter.app = application(counter.hub, CollectorRegistry())
    assert (await counter.ask("{%s}" % PEOPLE)).status == 200
    refused = await counter.ask('{ person(idNumber: "%s") { businesses { name } } }' % ANNA)
    assert (refused.codes, refused.status) == (["HUB-129"], 400)
    assert refused.headers["hub-cost"] == str(ROLES + times(FAN_OUT, FAN_OUT))
    assert "3" in refused.body["errors"][0]["message"]
    assert [ask.offering for ask in counter.town.asked] == ["person_by_id_number"]
    kinds = [entry["kind"] for entry in await counter.entries()]
    assert kinds == ["intent", "outcome"]


def limit(counter: Counter) -> int | None:
    caller = counter.hub.clients.verify_token(counter.tokens[CLIENT])
    assert isinstance(caller, Caller)
    return caller.cost_limit


async def test_a_client_may_have_a_limit_of_its_own(counter: Counter, owner_database: Database) -> None:
    hub = counter.hub
    clients = ClientService(ClientStore(owner_database), hub.keyring, hub.clock, hub.settings.issuer, 600)
    assert await clients.limit_cost(CLIENT, 1)
    assert not await clients.limit_cost(ClientId("nobody"), 1)
    await until(lambda: limit(counter) == 1)
    assert (await counter.ask("{%s}" % PEOPLE)).codes == ["HUB-129"]
    assert (await counter.ask("{%s}" % NAME)).status == 200
    await clients.limit_cost(CLIENT, None)
    await until(lambda: limit(counter) is None)
    assert (await counter.ask("{%s}" % PEOPLE)).status == 200
