"""Identifiers are UUIDv7; the clock is aware and steady."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine

from hub.kernel.clock import SystemClock
from hub.kernel.ids import new_id


def test_an_id_is_a_version_7_uuid_of_its_moment() -> None:
    moment = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    with time_machine.travel(moment, tick=False):
        made = new_id()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == int(moment.timestamp() * 1000)


def test_ids_are_ordered_by_time_and_unique() -> None:
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as traveller:
        first = [new_id() for _ in range(1000)]
        traveller.shift(timedelta(milliseconds=1))
        later = new_id()
    assert len(set(first)) == 1000
    assert max(first) < later


def test_the_clock_is_aware_and_never_runs_backwards() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
