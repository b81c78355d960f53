"""The people of the approval join: each with 3 of 5 certificates and on average 1.5 licensed businesses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hub.catalogue.model import RecordCode
from hub.demo.authorities import department
from hub.demo.seed import record_types
from hub.subjects.rules import (
    check_digit_organisation,
    check_digit_resident_id,
    check_digit_uscc,
    compose_licence_identifier,
)

CERTIFICATES = (
    "driving_licence",
    "nurse_practice",
    "pharmacist_registration",
    "physician_practice",
    "teacher_qualification",
)
LICENCE = "drug_business_licence"
HELD = (0, 1, 3)  # which of the five, counted on from the person's own place
REGION = "370303"
ISSUED = date(2024, 3, 15)
VALID_UNTIL = date(2029, 3, 14)
LEGAL_REPRESENTATIVES = 7, 3  # far from the business's own member, and all over the city
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "秀英桂兰国强建华志明晓燕文博思远雨晴子涵"

Line = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class City:
    """Rows of the sources' tables, by table; the people's ID numbers in the order of their places."""

    people: tuple[str, ...]
    lines: dict[str, list[Line]]


def draw(count: int) -> City:
    """A city of ``count`` people; the same one every time."""
    people = tuple(map(_id_number, range(count)))
    standards = {code: record_types()[RecordCode(code)].standard or "" for code in (*CERTIFICATES, LICENCE)}
    businesses = [(place, _uscc(number)) for number, place in enumerate(_members(count))]
    return City(
        people,
        {
            "person": [_person(place, number) for place, number in enumerate(people)],
            "certificate": [
                (code, *_certificate(standards[code], code, place, holder))
                for place, holder in enumerate(people)
                for code in sorted(_held(place))
            ],
            "business": [_business(number, uscc, people) for number, (_, uscc) in enumerate(businesses)],
            "business_role": [(people[place], uscc, "SHAREHOLDER", ISSUED) for place, uscc in businesses],
            "licence": [
                _certificate(standards[LICENCE], LICENCE, number, uscc)
                for number, (_, uscc) in enumerate(businesses)
            ],
        },
    )


def _members(count: int) -> Iterator[int]:
    """The place of each business's member: one business, then two, in turn."""
    for place in range(count):
        yield from [place] * (1 + place % 2)


def _held(place: int) -> Sequence[str]:
    return [CERTIFICATES[(place + step) % len(CERTIFICATES)] for step in HELD]


def _id_number(place: int) -> str:
    body = f"{REGION}{_born(place):%Y%m%d}{place % 1000:03}"
    return body + check_digit_resident_id(body)


def _born(place: int) -> date:
    return date(1950, 1, 1) + timedelta(days=place * 7)


def _uscc(number: int) -> str:
    organisation = f"MA{number:06}"
    body = f"91{REGION}{organisation}{check_digit_organisation(organisation)}"
    return body + check_digit_uscc(body)


def _name(place: int) -> str:
    return SURNAMES[place % len(SURNAMES)] + GIVEN[place // 3 % len(GIVEN)] + GIVEN[place // 7 % len(GIVEN)]


def _person(place: int, number: str) -> Line:
    sex = "1" if int(number[16]) % 2 else "2"
    return (number, _name(place), sex, _born(place), f"山东省淄博市张店区柳泉路{place}号")


def _business(number: int, uscc: str, people: Sequence[str]) -> Line:
    step, start = LEGAL_REPRESENTATIVES
    representative = people[(number * step + start) % len(people)]
    address = f"山东省淄博市张店区华光路{number}号"
    return (uscc, f"淄博市张店区安康第{number}大药房有限公司", "ACTIVE", address, representative)


def _certificate(standard: str, code: str, place: int, holder: str) -> Line:
    issuer = department("approval").code()
    identifier = compose_licence_identifier(standard, issuer, f"{place:011}", "001")
    number = f"鲁淄{code[:2].upper()}{place:08}"
    return (str(identifier), number, holder, ISSUED, VALID_UNTIL, "01")
