"""Reads lines of CSV and JSON Lines, bounded, as raw rows with their line numbers."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import BinaryIO

from connectors.documents import Format, NotADocument, decode
from connectors.files_reasons import BadRows, Reason
from connectors.manifest.model import FileSource

LINE_LONGEST = 1_000_000  # bytes
RawRow = Mapping[str, object]
Numbered = tuple[int, RawRow]


def read_csv(stream: BinaryIO, source: FileSource, wanted: Sequence[str], bad: BadRows) -> Iterator[Numbered]:
    """Rows as texts by column (RFC 4180); blank lines are no rows. No cell is ever evaluated."""
    records = _records(stream, source, bad)
    header = None
    for line, cells in islice(records, source.header - 1, source.header):
        header = None if bad.total else Header.read(cells, wanted, line, bad)
    if header is None:
        if not bad.total:
            bad.add(Reason.EMPTY)
        return
    for line, cells in records if header.is_whole else ():
        if not any(map(str.strip, cells)):
            continue
        if len(cells) == header.width:
            yield line, header.row(cells)
        else:
            bad.add(Reason.RAGGED, line)


def _records(stream: BinaryIO, source: FileSource, bad: BadRows) -> Iterator[tuple[int, list[str]]]:
    """Lines of cells; quotes that do not pair end a record at the reader's own bound for a cell."""
    reader = csv.reader(_lines(stream, source.encoding, bad), delimiter=source.separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error:
            bad.add(Reason.QUOTE, line)


def read_jsonl(stream: BinaryIO, source: FileSource, bad: BadRows) -> Iterator[Numbered]:
    """One JSON object a line; blank lines are no rows."""
    for line, text in enumerate(_lines(stream, source.encoding, bad), 1):
        if not text.strip():
            continue
        try:
            row = decode(text, Format.JSON)
        except NotADocument:
            row = None
        if isinstance(row, dict):
            yield line, row
        else:
            bad.add(Reason.NOT_JSON, line)


class Header:
    """The line of the columns' names: where the wanted ones stand."""

    def __init__(self, places: Mapping[str, int], width: int, *, is_whole: bool) -> None:
        self.width = width
        self.is_whole = is_whole
        self._places = tuple(places.items())

    @classmethod
    def read(cls, cells: Sequence[object], wanted: Sequence[str], line: int, bad: BadRows) -> Header:
        """Notes every wanted column that is missing, or stands there twice."""
        names = [cell.strip() if isinstance(cell, str) else "" for cell in cells]
        is_whole = True
        for name in wanted:
            if names.count(name) != 1:
                is_whole = False
                bad.add(Reason.COLUMN_TWICE if name in names else Reason.COLUMN_MISSING, line, name)
        places = {name: names.index(name) for name in wanted if name in names}
        return cls(places, len(cells), is_whole=is_whole)

    def row(self, cells: Sequence[object]) -> dict[str, object]:
        """The wanted cells by name."""
        return {name: cells[place] for name, place in self._places}


def _lines(stream: BinaryIO, encoding: str, bad: BadRows) -> Iterator[str]:
    """Every line as text; a bad one is noted and blank. No character of either encoding holds a newline."""
    number = 0
    while line := stream.readline(LINE_LONGEST + 1):
        number += 1
        if number == 1 and encoding == "utf-8":
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) > LINE_LONGEST:
            _skip_line(stream, line)
            bad.add(Reason.TOO_LONG, number)
            yield "\n"
            continue
        yield _text(line, encoding, number, bad)


def _skip_line(stream: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(LINE_LONGEST)


def _text(line: bytes, encoding: str, number: int, bad: BadRows) -> str:
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError:
        bad.add(Reason.ENCODING, number)
        return "\n"
    if "\0" in text:
        bad.add(Reason.NUL, number)
        return "\n"
    if number == 1 and text.startswith("\ufeff"):
        bad.add(Reason.ENCODING, number)
        return "\n"
    return text
