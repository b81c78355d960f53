"""Asks of several requests share calls, and none of them notices the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.coalescing import MOST_CALLS, SPOILED, Coalesced
from connectors.contract import Answer, Ask, Offering, Tell, Telling
from connectors.faults import Kind, all_failed, fault
from tests.connectors.test_wrappers import PERSON, ROLES, Answering, Scripted, failing, found, kinds

REPEATABLE = frozenset({"person", "roles"})
TOLD = (Telling("client", "agency", "procedure", "case", "actor"),)


class Desk(Scripted):
    """As Scripted, with offerings of the test's own."""

    def __init__(self, answering: Answering = found, delay: float = 0.01, **changed: object) -> None:
        super().__init__(answering, delay)
        self.offerings = tuple(replace(one, **{"batch": 10, **changed}) for one in (PERSON, ROLES))

    def describe(self) -> tuple[Offering, ...]:
        return self.offerings


def ask(*keys: str, seconds: float = 5.0, columns: Sequence[str] = ("id", "name"), number: int = 0) -> Ask:
    return Ask("person", keys, tuple(columns), (), time.monotonic() + seconds, f"corr-{number}")


def named(*keys: str) -> dict[str, tuple[tuple[str, str], ...]]:
    return {key: ((key, "name"),) for key in keys}


async def test_what_asks_in_the_same_moment_is_one_call_and_each_gets_its_own() -> None:
    inner = Desk()
    wrapped = Coalesced(inner, REPEATABLE)
    answers = await asyncio.gather(
        wrapped.fetch(ask("A", "B")), wrapped.fetch(ask("B", "C")), wrapped.fetch(ask("D"))
    )
    assert [one.keys for one in inner.asked] == [("A", "B", "C", "D")]
    assert [dict(one.rows) for one in answers] == [named("A", "B"), named("B", "C"), named("D")]


async def test_what_asks_while_a_call_is_on_its_way_shares_the_next_one() -> None:
    inner = Desk(delay=0.003)
    wrapped = Coalesced(inner, REPEATABLE)
    first = asyncio.ensure_future(wrapped.fetch(ask("A")))
    await asyncio.sleep(0.001)
    await asyncio.gather(first, *(wrapped.fetch(ask(key)) for key in "BCD"))
    assert [one.keys for one in inner.asked] == [("A",), ("B", "C", "D")]


async def test_a_slow_call_holds_nobody_back_for_long() -> None:
    inner = Desk(delay=0.5)
    wrapped = Coalesced(inner, REPEATABLE)
    first = asyncio.ensure_future(wrapped.fetch(ask("A")))
    await asyncio.sleep(0.001)
    before = time.monotonic()
    second = asyncio.ensure_future(wrapped.fetch(ask("B")))
    while len(inner.asked) < 2:  # noqa: ASYNC110  what is awaited has no event
        await asyncio.sleep(0.001)
    assert time.monotonic() - before < 0.2
    first.cancel()
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)


async def test_other_columns_are_another_call() -> None:
    inner = Desk(lambda asked, _: Answer({key: (tuple(asked.columns),) for key in asked.keys}))
    wrapped = Coalesced(inner, REPEATABLE)
    narrow, wide = await asyncio.gather(
        wrapped.fetch(ask("A", columns=["name"])), wrapped.fetch(ask("A", columns=["id", "name"]))
    )
    assert {one.columns for one in inner.asked} == {("name",), ("id", "name")}
    assert (narrow.rows["A"], wide.rows["A"]) == ((("name",),), (("id", "name"),))


async def test_a_call_takes_no_more_keys_than_the_offering_does() -> None:
    inner = Desk(batch=3)
    wrapped = Coalesced(inner, REPEATABLE)
    asks = [ask("A", "B"), ask("C"), ask("D", "E"), ask("A"), ask("F", "G", "H", "I", "J")]
    answers = await asyncio.gather(*map(wrapped.fetch, asks))
    assert [one.keys for one in inner.asked] == [("A", "B", "C"), ("D", "E", "A"), ("F", "G", "H", "I", "J")]
    assert [set(answer.rows) for answer in answers] == [set(one.keys) for one in asks]


async def test_calls_at_once_are_bounded() -> None:
    inner = Desk(batch=2, delay=0.02)
    wrapped = Coalesced(inner, REPEATABLE)
    await asyncio.gather(*(wrapped.fetch(ask(f"{number}", f"{number}x")) for number in range(40)))
    assert inner.most_at_once == MOST_CALLS
    assert len(inner.asked) == 40


@pytest.mark.parametrize(
    ("changed", "repeatable"),
    [
        ({"tell": Tell.PER_CALL}, REPEATABLE),
        ({"tell": Tell.PER_KEY}, REPEATABLE),
        ({"batch": 1}, REPEATABLE),
        ({}, frozenset()),
    ],
)
async def test_what_is_told_or_taken_alone_is_never_shared(
    changed: dict[str, object], repeatable: frozenset[str]
) -> None:
    inner = Desk(**changed)  # type: ignore[arg-type]  # fields of an Offering
    wrapped = Coalesced(inner, repeatable)
    await asyncio.gather(*(wrapped.fetch(ask("A")._replace(tellings=TOLD)) for _ in range(3)))
    assert [(one.keys, one.tellings) for one in inner.asked] == [(("A",), TOLD)] * 3


