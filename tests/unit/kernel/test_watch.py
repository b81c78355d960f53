"""A watched value follows its channel, outlives failed readings, and is never half new."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from hub.kernel import watch
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError
from hub.kernel.watch import Watched


class Channel:
    """Stands for a database that only notifies."""

    def __init__(self) -> None:
        self.tell: Callable[[str], None] = lambda _payload: None

    async def listen(self, channel: str, heard: Callable[[str], None]) -> None:
        assert channel == "things"
        self.tell = heard


class Source:
    """Gives what it holds next; an exception is raised."""

    def __init__(self, *states: Any) -> None:
        self.states = list(states)

    async def read(self) -> str:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return str(state)


def watched(channel: Channel, source: Source) -> Watched[str]:
    return Watched(cast("Database", channel), "things", source.read, "nothing")


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_value_is_read_at_the_start_and_after_each_notification() -> None:
    channel = Channel()
    things = watched(channel, Source("one", "two", "three"))
    assert things.value == "nothing"
    await things.start()
    assert things.value == "one"
    for expected in ("two", "three"):
        channel.tell("")
        await settled()
        assert things.value == expected
    await things.stop()


async def test_a_failed_reading_keeps_the_value_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PAUSE_SECONDS", 0)
    channel = Channel()
    away, broken = HubError(Code.STORE_UNAVAILABLE), RuntimeError("unforeseen")
    things = watched(channel, Source("one", away, broken, "two"))
    await things.start()
    channel.tell("")
    async with asyncio.timeout(1):
        while True:
            if things.value == "two":
                break
            assert things.value == "one"
            await asyncio.sleep(0)
    await things.stop()


async def test_a_start_without_the_store_says_so() -> None:
    things = watched(Channel(), Source(HubError(Code.STORE_UNAVAILABLE)))
    with pytest.raises(HubError):
        await things.start()
    assert things.value == "nothing"
    await things.stop()


async def test_a_stopped_watch_follows_no_more() -> None:
    channel = Channel()
    things = watched(channel, Source("one", "two"))
    await things.start()
    await things.stop()
    channel.tell("")
    await settled()
    assert things.value == "one"
