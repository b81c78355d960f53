"""The five outcomes keep apart, and one agency's outage leaves the others' answers standing."""

from __future__ import annotations

from connectors.contract import Fault, Outcome
from tests.graphql.conftest import Counter
from tests.graphql.town import ACME, ANNA, DOWN, MARKET, NOBODY, POLICE


async def test_absent_is_null_without_an_error(counter: Counter) -> None:
    reply = await counter.ask('{ person(idNumber: "%s") { name } }' % NOBODY)
    assert reply.body["data"] == {"person": None}
    assert "errors" not in reply.body


async def test_when_the_base_agency_is_down_other_agencies_fields_answer(counter: Counter) -> None:
    counter.town.police.fault = DOWN
    reply = await counter.ask(
        '{ person(idNumber: "%s") { idNumber name certificates(types: ["physician_practice"]) { number } } }'
        % ANNA
    )
    assert reply.status == 200
    assert reply.body["data"]["person"] == {
        "idNumber": ANNA,
        "name": None,
        "certificates": [{"number": "鲁P1"}],
    }
    (error,) = reply.body["errors"]
    assert error["path"] == ["person", "name"]
    assert error["extensions"]["code"] == "HUB-211"
    assert error["extensions"]["outcome"] == "unavailable"
    assert error["extensions"]["agency"] == POLICE.code
    assert error["extensions"]["correlation"] == "c-1"
    assert error["extensions"]["next"]["do"] == "try_later"
    assert error["extensions"]["next"]["zh"]
    assert error["extensions"]["next"]["en"]


async def test_a_type_without_an_answer_is_one_error_in_its_place(counter: Counter) -> None:
    reply = await counter.ask(
        (
            '{ person(idNumber: "%s") { certificates(types: '
            '["ship_registration", "physician_practice"]) { number } } }'
        )
        % ANNA
    )
    assert reply.body["data"]["person"]["certificates"] == [None, {"number": "鲁P1"}]
    (error,) = reply.body["errors"]
    assert error["path"] == ["person", "certificates", 0]
    assert error["extensions"]["code"] == "HUB-310"


async def test_refused_and_pending_are_told_apart(counter: Counter) -> None:
    counter.town.market.fault = Fault(Outcome.REFUSED, "refused", "E77", "c-2")
    reply = await counter.ask('{ business(uscc: "%s") { name } }' % ACME)
    (error,) = reply.body["errors"]
    assert (error["extensions"]["outcome"], error["extensions"]["agencyCode"]) == ("refused", "E77")
    assert error["extensions"]["agency"] == MARKET.code
    counter.town.market.fault = Fault(Outcome.PENDING, "pending")
    reply = await counter.ask('{ business(uscc: "%s") { name } }' % ACME)
    assert reply.body["errors"][0]["extensions"]["outcome"] == "pending"


async def test_a_wrong_name_is_refused_whole_and_nobody_else_is_asked(counter: Counter) -> None:
    reply = await counter.ask(
        (
            '{ person(idNumber: "%s", name: "王五") { name '
            'certificates(types: ["physician_practice"]) { number } } }'
        )
        % ANNA
    )
    assert reply.body["data"] == {"person": None}
    assert reply.codes == ["HUB-146"]
    assert not counter.town.store.asks


async def test_a_name_matches_whatever_its_middle_dot(counter: Counter) -> None:
    reply = await counter.ask('{ person(idNumber: "%s", name: "安娜•阿依古丽") { sex } }' % ANNA)
    assert reply.body["data"] == {"person": {"sex": "FEMALE"}}


async def test_a_name_that_cannot_be_checked_gives_no_facts(counter: Counter) -> None:
    counter.town.police.fault = DOWN
    reply = await counter.ask(
        '{ person(idNumber: "%s", name: "安娜") { certificates(types: ["physician_practice"]) { number } } }'
        % ANNA
    )
    assert reply.body["data"] == {"person": None}
    assert reply.codes == ["HUB-211"]
    assert not counter.town.store.asks


async def test_outcome_counts_every_source(counter: Counter) -> None:
    counter.town.store.fault = DOWN
    await counter.ask(
        (
            "query($ids: [ResidentIdNumber!]!) { people(idNumbers: $ids) { "
            'name certificates(types: ["physician_practice"]) { number } } }'
        ),
        {"ids": [ANNA, NOBODY]},
    )
    outcome = (await counter.entries())[-1]
    assert outcome["kind"] == "outcome"
    counts = {source["record"]: source["outcomes"] for source in outcome["sources"]}
    assert counts["person"] == {"absent": 1, "found": 1}
    assert counts["physician_practice"] == {"unavailable": 2}  # asked together with the person
