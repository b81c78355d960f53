"""The clock, the only place that reads the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; handed to everything that depends on it."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, comparable within this process only."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of ``time.monotonic``, as deadlines use them."""
        return time.monotonic()


def unix_milliseconds() -> int:
    """Milliseconds since 1970, for identifiers that are ordered by time."""
    return time.time_ns() // 1_000_000
