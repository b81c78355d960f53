"""Runs each contender as a process, pins it to the servers' core, and reads what that process has used."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.02
LAST_WORDS = 2000  # characters
PROBE = b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"  # any answer will do
PROCESS_CLOCK = 2  # CPUCLOCK_SCHED of clock_getcpuclockid(3): run time of all threads, in nanoseconds


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core the server in turn has, and which one load and PostgreSQL share."""

    server: int
    load: int

    @staticmethod
    def of_machine() -> Cores:
        """The last and the first core that this process may use; they are the same where it has only one."""
        usable = sorted(os.sched_getaffinity(0))
        return Cores(usable[-1], usable[0])

    @property
    def is_apart(self) -> bool:
        """Whether the server's core is nobody else's."""
        return self.server != self.load


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """This thread, and all that it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Server:
    """A running contender: the process that was started, and those that it has started itself."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def await_answer(self) -> None:
        """Returns when it answers HTTP, whatever it says; raises RuntimeError with its last words."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            with suppress(OSError), closing(socket.create_connection(("127.0.0.1", self.port), 5)) as probe:
                probe.settimeout(START_SECONDS)
                probe.sendall(PROBE)
                if probe.recv(1):
                    return
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f"a contender does not answer: {self.last_words()}")

    def last_words(self) -> str:
        """The end of what it has printed."""
        return self.log.read_text("utf-8", "replace")[-LAST_WORDS:]

    def pin(self, core: int) -> None:
        """Keeps all its threads, and those they will start, on one core."""
        for number in self.numbers():
            for thread in Path(f"/proc/{number}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})

    def seconds(self) -> float:
        """Processor time that its processes have used since they began, by their own accounts."""
        return sum(time.clock_gettime((~number << 3) | PROCESS_CLOCK) for number in self.numbers())

    def peaks_kib(self) -> list[int]:
        """The most memory each process ever had resident (VmHWM of proc_pid_status(5)), the largest first."""
        return sorted(map(_peak, self.numbers()), reverse=True)

    def numbers(self) -> list[int]:
        """The ids of its processes, first of the one that was started."""
        numbers = [self.process.pid]
        for number in numbers:
            for children in Path(f"/proc/{number}/task").glob("*/children"):
                numbers += map(int, children.read_text("ascii").split())
        return numbers


def _peak(number: int) -> int:
    status = Path(f"/proc/{number}/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], port: int, log: Path, folder: Path = ROOT
) -> Iterator[Server]:
    """A program in a folder while the block runs; what it prints goes to ``log``."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**_surroundings(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield Server(process, port, log)
    finally:
        _end(process)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _surroundings() -> dict[str, str]:
    """This process's environment without settings of a hub."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
