"""The floor over HTTP: the same join written by hand, over the agencies' calls and the hub's own client."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from connectors.transport import Call, Reply, Transport
from tests.bench.city import CERTIFICATES
from tests.bench.floor import SEXES, STATUSES, Floor, Lists, People
from tests.bench.serving import SOURCES, serve

PATIENCE_SECONDS = 10.0
LARGEST = 16_000_000
HEADERS = {"Content-Type": "application/json"}


class Person(msgspec.Struct):
    """A row of the police."""

    id_number: str
    name: str
    sex: str
    birth_date: str
    address: str


class Role(msgspec.Struct):
    """Who belongs to which business."""

    person_id: str
    uscc: str


class Business(msgspec.Struct):
    """A row of the market supervision."""

    uscc: str
    name: str
    status: str
    address: str
    legal_representative: str


class Certificate(msgspec.Struct):
    """A row of the licence store."""

    holder: str
    identifier: str
    number: str
    issued_on: str
    valid_until: str
    status: str


Row = TypeVar("Row", bound=msgspec.Struct)


class Rows(msgspec.Struct, Generic[Row]):
    """The body of every answer."""

    rows: list[Row]


PEOPLE = msgspec.json.Decoder(Rows[Person])
ROLES = msgspec.json.Decoder(Rows[Role])
BUSINESSES = msgspec.json.Decoder(Rows[Business])
HELD = msgspec.json.Decoder(Rows[Certificate])


class Services:
    """The join over HTTP: three waves, one call for each service that the agencies offer.

    A service is what the hub's manifests name too, so that both ask the same questions.
    """

    def __init__(self, url: str, transport: Transport) -> None:
        self.url = url
        self.transport = transport

    async def ask(
        self, service: str, decoder: msgspec.json.Decoder[Rows[Row]], keys: Iterable[str]
    ) -> list[Row]:
        """The rows of a service; raises RuntimeError when there are none to be had."""
        body = msgspec.json.encode({"keys": list(keys)})
        deadline = time.monotonic() + PATIENCE_SECONDS
        reply = await self.transport.send(
            Call("POST", f"{self.url}/{service}", HEADERS, body, None, LARGEST, deadline)
        )
        if not isinstance(reply, Reply) or reply.status != 200:
            raise RuntimeError(f"the source {service} does not answer")
        return decoder.decode(reply.body).rows

    async def people(self, numbers: list[str]) -> People:
        """Three waves of batched calls, then dicts from the bottom up."""
        people, roles, held = await asyncio.gather(
            self.ask("person", PEOPLE, numbers),
            self.ask("business_role", ROLES, numbers),
            asyncio.gather(*(self.ask(code, HELD, numbers) for code in CERTIFICATES)),
        )
        owned = dict.fromkeys(role.uscc for role in roles)
        businesses, licences = await asyncio.gather(
            self.ask("business", BUSINESSES, owned), self.ask("licence", HELD, owned)
        )
        known = {person.id_number: person for person in people}
        missing = {one.legal_representative for one in businesses} - known.keys()
        if missing:
            known |= {person.id_number: person for person in await self.ask("person", PEOPLE, missing)}
        certificates = _certificates(held)
        by_uscc = _businesses(businesses, _licences(licences), known)
        members: Lists = {}
        for role in roles:
            members.setdefault(role.person_id, []).append(by_uscc[role.uscc])
        return [_person(known.get(number), certificates, members) for number in numbers]


def _person(person: Person | None, certificates: Lists, members: Lists) -> dict[str, Any] | None:
    if person is None:
        return None
    return {
        "idNumber": person.id_number,
        "name": person.name,
        "sex": SEXES[person.sex],
        "birthDate": person.birth_date,
        "address": person.address,
        "certificates": certificates.get(person.id_number, []),
        "businesses": members.get(person.id_number, []),
    }


def _certificates(held: Sequence[Sequence[Certificate]]) -> Lists:
    found: Lists = {}
    for code, rows in zip(CERTIFICATES, held, strict=True):
        for row in rows:
            found.setdefault(row.holder, []).append(
                {
                    "id": row.identifier,
                    "type": {"code": code},
                    "number": row.number,
                    "issuedOn": row.issued_on,
                    "validUntil": row.valid_until,
                    "status": STATUSES[row.status],
                }
            )
    return found


def _licences(rows: Sequence[Certificate]) -> Lists:
    found: Lists = {}
    for row in rows:
        found.setdefault(row.holder, []).append(
            {
                "id": row.identifier,
                "number": row.number,
                "validUntil": row.valid_until,
                "status": STATUSES[row.status],
            }
        )
    return found


def _businesses(
    rows: Sequence[Business], licences: Lists, people: dict[str, Person]
) -> dict[str, dict[str, Any]]:
    return {
        row.uscc: {
            "uscc": row.uscc,
            "name": row.name,
            "status": row.status,
            "address": row.address,
            "certificates": licences.get(row.uscc, []),
            "legalRepresentative": _representative(people.get(row.legal_representative)),
        }
        for row in rows
    }


def _representative(person: Person | None) -> dict[str, Any] | None:
    return None if person is None else {"idNumber": person.id_number, "name": person.name}


def create(url: str) -> Floor:
    """The floor over the services at a URL, which is the only place that it can reach."""
    parts = urlsplit(url)
    port = parts.port or 80
    approved = ((ip_network(f"{parts.hostname}/32"), (range(port, port + 1),)),)
    return Floor(Services(url, Transport(approved, (), lambda: datetime.now(UTC))).people)


if __name__ == "__main__":
    serve(create(os.environ[SOURCES]))
