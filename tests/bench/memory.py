"""``python -m tests.bench.memory``: what a worker weighs while it answers 100,000 requests of every kind."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from hub.kernel.log import configure_logging
from tests.bench.bench import _prepared
from tests.bench.city import City, draw
from tests.bench.contenders import HUB, MODULES, _authorization
from tests.bench.question import PATH, bodies, post
from tests.bench.registration import purpose
from tests.bench.servers import Server, free_port, running
from tests.bench.sources import free_host, postgres

PEOPLE = 2_000
CONNECTIONS = 8
EARLY = 10_000  # by then everything that is made once is made
MOST_MB, MOST_GROWTH_MB = 180, 5
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
KINDS = {  # kind of request: how many of a hundred
    "one person": 60,
    "20 people": 24,
    "200 people": 3,
    "a document never seen before": 7,
    "no GraphQL": 2,
    "an unknown field": 2,
    "a wrong ID number": 1,
    "no token": 1,
}


class Mix:
    """Requests of every kind, the same ones in every run."""

    def __init__(self, city: City, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._people = city.people
        self._sized = {size: bodies(city.people, size, purpose()) for size in (1, 20, 200)}

    def requests(self, count: int) -> Iterator[bytes]:
        """``count`` whole HTTP requests."""
        chance = random.Random(20261122)
        kinds, weights = list(KINDS), list(KINDS.values())
        for number, kind in enumerate(chance.choices(kinds, weights, k=count)):
            body = self._body(kind, number)
            headers = {"Content-Type": "application/json"} if kind == "no token" else self._headers
            yield post(PATH, body, headers)

    def _body(self, kind: str, number: int) -> bytes:
        person = self._people[number % len(self._people)]
        match kind:
            case "20 people" | "200 people":
                return self._sized[int(kind.split(maxsplit=1)[0])][number % 64]
            case "a document never seen before":
                return _asked(
                    f"query Q($id: ResidentIdNumber!) {{ a{number}: person(idNumber: $id) {{ name }} }}",
                    person,
                )
            case "no GraphQL":
                return _asked("{ person(", person)
            case "an unknown field":
                return _asked(f"{{ nothing{number} }}", person)
            case "a wrong ID number":
                return _asked(
                    "query Q($id: ResidentIdNumber!) { person(idNumber: $id) { name } }", f"{number}"
                )
            case _:
                return self._sized[1][number % 64]


def _asked(query: str, person: str) -> bytes:
    return msgspec.json.encode(
        {"query": query, "variables": {"id": person}, "extensions": {"purpose": purpose()}}
    )


async def send(port: int, requests: Iterator[bytes], statuses: Counter[str]) -> None:
    """Sends requests on one connection, each after the answer before it, and counts the answers' statuses."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        found = LENGTH.search(head)
        await reader.readexactly(int(found[1]) if found else 0)
        statuses[head[9:12].decode("ascii")] += 1
        if b"connection: close" in head.lower():
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    writer.close()


def resident_mb(server: Server) -> float:
    """Resident memory of the worker, the heaviest of the server's processes."""
    numbers = [server.process.pid]
    for number in numbers:
        for children in Path(f"/proc/{number}/task").glob("*/children"):
            numbers += map(int, children.read_text("ascii").split())
    return max(map(_resident, numbers)) / 1024


def _resident(number: int) -> int:
    status = Path(f"/proc/{number}/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


async def weigh(
    server: Server, requests: Iterator[bytes], count: int, statuses: Counter[str]
) -> list[tuple[int, float]]:
    """Requests answered so far and the worker's memory in MB, a dozen times on the way."""
    marks = sorted({0, min(EARLY, count), *range(count // 10, count + 1, max(count // 10, 1))})
    weights = [(0, resident_mb(server))]
    for before, mark in itertools.pairwise(marks):
        part = iter([next(requests) for _ in range(mark - before)])
        await asyncio.gather(*(send(server.port, part, statuses) for _ in range(CONNECTIONS)))
        weights.append((mark, resident_mb(server)))
    return weights


def run(count: int, statuses: Counter[str]) -> list[tuple[int, float]]:
    """The memory of one worker of a hub over the bench's city and sources."""
    city, host = draw(PEOPLE), free_host()
    with tempfile.TemporaryDirectory(prefix="memory-") as name:
        folder, port = Path(name), free_port()
        with postgres(folder / "postgres", host) as database:
            environment, _, secret = _prepared(database, host, city, folder)
            surroundings = environment | {"HUB_PORT": str(port), "HUB_TOKEN_SECONDS": "3600"}
            with running(MODULES[HUB], surroundings, port, folder / "log") as server:
                server.await_answer()
                headers = {"Content-Type": "application/json", **asyncio.run(_authorization(server, secret))}
                return asyncio.run(weigh(server, Mix(city, headers).requests(count), count, statuses))


def show(weights: Sequence[tuple[int, float]], console: Console) -> None:
    """The weights, and the two figures that have a bound."""
    table = Table("requests", "MB")
    for answered, weight in weights:
        table.add_row(f"{answered:,}", f"{weight:.1f}")
    console.print(table)
    early = dict(weights).get(EARLY, weights[0][1])
    last = weights[-1][1]
    console.print(f"worker {last:.1f} MB (bound {MOST_MB} plus the configured cache)")
    console.print(f"growth after request {EARLY:,}: {last - early:+.1f} MB (bound {MOST_GROWTH_MB})")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    given = parser.parse_args()
    configure_logging("warning")
    statuses: Counter[str] = Counter()
    weights = run(given.requests, statuses)
    console = Console()
    show(weights, console)
    console.print("answers by HTTP status:", dict(sorted(statuses.items())))


if __name__ == "__main__":
    main()
