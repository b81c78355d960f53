"""Decides whether a value is one that its column's declared form allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from connectors.contract import Form, Offering

Check = Callable[[object], bool]
ColumnCheck = Callable[[Sequence[object]], bool]
TEXTS = frozenset({str, type(None)})
BOOLEANS = frozenset({bool, type(None)})
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


def compile_column_check(offering: Offering, column: str) -> ColumnCheck:
    """A function of many values, true where ``compile_check`` allows each of them."""
    form = offering.forms.get(column)
    check = compile_check(offering, column)
    if form is Form.CODE:
        codes = frozenset({None, *offering.codes.get(column, frozenset())})
        return lambda values: (
            (TEXTS.issuperset(map(type, values)) and codes.issuperset(values)) or all(map(check, values))
        )
    if form is Form.BOOLEAN:
        return lambda values: BOOLEANS.issuperset(map(type, values)) or all(map(check, values))
    if form is None or form is Form.TEXTS:
        return lambda values: all(map(check, values))
    return lambda values: _are_short_texts(values) or all(map(check, values))


def _are_short_texts(values: Sequence[object]) -> bool:
    if not TEXTS.issuperset(map(type, values)):
        return False
    texts = cast("Sequence[str | None]", values)
    return max(map(len, filter(None, texts)), default=0) <= LONGEST_TEXT


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
