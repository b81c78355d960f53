"""Persons and businesses, the relations between them, and the way from one to the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Annotated, Any, TypeVar

import strawberry

from hub.facts.rules import same_name
from hub.kernel.errors import Code, Problem
from hub.subjects.model import ResidentIdNumber, Scheme, Subject, UnifiedSocialCreditCode
from hub.subjects.rules import resident_id, uscc
from schema.asks import Arguments, Asks, Codes, Reads
from schema.certificates import ASKS_CERTIFICATES, Certificate, certificates_of
from schema.context import columns_of, context_of, spend
from schema.faults import Unanswered, malformed
from schema.forms import Amount, Division, Enumerated
from schema.loaders import Record
from schema.paging import Connection, Window, bounded, page
from schema.records import Money, Node, Region, Source, asking, fact, source_field
from schema.scalars import Date, PartialDate
from schema.words import both

Key = TypeVar("Key", ResidentIdNumber, UnifiedSocialCreditCode)

ROLE = "business_role"
PERSON_KEY = "id_number"
BUSINESS_KEY = "uscc"

Types = Annotated[
    list[str], strawberry.argument(description=both("Codes of evidence types.", "证照类型代码。"))
]
ValidOn = Annotated[
    Date | None,
    strawberry.argument(description=both("Only those valid on this day.", "仅限该日有效的证照。")),
]
First = Annotated[
    int, strawberry.argument(description=both("How many, 200 at the most.", "数量，最多 200。"))
]
After = Annotated[str | None, strawberry.argument(description=both("Cursor to go on from.", "起始游标。"))]


@strawberry.enum(description=both("Sex (GB/T 2261.1).", "性别（GB/T 2261.1）。"))
class Sex(Enum):
    UNKNOWN = strawberry.enum_value("0", description=both("Unknown.", "未知的性别。"))
    MALE = strawberry.enum_value("1", description=both("Male.", "男性。"))
    FEMALE = strawberry.enum_value("2", description=both("Female.", "女性。"))
    UNSTATED = strawberry.enum_value("9", description=both("Not stated.", "未说明的性别。"))


@strawberry.enum(description=both("The state of a business.", "市场主体状态。"))
class BusinessStatus(Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description=both("In business.", "存续。"))
    SUSPENDED = strawberry.enum_value("SUSPENDED", description=both("Out of business for a time.", "歇业。"))
    REVOKED = strawberry.enum_value("REVOKED", description=both("Licence revoked.", "吊销。"))
    DEREGISTERED = strawberry.enum_value("DEREGISTERED", description=both("Deregistered.", "注销。"))


@strawberry.enum(description=both("What a person is in a business.", "自然人在市场主体中的身份。"))
class BusinessRole(Enum):
    LEGAL_REPRESENTATIVE = strawberry.enum_value(
        "LEGAL_REPRESENTATIVE", description=both("Legal representative.", "法定代表人。")
    )
    SHAREHOLDER = strawberry.enum_value("SHAREHOLDER", description=both("Shareholder.", "股东。"))
    DIRECTOR = strawberry.enum_value("DIRECTOR", description=both("Director.", "董事。"))
    SUPERVISOR = strawberry.enum_value("SUPERVISOR", description=both("Supervisor.", "监事。"))
    MANAGER = strawberry.enum_value("MANAGER", description=both("Manager.", "经理。"))


Role = Annotated[
    BusinessRole | None, strawberry.argument(description=both("Only this role.", "仅限该身份。"))
]


def _relation_reads(near: str, far: str | None = None) -> Any:
    def reads(arguments: Arguments) -> Reads:
        codes: Codes = (near,) if far is None else (near, far)
        return {ROLE: (*codes, "role") if arguments.get("role") else codes}

    return reads


def _enters(record: str) -> Any:
    return lambda _: {record: ()}


def _across(near: str, far: str, record: str) -> Asks:
    """From a subject over the relation to the subjects at its other end."""
    return Asks(through=_relation_reads(near, far), enters=_enters(record))


async def _relations(
    info: strawberry.Info, node: Person | Business, role: BusinessRole | None
) -> list[Record]:
    key = "person_id" if isinstance(node, Person) else BUSINESS_KEY
    records = await context_of(info).loaders.load(ROLE, key, columns_of(info, ROLE), node.subject)
    wanted = [record for record in records if role is None or record.values["role"] == role.value]
    spend(info, len(wanted))
    return wanted


def _person_key(record: Record, code: str = "person_id") -> ResidentIdNumber:
    """An agency's key of a person; what is no such key is never passed on to another agency."""
    checked = resident_id(str(record.values[code]))
    if checked is None:
        raise malformed(record.supply.agency)
    return checked


