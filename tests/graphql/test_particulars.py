"""An error says which variable, argument, type, field, limit or agency it is about, and repeats no value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.graphql.conftest import PURPOSE, Counter, Reply
from tests.graphql.town import ANNA, DOWN

PERSON = '{ person(idNumber: "%s") { %%s } }' % ANNA
FIRST = "query($n: Int = 1) { " + PERSON[2:-2] % "relationsConnection(first: $n) { totalCount }" + " }"
CERTIFICATES = "certificates(types: [%s]) { %s }"


def message(reply: Reply) -> str:
    text: str = reply.body["errors"][0]["message"]
    return text


CASES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a variable that is missing": (
        "query($number: ResidentIdNumber!) { person(idNumber: $number) { name } }",
        {},
        "HUB-113",
        "'number'",
    ),
    "an argument": (FIRST, {"n": None}, "HUB-127", "'first'"),
    "an argument of a directive": (
        "query($n: Boolean = true) { " + PERSON[2:-2] % "name @include(if: $n)" + " }",
        {"n": None},
        "HUB-127",
        "'if'",
    ),
    "a type": (PERSON % CERTIFICATES % ('"fishing_rights"', "number"), {}, "HUB-120", "'fishing_rights'"),
    "a type that is no evidence": (PERSON % CERTIFICATES % ('"person"', "number"), {}, "HUB-120", "'person'"),
    "a field": (
        PERSON % CERTIFICATES % ('"physician_practice"', 'claims(names: ["shoe_size"]) { value }'),
        {},
        "HUB-121",
        "'shoe_size'",
    ),
    "the aliases": (
        "{" + " ".join(f"a{n}: __typename" for n in range(101)) + "}",
        {},
        "HUB-114",
        "aliases (100",
    ),
    "the length": ("{" + " ".join(f"a{n}: __typename" for n in range(9_999)) + "}", {}, "HUB-114", "(5000"),
    "a letter too few": (
        '{ person(idNumber: "11010519491231002") { name } }',
        {},
        "HUB-117",
        "18 characters",
    ),
    "a wrong character": (
        '{ person(idNumber: "1101051949123100AX") { name } }',
        {},
        "HUB-117",
        "cannot stand",
    ),
    "a day that is none": (
        '{ person(idNumber: "11010519491331002X") { name } }',
        {},
        "HUB-117",
        "birth date",
    ),
    "a check character": (
        '{ person(idNumber: "110105194912310021") { name } }',
        {},
        "HUB-117",
        "check character",
    ),
    "a code's letter": ('{ business(uscc: "91110000600037341I") { name } }', {}, "HUB-118", "cannot stand"),
    "a code's check character": ('{ business(uscc: "91110000600037341A") { name } }', {}, "HUB-118", "check"),
    "a number as a number": (
        "query($number: ResidentIdNumber!) { person(idNumber: $number) { name } }",
        {"number": 7},
        "HUB-117",
        "not a text",
    ),
}


@pytest.mark.parametrize(("query", "variables", "code", "words"), CASES.values(), ids=CASES.keys())
async def test_the_particular_is_named(
    counter: Counter, query: str, variables: dict[str, Any], code: str, words: str
) -> None:
    reply = await counter.ask(query, variables)
    assert reply.codes == [code]
    assert words in message(reply)


@pytest.mark.parametrize("secret", [ANNA, ANNA.lower(), f"x{ANNA[:15]}", "张三", "Zhang San", "a" * 64])
async def test_what_may_be_a_value_is_not_repeated(counter: Counter, secret: str) -> None:
    types = PERSON % CERTIFICATES % (f'"{secret}"', "number")
    claim = PERSON % CERTIFICATES % ('"physician_practice"', f'claims(names: ["{secret}"]) {{ value }}')
    for query, code in ((types, "HUB-120"), (claim, "HUB-121")):
        reply = await counter.ask(query)
        assert reply.codes == [code]
        assert secret not in reply.content.decode()


async def test_a_variable_with_a_value_for_a_name_is_not_repeated(counter: Counter) -> None:
    name = f"n{ANNA}"
    reply = await counter.ask(f"query(${name}: ResidentIdNumber!) {{ person(idNumber: ${name}) {{ name }} }}")
    assert reply.codes == ["HUB-113"]
    assert ANNA not in reply.content.decode()


@pytest.mark.parametrize(
    ("members", "part"),
    [
        ({"query": 1}, "query"),
        ({"query": "{ a }", "operationName": 1}, "operationName"),
        ({"query": "{ a }", "variables": []}, "variables"),
        ({"query": "{ a }", "extensions": "x"}, "extensions"),
        ([], "body"),
    ],
)
async def test_the_wrong_part_of_a_request_is_named(counter: Counter, members: Any, part: str) -> None:
    reply = await counter.post(json.dumps(members).encode())
    assert reply.codes == ["HUB-105"]
    assert f"'{part}'" in message(reply)


@pytest.mark.parametrize(("language", "name"), [("zh", "公安局"), ("en", "Public security")])
async def test_an_agency_without_an_answer_is_named(counter: Counter, language: str, name: str) -> None:
    counter.town.police.fault = DOWN
    body = {"query": PERSON % "name", "extensions": {"purpose": PURPOSE}}
    reply = await counter.post(json.dumps(body).encode(), {"accept-language": language})
    assert reply.codes == ["HUB-211"]
    assert name in message(reply)


async def test_a_record_that_nobody_supplies_is_named(counter: Counter) -> None:
    reply = await counter.ask(PERSON % CERTIFICATES % ('"ship_registration"', "number"))
    assert reply.codes == ["HUB-310"]
    assert "'ship_registration'" in message(reply)
