"""Strawberry as it comes: its own ASGI application, types, resolvers and data loaders over the same SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import partial
from typing import Any, NewType, TypeVar

import strawberry
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.schema.config import StrawberryConfig

from tests.bench import statements as sql
from tests.bench.serving import serve, sources_dsn

ResidentIdNumber = NewType("ResidentIdNumber", str)
Made = TypeVar("Made")


@strawberry.enum
class Sex(Enum):
    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    UNSTATED = "9"


@strawberry.enum
class CertificateStatus(Enum):
    VALID = "01"
    WITHHELD = "02"
    RESCINDED = "03"
    CANCELLED = "04"
    LAPSED = "05"
    TRANSFERRED_OUT = "06"
    REVOKED = "07"
    OTHER = "99"


@strawberry.type
class EvidenceType:
    code: str


@strawberry.type
class Certificate:
    id: strawberry.ID
    number: str | None
    valid_until: date | None
    status: CertificateStatus | None
    issued_on: date | None = None
    type: EvidenceType | None = None


@strawberry.type
class Business:
    uscc: str
    name: str | None
    status: str | None
    address: str | None
    representative: strawberry.Private[str]

    @strawberry.field
    async def certificates(self, info: strawberry.Info, types: list[str]) -> list[Certificate] | None:
        return await _loaders(info).licences.load(self.uscc)

    @strawberry.field
    async def legal_representative(self, info: strawberry.Info) -> Person | None:
        return await _loaders(info).representatives.load(self.representative)


@strawberry.type
class Person:
    id_number: ResidentIdNumber
    name: str | None
    sex: Sex | None = None
    birth_date: date | None = None
    address: str | None = None

    @strawberry.field
    async def certificates(self, info: strawberry.Info, types: list[str]) -> list[Certificate] | None:
        found = await _loaders(info).certificates.load(self.id_number)
        return [certificate for certificate in found if certificate.type and certificate.type.code in types]

    @strawberry.field
    async def businesses(self, info: strawberry.Info) -> list[Business] | None:
        return await _loaders(info).businesses.load(self.id_number)


@strawberry.type
class Query:
    @strawberry.field
    async def people(
        self, info: strawberry.Info, id_numbers: list[ResidentIdNumber]
    ) -> list[Person | None] | None:
        return await _loaders(info).people.load_many(id_numbers)


def _loaders(info: strawberry.Info) -> Loaders:
    found: Loaders = info.context["loaders"]
    return found


def _person(row: sql.Record) -> Person:
    number, name, sex, born, address = row
    return Person(id_number=number, name=name, sex=Sex(sex), birth_date=born, address=address)


def _representative(row: sql.Record) -> Person:
    return Person(id_number=row[0], name=row[1])


def _certificate(row: sql.Record) -> Certificate:
    _, code, identifier, number, issued, until, status = row
    return Certificate(
        id=identifier,
        number=number,
        valid_until=until,
        status=CertificateStatus(status),
        issued_on=issued,
        type=EvidenceType(code=code),
    )


def _licence(row: sql.Record) -> Certificate:
    _, identifier, number, until, status = row
    return Certificate(id=identifier, number=number, valid_until=until, status=CertificateStatus(status))


def _business(row: sql.Record) -> Business:
    _, uscc, name, status, address, representative = row
    return Business(uscc=uscc, name=name, status=status, address=address, representative=representative)


@dataclass
class Loaders:
    """The loaders of one request."""

    people: DataLoader[str, Person | None]
    representatives: DataLoader[str, Person | None]
    certificates: DataLoader[str, list[Certificate]]
    businesses: DataLoader[str, list[Business]]
    licences: DataLoader[str, list[Certificate]]

    @staticmethod
    def over(leases: sql.Leases) -> Loaders:
        """Loaders that ask the sources."""

        async def one(
            statement: str, make: Callable[[sql.Record], Made], keys: list[str]
        ) -> list[Made | None]:
            found = {row[0]: make(row) for row in await leases.fetch(statement, keys)}
            return [found.get(key) for key in keys]

        async def many(
            statement: str, make: Callable[[sql.Record], Made], keys: list[str]
        ) -> list[list[Made]]:
            found: dict[str, list[Made]] = {key: [] for key in keys}
            for row in await leases.fetch(statement, keys):
                found[row[0]].append(make(row))
            return [found[key] for key in keys]

        return Loaders(
            DataLoader(partial(one, sql.PEOPLE, _person)),
            DataLoader(partial(one, sql.LEGAL_REPRESENTATIVES, _representative)),
            DataLoader(partial(many, sql.CERTIFICATES, _certificate)),
            DataLoader(partial(many, sql.BUSINESSES, _business)),
            DataLoader(partial(many, sql.LICENCES, _licence)),
        )


class Application(GraphQL[dict[str, Loaders], None]):
    """Strawberry's application with loaders for each request."""

    def __init__(self, schema: strawberry.Schema, leases: sql.Leases) -> None:
        super().__init__(schema)
        self.leases = leases

    async def get_context(self, request: Any, response: Any) -> dict[str, Loaders]:
        """The context of one request."""
        return {"loaders": Loaders.over(self.leases)}


def schema() -> strawberry.Schema:
    """The part of the contract that the question uses."""
    scalar = strawberry.scalar(name="ResidentIdNumber", serialize=str, parse_value=str)
    return strawberry.Schema(Query, config=StrawberryConfig(scalar_map={ResidentIdNumber: scalar}))


if __name__ == "__main__":
    serve(Application(schema(), sql.Leases(sources_dsn())))