def _business_key(record: Record) -> UnifiedSocialCreditCode:
    """An agency's key of a business; what is no such key is never passed on to another agency."""
    checked = uscc(str(record.values[BUSINESS_KEY]))
    if checked is None:
        raise malformed(record.supply.agency)
    return checked


async def _distinct(
    info: strawberry.Info, node: Person | Business, role: BusinessRole | None, far: Callable[[Record], Key]
) -> list[Key]:
    return bounded(list(dict.fromkeys(map(far, await _relations(info, node, role)))))


@strawberry.type(
    description=both("What a person is in a business, and since when.", "自然人与市场主体的关系。")
)
class Relation(Node):
    record: strawberry.Private[Record]

    role: BusinessRole | None = fact("role", "The role.", "身份。", Enumerated(BusinessRole))
    since: Date | None = fact("since", "Since when.", "起始日期。")
    source: Source | None = source_field("role")

    @asking(Asks(own=lambda _: ("person_id",), enters=_enters("person")), "The person.", "自然人。")
    async def person(self, info: strawberry.Info) -> Person | None:
        return await find_person(info, _person_key(self.record))

    @asking(Asks(own=lambda _: (BUSINESS_KEY,), enters=_enters("business")), "The business.", "市场主体。")
    async def business(self, info: strawberry.Info) -> Business | None:
        return await find_business(info, _business_key(self.record))


def _of(records: Sequence[Record]) -> list[Relation]:
    return [Relation(record=record) for record in records]


ASKS_RELATIONS_OF_PERSON = Asks(enters=_relation_reads("person_id"))
ASKS_RELATIONS_OF_BUSINESS = Asks(enters=_relation_reads(BUSINESS_KEY))


async def _listed_relations(
    root: Any, info: strawberry.Info, role: Role = None
) -> list[Relation | None] | None:
    return bounded(_of(await _relations(info, root, role)))


async def _paged_relations(
    root: Any, info: strawberry.Info, role: Role = None, first: First = 50, after: After = None
) -> Connection[Relation] | None:
    window = Window.of(first, after)
    return page(_of(await _relations(info, root, role)), window)


async def _listed_certificates(
    root: Any, info: strawberry.Info, types: Types, valid_on: ValidOn = None
) -> list[Certificate | None] | None:
    return bounded(await certificates_of(info, root.subject, types, valid_on))


async def _paged_certificates(
    root: Any,
    info: strawberry.Info,
    types: Types,
    valid_on: ValidOn = None,
    first: First = 50,
    after: After = None,
) -> Connection[Certificate] | None:
    window = Window.of(first, after)
    return page(await certificates_of(info, root.subject, types, valid_on), window)


@strawberry.type(description=both("A natural person.", "自然人。"))
class Person(Node):
    subject: strawberry.Private[Subject]
    record: strawberry.Private[Record | Unanswered | None]

    name: str | None = fact("name", "Name.", "姓名。")
    sex: Sex | None = fact("sex", "Sex.", "性别。", Enumerated(Sex))
    birth_date: PartialDate | None = fact(
        "birth_date", "Birth date, as far as known.", "出生日期（可能不完整）。"
    )
    ethnicity: str | None = fact("ethnicity", "Ethnicity.", "民族。")
    address: str | None = fact("address", "Registered address.", "住址。")
    region: Region | None = fact("region", "Region of registration.", "户籍所在行政区划。", Division())
    deceased: bool | None = fact("deceased", "Whether recorded as dead.", "是否已死亡。")
    under_investigation: bool | None = fact(
        "under_investigation", "Whether the record is under investigation.", "记录是否正在核查。"
    )
    source: Source | None = source_field(PERSON_KEY)

    @asking(Asks(own=lambda _: (PERSON_KEY,)), "Resident identity number.", "公民身份号码。")
    def id_number(self) -> ResidentIdNumber:
        return ResidentIdNumber(self.subject.value)

    @asking(
        _across("person_id", BUSINESS_KEY, "business"),
        "Businesses the person has a role in.",
        "任职或出资的市场主体。",
    )
    async def businesses(self, info: strawberry.Info, role: Role = None) -> list[Business | None] | None:
        return await find_businesses(info, await _distinct(info, self, role, _business_key))

    relations = asking(
        ASKS_RELATIONS_OF_PERSON, "The person's roles in businesses.", "在市场主体中的任职与出资。"
    )(_listed_relations)
    relations_connection = asking(ASKS_RELATIONS_OF_PERSON, "The same, page by page.", "同上，分页。")(
        _paged_relations
    )
    certificates = asking(
        ASKS_CERTIFICATES, "Certificates the person holds, by evidence type.", "本人持有的证照。"
    )(_listed_certificates)
    certificates_connection = asking(ASKS_CERTIFICATES, "The same, page by page.", "同上，分页。")(
        _paged_certificates
    )


