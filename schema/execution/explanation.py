"""Tells a prepared operation in words: grants, waves of calls, cost and the code that shapes the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hub.catalogue.model import FieldCode, RecordCode, Supply
from schema.cost import cost_of
from schema.execution.plan import Confirmed, Fetch, FromRoot, FromRows, Keys, Place, Plan
from schema.execution.prepare import Compiled, Ready

Supplies = Mapping[tuple[RecordCode, FieldCode], Supply]


def explained(ready: Ready, supplies: Supplies) -> str:
    """The whole explanation as text. Values of variables never stand in it, only how many keys there are."""
    parts = ["grants · 所需授权", *_grants(ready), ""]
    if ready.compiled is None:
        parts += ["no plan: the ordinary executor answers · 无执行计划：由通用执行器回答"]
    else:
        parts += [*_waves(ready, ready.compiled.plan, supplies)]
    parts += [f"cost · 成本: {cost_of(ready, supplies)}"]
    return "\n".join((*parts, *_code(ready.compiled))) + "\n"


def _grants(ready: Ready) -> Iterator[str]:
    for record, fields in ready.asked.question.fields.items():
        for field in sorted(fields):
            yield f"  {record}.{field}"


def _waves(ready: Ready, plan: Plan, supplies: Supplies) -> Iterator[str]:
    known = Keys(ready.named)
    for number, wave in enumerate(plan.waves):
        yield f"wave {number} · 第 {number + 1} 波"
        for fetch in wave:
            yield from _fetch(fetch, plan, known, supplies.get((fetch.record, fetch.key)))
        yield ""


def _fetch(fetch: Fetch, plan: Plan, known: Keys, supply: Supply | None) -> Iterator[str]:
    yield f"  fetch {fetch.index}: {_name(fetch, supply)}"
    yield f"    columns  {', '.join(fetch.columns)}"
    for place in fetch.places:
        yield f"    keys     {_feed(place, plan)}"
    yield f"    calls    {_calls(fetch, known, supply)}"


def _name(fetch: Fetch, supply: Supply | None) -> str:
    record = f"{fetch.record} by {fetch.key}"
    if supply is None:
        return f"{record}, which nobody supplies"
    return f"{record}, from {supply.connector} ({supply.offering.name})"


def _feed(place: Place, plan: Plan) -> str:
    match place.feed:
        case FromRoot(root, only):
            kind = f", those of type {only}" if only else ""
            return f"named by {plan.roots[root].response}{kind}"
        case FromRows(_, fetch, column, role):
            rows = f" where role is {role}" if role else ""
            return f"{column} in the rows of fetch {fetch.index}{rows}"
        case Confirmed(_, fetch):
            return f"those that fetch {fetch.index} has found, when the name given is theirs"


def _calls(fetch: Fetch, known: Keys, supply: Supply | None) -> str:
    if supply is None:
        return "none"
    batch = supply.offering.batch
    if all(isinstance(place.feed, FromRoot) for place in fetch.places):
        keys = len({subject for place in fetch.places for subject in known.of(place, {})})
        return f"{-(-keys // batch)} for {keys} keys, {batch} a call"
    return f"one for every {batch} distinct keys that no earlier wave has asked for"


def _code(compiled: Compiled | None) -> Sequence[str]:
    if compiled is None:
        return ()
    return ("", "code · 代码", *(f"  {line}" for line in compiled.source.splitlines()))
