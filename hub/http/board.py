"""Which agencies answer right now, as the start page shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from hub.catalogue.model import Label
from hub.kernel.clock import Clock
from hub.kernel.errors import Code, HubError

FRESH_SECONDS = 5.0  # anyone may open the start page: agencies are not asked more often than this


@dataclass(frozen=True, slots=True)
class AgencyState:
    """An agency, and the numbered error that asking it would meet right now (None: it answers)."""

    name: Label
    code: Code | None


ReadAgencies = Callable[[], Awaitable[Sequence[AgencyState]]]


class AgencyBoard:
    """The state of the agencies, read at most once in FRESH_SECONDS however many look."""

    def __init__(self, clock: Clock, read: ReadAgencies) -> None:
        self._clock = clock
        self._read = read
        self._reading = asyncio.Lock()
        self._states: Sequence[AgencyState] | None = None
        self._until = float("-inf")

    async def states(self) -> Sequence[AgencyState] | None:
        """The agencies in the order in which they are read, or None when their state cannot be told."""
        async with self._reading:
            if self._clock.monotonic() >= self._until:
                self._states = await self._read_now()
                self._until = self._clock.monotonic() + FRESH_SECONDS
            return self._states

    async def _read_now(self) -> Sequence[AgencyState] | None:
        try:
            return await self._read()
        except HubError:
            return None
