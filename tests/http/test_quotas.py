"""A client over its limits is refused by number before anything is done, and always knows where it stands."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hub.asgi import application
from hub.audit.model import ClientId
from hub.catalogue.model import RecordCode
from hub.kernel.clock import SystemClock
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import read_settings
from hub.quotas.model import Limits, Quota
from hub.quotas.rules import block
from hub.quotas.service import QuotaService
from hub.quotas.store import Lease, QuotaStore, Wish
from hub.wiring import assemble
from tests.graphql.conftest import CLIENT, Counter, Reply
from tests.graphql.test_one_question import JOIN
from tests.graphql.town import ANNA, BEN, NOBODY
from tests.http.conftest import trust, until
from tests.http.test_named import QUERY, post
from tests.store.test_quotas import within_one_window

NAME = '{ person(idNumber: "%s") { name } }' % ANNA
PEOPLE = "query($ids: [ResidentIdNumber!]!) { people(idNumbers: $ids) { name } }"
PERSON = RecordCode("person")
ITEM = re.compile(r'"(?P<name>[a-z/_-]+)";r=(?P<left>\d+);t=(?P<seconds>\d+)')


@pytest.fixture
async def office(counter: Counter, owner_database: Database) -> QuotaService:
    """Sets quotas, as the operator does."""
    return QuotaService(QuotaStore(owner_database), SystemClock(), Limits(), 1)


@pytest.fixture
async def second(counter: Counter, database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    """Another worker on the same database, asked with the same tokens."""
    settings = read_settings({"HUB_DATABASE_URL": database_url, "HUB_DATA": str(tmp_path)})
    registry = CollectorRegistry()
    hub = assemble(
        settings, await Database.open(database_url), counter.town.open, counter.town.close, registry
    )
    async with hub.running():
        yield replace(counter, hub=hub, app=application(hub, registry))


async def limited(
    office: QuotaService, *workers: Counter, record: RecordCode | None = None, **limits: int
) -> None:
    """Sets a limit of the client, and waits until the workers know it."""
    quota = Quota(CLIENT, record, Limits(**{"per_second": 0, "per_minute": 0, "per_day": 0, **limits}))
    await office.put(quota)
    held = [worker.hub.quotas._quotas for worker in workers]
    await until(lambda: all(one.value.get((CLIENT, record)) == quota.limits for one in held))


def left(reply: Reply) -> dict[str, int]:
    """What is left of each limit, by its name."""
    found = {one["name"]: int(one["left"]) for one in ITEM.finditer(reply.headers.get("ratelimit", ""))}
    assert len(found) == reply.headers.get("ratelimit", "").count(";r=")
    return found


async def intents(counter: Counter) -> int:
    return sum(entry["kind"] == "intent" for entry in await counter.entries())


async def test_workers_share_a_limit_and_the_refused_leave_no_trace(
    counter: Counter, second: Counter, office: QuotaService
) -> None:
    await limited(office, counter, second, per_minute=16)
    await within_one_window(60, 10)
    replies = [await worker.ask(NAME) for _ in range(15) for worker in (counter, second)]
    answered = sum(reply.status == 200 for reply in replies)
    assert 16 - block(16, 1) <= answered <= 16
    assert {(*reply.codes, reply.status) for reply in replies if reply.status != 200} == {("HUB-205", 429)}
    assert len(counter.town.asked) == await intents(counter) == answered


async def test_an_answer_tells_where_its_client_stands(counter: Counter, office: QuotaService) -> None:
    await limited(office, counter, per_second=50, per_minute=40, per_day=30)
    await within_one_window(60, 10)
    reply = await counter.ask(NAME)
    assert reply.headers["ratelimit-policy"] == (
        '"per-second";q=50;w=1, "per-minute";q=40;w=60, "per-day";q=30;qu="subjects";w=86400'
    )
    assert left(reply) == {"per-second": 49, "per-minute": 39, "per-day": 29}
    seconds = {one["name"]: int(one["seconds"]) for one in ITEM.finditer(reply.headers["ratelimit"])}
    assert seconds["per-second"] == 1
    assert 1 <= seconds["per-minute"] <= 60
    assert "retry-after" not in reply.headers


@pytest.mark.parametrize("way", ["graphql", "older media type", "by name"])
async def test_a_refusal_says_when_to_come_back(
    counter: Counter, office: QuotaService, owner_database: Database, way: str
) -> None:
    await trust(counter, owner_database, QUERY)
    await limited(office, counter, per_minute=1)
    await within_one_window(60, 10)

    async def ask() -> Reply:
        if way == "by name":
            return await post(counter, "PersonName", {"id": ANNA})
        headers = {} if way == "graphql" else {"accept": "application/json"}
        return await counter.post(b'{"query": "{ __typename }"}', headers)

    assert (await ask()).status == 200
    counter.town.police.asks.clear()
    reply = await ask()
    assert (reply.status, reply.codes) == (429, ["HUB-205"])
    assert reply.headers["ratelimit-policy"] == '"per-minute";q=1;w=60'
    found = ITEM.fullmatch(reply.headers["ratelimit"])
    assert found is not None
    assert (found["name"], found["left"]) == ("per-minute", "0")
    assert abs(int(found["seconds"]) - int(reply.headers["retry-after"])) <= 1
    assert 0 < int(reply.headers["retry-after"]) <= 60
    assert reply.headers["hub-error"] == "HUB-205"
    assert counter.town.asked == []


async def test_a_limit_counts_before_the_request_is_even_read(counter: Counter, office: QuotaService) -> None:
    await limited(office, counter, per_minute=2)
    await within_one_window(60, 10)
    replies = [await counter.post(b"{") for _ in range(3)]
    assert [reply.codes[0] for reply in replies] == ["HUB-102", "HUB-102", "HUB-205"]


async def test_a_question_about_too_many_asks_nobody_and_takes_nothing(
    counter: Counter, office: QuotaService
) -> None:
    await limited(office, counter, per_day=3)
    refused = await counter.ask(PEOPLE, {"ids": [ANNA, BEN, NOBODY, "11010119900307299X"]})
    assert (refused.status, refused.codes) == (429, ["HUB-206"])
    assert (counter.town.asked, await counter.entries()) == ([], [])
    reply = await counter.ask(PEOPLE, {"ids": [ANNA, BEN, NOBODY, ANNA]})
    assert reply.status == 200
    assert left(reply) == {"per-day": 0}
    asked = len(counter.town.asked)
    assert (await counter.ask(NAME)).codes == ["HUB-206"]
    assert len(counter.town.asked) == asked
    assert await intents(counter) == 1


async def test_subjects_met_on_the_way_count_too(counter: Counter, office: QuotaService) -> None:
    await limited(office, counter, per_day=3)
    reply = await counter.ask(JOIN, {"id": ANNA, "types": ["drug_business_licence"]})
    assert reply.status == 200
    assert left(reply) == {"per-day": 2}
    reply = await counter.ask(NAME)
    assert left(reply) == {"per-day": 0}  # the business was one of them
    assert (await counter.ask(NAME)).codes == ["HUB-206"]


async def test_a_record_has_limits_of_its_own(counter: Counter, office: QuotaService) -> None:
    await limited(office, counter)
    await limited(office, counter, record=PERSON, per_minute=1)
    await within_one_window(60, 10)
    licences = '{ person(idNumber: "%s") { certificates(types: ["physician_practice"]) { number } } }' % ANNA
    assert left(await counter.ask(NAME)) == {"per-minute/person": 0}
    refused = await counter.ask(NAME)
    assert (refused.status, refused.codes) == (429, ["HUB-205"])
    assert refused.headers["ratelimit-policy"] == '"per-minute/person";q=1;w=60'
    reply = await counter.ask(licences)
    assert (reply.status, left(reply)) == (200, {})
    assert (await counter.ask(NAME, client="kiosk")).status == 200


async def test_a_client_without_limits_needs_no_lease(
    counter: Counter, office: QuotaService, database: Database
) -> None:
    await limited(office, counter)
    reply = await counter.ask(NAME)
    assert reply.status == 200
    assert not {"ratelimit", "ratelimit-policy"} & reply.headers.keys()
    assert await database.fetchval("SELECT count(*) FROM quotas.leased") == 0


async def test_the_settings_hold_for_every_client(counter: Counter) -> None:
    for client in (CLIENT, ClientId("kiosk")):
        reply = await counter.ask(NAME, client=client)
        assert reply.headers["ratelimit-policy"] == (
            '"per-second";q=200;w=1, "per-minute";q=6000;w=60, "per-day";q=500000;qu="subjects";w=86400'
        )


async def test_without_the_database_what_is_leased_goes_on_and_nothing_more(
    counter: Counter, office: QuotaService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await limited(office, counter, per_minute=80)
    await within_one_window(60, 10)
    assert (await counter.ask(NAME)).status == 200
    lease = QuotaStore.lease

    async def away(_store: QuotaStore, _wishes: Sequence[Wish]) -> list[Lease]:
        raise HubError(Code.STORE_UNAVAILABLE)

    monkeypatch.setattr(QuotaStore, "lease", away)
    replies = [await counter.ask(NAME) for _ in range(30)]
    answered = [reply.status for reply in replies].index(503)
    assert 0 < answered <= 2 * block(80, 1)
    assert {(*reply.codes, reply.status) for reply in replies[answered:]} == {("HUB-203", 503)}
    assert all(int(reply.headers["retry-after"]) > 0 for reply in replies[answered:])
    assert len(counter.town.asked) == await intents(counter) == 1 + answered
    monkeypatch.setattr(QuotaStore, "lease", lease)
    assert (await counter.ask(NAME)).status == 200
