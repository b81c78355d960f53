"""Reads whole columns of raw rows at once, just as ``connectors.mapping`` reads their values one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from itertools import repeat
from typing import Any, Protocol

import msgspec

from connectors.contract import Row
from connectors.dates import ISO, DateForm, WrongForm
from connectors.mapping import (
    INDEX,
    Codes,
    Constant,
    FieldRule,
    Money,
    Reader,
    Text,
    as_text,
    check_encodable,
    compile_field,
    compile_form,
)

Values = Sequence[Any]
Kinds = AbstractSet[type]
Column = tuple[Values, Kinds]  # at least the kinds of the values; their texts are such as UTF-8 can say
TEXT = frozenset({str})
TEXTS = frozenset({str, type(None)})
DATES = frozenset({date, type(None)})
ALONE = frozenset({str, int, type(None)})  # no value of these kinds equals one of another of them
DAYS = msgspec.json.Decoder(list[date | None])


class Raw(Protocol):
    """Rows as an agency has sent them."""

    def column(self, name: str) -> Column:
        """What stands under a name in each row, None where there is nothing. Raises WrongForm."""
        ...

    def rows(self) -> Values:
        """The rows by themselves."""
        ...


ColumnReader = Callable[[Raw, int], Values]
RowsReader = Callable[[Raw, Sequence[str]], list[Row]]


class Trees:
    """Rows that are branches of a document."""

    def __init__(self, rows: Values) -> None:
        self._rows = rows

    def column(self, name: str) -> Column:
        """Raises WrongForm unless every row is an object, and its text can be said in UTF-8."""
        try:
            values: Values = list(map(dict.get, self._rows, repeat(name)))
        except TypeError:
            raise WrongForm from None
        kinds, whole = survey(values)
        if not whole.isascii():
            check_encodable(whole)
        return values, kinds

    def rows(self) -> Values:
        """As they came."""
        return self._rows


def compile_columns(rules: Mapping[str, FieldRule], columns: tuple[str, ...], key: str) -> RowsReader:
    """A function from raw rows and their keys to the rows that ``compile_row`` makes of them.

    It raises WrongForm where anything does not fit, and does not say where.
    """
    readers = [None if column == key else _compile(rules[column]) for column in columns]

    def read(raw: Raw, keys: Sequence[str]) -> list[Row]:
        count = len(keys)
        made = [keys if reader is None else reader(raw, count) for reader in readers]
        return list(zip(*made, strict=True)) if made else [()] * count

    return read


def survey(values: Values) -> tuple[Kinds, str]:
    """Their kinds, and all their text as one where they are texts and None alone."""
    if not values or type(values[0]) is str:
        try:
            return TEXT, "".join(values)
        except TypeError:  # another of them is no text
            pass
    kinds = set(map(type, values))
    return kinds, "".join(filter(None, values)) if kinds <= TEXTS else ""


def read_texts(column: Column) -> Sequence[str | None]:
    """As ``as_text`` reads each of them; it raises only WrongForm."""
    values, kinds = column
    if kinds <= TEXT:
        trimmed = list(map(str.strip, values))
        return trimmed if all(trimmed) else [text or None for text in trimmed]
    if kinds <= TEXTS:
        return [None if text is None else text.strip() or None for text in values]
    return [as_text(value) for value in values]


def _compile(rule: FieldRule) -> ColumnReader:
    form = rule.form
    if isinstance(form, Constant):
        return lambda _raw, count: [form.value] * count
    is_deep = len(rule.path) != 1 or rule.unpack is not None or INDEX.fullmatch(rule.path[0])
    if is_deep or isinstance(form, Money):
        reader = compile_field(rule)
        return lambda raw, _count: [reader(row) for row in raw.rows()]
    name = rule.path[0]
    inner = _compile_form(rule)
    return lambda raw, _count: inner(raw.column(name))


def _compile_form(rule: FieldRule) -> Callable[[Column], Values]:
    one = compile_form(rule.form)
    match rule.form:
        case Text():
            return read_texts
        case Codes(table):
            known: dict[object, object] = {
                code: table[code] for code in table if code and code == code.strip()
            }
            known[None] = None
            return lambda column: _coded(known, column[0], one)
        case DateForm(format=written):
            return lambda column: _dated(written == ISO, column, one)
        case _:
            return lambda column: [one(value) for value in column[0]]


def _coded(known: dict[object, object], values: Values, one: Reader) -> Values:
    try:
        return list(map(known.__getitem__, values))
    except (KeyError, TypeError):  # not trimmed, blank, a number, a list, or no code at all
        return [one(value) for value in values]


def _dated(is_iso: bool, column: Column, one: Reader) -> Values:
    values, kinds = column
    if is_iso and kinds <= DATES:
        read: Values = msgspec.to_builtins(values)
        return read
    if is_iso and kinds <= TEXTS:
        try:
            DAYS.decode(msgspec.json.encode(values))
        except ValueError:  # not all are a whole YYYY-MM-DD
            pass
        else:
            return values
    if kinds <= ALONE:
        known = {value: one(value) for value in set(values)}
        return list(map(known.__getitem__, values))
    return [value.isoformat() if is_iso and type(value) is date else one(value) for value in values]
