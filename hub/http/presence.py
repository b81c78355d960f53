"""Whether the client is still there: when it goes away, the work on its answer is cancelled."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from starlette.types import Receive

SOON = 0.02
"""Seconds. Who is answered so soon has hardly gone away, and a watch would cost more than what is left."""


class Presence:
    """Watches the client of a request that was received whole (ASGI 3.0), while the block runs.

    The watch begins after ``SOON``, and notices also who has gone before. When the client goes away, the
    task that runs the block is cancelled; what follows the block is finished also for a client that has
    gone.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._has_left = False
        self._working: asyncio.Task[Any] | None = None
        self._due: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._working = asyncio.current_task(loop)
        self._due = loop.call_later(SOON, self._begin)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._due is not None:
            self._due.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def explains_cancellation(self) -> bool:
        """Whether the client's leaving alone cancelled the task; then it is cancelled no more."""
        return self._has_left and self._working is not None and self._working.uncancel() == 0

    def _begin(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        message = await self._receive()
        while message["type"] != "http.disconnect":
            message = await self._receive()
        self._has_left = True
        if self._working is not None:
            self._working.cancel()
