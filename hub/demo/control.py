"""Carries commands to a running demo's supervisor over its private socket: one line each way."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.kernel.errors import Code, HubError

LINE = 4096
SECONDS = 20.0


def ask(control: Path, act: str, name: str = "") -> dict[str, str]:
    """Sends a command; the state of every agency by name. Raises HubError(DEMO_FAILED) with a ``detail``."""
    try:
        with reachable(control) as path, socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(SECONDS)
            wire.connect(path)
            wire.sendall(json.dumps({"act": act, "name": name}).encode() + b"\n")
            answer = json.loads(wire.makefile("rb").readline(LINE))
    except (OSError, ValueError) as error:
        raise HubError(Code.DEMO_FAILED, detail="no demo is running on this data folder") from error
    if "detail" in answer:
        raise HubError(Code.DEMO_FAILED, detail=answer["detail"])
    return {str(agency): str(state) for agency, state in answer.items()}


@contextmanager
def reachable(control: Path) -> Iterator[str]:
    """A path for the socket that is short enough however deep the folder lies (unix(7): 107 bytes)."""
    folder = os.open(control.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{control.name}" if Path("/proc/self/fd").exists() else str(control)
    finally:
        os.close(folder)
