"""The contract itself: reviewed like code, told in two languages, and null wherever an agency may fail."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    print_schema,
)
from graphql import (
    build_schema as parse_sdl,
)

from hub.catalogue.model import Kind
from hub.catalogue.rules import snapshot
from hub.demo.seed import record_types
from schema.build import Contract, build_schema
from tests.graphql.conftest import Counter, call

GOLDEN = Path(__file__).parents[2] / "schema" / "schema.graphql"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
KEYS = {"Person.idNumber", "Business.uscc"}
OURS = {"Agency", "CodedValue", "Claim", "EvidenceType", "Money", "Region", "Source", "PageInfo", "Query"}


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The contract of the demo city's catalogue."""
    return build_schema(snapshot(1, (), record_types().values(), ()))


def test_golden_contract(contract: Contract) -> None:
    printed = print_schema(contract.schema) + "\n"
    if os.environ.get("HUB_TEST_WRITE_GOLDEN"):
        GOLDEN.write_text(printed, encoding="utf-8")
    assert printed == GOLDEN.read_text(encoding="utf-8"), (
        "run with HUB_TEST_WRITE_GOLDEN=1 and review the change"
    )


def test_every_type_and_field_is_told_in_both_languages(contract: Contract) -> None:
    untold = []
    for name, kind in contract.schema.type_map.items():
        if name.startswith("__") or name in ("String", "Boolean", "Int", "ID", "Float"):
            continue
        parts = {name: kind.description}
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            parts |= {f"{name}.{field}": told.description for field, told in kind.fields.items()}
        if isinstance(kind, GraphQLEnumType):
            parts |= {f"{name}.{value}": told.description for value, told in kind.values.items()}
        untold += [
            part for part, text in parts.items() if not (text and CHINESE.search(text) and "\n\n" in text)
        ]
    assert untold == []


def test_every_field_but_keys_is_nullable(contract: Contract) -> None:
    records = [kind for kind in contract.schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    firm = {
        f"{kind.name}.{name}"
        for kind in records
        for name, field in kind.fields.items()
        if isinstance(field.type, GraphQLNonNull)
        and not kind.name.startswith("_")
        and not kind.name.endswith(("Connection", "Edge"))
        and kind.name not in OURS
    }
    certificates = {
        f"{kind.name}.id" for kind in records if any(i.name == "Certificate" for i in kind.interfaces)
    }
    assert firm == KEYS | certificates


def test_no_floats(contract: Contract) -> None:
    fields = [
        (kind.name, name)
        for kind in contract.schema.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if get_named_type(field.type) is GraphQLFloat
    ]
    assert fields == []


def test_an_object_type_for_each_evidence_type(contract: Contract) -> None:
    evidence = [record for record in record_types().values() if record.kind is Kind.EVIDENCE]
    assert len(evidence) >= 25
    drug = contract.schema.type_map["DrugBusinessLicence"]
    assert isinstance(drug, GraphQLObjectType)
    assert drug.interfaces[0].name == "Certificate"


def test_the_subgraph_sdl_is_valid_federation(contract: Contract, counter: Counter) -> None:
    sdl = contract.schema.query_type.fields["_service"].resolve(None, None)["sdl"]  # type: ignore[union-attr,misc]
    assert 'type Person @key(fields: "idNumber")' in sdl
    assert 'type Business @key(fields: "uscc")' in sdl
    directives = (
        "directive @key(fields: String!) repeatable on OBJECT\n"
        "directive @link(url: String!, import: [String]) on SCHEMA\n"
    )
    assert "Person" in parse_sdl(directives + sdl).type_map


async def test_entities_answer_by_key_in_order(counter: Counter) -> None:
    reply = await counter.ask(
        """query($r: [_Any!]!) { _entities(representations: $r) {
            __typename ... on Person { name } ... on Business { uscc status }
        } }""",
        {
            "r": [
                {"__typename": "Business", "uscc": "91110000600037341L"},
                {"__typename": "Person", "idNumber": "11010519491231002X"},
                {"__typename": "Person", "idNumber": "440524188001010014"},
            ]
        },
    )
    assert reply.body["data"]["_entities"] == [
        {"__typename": "Business", "uscc": "91110000600037341L", "status": "ACTIVE"},
        {"__typename": "Person", "name": "安娜·阿依古丽"},
        None,
    ]
    kinds = [entry["kind"] for entry in await counter.entries()]
    assert kinds == ["intent", "outcome"]


async def test_sdl_needs_the_right(counter: Counter) -> None:
    for client, status in (("window-system", 200), ("kiosk", 403)):
        headers = {"authorization": f"Bearer {counter.tokens[client]}"}
        assert (await call(counter.app, "GET", "/schema.graphql", headers)).status == status
    assert (await call(counter.app, "GET", "/schema.graphql", {})).status == 401
