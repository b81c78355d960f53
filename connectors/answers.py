"""Sorts an agency's raw rows by key into Found, Absent and faults, by the manifest's declared outcomes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from connectors.columns import Raw, RowsReader, Trees, compile_columns, read_texts
from connectors.contract import Answer, Ask, Fault, Row
from connectors.dates import WrongForm, compile_instant
from connectors.faults import Kind, all_failed, fault
from connectors.manifest.model import AsOf, Meaning, Offered, OutcomeRule
from connectors.mapping import Misfit, Reader, RowReader, as_code, as_text, compile_path, compile_row

FAULTS = MappingProxyType(
    {
        Meaning.REFUSED: Kind.REFUSED,
        Meaning.PENDING: Kind.PENDING,
        Meaning.FAILED: Kind.FAILED,
        Meaning.BUSY: Kind.BUSY,
    }
)
CODE_SHAPE = re.compile(r"[A-Za-z0-9_.:-]{1,32}")
COMPILED_HIGHEST = 256
NO_FAULTS: Mapping[str, Fault] = MappingProxyType({})
NINE_DIGITS = re.compile(r"[0-9]{9}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a status and code mean; None where no rule matches. ``code`` is the agency's own."""

    meaning: Meaning | None
    code: str | None


@dataclass(slots=True)
class _Sorting:
    """The answer while it grows."""

    asked: frozenset[str]
    rows: dict[str, list[Row]]
    faults: dict[str, Fault]
    instants: list[datetime | None] = field(default_factory=list)


class Judge:
    """Applies outcome rules in their order: the first that matches counts."""

    def __init__(self, rules: Iterable[OutcomeRule]) -> None:
        self._rules = tuple((rule, compile_path(rule.path or ())) for rule in rules)

    def judge(self, tree: object, status: int | None = None) -> Judgement:
        """What ``tree`` (an answer, a row) with this HTTP status means."""
        seen: str | None = None
        for rule, reach in self._rules:
            value = None if rule.path is None else _value_at(reach, tree)
            code = _code_of(value)
            seen = seen or code
            if _matches(rule, status, value, code):
                return Judgement(rule.meaning, shown(code) or _status_text(status))
        return Judgement(None, shown(seen) or _status_text(status))


class Sorter:
    """Compiled for one offering; column choices are compiled once each and kept."""

    def __init__(self, offered: Offered) -> None:
        self._offered = offered
        self._reach_key = compile_path(offered.rows.key or ())
        self._reach_items = compile_path(offered.rows.items or ())
        self._row_judge = Judge(rule for rule in offered.outcomes if rule.row)
        self._judges_rows = any(rule.row for rule in offered.outcomes)
        self._reader = lru_cache(COMPILED_HIGHEST)(self._compile)
        self._columns_reader = lru_cache(COMPILED_HIGHEST)(self._compile_columns)
        rows = offered.rows
        of_row = offered.as_of is not None and offered.as_of.row
        is_flat = rows.items is None and len(rows.key or ()) == 1
        self._key_name = (rows.key or ("",))[0]
        self._is_plain = is_flat and not self._judges_rows and not of_row

    def sort(
        self,
        elements: list[object],
        ask: Ask,
        as_of: datetime | None = None,
        faults: Mapping[str, Fault] = NO_FAULTS,
        absent: Iterable[str] = (),
    ) -> Answer:
        """Every element under its key. Keys in ``faults`` and ``absent`` are settled already.

        Rows for keys that were not asked for are kept: it is the Validate wrapper that refuses them.
        """
        if self._is_plain and not faults and not absent:
            answer = self.sort_columns(Trees(elements), ask, as_of)
            if answer is not None:
                return answer
        return self._sort_each(elements, ask, as_of, faults, absent)

    def sort_columns(self, raw: Raw, ask: Ask, as_of: datetime | None = None) -> Answer | None:
        """The same a column at a time, for rows that all fit; None where each must be looked at."""
        if not self._is_plain:
            return None
        try:
            keys = _asked_keys(read_texts(raw.column(self._key_name)), frozenset(ask.keys))
            rows = _by_key(keys, self._columns_reader(ask.columns)(raw, keys)) if keys else {}
        except WrongForm:
            return None
        if len(rows) == len(ask.keys):
            return Answer(rows, {}, as_of)
        if self._offered.missing_is_absent:
            return Answer({**dict.fromkeys(ask.keys, ()), **rows}, {}, as_of)
        why = fault(Kind.INCOMPLETE, correlation=ask.correlation)
        return Answer(rows, {key: why for key in ask.keys if key not in rows}, as_of)

    def _sort_each(
        self,
        elements: list[object],
        ask: Ask,
        as_of: datetime | None,
        faults: Mapping[str, Fault],
        absent: Iterable[str],
    ) -> Answer:
        sorting = _Sorting(frozenset(ask.keys), {key: [] for key in absent}, dict(faults))
        read = self._reader(ask.columns)
        try:
            for element in elements:
                self._sort_element(element, ask, read, sorting)
        except WrongForm:
            return all_failed(ask.keys, fault(Kind.MALFORMED, correlation=ask.correlation))
        self._settle_missing(ask, sorting)
        for key in sorting.faults:
            sorting.rows.pop(key, None)
        return Answer(
            {key: tuple(rows) for key, rows in sorting.rows.items()},
            sorting.faults,
            as_of or _oldest(sorting.instants),
        )

    def _compile(self, columns: tuple[str, ...]) -> RowReader:
        return compile_row(self._offered.fields, columns, self._offered.offering.key)

    def _compile_columns(self, columns: tuple[str, ...]) -> RowsReader:
        return compile_columns(self._offered.fields, columns, self._offered.offering.key)

    def _sort_element(self, element: object, ask: Ask, read: RowReader, sorting: _Sorting) -> None:
        key = self._key(element, ask, sorting.asked)
        if self._judges_rows and not self._is_found(element, key, ask, sorting):
            return
        for row in self._rows(element):
            values = read(row, key)
            if isinstance(values, Misfit):
                sorting.faults[key] = fault(Kind.MALFORMED, correlation=ask.correlation, place=values.field)
                continue
            sorting.rows.setdefault(key, []).append(values)
            if self._offered.as_of is not None and self._offered.as_of.row:
                sorting.instants.append(instant(self._offered.as_of, row))

    def _key(self, element: object, ask: Ask, asked: frozenset[str]) -> str:
        if self._offered.rows.key is None:
            return ask.keys[0]
        return _asked_key(as_text(self._reach_key(element)), asked)

    def _rows(self, element: object) -> list[object]:
        if self._offered.rows.items is None:
            return [element]
        return as_list(self._reach_items(element))

    def _is_found(self, element: object, key: str, ask: Ask, sorting: _Sorting) -> bool:
        judgement = self._row_judge.judge(element)
        if judgement.meaning is Meaning.FOUND:
            return True
        if judgement.meaning is Meaning.ABSENT:
            sorting.rows.setdefault(key, [])
        else:
            sorting.faults[key] = fault_of(judgement, ask)
        return False

    def _settle_missing(self, ask: Ask, sorting: _Sorting) -> None:
        for key in ask.keys:
            if key in sorting.rows or key in sorting.faults:
                continue
            if self._offered.missing_is_absent:
                sorting.rows[key] = []
            else:
                sorting.faults[key] = fault(Kind.INCOMPLETE, correlation=ask.correlation)


