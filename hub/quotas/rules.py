"""Decides which limits count for a client, how much a worker leases at once, and what a refusal says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil

from hub.audit.model import ClientId
from hub.catalogue.model import RecordCode
from hub.kernel.errors import Code, Problem
from hub.quotas.model import Decision, Limits, Measure, Quota, Standing

PARTS = 8
"""A lease is this part of a worker's even share in what is left; so leases shrink towards the end."""
LARGEST_BLOCK = 1_000
"""What a worker that is killed takes with it, at the most."""

MOST = 1_000_000_000
"""Of any limit; more is as good as none."""

Key = tuple[ClientId | None, RecordCode | None]
Named = tuple[RecordCode | None, Measure, int]
"""One limit of a client: over this record (None: all), by this measure, this much."""


def mistake(quota: Quota) -> Problem | None:
    """Why a quota cannot be set: QUOTA_INVALID with the ``part`` that breaks the ``rule``."""
    if quota.client is None and quota.record is None:
        return invalid("client", "a client, a record, or both")
    limits = (quota.limits.per_second, quota.limits.per_minute, quota.limits.per_day)
    if limits == (None, None, None):
        return invalid("limits", "at least one")
    for measure, limit in zip(Measure, limits, strict=True):
        if limit is not None and not 0 <= limit <= MOST:
            return invalid(measure.label, f"a whole number from 0 (no limit) to {MOST}")
    return None


def invalid(part: str, rule: str) -> Problem:
    """A quota whose ``part`` breaks the ``rule``."""
    return Problem(Code.QUOTA_INVALID, {"part": part, "rule": rule})


def by_key(quotas: Iterable[Quota]) -> Mapping[Key, Limits]:
    """The limits by what they are for."""
    return {(quota.client, quota.record): quota.limits for quota in quotas}


def limits_of(client: ClientId, defaults: Limits, quotas: Mapping[Key, Limits]) -> tuple[Named, ...]:
    """The limits of a client over all records: its own where it has any, else the default ones."""
    own = quotas.get((client, None), Limits())
    return _named(None, _over(own, defaults))


def limits_of_record(client: ClientId, record: RecordCode, quotas: Mapping[Key, Limits]) -> tuple[Named, ...]:
    """The limits of a client over one record: its own where it has any, else those of every client."""
    own, everybody = quotas.get((client, record), Limits()), quotas.get((None, record), Limits())
    return _named(record, _over(own, everybody))


def block(pool: int, workers: int) -> int:
    """How much to lease ahead when ``pool`` is left for all the workers."""
    return min(max(pool // (PARTS * workers), 1), LARGEST_BLOCK)


def texts(standings: Iterable[Standing]) -> tuple[str, str]:
    """The texts of ``RateLimit-Policy`` and ``RateLimit``."""
    known = tuple(standings)
    policies = ", ".join(standing.policy for standing in known)
    return policies, ", ".join(standing.limit for standing in known)


def refused(by: Standing, standings: Iterable[Standing]) -> Decision:
    """The no to one request because of one limit; it names the record the limit is for, if any."""
    wait = max(ceil(by.seconds), 1)
    code = Code.QUOTA_USED_UP if by.measure is Measure.PER_DAY else Code.RATE_LIMITED
    detail = {"maximum": str(by.quota), "seconds": str(wait)} | ({"record": by.record} if by.record else {})
    return Decision(Problem(code, detail), *texts(standings), wait)


def _over(first: Limits, second: Limits) -> Limits:
    return Limits(
        second.per_second if first.per_second is None else first.per_second,
        second.per_minute if first.per_minute is None else first.per_minute,
        second.per_day if first.per_day is None else first.per_day,
    )


def _named(record: RecordCode | None, limits: Limits) -> tuple[Named, ...]:
    quotas = (limits.per_second, limits.per_minute, limits.per_day)
    return tuple((record, measure, quota) for measure, quota in zip(Measure, quotas, strict=True) if quota)
