"""Reads a sample spreadsheet (CSV or XLSX): its header, and what the cells under it look like."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from connectors.manifest.model import Kind
from connectors.proposals.guess import known_as, likely_key
from connectors.proposals.model import Column, Declared, Findings, Line, Note, Reason, Refusal
from connectors.proposals.toml import quoted
from connectors.proposals.values import SAFE_DIGITS, says_a_value
from connectors.proposals.words import spoken
from connectors.proposals.workbook import tables_of

SAMPLED = 4_000_000  # bytes of a CSV file
LARGEST = 50_000_000  # bytes of a workbook
ROWS = 2_000
COLUMNS = 300
HEADER_LOWEST = 20
NAME_LONGEST = 100
SEPARATORS = (",", "\t", ";", "|")
Cells = Sequence[object]


@dataclass(frozen=True, slots=True)
class Table:
    """A header with its line (counted from 1), and rows beneath it."""

    names: tuple[str, ...]
    line: int
    rows: tuple[Cells, ...]


def read_csv(file: Path) -> Findings | Refusal:
    """What a CSV file in UTF-8 or GB18030 holds; nothing in it is ever evaluated."""
    with file.open("rb") as opened:
        content = opened.read(SAMPLED + 1)
    if len(content) > SAMPLED:
        content = content[: content.rfind(b"\n") + 1]
    text = _decoded(content)
    if text is None:
        return Refusal(Reason.ENCODING)
    separator = _separator(text[0])
    try:
        reader = csv.reader(io.StringIO(text[0], newline=""), delimiter=separator, strict=False)
        table = _table(enumerate(reader, 1))
    except csv.Error:
        return Refusal(Reason.NOT_A_DOCUMENT)
    if isinstance(table, Refusal):
        return table
    written = [Line(f"encoding = {quoted(text[1])}"), Line(f"separator = {quoted(separator)}")]
    return _findings(file, "csv", written, table)


def read_xlsx(file: Path) -> Findings | Refusal:
    """What the first sheet with a header holds; the workbook is measured before it is opened."""
    if file.stat().st_size > LARGEST:
        return Refusal(Reason.TOO_LARGE)
    sheets = tables_of(file)
    if isinstance(sheets, Refusal):
        return sheets
    why = Refusal(Reason.NO_HEADER)
    for name, rows in sheets:
        table = _table(rows)
        if isinstance(table, Table):
            sheet = (
                [Line(f"sheet = {quoted(name)}", (Note.FILE,))]
                if len(name) <= 31 and name.isprintable()
                else []
            )
            return _findings(file, "xlsx", sheet, table)
        why = table
    return why


def _decoded(content: bytes) -> tuple[str, str] | None:
    for encoding, name in (("utf-8-sig", "utf-8"), ("gb18030", "gb18030")):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else (text, name)
    return None


def _separator(text: str) -> str:
    first = next((line for line in text.splitlines()[:HEADER_LOWEST] if _most(line) > 0), "")
    return max(SEPARATORS, key=first.count)


def _most(line: str) -> int:
    return max(line.count(one) for one in SEPARATORS)


def _table(rows: Iterator[tuple[int, Cells]]) -> Table | Refusal:
    """The first line with several names is the header; one alone may be a title above it."""
    single: tuple[int, Cells] | None = None
    for line, cells in rows:
        if line > HEADER_LOWEST:
            break
        filled = [cell for cell in cells if str(cell).strip()]
        if len(filled) == 1 and single is None:
            single = line, cells
        if len(filled) < 2:
            continue
        if any(not isinstance(cell, str) or says_a_value(cell) for cell in filled):
            return Refusal(Reason.NO_HEADER)
        names = tuple(str(cell).strip() for cell in cells[:COLUMNS])
        return Table(names, line, tuple(_under(rows)))
    if single is None or says_a_value(str(single[1][0])):
        return Refusal(Reason.NO_HEADER)
    return Table(tuple(str(cell).strip() for cell in single[1][:COLUMNS]), single[0], ())


def _under(rows: Iterator[tuple[int, Cells]]) -> Iterator[Cells]:
    for count, (_, cells) in enumerate(rows, 1):
        if count > ROWS:
            return
        yield cells


def _findings(file: Path, form: str, written: list[Line], table: Table) -> Findings | Refusal:
    columns = [_column(name, place, table.rows) for place, name in enumerate(table.names) if name]
    usable = [one for one in columns if is_reachable(one.name) and table.names.count(one.name) == 1]
    if not usable:
        return Refusal(Reason.NO_HEADER)
    left_out = tuple(dict.fromkeys(one.name for one in columns if one not in usable))
    key = likely_key(usable)
    keys = [value for value in key.values if value]
    source = (
        Line(""),
        Line("[offerings.file]"),
        Line(f"name = {quoted(_file_name(file))}", (Note.FILE,)),
        Line(f"format = {quoted(form)}"),
        *written,
        *([Line(f"header = {table.line}")] if table.line > 1 else []),
        Line(f"key = {quoted(key.name)}", (Note.KEY,)),
    )
    many = len(set(keys)) < len(keys)
    return Findings(Kind.FILES, file.stem, (), (), source, (), key, tuple(usable), many, 1, True, left_out)


def _file_name(file: Path) -> str:
    return (
        file.name
        if file.name.isprintable() and len(file.name) <= 100 and file.name[0] != "."
        else f"*{file.suffix}"
    )


def is_reachable(name: str) -> bool:
    """Whether a manifest's path can name a column: no dots, since they part names."""
    return bool(name) and "." not in name and name.isprintable() and len(name) <= NAME_LONGEST


def _column(name: str, place: int, rows: Sequence[Cells]) -> Column:
    cells = [row[place] for row in rows if place < len(row) and str(row[place]).strip()]
    numbers = [cell for cell in cells if isinstance(cell, int | float) and not isinstance(cell, bool)]
    declared = None
    if cells and all(isinstance(cell, bool) for cell in cells):
        declared = Declared.BOOLEAN
    elif cells and all(isinstance(cell, date | datetime) for cell in cells):
        declared = Declared.DATE
    elif cells and len(numbers) == len(cells):
        declared = Declared.NUMBER
    column = Column((name,), "", declared, tuple(map(_shown, cells)))
    return Column((name,), "", declared, column.values, (), _lost_digits(column, cells))


def _shown(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date | datetime) else str(cell).strip()


def _lost_digits(column: Column, cells: Cells) -> bool:
    """A workbook keeps 15 digits of a number; a spreadsheet writes longer ones as 3.70302E+17."""
    known = known_as(column)
    named = known is not None and known[0].type in ("resident_id", "uscc")
    long = [cell for cell in cells if isinstance(cell, float | int) and abs(cell) >= 10**SAFE_DIGITS]
    powers = [cell for cell in cells if isinstance(cell, str) and _is_power(cell)]
    return bool(long or powers) or (named and column.declared is Declared.NUMBER)


def _is_power(cell: str) -> bool:
    head, _, power = spoken(cell.replace(".", "").replace("+", "")).partition("e")
    return head.isdecimal() and power.isdecimal() and int(power[:4]) >= SAFE_DIGITS
