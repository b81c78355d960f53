"""Decides whether a value is one that its column's declared form allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from connectors.contract import Form, Offering

Values = Sequence[Any]
Check = Callable[[object], bool]
ColumnCheck = Callable[[Values], bool]
RowsCheck = Callable[[Sequence[Values], Values], bool]
TEXTS = frozenset({str, type(None)})
BOOLEANS = frozenset({bool, type(None)})
NOT_TEXT = (None, Form.BOOLEAN, Form.TEXTS)
LONGEST_TEXT = 100_000  # characters of one value
LONGEST_LIST = 10_000  # elements of one value


def compile_check(offering: Offering, column: str) -> Check:
    """A function of one value; a column that is not described allows nothing but None.

    That a date, an amount or a number is well written is what a mapping has seen to already.
    """
    form = offering.forms.get(column)
    if form is None:
        return _is_nothing
    if form is Form.CODE:
        return _one_of(offering.codes.get(column, frozenset()))
    if form is Form.BOOLEAN:
        return _is_boolean
    return _are_texts if form is Form.TEXTS else _is_text


def compile_rows_check(offering: Offering, columns: tuple[str, ...]) -> RowsCheck:
    """A function of many rows' columns, and the keys they stand under: whether all of it is allowed."""
    checks = tuple(_compile_column_check(offering, column) for column in columns)
    of_texts = all(offering.forms.get(column) not in NOT_TEXT for column in columns)
    coded = tuple(place for place, column in enumerate(columns) if offering.forms.get(column) is Form.CODE)
    keyed = columns.index(offering.key) if offering.key in columns else None

    def are_allowed(made: Sequence[Values], owners: Values) -> bool:
        checked = coded if of_texts and _are_few_texts(made) else range(len(checks))
        for place in checked:
            if not checks[place](made[place]):
                return False
        return keyed is None or made[keyed] == owners

    return are_allowed


def _are_few_texts(columns: Sequence[Values]) -> bool:
    """Whether there are texts alone, and all together no longer than one may be."""
    try:
        return len("".join(map("".join, columns))) <= LONGEST_TEXT
    except TypeError:
        return False


def _compile_column_check(offering: Offering, column: str) -> ColumnCheck:
    """A function of many values, true where ``compile_check`` allows each of them."""
    form = offering.forms.get(column)
    check = compile_check(offering, column)
    if form is Form.CODE:
        codes = frozenset({None, *offering.codes.get(column, frozenset())})
        return lambda values: (
            (_whole(values) is not None and codes.issuperset(values)) or all(map(check, values))
        )
    if form is Form.BOOLEAN:
        return lambda values: BOOLEANS.issuperset(map(type, values)) or all(map(check, values))
    if form is None or form is Form.TEXTS:
        return lambda values: all(map(check, values))
    return lambda values: _are_short_texts(values) or all(map(check, values))


def _are_short_texts(values: Values) -> bool:
    whole = _whole(values)
    if whole is None:
        return False
    return len(whole) <= LONGEST_TEXT or max(map(len, filter(None, values))) <= LONGEST_TEXT


def _whole(values: Values) -> str | None:
    """All their text as one; None where one of them is neither a text nor None."""
    try:
        return "".join(values)
    except TypeError:
        return "".join(filter(None, values)) if TEXTS.issuperset(map(type, values)) else None


def _is_nothing(value: object) -> bool:
    return value is None


def _is_text(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= LONGEST_TEXT)


def _is_boolean(value: object) -> bool:
    return value is None or isinstance(value, bool)


def _are_texts(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, tuple) or len(value) > LONGEST_LIST:
        return False
    return all(isinstance(one, str) and len(one) <= LONGEST_TEXT for one in value)


def _one_of(codes: frozenset[str]) -> Check:
    return lambda value: value is None or (isinstance(value, str) and value in codes)
