"""Decides which secret of an agency's account is shown, and when none is, lest the account be locked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from enum import Enum, auto
from typing import TypeVar

from connectors.contract import Fault
from connectors.faults import Kind, fault

NEXT = ".next"
FIRST_PAUSE = 60.0  # seconds for which nothing is shown after every secret has been refused
LONGEST_PAUSE = 3600.0

Secrets = Mapping[str, str]  # by slot; what stands under ``SLOT.next`` is to replace what stands under SLOT
Result = TypeVar("Result")


class Verdict(Enum):
    """What an agency's reply says of the secret that was shown."""

    TAKEN = auto()
    REFUSED = auto()
    UNKNOWN = auto()  # no reply, or one that says nothing of it


class Login:
    """An account with its secrets in the order in which they are tried: the present one, then the next.

    A secret that the agency has not yet taken is shown by one call at a time, and the others wait for what
    comes of it. One that is refused is not shown again while another is left. When all are refused, none is
    shown for a minute, and for twice as long each time after, up to an hour: most services lock an account
    after a handful of wrong secrets. What is known is this worker's own.
    """

    def __init__(self, secrets: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        """``secrets``: how many there are; they are named by their place, from 0."""
        self._count = secrets
        self._monotonic = monotonic
        self._present = 0
        self._is_taken = False
        self._refused: set[int] = set()
        self._pause = FIRST_PAUSE
        self._closed_until = 0.0
        self._trying = asyncio.Lock()

    async def use(
        self, show: Callable[[int], Awaitable[Result]], judge: Callable[[Result], Verdict]
    ) -> Result | Fault:
        """What ``show`` brings with a secret that is not refused; LOGIN_REFUSED when there is none."""
        while True:
            if self._is_taken:
                shown = self._present
                result = await show(shown)
                if judge(result) is not Verdict.REFUSED:
                    return result
                self._refuse(shown)
            tried = await self._try(show, judge)
            if tried is not None:
                return tried

    async def _try(
        self, show: Callable[[int], Awaitable[Result]], judge: Callable[[Result], Verdict]
    ) -> Result | Fault | None:
        """By one call at a time; None when another call has found a secret that is taken."""
        async with self._trying:
            while not self._is_taken:
                wait = self._closed_until - self._monotonic()
                if wait > 0:
                    return fault(Kind.LOGIN_REFUSED, retry_after=wait)
                shown = self._present
                result = await show(shown)
                verdict = judge(result)
                if verdict is Verdict.REFUSED:
                    self._refuse(shown)
                    continue
                if verdict is Verdict.TAKEN:
                    self._is_taken, self._pause = True, FIRST_PAUSE
                return result
        return None

    def _refuse(self, shown: int) -> None:
        if shown != self._present:
            return  # several calls had it in their hands
        self._is_taken = False
        self._refused.add(shown)
        left = [place for place in range(self._count) if place not in self._refused]
        if left:
            self._present = left[0]
            return
        self._closed_until = self._monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._refused.clear()
        self._present = 0


def in_order(secrets: Secrets, slots: Collection[str]) -> tuple[Secrets, ...]:
    """The secrets by slot as they are shown now and, where any slot has a next one, as they will be."""
    present = {slot: secrets[slot] for slot in slots}
    coming = {slot: secrets.get(slot + NEXT, secrets[slot]) for slot in slots}
    return (present,) if coming == present else (present, coming)
