"""The three queries that stand ready on the query page of a demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "web" / "graphiql" / "ready"


@dataclass(frozen=True, slots=True)
class ReadyQuery:
    """A query that stands ready in GraphiQL, with its variables."""

    query: str
    variables: Mapping[str, object]


def ready_queries(person: str, people: Sequence[str], business: str) -> tuple[ReadyQuery, ...]:
    """Queries about these ID numbers and this unified social credit code, in the order of their tabs.

    They read of ``person``: name, birth_date, deceased, under_investigation; of ``business``: name, status,
    registered_capital, legal_representative; roles by person; of resident_id_card, business_licence,
    drug_business_licence and food_business_licence: number, status, valid_until and holder.
    """
    return (
        ReadyQuery(_read("1-one-person"), {"idNumber": person}),
        ReadyQuery(_read("2-several-people"), {"idNumbers": list(people)}),
        ReadyQuery(_read("3-one-business"), {"uscc": business}),
    )


def _read(name: str) -> str:
    return (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")
