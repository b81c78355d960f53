"""Reads a sheet of an XLSX workbook, after measuring it: what unpacks to too much is never unpacked."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, BinaryIO
from xml.parsers import expat

from python_calamine import CalamineError, CalamineSheet, load_workbook

from connectors.files_reasons import BadRows, Reason
from connectors.files_tables import Header, Numbered
from connectors.manifest.model import FileSource

UNPACKED_HIGHEST = 1_000_000_000  # bytes of all parts together
PARTS_HIGHEST = 2_000
CELLS_HIGHEST = 20_000_000  # the rectangle around all used cells of a sheet: the library holds it in memory
CHUNK = 1_000_000
RELATIONS = "xl/_rels/workbook.xml.rels"
REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
WORKBOOK_FAILURES = (CalamineError, ValueError, OSError)


class Unbearable(Exception):  # noqa: N818 - an internal signal
    """A workbook that must not be opened, and why."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason)


def read_xlsx(
    stream: BinaryIO, source: FileSource, wanted: Sequence[str], bad: BadRows
) -> Iterator[Numbered]:
    """Rows of the declared sheet (the first, if none is named); formulas give the values stored with them.

    The workbook is held in memory, within the bounds above.
    """
    try:
        measure(stream)
        sheet = _sheet(stream, source.sheet)
    except Unbearable as unbearable:
        bad.add(unbearable.reason)
        return
    header: Header | None = None
    for line, cells in enumerate(sheet.iter_rows(), 1):
        if header is None:
            if line < source.header:
                continue
            header = Header.read(cells, wanted, line, bad)
            if not header.is_whole:
                return
        elif any(cell != "" for cell in cells):
            yield line, header.row([_plain(cell) for cell in cells])
    if header is None:
        bad.add(Reason.EMPTY)


def measure(stream: BinaryIO) -> None:
    """Raises Unbearable for what is no plain workbook, or unpacks to more than the bounds."""
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            _check_directory(archive.infolist())
            for part in archive.infolist():
                if part.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(part) as opened:
                        _Measure(part.filename).read(opened, part.file_size)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise Unbearable(Reason.NOT_XLSX) from error
    finally:
        stream.seek(0)


def _check_directory(parts: Sequence[zipfile.ZipInfo]) -> None:
    names = {part.filename.casefold() for part in parts}
    if len(names) < len(parts) or RELATIONS not in names:
        raise Unbearable(Reason.NOT_XLSX)
    if len(parts) > PARTS_HIGHEST or sum(part.file_size for part in parts) > UNPACKED_HIGHEST:
        raise Unbearable(Reason.UNPACKED)


class _Measure:
    """Looks through one XML part for how far its cells reach, and for what a plain workbook has not."""

    def __init__(self, name: str) -> None:
        self._relations = name.casefold() == RELATIONS
        self._rows = self._columns = self._row = self._column = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start

    def read(self, part: IO[bytes], declared: int) -> None:
        """The directory's word for the size is not taken: reading stops where it is exceeded."""
        seen = 0
        try:
            while chunk := part.read(CHUNK):
                seen += len(chunk)
                if seen > declared:
                    raise Unbearable(Reason.UNPACKED)
                self._parser.Parse(chunk, False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise Unbearable(Reason.NOT_XLSX) from error

    def _refuse(self, *_declared: object) -> None:
        raise Unbearable(Reason.NOT_XLSX)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "c":
            self._reach_cell(attributes.get("r"))
        elif local == "row":
            self._row = int(attributes["r"][:8]) if attributes.get("r", "").isdecimal() else self._row + 1
            self._column = 0
        elif self._relations and local == "Relationship":
            self._relate(attributes.get("Target", ""))

    @staticmethod
    def _relate(target: str) -> None:
        """A sheet under another name would not have been measured."""
        if not target.lower().endswith(".xml"):
            raise Unbearable(Reason.NOT_XLSX)

    def _reach_cell(self, reference: str | None) -> None:
        """A cell far out makes the library hold everything up to it."""
        if reference is None:
            self._column += 1
        else:
            found = REFERENCE.fullmatch(reference)
            if found is None:
                raise Unbearable(Reason.NOT_XLSX)
            self._column = _column(found[1])
            self._row = int(found[2])
        self._rows, self._columns = max(self._rows, self._row), max(self._columns, self._column)
        if self._rows * self._columns > CELLS_HIGHEST:
            raise Unbearable(Reason.UNPACKED)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _sheet(stream: BinaryIO, name: str | None) -> CalamineSheet:
    try:
        workbook = load_workbook(stream)
        if name is not None and name not in workbook.sheet_names:
            raise Unbearable(Reason.SHEET_MISSING)
        return workbook.get_sheet_by_name(name) if name is not None else workbook.get_sheet_by_index(0)
    except WORKBOOK_FAILURES as error:
        raise Unbearable(Reason.NOT_XLSX) from error


def _plain(cell: object) -> object:
    """Nothing for an empty cell; a whole number as one, since a workbook knows only floating ones."""
    if cell == "":
        return None
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell
