"""Decides which rows a file becomes under its manifest, and says of every row that does not fit why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import BinaryIO, NamedTuple, assert_never

from connectors.answers import Judge
from connectors.contract import Row
from connectors.dates import DateForm, WrongForm, written
from connectors.files_reasons import BadRows, Reason
from connectors.files_tables import Numbered, RawRow, read_csv, read_jsonl
from connectors.files_xlsx import read_xlsx
from connectors.forms import LONGEST_TEXT
from connectors.manifest.model import FileFormat, FileSource, Meaning, Offered
from connectors.mapping import (
    Codes,
    FieldRule,
    Mask,
    Misfit,
    Text,
    Texts,
    compile_field,
    compile_path,
    compile_row,
)
from connectors.staged import Judged

SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]{2}")  # how a spreadsheet writes a long number into CSV
TEXTUAL = (Text, Texts, Mask, Codes)
ReadKey = Callable[[str], str | None]


class FileRow(NamedTuple):
    """One row of a file as it will be answered with, and the line that it stood on."""

    line: int
    key: str
    content: Row | Judged


def read_rows(
    stream: BinaryIO, offered: Offered, source: FileSource, read_key: ReadKey, bad: BadRows
) -> Iterator[FileRow]:
    """Every row that fits; those that do not are noted in ``bad``, and then nothing of the file may be used.

    ``read_key`` gives a key in the form in which it is asked for, None for what is no such key.
    """
    reading = _Reading(offered, read_key, bad)
    wanted = _columns(offered)
    match source.format:
        case FileFormat.CSV:
            raw: Iterator[Numbered] = read_csv(stream, source, wanted, bad)
        case FileFormat.JSONL:
            raw = read_jsonl(stream, source, bad)
        case FileFormat.XLSX:
            raw = _with_dates(read_xlsx(stream, source, wanted, bad), offered.fields)
        case _:
            assert_never(source.format)
    for count, (line, row) in enumerate(raw, 1):
        if count > source.max_rows:
            bad.add(Reason.TOO_MANY_ROWS, line)
            return
        made = reading.read(line, row)
        if made is not None:
            yield made


def _columns(offered: Offered) -> tuple[str, ...]:
    """The first step of every path that is read, each once."""
    paths = [offered.rows.key or ()]
    paths += [path for rule in offered.fields.values() for path in rule.sources()]
    paths += [rule.path for rule in offered.outcomes if rule.path]
    return tuple(dict.fromkeys(path[0] for path in paths if path))


def _with_dates(rows: Iterator[Numbered], fields: Mapping[str, FieldRule]) -> Iterator[Numbered]:
    """A workbook's own dates as the texts that the fields declare."""
    dates = [
        (rule.path[0], rule.form)
        for rule in fields.values()
        if isinstance(rule.form, DateForm) and rule.unpack is None
    ]
    for line, row in rows:
        changed = {
            name: written(value, form)
            for name, form in dates
            if isinstance(value := row.get(name), date | datetime)
        }
        yield line, {**row, **changed}


class _Reading:
    """One offering's mapping, compiled."""

    def __init__(self, offered: Offered, read_key: ReadKey, bad: BadRows) -> None:
        offering = offered.offering
        self._key = offering.key
        self._key_column = ".".join(offered.rows.key or ())
        self._reach_key = compile_path(offered.rows.key or ())
        self._read = compile_row(offered.fields, offering.columns, offering.key)
        self._columns = offering.columns
        self._fields = offered.fields
        self._judge = Judge(offered.outcomes) if offered.outcomes else None
        judged = [rule.path for rule in offered.outcomes if rule.path]
        self._judged_column = ".".join(judged[0]) if judged else None
        self._read_key = read_key
        self._bad = bad

    def read(self, line: int, row: RawRow) -> FileRow | None:
        key = self._key_of(line, row)
        content = self._content(line, row, key or "")
        return None if key is None or content is None else FileRow(line, key, content)

    def _content(self, line: int, row: RawRow, key: str) -> Row | Judged | None:
        if self._judge is not None:
            judgement = self._judge.judge(row)
            if judgement.meaning is None:
                self._bad.add(Reason.FORM, line, self._judged_column)
                return None
            if judgement.meaning is not Meaning.FOUND:
                return Judged(judgement.meaning is Meaning.REFUSED, judgement.code)
        values = self._read(row, key)
        if isinstance(values, Misfit):
            self._tell_misfits(line, row)
            return None
        return values if self._are_bearable(line, values) else None

    def _key_of(self, line: int, row: RawRow) -> str | None:
        try:
            value = self._reach_key(row)
        except WrongForm:
            value = False
        if value is None or (isinstance(value, str) and not value.strip()):
            reason = Reason.KEY_MISSING
        elif not isinstance(value, str):
            reason = Reason.AS_NUMBER if _is_number(value) else Reason.FORM
        elif SCIENTIFIC.fullmatch(value.strip()):
            reason = Reason.AS_NUMBER
        else:
            key = self._read_key(value.strip())
            if key is not None:
                return key
            reason = Reason.KEY_WRONG
        self._bad.add(reason, line, self._key_column)
        return None

    def _tell_misfits(self, line: int, row: RawRow) -> None:
        """The row does not fit: every field of it that is the reason."""
        for rule in self._fields.values():
            try:
                compile_field(rule)(row)
            except WrongForm:
                self._bad.add(_reason(rule, row), line, ".".join(rule.path))

    def _are_bearable(self, line: int, values: Row) -> bool:
        """Whether every text is one: neither endless nor the wreck of a long number."""
        before = self._bad.total
        for column, value in zip(self._columns, values, strict=True):
            for text in value if isinstance(value, tuple) else (value,):
                reason = _objection(text) if isinstance(text, str) and column != self._key else None
                if reason is not None:
                    self._bad.add(reason, line, ".".join(self._fields[column].path))
        return self._bad.total == before


def _objection(text: str) -> Reason | None:
    if len(text) > LONGEST_TEXT:
        return Reason.TOO_LONG
    if "\0" in text:
        return Reason.NUL
    return Reason.AS_NUMBER if "E+" in text and SCIENTIFIC.fullmatch(text) else None


def _reason(rule: FieldRule, row: RawRow) -> Reason:
    """A number where a text or a code belongs has lost its leading zeros, and beyond 15 its digits."""
    try:
        value = compile_path(rule.path)(row)
    except WrongForm:
        return Reason.FORM
    is_text = isinstance(rule.form, TEXTUAL) or rule.unpack is not None
    return Reason.AS_NUMBER if is_text and _is_number(value) else Reason.FORM


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
