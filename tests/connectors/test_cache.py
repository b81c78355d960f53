"""Facts are told from memory while they are fresh, never beyond, and never what nobody may keep."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from connectors.cache import Cache
from connectors.cached import MOST_LAYOUTS, Cached
from connectors.contract import Answer, Ask, Offering, Tell
from connectors.faults import Kind, all_failed, fault
from connectors.metering import Meter
from connectors.wrappers import wrap
from tests.connectors import samples
from tests.connectors.test_wrappers import PERSON, Answering, Scripted

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
COLUMNS = ("id", "name", "sex")


class Hands:
    """Both clocks, moved by the test."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return 1_000.0 + self.passed


def pseudonym(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def records(asked: Ask, number: int) -> Answer:
    """A: one row, B: two, N: none, F: a fault; with the number of the call in each value."""
    rows = {
        key: tuple(
            tuple(key if column == "id" else f"{key}-{column}-{number}" for column in asked.columns)
            for _ in range({"N": 0, "B": 2}.get(key, 1))
        )
        for key in asked.keys
        if key != "F"
    }
    return Answer(rows, {"F": fault(Kind.TIMEOUT)} if "F" in asked.keys else {})


class Shelf(Scripted):
    """A scripted connector behind a cache."""

    def __init__(
        self, answering: Answering = records, most_bytes: int = 1_000_000, **changed: object
    ) -> None:
        super().__init__(answering)
        fresh = {"freshness": timedelta(seconds=60), "columns": COLUMNS, "batch": 10, **changed}
        self.offering = replace(PERSON, **fresh)  # type: ignore[arg-type]  # fields of an Offering
        self.hands = Hands()
        self.cache = Cache(most_bytes, pseudonym, self.hands.now)
        self.registry = CollectorRegistry()
        self.wrapped = Cached(self, self.cache, "police", Meter(self.registry), self.hands.monotonic)

    def describe(self) -> tuple[Offering, ...]:
        return (self.offering,)

    async def ask(self, *keys: str, columns: Sequence[str] = COLUMNS) -> Answer:
        return await self.wrapped.fetch(Ask("person", keys, tuple(columns), (), 2_000.0, "corr"))

    @property
    def calls(self) -> list[tuple[str, ...]]:
        return [one.keys for one in self.asked]


async def test_what_is_fresh_is_not_asked_for_again_and_tells_when_it_was_fetched() -> None:
    shelf = Shelf()
    first = await shelf.ask("A", "B", "N")
    shelf.hands.passed = 59
    second = await shelf.ask("N", "B", "A")
    assert dict(second.rows) == dict(first.rows)
    assert (second.fetched_at, second.as_of, dict(second.faults)) == (NOON, None, {})
    assert shelf.calls == [("A", "B", "N")]


async def test_only_what_is_missing_is_asked_for() -> None:
    shelf = Shelf()
    await shelf.ask("A")
    shelf.hands.passed = 10
    answer = await shelf.ask("A", "B", "F")
    assert shelf.calls == [("A",), ("B", "F")]
    assert (set(answer.rows), set(answer.faults)) == ({"A", "B"}, {"F"})
    assert answer.fetched_at == NOON


async def test_what_was_just_fetched_says_so() -> None:
    assert (await Shelf().ask("A")).fetched_at is None


async def test_nothing_is_told_beyond_its_freshness() -> None:
    shelf = Shelf()
    await shelf.ask("A", "N")
    shelf.hands.passed = 60
    again = await shelf.ask("A", "N")
    assert shelf.calls == [("A", "N"), ("A", "N")]
    assert again.rows["A"] == (("A", "A-name-2", "A-sex-2"),)


@pytest.mark.parametrize(("age", "asked"), [(0, 1), (29, 1), (31, 2), (90, 2)])
async def test_freshness_counts_from_when_the_facts_were_true(age: int, asked: int) -> None:
    as_of = NOON - timedelta(seconds=age)
    shelf = Shelf(lambda one, number: records(one, number)._replace(as_of=as_of))
    await shelf.ask("A")
    shelf.hands.passed = 30
    answer = await shelf.ask("A")
    assert len(shelf.asked) == asked
    assert answer.as_of == as_of


async def test_an_age_from_the_future_makes_nothing_fresher() -> None:
    shelf = Shelf(lambda one, number: records(one, number)._replace(as_of=NOON + timedelta(days=1)))
    await shelf.ask("A")
    shelf.hands.passed = 60
    await shelf.ask("A")
    assert len(shelf.asked) == 2


async def test_the_oldest_age_counts_and_an_unknown_one_makes_it_unknown() -> None:
    ages = {"A": NOON - timedelta(seconds=5), "B": NOON - timedelta(seconds=9), "N": None}
    shelf = Shelf(lambda one, number: records(one, number)._replace(as_of=ages[one.keys[0]]))
    await shelf.ask("A")
    await shelf.ask("B")
    assert (await shelf.ask("A", "B")).as_of == ages["B"]
    await shelf.ask("N")
    assert (await shelf.ask("A", "B", "N")).as_of is None


@pytest.mark.parametrize("kind", Kind)
async def test_no_fault_is_kept(kind: Kind) -> None:
    shelf = Shelf(lambda one, _: all_failed(one.keys, fault(kind)))
    await shelf.ask("A")
    await shelf.ask("A")
    assert len(shelf.asked) == 2
    assert shelf.cache.bytes == 0


@pytest.mark.parametrize(
    "changed", [{"tell": Tell.PER_CALL}, {"tell": Tell.PER_KEY}, {"freshness": timedelta()}]
)
async def test_what_forbids_it_is_not_kept(changed: Mapping[str, object]) -> None:
    shelf = Shelf(**changed)  # type: ignore[arg-type]  # fields of an Offering
    await shelf.ask("A")
    await shelf.ask("A")
    assert len(shelf.asked) == 2
    assert shelf.cache.bytes == 0


async def test_more_columns_serve_for_fewer_and_tell_no_more_than_these() -> None:
    shelf = Shelf()
    await shelf.ask("A", "N")
    answer = await shelf.ask("A", "N", columns=["sex"])
    assert dict(answer.rows) == {"A": (("A-sex-1",),), "N": ()}
    assert (await shelf.ask("A", columns=["sex", "id"])).rows["A"] == (("A-sex-1", "A"),)
    assert len(shelf.asked) == 1


async def test_fewer_columns_never_serve_for_more() -> None:
    shelf = Shelf()
    await shelf.ask("A", columns=["name"])
    assert (await shelf.ask("A", columns=["name", "sex"])).rows["A"] == (("A-name-2", "A-sex-2"),)


async def test_choices_of_columns_are_bounded() -> None:
    shelf = Shelf(columns=tuple(f"c{number}" for number in range(200)))
    for number in range(200):
        await shelf.ask("A", columns=[f"c{number}"])
    assert len(shelf.cache._entries) == MOST_LAYOUTS
    await shelf.ask("A", columns=["c199"])
    assert len(shelf.asked) == 200


async def test_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    shelf = Shelf(most_bytes=10_000)
    for number in range(100):
        await shelf.ask(f"K{number}")
        await shelf.ask("K0")
        assert shelf.cache.bytes <= 10_000
    assert 5 < len(shelf.cache._entries) < 20
    assert shelf.calls.count(("K0",)) == 1
    await shelf.ask("K1")
    assert shelf.calls.count(("K1",)) == 2


async def test_what_is_larger_than_the_memory_is_not_kept() -> None:
    shelf = Shelf(lambda one, _: Answer({key: ((key, "x" * 20_000, None),) for key in one.keys}), 10_000)
    await shelf.ask("A")
    assert (shelf.cache.bytes, len(shelf.cache._entries)) == (0, 0)


async def test_a_subject_is_forgotten_by_its_pseudonym_and_no_other() -> None:
    shelf = Shelf()
    await shelf.ask("A", "B")
    await shelf.ask("A", columns=["name"])
    await shelf.cache.forget(pseudonym("A"))
    await shelf.ask("A", "B")
    await shelf.ask("A", columns=["name"])
    assert shelf.calls == [("A", "B"), ("A",)]


async def test_what_was_on_its_way_when_something_was_forgotten_is_not_kept() -> None:
    shelf = Shelf()
    shelf.delay = 0.01
    asking = asyncio.create_task(shelf.ask("A"))
    await asyncio.sleep(0)
    await shelf.cache.forget(pseudonym("A"))
    await asking
    assert shelf.cache.bytes == 0


async def test_a_closed_connector_leaves_nothing_behind() -> None:
    shelf, other = Shelf(), Shelf()
    second = Cached(other, shelf.cache, "market", Meter(CollectorRegistry()), shelf.hands.monotonic)
    await shelf.ask("A")
    await second.fetch(Ask("person", ("A",), COLUMNS, (), 2_000.0, "corr"))
    assert len(other.asked) == 1, "connectors share the memory, never the facts"
    await shelf.wrapped.close()
    assert shelf.closed
    assert len(shelf.cache._entries) == 1
    await second.close()
    assert (shelf.cache.bytes, len(shelf.cache._entries)) == (0, 0)


async def test_hits_and_misses_are_counted() -> None:
    shelf = Shelf()
    await shelf.ask("A", "B")
    await shelf.ask("A", "B", "C")
    labels = {"connector": "police", "offering": "person"}
    read = shelf.registry.get_sample_value
    assert read("hub_cache_keys_total", labels | {"result": "hit"}) == 2
    assert read("hub_cache_keys_total", labels | {"result": "miss"}) == 3


@pytest.mark.parametrize(("most_bytes", "asked"), [(0, 2), (100_000, 1)])
async def test_a_cache_of_no_bytes_is_none(most_bytes: int, asked: int) -> None:
    shelf = Shelf()
    manifest = samples.manifest(samples.graphql("http://127.0.0.1:1"))
    cache = Cache(most_bytes, pseudonym, shelf.hands.now)
    wrapped = wrap(shelf, manifest, Meter(CollectorRegistry()), cache=cache)
    for _ in range(2):
        await wrapped.fetch(Ask("person", ("A",), ("id", "name"), (), 1e9, "corr"))
    assert len(shelf.asked) == asked


asks = st.lists(
    st.tuples(
        st.lists(st.sampled_from("ABNF"), min_size=1, unique=True),
        st.permutations(COLUMNS).flatmap(lambda order: st.integers(1, 3).map(lambda count: order[:count])),
        st.integers(0, 40),
        st.sampled_from(["", "", "", "A", "B"]),
    ),
    max_size=15,
)


@given(asks, st.integers(0, 6_000))
def test_an_answer_is_always_one_that_was_true_within_the_freshness(
    wanted: list[tuple[list[str], list[str], int, str]], most_bytes: int
) -> None:
    asyncio.run(_live(wanted, most_bytes))


async def _live(wanted: Sequence[tuple[list[str], list[str], int, str]], most_bytes: int) -> None:
    shelf = Shelf(lambda one, _: records(one, int(shelf.hands.passed)), most_bytes)
    forgotten = {"A": 0, "B": 0}
    for keys, columns, passed, gone in wanted:
        shelf.hands.passed += passed
        if gone:
            await shelf.cache.forget(pseudonym(gone))
            forgotten[gone] = int(shelf.hands.passed)
        answer = await shelf.ask(*keys, columns=columns)
        now = int(shelf.hands.passed)
        assert set(answer.rows) | set(answer.faults) == set(keys)
        for key, rows in answer.rows.items():
            expected = len(records(Ask("person", (key,), COLUMNS, (), 0, ""), 0).rows[key])
            assert len(rows) == expected
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    if column == "id":
                        assert value == key
                        continue
                    of_key, of_column, at = str(value).split("-")
                    assert (of_key, of_column) == (key, column)
                    assert max(now - 59, forgotten.get(key, 0)) <= int(at) <= now
        assert shelf.cache.bytes <= most_bytes
