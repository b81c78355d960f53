"""What workers tell each other about facts in memory."""

from __future__ import annotations

from hub.cache.model import CHANNEL
from hub.kernel.db import Database, load_statements

STATEMENTS = load_statements("hub.cache")


class CacheStore:
    """Speaks on the channel of the cache; every worker hears it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def announce(self, pseudonym: bytes) -> None:
        """Raises HubError(STORE_UNAVAILABLE)."""
        await self.database.execute(STATEMENTS["announce"], CHANNEL, pseudonym.hex())
