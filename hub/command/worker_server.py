"""The HTTP server of one worker: says when it is ready, and leaves without a request lost when relieved."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import threading
from multiprocessing.connection import Connection

import uvicorn

READY = b"ready"
RELIEVED = b"relieved"
ALLOCATIONS_BETWEEN_COLLECTIONS = 20_000
CLOSE = (b"connection", b"close")
SETTLING_SECONDS = 0.3  # a connection accepted just before is among the others by then


class WorkerServer(uvicorn.Server):
    """Uvicorn's server, linked to a supervisor where there is one.

    When relieved it accepts no more, answers each next request with ``Connection: close``, and ends when
    no connection is left. It closes no idle connection earlier than the keep-alive time does: a request
    may be on its way on it.
    """

    def __init__(self, config: uvicorn.Config, link: Connection | None, stay: float) -> None:
        """``stay``: seconds after being relieved when it ends whoever is still connected."""
        super().__init__(config)
        self._link = link
        self._stay = stay
        self._relieved_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then tells the supervisor."""
        await super().startup(sockets)
        settle_memory()
        if self._link is not None:
            self._link.send_bytes(READY)
            heeding = (self._link, asyncio.get_running_loop())
            threading.Thread(target=self._heed, args=heeding, name="supervisor", daemon=True).start()

    async def on_tick(self, counter: int) -> bool:
        """Whether to end now."""
        return await super().on_tick(counter) or self._has_finished()

    def relieve(self) -> None:
        """Another worker has taken this one's place."""
        self._relieved_at = asyncio.get_running_loop().time()
        for server in self.servers:
            server.close()
        self.config.encoded_headers.append(CLOSE)
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        for connection in self.server_state.connections:
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_started:
                cycle.keep_alive = False

    def _has_finished(self) -> bool:
        if self._relieved_at is None:
            return False
        gone = asyncio.get_running_loop().time() - self._relieved_at
        return gone > self._stay or (gone > SETTLING_SECONDS and not self.server_state.connections)

    def _heed(self, link: Connection, loop: asyncio.AbstractEventLoop) -> None:
        """Waits for the supervisor's word; a supervisor that is gone takes its workers with it."""
        try:
            while link.recv_bytes() == RELIEVED:
                loop.call_soon_threadsafe(self.relieve)
        except (EOFError, OSError):
            os.kill(os.getpid(), signal.SIGTERM)


def settle_memory() -> None:
    """What is loaded by now stays for good; the garbage collector looks at the rest, and less often.

    Measured on the approval join of ``tests/bench`` for 1, 20 and 200 people: left alone the collector takes
    7, 11 and 19 % of a worker's time and stops it for 88 ms at the longest; frozen 3, 6 and 9 % and 18 ms;
    with this threshold too, 0.4, 0.3 and 4 %. Requests leave few cycles, so nothing piles up meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
