"""Norway's business register and Singapore's Myinfo become facts by a manifest alone."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from connectors.contract import Answer, Ask, Connector
from tests.connectors import samples, services

NORWAY = """
[connector]
id = "no-brreg"
agency = "11370300004220030X"
kind = "rest"
name = { zh = "挪威企业登记", en = "Norway's business register" }
tell = "none"
[connector.address]
url = "http://127.0.0.1:PORT/enhetsregisteret/api"

[[offerings]]
name = "business"
record = "business"
key = "uscc"
freshness = "P1D"
[offerings.request]
path = "/enheter/$key"
[offerings.response]
key = "organisasjonsnummer"
[offerings.fields]
name = "navn"
legal_form = "organisasjonsform.kode"
established = { path = "stiftelsesdato", date = "iso" }
deregistered = { path = "slettedato", date = "iso" }
address = "forretningsadresse.adresse.0"
bankrupt = { path = "konkurs", boolean = true }
[[offerings.outcomes]]
status = 200
outcome = "found"
[[offerings.outcomes]]
status = 404
outcome = "absent"

[[offerings]]
name = "named"
record = "business_by_name"
key = "name"
many = true
freshness = "P1D"
[offerings.request]
path = "/enheter"
query = { navn = "$key", page = "$page", size = "2" }
[offerings.response]
rows = "_embedded.enheter"
total = "page.totalElements"
paging = { first = 0, pages = "page.totalPages", most = 5 }
[offerings.fields]
uscc = "organisasjonsnummer"
registered = "navn"
[[offerings.outcomes]]
status = 200
path = "page.totalElements"
equals = "0"
outcome = "absent"
[[offerings.outcomes]]
status = 200
outcome = "found"

