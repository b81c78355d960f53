"""The forms in which the contract shows a fact's value, known to resolvers and compiled plans alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from graphql import GraphQLField

from hub.catalogue.model import Label

FACT = "fact"


@dataclass(frozen=True, slots=True)
class Plain:
    """As it is."""


@dataclass(frozen=True, slots=True)
class Enumerated:
    """A value of a GraphQL enum."""

    kind: type[Enum]


@dataclass(frozen=True, slots=True)
class Amount:
    """Money: "AMOUNT CURRENCY" in two fields."""


@dataclass(frozen=True, slots=True)
class Division:
    """An administrative division by its code."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of texts."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A code with its meaning."""

    codes: Mapping[str, Label]


FactForm = Plain | Enumerated | Amount | Division | Listed | Coded
PLAIN = Plain()


@dataclass(frozen=True, slots=True)
class Fact:
    """A field that is one fact: its code in the catalogue, and its form."""

    code: str
    form: FactForm


def fact_of(field: GraphQLField) -> Fact | None:
    """The fact that a field of the schema is, None for any other field."""
    known: Fact | None = field.extensions.get(FACT)
    if known is None and "strawberry-definition" in field.extensions:
        known = field.extensions["strawberry-definition"].metadata.get(FACT)
    return known
