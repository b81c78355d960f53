"""Asking for more than the purpose allows refuses the whole request, however the question is written."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.graphql.conftest import PURPOSE, Counter
from tests.graphql.town import ACME, ANNA

OVER_ASKING = {
    "plainly": '{ person(idNumber: "%s") { name address } }' % ANNA,
    "by an alias": '{ person(idNumber: "%s") { name: address } }' % ANNA,
    "in a fragment": '{ person(idNumber: "%s") { ...F } } fragment F on Person { address }' % ANNA,
    "inline": '{ person(idNumber: "%s") { ... on Person { address } } }' % ANNA,
    "in a list": '{ people(idNumbers: ["%s"]) { address } }' % ANNA,
    "as an entity": (
        '{ _entities(representations: [{__typename: "Person", '
        'idNumber: "%s"}]) { ... on Person { address } } }'
    )
    % ANNA,
    "on a nested path": '{ business(uscc: "%s") { legalRepresentative { name } } }' % ACME,
    "through a relation": '{ person(idNumber: "%s") { name relations { role } } }' % ANNA,
    "as a claim": (
        '{ person(idNumber: "%s") { certificates(types: '
        '["physician_practice"]) { claims(names: ["category"]) { value } } } }'
    )
    % ANNA,
    "by existence alone": (
        '{ person(idNumber: "%s") { certificates(types: ["physician_practice"]) { __typename } } }'
    )
    % ANNA,
    "beside what is allowed": '{ a: person(idNumber: "%s") { name } b: person(idNumber: "%s") { sex } }'
    % (ANNA, ANNA),
}


@pytest.mark.parametrize("query", OVER_ASKING.values(), ids=OVER_ASKING.keys())
async def test_over_asking_refuses_the_whole_request(counter: Counter, query: str) -> None:
    reply = await counter.ask(query, client="kiosk")
    assert reply.status == 403
    assert reply.codes == ["HUB-144"]
    assert "data" not in reply.body
    assert counter.town.asked == []
    assert await counter.entries() == []


async def test_the_refusal_names_the_fields_of_the_catalogue(counter: Counter) -> None:
    reply = await counter.ask('{ person(idNumber: "%s") { name address birthDate } }' % ANNA, client="kiosk")
    message = reply.body["errors"][0]["message"]
    assert "person.address, person.birth_date" in message
    assert "person.name" not in message


async def test_what_skip_removes_is_not_asked(counter: Counter) -> None:
    query = (
        "query($id: ResidentIdNumber!, $no: Boolean!) { person(idNumber: "
        "$id) { name address @include(if: $no) sex @skip(if: true) } }"
    )
    reply = await counter.ask(query, {"id": ANNA, "no": False}, client="kiosk")
    assert reply.body["data"] == {"person": {"name": "安娜·阿依古丽"}}
    assert counter.town.police.asks[0].columns == ("name",)
    reply = await counter.ask(query, {"id": ANNA, "no": True}, client="kiosk")
    assert reply.codes == ["HUB-144"]


async def test_types_of_variables_count(counter: Counter) -> None:
    query = 'query($t: [String!]!) { person(idNumber: "%s") { certificates(types: $t) { number } } }' % ANNA
    assert (await counter.ask(query, {"t": ["sealed_will"]})).codes == ["HUB-311"]
    assert (await counter.ask(query, {"t": ["unheard_of"]})).codes == ["HUB-120"]
    assert (await counter.ask(query, {"t": ["person"]})).codes == ["HUB-120"]
    assert counter.town.asked == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"agency": None}, "HUB-140"),
        ({"case": None}, "HUB-140"),
        ({"officer": None}, "HUB-140"),
        ({"procedure": "no-such-procedure"}, "HUB-142"),
        ({"agency": "11100000000013338W"}, "HUB-143"),
        ({"case": f"办件{ANNA}"}, "HUB-141"),
    ],
)
async def test_a_purpose_that_does_not_hold_asks_nobody(
    counter: Counter, change: dict[str, str | None], code: str
) -> None:
    purpose = {part: text for part, text in (PURPOSE | change).items() if text is not None}
    reply = await counter.ask('{ person(idNumber: "%s") { name } }' % ANNA, purpose=purpose)
    assert reply.codes == [code]
    assert reply.status in (400, 403)
    assert counter.town.asked == []
    assert await counter.entries() == []


async def test_no_purpose_at_all(counter: Counter) -> None:
    reply = await counter.ask('{ person(idNumber: "%s") { name } }' % ANNA, purpose=None)
    assert (reply.status, reply.codes) == (400, ["HUB-140"])
    assert counter.town.asked == []


async def test_purpose_in_headers(counter: Counter) -> None:
    headers = {
        "hub-agency": PURPOSE["agency"],
        "hub-procedure": PURPOSE["procedure"],
        "hub-case": quote(PURPOSE["case"]),
        "hub-officer": "li.na",
    }
    reply = await counter.post(
        b'{"query": "{ person(idNumber: \\"%s\\") { name } }"}' % ANNA.encode(), headers
    )
    assert reply.body["data"] == {"person": {"name": "安娜·阿依古丽"}}


async def test_reading_the_contract_needs_the_right_and_no_purpose(counter: Counter) -> None:
    reply = await counter.ask("{ __schema { queryType { name } } }", purpose=None)
    assert reply.body == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
    for query in (
        "{ __schema { types { name } } }",
        '{ __type(name: "Person") { name } }',
        "{ _service { sdl } }",
    ):
        reply = await counter.ask(query, purpose=None, client="kiosk")
        assert (reply.status, reply.codes) == (403, ["HUB-145"])
