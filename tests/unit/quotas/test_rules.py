"""Which limits count for a client, how large a lease is, and what stands in the headers."""

from __future__ import annotations

import pytest

from hub.audit.model import ClientId
from hub.catalogue.model import RecordCode
from hub.kernel.errors import Code, Problem
from hub.quotas import rules
from hub.quotas.model import Decision, Limits, Measure, Quota, Standing, headers_after

WINDOW, KIOSK = ClientId("window"), ClientId("kiosk")
PERSON, LICENCE = RecordCode("person"), RecordCode("drug_business_licence")
DEFAULTS = Limits(10, 100, 1000)
QUOTAS = rules.by_key(
    [
        Quota(WINDOW, None, Limits(per_minute=500, per_day=0)),
        Quota(None, PERSON, Limits(per_minute=50, per_day=70)),
        Quota(WINDOW, PERSON, Limits(per_minute=60)),
    ]
)


def test_a_client_of_its_own_has_its_own_limits_and_else_the_default_ones() -> None:
    own = rules.limits_of(WINDOW, DEFAULTS, QUOTAS)
    assert own == ((None, Measure.PER_SECOND, 10), (None, Measure.PER_MINUTE, 500))
    default = rules.limits_of(KIOSK, DEFAULTS, QUOTAS)
    assert [quota for _, _, quota in default] == [10, 100, 1000]


def test_a_record_is_limited_for_every_client_unless_a_client_has_its_own_limit() -> None:
    per_day = (PERSON, Measure.PER_DAY, 70)
    own = rules.limits_of_record(WINDOW, PERSON, QUOTAS)
    assert own == ((PERSON, Measure.PER_MINUTE, 60), per_day)
    everybody = rules.limits_of_record(KIOSK, PERSON, QUOTAS)
    assert everybody == ((PERSON, Measure.PER_MINUTE, 50), per_day)
    assert rules.limits_of_record(KIOSK, LICENCE, QUOTAS) == ()


@pytest.mark.parametrize(
    ("pool", "workers", "leased"), [(0, 4, 1), (31, 4, 1), (640, 4, 20), (640, 1, 80), (10**9, 1, 1000)]
)
def test_a_lease_is_a_small_part_of_what_is_left(pool: int, workers: int, leased: int) -> None:
    assert rules.block(pool, workers) == leased


def test_the_headers_are_those_of_the_draft() -> None:
    minute = Standing(Measure.PER_MINUTE, None, 600, 599, 12.3)
    day = Standing(Measure.PER_DAY, PERSON, 50, 0, 3600.0)
    told = {
        b"ratelimit-policy": b'"per-minute";q=600;w=60, "per-day/person";q=50;qu="subjects";w=86400',
        b"ratelimit": b'"per-minute";r=599;t=13, "per-day/person";r=0;t=3600',
    }
    assert headers_after([Decision(None, *rules.texts((minute, day)))]) == told
    one_by_one = [Decision(None, *rules.texts((standing,))) for standing in (minute, day)]
    assert headers_after([one_by_one[0], Decision(None), one_by_one[1]]) == told


def test_a_client_without_limits_gets_no_headers() -> None:
    assert headers_after([]) == headers_after([Decision(None)]) == {}


@pytest.mark.parametrize(
    ("measure", "code"),
    [
        (Measure.PER_SECOND, Code.RATE_LIMITED),
        (Measure.PER_MINUTE, Code.RATE_LIMITED),
        (Measure.PER_DAY, Code.QUOTA_USED_UP),
    ],
)
def test_a_refusal_says_which_limit_and_when_to_come_back(measure: Measure, code: Code) -> None:
    standing = Standing(measure, PERSON, 50, 0, 0.2)
    decision = rules.refused(standing, (standing,))
    assert decision.problem == Problem(code, {"maximum": "50", "seconds": "1", "record": "person"})
    assert code.status == 429
    admitted = Decision(None, *rules.texts((standing,)))
    assert headers_after([admitted, decision])[b"retry-after"] == b"1"
