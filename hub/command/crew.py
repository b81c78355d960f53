"""Keeps a worker process in each place behind the port, and renews them without losing a request."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.context import SpawnProcess

from hub.command.worker_server import RELIEVED
from hub.kernel.log import get_log

REPLACEMENT_PAUSE_SECONDS = 1.0
START_SECONDS = 60.0
Body = Callable[[socket.socket, Connection], None]
"""What a worker process does: it is given its listening socket and the link to its supervisor."""


class Member:
    """One worker process, and the link on which it says that it is ready and is told to leave."""

    def __init__(self, place: int, listening: socket.socket, body: Body) -> None:
        self.place = place
        self.link, theirs = Pipe()
        self.process: SpawnProcess = get_context("spawn").Process(
            target=body, args=(listening, theirs), daemon=True
        )
        self.process.start()
        self.latest_start = time.monotonic() + START_SECONDS
        theirs.close()

    def is_ready(self) -> bool:
        """Whether it listens; False too when it has ended before."""
        with suppress(EOFError, OSError):
            return self.link.poll() and bool(self.link.recv_bytes())
        return False

    def relieve(self) -> None:
        """Takes no more connections, and ends when those it has are done."""
        with suppress(OSError):
            self.link.send_bytes(RELIEVED)

    def is_overdue(self) -> bool:
        """Whether it should have been ready by now."""
        return time.monotonic() > self.latest_start


class Crew:
    """The workers of one port. Each place has a listening socket that outlives its workers.

    The supervisor holds the sockets open. So the connections that wait in one are never reset: the next
    worker of the place accepts them. In a renewal the new worker of a place listens before the old one
    stops, and a worker that does not get ready leaves the old ones where they are.
    """

    def __init__(self, listening: Sequence[socket.socket], body: Body, farewell: float) -> None:
        """``farewell``: seconds that workers have to finish what they began when all is ended."""
        self._listening = listening
        self._body = body
        self._farewell = farewell
        self._serving: list[Member] = []
        self._leaving: list[Member] = []
        self._coming: Member | None = None
        self._due: deque[int] = deque()
        self._bell, self._rope = Pipe(duplex=False)
        self._pause = threading.Event()

    def renew_on(self, number: signal.Signals) -> None:
        """Renews every worker, one after the other, whenever this process gets the signal."""
        signal.signal(number, lambda *_: self._rope.send_bytes(b"renew"))

    def keep(self) -> None:
        """Serves until an exception, such as KeyboardInterrupt, ends it."""
        try:
            for place in range(len(self._listening)):
                self._serving.append(self._hire(place))
            while True:
                self._wait()
                self._hear()
                self._welcome()
                self._replace()
                self._next()
        finally:
            self._dismiss()

    def _wait(self) -> None:
        ends = [member.process.sentinel for member in (*self._serving, *self._leaving)]
        if self._coming is None:
            wait([self._bell, *ends])
        else:
            wait([self._bell, *ends, self._coming.process.sentinel, self._coming.link], START_SECONDS)

    def _hear(self) -> None:
        if self._bell.poll():
            self._bell.recv_bytes()
            self._due = deque(range(len(self._listening)))
            get_log(__name__).info("renewal_begun", count=len(self._due))

    def _welcome(self) -> None:
        new = self._coming
        if new is None:
            return
        if new.is_ready():
            old, self._serving[new.place], self._coming = self._serving[new.place], new, None
            old.relieve()
            self._leaving.append(old)
            get_log(__name__).info("worker_renewed", pid=new.process.pid, worker=new.place)
        elif new.is_overdue() or not new.process.is_alive():
            get_log(__name__).error("renewal_given_up", pid=new.process.pid, status=new.process.exitcode)
            new.process.kill()
            self._coming = None
            self._due.clear()

    def _replace(self) -> None:
        self._leaving = [member for member in self._leaving if member.process.is_alive()]
        ended = [member for member in self._serving if not member.process.is_alive()]
        if ended:
            self._pause.wait(REPLACEMENT_PAUSE_SECONDS)  # what cannot start must not keep the machine busy
        for member in ended:
            status = member.process.exitcode
            get_log(__name__).error("worker_ended", pid=member.process.pid, status=status)
            self._serving[member.place] = self._hire(member.place)

    def _next(self) -> None:
        if self._coming is None and self._due:
            self._coming = self._hire(self._due.popleft())

    def _hire(self, place: int) -> Member:
        return Member(place, self._listening[place], self._body)

    def _dismiss(self) -> None:
        everybody = [*self._serving, *self._leaving, *([self._coming] if self._coming else [])]
        for listening in self._listening:
            listening.close()
        for member in everybody:
            member.process.terminate()
        until = time.monotonic() + self._farewell
        for member in everybody:
            member.process.join(max(until - time.monotonic(), 0.0))
