"""A running demo hub, started as anyone starts it, for the tests of what newcomers are told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

START_SECONDS = 120
STOP_SECONDS = 20
PORTS_ABOVE = 14  # the demo's agencies listen above the hub's port


@dataclass(frozen=True, slots=True)
class DemoHub:
    """A running demo: its public address, its data folder, and what demo.json tells."""

    address: str
    data: Path
    sheet: Any


@pytest.fixture(scope="session")
def demo_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoHub]:
    """``hub demo`` in a process of its own, ready to answer."""
    data, port = tmp_path_factory.mktemp("demo"), _free_port()
    log = data / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "demo", "--port", str(port)],
            env={**os.environ, "HUB_DATA": str(data)}, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}/readyz", log)
        yield DemoHub(f"http://127.0.0.1:{port}", data, json.loads((data / "demo.json").read_bytes()))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail("the demo was not ready in time: " + log.read_text(errors="replace"))


def _free_port() -> int:
    """A port with free ones above it for the agencies."""
    for port in range(20_000 + os.getpid() % 20_000, 60_000, PORTS_ABOVE):
        if all(_is_free(port + above) for above in range(PORTS_ABOVE)):
            return port
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
