"""How often a client may ask, how much of that is left, and the yes or no to one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil

import msgspec

from hub.audit.model import ClientId
from hub.catalogue.model import RecordCode
from hub.kernel.errors import Problem


class Measure(Enum):
    """What is counted over which time: its name in headers, the window in seconds, and the unit."""

    PER_SECOND = ("per-second", 1, "requests")
    PER_MINUTE = ("per-minute", 60, "requests")
    PER_DAY = ("per-day", 86_400, "subjects")

    def __init__(self, label: str, seconds: int, unit: str) -> None:
        self.label = label
        self.seconds = seconds
        self.unit = unit


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a second and a minute, subjects a day (UTC+8). 0: no limit; None: nothing is said."""

    per_second: int | None = None
    per_minute: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits of one client over all records, of one client over one record, or of every client over one."""

    client: ClientId | None
    record: RecordCode | None
    limits: Limits


def name_of(measure: Measure, record: RecordCode | None) -> str:
    """The name of a limit in headers: ``per-day``, or with its record ``per-day/person``."""
    return f"{measure.label}/{record}" if record else measure.label


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands with one limit: about ``remaining`` of ``quota`` for ``seconds`` more."""

    measure: Measure
    record: RecordCode | None
    quota: int
    remaining: int
    seconds: float

    @property
    def policy(self) -> str:
        """An item of ``RateLimit-Policy`` (draft-ietf-httpapi-ratelimit-headers §3)."""
        unit = "" if self.measure.unit == "requests" else f';qu="{self.measure.unit}"'
        return f'"{name_of(self.measure, self.record)}";q={self.quota}{unit};w={self.measure.seconds}'

    @property
    def limit(self) -> str:
        """An item of ``RateLimit`` (the same draft, §4)."""
        return f'"{name_of(self.measure, self.record)}";r={self.remaining};t={ceil(self.seconds)}'


class Decision(msgspec.Struct, frozen=True):
    """Whether a request may go on; ``problem``: why not.

    ``policies`` and ``limits`` are the texts of the headers ``RateLimit-Policy`` and ``RateLimit``, empty
    for a client without limits; ``retry_after`` is in seconds.
    """

    problem: Problem | None
    policies: str = ""
    limits: str = ""
    retry_after: int = 0


def headers_after(decisions: Sequence[Decision]) -> dict[bytes, bytes]:
    """The headers of an answer, with ``Retry-After`` (RFC 9110 §10.2.3) where the last decision is a no."""
    told = [decision for decision in decisions if decision.policies]
    if not told:
        return {}
    headers = {
        b"ratelimit-policy": ", ".join([decision.policies for decision in told]).encode(),
        b"ratelimit": ", ".join([decision.limits for decision in told]).encode(),
    }
    if told[-1].problem:
        headers[b"retry-after"] = str(told[-1].retry_after).encode()
    return headers
