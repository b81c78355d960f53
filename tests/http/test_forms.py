"""The forms of a request: methods, media types, and members in a URL."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from graphql import build_schema as parse_sdl

from hub.kernel.errors import Code, Problem
from hub.texts import Language, load_texts
from schema.execution.document import Documents
from schema.execution.run import Answering, Asker, Request
from schema.faults import Words
from schema.incoming import accepted
from tests.graphql.conftest import CLIENT, PURPOSE, Counter, Reply, call
from tests.graphql.town import ANNA
from tests.http.conftest import PURPOSE_HEADERS

QUERY = "query Name($id: ResidentIdNumber!) { person(idNumber: $id) { name } }"
RESPONSE = "application/graphql-response+json"
JSON = "application/json"

ACCEPTED = [
    (None, JSON),
    ("*/*", JSON),
    ("application/*", JSON),
    (JSON, JSON),
    (RESPONSE, RESPONSE),
    (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
    (f"{JSON};q=0.9, {RESPONSE}", RESPONSE),
    (f"{JSON}, {RESPONSE}", JSON),
    (f"{RESPONSE}; charset=utf-8, {JSON}; q=0.5", RESPONSE),
    ("text/html, */*;q=0.1", JSON),
    ("text/html", None),
    (f"{JSON};q=0", None),
    (f"{JSON};q=zero", None),
]


@pytest.mark.parametrize(("accept", "media_type"), ACCEPTED)
def test_the_media_type_is_the_one_the_client_likes_best(accept: str | None, media_type: str | None) -> None:
    assert accepted(accept) == media_type


async def get(counter: Counter, members: dict[str, str], **headers: str) -> Reply:
    sent = {"authorization": f"Bearer {counter.tokens[CLIENT]}", "accept": RESPONSE, **headers}
    return await call(counter.app, "GET", f"/graphql?{urlencode(members)}", sent)


async def test_a_query_in_the_address_is_answered_and_sealed(counter: Counter) -> None:
    variables = json.dumps({"id": ANNA})
    extensions = json.dumps({"purpose": PURPOSE})
    reply = await get(counter, {"query": QUERY, "variables": variables, "extensions": extensions})
    assert reply.body["data"]["person"]["name"] == "安娜·阿依古丽"
    assert reply.body["extensions"].keys() == {"receipt", "receiptSalt"}
    assert reply.headers["cache-control"] == "no-store"


async def test_the_purpose_of_a_query_in_the_address_may_stand_in_headers(counter: Counter) -> None:
    members = {"query": QUERY, "variables": json.dumps({"id": ANNA}), "operationName": ""}
    assert (await get(counter, members, **PURPOSE_HEADERS)).status == 200
    assert (await get(counter, members)).codes == ["HUB-140"]


WRONG_ADDRESSES = {
    "no query": ({}, "HUB-105", 400),
    "variables that are no JSON": ({"query": QUERY, "variables": "{"}, "HUB-102", 400),
    "variables that are a list": ({"query": QUERY, "variables": "[]"}, "HUB-105", 400),
    "extensions that are text": ({"query": QUERY, "extensions": '"a"'}, "HUB-105", 400),
    "a mutation": ({"query": "mutation { __typename }"}, "HUB-111", 400),
}


@pytest.mark.parametrize(("members", "code", "status"), WRONG_ADDRESSES.values(), ids=WRONG_ADDRESSES.keys())
async def test_a_wrong_address(counter: Counter, members: dict[str, str], code: str, status: int) -> None:
    reply = await get(counter, members)
    assert (reply.codes, reply.status) == ([code], status)
    assert counter.town.asked == []


async def test_an_address_names_no_member_twice(counter: Counter) -> None:
    sent = {"authorization": f"Bearer {counter.tokens[CLIENT]}"}
    twice = await call(counter.app, "GET", "/graphql?query=%7Ba%7D&query=%7Bb%7D", sent)
    assert (twice.codes, twice.status) == (["HUB-103"], 400)
    other = await call(counter.app, "GET", "/graphql?query=%ff", sent)
    assert (other.codes, other.status) == (["HUB-101"], 400)


async def test_other_methods_are_told_which_there_are(counter: Counter) -> None:
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        reply = await call(counter.app, method, "/graphql", {"accept": RESPONSE})
        assert (reply.codes, reply.status) == (["HUB-107"], 405)
        assert reply.headers["allow"] == "GET, POST"


STATUSES = {
    "syntax": ('{"query": "{"}', "HUB-110", 400, 200),
    "validation": ('{"query": "{ nothing }"}', "HUB-111", 400, 200),
    "coercion": (json.dumps({"query": QUERY, "variables": {"id": None}}), "HUB-113", 400, 200),
    "an unknown document": ('{"documentId": "a"}', "HUB-128", 400, 200),
    "a number too large": ('{"query": "{ a }", "variables": {"a": 1e400}}', "HUB-116", 400, 400),
    "no GraphQL request": ('{"qeury": "{ a }"}', "HUB-105", 400, 400),
}


@pytest.mark.parametrize(("body", "code", "new", "old"), STATUSES.values(), ids=STATUSES.keys())
async def test_the_status_depends_on_the_media_type(
    counter: Counter, body: str, code: str, new: int, old: int
) -> None:
    for accept, status in ((RESPONSE, new), (JSON, old)):
        reply = await counter.post(body.encode(), {"accept": accept})
        assert (reply.codes, reply.status) == ([code], status)
        assert reply.headers["content-type"] == f"{accept}; charset=utf-8"
        assert "data" not in reply.body


async def test_a_method_that_may_change_nothing_runs_no_mutation() -> None:
    documents = Documents(parse_sdl("type Query { a: Int } type Mutation { b: Int }"))
    contract: Any = SimpleNamespace(documents=documents)
    nothing: Any = None
    answering = Answering(lambda: (contract, nothing), nothing, nothing, nothing)
    words = Words({language: load_texts(language) for language in Language}, Language.EN)
    asker = Asker(False, Problem(Code.PURPOSE_MISSING), words, 1, nothing, nothing)
    answered = await answering.answer(Request("mutation { b }", None, {}, {}, safe=True), asker)
    assert answered.refused == Problem(Code.METHOD_NOT_ALLOWED)
