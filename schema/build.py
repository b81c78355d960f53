"""Builds the contract from a snapshot of the catalogue: fixed types once, evidence types joined to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLInterfaceType, GraphQLSchema, OperationDefinitionNode
from strawberry.schema.config import StrawberryConfig

from hub.catalogue.model import Kind, RecordCode, Snapshot
from hub.catalogue.service import Active, CatalogueService
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

    The plans of trusted documents are kept apart: those of others never drive them out.
    """

    snapshot: Snapshot
    schema: GraphQLSchema
    documents: Documents
    record_of_type: Mapping[str, RecordCode]
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
    fixed = fixed_schema()
    evidence = [record for record in snapshot.records.values() if record.kind is Kind.EVIDENCE]
    named = {name: fixed.type_map[name] for name in TYPE_NAMES.values() if name in fixed.type_map}
    objects = [evidence_object(record, _certificate(fixed), named) for record in evidence]
    types = [*named.values(), *objects]
    plain = GraphQLSchema(query=fixed.query_type, types=types, directives=fixed.directives)
    query = with_federation(fixed, subgraph_sdl(plain))
    schema = GraphQLSchema(query=query, types=types, directives=fixed.directives)
    record_of_type: dict[str, Any] = dict(RECORDS) | {
        type_name(record.code): record.code for record in evidence
    }
    return Contract(snapshot, schema, Documents(schema), record_of_type)


class Contracts:
    """The contract of the catalogue's present state, built again when the state has changed."""

    def __init__(self, catalogue: CatalogueService) -> None:
        self.catalogue = catalogue
        self.built: Contract | None = None

    def __call__(self) -> tuple[Contract, Active]:
        """The contract and the state that it is of."""
        active = self.catalogue.active
        if self.built is None or self.built.snapshot is not active.snapshot:
            self.built = build_schema(active.snapshot)
        return self.built, active
