"""Bad input gets a clear numbered error, and nobody is asked."""

from __future__ import annotations

import json

import pytest

from tests.graphql.conftest import PURPOSE, Counter, Reply
from tests.graphql.town import ACME, ANNA, BEN

NAME = '{ person(idNumber: "%s") { name } }' % ANNA


def _refused(counter: Counter, reply: Reply, code: str, status: int) -> None:
    assert reply.codes[0] == code, reply.body
    assert reply.status == status
    assert "data" not in reply.body
    assert counter.town.asked == []


BODIES = {
    "not JSON": (b"{", "HUB-102", 400),
    "an array of operations": (b'[{"query": "{ __typename }"}]', "HUB-105", 400),
    "no query": (b'{"variables": {}}', "HUB-105", 400),
    "variables of a wrong shape": (b'{"query": "{ __typename }", "variables": []}', "HUB-105", 400),
    "invalid UTF-8": (b'{"query": "{ __typename } # \xff"}', "HUB-101", 400),
    "a lone surrogate": (b'{"query": "{ __typename } # \\ud800"}', "HUB-101", 400),
    "duplicate keys": (b'{"query": "{ a }", "query": "{ __typename }"}', "HUB-103", 400),
    "duplicate keys inside": (b'{"query": "{ a }", "variables": {"x": 1, "x": 2}}', "HUB-103", 400),
    "a bottomless pit": (
        b'{"query": "", "variables": {"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
        "HUB-102",
        400,
    ),
    "a number that is none": (b'{"query": "{ a }", "variables": {"x": NaN}}', "HUB-102", 400),
    "a number beyond 2^53": (b'{"query": "{ a }", "variables": {"x": 9007199254740992}}', "HUB-116", 400),
    "a number of a million digits": (
        b'{"query": "{ a }", "variables": {"x": ' + b"9" * 900_000 + b"}}",
        "HUB-116",
        400,
    ),
    "two megabytes": (b" " * 2_000_000, "HUB-104", 413),
}


@pytest.mark.parametrize(("content", "code", "status"), BODIES.values(), ids=BODIES.keys())
async def test_bodies(counter: Counter, content: bytes, code: str, status: int) -> None:
    _refused(counter, await counter.post(content), code, status)


DOCUMENTS = {
    "syntax": ("{ person(", "HUB-110"),
    "an unknown field": ('{ person(idNumber: "%s") { fingerprints } }' % ANNA, "HUB-111"),
    "a mutation": ("mutation { forget }", "HUB-111"),
    "a fragment cycle": ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "HUB-111"),
    "ten thousand aliases": ("{" + " ".join(f"a{n}: __typename" for n in range(10_000)) + "}", "HUB-114"),
    "a hundred and one aliases": ("{" + " ".join(f"a{n}: __typename" for n in range(101)) + "}", "HUB-114"),
    "depth": (
        '{ business(uscc: "%s") { ' % ACME + "people { businesses { " * 20 + "name" + "} }" * 20 + "} }",
        "HUB-114",
    ),
    "exploding fragments": (
        "{ ...F0 } "
        + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(30))
        + " fragment F30 on Query { __typename }",
        "HUB-114",
    ),
    "a wrong check digit": ('{ person(idNumber: "110105194912310021") { name } }', "HUB-117"),
    "a credit code for a person": ('{ person(idNumber: "%s") { name } }' % ACME, "HUB-117"),
    "a wrong credit code": ('{ business(uscc: "91110000600037341A") { name } }', "HUB-118"),
    "a day that is none": (
        (
            '{ person(idNumber: "%s") { certificates(types: '
            '["physician_practice"], validOn: "2026-02-30") { number } } }'
        )
        % ANNA,
        "HUB-119",
    ),
    "an unknown evidence type": (
        '{ person(idNumber: "%s") { certificates(types: ["x"]) { number } } }' % ANNA,
        "HUB-120",
    ),
    "an unknown claim": (
        (
            '{ person(idNumber: "%s") { certificates(types: '
            '["physician_practice"]) { claims(names: ["x"]) { value } } } }'
        )
        % ANNA,
        "HUB-121",
    ),
    "201 people": ("{ people(idNumbers: [%s]) { name } }" % ", ".join([f'"{ANNA}"'] * 201), "HUB-115"),
    "an entity without its key": (
        '{ _entities(representations: [{__typename: "Person"}]) { __typename } }',
        "HUB-125",
    ),
    "an entity of no type": ('{ _entities(representations: ["x"]) { __typename } }', "HUB-125"),
    "an entity with a wrong key": (
        '{ _entities(representations: [{__typename: "Business", uscc: "1"}]) { __typename } }',
        "HUB-118",
    ),
}


