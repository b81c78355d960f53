"""On bad days nobody is asked without a log entry, nothing is half-recorded, and the hub recovers."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from connectors.contract import Ask
from hub.asgi import application
from hub.kernel.db import Database
from hub.kernel.db.embedded import EmbeddedPostgres
from hub.kernel.db.migrate import migrate
from hub.kernel.settings import read_settings
from hub.wiring import assemble
from tests.graphql.conftest import CLIENT, Counter, Reply, settle
from tests.graphql.town import ACME, ANNA, Town

NAME = '{ person(idNumber: "%s") { name } }' % ANNA
FULL = """
CREATE FUNCTION audit.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.kind = '%s' THEN
        RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON audit.entry FOR EACH ROW EXECUTE FUNCTION audit.full_disk();
"""


def _inquiry(reply: Reply) -> str:
    claims = reply.body["extensions"]["receipt"].split(".")[1]
    claim: str = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["jti"]
    return claim


async def test_a_full_disk_at_the_intent_asks_nobody(counter: Counter) -> None:
    await counter.database.execute(FULL % "intent")
    reply = await counter.ask(NAME)
    assert (reply.status, reply.codes) == (503, ["HUB-201"])
    assert "data" not in reply.body
    assert reply.headers["retry-after"]
    assert counter.town.asked == []


async def test_a_full_disk_on_the_way_asks_nobody_further(counter: Counter) -> None:
    await counter.database.execute(FULL % "subjects")
    reply = await counter.ask('{ business(uscc: "%s") { name legalRepresentative { name } } }' % ACME)
    assert reply.codes == ["HUB-201"]
    assert reply.body["data"]["business"]["legalRepresentative"] is None
    assert counter.town.police.asks == []


async def test_an_outcome_that_cannot_be_written_holds_the_answer_back(counter: Counter) -> None:
    await counter.database.execute(FULL % "outcome")
    reply = await counter.ask(NAME)
    assert (reply.status, reply.codes) == (503, ["HUB-202"])
    assert "data" not in reply.body
    assert ANNA not in reply.content.decode()
    assert [entry["kind"] for entry in await counter.entries()] == ["intent"]


async def test_a_caller_who_goes_away_is_recorded_as_abandoned(counter: Counter) -> None:
    asked = asyncio.Event()

    async def hang(_: Ask) -> None:
        asked.set()
        await asyncio.sleep(60)

    counter.town.police.before = hang
    waiting = asyncio.create_task(counter.ask(NAME))
    await asked.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await counter.entries())[-1]["result"] == "abandoned"


async def _pester(counter: Counter, replies: list[Reply], stop: asyncio.Event) -> None:
    while not stop.is_set():
        replies.append(await counter.ask('{ person(idNumber: "%s") { name businesses { name } } }' % ANNA))


async def _until(reached: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not reached():  # noqa: ASYNC110  what is awaited has no event
            await asyncio.sleep(0.02)


async def test_postgresql_killed_under_load_and_back(own_postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    owner_url = own_postgres.dsn("hub_owner")
    await migrate(owner_url)
    url = own_postgres.dsn("hub_server")
    settings = read_settings({"HUB_DATABASE_URL": url, "HUB_DATA": str(tmp_path)})
    town, owner = Town(), await Database.open(owner_url)
    registry = CollectorRegistry()
    hub = assemble(settings, await Database.open(url, timeout=2), town.open, town.close, registry)
    secret, _ = await settle(owner, hub, town, tmp_path)
    async with hub.running():
        counter = Counter(hub, town, owner, application(hub, registry))
        known: Any = hub.clients.authenticate_secret(CLIENT, secret)
        issued: Any = hub.clients.issue_token(known)
        counter.tokens[CLIENT] = issued.token
        replies: list[Reply] = []
        stop = asyncio.Event()
        loads = [asyncio.create_task(_pester(counter, replies, stop)) for _ in range(4)]
        await _until(lambda: sum(reply.status == 200 for reply in replies) > 10)
        os.kill(own_postgres.pid, signal.SIGKILL)
        await _until(lambda: any(reply.status != 200 for reply in replies))
        failed = len(replies)
        await _until(lambda: sum(reply.status == 200 for reply in replies[failed:]) > 10)
        stop.set()
        await asyncio.gather(*loads)
        entries = await counter.entries()
    await owner.close()
    _nothing_is_half_recorded(town, replies, entries)


def _nothing_is_half_recorded(town: Town, replies: list[Reply], entries: list[dict[str, Any]]) -> None:
    intents = {entry["id"] for entry in entries if entry["kind"] == "intent"}
    answered = {
        entry["inquiry"] for entry in entries if entry["kind"] == "outcome" and entry["result"] == "answered"
    }
    assert {ask.correlation for ask in town.asked} <= intents
    assert {_inquiry(reply) for reply in replies if reply.status == 200} <= answered
    codes = {code for reply in replies if reply.status != 200 for code in reply.codes}
    assert codes <= {"HUB-201", "HUB-202", "HUB-203"}
    assert codes
