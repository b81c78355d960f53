"""What has been used lately is kept, and no crowd of newcomers drives it out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schema.execution.recent import Recent


def test_who_is_asked_for_again_outlives_a_crowd() -> None:
    recent: Recent[str, int] = Recent(50, 1_000, newcomers=5)
    recent.put("a", 1, 10)
    assert recent.get("a") == 1
    for number in range(1_000):
        recent.put(f"n{number}", number, 1)
    assert list(recent) == ["a", "n995", "n996", "n997", "n998", "n999"]
    assert recent.weight == 15


def test_those_asked_for_in_turn_are_kept_however_many() -> None:
    recent: Recent[int, int] = Recent(500, 1_000, newcomers=5)
    for _ in range(2):
        for key in range(300):
            if recent.get(key) is None:
                recent.put(key, key, 1)
    assert all(recent.get(key) == key for key in range(300))


def test_the_longest_unused_goes_first() -> None:
    recent: Recent[str, int] = Recent(2, 1_000)
    for key in "abc":
        recent.put(key, 0, 1)
        recent.get(key)
        recent.get("a")
    assert list(recent) == ["c", "a"]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 20))), st.integers(0, 6), st.integers(0, 40))
def test_the_bounds_hold_whatever_comes(steps: list[tuple[int, int]], most: int, heaviest: int) -> None:
    recent: Recent[int, int] = Recent(most, heaviest, newcomers=3)
    weights: dict[int, int] = {}
    for key, weight in steps:
        found = recent.get(key)
        assert found is None or found == weights[key]
        if found is None:
            recent.put(key, weight, weight)
            weights[key] = weight
        assert len(recent) <= most
        assert recent.weight == sum(weights[kept] for kept in recent) <= heaviest
