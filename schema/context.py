"""What one request carries through its resolvers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLResolveInfo

from hub.catalogue.model import Snapshot
from hub.regions.service import RegionService
from schema.loaders import Loaders

ReadsAt = Mapping[int, Mapping[str, frozenset[str]]]  # id of a field node -> record code -> field codes


@dataclass(frozen=True, slots=True)
class Context:
    """``reads``: what is read behind each field node of the operation, by record."""

    snapshot: Snapshot
    regions: RegionService
    loaders: Loaders
    reads: ReadsAt

    def columns(self, nodes: list[FieldNode], record: str) -> frozenset[str]:
        """The fields of a record that the selections behind these nodes ask for."""
        empty: frozenset[str] = frozenset()
        return empty.union(*(self.reads[id(node)].get(record, empty) for node in nodes))


def context_of(info: strawberry.Info | GraphQLResolveInfo[Any]) -> Context:
    """The request's context."""
    context = info.context
    if not isinstance(context, Context):
        raise TypeError("a resolver ran without the request's context")
    return context


def columns_of(info: strawberry.Info, record: str) -> frozenset[str]:
    """The fields of a record that the selections behind this field ask for."""
    return context_of(info).columns(info._raw_info.field_nodes, record)  # noqa: SLF001  Strawberry shows only its own form
