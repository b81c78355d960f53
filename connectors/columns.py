"""Reads whole columns of raw rows at once, just as ``connectors.mapping`` reads their values one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Protocol, cast

from connectors.contract import Row
from connectors.dates import ISO, DateForm, WrongForm
from connectors.mapping import (
    INDEX,
    Codes,
    Constant,
    FieldRule,
    Money,
    Text,
    as_text,
    check_encodable,
    compile_field,
    compile_form,
)

Values = Sequence[object]
TEXTS = frozenset({str, type(None)})


class Raw(Protocol):
    """Rows as an agency has sent them."""

    def column(self, name: str) -> Values:
        """What stands under a name in each row, None where there is nothing. Raises WrongForm."""
        ...

    def rows(self) -> Values:
        """The rows by themselves."""
        ...


ColumnReader = Callable[[Raw, int], Values]
RowsReader = Callable[[Raw, Sequence[str]], list[Row]]


class Trees:
    """Rows that are branches of a document."""

    def __init__(self, rows: Sequence[object]) -> None:
        self._rows = rows

    def column(self, name: str) -> Values:
        """Raises WrongForm unless every row is an object."""
        if not {dict}.issuperset(map(type, self._rows)):
            raise WrongForm
        return [row.get(name) for row in cast("Sequence[dict[str, object]]", self._rows)]

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


def read_texts(values: Values) -> list[str | None]:
    """As ``as_text`` reads each of them; it raises only WrongForm."""
    if not TEXTS.issuperset(map(type, values)):
        return [as_text(value) for value in values]
    texts = cast("Sequence[str | None]", values)
    check_encodable("".join(filter(None, texts)))
    return [None if text is None else text.strip() or None for text in texts]


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


def _compile_form(rule: FieldRule) -> Callable[[Values], Values]:
    one = compile_form(rule.form)
    match rule.form:
        case Text():
            return read_texts
        case Codes(table):
            return lambda values: _coded(table, values, one)
        case DateForm(format=written) if written == ISO:
            return lambda values: [
                value.isoformat() if type(value) is date else one(value) for value in values
            ]
        case _:
            return lambda values: [one(value) for value in values]


def _coded(
    table: Mapping[str, str | bool], values: Values, one: Callable[[object], object]
) -> Sequence[object]:
    if not TEXTS.issuperset(map(type, values)):
        return [one(value) for value in values]
    try:
        return [None if code is None else table[code] for code in read_texts(values)]
    except KeyError:
        raise WrongForm from None
