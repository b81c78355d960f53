"""The rows that compare requests a second at many connections: calls shared or not, sealed or not."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.contenders import ALONE, ALONE_APART, HUB, HUB_APART, UNSEALED_APART, UNSEALED_HUB, Contender
from tests.bench.equality import require_equal
from tests.bench.finding import Bound, Finding, Outcome
from tests.bench.measuring import Readings, measure
from tests.bench.question import bodies
from tests.bench.registration import purpose
from tests.bench.stage import Stage

SHARED = (
    ("calls shared ÷ not, executor", ALONE, ALONE_APART, Bound(3, is_most=False)),
    ("calls shared ÷ not, unsealed", UNSEALED_HUB, UNSEALED_APART, None),
    ("calls shared ÷ not, hub", HUB, HUB_APART, Bound(1.5, is_most=False)),
)
SEALED = (("requests/s, hub ÷ unsealed", HUB, UNSEALED_HUB, Bound(0.5, is_most=False)),)
SEALED_SIZES = (1, 20)

Pairs = Sequence[tuple[str, str, str, Bound | None]]


def coalescing(stage: Stage) -> Outcome:
    """What sharing calls among requests brings, N=1."""
    return _rated(stage, "coalescing", SHARED, (1,))


def sealed(stage: Stage) -> Outcome:
    """What seal and durable log leave of the requests a second."""
    return _rated(stage, "sealed", SEALED, [size for size in stage.plan.sizes if size in SEALED_SIZES])


def _rated(stage: Stage, row: str, pairs: Pairs, sizes: Sequence[int]) -> Outcome:
    names = list(dict.fromkeys(name for _, *both, _ in pairs for name in both))
    with stage.serving(names) as contenders:
        readings, amounts = stage.run(_measured(stage, contenders, sizes))
    findings = [
        Finding(row, what, f"N={size}", one[over].rate_times(one[under]), bound)
        for size, one in readings.items()
        for what, over, under, bound in pairs
    ]
    return Outcome(findings, readings, amounts)


async def _measured(
    stage: Stage, contenders: list[Contender], sizes: Sequence[int]
) -> tuple[Readings, dict[int, int]]:
    asked = {size: bodies(stage.city.people, size, purpose()) for size in sizes}
    amounts = {size: await require_equal(contenders, asked[size]) for size in sizes}
    return await measure(contenders, asked, stage.plan, stage.plan.many_connections, stage.tell), amounts