def _asked_key(text: str | None, asked: frozenset[str]) -> str:
    if text is None:
        raise WrongForm
    return text if text in asked else text.upper()  # a check digit x is often written small


def _asked_keys(texts: Sequence[Any], asked: frozenset[str]) -> Sequence[str]:
    """As ``_asked_key`` gives each of them; it raises WrongForm where one was not asked for."""
    if asked.issuperset(texts):
        return texts
    keys = [_asked_key(text, asked) for text in texts]
    if not asked.issuperset(keys):
        raise WrongForm
    return keys


def _by_key(keys: Sequence[str], rows: Sequence[Row]) -> dict[str, tuple[Row, ...]]:
    if len(set(keys)) == len(keys):
        return dict(zip(keys, zip(rows, strict=True), strict=True))
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for key, row in zip(keys, rows, strict=True):
        found[key].append(row)
    return dict(zip(found, map(tuple, found.values()), strict=True))


def fault_of(judgement: Judgement, ask: Ask, retry_after: float | None = None) -> Fault:
    """The fault that a judgement other than found and absent means."""
    kind = Kind.CODE_UNKNOWN if judgement.meaning is None else FAULTS[judgement.meaning]
    return fault(kind, correlation=ask.correlation, agency_code=judgement.code, retry_after=retry_after)


def http_fault(status: int, code: str | None, ask: Ask, retry_after: float | None, otherwise: Kind) -> Fault:
    """What an HTTP status means that no outcome lists: 429 busy (RFC 6585), 5xx failed (RFC 9110)."""
    kind = Kind.BUSY if status == 429 else Kind.FAILED if status >= 500 else otherwise
    return fault(kind, correlation=ask.correlation, agency_code=code, retry_after=retry_after)


def all_absent(keys: Iterable[str]) -> Answer:
    """The answer that none of the keys has a record."""
    return Answer(dict.fromkeys(keys, ()))


def as_list(value: object) -> list[object]:
    """A list as it is, None as none, and anything else as a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def instant(as_of: AsOf, tree: object) -> datetime | None:
    """The declared instant in an answer or row; None when it is missing or not readable."""
    try:
        return compile_instant(as_of.form)(compile_path(as_of.path)(tree))
    except WrongForm:
        return None


def shown(code: str | None) -> str | None:
    """An agency's code as it may be shown: not a sentence, and not a number long enough to be a person's."""
    if code is None or not CODE_SHAPE.fullmatch(code) or NINE_DIGITS.search(code):
        return None
    return code


def _value_at(reach: Reader, tree: object) -> object:
    try:
        return reach(tree)
    except WrongForm:
        return None


def _code_of(value: object) -> str | None:
    try:
        return as_code(value)
    except WrongForm:
        return None


def _status_text(status: int | None) -> str | None:
    return None if status is None else str(status)


def _matches(rule: OutcomeRule, status: int | None, value: object, code: str | None) -> bool:
    if rule.status is not None and rule.status != status:
        return False
    if rule.equals is not None and rule.equals != code:
        return False
    return rule.present is None or rule.present == (value is not None)


def _oldest(instants: list[datetime | None]) -> datetime | None:
    known = [one for one in instants if one is not None]
    return min(known) if known and len(known) == len(instants) else None
