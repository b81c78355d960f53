"""The scalars of the contract: each checks its form and says what is wrong without repeating the value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from hub.kernel.errors import Code, HubError
from hub.subjects import rules
from hub.subjects.model import ResidentIdNumber, UnifiedSocialCreditCode
from schema.words import both

Date = NewType("Date", str)
PartialDate = NewType("PartialDate", str)
Decimal = NewType("Decimal", str)
DateTime = NewType("DateTime", str)


def person_key(value: Any) -> ResidentIdNumber:
    """A resident identity number; raises HubError(RESIDENT_ID_INVALID) with the kind of mistake."""
    number = rules.resident_id(value) if isinstance(value, str) else None
    if number is None:
        raise HubError(Code.RESIDENT_ID_INVALID, rule=rules.resident_id_mistake(value))
    return number


def business_key(value: Any) -> UnifiedSocialCreditCode:
    """A unified social credit code; raises HubError(USCC_INVALID) with the kind of mistake."""
    uscc = rules.uscc(value) if isinstance(value, str) else None
    if uscc is None:
        raise HubError(Code.USCC_INVALID, rule=rules.uscc_mistake(value))
    return uscc


def _day(value: Any) -> str:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise HubError(Code.DATE_INVALID)


def _only_out(name: str) -> Callable[[Any], str]:
    def parse(_: Any) -> str:
        raise HubError(Code.ARGUMENT_INVALID, part=name)

    return parse


def instant(moment: datetime | None) -> DateTime | None:
    """RFC 3339 in UTC with whole seconds, or None."""
    if moment is None:
        return None
    return DateTime(moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z")


def _scalar(name: str, parse: Callable[[Any], str], english: str, chinese: str) -> ScalarDefinition:
    return strawberry.scalar(name=name, serialize=str, parse_value=parse, description=both(english, chinese))


SCALARS: dict[object, ScalarDefinition] = {
    ResidentIdNumber: _scalar(
        "ResidentIdNumber",
        person_key,
        "Resident identity number, 18 characters with its check character (GB 11643).",
        "公民身份号码，18 位，含校验码（GB 11643）。",
    ),
    UnifiedSocialCreditCode: _scalar(
        "UnifiedSocialCreditCode",
        business_key,
        "Unified social credit code, 18 characters with its check character (GB 32100).",
        "统一社会信用代码，18 位，含校验码（GB 32100）。",
    ),
    Date: _scalar(
        "Date",
        _day,
        "A day, YYYY-MM-DD (ISO 8601).",
        "日期，YYYY-MM-DD（ISO 8601）。",
    ),
    PartialDate: _scalar(
        "PartialDate",
        _only_out("PartialDate"),
        "A day known in part: YYYY, YYYY-MM or YYYY-MM-DD.",
        "可能不完整的日期：YYYY、YYYY-MM 或 YYYY-MM-DD。",
    ),
    Decimal: _scalar(
        "Decimal", _only_out("Decimal"), "A decimal number as text, exact.", "以文本表示的十进制数，精确。"
    ),
    DateTime: _scalar(
        "DateTime", _only_out("DateTime"), "An instant in UTC (RFC 3339).", "世界协调时的时刻（RFC 3339）。"
    ),
}
