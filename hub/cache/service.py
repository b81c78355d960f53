"""Makes every worker forget what it keeps about a subject, when an agency says that it has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from connectors.cache import Cache
from hub.cache.model import CHANNEL, SCHEME
from hub.cache.store import CacheStore
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.log import get_log


def open_cache(most_bytes: int, pseudonyms: Pseudonyms, now: Callable[[], datetime]) -> Cache:
    """A worker's empty cache; ``now`` is the wall clock."""
    return Cache(most_bytes, partial(pseudonyms.of, SCHEME), now)


class CacheService:
    """Announces what is to be forgotten, and with a cache also hears it; identifiers never travel."""

    def __init__(self, store: CacheStore, pseudonyms: Pseudonyms, cache: Cache | None = None) -> None:
        self._store = store
        self._pseudonyms = pseudonyms
        self._cache = cache
        self._forgetting: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Follows announcements; whoever has missed some forgets everything."""
        await self._store.database.listen(CHANNEL, self._hear)

    async def stop(self) -> None:
        """Ends what is being forgotten."""
        for task in self._forgetting:
            task.cancel()
        await asyncio.gather(*self._forgetting, return_exceptions=True)

    async def forget(self, value: str) -> None:
        """Every worker forgets what it keeps under this identifier. Raises HubError(STORE_UNAVAILABLE)."""
        await self._store.announce(self._pseudonyms.of(SCHEME, value))

    def _hear(self, payload: str) -> None:
        if self._cache is None:
            return
        try:
            pseudonym = bytes.fromhex(payload)
        except ValueError:
            pseudonym = b""
        if not pseudonym:
            get_log().info("cache_cleared")
            self._cache.clear()
            return
        task = asyncio.create_task(self._cache.forget(pseudonym), name="forget")
        self._forgetting.add(task)
        task.add_done_callback(self._forgetting.discard)
