"""The row that registers every connector anew, again and again, while requests go on."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.bench import places
from tests.bench.contenders import HUB_HTTP, Contender
from tests.bench.finding import Bound, Finding, Outcome
from tests.bench.load import MISTAKES, Line
from tests.bench.measuring import quantile
from tests.bench.question import bodies
from tests.bench.registration import connect, purpose
from tests.bench.stage import Stage


@dataclass(slots=True)
class Tally:
    """What came of the requests; seconds."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0


def exchange(stage: Stage) -> Outcome:
    """Failed requests over several swaps; each swap must have reached the agencies under its own path."""
    with stage.serving([HUB_HTTP]) as (hub,):
        stage.calls()
        tally = stage.run(_under_load(stage, hub))
        seen = {path.split("/")[1] for path in stage.calls()}
    wanted = {str(version) for version in range(1, stage.plan.swaps + 2)}
    of = str(stage.plan.swaps)
    answers = len(tally.latencies)
    return Outcome(
        [
            Finding("swap", "failed requests", of, tally.failed, Bound(0), ".0f"),
            Finding("swap", "swaps that no agency saw", of, len(wanted - seen), Bound(0), ".0f"),
        ],
        detail={"answers": answers, "p99_ms": quantile(tally.latencies, 0.99) * 1e3},
    )


async def _under_load(stage: Stage, hub: Contender) -> Tally:
    plan, place = stage.plan, stage.place(places.HTTP)
    questions = bodies(stage.city.people, 1, purpose())
    tally, supply = Tally(), itertools.cycle([hub.request(body) for body in questions])
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(plan.connections):
            group.create_task(_ask(hub, supply, ended, tally))
        for swap in range(plan.swaps):
            await asyncio.sleep(plan.swap_seconds)
            stage.tell(f"connectors swapped under load, {swap + 1}/{plan.swaps}")
            await connect(place.settings, replace(place.supply, version=swap + 2))
        await asyncio.sleep(plan.swap_seconds)
        ended.set()
    return tally


async def _ask(hub: Contender, supply: Iterator[bytes], ended: asyncio.Event, tally: Tally) -> None:
    line = Line(hub.server.port)
    while not ended.is_set():
        sent = time.perf_counter()
        try:
            status, body = await line.ask(next(supply))
        except (OSError, EOFError):
            status, body = 0, b""
            line.close()
        if status != 200 or MISTAKES in body:
            tally.failed += 1
        tally.latencies.append(time.perf_counter() - sent)
    line.close()
