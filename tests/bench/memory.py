"""The row that weighs a worker while it answers very many requests of every kind."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.bench.city import City
from tests.bench.contenders import HUB, JSON, Contender
from tests.bench.finding import Bound, Finding, Outcome
from tests.bench.load import Line
from tests.bench.question import DIFFERENT, PATH, bodies, body_of, post
from tests.bench.registration import purpose
from tests.bench.servers import Server
from tests.bench.stage import Stage

MOST_MB, MOST_GROWTH_MB = 180, 5
NAMED = "query Q($id: ResidentIdNumber!) { %s: person(idNumber: $id) { name } }"
KINDS = {  # kind of request: how many of a thousand
    "one person": 885,
    "20 people": 50,
    "200 people": 5,
    "a document never seen before": 20,
    "no GraphQL": 15,
    "an unknown field": 10,
    "a wrong ID number": 10,
    "no token": 5,
}
STATUSES = {200, 400, 401, 422}  # of answers, with the refusals that the mix provokes


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
            headers = JSON if kind == "no token" else self._headers
            yield post(PATH, self._body(kind, number), headers)

    def _body(self, kind: str, number: int) -> bytes:
        person = self._people[number % len(self._people)]
        match kind:
            case "20 people" | "200 people":
                return self._sized[int(kind.split(maxsplit=1)[0])][number % DIFFERENT]
            case "a document never seen before":
                return body_of(NAMED % f"a{number}", person, purpose(), "id")
            case "no GraphQL":
                return body_of("{ person(", person, purpose(), "id")
            case "an unknown field":
                return body_of("{ nothing%d }" % number, person, purpose(), "id")
            case "a wrong ID number":
                return body_of(NAMED % "a", str(number), purpose(), "id")
            case _:
                return self._sized[1][number % DIFFERENT]


def weigh(stage: Stage) -> Outcome:
    """The worker's memory at the end, and what it grew by after everything that is made once was made."""
    statuses: Counter[int] = Counter()
    with stage.serving([HUB]) as (hub,):
        weights = stage.run(_weigh(stage, hub, statuses))
    last, early = weights[-1][1], dict(weights)[min(stage.plan.early_requests, weights[-1][0])]
    if set(statuses) - STATUSES:
        raise RuntimeError(f"answers of an unexpected kind: {dict(statuses)}")
    of = f"{stage.plan.mixed_requests:,}"
    return Outcome(
        [
            Finding("memory", "worker's memory, MB", of, last, Bound(MOST_MB), ".1f"),
            Finding(
                "memory",
                f"growth after {stage.plan.early_requests:,}, MB",
                of,
                last - early,
                Bound(MOST_GROWTH_MB),
                ".1f",
            ),
        ],
        detail={"weights_mb": weights, "answers_by_status": dict(sorted(statuses.items()))},
    )


async def _weigh(stage: Stage, hub: Contender, statuses: Counter[int]) -> list[tuple[int, float]]:
    """Requests answered so far and the worker's memory in MB, a dozen times on the way."""
    count = stage.plan.mixed_requests
    requests = Mix(stage.city, hub.headers).requests(count)
    step = max(count // 10, 1)
    marks = sorted({0, min(stage.plan.early_requests, count), *range(step, count, step), count})
    weights = [(0, resident_mb(hub.server))]
    for before, mark in itertools.pairwise(marks):
        stage.tell(f"mixed requests, {mark:,}/{count:,}")
        part = iter([next(requests) for _ in range(mark - before)])
        askers = (_send(hub.server.port, part, statuses) for _ in range(stage.plan.many_connections))
        await asyncio.gather(*askers)
        weights.append((mark, resident_mb(hub.server)))
    return weights


async def _send(port: int, requests: Iterator[bytes], statuses: Counter[int]) -> None:
    line = Line(port)
    for request in requests:
        status, _ = await line.ask(request)
        statuses[status] += 1
    line.close()


def resident_mb(server: Server) -> float:
    """Resident memory of the worker, the heaviest of the server's processes."""
    return max(map(_resident, server.numbers())) / 1024


def _resident(number: int) -> int:
    status = Path(f"/proc/{number}/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
