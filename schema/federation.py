"""The hub as a Federation v2 subgraph: its SDL, and persons and businesses by their keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    print_schema,
)

from hub.kernel.errors import Code, HubError
from hub.subjects.model import ResidentIdNumber, Scheme, Subject, UnifiedSocialCreditCode
from schema.asks import ASKS, Arguments, Asks, Reads
from schema.scalars import business_key, person_key
from schema.subjects import Business, Person, find_business, find_person
from schema.words import both

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])'

KEYS = {"Person": "idNumber", "Business": "uscc"}
"""The entities of this subgraph by type, each with the field that is its key."""

RECORDS = {"Person": "person", "Business": "business"}


def subject_of(representation: Any) -> Subject:
    """The subject that a representation names; raises HubError for one that names none."""
    name = representation.get("__typename") if isinstance(representation, Mapping) else None
    key = representation.get(KEYS[name]) if isinstance(name, str) and name in KEYS else None
    if not isinstance(key, str):
        raise HubError(Code.REPRESENTATION_INVALID)
    if name == "Person":
        return Subject(Scheme.RESIDENT_ID, person_key(key))
    return Subject(Scheme.USCC, business_key(key))


def _roots(arguments: Arguments) -> tuple[Subject, ...]:
    return tuple(map(subject_of, arguments["representations"]))


def _enters(arguments: Arguments) -> Reads:
    return {RECORDS[representation["__typename"]]: () for representation in arguments["representations"]}


async def _entity(
    field: GraphQLField, info: GraphQLResolveInfo[Any], subject: Subject
) -> Person | Business | None:
    wrapped: strawberry.Info = strawberry.Info(_raw_info=info, _field=field)  # type: ignore[arg-type]  # only the raw part is read
    if subject.scheme is Scheme.RESIDENT_ID:
        return await find_person(wrapped, ResidentIdNumber(subject.value))
    return await find_business(wrapped, UnifiedSocialCreditCode(subject.value))


async def _entities(
    _: object, info: GraphQLResolveInfo[Any], representations: list[Any]
) -> list[Person | Business | None]:
    field = info.parent_type.fields[info.field_name]
    return await asyncio.gather(
        *(_entity(field, info, subject) for subject in map(subject_of, representations))
    )


def with_federation(fixed: GraphQLSchema, sdl: Callable[[], str]) -> GraphQLObjectType:
    """The query type with ``_service`` and ``_entities`` beside the hub's own questions."""
    query = fixed.query_type
    if query is None:
        raise TypeError("the contract has no query type")
    anything = GraphQLScalarType("_Any", description=both("An entity's representation.", "实体表示。"))
    union = GraphQLUnionType(
        "_Entity",
        [fixed.type_map["Person"], fixed.type_map["Business"]],  # type: ignore[list-item]  # both are object types
        resolve_type=lambda value, *_: type(value).__name__,
        description=both("An entity of this subgraph.", "本子图的实体。"),
    )
    service = GraphQLObjectType(
        "_Service",
        {"sdl": GraphQLField(GraphQLString, description=both("The contract.", "契约。"))},
        description=both("This subgraph.", "本子图。"),
    )
    return GraphQLObjectType(
        query.name,
        {
            **query.fields,
            "_entities": _entities_field(anything, union),
            "_service": _service_field(service, sdl),
        },
        description=query.description,
    )


def _entities_field(anything: GraphQLScalarType, union: GraphQLUnionType) -> GraphQLField:
    representations = GraphQLArgument(GraphQLNonNull(GraphQLList(GraphQLNonNull(anything))))
    return GraphQLField(
        GraphQLNonNull(GraphQLList(union)),
        args={"representations": representations},
        resolve=_entities,
        description=both(
            "Entities by their keys (Apollo Federation).", "按主键取实体（Apollo Federation）。"
        ),
        extensions={ASKS: Asks(enters=_enters, roots=_roots)},
    )


def _service_field(service: GraphQLObjectType, sdl: Callable[[], str]) -> GraphQLField:
    return GraphQLField(
        GraphQLNonNull(service),
        resolve=lambda *_: {"sdl": sdl()},
        description=both(
            "This subgraph's contract (Apollo Federation).", "本子图契约（Apollo Federation）。"
        ),
    )


def subgraph_sdl(schema: GraphQLSchema) -> str:
    """The contract with its entities' keys, as a gateway composes it."""
    text = print_schema(schema)
    for name, key in KEYS.items():
        text = text.replace(f"\ntype {name} {{", f'\ntype {name} @key(fields: "{key}") {{')
    return f"{LINK}\n\n{text}\n"
