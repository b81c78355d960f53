"""A client that hangs up in the middle: its fetches are cancelled, and the log says that it was abandoned."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import pytest

from connectors.contract import Ask
from hub.http.presence import SOON, Presence
from hub.kernel.db import Database
from tests.graphql.conftest import CLIENT, PURPOSE, Counter
from tests.graphql.town import ANNA
from tests.http.conftest import PURPOSE_HEADERS, trust

NAME = 'query Name { person(idNumber: "%s") { name certificates(types: ["physician_practice"]) { number } } }'
QUERY = NAME % ANNA


@dataclass
class Slow:
    """An agency that takes its time, and notices when it is asked no more."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, ask: Ask) -> None:
        self.asked.set()
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def message(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "host: hub.test", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def requests(counter: Counter) -> dict[str, bytes]:
    headers = {"authorization": f"Bearer {counter.tokens[CLIENT]}", "content-type": "application/json"}
    extensions = {"purpose": PURPOSE}
    posted = json.dumps({"query": QUERY, "extensions": extensions}).encode()
    query = urlencode({"query": QUERY, "extensions": json.dumps(extensions)})
    return {
        "POST": message("POST", "/graphql", headers, posted),
        "GET": message("GET", f"/graphql?{query}", headers),
        "by name": message("POST", "/q/Name", headers | PURPOSE_HEADERS, b"{}"),
    }


async def ended(counter: Counter) -> list[tuple[str, str | None]]:
    """Kind and result of every entry, once an outcome is there."""
    async with asyncio.timeout(5):
        while True:
            entries = [(entry["kind"], entry.get("result")) for entry in await counter.entries()]
            if any(kind == "outcome" for kind, _ in entries):
                return entries
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("way", ["POST", "GET", "by name"])
async def test_who_hangs_up_is_asked_for_no_more(
    counter: Counter, owner_database: Database, address: str, way: str
) -> None:
    await trust(counter, owner_database, QUERY)
    counter.town.police.before = counter.town.store.before = slow = Slow()
    _, writer = await asyncio.open_connection(urlsplit(address).hostname, urlsplit(address).port)
    writer.write(requests(counter)[way])
    async with asyncio.timeout(5):
        await slow.asked.wait()
        writer.transport.abort()
        await slow.cancelled.wait()
    assert await ended(counter) == [("intent", None), ("outcome", "abandoned")]


async def test_who_stays_is_answered_and_may_ask_again(counter: Counter, address: str) -> None:
    counter.town.police.before = slow = Slow()
    reader, writer = await asyncio.open_connection(urlsplit(address).hostname, urlsplit(address).port)
    writer.write(requests(counter)["POST"] * 2)
    async with asyncio.timeout(5):
        await slow.asked.wait()
        slow.answers.set()
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            assert json.loads(await reader.readexactly(length))["data"]["person"]["name"]
    writer.close()
    results = [entry.get("result") for entry in await counter.entries()]
    assert results == [None, "answered", None, "answered"]


async def test_another_cancellation_is_not_the_clients() -> None:
    async def stays() -> dict[str, str]:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    presence = Presence(stays)

    async def work() -> None:
        with presence:
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert not presence.explains_cancellation()


async def test_what_follows_the_watch_is_finished() -> None:
    left = asyncio.Event()

    async def leaves() -> dict[str, str]:
        await left.wait()
        return {"type": "http.disconnect"}

    with Presence(leaves):
        await asyncio.sleep(2 * SOON)
    left.set()
    await asyncio.sleep(0.01)  # a cancellation would arrive here


async def test_who_is_answered_at_once_is_not_watched() -> None:
    watched = False

    async def leaves() -> dict[str, str]:
        nonlocal watched
        watched = True
        return {"type": "http.disconnect"}

    with Presence(leaves):
        await asyncio.sleep(0)
    await asyncio.sleep(2 * SOON)  # the watch would begin here
    assert not watched


async def test_who_has_left_before_the_watch_begins_is_noticed() -> None:
    async def has_left() -> dict[str, str]:
        return {"type": "http.disconnect"}

    presence = Presence(has_left)
    with pytest.raises(asyncio.CancelledError), presence:
        await asyncio.sleep(5)
    assert presence.explains_cancellation()
