"""Keeps the demo's agencies running as processes, and stops, slows and breaks them when told to."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.demo.agencies.process import Mood, mood_file, read_mood
from hub.demo.control import LINE, reachable
from hub.demo.place import Place
from hub.kernel.errors import Code, HubError

READY_SECONDS = 20.0
POLL_SECONDS = 0.02
STOP_SECONDS = 3.0
STOPPED = "stopped"
MOODS = {"slow": Mood.SLOW, "break": Mood.BROKEN}


class Supervisor:
    """Starts the agencies, takes commands on the control socket, and ends every agency with itself.

    Entering does not wait: what else must start can do so meanwhile, before ``await_ready``.
    Raises HubError(DEMO_FAILED) when an agency does not come up.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._control: socketserver.UnixStreamServer | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        try:
            for name in self._place.ports:
                self._start(name)
            self._listen()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Takes no more commands and ends every agency."""
        if self._control is not None:
            self._control.shutdown()
            self._control.server_close()
            self._control = None
            self._place.control_socket.unlink(missing_ok=True)
        for child in self._children.values():
            child.terminate()
        for child in self._children.values():
            _end(child)
        self._children.clear()

    def await_ready(self) -> None:
        """Returns when every agency that was started answers (a second or two)."""
        for name in self._children:
            self._await_ready(name)

    def command(self, act: str, name: str) -> Mapping[str, str]:
        """Does ``stop``, ``start``, ``slow``, ``break`` or nothing (``status``); then tells every state."""
        with self._lock:
            if act != "status":
                self._do(act, name)
            return {agency: self._state(agency) for agency in self._place.ports}

    def _do(self, act: str, name: str) -> None:
        if name not in self._place.ports:
            raise HubError(Code.DEMO_FAILED, detail=f"the agencies are {', '.join(self._place.ports)}")
        if act == "stop":
            _end(self._children.pop(name, None))
            return
        if act != "start" and act not in MOODS:
            raise HubError(Code.DEMO_FAILED, detail="an agency can stop, start, slow or break")
        _write(mood_file(self._place.folder, name), MOODS.get(act, Mood.OK))
        if self._state(name) == STOPPED:
            self._start(name, MOODS.get(act, Mood.OK))
            self._await_ready(name)

    def _state(self, name: str) -> str:
        child = self._children.get(name)
        if child is None or child.poll() is not None:
            return STOPPED
        return read_mood(self._place.folder, name)

    def _start(self, name: str, mood: Mood = Mood.OK) -> None:
        place = self._place
        if _answers(place.ports[name]):
            raise HubError(Code.DEMO_FAILED, detail=f"port {place.ports[name]} is taken")
        _write(mood_file(place.folder, name), mood)
        # The parent-death signal hangs on the thread that starts the child: main, or the control thread.
        self._children[name] = subprocess.Popen(
            [sys.executable, "-m", f"hub.demo.agencies.{name}", "--folder", str(place.folder), "--port",
             str(place.ports[name]), "--parent", str(os.getpid()), "--secrets", str(place.secrets_file)],
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def _await_ready(self, name: str) -> None:
        until = time.monotonic() + READY_SECONDS
        while not _answers(self._place.ports[name]):
            if self._children[name].poll() is not None or time.monotonic() > until:
                raise HubError(Code.DEMO_FAILED, detail=f"the agency {name} does not start")
            time.sleep(POLL_SECONDS)

    def _listen(self) -> None:
        control = self._place.control_socket
        control.unlink(missing_ok=True)
        with reachable(control) as path:
            self._control = socketserver.UnixStreamServer(path, partial(_Command, self))
        control.chmod(0o600)
        threading.Thread(target=self._control.serve_forever, args=(0.1,), daemon=True).start()


class _Command(socketserver.StreamRequestHandler):
    timeout = 5

    def __init__(
        self,
        supervisor: Supervisor,
        request: socket.socket,
        client: object,
        server: socketserver.BaseServer,
    ) -> None:
        self._supervisor = supervisor
        super().__init__(request, client, server)

    def handle(self) -> None:
        self.wfile.write(json.dumps(self._answer()).encode() + b"\n")

    def _answer(self) -> Mapping[str, str]:
        try:
            asked = json.loads(self.rfile.readline(LINE))
            return self._supervisor.command(str(asked["act"]), str(asked["name"]))
        except HubError as error:
            return error.problem.detail
        except (ValueError, KeyError, TypeError, OSError):
            return {"detail": "the command is not readable"}


def _write(file: Path, mood: Mood) -> None:
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(mood, "ascii")
    fresh.replace(file)


def _answers(port: int) -> bool:
    with socket.socket() as wire:
        wire.settimeout(1)
        return wire.connect_ex(("127.0.0.1", port)) == 0


def _end(child: subprocess.Popen[bytes] | None) -> None:
    if child is None:
        return
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
