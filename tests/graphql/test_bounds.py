"""One answer is bounded; what asks no fact needs no agency; plans keep the variables of requests apart."""

from __future__ import annotations

from typing import Any

import pytest

from schema import budget
from schema.execution.prepare import Plans
from schema.execution.waves import Waves
from tests.graphql.conftest import Counter
from tests.graphql.test_plans import _unplanned
from tests.graphql.town import ACME, ANNA, BEN

WIDE = '{ business(uscc: "%s") { people { name sex address relations { role since } } } }' % ACME


@pytest.mark.parametrize("planned", [True, False])
async def test_an_answer_with_too_many_values_is_refused_whole(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, planned: bool
) -> None:
    for module in ("schema.budget", "schema.execution.shape"):
        monkeypatch.setattr(f"{module}.MOST_VALUES", 12)
    reply = await (counter.ask(WIDE) if planned else _reply_unplanned(counter))
    assert (reply.status, reply.codes) == (400, ["HUB-114"])
    assert "data" not in reply.body
    assert (await counter.entries())[-1]["result"] == "failed"


async def _reply_unplanned(counter: Counter) -> Any:
    async def refuse(*_: Any) -> Any:
        raise ValueError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Waves, "answer", refuse)
        return await counter.ask(WIDE)


async def test_within_the_bound_it_is_answered(counter: Counter) -> None:
    assert (await counter.ask(WIDE)).status == 200


async def test_more_errors_than_one_answer_may_tell(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MOST_ERRORS", 1)
    query = (
        '{ person(idNumber: "%s") { certificates(types: ["ship_registration"]) '
        '{ number } a: certificates(types: ["ship_registration"]) { number } } }'
    )
    assert (await counter.ask(query % ANNA)).codes == ["HUB-114"]


NO_FACTS: dict[str, tuple[str, Any]] = {
    "a type name": ('{ person(idNumber: "%s") { __typename } }' % ANNA, {"person": {"__typename": "Person"}}),
    "an entity's type name": (
        '{ _entities(representations: [{__typename: "Business", uscc: "%s"}]) { __typename } }' % ACME,
        {"_entities": [{"__typename": "Business"}]},
    ),
    "no types": (
        '{ person(idNumber: "%s") { certificates(types: []) { number } } }' % ANNA,
        {"person": {"certificates": []}},
    ),
}


@pytest.mark.parametrize(("query", "data"), NO_FACTS.values(), ids=NO_FACTS.keys())
async def test_what_asks_no_fact_asks_no_agency(counter: Counter, query: str, data: Any) -> None:
    reply = await counter.ask(query)
    assert reply.body == {"data": data}
    assert counter.town.asked == []
    assert await counter.entries() == []


async def test_representations_of_odd_types_are_refused(counter: Counter) -> None:
    query = "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
    for odd in ({"__typename": ["x"]}, {"__typename": {}}, {"__typename": None}, [], 5):
        assert (await counter.ask(query, {"r": [odd]})).codes[0] in ("HUB-125", "HUB-113")


PAIRS = [
    (
        'query($n: String = "本杰明") { person(idNumber: "%s", name: $n) { sex } }' % BEN,
        [{}, {"n": None}, {"n": "本杰明"}],
    ),
    (
        (
            'query($d: Date = "2026-11-22") { business(uscc: "%s") { '
            'certificates(types: ["drug_business_licence"], validOn: $d) { number } } }'
        )
        % ACME,
        [{}, {"d": None}, {"d": "2040-01-01"}],
    ),
    (
        (
            'query($t: [String!] = ["physician_practice"]) { '
            'person(idNumber: "%s") { certificates(types: $t) { number } } }'
        )
        % ANNA,
        [{}, {"t": ["drug_business_licence"]}, {"t": []}, {"t": "physician_practice"}],
    ),
]


@pytest.mark.parametrize(("query", "sets"), PAIRS)
async def test_a_kept_plan_answers_as_a_fresh_one(
    counter: Counter, query: str, sets: list[dict[str, Any]]
) -> None:
    for first in sets:
        for second in sets:
            await counter.ask(query, first)
            kept = (await counter.ask(query, second)).body
            fresh = await _unplanned(counter, query, second)
            assert kept["data"] == fresh["data"]


async def test_an_agencys_key_that_is_none_is_never_passed_on(counter: Counter) -> None:
    row = dict(counter.town.market.rows["business_by_uscc"][ACME][0], legal_representative="110101")
    counter.town.market.rows["business_by_uscc"] = {ACME: [row]}
    reply = await counter.ask('{ business(uscc: "%s") { name legalRepresentative { name } } }' % ACME)
    assert reply.body["data"]["business"]["name"] == "淄博安康药店"
    assert reply.codes == ["HUB-302"]
    assert counter.town.police.asks == []


class _Sized:
    def __init__(self, size: int) -> None:
        self.compiled = self
        self.source = "x" * size


def test_plans_are_bounded_by_their_size() -> None:
    plans = Plans(most=100)
    owner: Any = object()
    for number in range(50):
        kept: Any = _Sized(10)
        plans.put(owner, number, kept)
        plans.get(owner, 0)
    assert plans.kept.weight == 100
    assert plans.get(owner, 0) is not None, "what is used stays"
    assert plans.get(owner, 1) is None
