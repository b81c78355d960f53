"""Certificates: the interface that all evidence types share, and how a subject's are found."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

import strawberry

from hub.catalogue.model import Field, FieldCode, RecordCode, RecordType
from hub.facts.rules import was_valid
from hub.subjects.model import Subject
from schema.asks import Arguments, Asks, Reads
from schema.context import columns_of, context_of, spend
from schema.faults import Unanswered
from schema.forms import Enumerated
from schema.loaders import Record
from schema.records import NameLanguage, Node, Source, asking, fact, named, source_field, told
from schema.scalars import Date
from schema.words import both

HOLDER = "holder"
VALIDITY = ("status", "valid_from", "valid_until")


@strawberry.enum(description=both("The state of a certificate.", "证照状态。"))
class CertificateStatus(Enum):
    VALID = strawberry.enum_value("01", description=both("Valid.", "有效。"))
    WITHHELD = strawberry.enum_value("02", description=both("Temporarily withheld.", "暂扣。"))
    RESCINDED = strawberry.enum_value("03", description=both("Rescinded.", "撤销。"))
    CANCELLED = strawberry.enum_value("04", description=both("Cancelled.", "注销。"))
    LAPSED = strawberry.enum_value("05", description=both("Lapsed.", "失效。"))
    TRANSFERRED_OUT = strawberry.enum_value("06", description=both("Transferred out.", "转出。"))
    REVOKED = strawberry.enum_value("07", description=both("Revoked as a penalty.", "吊销。"))
    OTHER = strawberry.enum_value("99", description=both("Another state.", "其他。"))


@strawberry.type(description=both("Who holds a certificate.", "持证主体。"))
class Holder:
    node: strawberry.Private[Node]

    def value(self, code: str) -> Any:
        return self.node.value(code)

    scheme: str | None = fact(
        "holder_scheme", "Kind of identifier (GB/T 36903).", "持证主体代码类型（GB/T 36903）。"
    )
    number: str | None = fact("holder", "The holder's identifier.", "持证主体代码。")
    name: str | None = fact("holder_name", "The holder's name.", "持证主体名称。")


@strawberry.type(description=both("Who issued a certificate.", "颁发机构。"))
class Issuer:
    node: strawberry.Private[Node]

    def value(self, code: str) -> Any:
        return self.node.value(code)

    code: str | None = fact(
        "issuer", "Unified social credit code of the issuer.", "颁发机构统一社会信用代码。"
    )
    name: str | None = fact("issuer_name", "The issuer's name.", "颁发机构名称。")


@strawberry.type(description=both("An evidence type of the catalogue.", "证照类型。"))
class EvidenceType:
    record: strawberry.Private[RecordType]

    @told("Its code in the catalogue.", "目录中的证照类型代码。")
    def code(self) -> str:
        return self.record.code

    @told("GB/T 36904 type code.", "GB/T 36904 证照类型代码。")
    def standard(self) -> str | None:
        return self.record.standard

    @told("Its name.", "证照类型名称。")
    def name(self, language: NameLanguage = NameLanguage.ZH) -> str:
        return named(self.record.name, language)


@strawberry.type(description=both("One field of a certificate by name.", "按名称取得的证照信息项。"))
class Claim:
    field: strawberry.Private[Field]
    held: strawberry.Private[Any]

    @told("The field's code in the catalogue.", "信息项代码。")
    def name(self) -> str:
        return self.field.code

    @told("The field's name.", "信息项名称。")
    def label(self, language: NameLanguage = NameLanguage.ZH) -> str:
        return named(self.field.name, language)

    @told("Its value as text; null for a list.", "文本形式的值；列表为空。")
    def value(self) -> str | None:
        if isinstance(self.held, bool):
            return "true" if self.held else "false"
        return None if isinstance(self.held, tuple) else self.held

    @told("Its values when it is a list.", "列表形式的值。")
    def values(self) -> list[str] | None:
        return list(self.held) if isinstance(self.held, tuple) else None


@strawberry.interface(
    description=both(
        "A certificate, licence or other evidence, whatever its type.", "各类证照、证明的共同部分。"
    )
)
class Certificate(Node):
    record: strawberry.Private[Record]
    evidence: strawberry.Private[RecordType]

    id: strawberry.ID = fact(
        "identifier", "Electronic licence identifier (GB/T 36904).", "电子证照标识（GB/T 36904）。"
    )
    number: str | None = fact("number", "Number printed on it.", "证照编号。")
    issued_on: Date | None = fact("issued_on", "When it was issued.", "颁发日期。")
    valid_from: Date | None = fact("valid_from", "First day of validity.", "有效期起。")
    valid_until: Date | None = fact(
        "valid_until", "Last day of validity; null: open.", "有效期止；空为长期。"
    )
    status: CertificateStatus | None = fact(
        "status", "Its state.", "证照状态。", Enumerated(CertificateStatus)
    )
    source: Source | None = source_field(HOLDER)

    @told("Its evidence type.", "证照类型。")
    def type(self) -> EvidenceType | None:
        return EvidenceType(record=self.evidence)

    @told("Who holds it.", "持证主体。")
    def holder(self) -> Holder | None:
        return Holder(node=self)

    @told("Who issued it.", "颁发机构。")
    def issuer(self) -> Issuer | None:
        return Issuer(node=self)

    @asking(
        Asks(own=lambda arguments: tuple(arguments["names"])),
        "Fields of its evidence type by name; names that its type lacks are left out.",
        "按名称取得本证照类型的信息项；本类型没有的名称略去。",
    )
    def claims(self, names: list[str]) -> list[Claim] | None:
        fields = self.evidence.fields
        return [
            Claim(field=fields[FieldCode(name)], held=self.value(name)) for name in names if name in fields
        ]


def reads_certificates(arguments: Arguments) -> Reads:
    """What finding a subject's certificates reads of each type, whatever is selected."""
    codes = (HOLDER, *VALIDITY) if arguments.get("validOn") else (HOLDER,)
    return dict.fromkeys(arguments["types"], codes)


ASKS_CERTIFICATES = Asks(enters=reads_certificates)


async def certificates_of(
    info: strawberry.Info, subject: Subject, types: list[str], day: str | None
) -> list[Certificate | None]:
    """The subject's certificates in the order of the types; a type without an answer is one error there."""
    found = await asyncio.gather(*(_of_type(info, subject, code, day) for code in dict.fromkeys(types)))
    certificates = [certificate for of_type in found for certificate in of_type]
    spend(info, len(certificates))
    return certificates


async def _of_type(info: strawberry.Info, subject: Subject, code: str, day: str | None) -> list[Any]:
    context = context_of(info)
    evidence = context.snapshot.records[RecordCode(code)]
    try:
        records = await context.loaders.load(code, HOLDER, columns_of(info, code), subject)
    except Unanswered as unanswered:
        return [unanswered]
    return [
        Certificate(record=record, evidence=evidence)
        for record in records
        if day is None or was_valid(day, *(record.values[name] for name in VALIDITY))
    ]
