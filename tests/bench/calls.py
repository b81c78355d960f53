"""The row that counts, at the agencies, the calls of one cold request against what its waves come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.bench.city import CERTIFICATES, City
from tests.bench.contenders import HUB_BATCHED, Contender
from tests.bench.finding import Bound, Finding, Outcome
from tests.bench.places import BATCH
from tests.bench.question import QUERY, body_of
from tests.bench.registration import purpose
from tests.bench.stage import Stage

USCC, REPRESENTATIVE = 0, 4  # columns of the businesses


def count(stage: Stage) -> Outcome:
    """Each size asked of a hub that knows nothing yet, then again: from its memory, with no call."""
    findings, detail = [], {}
    for size in stage.plan.sizes:
        asked = stage.city.people[:size]
        with stage.serving([HUB_BATCHED]) as (hub,):
            stage.calls()
            cold, warm = _asked(stage, hub, asked), _asked(stage, hub, asked)
        most = expected(stage.city, asked, BATCH)
        detail[f"N={size}"] = {"cold": cold, "expected": most, "again": warm}
        findings += [
            Finding("calls", "upstream calls, cold", f"N={size}", cold.total(), Bound(most.total()), ".0f"),
            Finding("calls", "upstream calls, again", f"N={size}", warm.total(), Bound(0), ".0f"),
        ]
    return Outcome(findings, detail=detail)


def _asked(stage: Stage, hub: Contender, people: Sequence[str]) -> Counter[str]:
    body = body_of(QUERY, people, purpose())
    stage.run(hub.answers([body]))
    return Counter({path.rpartition("/")[2]: calls for path, calls in stage.calls().items()})


def expected(city: City, people: Sequence[str], batch: int) -> Counter[str]:
    """Σ ⌈keys ÷ batch⌉ over every wave's offerings, by offering."""
    asked = set(people)
    owned = {str(uscc) for person, uscc, *_ in city.lines["business_role"] if person in asked}
    businesses = [line for line in city.lines["business"] if line[USCC] in owned]
    missing = {str(line[REPRESENTATIVE]) for line in businesses} - asked
    first = {offering: len(asked) for offering in ("person", "business_role", *CERTIFICATES)}
    waves = (first, {"business": len(owned), "licence": len(owned)}, {"person": len(missing)})
    calls: Counter[str] = Counter()
    for wave in waves:
        calls.update({offering: -(-keys // batch) for offering, keys in wave.items()})
    return calls
