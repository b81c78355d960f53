"""The agencies' side for gateways: three Federation subgraphs over the city in memory, cheap to ask."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any

import msgspec
from graphql import (
    FieldNode,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
    parse,
    value_from_ast_untyped,
)

from tests.bench.city import City, draw
from tests.bench.floor import SEXES, STATUSES
from tests.bench.http_sources import PEOPLE
from tests.bench.serving import serve

LINK = '@link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])'
SCHEMAS = {
    "police": """
scalar ResidentIdNumber
type Query { people(idNumbers: [ResidentIdNumber!]!): [Person] }
type Person @key(fields: "idNumber") {
  idNumber: ResidentIdNumber!
  name: String
  sex: String
  birthDate: String
  address: String
}
""",
    "market": """
scalar ResidentIdNumber
type Person @key(fields: "idNumber") { idNumber: ResidentIdNumber!  businesses: [Business] }
type Business @key(fields: "uscc") {
  uscc: ID!
  name: String
  status: String
  address: String
  legalRepresentative: Person
}
""",
    "licences": """
scalar ResidentIdNumber
type Person @key(fields: "idNumber") {
  idNumber: ResidentIdNumber!
  certificates(types: [String!]!): [Certificate]
}
type Business @key(fields: "uscc") { uscc: ID!  certificates(types: [String!]!): [Certificate] }
type Certificate {
  id: ID!
  type: EvidenceType
  number: String
  issuedOn: String
  validUntil: String
  status: String
}
type EvidenceType { code: String! }
""",
}
KEYS = {"Person": "idNumber", "Business": "uscc"}
CERTIFICATES = "certificates"

Entity = dict[str, Any]
Held = dict[tuple[str, str], Entity]  # by type and key
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Posted(msgspec.Struct):
    """What is read of a request."""

    query: str
    variables: dict[str, Any] = {}


class Subgraphs:
    """A bare ASGI callable: ``POST /NAME`` of each subgraph. Only gateways ask, so it checks nothing."""

    def __init__(self, city: City) -> None:
        self.held = {"police": police(city), "market": market(city), "licences": licences(city)}
        self.documents: dict[str, SelectionSetNode] = {}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        answer = self.answer(scope["path"].strip("/"), body) if body else b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def answer(self, name: str, body: bytes) -> bytes:
        """The body of one answer."""
        posted = msgspec.json.decode(body, type=Posted)
        roots = self.documents.get(posted.query)
        if roots is None:
            operation: Any = parse(posted.query, no_location=True).definitions[0]
            roots = self.documents[posted.query] = operation.selection_set
        return msgspec.json.encode({"data": _data(roots, self.held[name], posted.variables)})


def _data(roots: SelectionSetNode, held: Held, variables: Mapping[str, Any]) -> Entity:
    data: Entity = {}
    for root in roots.selections:
        assert isinstance(root, FieldNode)
        arguments = _arguments(root, variables)
        if root.name.value == "people":
            found = [held.get(("Person", number)) for number in arguments["idNumbers"]]
        else:
            named = arguments["representations"]
            found = [held.get((one["__typename"], one[KEYS[one["__typename"]]])) for one in named]
        data[_name(root)] = _projected(found, root.selection_set, variables)
    return data


def _projected(value: Any, selected: SelectionSetNode | None, variables: Mapping[str, Any]) -> Any:
    if selected is None or value is None:
        return value
    if isinstance(value, list):
        return [_projected(one, selected, variables) for one in value]
    shaped: Entity = {}
    for selection in selected.selections:
        if isinstance(selection, InlineFragmentNode):
            wanted = selection.type_condition
            if wanted is None or wanted.name.value == value["__typename"]:
                shaped |= _projected(value, selection.selection_set, variables)
            continue
        assert isinstance(selection, FieldNode)
        inner = value[selection.name.value]
        if selection.name.value == CERTIFICATES:
            types = _arguments(selection, variables)["types"]
            inner = [one for one in inner if one["type"]["code"] in types]
        shaped[_name(selection)] = _projected(inner, selection.selection_set, variables)
    return shaped


def _arguments(node: FieldNode, variables: Mapping[str, Any]) -> Entity:
    return {
        one.name.value: variables[one.value.name.value]
        if isinstance(one.value, VariableNode)
        else value_from_ast_untyped(one.value, dict(variables))
        for one in node.arguments or ()
    }


def _name(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def police(city: City) -> Held:
    """Everybody's name, sex, birth and address."""
    return {
        ("Person", str(number)): {
            "__typename": "Person",
            "idNumber": number,
            "name": name,
            "sex": SEXES[str(sex)],
            "birthDate": _day(born),
            "address": address,
        }
        for number, name, sex, born, address in city.lines["person"]
    }


def market(city: City) -> Held:
    """Who belongs to which business, and every business."""
    held: Held = {}
    for uscc, name, status, address, representative in city.lines["business"]:
        held["Business", str(uscc)] = {
            "__typename": "Business",
            "uscc": uscc,
            "name": name,
            "status": status,
            "address": address,
            "legalRepresentative": {"__typename": "Person", "idNumber": representative},
        }
    for number in city.people:
        held["Person", number] = {"__typename": "Person", "idNumber": number, "businesses": []}
    for member, owned, *_ in city.lines["business_role"]:
        held["Person", str(member)]["businesses"].append(held["Business", str(owned)])
    return held


def licences(city: City) -> Held:
    """Every person's and business's certificates."""
    people: dict[str, list[Entity]] = defaultdict(list)
    businesses: dict[str, list[Entity]] = defaultdict(list)
    for code, *line in city.lines["certificate"]:
        people[str(line[2])].append(_certificate(str(code), *line))
    for line in map(list, city.lines["licence"]):
        businesses[str(line[2])].append(_certificate("drug_business_licence", *line))
    held: Held = {}
    for typename, key, found in (("Person", "idNumber", people), ("Business", "uscc", businesses)):
        for value, own in found.items():
            held[typename, value] = {"__typename": typename, key: value, CERTIFICATES: own}
    return held


def _certificate(
    code: str, identifier: object, number: object, _: object, issued: object, until: object, status: object
) -> Entity:
    return {
        "__typename": "Certificate",
        "id": identifier,
        "type": {"__typename": "EvidenceType", "code": code},
        "number": number,
        "issuedOn": _day(issued),
        "validUntil": _day(until),
        "status": STATUSES[str(status)],
    }


def _day(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


if __name__ == "__main__":
    serve(Subgraphs(draw(int(os.environ[PEOPLE]))))
