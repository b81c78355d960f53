"""The agencies' side over HTTP: the whole city in memory, encoded beforehand, with every call counted."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from tests.bench.city import City, draw
from tests.bench.serving import serve

PEOPLE = "BENCH_PEOPLE"
COUNTS, SLOW = "/counts", "/slow"
COLUMNS = {  # of each table
    "person": ("id_number", "name", "sex", "birth_date", "address"),
    "certificate": ("identifier", "number", "holder", "issued_on", "valid_until", "status"),
    "business": ("uscc", "name", "status", "address", "legal_representative"),
    "business_role": ("person_id", "uscc", "role", "since"),
    "licence": ("identifier", "number", "holder", "issued_on", "valid_until", "status"),
}
KEYS = {"person": "id_number", "business": "uscc", "business_role": "person_id"}
HOLDER = "holder"

Shelf = dict[str, bytes]  # by key: its rows, encoded, with commas between them
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Asked(msgspec.Struct):
    """A call of an agency."""

    keys: list[str]


class Slowness(msgspec.Struct):
    """How long each of these offerings lets its callers wait from now on, in seconds."""

    offerings: list[str]
    seconds: float


class Agencies:
    """A bare ASGI callable: ``POST /VERSION/OFFERING`` with ``{"keys": [...]}``."""

    def __init__(self, city: City) -> None:
        self.shelves = shelves(city)
        self.calls: Counter[str] = Counter()
        self.slow: dict[str, float] = {}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        answer = await self.answer(scope["path"], body)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200 if answer else 404, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def answer(self, path: str, body: bytes) -> bytes:
        """The body of an answer; none where there is no such path."""
        if path == COUNTS:
            counted, self.calls = self.calls, Counter()
            return msgspec.json.encode(counted)
        if path == SLOW:
            told = msgspec.json.decode(body, type=Slowness)
            self.slow = dict.fromkeys(told.offerings, told.seconds) if told.seconds else {}
            return b"{}"
        offering = path.rpartition("/")[2]
        shelf = self.shelves.get(offering)
        if shelf is None:
            return b""
        self.calls[path] += 1
        if offering in self.slow:
            await asyncio.sleep(self.slow[offering])
        keys = msgspec.json.decode(body, type=Asked).keys
        return b'{"rows":[%s]}' % b",".join([shelf[key] for key in keys if key in shelf])


def shelves(city: City) -> dict[str, Shelf]:
    """What every offering answers, by its name in the path."""
    rows: dict[str, dict[str, list[bytes]]] = {}
    for table, lines in city.lines.items():
        for line in lines:
            offering = str(line[0]) if table == "certificate" else table
            values = line[1:] if table == "certificate" else line
            row = dict(zip(COLUMNS[table], values, strict=True))
            key = str(row[KEYS.get(table, HOLDER)])
            rows.setdefault(offering, {}).setdefault(key, []).append(msgspec.json.encode(row))
    return {name: {key: b",".join(own) for key, own in found.items()} for name, found in rows.items()}


if __name__ == "__main__":
    serve(Agencies(draw(int(os.environ[PEOPLE]))))