@strawberry.type(description=both("A business or other organisation.", "市场主体或其他组织。"))
class Business(Node):
    subject: strawberry.Private[Subject]
    record: strawberry.Private[Record | Unanswered | None]

    name: str | None = fact("name", "Name.", "名称。")
    legal_form: str | None = fact("legal_form", "Legal form.", "类型。")
    registered_capital: Money | None = fact(
        "registered_capital", "Registered capital.", "注册资本。", Amount()
    )
    established: Date | None = fact("established", "When it was established.", "成立日期。")
    scope: str | None = fact("scope", "Scope of business.", "经营范围。")
    address: str | None = fact("address", "Domicile.", "住所。")
    region: Region | None = fact("region", "Region of registration.", "登记所在行政区划。", Division())
    status: BusinessStatus | None = fact("status", "Its state.", "登记状态。", Enumerated(BusinessStatus))
    source: Source | None = source_field(BUSINESS_KEY)

    @asking(Asks(own=lambda _: (BUSINESS_KEY,)), "Unified social credit code.", "统一社会信用代码。")
    def uscc(self) -> UnifiedSocialCreditCode:
        return UnifiedSocialCreditCode(self.subject.value)

    @asking(
        Asks(own=lambda _: ("legal_representative",), enters=_enters("person")),
        "The legal representative.",
        "法定代表人。",
    )
    async def legal_representative(self, info: strawberry.Info) -> Person | None:
        code = "legal_representative"
        if self.value(code) is None:
            return None
        return await find_person(info, _person_key(self.row(), code))

    @asking(_across(BUSINESS_KEY, "person_id", "person"), "People with a role in it.", "任职或出资的自然人。")
    async def people(self, info: strawberry.Info, role: Role = None) -> list[Person | None] | None:
        return await find_people(info, await _distinct(info, self, role, _person_key))

    relations = asking(ASKS_RELATIONS_OF_BUSINESS, "The roles people have in it.", "自然人的任职与出资。")(
        _listed_relations
    )
    relations_connection = asking(ASKS_RELATIONS_OF_BUSINESS, "The same, page by page.", "同上，分页。")(
        _paged_relations
    )
    certificates = asking(
        ASKS_CERTIFICATES, "Certificates the business holds, by evidence type.", "本单位持有的证照。"
    )(_listed_certificates)
    certificates_connection = asking(ASKS_CERTIFICATES, "The same, page by page.", "同上，分页。")(
        _paged_certificates
    )


async def find_person(
    info: strawberry.Info, number: ResidentIdNumber, given: str | None = None
) -> Person | None:
    """The person with this number; None when Absent. A given name that is not the recorded one is refused."""
    subject = Subject(Scheme.RESIDENT_ID, number)
    found = await _base(info, "person", PERSON_KEY, subject, given)
    return None if found is ABSENT else Person(subject=subject, record=found)


async def find_business(
    info: strawberry.Info, uscc: UnifiedSocialCreditCode, given: str | None = None
) -> Business | None:
    """The business with this code; None when Absent. A given name that is not the recorded one is refused."""
    subject = Subject(Scheme.USCC, uscc)
    found = await _base(info, "business", BUSINESS_KEY, subject, given)
    return None if found is ABSENT else Business(subject=subject, record=found)


async def find_people(info: strawberry.Info, numbers: Sequence[ResidentIdNumber]) -> list[Person | None]:
    """In the order asked for, duplicates kept, None for Absent."""
    return await asyncio.gather(*(find_person(info, number) for number in numbers))


async def find_businesses(
    info: strawberry.Info, usccs: Sequence[UnifiedSocialCreditCode]
) -> list[Business | None]:
    """In the order asked for, duplicates kept, None for Absent."""
    return await asyncio.gather(*(find_business(info, uscc) for uscc in usccs))


class _Absent(Enum):
    ABSENT = "absent"


ABSENT = _Absent.ABSENT


async def _base(
    info: strawberry.Info, record: str, key: str, subject: Subject, given: str | None
) -> Record | Unanswered | _Absent | None:
    """The subject's base record, why it has no answer, that it is Absent, or None if nothing is asked."""
    spend(info, 1)
    columns = columns_of(info, record)
    if not columns:
        return None
    try:
        records = await context_of(info).loaders.load(record, key, columns, subject)
    except Unanswered as unanswered:
        if given is not None:
            raise
        return unanswered
    if not records:
        return ABSENT
    if given is not None and not same_name(given, str(records[0].values["name"])):
        raise Unanswered(Problem(Code.NAME_MISMATCH), "refused")
    return records[0]