async def test_each_leaves_at_its_own_deadline_and_the_call_lasts_as_long_as_the_last() -> None:
    inner = Desk(delay=0.1)
    wrapped = Coalesced(inner, REPEATABLE)
    before = time.monotonic()
    hasty = asyncio.ensure_future(wrapped.fetch(ask("A", seconds=0.02, number=1)))
    patient = asyncio.ensure_future(wrapped.fetch(ask("A", "B", seconds=3, number=2)))
    left = await hasty
    assert time.monotonic() - before < 0.09
    assert {key: (why.kind, why.correlation) for key, why in left.faults.items()} == {
        "A": ("timeout", "corr-1")
    }
    assert dict((await patient).rows) == named("A", "B")
    assert inner.asked[0].deadline > before + 2


async def test_who_is_cancelled_leaves_the_others_alone() -> None:
    inner = Desk(delay=0.02)
    wrapped = Coalesced(inner, REPEATABLE)
    waiting = [asyncio.ensure_future(wrapped.fetch(ask(key))) for key in "ABC"]
    await asyncio.sleep(0.005)
    waiting[0].cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert [dict(one.rows) for one in outcomes[1:] if isinstance(one, Answer)] == [named("B"), named("C")]


async def test_a_call_for_which_nobody_waits_is_cancelled() -> None:
    inner = Desk(delay=30)
    wrapped = Coalesced(inner, REPEATABLE)
    waiting = [asyncio.ensure_future(wrapped.fetch(ask(key))) for key in "AB"]
    await asyncio.sleep(0.005)
    calls = [task for task in asyncio.all_tasks() if task not in (*waiting, asyncio.current_task())]
    assert len(calls) == 1
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, *calls, return_exceptions=True)
    assert calls[0].cancelled()


async def test_who_is_cancelled_before_the_call_is_not_asked_about() -> None:
    inner = Desk()
    wrapped = Coalesced(inner, REPEATABLE)
    waiting = [asyncio.ensure_future(wrapped.fetch(ask(key))) for key in "AB"]
    waiting[0].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert [one.keys for one in inner.asked] == [("B",)]


@pytest.mark.parametrize("kind", sorted(SPOILED))
async def test_a_key_that_spoils_the_call_spoils_only_its_own_request(kind: Kind) -> None:
    def choking(asked: Ask, _: int) -> Answer:
        return all_failed(asked.keys, fault(kind)) if "X" in asked.keys else found(asked)

    inner = Desk(choking)
    wrapped = Coalesced(inner, REPEATABLE)
    good, bad, other = await asyncio.gather(*(wrapped.fetch(ask(key)) for key in "AXB"))
    assert (dict(good.rows), kinds(bad), dict(other.rows)) == (named("A"), {"X": kind}, named("B"))
    assert len(inner.asked) == 4


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in SPOILED])
async def test_what_no_key_can_have_done_is_not_tried_again(kind: Kind) -> None:
    inner = Desk(failing(kind))
    wrapped = Coalesced(inner, REPEATABLE)
    answers = await asyncio.gather(*(wrapped.fetch(ask(key)) for key in "AB"))
    assert [kinds(answer) for answer in answers] == [{"A": kind}, {"B": kind}]
    assert len(inner.asked) == 1


async def test_an_error_reaches_each_who_waits() -> None:
    def broken(_asked: Ask, _: int) -> Answer:
        raise LookupError

    wrapped = Coalesced(Desk(broken), REPEATABLE)
    outcomes = await asyncio.gather(*(wrapped.fetch(ask(key)) for key in "AB"), return_exceptions=True)
    assert all(isinstance(one, LookupError) for one in outcomes)


async def test_nothing_is_remembered_of_choices_of_columns_that_nobody_waits_for() -> None:
    wrapped = Coalesced(Desk(), REPEATABLE)
    await asyncio.gather(*(wrapped.fetch(ask("A", columns=[f"{number}"])) for number in range(50)))
    await asyncio.sleep(0.01)
    assert wrapped._desks == {}


Wish = tuple[list[str], int, bool]
wishes = st.lists(
    st.tuples(
        st.lists(st.sampled_from("ABCDEFX"), min_size=1, max_size=4, unique=True),
        st.integers(0, 5),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(wishes, st.integers(2, 5))
def test_each_gets_what_it_would_get_alone(wanted: list[Wish], batch: int) -> None:
    asyncio.run(_compare(wanted, batch))


def choking(asked: Ask, _: int = 1) -> Answer:
    return all_failed(asked.keys, fault(Kind.CODE_UNKNOWN)) if "X" in asked.keys else found(asked)


async def _compare(wanted: Sequence[Wish], batch: int) -> None:
    wrapped = Coalesced(Desk(choking, delay=0, batch=batch), REPEATABLE)
    waiting = []
    for keys, turns, _ in wanted:
        waiting.append(asyncio.ensure_future(wrapped.fetch(ask(*keys))))
        for _ in range(turns):
            await asyncio.sleep(0)
    for (_, _, goes), one in zip(wanted, waiting, strict=True):
        if goes:
            one.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    for (keys, _, goes), outcome in zip(wanted, outcomes, strict=True):
        if isinstance(outcome, Answer):
            alone = choking(ask(*keys))
            assert (dict(outcome.rows), kinds(outcome)) == (dict(alone.rows), kinds(alone))
        else:
            assert goes
            assert isinstance(outcome, asyncio.CancelledError)