@pytest.mark.parametrize(("query", "code"), DOCUMENTS.values(), ids=DOCUMENTS.keys())
async def test_documents(counter: Counter, query: str, code: str) -> None:
    reply = await counter.ask(query)
    _refused(counter, reply, code, 400)
    for secret in (ANNA, "110105194912310021", "91110000600037341A"):
        assert secret not in reply.content.decode()


VARIABLES = {
    "a wrong check digit": ({"id": "110105194912310021"}, "HUB-117"),
    "a number": ({"id": 110105194912310021 % 2**50}, "HUB-117"),
    "an object": ({"id": {"a": ANNA}}, "HUB-117"),
    "missing": ({}, "HUB-113"),
    "null": ({"id": None}, "HUB-113"),
}


@pytest.mark.parametrize(("variables", "code"), VARIABLES.values(), ids=VARIABLES.keys())
async def test_variables(counter: Counter, variables: dict[str, object], code: str) -> None:
    reply = await counter.ask("query($id: ResidentIdNumber!) { person(idNumber: $id) { name } }", variables)
    _refused(counter, reply, code, 400)
    assert ANNA not in reply.content.decode()


async def test_too_many_subjects_in_all(counter: Counter) -> None:
    people = ", ".join([f'"{ANNA}"', f'"{BEN}"'])
    aliases = " ".join(f"a{n}: people(idNumbers: [{people}]) {{ name }}" for n in range(90))
    reply = await counter.ask("{" + aliases + "}")
    assert "errors" not in reply.body  # the same two people: what counts is distinct subjects


async def test_the_operation_must_be_named_when_there_are_two(counter: Counter) -> None:
    two = "query A { __typename } query B { __typename }"
    _refused(counter, await counter.ask(two), "HUB-112", 400)
    _refused(counter, await counter.ask(two, operationName="C"), "HUB-112", 400)
    assert (await counter.ask(two, operationName="B")).body == {"data": {"__typename": "Query"}}


async def test_media_types_and_methods(counter: Counter) -> None:
    content = json.dumps({"query": NAME}).encode()
    _refused(counter, await counter.post(content, {"content-type": "text/plain"}), "HUB-106", 415)
    _refused(
        counter,
        await counter.post(content, {"content-type": "application/json; charset=gbk"}),
        "HUB-106",
        415,
    )
    _refused(counter, await counter.post(content, {"accept": "text/html"}), "HUB-108", 406)
    reply = await counter.post(b"{", {"accept": "application/json"})
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


async def test_tokens(counter: Counter) -> None:
    content = json.dumps({"query": NAME, "extensions": {"purpose": PURPOSE}}).encode()
    _refused(counter, await counter.post(content, {"authorization": ""}), "HUB-130", 401)
    _refused(counter, await counter.post(content, {"authorization": "Basic x"}), "HUB-130", 401)
    _refused(counter, await counter.post(content, {"authorization": "Bearer x.y.z"}), "HUB-131", 401)
    token = counter.tokens["kiosk"]
    forged = token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB")
    reply = await counter.post(content, {"authorization": f"Bearer {forged}"})
    _refused(counter, reply, "HUB-131", 401)
    assert reply.headers["www-authenticate"].startswith("Bearer")


async def test_messages_come_in_the_readers_language(counter: Counter) -> None:
    content = json.dumps({"query": "{ person( }"}).encode()
    chinese = (await counter.post(content, {"accept-language": "zh-CN"})).body["errors"][0]
    english = (await counter.post(content, {"accept-language": "en"})).body["errors"][0]
    assert chinese["message"] != english["message"]
    assert english["message"].isascii()
    assert chinese["extensions"] == english["extensions"]
    assert english["locations"] == [{"line": 1, "column": 11}]