[[offerings]]
name = "roles"
record = "business_role"
key = "uscc"
many = true
freshness = "P1D"
[offerings.request]
path = "/enheter/$key/roller"
[offerings.response]
rows = "rollegrupper"
items = "roller"
[offerings.fields]
role = "type.kode"
family_name = "person.navn.etternavn"
business = "enhet.organisasjonsnummer"
[[offerings.outcomes]]
status = 200
outcome = "found"
"""

SINGAPORE = """
[connector]
id = "sg-myinfo"
agency = "11370300004220030X"
kind = "rest"
name = { zh = "新加坡个人信息", en = "Singapore's Myinfo" }
tell = "none"
[connector.address]
url = "http://127.0.0.1:PORT"
[[offerings]]
name = "person"
record = "person"
key = "id_number"
freshness = "PT10M"
[offerings.request]
path = "/personas/$key"
[offerings.response]
key = "uinfin.value"
[offerings.as_of]
path = "name.lastupdated"
date = "iso"
row = true
[offerings.fields]
name = "name.value"
sex = { path = "sex.code", codes = { M = "1", F = "2", U = "0" } }
birth_date = { path = "dob.value", date = "iso" }
marital = "marital.desc"
passport_until = { path = "passportexpirydate.value", date = "iso" }
source = { path = "name.source", codes = { "1" = "government", "2" = "user", "4" = "third party" } }
class = { path = "name.classification", codes = { C = "confidential" } }
[[offerings.outcomes]]
status = 200
outcome = "found"
[[offerings.outcomes]]
status = 404
outcome = "absent"
"""


class Register:
    """Norway's answers as they were recorded, behind its own addresses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "no-brreg-fixtures/tests/data"
        self.asked: list[str] = []

    async def __call__(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        names = {
            "/enheter/112233445": "enheter-details",
            "/enheter/123456789": "enheter-details-deleted",
            "/enheter/810004622/roller": "enheter-roller-person",
            "/enheter/810006242/roller": "enheter-roller-enhet",
        }
        path = urlsplit(request.path).path.removeprefix("/enhetsregisteret/api")
        if path == "/enheter":
            is_known = request.query["navn"] == "Sesam"
            number = int(request.query["page"]) + 1
            return self._recorded(f"enheter-search-page{number}" if is_known else "enheter-search-empty")
        return self._recorded(names[path]) if path in names else web.json_response({}, status=404)

    def _recorded(self, name: str) -> web.Response:
        body = (self._folder / f"{name}-response.json").read_bytes()
        return web.Response(body=body, content_type="application/json")


@asynccontextmanager
async def opened(text: str, service: Any) -> AsyncIterator[Connector]:
    through = samples.transport()
    async with services.http(service) as port:
        connector = samples.opened(text.replace("PORT", str(port)), through)
        try:
            yield connector
        finally:
            await connector.close()
            await through.close()


async def fetch(connector: Connector, offering: str, *keys: str) -> tuple[Answer, tuple[str, ...]]:
    columns = next(one.columns for one in connector.describe() if one.name == offering)
    ask = Ask(offering, keys, columns, (), time.monotonic() + 3, "c")
    return await connector.fetch(ask), columns


def as_dicts(answer: Answer, columns: tuple[str, ...], key: str) -> list[dict[str, object]]:
    return [dict(zip(columns, row, strict=True)) for row in answer.rows[key]]


async def test_a_norwegian_business_that_lives_one_that_was_deleted_and_none(foreign_data: Path) -> None:
    async with opened(NORWAY, Register(foreign_data)) as connector:
        answer, columns = await fetch(connector, "business", "112233445", "123456789", "999999999")
    assert not answer.faults
    assert as_dicts(answer, columns, "112233445") == [
        {
            "uscc": "112233445",
            "name": "SESAM STASJON",
            "legal_form": "AS",
            "established": "2017-10-20",
            "deregistered": None,
            "address": "Tyvholmen 1",
            "bankrupt": False,
        }
    ]
    (deleted,) = as_dicts(answer, columns, "123456789")
    assert (deleted["deregistered"], deleted["address"], deleted["bankrupt"]) == ("2017-10-20", None, None)
    assert answer.rows["999999999"] == ()


async def test_all_pages_of_a_norwegian_search_and_an_empty_one(foreign_data: Path) -> None:
    register = Register(foreign_data)
    async with opened(NORWAY, register) as connector:
        answer, columns = await fetch(connector, "named", "Sesam")
        nobody, _ = await fetch(connector, "named", "jibberish")
    found = as_dicts(answer, columns, "Sesam")
    assert len({one["uscc"] for one in found}) == 3
    assert found[0]["registered"] == "SESAM AS"
    assert nobody.rows == {"jibberish": ()}
    assert len(register.asked) == 3


async def test_norwegian_roles_of_people_and_of_businesses(foreign_data: Path) -> None:
    async with opened(NORWAY, Register(foreign_data)) as connector:
        answer, columns = await fetch(connector, "roles", "810004622", "810006242")
    assert as_dicts(answer, columns, "810004622") == [
        {"uscc": "810004622", "role": "LEDE", "family_name": "Olsen", "business": None}
    ]
    assert {one["business"] for one in as_dicts(answer, columns, "810006242")} >= {"810006242"}


async def test_every_singaporean_persona_with_source_class_and_age(foreign_data: Path) -> None:
    file = foreign_data / "sg-myinfo-personas/v3-personas.json"
    personas = json.loads(file.read_bytes())["personas"]

    async def answer_one(request: web.Request) -> web.Response:
        persona = personas.get(request.path.removeprefix("/personas/"))
        return web.json_response(persona or {}, status=200 if persona else 404)

    keys = tuple(personas)
    async with opened(SINGAPORE, answer_one) as connector:
        answer, columns = await fetch(connector, "person", *keys)
        nobody, _ = await fetch(connector, "person", "S0000000X")
    assert (answer.faults, nobody.rows) == ({}, {"S0000000X": ()})
    for key in keys:
        (fact,) = as_dicts(answer, columns, key)
        persona = personas[key]
        assert (fact["name"], fact["birth_date"]) == (persona["name"]["value"], persona["dob"]["value"])
        assert fact["sex"] == {"M": "1", "F": "2", "U": "0"}[persona["sex"]["code"]]
        assert (fact["source"], fact["class"]) == ("government", "confidential")
        assert fact["passport_until"] == (persona["passportexpirydate"]["value"] or None)
    oldest = min(persona["name"]["lastupdated"] for persona in personas.values())
    assert answer.as_of == datetime.fromisoformat(f"{oldest}T00:00:00+08:00")
