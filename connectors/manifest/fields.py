"""Reads ``[offerings.fields]``: each field's path and form, as rules of the mapping language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta, timezone
from types import MappingProxyType

from connectors.dates import CHINA, DateForm, format_can_be_partial, format_is_known
from connectors.documents import Format
from connectors.manifest.cursor import Cursor
from connectors.mapping import (
    Boolean,
    Codes,
    Constant,
    FieldRule,
    Form,
    Mask,
    Money,
    Number,
    Path,
    Text,
    Texts,
    Unpack,
)

PATH = r"[^.\s][^.]*(\.[^.]+)*"
A_PATH = "a path: names parted by dots"
FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")
CURRENCY = r"[A-Z]{3}"
ZONE = re.compile(r"([+-])(\d\d):(\d\d)")
TIMES_HIGHEST = 100_000_000
MASK_LONGEST = 32


def read_path(cursor: Cursor, name: str) -> Path:
    """A path that must be there."""
    return tuple(cursor.text(name, A_PATH, PATH).split("."))


def read_optional_path(cursor: Cursor, name: str) -> Path | None:
    """A path, or None when it is left out; "" is the whole."""
    if cursor.take(name) == "":
        return ()
    text = cursor.optional_text(name, A_PATH, PATH)
    return None if text is None else tuple(text.split("."))


def read_fields(cursor: Cursor, key: str) -> dict[str, FieldRule]:
    """The rules by field code; the key has none, since it is filled from where the key stands."""
    rules = {}
    for name in cursor.names():
        if not FIELD.fullmatch(name) or name == key:
            cursor.take(name)
            cursor.mistake(name, "a field code in lower_snake, other than the key")
            continue
        rules[name] = _read_field(cursor, name)
    return rules


def read_date(cursor: Cursor, name: str = "date") -> DateForm:
    """A date's format, whether it may be partial, and its zone."""
    written = cursor.text(name, "iso, unix, unix_ms, or a format of YYYY MM M DD D hh mm ss")
    if written and not format_is_known(written):
        cursor.mistake(name, "iso, unix, unix_ms, or a format that has YYYY and no token twice")
    partial = cursor.flag("partial", default=False)
    if partial and not format_can_be_partial(written):
        cursor.mistake("partial", "a date format of year, month and day in this order")
    return DateForm(written, partial, _read_zone(cursor))


def _read_zone(cursor: Cursor) -> timezone:
    text = cursor.optional_text("zone", "an offset like +08:00", ZONE.pattern)
    found = ZONE.fullmatch(text or "")
    if found is None:
        return CHINA
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    if offset >= timedelta(hours=24):
        cursor.mistake("zone", "an offset like +08:00")
        return CHINA
    return timezone(-offset if found[1] == "-" else offset)


def _read_field(parent: Cursor, name: str) -> FieldRule:
    value = parent.take(name)
    if isinstance(value, str):
        return FieldRule(read_path(parent, name), Text())
    cursor = parent.optional_table(name)
    if cursor is None:
        return FieldRule((), Text())
    forms = [form for form in FORMS if cursor.has(form)]
    if len(forms) > 1:
        cursor.mistake("", f"one of {', '.join(forms)}, not several")
    form = FORMS[forms[0]](cursor) if forms else Text()
    constant = isinstance(form, Constant)
    rule = FieldRule(() if constant else read_path(cursor, "path"), form, _read_unpack(cursor))
    for other in forms[1:]:
        cursor.take(other)
    cursor.finish()
    return rule


def _read_unpack(cursor: Cursor) -> Unpack | None:
    both = [form for form in Format if cursor.has(form)]
    if len(both) > 1:
        cursor.mistake("", "either json or xml, not both")
    unpacks = [Unpack(form, read_path(cursor, form)) for form in both]
    return unpacks[0] if unpacks else None


def _read_number(cursor: Cursor) -> Form:
    _must_be_true(cursor, "number")
    return Number(_read_times(cursor))


def _read_boolean(cursor: Cursor) -> Form:
    _must_be_true(cursor, "boolean")
    return Boolean()


def _must_be_true(cursor: Cursor, name: str) -> None:
    if cursor.take(name) is not True:
        cursor.mistake(name, "true")


def _read_times(cursor: Cursor) -> int:
    return cursor.whole("times", 1, TIMES_HIGHEST, default=1)


def _read_codes(cursor: Cursor) -> Form:
    inner = cursor.table("codes")
    table: dict[str, str | bool] = {}
    for code in inner.names():
        value = inner.take(code)
        if isinstance(value, str | bool) and value != "":
            table[code] = value
        else:
            inner.mistake(code, "a text, true or false")
    if not inner.names() or len({isinstance(value, bool) for value in table.values()}) > 1:
        cursor.mistake("codes", "at least one code, to texts only or to true and false only")
    return Codes(table)


def _read_fixed_money(cursor: Cursor) -> Form:
    currency = cursor.text("money", "an ISO 4217 currency code", CURRENCY)
    return Money(currency, times=_read_times(cursor))


def _read_money(cursor: Cursor) -> Form:
    inner = cursor.table("currency")
    codes = inner.text_table("codes", "an ISO 4217 currency code", CURRENCY) if inner.has("codes") else None
    money = Money(None, read_path(inner, "path"), codes, _read_times(cursor))
    inner.finish()
    return money


def _read_texts(cursor: Cursor) -> Form:
    value = cursor.take("texts")
    each = read_optional_path(cursor, "each") or ()
    if value is True:
        return Texts(None, each)
    return Texts(cursor.text("texts", "true, or the text that separates them"), each)


def _read_mask(cursor: Cursor) -> Form:
    inner = cursor.table("mask")
    mask = Mask(
        inner.whole("first", 0, MASK_LONGEST, default=0), inner.whole("last", 0, MASK_LONGEST, default=0)
    )
    inner.finish()
    return mask


def _read_constant(cursor: Cursor) -> Form:
    value = cursor.take("constant")
    if isinstance(value, bool):
        return Constant(value)
    return Constant(cursor.text("constant", "a text, true or false"))


FORMS: Mapping[str, Callable[[Cursor], Form]] = MappingProxyType(
    {
        "codes": _read_codes,
        "date": read_date,
        "number": _read_number,
        "money": _read_fixed_money,
        "currency": _read_money,
        "boolean": _read_boolean,
        "texts": _read_texts,
        "mask": _read_mask,
        "constant": _read_constant,
    }
)
