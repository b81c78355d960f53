"""Decides what ``demo.json`` tells a script: where to ask, as whom, what for, and about whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from hub.demo.authorities import department
from hub.demo.businesses import uscc_of
from hub.demo.cast import read_businesses, read_people
from hub.demo.city import City
from hub.demo.model import TODAY
from hub.demo.place import Place
from hub.demo.records import read_records
from hub.demo.seed import AGENCIES, CONNECTORS, read_items, read_plan, record_types
from hub.http.ready import ready_queries
from hub.subjects.rules import check_digit_resident_id

UNKNOWN_PERSON = "37030019000101000"
UNKNOWN_BUSINESS = "91370300MA000000"
ASKED_TOGETHER = (2, 3, 4, 5, 6, 7, 9, -2)
"""Places in the list of people of those whom the second ready query asks about."""
TOLD_OF_GROUP = 12
"""Of the twelve businesses of one person, the index of the one that the sheet names."""


def compose_sheet(place: Place, city: City, base: str, secret: str) -> dict[str, Any]:
    """Everything whoever writes a script needs; ``base`` is the hub's public URL."""
    plan = read_plan()
    item = next(one for one in read_items(record_types()) if one.key == plan["main"])
    purpose = {
        "agency": department("approval").code(),
        "procedure": str(item.code),
        "case": plan["case"],
        "officer": plan["officer"],
    }
    people, businesses = people_worth_asking(city), businesses_worth_asking(city)
    return {
        "format": 1,
        "city": {
            "name": "淄博市（演示）", "seed": city.seed, "people": city.people_count,
            "businesses": city.business_count, "drawnFor": TODAY.isoformat(),
        },
        "addresses": addresses(base),
        "client": {"id": plan["client"], "secret": secret},
        **purpose,
        "purpose": purpose,
        "headers": headers(purpose),
        "procedures": procedures(),
        "agencies": [_agency(name, port) for name, port in place.ports.items()],
        "certificateTypes": _types(item.reads, granted=True),
        "certificateTypesNotGranted": _types(item.reads, granted=False),
        "people": people,
        "businesses": businesses,
        "queries": queries(people, businesses),
    }  # fmt: skip


def addresses(base: str) -> dict[str, str]:
    """The hub's addresses by name."""
    paths = {
        "home": "/", "graphql": "/graphql", "graphiql": "/graphiql", "token": "/oauth/token", "schema":
        "/schema.graphql", "jwks": "/.well-known/jwks.json", "errors": "/errors", "health": "/healthz",
        "ready": "/readyz", "metrics": "/metrics",
    }  # fmt: skip
    return {name: base + path for name, path in paths.items()}


def headers(purpose: Mapping[str, str]) -> dict[str, str]:
    """The purpose as HTTP headers; what is not ASCII is percent-encoded UTF-8."""
    return {f"Hub-{name.capitalize()}": quote(value, safe="") for name, value in purpose.items()}


def procedures() -> list[dict[str, Any]]:
    """Every procedure with what its grants allow, by record."""
    return [
        {"code": item.code, "zh": item.zh, "en": item.en,
         "reads": {record: sorted(fields) for record, fields in item.reads.items()}}
        for item in read_items(record_types())
    ]  # fmt: skip


def people_worth_asking(city: City) -> list[dict[str, str]]:
    """ID numbers with what is special about each; the last ones are of nobody."""
    known = [
        {
            "idNumber": (person := city.person(part.index)).id_number,
            "name": person.name,
            "zh": part.zh,
            "en": part.en,
        }
        for part in read_people().values()
    ]
    nobody = UNKNOWN_PERSON + check_digit_resident_id(UNKNOWN_PERSON)
    wrong = nobody[:-1] + ("1" if nobody[-1] != "1" else "2")
    return [
        *known,
        {
            "idNumber": nobody,
            "name": "",
            "zh": "号码合法，但查无此人",
            "en": "A right number of nobody: absent",
        },
        {"idNumber": wrong, "name": "", "zh": "校验码错误，会被拒绝", "en": "A wrong check digit: refused"},
    ]


def businesses_worth_asking(city: City) -> list[dict[str, str]]:
    """USCCs with what is special about each; the last ones are of nobody."""
    known = [
        {"uscc": (firm := city.business(part.index)).uscc, "name": firm.name, "zh": part.zh, "en": part.en}
        for part in read_businesses().values()
        if part.index <= TOLD_OF_GROUP
    ]
    nobody = uscc_of(UNKNOWN_BUSINESS)
    wrong = nobody[:-1] + ("1" if nobody[-1] != "1" else "2")
    return [
        *known,
        {"uscc": nobody, "name": "", "zh": "代码合法，但未登记", "en": "A right code of nobody: absent"},
        {"uscc": wrong, "name": "", "zh": "校验码错误，会被拒绝", "en": "A wrong check character: refused"},
    ]


def queries(people: list[dict[str, str]], businesses: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The ready queries with variables that fit this city."""
    numbers = [one["idNumber"] for one in people]
    asked = [numbers[place] for place in ASKED_TOGETHER]
    return [asdict(one) for one in ready_queries(numbers[0], asked, businesses[0]["uscc"])]


def _agency(name: str, port: int) -> dict[str, str]:
    one = department(AGENCIES[name])
    return {
        "name": name, "code": one.code(), "zh": one.name, "en": one.english, "connector": CONNECTORS[name],
        "address": f"127.0.0.1:{port}",
    }  # fmt: skip


def _types(reads: Mapping[Any, Any], *, granted: bool) -> list[dict[str, Any]]:
    return [
        {"code": record.code, "zh": record.zh, "en": record.en, "holders": list(record.holders),
         "claims": list(record.own)}
        for record in read_records()
        if record.kind == "evidence" and (record.code in reads) is granted
    ]  # fmt: skip
