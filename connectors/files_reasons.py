"""The closed list of what can be wrong with a file that an agency hands over, and where; never its values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LISTED = 100  # of one file, at the most; all are counted


class Reason(StrEnum):
    """What is wrong; the hub has words for each in both languages."""

    ENCODING = "encoding"  # not text in the declared encoding
    NUL = "nul"  # a NUL byte
    TOO_LONG = "too_long"  # a line or a value
    QUOTE = "quote"  # quotation marks that do not pair
    RAGGED = "ragged"  # more or fewer cells than the header has
    NOT_JSON = "not_json"  # a line that is not one JSON object
    AS_NUMBER = "as_number"  # a text that is stored as a number: digits and leading zeros are lost
    FORM = "form"  # a value that has not the declared form, or a code that is not in the table
    KEY_MISSING = "key_missing"
    KEY_WRONG = "key_wrong"  # no identifier of its kind, by shape or check digit
    KEY_TWICE = "key_twice"  # a second row where the offering has one a key
    COLUMN_MISSING = "column_missing"
    COLUMN_TWICE = "column_twice"
    EMPTY = "empty"  # no header
    NOT_XLSX = "not_xlsx"  # not a plain workbook
    UNPACKED = "unpacked"  # a workbook that unpacks to more than is borne
    SHEET_MISSING = "sheet_missing"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_LARGE = "too_large"
    NOT_A_FILE = "not_a_file"  # a link, a pipe, a device, or a file with a second name elsewhere
    CONTROL = "control"  # a control file that cannot be read, or that is about another file
    CHECKSUM = "checksum"
    ROW_COUNT = "row_count"
    FUTURE = "future"  # data of a time that has not come
    CHANGED = "changed"  # while it was read


@dataclass(frozen=True, slots=True)
class Bad:
    """One thing that is wrong: the line (counted from 1; of a workbook the row), and the declared column."""

    reason: Reason
    line: int | None = None
    column: str | None = None


class BadRows:
    """What is wrong with one file: the first of it in words, all of it as a number."""

    def __init__(self, listed: int = LISTED) -> None:
        self.total = 0
        self._most = listed
        self._first: list[Bad] = []

    def add(self, reason: Reason, line: int | None = None, column: str | None = None) -> None:
        """Notes one more."""
        self.total += 1
        if len(self._first) < self._most:
            self._first.append(Bad(reason, line, column))

    @property
    def first(self) -> tuple[Bad, ...]:
        """In the order in which they were found."""
        return tuple(self._first)
