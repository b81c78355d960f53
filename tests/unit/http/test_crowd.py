"""A worker that is full says so at once, with a number and when to come back."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.http.crowd import Crowd
from hub.http.problems import Problems
from hub.kernel.errors import Code, Problem
from hub.texts import Language, load_texts
from tests.graphql.conftest import call


async def test_the_one_too_many_is_told_to_come_back() -> None:
    inside, leave = asyncio.Event(), asyncio.Event()

    async def slow(_: Any, __: Any, send: Any) -> None:
        inside.set()
        await leave.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    texts = {language: load_texts(language) for language in Language}
    crowd = Crowd(slow, 1, Problems(texts).answer(Problem(Code.HUB_BUSY)))
    first = asyncio.create_task(call(crowd, "GET", "/", {}))
    await inside.wait()
    second = await call(crowd, "GET", "/", {})
    assert (second.status, second.body["code"]) == (503, "HUB-204")
    assert second.headers["retry-after"]
    leave.set()
    assert (await first).status == 200
    assert (await call(crowd, "GET", "/", {})).status == 200, "who has left makes room"
