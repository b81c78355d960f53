"""The shape of every wrapper: a connector around another."""

from __future__ import annotations

from collections.abc import Awaitable

from connectors.contract import Answer, Ask, Connector, Fault, Offering


class Wrapper:
    """A connector around another that changes nothing but what it overrides."""

    def __init__(self, inner: Connector) -> None:
        self._inner = inner

    def describe(self) -> tuple[Offering, ...]:
        """As the inner connector."""
        return self._inner.describe()

    async def health(self, deadline: float) -> Fault | None:
        """As the inner connector."""
        return await self._inner.health(deadline)

    def fetch(self, ask: Ask) -> Awaitable[Answer]:
        """As the inner connector."""
        return self._inner.fetch(ask)

    async def close(self) -> None:
        """As the inner connector."""
        await self._inner.close()
