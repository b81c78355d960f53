"""Puts the routes of one worker together: GraphQL, tokens, keys, health and the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.http.crowd import Crowd
from hub.http.health import health_routes
from hub.http.keys import key_routes
from hub.http.measured import Requests
from hub.http.pages import OpenSession, routes
from hub.http.problems import Problems
from hub.http.tokens import token_routes
from hub.http.whoami import Sources, whoami_routes
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.log import get_log
from hub.kernel.settings import Settings
from hub.texts import Language, Texts, load_texts
from hub.wiring import Hub, open_hub
from schema.descriptions import OPENAPI_PATH, SCHEMA_PATH, Descriptions
from schema.endpoint import GRAPHQL_PATH, NAMED_PATH, GraphQLEndpoint, NamedEndpoint
from schema.reception import Bounds, Reception

Demo = Callable[[Hub], OpenSession]
STATUS_CODES = {404: Code.ROUTE_UNKNOWN, 405: Code.METHOD_NOT_ALLOWED}


def create(settings: Settings, demo: Demo | None = None) -> ASGIApp:
    """The application of one worker; ``demo`` opens the sessions of the demo's GraphiQL page."""
    registry = CollectorRegistry()
    hub = open_hub(settings, registry)
    inside = application(hub, registry, demo and demo(hub))
    return Crowd(inside, settings.max_requests)


def application(hub: Hub, registry: CollectorRegistry, session: OpenSession | None = None) -> ASGIApp:
    """The routes over a hub, which starts and stops with the application."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with hub.running():
            yield

    texts = {language: load_texts(language) for language in Language}
    settings = hub.settings
    reception = _reception(hub, texts)
    descriptions = Descriptions(reception, texts, settings.issuer)
    rest = Starlette(
        routes=[
            Route(NAMED_PATH, NamedEndpoint(reception)),
            Route(SCHEMA_PATH, descriptions.schema),
            Route(OPENAPI_PATH, descriptions.openapi),
            *token_routes(hub.clients, texts, settings.issuer, settings.read_timeout_seconds),
            *whoami_routes(_sources(hub), texts),
            *key_routes(hub.keyring, settings.issuer),
            *health_routes(hub.checks(), registry),
            *routes(hub.clock, hub.agencies, session),
        ],
        lifespan=lifespan,
        exception_handlers=_handlers(texts),
    )
    requests = Requests(registry, frozenset({GRAPHQL_PATH}))
    return Front(GRAPHQL_PATH, GraphQLEndpoint(reception), rest, requests)


class Front:
    """Counts requests, and leads the one busy path straight to its application, past every router."""

    def __init__(self, path: str, busy: ASGIApp, rest: ASGIApp, requests: Requests) -> None:
        self._path = path
        self._busy = busy
        self._rest = rest
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the worker's life span."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        inside = self._busy if scope["path"] == self._path else self._rest
        await inside(scope, receive, self._requests.counting(scope, send))


def _sources(hub: Hub) -> Sources:
    return Sources(
        hub.clients,
        hub.procedures,
        hub.grants,
        hub.quotas,
        hub.catalogue,
        hub.clock,
        hub.settings.cost_limit,
    )


def _reception(hub: Hub, texts: Mapping[Language, Texts]) -> Reception:
    settings = hub.settings
    bounds = Bounds(settings.max_body_bytes, settings.cost_limit, settings.trusted_documents_only)
    return Reception(
        hub.answering, hub.clients, hub.procedures, hub.documents, texts, bounds, hub.quotas, hub.tracing
    )


def _handlers(
    texts: Mapping[Language, Texts],
) -> dict[type[Exception], Callable[[Request, Exception], Response]]:
    problems = Problems(texts)

    def answer(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
        return problems.answer(
            problem, accept_language=request.headers.get("accept-language"), headers=headers
        )

    def refused(request: Request, error: Exception) -> Response:
        return answer(request, error.problem if isinstance(error, HubError) else Problem(Code.INTERNAL))

    def misdirected(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        return answer(request, Problem(STATUS_CODES.get(status, Code.INTERNAL)), headers)

    def broken(request: Request, error: Exception) -> Response:
        pattern = getattr(request.scope.get("route"), "path", None)  # never what a caller chooses
        get_log("hub.http").error("request_failed", route=pattern, exc_info=error)
        return answer(request, Problem(Code.INTERNAL))

    return {HubError: refused, HTTPException: misdirected, Exception: broken}
