"""Hears PostgreSQL's notifications on a connection of its own, and reconnects when that is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

PROBE_SECONDS = 10.0  # a dead peer that sent no FIN is noticed after this long
RETRY_SECONDS = 0.2
LOSSES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, EOFError)


class Listener:
    """Calls back for every notification; one connection, made when the first channel is added."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._connect = connect
        self._heard: dict[str, list[Callable[[str], None]]] = {}
        self._connection: asyncpg.Connection | None = None
        self._lost = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._adding = asyncio.Lock()

    async def add(self, channel: str, heard: Callable[[str], None]) -> None:
        """Start to hear a channel: at once when PostgreSQL answers, else as soon as it does."""
        async with self._adding:
            self._heard.setdefault(channel, []).append(heard)
            with suppress(*LOSSES):
                await self._hear(channel)
            if self._keeper is None:
                self._keeper = asyncio.create_task(self._keep())

    async def _hear(self, channel: str) -> None:
        if self._keeper is None:
            await self._reconnect()
        elif self._connection is not None:
            await self._connection.add_listener(channel, self._dispatch)

    async def close(self) -> None:
        """Stop hearing."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        self._drop()

    async def _keep(self) -> None:
        while True:
            if self._connection is None:
                await self._return()
            else:
                await self._watch(self._connection)

    async def _return(self) -> None:
        await asyncio.sleep(RETRY_SECONDS)
        try:
            await self._reconnect()
        except LOSSES:
            self._drop()
            return
        for channel in self._heard:
            self._tell(channel, "")

    async def _watch(self, connection: asyncpg.Connection) -> None:
        try:
            await asyncio.wait_for(self._lost.wait(), PROBE_SECONDS)
        except TimeoutError:
            with suppress(*LOSSES):
                await connection.execute("select 1", timeout=PROBE_SECONDS)
                return
        self._drop()

    async def _reconnect(self) -> None:
        connection = await self._connect()
        self._lost.clear()
        connection.add_termination_listener(self._on_loss)
        self._connection = connection
        for channel in self._heard:
            await connection.add_listener(channel, self._dispatch)

    def _on_loss(self, connection: object) -> None:
        if connection is self._connection:
            self._lost.set()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def _dispatch(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        self._tell(channel, str(payload))

    def _tell(self, channel: str, payload: str) -> None:
        for heard in self._heard.get(channel, ()):
            heard(payload)
