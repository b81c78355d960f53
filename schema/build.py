"""Builds the contract from a snapshot of the catalogue: fixed types once, evidence types joined to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import strawberry
from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
)
from strawberry.schema.config import StrawberryConfig

from hub.catalogue.model import Kind, RecordCode, RecordType, Snapshot
from hub.catalogue.service import Active, CatalogueService
from hub.kernel.log import get_log
from schema.certificates import Certificate
from schema.evidence_types import TYPE_NAMES, evidence_object, name_of_certificate, type_name
from schema.execution.document import Document, Documents
from schema.execution.prepare import Plans, Prepared
from schema.federation import RECORDS, subgraph_sdl, with_federation
from schema.query import Query
from schema.records import CodedValue, Money, Region
from schema.scalars import SCALARS


@dataclass(frozen=True, slots=True)
class Contract:
    """One state of the contract. ``record_of_type``: the record that an object type stands on.

    ``evidence`` are its evidence types. The plans of trusted documents are kept apart: those of others never
    drive them out.
    """

    snapshot: Snapshot
    schema: GraphQLSchema
    documents: Documents
    record_of_type: Mapping[str, RecordCode]
    evidence: Mapping[RecordCode, GraphQLObjectType]
    plans: Plans = field(default_factory=Plans)
    trusted_plans: Plans = field(default_factory=Plans)

    def prepared(self, document: Document, operation: OperationDefinitionNode) -> Prepared:
        """An operation of a document, prepared once; what is prepared lives as long as its document."""
        name = operation.name.value if operation.name else ""
        if name not in document.prepared:
            plans = self.trusted_plans if document.trusted else self.plans
            document.prepared[name] = Prepared(
                self.schema, self.snapshot.records, self.record_of_type, plans, document, operation
            )
        found: Prepared = document.prepared[name]
        return found


@cache
def fixed_schema() -> GraphQLSchema:
    """The types that no catalogue changes, declared with Strawberry."""
    declared = strawberry.Schema(
        Query,
        types=[Certificate, Money, Region, CodedValue],
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    schema: GraphQLSchema = declared._schema  # noqa: SLF001  the graphql-core schema has no other door
    _certificate(schema).resolve_type = name_of_certificate
    return schema


def _certificate(schema: GraphQLSchema) -> GraphQLInterfaceType:
    interface = schema.type_map["Certificate"]
    if not isinstance(interface, GraphQLInterfaceType):
        raise TypeError("Certificate is the interface of all evidence types")
    return interface


def build_schema(snapshot: Snapshot) -> Contract:
    """The contract of a snapshot: its evidence types joined to the fixed types."""
    evidence = {record.code: _object(record) for record in _evidence(snapshot)}
    schema = _joined(evidence.values())
    return Contract(snapshot, schema, Documents(schema), _records_of(evidence), evidence)


def successor(before: Contract, snapshot: Snapshot) -> Contract:
    """The contract of the next snapshot: only evidence types that changed are made anew.

    Documents and plans that none of them concerns stay as they are. From then on ``before`` serves only the
    requests that began with it.
    """
    known = before.snapshot.records
    evidence = {
        record.code: before.evidence[record.code] if known.get(record.code) == record else _object(record)
        for record in _evidence(snapshot)
    }
    changed = frozenset(code for code in known if snapshot.records.get(code) != known[code])
    if evidence == before.evidence and not changed:
        return replace(before, snapshot=snapshot)
    schema, record_of_type = _joined(evidence.values()), _records_of(evidence)
    documents = before.documents.moved(schema, frozenset(map(type_name, changed)))
    prepared = [one for document in documents.all() for one in document.prepared.values()]
    plans, trusted_plans = (
        one.moved(frozenset(prepared), changed) for one in (before.plans, before.trusted_plans)
    )
    for one in prepared:
        mine = trusted_plans if one.document.trusted else plans
        one.move(schema, snapshot.records, record_of_type, mine)
    return Contract(snapshot, schema, documents, record_of_type, evidence, plans, trusted_plans)


def _evidence(snapshot: Snapshot) -> Iterator[RecordType]:
    return (record for record in snapshot.records.values() if record.kind is Kind.EVIDENCE)


def _object(record: RecordType) -> GraphQLObjectType:
    fixed = fixed_schema()
    return evidence_object(record, _certificate(fixed), _named(fixed))


def _joined(objects: Iterable[GraphQLObjectType]) -> GraphQLSchema:
    """The fixed types are valid, and so are names and fields that the catalogue took in: it is not asked."""
    fixed = fixed_schema()
    types: list[GraphQLNamedType] = [*_named(fixed).values(), *objects]

    @cache
    def sdl() -> str:
        plain = GraphQLSchema(query=fixed.query_type, types=types, directives=fixed.directives)
        return subgraph_sdl(plain)

    query = with_federation(fixed, sdl)
    return GraphQLSchema(query=query, types=types, directives=fixed.directives, assume_valid=True)


def _named(fixed: GraphQLSchema) -> dict[str, GraphQLNamedType]:
    return {name: fixed.type_map[name] for name in TYPE_NAMES.values() if name in fixed.type_map}


def _records_of(evidence: Iterable[RecordCode]) -> dict[str, Any]:
    return dict(RECORDS) | {type_name(code): code for code in evidence}


class Contracts:
    """The contract of the catalogue's present state, built anew as far as the state has changed."""

    def __init__(self, catalogue: CatalogueService) -> None:
        self.catalogue = catalogue
        self.built: Contract | None = None
        self.unusable: Snapshot | None = None

    def __call__(self) -> tuple[Contract, Active]:
        """The contract and the state that it is of.

        A snapshot of which no contract can be made ends nobody else's: the contract before stays.
        """
        active = self.catalogue.active
        if self.built is None:
            self.built = build_schema(active.snapshot)
        elif active.snapshot is not self.built.snapshot and active.snapshot is not self.unusable:
            self._follow(self.built, active.snapshot)
        return self.built, active

    def _follow(self, before: Contract, snapshot: Snapshot) -> None:
        try:
            self.built = successor(before, snapshot)
        except Exception:  # noqa: BLE001  whatever is wrong with one type is not the others' affair
            self.unusable = snapshot
            get_log().error("contract_unusable", version=snapshot.version, exc_info=True)
