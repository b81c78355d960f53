"""Reads a length of time as ISO 8601 writes it."""

from __future__ import annotations

import re
from datetime import timedelta

from connectors.manifest.cursor import Cursor

DURATION = r"P(?=.)(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?=.)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?"
A_DURATION = "an ISO 8601 duration like P1D or PT10M"


def read_duration(cursor: Cursor, name: str) -> timedelta:
    """A duration that must be there."""
    return _duration(cursor.text(name, A_DURATION, DURATION))


def read_optional_duration(cursor: Cursor, name: str) -> timedelta | None:
    """A duration; None when it is missing."""
    text = cursor.optional_text(name, A_DURATION, DURATION)
    return None if text is None else _duration(text)


def _duration(text: str) -> timedelta:
    found = re.fullmatch(DURATION, text)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in (found.groups() if found else [0] * 5))
    return timedelta(days, seconds, 0, 0, minutes, hours, weeks)
