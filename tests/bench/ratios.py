"""The rows that compare server time per request: two contenders each, all in the same interleaved rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.contenders import (
    ALONE,
    ALONE_HTTP,
    CACHED,
    FLOOR,
    FLOOR_HTTP,
    HUB,
    STRAWBERRY,
    UNSEALED_HUB,
    Contender,
)
from tests.bench.equality import require_equal
from tests.bench.finding import Bound, Finding, Outcome
from tests.bench.measuring import Readings, measure
from tests.bench.question import bodies
from tests.bench.registration import purpose
from tests.bench.stage import Stage


@dataclass(frozen=True, slots=True)
class Ratio:
    """One contender's server time over another's, with a bound by size; ``beside``: shown, not bound."""

    what: str
    over: str
    under: str
    bounds: Mapping[int, Bound]
    beside: tuple[str, ...] = ()


RATIOS = {
    "hub": Ratio(
        "hub ÷ floor",
        HUB,
        FLOOR,
        {1: Bound(2.8, 2.5), 20: Bound(2.3, 1.8), 200: Bound(2.0, 1.4)},
        (UNSEALED_HUB,),
    ),
    "executor": Ratio(
        "executor alone ÷ floor", ALONE, FLOOR, {1: Bound(1.15), 20: Bound(1.1), 200: Bound(1.15)}
    ),
    "http": Ratio(
        "executor ÷ floor, both over HTTP",
        ALONE_HTTP,
        FLOOR_HTTP,
        {1: Bound(1.3), 20: Bound(1.3), 200: Bound(1.3)},
    ),
    "strawberry": Ratio(
        "strawberry ÷ hub",
        STRAWBERRY,
        HUB,
        {1: Bound(8, is_most=False), 20: Bound(12, is_most=False), 200: Bound(15, is_most=False)},
    ),
    "cache": Ratio(
        "hub from its cache ÷ floor",
        CACHED,
        FLOOR,
        {1: Bound(1.5, 1.3), 20: Bound(0.8, 0.7), 200: Bound(0.7, 0.5)},
    ),
}


def compare(stage: Stage, rows: Sequence[str]) -> Outcome:
    """Measures these rows together. Raises AnswersDifferError before anything is timed."""
    with stage.serving(_names(rows)) as contenders:
        readings, sizes = stage.run(_measured(stage, contenders))
    return Outcome([one for row in rows for one in _findings(row, readings)], readings, sizes)


def _names(rows: Sequence[str]) -> list[str]:
    taking = [name for row in rows for name in (RATIOS[row].over, RATIOS[row].under, *RATIOS[row].beside)]
    return list(dict.fromkeys(taking))


async def _measured(stage: Stage, contenders: list[Contender]) -> tuple[Readings, dict[int, int]]:
    asked = {size: bodies(stage.city.people, size, purpose()) for size in stage.plan.sizes}
    sizes = {size: await require_equal(contenders, asked[size]) for size in stage.plan.sizes}
    for one in contenders:
        if one.name == CACHED:
            await one.answers([body for of in asked.values() for body in of])
    return await measure(contenders, asked, stage.plan, stage.plan.connections, stage.tell), sizes


def _findings(row: str, readings: Readings) -> list[Finding]:
    ratio = RATIOS[row]
    return [
        Finding(row, ratio.what, f"N={size}", one[ratio.over].times(one[ratio.under]), ratio.bounds.get(size))
        for size, one in readings.items()
    ]
