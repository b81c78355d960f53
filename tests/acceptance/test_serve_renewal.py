"""On SIGHUP the workers of a busy port are renewed one by one; no request fails, new connections or old."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKERS = 2


@dataclass
class Server:
    """A hub's supervisor with workers around a tiny application, which refuses to start if ``spoilt``."""

    process: subprocess.Popen[bytes]
    port: int
    spoilt: Path

    def ask(self, path: str = "/pid") -> str:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            return ask_on(connection, path)
        finally:
            connection.close()

    def pids(self) -> set[str]:
        """The workers that answer new connections now."""
        return {self.ask() for _ in range(40)}

    def renew(self) -> None:
        self.process.send_signal(signal.SIGHUP)


@dataclass
class Crowd:
    """Threads that ask without a pause until told to stop, and count what did not succeed."""

    server: Server
    stop: threading.Event = field(default_factory=threading.Event)
    answers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def asking(self, kinds: Sequence[Callable[[], None]]) -> Iterator[None]:
        """While the block runs, however it ends."""
        threads = [threading.Thread(target=kind, daemon=True) for kind in kinds]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join(20)

    def with_new_connections(self) -> None:
        while not self.stop.is_set():
            self._count(self.server.ask)

    def with_one_connection(self) -> None:
        """As every client with keep-alive: a new one only after the server has said ``Connection: close``."""
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        while not self.stop.is_set():
            self._count(lambda: ask_on(connection))
            time.sleep(0.003)
        connection.close()

    def with_slow_requests(self) -> None:
        while not self.stop.is_set():
            self._count(lambda: self.server.ask("/slow"))

    def _count(self, ask: Callable[[], str]) -> None:
        try:
            self.answers.append(ask())
        except (OSError, HTTPException, AssertionError) as error:  # whatever went wrong is what this counts
            self.failures.append(repr(error))


def ask_on(connection: HTTPConnection, path: str = "/pid") -> str:
    connection.request("POST", path, body=b"{}")
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200, answer.status
    return text


def eventually(check: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it did not come to pass in time"
        time.sleep(0.05)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    spoilt = tmp_path / "spoilt"
    environ = {**os.environ, "HUB_PORT": str(port), "HUB_WORKERS": str(WORKERS), "STILL_SPOILT": str(spoilt)}
    process = subprocess.Popen([sys.executable, "-m", "tests.unit.command.still_app"], cwd=ROOT, env=environ)
    started = Server(process, port, spoilt)

    def answers() -> bool:
        try:
            return len(started.pids()) == WORKERS
        except OSError:
            return False

    try:
        eventually(answers)
        yield started
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_busy_port_loses_no_request_while_its_workers_are_renewed(server: Server) -> None:
    before = server.pids()
    crowd = Crowd(server)
    kinds = (
        [crowd.with_new_connections] * 3 + [crowd.with_one_connection] * 4 + [crowd.with_slow_requests] * 2
    )
    with crowd.asking(kinds):
        time.sleep(0.3)
        server.renew()
        eventually(lambda: len(server.pids() - before) == WORKERS)
        between = server.pids()
        server.renew()
        eventually(lambda: not server.pids() & between)
    assert crowd.failures == []
    assert len(crowd.answers) > 200
    assert before | between <= set(crowd.answers)


def test_an_idle_connection_survives_the_renewal_and_is_then_sent_on(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    first = ask_on(connection)
    server.renew()
    eventually(lambda: len(server.pids() - {first}) == WORKERS)
    time.sleep(1)
    connection.request("POST", "/pid", body=b"{}")
    answer = connection.getresponse()
    assert answer.read().decode() == first
    assert answer.getheader("connection") == "close"
    assert ask_on(connection) != first
    connection.close()
    eventually(lambda: not Path(f"/proc/{first}").exists())


def test_workers_that_cannot_start_leave_the_old_ones_serving(server: Server) -> None:
    before = server.pids()
    server.spoilt.touch()
    server.renew()
    time.sleep(3)
    assert server.pids() == before
    server.spoilt.unlink()
    server.renew()
    eventually(lambda: len(server.pids() - before) == WORKERS)


def test_connections_that_wait_for_a_killed_worker_are_answered_by_the_next(server: Server) -> None:
    before = server.pids()
    victim = min(before)
    os.kill(int(victim), signal.SIGSTOP)  # its place's queue fills
    crowd = Crowd(server)
    threads = [threading.Thread(target=lambda: crowd._count(server.ask)) for _ in range(12)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    waiting = sum(thread.is_alive() for thread in threads)
    os.kill(int(victim), signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert waiting
    assert crowd.failures == []
    assert set(crowd.answers) - before
