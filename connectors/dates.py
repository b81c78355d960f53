"""How dates and times are written by agencies, and how they are read into ISO 8601 or an instant."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

TOKENS = {
    "YYYY": "(?P<year>[0-9]{4})",
    "MM": "(?P<month>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "DD": "(?P<day>[0-9]{2})",
    "D": "(?P<day>[0-9]{1,2})",
    "hh": "(?P<hour>[0-9]{2})",
    "mm": "(?P<minute>[0-9]{2})",
    "ss": "(?P<second>[0-9]{2})",
}
SPLIT = re.compile("(YYYY|MM|M|DD|D|hh|mm|ss)")
WHOLE = re.compile(r"-?[0-9]{1,16}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNIX_UNITS = {"unix": timedelta(seconds=1), "unix_ms": timedelta(milliseconds=1)}
ISO = "iso"
CHINA = timezone(timedelta(hours=8))


class WrongForm(Exception):  # noqa: N818 - an internal signal: it never leaves a compiled mapping
    """A value has not the declared form."""


@dataclass(frozen=True, slots=True)
class DateForm:
    """``format`` is iso (ISO 8601), unix, unix_ms, or tokens YYYY MM M DD D hh mm ss and literals.

    ``partial`` also takes a year or a year and month. Times without an offset are in ``zone``.
    """

    format: str
    partial: bool = False
    zone: timezone = CHINA


def format_is_known(text: str) -> bool:
    """Whether a format names a year, and each token once."""
    if text == ISO or text in UNIX_UNITS:
        return True
    tokens = [piece[0] for piece in SPLIT.findall(text)]
    return "Y" in tokens and len(tokens) == len(set(tokens))


def format_can_be_partial(text: str) -> bool:
    """Whether a format runs from year to month to day and ends there, so that it can stop early."""
    tokens = [piece[0] for piece in SPLIT.findall(text)]
    return text == ISO or tokens == ["Y", "M", "D"]


def compile_date(form: DateForm) -> Callable[[object], str | None]:
    """A function to ``YYYY-MM-DD`` (also ``YYYY`` and ``YYYY-MM`` if partial); it raises only WrongForm."""
    if form.partial:
        return _compile_partial("YYYY-MM-DD" if form.format == ISO else form.format)
    local = _compile_local(form)

    def read(value: object) -> str | None:
        moment = local(value)
        return None if moment is None else moment.date().isoformat()

    return read


def compile_instant(form: DateForm) -> Callable[[object], datetime | None]:
    """A function to an aware datetime in UTC; it raises only WrongForm."""
    local = _compile_local(form)

    def read(value: object) -> datetime | None:
        moment = local(value)
        try:
            return None if moment is None else moment.astimezone(UTC)
        except OverflowError:
            raise WrongForm from None

    return read


def written(moment: date, form: DateForm) -> str:
    """A date, or a date and time in the form's own zone, as texts of this form are written."""
    whole = moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 it gets its zone below
    if form.format in UNIX_UNITS:
        return str((whole.replace(tzinfo=form.zone) - EPOCH) // UNIX_UNITS[form.format])
    if form.format == ISO:
        return whole.date().isoformat() if form.partial else whole.isoformat()
    values = {
        "YYYY": f"{whole.year:04}", "MM": f"{whole.month:02}", "M": str(whole.month),
        "DD": f"{whole.day:02}", "D": str(whole.day),
        "hh": f"{whole.hour:02}", "mm": f"{whole.minute:02}", "ss": f"{whole.second:02}",
    }  # fmt: skip
    return "".join(values.get(piece, piece) for piece in SPLIT.split(form.format))


def _compile_local(form: DateForm) -> Callable[[object], datetime | None]:
    unit = UNIX_UNITS.get(form.format)
    if unit is not None:
        return lambda value: _since_epoch(value, unit, form.zone)
    if form.format == ISO:
        return lambda value: _from_iso(value, form.zone)
    pattern = re.compile(_pattern(form.format))
    return lambda value: _from_pattern(value, pattern, form.zone)


def _pattern(text: str) -> str:
    return "".join(TOKENS.get(piece) or re.escape(piece) for piece in SPLIT.split(text))


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**16:
        return str(value)  # 19900101 is often sent as a number
    raise WrongForm


def _since_epoch(value: object, unit: timedelta, zone: timezone) -> datetime | None:
    if isinstance(value, str) and WHOLE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, str) and not value.strip():
        return None
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongForm
    try:
        return (EPOCH + value * unit).astimezone(zone)
    except OverflowError:
        raise WrongForm from None


def _from_iso(value: object, zone: timezone) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise WrongForm
    text = value.strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
    except (ValueError, OverflowError):
        raise WrongForm from None


def _from_pattern(value: object, pattern: re.Pattern[str], zone: timezone) -> datetime | None:
    text = _text(value)
    if text is None:
        return None
    found = pattern.fullmatch(text)
    if found is None:
        raise WrongForm
    parts = {"month": 1, "day": 1} | {name: int(digits) for name, digits in found.groupdict().items()}
    try:
        return datetime(
            parts["year"],
            parts["month"],
            parts["day"],
            parts.get("hour", 0),
            parts.get("minute", 0),
            parts.get("second", 0),
            tzinfo=zone,
        )
    except ValueError:
        raise WrongForm from None


def _compile_partial(text: str) -> Callable[[object], str | None]:
    pattern = re.compile(_partial_pattern(text))

    def read(value: object) -> str | None:
        written = _text(value)
        if written is None:
            return None
        found = pattern.fullmatch(written)
        if found is None:
            raise WrongForm
        return _partial(*(int(found[name] or 0) for name in ("year", "month", "day")))

    return read


def _partial_pattern(text: str) -> str:
    """The year, and then as much of the rest as there is; the literal after the last part may be left out."""
    before, year, after_year, month, after_month, day, after_day = SPLIT.split(text)
    gap, second_gap, end = (re.escape(literal) for literal in (after_year, after_month, after_day))
    rest = f"(?:{second_gap}{TOKENS[day]}(?:{end})?)?"
    months = f"(?:{gap}{TOKENS[month]}{rest}(?:{second_gap})?)?"
    return f"{re.escape(before)}{TOKENS[year]}{months}(?:{gap})?"


def _partial(year: int, month: int, day: int) -> str | None:
    if not year and not month and not day:
        return None
    if day and not month:
        raise WrongForm
    try:
        whole = date(year, month or 1, day or 1).isoformat()
    except ValueError:
        raise WrongForm from None
    return whole if day else whole[:7] if month else whole[:4]
