"""Holds one immutable value read from the database, read again whenever its channel speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from hub.kernel.db import Database
from hub.kernel.log import get_log

Value = TypeVar("Value")
PAUSE_SECONDS = 0.5  # between attempts while the database is away


class Watched(Generic[Value]):
    """Readers take ``value``; it is swapped whole, so a reader never sees half a change."""

    def __init__(
        self,
        database: Database,
        channel: str,
        read: Callable[[], Awaitable[Value]],
        empty: Value,
        poll_seconds: float | None = None,
    ) -> None:
        """``poll_seconds``: after how long it is read again though the channel is silent; None: never."""
        self.value = empty
        self._database = database
        self._channel = channel
        self._read = read
        self._poll_seconds = poll_seconds
        self._stale = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listens, then reads, so that no change falls between. Raises HubError(STORE_UNAVAILABLE)."""
        await self._database.listen(self._channel, lambda _payload: self._stale.set())
        await self.refresh()
        self._reading = asyncio.create_task(self._keep_reading(), name=f"watch {self._channel}")

    async def refresh(self) -> None:
        """Reads now."""
        self.value = await self._read()

    async def stop(self) -> None:
        """Ends the watch; the last value stays."""
        if self._reading is None:
            return
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._reading = None

    async def _keep_reading(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._stale.wait()
            self._stale.clear()
            try:
                await self.refresh()
            except Exception:  # noqa: BLE001 a watch that ended here would serve its last value for ever
                get_log("hub.kernel.watch").warning("watch_unread", channel=self._channel, exc_info=True)
                self._stale.set()
                await asyncio.sleep(PAUSE_SECONDS)
