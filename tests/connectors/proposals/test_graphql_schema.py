"""GraphQL schemas: entities of a subgraph and root fields that take a key."""

from __future__ import annotations

import pytest

from connectors.manifest.model import EntitySource, QuerySource
from connectors.proposals.graphql_schema import read_graphql
from connectors.proposals.model import Choices, Reason, Refusal
from tests.connectors.proposals.proposing import accepted, fields, proposal

SUBGRAPH = b"""
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
enum State { VALID EXPIRED }
type Person @key(fields: "idNumber") { idNumber: String! licences: [Licence!]! }
type Licence { licenceNo: String issueDate: String state: State self: Licence }
"""
PLAIN = b"""
type Query { people(idNumbers: [String!]!): [Person!]! person(idNumber: ID!): Person ping: String }
type Person { idNumber: String! xm: String csrq: String home: Home friends: [Person] }
type Home { jtzz: String }
"""


def test_an_entity_with_a_list_of_records() -> None:
    made = proposal(read_graphql(SUBGRAPH, "licences", None))
    (offered,) = accepted(made).offerings
    assert offered.source == EntitySource("Person", {})
    assert offered.rows.items == ("licences",)
    assert fields(made) == {
        "holder_scheme": {"constant": "111"},
        "number": "licenceNo",
        "issued_on": {"path": "issueDate", "date": "iso"},
        "status": {"path": "state", "codes": {"VALID": "01", "EXPIRED": "05"}},
    }
    assert "[self]" in made.manifest


def test_root_fields_are_listed_and_one_is_chosen() -> None:
    choices = read_graphql(PLAIN, "people", None)
    assert isinstance(choices, Choices)
    assert [one.given for one in choices.listed] == ["people", "person"]
    (offered,) = accepted(proposal(read_graphql(PLAIN, "people", "people"))).offerings
    assert offered.source == QuerySource("people", "idNumbers", "[String!]!", True, {})
    made = proposal(read_graphql(PLAIN, "people", "person"))
    assert accepted(made).offerings[0].offering.batch == 1
    assert {"holder_name", "birth_date", "address"} <= set(fields(made))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"type {", Reason.NOT_GRAPHQL),
        (b"\xff\xfe", Reason.ENCODING),
        (b"{ " * 100_000, Reason.NOT_GRAPHQL),
        (b"type Query { ping: String }", Reason.NO_LOOKUP),
        (b" " * 5_000_001, Reason.TOO_LARGE),
    ],
)
def test_what_is_no_schema_with_a_look_up_is_refused(content: bytes, reason: Reason) -> None:
    assert read_graphql(content, "x", None) == Refusal(reason)
