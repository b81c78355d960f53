"""Counts the requests of one worker by route, status and the number of the error that refused them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter
from starlette.types import Message, Scope, Send

from hub.http.problems import ERROR_HEADER

HEADER = ERROR_HEADER.lower().encode()
ELSEWHERE = "other"
"""The route of a request that fits none: a path may hold anything, and labels must stay few."""


class Requests:
    """The counter of one process, once a registry; ``code`` is empty for requests that were not refused."""

    def __init__(self, registry: CollectorRegistry, direct: frozenset[str]) -> None:
        """``direct``: paths that are answered without the router, which else says what the route is."""
        self._direct = direct
        self._count = Counter(
            "hub_requests", "Requests by what came of them.", ("route", "status", "code"), registry=registry
        )
        self._known: dict[tuple[str, int, bytes], Counter] = {}  # as many as there are labels

    def counting(self, scope: Scope, send: Send) -> Send:
        """Sends one request's answer and counts it when it begins."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(scope, message)
            await send(message)

        return counted

    def _add(self, scope: Scope, start: Message) -> None:
        code = dict(start.get("headers", ())).get(HEADER, b"")
        path, status = scope["path"], start["status"]
        route = path if path in self._direct else getattr(scope.get("route"), "path", ELSEWHERE)
        known = self._known.get((route, status, code))
        if known is None:
            known = self._count.labels(route, str(status), code.decode())
            self._known[route, status, code] = known
        known.inc()
