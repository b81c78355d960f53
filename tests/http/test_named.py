"""Trusted documents as an HTTP interface of their own, and the description that is made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from hub.evidence.model import Verdict
from hub.evidence.rules import verify_exchange
from hub.kernel.db import Database
from tests.graphql.conftest import CLIENT, Counter, Reply, call
from tests.graphql.test_one_question import JOIN
from tests.graphql.town import ACME, ANNA, DOWN, NOBODY
from tests.http.conftest import PURPOSE_HEADERS, trust

QUERY = """query PersonName($id: ResidentIdNumber!, $withSex: Boolean = false) {
    person(idNumber: $id) { name  sex @include(if: $withSex)  birthDate }
}"""


async def post(counter: Counter, name: str, variables: Any, client: str = CLIENT, **headers: str) -> Reply:
    sent = {
        "authorization": f"Bearer {counter.tokens[client]}",
        "content-type": "application/json",
        "accept-language": "en",
        **PURPOSE_HEADERS,
        **headers,
    }
    return await call(counter.app, "POST", f"/q/{name}", sent, json.dumps(variables).encode())


async def described(counter: Counter) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {counter.tokens['kiosk']}"}
    reply = await call(counter.app, "GET", "/openapi.json", headers)
    assert reply.status == 200
    found: dict[str, Any] = reply.body
    return found


async def test_the_answer_is_that_of_graphql_and_its_receipt_verifies(
    counter: Counter, owner_database: Database
) -> None:
    document = await trust(counter, owner_database, QUERY)
    reply = await post(counter, "PersonName", {"id": ANNA})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert reply.body["data"] == {"person": {"name": "安娜·阿依古丽", "birthDate": "1949-12"}}
    assert reply.headers["hub-document"] == f"sha256:{document.digest}"
    request = {"documentId": reply.headers["hub-document"], "variables": {"id": ANNA}}
    exchange = json.dumps({"request": request, "response": reply.body}).encode()
    jwks = json.dumps(counter.hub.keyring.jwks()).encode()
    assert isinstance(verify_exchange(exchange, jwks), Verdict)


async def test_an_agencys_failure_stands_in_the_answer(counter: Counter, owner_database: Database) -> None:
    await trust(counter, owner_database, QUERY)
    counter.town.police.fault = DOWN
    reply = await post(counter, "PersonName", {"id": ANNA})
    assert reply.status == 200
    assert reply.body["data"] == {"person": {"name": None, "birthDate": None}}
    assert reply.codes == ["HUB-211", "HUB-211"]


REFUSALS: dict[str, tuple[str, Any, dict[str, str], str, int]] = {
    "an unknown name": ("Nobody", {}, {}, "HUB-109", 404),
    "a wrong variable": ("PersonName", {"id": "1"}, {}, "HUB-117", 400),
    "a missing variable": ("PersonName", {}, {}, "HUB-113", 400),
    "variables that are a list": ("PersonName", [], {}, "HUB-105", 400),
    "no token": ("PersonName", {"id": ANNA}, {"authorization": ""}, "HUB-130", 401),
    "no token for an unknown name": ("Nobody", {}, {"authorization": ""}, "HUB-130", 401),
    "no purpose": ("PersonName", {"id": ANNA}, {"hub-case": ""}, "HUB-140", 400),
    "a form": ("PersonName", {"id": ANNA}, {"content-type": "text/plain"}, "HUB-106", 415),
    "another media type": ("PersonName", {"id": ANNA}, {"accept": "text/html"}, "HUB-108", 406),
}


@pytest.mark.parametrize(
    ("name", "variables", "headers", "code", "status"), REFUSALS.values(), ids=REFUSALS.keys()
)
async def test_a_refusal_has_its_own_status(
    counter: Counter,
    owner_database: Database,
    name: str,
    variables: Any,
    headers: dict[str, str],
    code: str,
    status: int,
) -> None:
    await trust(counter, owner_database, QUERY)
    reply = await post(counter, name, variables, **headers)
    assert (reply.codes, reply.status) == ([code], status)
    assert "hub-document" not in reply.headers
    assert counter.town.asked == []


async def test_over_asking_and_other_methods(counter: Counter, owner_database: Database) -> None:
    await trust(counter, owner_database, QUERY)
    reply = await post(counter, "PersonName", {"id": ANNA}, client="kiosk")
    assert (reply.codes, reply.status) == (["HUB-144"], 403)
    headers = {"authorization": f"Bearer {counter.tokens[CLIENT]}"}
    reply = await call(counter.app, "GET", "/q/PersonName", headers)
    assert (reply.codes, reply.status, reply.headers["allow"]) == (["HUB-107"], 405, "POST")


DOCUMENTS = [
    QUERY,
    JOIN,
    """query Wallet($id: ResidentIdNumber!, $types: [String!]!, $r: [_Any!]!, $day: Date) {
        person(idNumber: $id) {
            source { agency { code name } fetchedAt }
            certificates(types: $types, validOn: $day) {
                __typename id type { code } ...Drug
                ... on PhysicianPractice { category }
            }
            relations { role business { uscc } }
        }
        _entities(representations: $r) { ... on Person { name } ... on Business { uscc status } }
    }
    fragment Drug on DrugBusinessLicence { scope manager capital { amount currency } grade { code name } }
    """,
]


async def test_the_description_is_valid_and_needs_a_token(counter: Counter, owner_database: Database) -> None:
    await trust(counter, owner_database, *DOCUMENTS)
    found = await described(counter)
    OpenAPIV31SpecValidator(found).validate()
    assert sorted(found["paths"]) == [f"/q/{name}" for name in sorted(counter.hub.documents.trusted.by_name)]
    assert len(found["paths"]) == len(DOCUMENTS)
    assert (await call(counter.app, "GET", "/openapi.json", {})).status == 401


async def test_the_description_follows_the_documents(counter: Counter, owner_database: Database) -> None:
    assert (await described(counter))["paths"] == {}
    await trust(counter, owner_database, QUERY)
    assert (await described(counter))["paths"].keys() == {"/q/PersonName"}


def validator(found: dict[str, Any], name: str, *path: str) -> Draft202012Validator:
    schema = found["paths"][f"/q/{name}"]["post"]
    for step in (*path, "content", "application/json", "schema"):
        schema = schema[step]
    return Draft202012Validator({**schema, "components": found["components"]})


WALLET = {
    "id": ANNA,
    "types": ["drug_business_licence", "physician_practice"],
    "r": [{"__typename": "Business", "uscc": ACME}, {"__typename": "Person", "idNumber": NOBODY}],
    "day": None,
}


async def test_answers_and_refusals_are_as_described(counter: Counter, owner_database: Database) -> None:
    await trust(counter, owner_database, *DOCUMENTS)
    found = await described(counter)
    cases = [("PersonName", {"id": ANNA, "withSex": flag}) for flag in (True, False)]
    cases += [
        ("PersonName", {"id": NOBODY}),
        ("Wallet", WALLET),
        ("Join", {"id": ANNA, "types": WALLET["types"]}),
    ]
    for name, variables in cases:
        validator(found, name, "requestBody").validate(variables)
        reply = await post(counter, name, variables)
        assert reply.status == 200, reply.body
        validator(found, name, "responses", "200").validate(reply.body)
    refused = found["components"]["responses"]["Refused"]["content"]["application/json"]["schema"]
    reply = await post(counter, "PersonName", {})
    Draft202012Validator({**refused, "components": found["components"]}).validate(reply.body)


async def test_what_is_not_as_described_is_told(counter: Counter, owner_database: Database) -> None:
    await trust(counter, owner_database, *DOCUMENTS)
    found = await described(counter)
    variables = validator(found, "PersonName", "requestBody")
    assert not variables.is_valid({})
    assert not variables.is_valid({"id": None})
    assert not variables.is_valid({"id": ANNA, "withSex": "yes"})
    answers = validator(found, "PersonName", "responses", "200")
    assert answers.is_valid({"data": None, "errors": []})
    assert answers.is_valid({"data": {"person": {"name": "a", "birthDate": None}}})
    assert not answers.is_valid({"data": {"person": {"name": "a"}}})
    assert not answers.is_valid({"data": {"person": {"name": 1, "birthDate": None}}})
    assert not answers.is_valid({})
