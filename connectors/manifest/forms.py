"""Decides what values a field's rule can yield, so that the hub can compare it with the record's field."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.contract import Form
from connectors.dates import DateForm
from connectors.mapping import Boolean, Codes, Constant, FieldRule, Money, Number, Texts

Forms = Mapping[str, Form]
CodeSets = Mapping[str, frozenset[str]]


def forms_of(key: str, rules: Mapping[str, FieldRule]) -> tuple[Forms, CodeSets]:
    """The form of the key and of every field, and by each CODE field every value that it can have."""
    forms = {key: Form.TEXT} | {name: form_of(rule) for name, rule in rules.items()}
    return forms, {name: _values(rule) for name, rule in rules.items() if forms[name] is Form.CODE}


def form_of(rule: FieldRule) -> Form:
    """A code table to true and false is BOOLEAN; a constant text is a CODE with that one value."""
    match rule.form:
        case Boolean() | Constant(bool()):
            return Form.BOOLEAN
        case DateForm(partial=partial):
            return Form.PARTIAL_DATE if partial else Form.DATE
        case Codes(table):
            return Form.BOOLEAN if any(isinstance(value, bool) for value in table.values()) else Form.CODE
        case Constant():
            return Form.CODE
        case Money():
            return Form.MONEY
        case Number():
            return Form.NUMBER
        case Texts():
            return Form.TEXTS
        case _:
            return Form.TEXT


def _values(rule: FieldRule) -> frozenset[str]:
    match rule.form:
        case Codes(table):
            return frozenset(map(str, table.values()))
        case Constant(value):
            return frozenset({str(value)})
        case _:
            return frozenset()
