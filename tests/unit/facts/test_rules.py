"""What faults are called, which names are the same, and what was valid on a day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Fault, Outcome
from connectors.faults import Kind
from hub.facts.rules import FAULT_CODES, batches, fault_code, same_name, tally, was_valid


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


@given(st.lists(st.text()), st.integers(1, 9))
def test_batches_lose_nothing(keys: list[str], size: int) -> None:
    runs = list(batches(keys, size))
    assert [key for run in runs for key in run] == keys
    assert all(0 < len(run) <= size for run in runs)


def test_tally_is_sorted() -> None:
    assert list(tally(["found", "absent", "found"]).items()) == [("absent", 1), ("found", 2)]
