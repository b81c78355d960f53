"""How many requests a worker answers at once; those beyond are told at once to come back."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Crowd:
    """An application that takes at most ``most`` requests at a time and gives ``refusal`` to the others."""

    def __init__(self, application: ASGIApp, most: int, refusal: Response) -> None:
        self._application = application
        self._most = most
        self._refusal = refusal
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the worker's life span, which nobody waits for."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if self._inside >= self._most:
            await self._refusal(scope, receive, send)
            return
        self._inside += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._inside -= 1
