"""Fields that read one fact of a record, and the small types such facts come in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any

import strawberry

from hub.catalogue import model as catalogue
from hub.catalogue.model import Label
from schema.asks import ASKS, NOTHING, Asks, own
from schema.context import context_of
from schema.faults import Unanswered, malformed
from schema.forms import FACT, PLAIN, Amount, Coded, Division, Enumerated, Fact, FactForm, Listed, Plain
from schema.loaders import Record
from schema.scalars import DateTime, Decimal, instant
from schema.words import both


@strawberry.enum(description=both("A language of names.", "名称的语言。"))
class NameLanguage(Enum):
    ZH = strawberry.enum_value("zh", description=both("Chinese.", "中文。"))
    EN = strawberry.enum_value("en", description=both("English.", "英文。"))


def named(label: Label, language: NameLanguage) -> str:
    """The name in one language."""
    return label.zh if language is NameLanguage.ZH else label.en


class Node:
    """Something that stands on one record: read, unanswered, or not asked for."""

    record: Record | Unanswered | None

    def row(self) -> Record:
        """The record; raises Unanswered when it has no answer."""
        if isinstance(self.record, Unanswered):
            raise self.record
        if self.record is None:
            raise LookupError("nothing of the record was asked for")
        return self.record

    def value(self, code: str) -> Any:
        """One fact of the record; raises Unanswered when the record has no answer."""
        return self.row().values[code]


def fact(code: str, english: str, chinese: str, form: FactForm = PLAIN) -> Any:
    """A field that reads one fact in the form that the contract gives it."""

    def resolve(root: Any) -> Any:
        return formed(form, root, code)

    return strawberry.field(
        resolver=resolve,
        description=both(english, chinese),
        metadata={ASKS: own(code), FACT: Fact(code, form)},
    )


def formed(form: FactForm, root: Any, code: str) -> Any:
    """One fact in the contract's form; raises Unanswered for a value outside its code table."""
    value = root.value(code)
    if value is None:
        return None
    match form:
        case Plain():
            return value
        case Enumerated(kind):
            return _member(kind, value, root.record.supply.agency)
        case Amount():
            return Money.of(value)
        case Division():
            return Region(code=value)
        case Listed():
            return list(value)
        case Coded(codes):
            return CodedValue(code=value, label=codes.get(value))


def _member(kind: type[Enum], value: Any, agency: catalogue.Agency) -> Enum:
    try:
        return kind(value)
    except ValueError:
        raise malformed(agency) from None


def plain(english: str, chinese: str) -> Any:
    """A field that is read off its object."""
    return strawberry.field(description=both(english, chinese))


def asking(asks: Asks, english: str, chinese: str) -> Callable[[Callable[..., Any]], Any]:
    """A resolver's field that says what it asks of the catalogue."""
    field: Callable[[Callable[..., Any]], Any] = strawberry.field(
        description=both(english, chinese), metadata={ASKS: asks}
    )
    return field


def told(english: str, chinese: str) -> Callable[[Callable[..., Any]], Any]:
    """A resolver's field that asks nothing of the catalogue."""
    return asking(NOTHING, english, chinese)


@strawberry.type(description=both("An amount of money.", "金额。"))
class Money:
    amount: Decimal = plain("The exact amount.", "准确金额。")
    currency: str = plain("Currency (ISO 4217).", "币种（ISO 4217）。")

    @staticmethod
    def of(text: str) -> Money:
        """From "AMOUNT CURRENCY"."""
        amount, currency = text.split(" ")
        return Money(amount=Decimal(amount), currency=currency)


@strawberry.type(description=both("An administrative division.", "行政区划。"))
class Region:
    code: str = plain("Code of the division (GB/T 2260).", "行政区划代码（GB/T 2260）。")

    @told("Its full name, from the province down.", "自省级起的全称。")
    def name(self, info: strawberry.Info) -> str | None:
        return context_of(info).regions.full_name(self.code)


@strawberry.type(description=both("A public body.", "政府部门。"))
class Agency:
    code: str = plain("Its unified social credit code.", "部门的统一社会信用代码。")
    label: strawberry.Private[Label | None]

    @told("Its name.", "部门名称。")
    def name(self, language: NameLanguage = NameLanguage.ZH) -> str | None:
        return named(self.label, language) if self.label else None


@strawberry.type(description=both("A code with its meaning.", "代码及其含义。"))
class CodedValue:
    code: str = plain("The code.", "代码。")
    label: strawberry.Private[Label | None]

    @told("What the code means.", "代码的含义。")
    def name(self, language: NameLanguage = NameLanguage.ZH) -> str | None:
        return named(self.label, language) if self.label else None


@strawberry.type(description=both("Where a record came from, and when.", "记录的来源与时间。"))
class Source:
    agency: Agency = plain("The agency that answers for it.", "提供数据的部门。")
    connector: str = plain("The connector and its version.", "连接器及其版本。")
    as_of: DateTime | None = plain("The moment the agency vouches for.", "部门数据的时点。")
    fetched_at: DateTime | None = plain("When the hub asked.", "枢纽取得的时间。")
    expires_at: DateTime | None = plain("Until when it counts as fresh.", "新鲜度截止时间。")


def source_of(root: Any) -> Source:
    """The source of the record that an object stands on."""
    if isinstance(root.record, Unanswered):
        raise root.record
    record: Record = root.record
    supply = record.supply
    fetched: Any = record.sourced.fetched_at
    freshness: timedelta = supply.offering.freshness
    return Source(
        agency=Agency(code=supply.agency.code, label=supply.agency.name),
        connector=f"{supply.connector}@{supply.version}",
        as_of=instant(record.sourced.as_of),
        fetched_at=instant(fetched),
        expires_at=instant(fetched + freshness),
    )


def source_field(key: str) -> Any:
    """The field ``source`` of a record keyed by this field."""
    return strawberry.field(
        resolver=source_of,
        description=both("Where this record came from.", "本记录的来源。"),
        metadata={ASKS: own(key)},
    )
