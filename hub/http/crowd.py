"""How many requests a worker answers at once; those beyond are told at once to come back."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.kernel.errors import Code, HubError

MOST_WAITING_BYTES = 64_000_000


class Crowd:
    """An application that works on at most ``most`` requests with a body at a time.

    A request counts from the moment when its body is whole: who sends slowly takes no place. What is
    still on its way is bounded in bytes, all requests together. Probes and pages read no body and
    always get in. The one too many meets HubError(HUB_BUSY) when it reads.
    """

    def __init__(self, application: ASGIApp, most: int) -> None:
        self._application = application
        self._most = most
        self._inside = 0
        self._waiting = 0  # bytes of bodies that are not whole yet, or are being worked on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the worker's life span, which nobody waits for."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        visit = _Visit(self, receive)
        try:
            await self._application(scope, visit.receive, send)
        finally:
            visit.leave()

    def carry(self, count: int) -> None:
        """Takes bytes of a body in; raises HubError(HUB_BUSY) when there are too many."""
        self._waiting += count
        if self._waiting > MOST_WAITING_BYTES:
            raise HubError(Code.HUB_BUSY)

    def enter(self) -> None:
        """A whole request; raises HubError(HUB_BUSY) when there is no place."""
        if self._inside >= self._most:
            raise HubError(Code.HUB_BUSY)
        self._inside += 1

    def leave(self, carried: int, *, entered: bool) -> None:
        """The request is over."""
        self._waiting -= carried
        self._inside -= entered


class _Visit:
    """One request's way through the crowd."""

    def __init__(self, crowd: Crowd, receive: Receive) -> None:
        self._crowd = crowd
        self._receive = receive
        self._carried = 0
        self._entered = False

    async def receive(self) -> Message:
        """The next message of the request."""
        message = await self._receive()
        if message["type"] == "http.request" and not self._entered:
            count = len(message.get("body", b""))
            self._carried += count
            self._crowd.carry(count)
            if not message.get("more_body", False):
                self._crowd.enter()
                self._entered = True
        return message

    def leave(self) -> None:
        """Gives place and bytes back."""
        self._crowd.leave(self._carried, entered=self._entered)
