"""Says in the log when something begins to fail and when it works again, not each time in between."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from hub.kernel.errors import HubError
from hub.kernel.log import get_log

STEADY_SECONDS = 1.0  # without a failure before it counts as back: a flapping one says little too


class Reach:
    """Whether something that is used all the time can be used. ``what``: its name in snake_case."""

    def __init__(self, what: str, now: Callable[[], float] = monotonic) -> None:
        self._what = what
        self._now = now
        self._since: float | None = None
        self._latest = 0.0
        self._failures = 0

    def lost(self, state: str) -> None:
        """It failed; ``state`` is an SQLSTATE or a kind of error, never a message."""
        self._latest = self._now()
        self._failures += 1
        if self._since is None:
            self._since = self._latest
            get_log(__name__).error(f"{self._what}_away", state=state)

    def used(self) -> None:
        """It worked."""
        if self._since is None or self._now() - self._latest < STEADY_SECONDS:
            return
        seconds = round(self._now() - self._since, 1)
        get_log(__name__).warning(f"{self._what}_back", seconds=seconds, count=self._failures)
        self._since, self._failures = None, 0


def state_of(error: BaseException) -> str:
    """What a failure may be called in a log: its SQLSTATE, or its kind."""
    if isinstance(error, HubError):
        return error.problem.detail.get("state", error.problem.code.label)
    return getattr(error, "sqlstate", None) or type(error).__name__
