"""The floor: the approval join written by hand, with nothing between the socket and PostgreSQL but need."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from tests.bench import statements as sql
from tests.bench.serving import serve, sources_dsn

SEXES = {"0": "UNKNOWN", "1": "MALE", "2": "FEMALE", "9": "UNSTATED"}
STATUSES = {
    "01": "VALID",
    "02": "WITHHELD",
    "03": "RESCINDED",
    "04": "CANCELLED",
    "05": "LAPSED",
    "06": "TRANSFERRED_OUT",
    "07": "REVOKED",
    "99": "OTHER",
}

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Lists = dict[str, list[dict[str, Any]]]
People = list[dict[str, Any] | None]


class Variables(msgspec.Struct):
    """The variables of the one question."""

    people: list[str]


class Posted(msgspec.Struct):
    """What the floor reads of a request."""

    variables: Variables


class Floor:
    """A bare ASGI callable that answers the one question; ``people`` finds what it is about."""

    def __init__(self, people: Callable[[list[str]], Awaitable[People]]) -> None:
        self.people = people
        self.decode = msgspec.json.Decoder(Posted).decode
        self.encode = msgspec.json.Encoder().encode

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        people = await self.people(self.decode(body).variables.people)
        answer = self.encode({"data": {"people": people}})
        length = str(len(answer)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


class Tables:
    """The join over PostgreSQL."""

    def __init__(self, leases: sql.Leases) -> None:
        self.fetch = leases.fetch

    async def people(self, numbers: list[str]) -> People:
        """Two waves of batched statements, then dicts from the bottom up."""
        people, certificates, businesses = await asyncio.gather(
            self.fetch(sql.PEOPLE, numbers),
            self.fetch(sql.CERTIFICATES, numbers),
            self.fetch(sql.BUSINESSES, numbers),
        )
        licences, representatives = await asyncio.gather(
            self.fetch(sql.LICENCES, list({row[1] for row in businesses})),
            self.fetch(sql.LEGAL_REPRESENTATIVES, list({row[5] for row in businesses})),
        )
        held = _certificates(certificates)
        owned = _businesses(businesses, _licences(licences), representatives)
        by_number = {
            number: {
                "idNumber": number,
                "name": name,
                "sex": SEXES[sex],
                "birthDate": born,
                "address": address,
                "certificates": held.get(number, []),
                "businesses": owned.get(number, []),
            }
            for number, name, sex, born, address in people
        }
        return [by_number.get(number) for number in numbers]


def _certificates(rows: Sequence[sql.Record]) -> Lists:
    found: Lists = {}
    for holder, code, identifier, number, issued, until, status in rows:
        found.setdefault(holder, []).append(
            {
                "id": identifier,
                "type": {"code": code},
                "number": number,
                "issuedOn": issued,
                "validUntil": until,
                "status": STATUSES[status],
            }
        )
    return found


def _licences(rows: Sequence[sql.Record]) -> Lists:
    found: Lists = {}
    for holder, identifier, number, until, status in rows:
        found.setdefault(holder, []).append(
            {"id": identifier, "number": number, "validUntil": until, "status": STATUSES[status]}
        )
    return found


def _businesses(rows: Sequence[sql.Record], licences: Lists, representatives: Sequence[sql.Record]) -> Lists:
    people = {number: {"idNumber": number, "name": name} for number, name in representatives}
    found: Lists = {}
    for member, uscc, name, status, address, representative in rows:
        found.setdefault(member, []).append(
            {
                "uscc": uscc,
                "name": name,
                "status": status,
                "address": address,
                "certificates": licences.get(uscc, []),
                "legalRepresentative": people.get(representative),
            }
        )
    return found


if __name__ == "__main__":
    serve(Floor(Tables(sql.Leases(sources_dsn())).people))
