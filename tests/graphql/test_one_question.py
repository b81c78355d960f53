"""One question joins three agencies, is logged before anyone is asked, and leaves sealed."""

from __future__ import annotations

import base64
import json

from connectors.contract import Ask
from hub.evidence.model import Verdict
from hub.evidence.rules import verify_exchange
from hub.kernel.errors import Code, Problem
from tests.graphql.conftest import AGENCY, PURPOSE, Counter
from tests.graphql.town import ACME, ANNA, BEN, NOBODY

JOIN = """
query Join($id: ResidentIdNumber!, $types: [String!]!) {
  person(idNumber: $id) {
    idNumber name sex birthDate underInvestigation region { code name }
    source { agency { code name(language: EN) } connector asOf fetchedAt expiresAt }
    certificates(types: ["physician_practice"]) { __typename number status type { code name } }
    businesses(role: LEGAL_REPRESENTATIVE) {
      uscc name status registeredCapital { amount currency }
      legalRepresentative { name }
      certificates(types: $types, validOn: "2026-11-22") {
        id number status validUntil holder { scheme number name } issuer { code name }
        claims(names: ["scope", "manager"]) { name label(language: EN) value values }
        ... on DrugBusinessLicence { capital { amount currency } grade { code name } scope }
      }
    }
    relations { role since business { name } }
  }
}
"""


async def test_joins_three_agencies(counter: Counter) -> None:
    reply = await counter.ask(JOIN, {"id": ANNA, "types": ["drug_business_licence"]})
    assert reply.status == 200
    assert "errors" not in reply.body
    person = reply.body["data"]["person"]
    assert person["name"] == "安娜·阿依古丽"
    assert person["sex"] == "FEMALE"
    assert person["birthDate"] == "1949-12"
    assert person["region"] == {"code": "370303", "name": "张店区"}
    assert person["source"]["agency"]["name"] == "Public security"
    assert person["source"]["asOf"] == "2026-11-01T00:00:00Z"
    assert person["certificates"] == [
        {
            "__typename": "PhysicianPractice",
            "number": "鲁P1",
            "status": "VALID",
            "type": {"code": "physician_practice", "name": "physician_practice（中）"},
        }
    ]
    (business,) = person["businesses"]
    assert business["registeredCapital"] == {"amount": "500000.00", "currency": "CNY"}
    assert business["legalRepresentative"] == {"name": "安娜·阿依古丽"}
    (licence,) = business["certificates"]
    assert licence["holder"] == {"scheme": "001", "number": ACME, "name": "持有人"}
    assert licence["grade"] == {"code": "A", "name": "甲级"}
    assert licence["claims"][0]["values"] == ["中成药", "化学药"]
    assert [relation["role"] for relation in person["relations"]] == ["LEGAL_REPRESENTATIVE", "SHAREHOLDER"]


async def test_receipt_verifies_offline_and_a_stripped_error_does_not(counter: Counter) -> None:
    body = {
        "query": (
            "query($id: ResidentIdNumber!) { person(idNumber: $id) { name "
            'certificates(types: ["ship_registration"]) { number } } }'
        ),
        "variables": {"id": ANNA},
        "extensions": {"purpose": PURPOSE},
    }
    reply = await counter.post(json.dumps(body).encode())
    assert reply.codes == ["HUB-310"]
    jwks = counter.hub.keyring.jwks()
    exchange = {"request": body, "response": reply.body}
    verdict = verify_exchange(json.dumps(exchange).encode(), json.dumps(jwks).encode())
    assert isinstance(verdict, Verdict)
    assert verdict.purpose["agency"] == AGENCY
    stripped = {name: value for name, value in reply.body.items() if name != "errors"}
    forged = verify_exchange(
        json.dumps(exchange | {"response": stripped}).encode(), json.dumps(jwks).encode()
    )
    assert isinstance(forged, Problem)
    assert forged.code is Code.RECEIPT_INVALID


async def test_intent_and_late_subjects_are_durable_before_their_agency_is_asked(counter: Counter) -> None:
    seen: dict[str, list[str]] = {}

    async def look(ask: Ask) -> None:
        seen.setdefault(ask.offering, [entry["kind"] for entry in await counter.entries()])

    for desk in counter.town.desks.values():
        desk.before = look
    await counter.ask('{ person(idNumber: "%s") { name businesses { people { name } } } }' % BEN)
    assert seen["person_by_id_number"] == ["intent"]
    assert seen["business_role_by_uscc"] == ["intent", "subjects"]
    kinds = [entry["kind"] for entry in await counter.entries()]
    assert kinds == ["intent", "subjects", "subjects", "outcome"]


async def test_only_asked_columns_reach_the_agency_and_keys_are_asked_once(counter: Counter) -> None:
    await counter.ask(
        "query($ids: [ResidentIdNumber!]!) { people(idNumbers: $ids) { name } }",
        {"ids": [ANNA, BEN, ANNA, NOBODY]},
    )
    asks = counter.town.police.asks
    assert {ask.columns for ask in asks} == {("name",)}
    assert sorted(key for ask in asks for key in ask.keys) == sorted([ANNA, BEN, NOBODY])
    assert [len(ask.keys) for ask in asks] == [2, 1]  # the offering's batch is 2


async def test_input_order_is_kept_with_duplicates_and_null_for_absent(counter: Counter) -> None:
    reply = await counter.ask(
        "query($ids: [ResidentIdNumber!]!) { people(idNumbers: $ids) { idNumber } }",
        {"ids": [BEN, NOBODY, ANNA, BEN]},
    )
    assert "errors" not in reply.body
    assert reply.body["data"]["people"] == [{"idNumber": BEN}, None, {"idNumber": ANNA}, {"idNumber": BEN}]


async def test_log_holds_no_value(counter: Counter) -> None:
    await counter.ask(JOIN, {"id": ANNA, "types": ["drug_business_licence"]})
    text = json.dumps(await counter.entries(), ensure_ascii=False)
    for value in (ANNA, ACME, "安娜", "鲁D1", "Join"):
        assert value not in text


async def test_correlation_reaches_the_agency_and_is_the_receipts_id(counter: Counter) -> None:
    reply = await counter.ask('{ person(idNumber: "%s") { name } }' % ANNA)
    claims = reply.body["extensions"]["receipt"].split(".")[1]
    inquiry = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["jti"]
    assert {ask.correlation for ask in counter.town.asked} == {inquiry}
