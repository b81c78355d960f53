"""Reads ``[offerings.file]``: which file of the agency's holds the rows, how it is written, when it comes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from connectors.manifest.cursor import Cursor
from connectors.manifest.durations import read_duration, read_optional_duration
from connectors.manifest.fields import read_path
from connectors.manifest.model import FileFormat, FileSource, Rows
from connectors.mapping import FieldRule

NAME = r"[^/\\\x00-\x1f.][^/\\\x00-\x1f]{0,99}"
A_NAME = "a file's name without folders, * for what changes in it"
SEPARATORS = (",", ";", "\t", "|")
HEADER_LOWEST = 20
SHRINK = r"(100|[0-9]{1,2})%"
ROWS_HIGHEST, ROWS = 20_000_000, 2_000_000
BYTES_HIGHEST, BYTES = 10_000_000_000, 1_000_000_000
DECIDING = ("name", "record", "key", "many", "fields", "outcomes")
WRITTEN = ("format", "encoding", "separator", "sheet", "header", "key")


def read_file(parent: Cursor) -> tuple[FileSource, Rows]:
    """The file of one offering, and the column that holds the key."""
    cursor = parent.table("file")
    file_format = FileFormat(cursor.choice("format", tuple(FileFormat)))
    source = FileSource(
        cursor.text("name", A_NAME, NAME),
        file_format,
        _read_encoding(cursor, file_format),
        _read_separator(cursor, file_format),
        _read_sheet(cursor, file_format),
        1 if file_format is FileFormat.JSONL else cursor.whole("header", 1, HEADER_LOWEST, 1),
        cursor.flag("control", default=False),
        read_optional_duration(cursor, "every"),
        read_duration(cursor, "tolerance") if cursor.has("tolerance") else None,
        _read_shrink(cursor),
        cursor.whole("max_rows", 1, ROWS_HIGHEST, ROWS),
        cursor.whole("max_bytes", 1, BYTES_HIGHEST, BYTES),
    )
    if source.tolerance is not None and source.every is None:
        cursor.mistake("tolerance", "nothing, since there is no every")
    rows = Rows((), read_path(cursor, "key"), None)
    if not _is_reachable(file_format, rows.key or ()):
        cursor.mistake("key", "one column")
    cursor.finish()
    return replace(source, mapping=mapping_of(parent, cursor)), rows


def check_columns(cursor: Cursor, source: FileSource, fields: Mapping[str, FieldRule]) -> None:
    """Notes every field whose path is deeper than a table's columns are."""
    for name, rule in fields.items():
        if not all(_is_reachable(source.format, path) for path in rule.sources()):
            cursor.mistake(name, "one column; look into a text that holds JSON with json = …")


def mapping_of(parent: Cursor, file: Cursor) -> str:
    """SHA-256, in hexadecimal, of all that decides which rows a file becomes, as it stands in the manifest.

    Rows that were made under another mapping are not answered with.
    """
    deciding = [(name, parent.take(name)) for name in DECIDING]
    written = [(name, file.take(name)) for name in WRITTEN]
    return hashlib.sha256(json.dumps([deciding, written], default=str).encode()).hexdigest()


def _is_reachable(file_format: FileFormat, path: tuple[str, ...]) -> bool:
    return len(path) == 1 or file_format is FileFormat.JSONL


def _read_encoding(cursor: Cursor, file_format: FileFormat) -> str:
    if file_format is FileFormat.XLSX:
        return "utf-8"
    return cursor.choice("encoding", ("utf-8", "gb18030"), "utf-8")


def _read_separator(cursor: Cursor, file_format: FileFormat) -> str:
    return cursor.choice("separator", SEPARATORS, ",") if file_format is FileFormat.CSV else ","


def _read_sheet(cursor: Cursor, file_format: FileFormat) -> str | None:
    if file_format is not FileFormat.XLSX:
        return None
    return cursor.optional_text("sheet", "a sheet's name, 1 to 31 characters", r"[^\x00-\x1f]{1,31}")


def _read_shrink(cursor: Cursor) -> int | None:
    text = cursor.optional_text("shrink", "a percentage like 20%", SHRINK)
    return None if text is None else int(text.removesuffix("%"))
