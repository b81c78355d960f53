"""A complete connector in memory, driven by cases in TOML: for documents, tests, demo and sandbox."""

from __future__ import annotations

import asyncio
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from connectors.contract import Answer, Ask, Fault, Form, Offering, Row, Tell
from connectors.faults import Kind, all_failed, fault
from connectors.manifest import Mistake
from connectors.manifest.cursor import Cursor

FAULT_KINDS = tuple(Kind)
UNCODED = tuple(form for form in Form if form is not Form.CODE)


@dataclass(frozen=True, slots=True)
class Case:
    """What one key is answered with: rows (none: Absent), or a fault; after ``delay`` seconds."""

    rows: tuple[Mapping[str, object], ...]
    kind: Kind | None
    agency_code: str | None
    delay: float


@dataclass(frozen=True, slots=True)
class Cases:
    """Offerings, and the case of each (offering, key). A key without a case is Absent."""

    offerings: tuple[Offering, ...]
    by_key: Mapping[tuple[str, str], Case]


def read_cases(text: str) -> Cases | tuple[Mistake, ...]:
    """Reads cases like these, or tells every mistake in them.


    [[offerings]]
    name = "person"
    record = "person"
    key = "id_number"
    columns = { id_number = "text", name = "text", sex = ["1", "2"] }    # a form, or a list of codes

    [[cases]]
    offering = "person"
    key = "11010519491231002X"
    rows = [{ id_number = "11010519491231002X", name = "张三" }]

    [[cases]]
    offering = "person"
    key = "360426199101010071"
    fault = "timeout"        # one of connectors.faults.Kind; agency_code and delay_ms are optional
    """
    try:
        table = tomllib.loads(text)
    except ValueError:
        return (Mistake("", "TOML"),)
    mistakes: list[Mistake] = []
    cursor = Cursor(table, "", mistakes)
    offerings = tuple(_read_offering(one) for one in cursor.tables("offerings"))
    columns = {offering.name: offering.columns for offering in offerings}
    by_key = {}
    for one in cursor.tables("cases"):
        name = one.choice("offering", columns or ("",))
        key = one.text("key")
        by_key[name, key] = _read_case(one, columns.get(name, ()))
    cursor.finish()
    return tuple(mistakes) or Cases(offerings, by_key)


class ReferenceConnector:
    """Answers exactly what its cases say."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self.asked: list[Ask] = []

    def describe(self) -> tuple[Offering, ...]:
        """The offerings of the cases."""
        return self._cases.offerings

    async def health(self, deadline: float) -> Fault | None:
        """Well, if there is time."""
        return None if deadline > time.monotonic() else fault(Kind.TIMEOUT)

    async def fetch(self, ask: Ask) -> Answer:
        """Every key by its case, after the longest delay of them; TIMEOUT when that passes the deadline."""
        self.asked.append(ask)
        found = {key: self._cases.by_key.get((ask.offering, key)) for key in ask.keys}
        delay = max((case.delay for case in found.values() if case is not None), default=0.0)
        left = ask.deadline - time.monotonic()
        await asyncio.sleep(max(0.0, min(delay, left)))
        if delay >= left:
            return all_failed(ask.keys, fault(Kind.TIMEOUT, correlation=ask.correlation))
        rows: dict[str, tuple[Row, ...]] = {}
        faults: dict[str, Fault] = {}
        for key, case in found.items():
            if case is not None and case.kind is not None:
                faults[key] = fault(case.kind, correlation=ask.correlation, agency_code=case.agency_code)
            else:
                rows[key] = () if case is None else _rows(case, ask.columns)
        return Answer(rows, faults)

    async def close(self) -> None:
        """There is nothing to close."""


def _rows(case: Case, columns: tuple[str, ...]) -> tuple[Row, ...]:
    return tuple(tuple(row.get(column) for column in columns) for row in case.rows)


def _read_offering(cursor: Cursor) -> Offering:
    columns = cursor.table("columns")
    forms = {name: _read_form(columns, name) for name in columns.names()}
    key = cursor.text("key")
    if key not in forms:
        columns.mistake("", "field codes with their forms, the key among them")
    offering = Offering(
        cursor.text("name"),
        cursor.text("record"),
        key,
        tuple(forms),
        cursor.flag("many", default=False),
        cursor.whole("batch", 1, 1000, 1000),
        Tell(cursor.choice("tell", tuple(Tell), "none")),
        timedelta(seconds=cursor.whole("freshness_seconds", 0, 10_000_000, 0)),
        {name: Form.CODE if isinstance(form, frozenset) else form for name, form in forms.items()},
        {name: form for name, form in forms.items() if isinstance(form, frozenset)},
    )
    cursor.finish()
    return offering


def _read_form(columns: Cursor, name: str) -> Form | frozenset[str]:
    value = columns.take(name)
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return frozenset(value)
    return Form(columns.choice(name, UNCODED))


def _read_case(cursor: Cursor, columns: tuple[str, ...]) -> Case:
    rows = tuple(_read_row(row, columns) for row in cursor.tables("rows"))
    kind = Kind(cursor.choice("fault", FAULT_KINDS)) if cursor.has("fault") else None
    if rows and kind is not None:
        cursor.mistake("fault", "either rows or a fault")
    case = Case(
        rows, kind, cursor.optional_text("agency_code"), cursor.whole("delay_ms", 0, 60_000, 0) / 1000
    )
    cursor.finish()
    return case


def _read_row(cursor: Cursor, columns: tuple[str, ...]) -> Mapping[str, object]:
    row = {}
    for name in cursor.names():
        value = cursor.take(name)
        if name not in columns or not isinstance(value, str | bool | list):
            cursor.mistake(name, "a column of the offering: a text, true, false, or a list of texts")
        row[name] = tuple(value) if isinstance(value, list) else value
    return row
