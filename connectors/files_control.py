"""Reads the control file that lies beside a file, and decides whether the file is the one it speaks of."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import BinaryIO

from connectors.dates import CHINA, DateForm, WrongForm, compile_instant
from connectors.files_reasons import Bad, Reason

SUFFIX = ".control"
LONGEST = 10_000  # bytes
SHA256 = re.compile(r"[0-9a-fA-F]{64}")
CHUNK = 1_000_000
KEYS = frozenset({"file", "sha256", "rows", "as_of"})


@dataclass(frozen=True, slots=True)
class Control:
    """What an agency says of a file: its name, SHA-256 in hexadecimal, how many rows, when they were true."""

    file: str
    sha256: str
    rows: int
    as_of: datetime


def read_control(content: bytes) -> Control | None:
    """A control file (TOML with the keys file, sha256, rows, as_of and no other); None when it is none."""
    if len(content) > LONGEST:
        return None
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    file, sha256, rows = table.get("file"), table.get("sha256"), table.get("rows")
    as_of = _instant(table.get("as_of"))
    is_named = isinstance(file, str) and isinstance(sha256, str) and SHA256.fullmatch(sha256) is not None
    is_counted = isinstance(rows, int) and not isinstance(rows, bool) and rows >= 0
    if set(table) != KEYS or not is_named or not is_counted or as_of is None:
        return None
    return Control(str(file), str(sha256).lower(), int(str(rows)), as_of)


def _instant(value: object) -> datetime | None:
    """A date is its beginning; what has no offset is China's time."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    text = value.isoformat() if isinstance(value, datetime) else value
    try:
        return compile_instant(DateForm("iso", zone=CHINA))(text)
    except WrongForm:
        return None


def digest_of(stream: BinaryIO) -> str:
    """SHA-256 of what is left of a stream, in hexadecimal."""
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def objection(control: Control | None, name: str, sha256: str) -> Bad | None:
    """Why a file is not the one that its control file speaks of; None when it is."""
    if control is None or control.file != name:
        return Bad(Reason.CONTROL)
    return None if control.sha256 == sha256 else Bad(Reason.CHECKSUM)
