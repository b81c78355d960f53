"""The row with very many connections, of which half meet an agency that has become slow."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from tests.bench.contenders import HUB_HTTP, Contender
from tests.bench.finding import Bound, Finding, Outcome
from tests.bench.load import MISTAKES, Line, UnexpectedAnswerError, mistakes
from tests.bench.measuring import quantile
from tests.bench.plan import Plan
from tests.bench.question import CERTIFIED, EMPLOYED, body_of
from tests.bench.registration import purpose
from tests.bench.stage import Stage

SLOW = ("business_role", "business")


@dataclass(slots=True)
class Waits:
    """How long answers took, in seconds: of those who need the slow agency, and of all others."""

    needing: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)


def endure(stage: Stage) -> Outcome:
    """The others' 99th percentile while one agency is slow over the same in calm."""
    plan = stage.plan
    with stage.serving([HUB_HTTP]) as (hub,):
        stage.tell(f"{plan.crowd} connections, calm")
        calm = stage.run(_crowd(stage, hub))
        stage.slow_down(SLOW, plan.agency_seconds)
        stage.tell(f"{plan.crowd} connections, one agency slow")
        try:
            slow = stage.run(_crowd(stage, hub))
        finally:
            stage.slow_down(SLOW, 0.0)
    if min(slow.needing) < plan.agency_seconds:
        raise UnexpectedAnswerError("the slow agency was not slow")
    before, after = quantile(calm.others, 0.99), quantile(slow.others, 0.99)
    of = f"{plan.crowd:,}"
    return Outcome(
        [Finding("crowd", "p99 of others, slow ÷ calm", of, after / before, Bound(2))],
        detail={
            "calm_p99_ms": before * 1e3,
            "slow_p99_ms": after * 1e3,
            "slow_agency_p50_ms": quantile(slow.needing, 0.5) * 1e3,
            "answers": [len(calm.others), len(slow.others)],
        },
    )


async def _crowd(stage: Stage, hub: Contender) -> Waits:
    plan, people, waits = stage.plan, stage.city.people, Waits()
    lines = [Line(hub.server.port) for _ in range(plan.crowd)]
    for line in lines:
        await line.open()
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, line in enumerate(lines):
            query, heard = (EMPLOYED, waits.needing) if number % 2 else (CERTIFIED, waits.others)
            body = body_of(query, [people[number % len(people)]], purpose())
            at = start + plan.pace * number / plan.crowd
            group.create_task(_one(line, hub.request(body), at, plan, heard))
    return waits


async def _one(line: Line, request: bytes, start: float, plan: Plan, heard: list[float]) -> None:
    for turn in range(plan.paces):
        await asyncio.sleep(max(0.0, start + turn * plan.pace - time.perf_counter()))
        sent = time.perf_counter()
        status, body = await line.ask(request)
        if status != 200 or MISTAKES in body:
            raise UnexpectedAnswerError(f"status {status}; {mistakes(body)}")
        heard.append(time.perf_counter() - sent)
    line.close()
