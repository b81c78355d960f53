"""What begins to fail is told once, and once when it works again."""

from __future__ import annotations

import asyncpg
import pytest
from structlog.testing import capture_logs

from hub.kernel.db.reach import STEADY_SECONDS, Reach, state_of
from hub.kernel.errors import Code, HubError
from hub.kernel.log import ALLOWED_KEYS


class Hand:
    """A clock's hand that is moved by the test."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_each_change_is_told_once() -> None:
    hand = Hand()
    reach = Reach("database", hand)
    with capture_logs() as logs:
        reach.used()
        for _ in range(74):
            reach.lost("57P01")
        hand.at += STEADY_SECONDS * 2
        reach.used()
        reach.used()
    assert logs == [
        {"event": "database_away", "log_level": "error", "state": "57P01"},
        {"event": "database_back", "log_level": "warning", "seconds": STEADY_SECONDS * 2, "count": 74},
    ]
    assert {key for entry in logs for key in entry} - {"log_level"} <= ALLOWED_KEYS


def test_what_comes_and_goes_is_not_told_each_time() -> None:
    hand = Hand()
    reach = Reach("database", hand)
    with capture_logs() as logs:
        for _ in range(100):
            reach.lost("57014")
            hand.at += STEADY_SECONDS / 2
            reach.used()
    assert [entry["event"] for entry in logs] == ["database_away"]


def test_a_second_loss_is_told_again() -> None:
    hand = Hand()
    reach = Reach("database", hand)
    with capture_logs() as logs:
        for _ in range(2):
            reach.lost("57P01")
            hand.at += STEADY_SECONDS
            reach.used()
    assert [entry["event"] for entry in logs] == ["database_away", "database_back"] * 2


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ConnectionRefusedError("a-secret-word"), "ConnectionRefusedError"),
        (asyncpg.AdminShutdownError("a-secret-word"), "57P01"),
        (HubError(Code.STORE_UNAVAILABLE, state="57P03"), "57P03"),
        (HubError(Code.STORE_UNAVAILABLE), "HUB-203"),
    ],
)
def test_a_failure_is_named_without_its_words(error: BaseException, state: str) -> None:
    assert state_of(error) == state
