"""The server's processes: they share a port, are replaced, finish what they began, and end together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from hub.command.serve import bind
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import read_settings

ROOT = Path(__file__).parents[3]
Server = subprocess.Popen[bytes]
Start = Callable[[int], tuple[Server, int]]


def get(port: int, path: str = "/pid") -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.getheader("server") is None
        return answer.read().decode()
    finally:
        connection.close()


def eventually(check: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            if check():
                return
        except OSError:
            pass
        assert time.monotonic() < until, "it did not come to pass in time"
        time.sleep(0.05)


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return True
    return False


@pytest.fixture
def start() -> Iterator[Start]:
    servers: list[Server] = []

    def begin(workers: int) -> tuple[Server, int]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        environ = {**os.environ, "HUB_PORT": str(port), "HUB_WORKERS": str(workers)}
        command = [sys.executable, "-m", "tests.unit.command.still_app"]
        server = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
        servers.append(server)
        eventually(lambda: get(port) != "")
        return server, port

    yield begin
    for server in servers:
        server.kill()
        server.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_is_finished(start: Start, number: signal.Signals) -> None:
    server, port = start(1)
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(get(port, "/slow")))
    asking.start()
    time.sleep(0.3)
    server.send_signal(number)
    asking.join()
    assert answers == ["done"]
    assert server.wait(10) == 0


def test_workers_share_the_port_and_are_replaced(start: Start) -> None:
    server, port = start(2)
    seen: set[str] = set()

    def has_seen(count: int) -> bool:
        seen.add(get(port))
        return len(seen) == count

    eventually(lambda: has_seen(2))
    os.kill(int(min(seen)), signal.SIGKILL)
    eventually(lambda: has_seen(3))
    server.send_signal(signal.SIGTERM)
    server.wait(10)
    eventually(lambda: is_refused(port))


def test_workers_end_with_a_killed_parent(start: Start) -> None:
    server, port = start(2)
    server.kill()
    eventually(lambda: is_refused(port))


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HubError) as caught:
            bind(read_settings({"HUB_PORT": str(port)}))
    assert caught.value.problem.code is Code.SETTING_INVALID
    assert "HUB_PORT" in caught.value.problem.detail["setting"]
