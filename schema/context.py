"""What one request carries through its resolvers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLResolveInfo

from hub.catalogue.model import Snapshot
from hub.regions.service import RegionService
from schema.budget import Budget
from schema.loaders import Loaders

ReadsAt = Mapping[int, Mapping[str, frozenset[str]]]  # id of a field node -> record code -> field codes


@dataclass(frozen=True, slots=True)
class Context:
    """``reads``: what is read behind each field node, by record; ``widths``: fields of each object there."""

    snapshot: Snapshot
    regions: RegionService
    loaders: Loaders
    reads: ReadsAt
    widths: Mapping[int, int]
    budget: Budget = field(default_factory=Budget)

    def columns(self, nodes: list[FieldNode], record: str) -> frozenset[str]:
        """The fields of a record that the selections behind these nodes ask for."""
        empty: frozenset[str] = frozenset()
        return empty.union(*(self.reads[id(node)].get(record, empty) for node in nodes))

    def spend(self, nodes: list[FieldNode], objects: int) -> None:
        """Takes the objects behind these nodes out of the budget."""
        self.budget.spend(objects * max(1, sum(self.widths.get(id(node), 0) for node in nodes)))


def context_of(info: strawberry.Info | GraphQLResolveInfo[Any]) -> Context:
    """The request's context."""
    context = info.context
    if not isinstance(context, Context):
        raise TypeError("a resolver ran without the request's context")
    return context


def columns_of(info: strawberry.Info, record: str) -> frozenset[str]:
    """The fields of a record that the selections behind this field ask for."""
    return context_of(info).columns(info._raw_info.field_nodes, record)  # noqa: SLF001  Strawberry shows only its own form


def spend(info: strawberry.Info, objects: int) -> None:
    """Takes the objects behind this field out of the request's budget; raises HubError when it is used up."""
    context_of(info).spend(info._raw_info.field_nodes, objects)  # noqa: SLF001  as above
