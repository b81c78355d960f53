"""The questions that can be asked: by identity number and by credit code, one or many."""

from __future__ import annotations

from typing import Annotated

import strawberry

from hub.subjects.model import ResidentIdNumber, Scheme, Subject, UnifiedSocialCreditCode
from schema.asks import Arguments, Asks, Reads
from schema.records import asking
from schema.subjects import Business, Person, find_business, find_businesses, find_people, find_person
from schema.words import both

Name = Annotated[
    str | None,
    strawberry.argument(
        description=both(
            "A name that must be the recorded one; another name is refused.",
            "须与登记一致的名称；不一致则拒绝。",
        )
    ),
]


def _asks(record: str, scheme: Scheme, keys: str) -> Asks:
    """A question about the subjects that the argument ``keys`` names, one or many."""

    def reads(arguments: Arguments) -> Reads:
        return {record: ("name",) if arguments.get("name") is not None else ()}

    def roots(arguments: Arguments) -> tuple[Subject, ...]:
        named = arguments[keys]
        return tuple(Subject(scheme, value) for value in (named if isinstance(named, list) else [named]))

    return Asks(enters=reads, roots=roots)


ONE_PERSON = _asks("person", Scheme.RESIDENT_ID, "idNumber")
PEOPLE = _asks("person", Scheme.RESIDENT_ID, "idNumbers")
ONE_BUSINESS = _asks("business", Scheme.USCC, "uscc")
BUSINESSES = _asks("business", Scheme.USCC, "usccs")


@strawberry.type(description=both("The questions that can be asked.", "可以提出的查询。"))
class Query:
    @asking(ONE_PERSON, "One person; null when no such person is recorded.", "一个自然人；查无此人时为空。")
    async def person(
        self, info: strawberry.Info, id_number: ResidentIdNumber, name: Name = None
    ) -> Person | None:
        return await find_person(info, id_number, name)

    @asking(
        PEOPLE,
        "Up to 200 people in the order asked for; null for each who is not recorded.",
        "最多 200 人，按提问顺序；查无此人处为空。",
    )
    async def people(
        self, info: strawberry.Info, id_numbers: list[ResidentIdNumber]
    ) -> list[Person | None] | None:
        return await find_people(info, id_numbers)

    @asking(ONE_BUSINESS, "One business; null when not registered.", "一个市场主体；未登记时为空。")
    async def business(
        self, info: strawberry.Info, uscc: UnifiedSocialCreditCode, name: Name = None
    ) -> Business | None:
        return await find_business(info, uscc, name)

    @asking(
        BUSINESSES,
        "Up to 200 businesses in the order asked for; null for each that is not registered.",
        "最多 200 个市场主体，按提问顺序；未登记处为空。",
    )
    async def businesses(
        self, info: strawberry.Info, usccs: list[UnifiedSocialCreditCode]
    ) -> list[Business | None] | None:
        return await find_businesses(info, usccs)
