"""The closed list of ways in which an agency's answer can fail, and the outcome each means."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType

from connectors.contract import Answer, Fault, Outcome


class Kind(StrEnum):
    """Why there is no answer; the hub gives each its numbered error."""

    TIMEOUT = "timeout"  # the deadline passed
    UNREACHABLE = "unreachable"  # no connection, TLS failure, connection lost
    BUSY = "busy"  # 429, or our own limit for the agency is used up
    PAUSED = "paused"  # the breaker is open
    MAINTENANCE = "maintenance"  # the agency has announced that it is closed
    PENDING = "pending"  # the agency answers later
    FAILED = "failed"  # the agency said that it failed (5xx, or a code listed as such)
    MALFORMED = "malformed"  # not the declared format or types, or truncated
    TOO_LARGE = "too_large"  # over the size cap
    REFUSED = "refused"  # the agency said no to us
    LOGIN_REFUSED = "login_refused"  # the agency takes none of the secrets that it gave us
    WRONG_SUBJECT = "wrong_subject"  # rows for keys that were not asked for, or twice for one key
    CODE_UNKNOWN = "code_unknown"  # a status or body code that the manifest does not list
    ADDRESS_REFUSED = "address_refused"  # a host or address outside what is declared and approved
    LATE = "late"  # the agency's file is overdue, or none has been loaded yet
    INCOMPLETE = "incomplete"  # the key is missing from an answer that does not mean Absent by that


OUTCOMES = MappingProxyType({Kind.PENDING: Outcome.PENDING, Kind.REFUSED: Outcome.REFUSED})


def fault(
    kind: Kind,
    *,
    correlation: str | None = None,
    agency_code: str | None = None,
    retry_after: float | None = None,
    place: str | None = None,
) -> Fault:
    """A Fault of this kind with the outcome that the kind means (Unavailable unless listed)."""
    return Fault(OUTCOMES.get(kind, Outcome.UNAVAILABLE), kind, agency_code, correlation, retry_after, place)


def all_failed(keys: Iterable[str], why: Fault) -> Answer:
    """The answer of a call that failed as a whole."""
    return Answer({}, dict.fromkeys(keys, why))
