"""Requests are counted by route, status and error number, and by nothing that a client can choose."""

from __future__ import annotations

from contextlib import suppress

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hub.http.measured import Requests
from hub.http.problems import Problems
from hub.kernel.errors import Code, Problem
from hub.texts import Language, load_texts
from tests.web.asking import get


def refused(_: Request) -> Response:
    problems = Problems({language: load_texts(language) for language in Language})
    return problems.answer(Problem(Code.TOKEN_MISSING))


def fine(_: Request) -> Response:
    return PlainTextResponse("fine")


def broken(_: Request) -> Response:
    raise RuntimeError("broken")


async def counted(*paths: str) -> dict[tuple[str, str, str], float]:
    registry = CollectorRegistry()
    routes = [Route("/of/{name}", fine), Route("/refused", refused), Route("/broken", broken)]
    requests = Requests(registry, frozenset({"/direct"}))
    inside = Starlette(routes=[*routes, Route("/direct", fine)])

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await inside(scope, receive, requests.counting(scope, send))

    for path in paths:
        with suppress(RuntimeError):
            await get(application, path)
    return {
        (sample.labels["route"], sample.labels["status"], sample.labels["code"]): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "hub_requests_total"
    }


async def test_a_route_is_counted_by_its_form() -> None:
    assert await counted("/of/370323198112135921", "/of/b?x=1") == {("/of/{name}", "200", ""): 2}


async def test_a_refusal_is_counted_by_its_number() -> None:
    assert await counted("/refused", "/direct") == {
        ("/refused", "401", "HUB-130"): 1,
        ("/direct", "200", ""): 1,
    }


async def test_an_unknown_path_makes_no_label() -> None:
    assert await counted("/370323198112135921", "/x", "/x/y") == {("other", "404", ""): 3}


async def test_a_failure_is_counted_once() -> None:
    assert await counted("/broken") == {("/broken", "500", ""): 1}
