"""Ends what takes too long, with one timer for all that goes on at the same time."""

from __future__ import annotations

import asyncio
import math
import time
from types import TracebackType
from typing import Protocol

CLOCK_STEP = 0.002  # seconds by which an event loop may be early


class Timed(Protocol):
    """What may last until ``deadline`` (time.monotonic() seconds), and is told when it has not ended."""

    deadline: float

    def ring(self) -> None:
        """The time is up."""
        ...


class Alarm:
    """Sets limits of time in one event loop. Most of them are kept: its timer is for the first alone."""

    def __init__(self) -> None:
        self._open: set[Timed] = set()
        self._due = math.inf  # when the first of them may be over
        self._timer: asyncio.TimerHandle | None = None

    def until(self, deadline: float) -> Limited:
        """To be used with ``with``: what is awaited in it ends at the deadline (time.monotonic() seconds)."""
        return Limited(self, deadline)

    def begin(self, one: Timed) -> None:
        """From now on it may be ended."""
        self._open.add(one)
        if one.deadline < self._due:
            self._wake_at(one.deadline)

    def end(self, one: Timed) -> None:
        """It is over by itself."""
        self._open.discard(one)

    def _wake_at(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        wait = max(0.0, due - time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        self._due, self._timer = math.inf, None
        now = time.monotonic() + CLOCK_STEP
        for one in [one for one in self._open if one.deadline <= now]:
            self._open.discard(one)
            one.ring()
        if self._open:
            self._wake_at(min(one.deadline for one in self._open))


class Limited:
    """A stretch of one task that must be over at ``deadline``; it raises TimeoutError when it was not.

    It means what ``asyncio.timeout`` means: a cancellation by anybody else passes, even at that very moment.
    """

    __slots__ = ("_alarm", "_asked_before", "_has_rung", "_task", "deadline")

    def __init__(self, alarm: Alarm, deadline: float) -> None:
        self.deadline = deadline
        self._alarm = alarm
        self._has_rung = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be ended")
        self._task = task
        self._asked_before = task.cancelling()
        self._alarm.begin(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._alarm.end(self)
        if not self._has_rung:
            return
        is_ours_alone = self._task.uncancel() <= self._asked_before
        if is_ours_alone and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def ring(self) -> None:
        """The time is up."""
        self._has_rung = True
        self._task.cancel()
