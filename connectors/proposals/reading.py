"""Decides by which rule of the mapping language a column is read, and which type its field has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.proposals.model import Column, Declared, Note
from connectors.proposals.toml import inline, quoted
from connectors.proposals.values import (
    code_values,
    date_format,
    has_whole_dates,
    is_number,
    is_phone,
    is_resident_id,
    is_showable,
    is_uscc,
    mostly,
    names_a_person,
)
from connectors.proposals.words import CodeTable, Known, spoken, vocabulary

DECLARED_CODES_HIGHEST = 40
OWN = "own"  # codes of the source itself
ALL_CODES_HIGHEST = 1_000  # of one proposal
MONEY_ENDS = ("额", "金", "费", "元", "资", "amount", "price", "fee", "salary", "je")
CODED_ENDS = (
    "类",
    "类型",
    "类别",
    "状态",
    "级",
    "标志",
    "type",
    "status",
    "flag",
    "code",
    "level",
    "lx",
    "zt",
)
Codes = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """A field type of the catalogue, and the rest of the rule beside the path ("" for plain text).

    ``codes``: code by code its names in Chinese and English.
    """

    type: str
    rule: str = ""
    codes: Codes = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    sensitivity: str | None = None


TEXT = Reading("text")


def read_as(known: Known, column: Column) -> Reading:
    """How a column is read whose meaning is known; plain text where its values contradict."""
    lost = (Note.DIGITS_LOST,) if column.digits_lost else ()
    match known.type:
        case "resident_id" | "uscc":
            test = is_resident_id if known.type == "resident_id" else is_uscc
            fits = not column.values or column.digits_lost or mostly(column.values, test)
            return Reading(known.type if fits else "text", notes=lost)
        case "date":
            return _date(column) or TEXT
        case "as_of":
            found = _date(column)
            return Reading("as_of", found.rule) if found is not None else TEXT
        case "number" | "money":
            return _numeric(column, known.type)
        case "boolean":
            return _boolean(column) or Reading(
                "boolean", _truth({"1": True, "0": False}), notes=(Note.FILL_CODES,)
            )
        case "code":
            return _coded(vocabulary().codes[known.codes or "sex"], column)
        case _:
            return _text(known, column)


def _text(known: Known, column: Column) -> Reading:
    if column.declared is Declared.TEXTS:
        return Reading("texts", "texts = true")
    own = (column.codes or code_values(column.values)) if known.codes == OWN else ()
    return _own_codes(own, (Note.CODES,)) if own and all(map(is_showable, own)) else TEXT


def read_by_itself(column: Column, spent: int) -> Reading:
    """How a column is read that nobody knows: by what its source declares, then by its values' form."""
    if column.digits_lost:
        return Reading("text", notes=(Note.DIGITS_LOST,), sensitivity="sensitive")
    declared = _by_declaration(column, spent)
    if declared is not None:
        return declared
    values = column.values
    for test, kind in ((is_resident_id, "resident_id"), (is_uscc, "uscc")):
        if mostly(values, test):
            return Reading(kind, notes=(Note.BY_VALUES,), sensitivity="sensitive")
    if mostly(values, is_phone):
        return Reading("text", notes=(Note.BY_VALUES,), sensitivity="personal")
    return _by_form(column, spent) or Reading("text", notes=(Note.UNKNOWN,))


def _by_declaration(column: Column, spent: int) -> Reading | None:
    noted = (Note.AS_DECLARED,)
    few = 0 < len(column.codes) <= min(DECLARED_CODES_HIGHEST, ALL_CODES_HIGHEST - spent)
    if few and all(map(is_showable, column.codes)):
        return _own_codes(column.codes, noted)
    match column.declared:
        case Declared.TEXTS:
            return Reading("texts", "texts = true", notes=noted)
        case Declared.BOOLEAN:
            return Reading("boolean", "boolean = true", notes=noted)
        case Declared.DATE:
            return Reading("date", f"date = {quoted('iso')}", notes=noted)
        case Declared.NUMBER if not column.values:
            return _amount(column, noted)
        case _:
            return None


def _by_form(column: Column, spent: int) -> Reading | None:
    values = column.values
    noted = (Note.BY_VALUES,)
    if values and has_whole_dates(values) and (found := _date(column)) is not None:
        return Reading(found.type, found.rule, notes=noted)
    if values and set(values) <= set(vocabulary().truth):
        return Reading(
            "boolean",
            _truth({value: vocabulary().truth[value] for value in sorted(set(values))}),
            notes=noted,
        )
    numbers = bool(values) and all(map(is_number, values))
    showable = () if names_a_person(column.name) or names_a_person(column.title) else code_values(values)
    if showable and len(showable) + spent <= ALL_CODES_HIGHEST and (not numbers or _ends(column, CODED_ENDS)):
        return _own_codes(showable, (Note.CODES,))
    return _amount(column, noted) if numbers else None


def _amount(column: Column, notes: tuple[Note, ...]) -> Reading:
    if _ends(column, MONEY_ENDS):
        return Reading("money", f"money = {quoted('CNY')}", notes=notes)
    return Reading("number", "number = true", notes=notes)


def _ends(column: Column, ends: tuple[str, ...]) -> bool:
    return any(spoken(name).endswith(ends) for name in (column.name, column.title) if name)


def _date(column: Column) -> Reading | None:
    if not column.values:
        text = column.declared in (None, Declared.TEXT, Declared.DATE)
        return Reading("date", f"date = {quoted('iso')}") if text else None
    found = date_format(column.values)
    if found is None:
        return None
    written, partial = found
    rule = f"date = {quoted(written)}" + (", partial = true" if partial else "")
    return Reading("partial_date" if partial else "date", rule)


def _numeric(column: Column, kind: str) -> Reading:
    if column.declared in (Declared.TEXTS, Declared.BOOLEAN, Declared.DATE):
        return TEXT
    if column.values and not all(map(is_number, column.values)):
        return TEXT
    return Reading(kind, f"money = {quoted('CNY')}" if kind == "money" else "number = true")


def _boolean(column: Column) -> Reading | None:
    if column.declared is Declared.BOOLEAN:
        return Reading("boolean", "boolean = true")
    table = {**vocabulary().truth, "1": True, "0": False}
    used = set(column.values) | set(column.codes)
    if not used or not used <= set(table):
        return None
    return Reading("boolean", _truth({value: table[value] for value in sorted(used)}))


def _truth(table: Mapping[str, bool]) -> str:
    return f"codes = {inline({code: str(value).lower() for code, value in table.items()})}"


def _coded(table: CodeTable, column: Column) -> Reading:
    used = sorted(set(column.codes or column.values))
    if column.declared is Declared.BOOLEAN or not set(used) <= set(table.written):
        own = column.codes or code_values(column.values)
        return _own_codes(own, (Note.CODES,)) if own and all(map(is_showable, own)) else TEXT
    rule = {code: quoted(table.written[code]) for code in used or table.values}
    notes = () if used else (Note.FILL_CODES,)
    return Reading("code", f"codes = {inline(rule)}", table.values, notes)


def _own_codes(codes: tuple[str, ...], notes: tuple[Note, ...]) -> Reading:
    rule = f"codes = {inline({code: quoted(code) for code in codes})}"
    return Reading("code", rule, {code: (code, code) for code in codes}, notes)
