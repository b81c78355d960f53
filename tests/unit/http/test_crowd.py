"""A worker that is full says so at once, and who sends slowly takes nobody's place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.http import crowd as crowds
from hub.http.bodies import read_body
from hub.http.crowd import Crowd
from hub.http.problems import Problems
from hub.kernel.errors import HubError
from hub.texts import Language, load_texts
from tests.graphql.conftest import call


class House:
    """An application in which work takes until it is let go, behind a crowd of one."""

    def __init__(self) -> None:
        self.at_work, self.go = asyncio.Event(), asyncio.Event()
        problems = Problems({language: load_texts(language) for language in Language})

        async def work(request: Request) -> Response:
            body = await read_body(request.receive, 1_000)
            self.at_work.set()
            await self.go.wait()
            return PlainTextResponse(f"{body!r}")

        async def probe(_: Request) -> Response:
            return PlainTextResponse("ok")

        def refused(_: Request, error: Exception) -> Response:
            assert isinstance(error, HubError)
            return problems.answer(error.problem)

        routes = [Route("/work", work, methods=["POST"]), Route("/healthz", probe)]
        self.crowd = Crowd(Starlette(routes=routes, exception_handlers={HubError: refused}), 1)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A house, emptied at the end."""
    made = House()
    yield made
    made.go.set()


async def test_the_one_too_many_is_told_to_come_back_and_probes_get_in(house: House) -> None:
    first = asyncio.create_task(call(house.crowd, "POST", "/work", {}, b"1"))
    await house.at_work.wait()
    second = await call(house.crowd, "POST", "/work", {}, b"2")
    assert (second.status, second.body["code"]) == (503, "HUB-204")
    assert second.headers["retry-after"]
    assert (await call(house.crowd, "GET", "/healthz", {})).status == 200
    house.go.set()
    assert (await first).status == 200
    assert (await call(house.crowd, "POST", "/work", {}, b"3")).status == 200, "who has left makes room"


async def _half_sent(crowd: Crowd, parts: list[bytes]) -> Any:
    never = asyncio.Event()
    scope = {"type": "http", "method": "POST", "path": "/work", "headers": [], "query_string": b""}

    async def receive() -> dict[str, Any]:
        if parts:
            return {"type": "http.request", "body": parts.pop(0), "more_body": True}
        await never.wait()
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        pass

    await crowd(scope, receive, send)


async def test_who_sends_slowly_takes_no_place(house: House) -> None:
    slow = [asyncio.create_task(_half_sent(house.crowd, [b"x"])) for _ in range(50)]
    await asyncio.sleep(0)
    house.go.set()
    assert (await call(house.crowd, "POST", "/work", {}, b"1")).status == 200
    for one in slow:
        one.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_bodies_on_their_way_are_bounded_together(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowds, "MOST_WAITING_BYTES", 100)
    slow = asyncio.create_task(_half_sent(house.crowd, [b"x" * 90]))
    await asyncio.sleep(0.01)
    refused = await call(house.crowd, "POST", "/work", {}, b"y" * 20)
    assert (refused.status, refused.body["code"]) == (503, "HUB-204")
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)
    house.go.set()
    assert (await call(house.crowd, "POST", "/work", {}, b"y" * 20)).status == 200
