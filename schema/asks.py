"""What a GraphQL field asks of the catalogue: permits are decided on records and fields, not on names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField

from hub.subjects.model import Subject

Arguments = Mapping[str, Any]
Codes = tuple[str, ...]
Reads = Mapping[str, Codes]  # record code -> field codes

ASKS = "asks"


def _nothing(_: Arguments) -> Reads:
    return {}


@dataclass(frozen=True, slots=True)
class Asks:
    """``own``: fields of the record that the GraphQL field stands on.

    ``through``: a relation that is read to get from here to there. ``enters``: the records that the
    objects behind the field stand on, with what is read of them whatever is selected; None stays on
    the same record. ``roots``: the subjects that its arguments name.
    """

    own: Callable[[Arguments], Codes] = lambda _: ()
    through: Callable[[Arguments], Reads] = _nothing
    enters: Callable[[Arguments], Reads] | None = None
    roots: Callable[[Arguments], tuple[Subject, ...]] = lambda _: ()


NOTHING = Asks()


def own(*codes: str) -> Asks:
    """Asks these fields of the record it stands on."""
    return Asks(own=lambda _: codes)


def asks_of(field: GraphQLField) -> Asks:
    """What a field of the schema asks; a field that says nothing asks nothing and stays on its record."""
    known: Asks | None = field.extensions.get(ASKS)
    if known is None and "strawberry-definition" in field.extensions:
        known = field.extensions["strawberry-definition"].metadata.get(ASKS)
    return known or NOTHING
