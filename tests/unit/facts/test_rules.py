"""What faults are called, which names are the same, and what was valid on a day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.contract import Fault, Outcome
from connectors.faults import Kind, fault
from hub.facts.model import Sourced
from hub.facts.rules import FAULT_CODES, fault_code, same_name, tally, was_valid

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_every_kind_of_fault_has_its_own_number() -> None:
    kinds = {kind.value for kind in Kind} | {"no_offering"}
    assert FAULT_CODES.keys() == kinds
    assert len(set(FAULT_CODES.values())) == len(kinds)
    assert fault_code(Fault(Outcome.UNAVAILABLE, Kind.TIMEOUT)).number == 211


@pytest.mark.parametrize(
    ("given", "recorded", "same"),
    [
        ("张三", "张三", True),
        ("张 三", "张三", True),
        ("阿依古丽·买买提", "阿依古丽•买买提", True),
        ("阿依古丽．买买提", "阿依古丽·买买提", True),
        ("ＡＢ公司", "AB公司", True),
        ("张三丰", "张三", False),
        ("", "张三", False),
        ("張三", "张三", False),
    ],
)
def test_same_name(given: str, recorded: str, same: bool) -> None:
    assert same_name(given, recorded) is same


@pytest.mark.parametrize(
    ("status", "begun", "until", "valid"),
    [
        ("01", "2020-01-01", "2026-11-22", True),
        ("01", "2026-11-22", None, True),
        ("01", None, None, True),
        ("01", "2026-11-23", None, False),
        ("01", None, "2026-11-21", False),
        ("07", "2020-01-01", "2030-01-01", False),
        (None, "2020-01-01", "2030-01-01", False),
    ],
)
def test_was_valid(status: str | None, begun: str | None, until: str | None, valid: bool) -> None:
    assert was_valid("2026-11-22", status, begun, until) is valid


def test_tally_counts_subjects_by_outcome_in_order() -> None:
    answers = [
        Sourced(None, {"a": (("1",), ("2",)), "b": ()}, {"c": fault(Kind.TIMEOUT)}, None, NOW),
        Sourced(None, {"d": (("1",),)}, {}, None, NOW),
    ]
    assert list(tally(answers).items()) == [("absent", 1), ("found", 2), ("unavailable", 1)]
    assert tally([]) == {}
