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


def _checked(check: Callable[[str], str | None], code: Code) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        checked = check(value) if isinstance(value, str) else None
        if checked is None:
            raise HubError(code)
        return checked

    return parse


def _date(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else None
    except ValueError:
        return None


def _only_out(_: Any) -> str:
    raise HubError(Code.ARGUMENT_INVALID)


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
        _checked(rules.resident_id, Code.RESIDENT_ID_INVALID),
        "Resident identity number, 18 characters with its check character (GB 11643).",
        "公民身份号码，18 位，含校验码（GB 11643）。",
    ),
    UnifiedSocialCreditCode: _scalar(
        "UnifiedSocialCreditCode",
        _checked(rules.uscc, Code.USCC_INVALID),
        "Unified social credit code, 18 characters with its check character (GB 32100).",
        "统一社会信用代码，18 位，含校验码（GB 32100）。",
    ),
    Date: _scalar(
        "Date",
        _checked(_date, Code.DATE_INVALID),
        "A day, YYYY-MM-DD (ISO 8601).",
        "日期，YYYY-MM-DD（ISO 8601）。",
    ),
    PartialDate: _scalar(
        "PartialDate",
        _only_out,
        "A day known in part: YYYY, YYYY-MM or YYYY-MM-DD.",
        "可能不完整的日期：YYYY、YYYY-MM 或 YYYY-MM-DD。",
    ),
    Decimal: _scalar(
        "Decimal", _only_out, "A decimal number as text, exact.", "以文本表示的十进制数，精确。"
    ),
    DateTime: _scalar(
        "DateTime", _only_out, "An instant in UTC (RFC 3339).", "世界协调时的时刻（RFC 3339）。"
    ),
}
