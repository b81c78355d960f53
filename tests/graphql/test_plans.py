"""A planned operation answers as the ordinary executor does, with no more calls than the plan says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from schema.execution.run import Run
from schema.execution.waves import Waves
from tests.graphql.conftest import Counter
from tests.graphql.test_one_question import JOIN
from tests.graphql.town import ACME, ANNA, BEN, DOWN, NOBODY

MANY = """
query Many($ids: [ResidentIdNumber!]!, $day: Date, $with: Boolean = true) {
  people(idNumbers: $ids) {
    __typename id: idNumber ...Who @include(if: $with) sex @skip(if: $with)
    source { agency { code name en: name(language: EN) } asOf }
    certificates(types: ["physician_practice", "drug_business_licence"], validOn: $day) {
      __typename id ...Licence ... on PhysicianPractice { category }
      holder { scheme number name __typename } issuer { code }
      type { code standard name(language: EN) }
      claims(names: ["category", "scope", "number"]) { name label value values }
    }
    relations { __typename role since person { name } business { uscc } source { connector } }
    businesses { ...Firm }
  }
}
fragment Who on Person { name birthDate region { code name } ...More }
fragment More on Person { birthDate address deceased underInvestigation ethnicity }
fragment Licence on Certificate { number issuedOn validFrom validUntil status }
fragment Firm on Business {
  name registeredCapital { amount currency __typename } established scope legalForm status
  legalRepresentative { name businesses(role: SHAREHOLDER) { name } }
  people(role: MANAGER) { idNumber name }
  certificates(types: ["drug_business_licence"]) {
    ... on DrugBusinessLicence { scope manager capital { amount } grade { code name(language: EN) } }
  }
}
"""
ENTITIES = """
query E($r: [_Any!]!) { _entities(representations: $r) {
  __typename ... on Person { name certificates(types: ["physician_practice"]) { number } }
  ... on Business { uscc status people { name } } } }
"""
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "join": (JOIN, {"id": ANNA, "types": ["drug_business_licence"]}),
    "join of no types": (JOIN, {"id": ANNA, "types": []}),
    "many": (MANY, {"ids": [ANNA, NOBODY, BEN, ANNA]}),
    "many on a day": (MANY, {"ids": [ANNA, BEN], "day": "2031-01-01", "with": False}),
    "entities": (
        ENTITIES,
        {"r": [{"__typename": "Business", "uscc": ACME}, {"__typename": "Person", "idNumber": ANNA}]},
    ),
    "a name that is right": (
        '{ person(idNumber: "%s", name: "本杰明") { sex businesses { name } } }' % BEN,
        {},
    ),
    "two aliases": (
        '{ a: person(idNumber: "%s") { name businesses { name } } b: person(idNumber: "%s") { sex name } '
        'c: business(uscc: "%s") { status } }' % (ANNA, BEN, ACME),
        {},
    ),
    "nobody": ('{ person(idNumber: "%s") { name relations { role business { name } } } }' % NOBODY, {}),
}


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Counts who went through the ordinary executor."""
    seen: list[bool] = []
    original = Run.ordinarily

    async def counting(self: Run, context: Any) -> Any:
        seen.append(True)
        return await original(self, context)

    monkeypatch.setattr(Run, "ordinarily", counting)
    return iter([seen])


async def _unplanned(counter: Counter, query: str, variables: dict[str, Any]) -> Any:
    async def refuse(*_: Any) -> Any:
        raise ValueError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Waves, "answer", refuse)
        return (await counter.ask(query, variables)).body


@pytest.mark.parametrize(("query", "variables"), CASES.values(), ids=CASES.keys())
async def test_equal_to_the_ordinary_executor(
    counter: Counter, ordinary: Iterator[list[bool]], query: str, variables: dict[str, Any]
) -> None:
    seen = next(ordinary)
    planned = (await counter.ask(query, variables)).body
    assert seen == [], "the plan gave up"
    unplanned = await _unplanned(counter, query, variables)
    assert seen == [True]
    assert _timeless(planned["data"]) == _timeless(unplanned["data"])
    assert list(_keys(planned["data"])) == list(_keys(unplanned["data"])), "the order of fields counts"
    assert "errors" not in planned
    assert "errors" not in unplanned


@pytest.mark.parametrize("desk", ["police", "market", "store"])
async def test_equal_when_an_agency_is_down_and_asked_no_more_than_once(counter: Counter, desk: str) -> None:
    counter.town.desks[desk].fault = DOWN
    variables = {"ids": [ANNA, BEN]}
    planned = (await counter.ask(MANY, variables)).body
    asks = [(ask.offering, ask.keys) for ask in counter.town.asked]
    assert len(asks) == len(set(asks)), "nothing is asked twice"
    unplanned = await _unplanned(counter, MANY, variables)
    assert _timeless(planned["data"]) == _timeless(unplanned["data"])
    assert _places(planned) == _places(unplanned)
    assert planned["errors"]


async def test_a_child_keyed_by_its_parents_key_starts_with_the_parent(counter: Counter) -> None:
    order: list[str] = []

    async def note(ask: Any) -> None:
        order.append(ask.offering)

    for desk in counter.town.desks.values():
        desk.before = note
    await counter.ask(JOIN, {"id": ANNA, "types": ["drug_business_licence"]})
    first = {"person_by_id_number", "physician_practice_by_holder", "business_role_by_person_id"}
    assert set(order[:3]) == first
    assert set(order[3:5]) == {"business_by_uscc", "drug_business_licence_by_holder"}
    assert order[5:] == [], "the legal representative is she herself"


def _timeless(data: Any) -> Any:
    if isinstance(data, dict):
        return {
            name: _timeless(value) for name, value in data.items() if name not in ("fetchedAt", "expiresAt")
        }
    return [_timeless(one) for one in data] if isinstance(data, list) else data


def _keys(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield name
            yield from _keys(value)
    elif isinstance(data, list):
        for one in data:
            yield from _keys(one)


def _places(body: Any) -> set[tuple[str, str]]:
    return {(str(error["path"]), error["extensions"]["code"]) for error in body["errors"]}
