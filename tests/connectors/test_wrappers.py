"""Each wrapper by itself, around a connector that answers what the test says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from connectors.contract import Answer, Ask, Fault, Form, Offering, Tell, Telling
from connectors.faults import Kind, all_failed, fault
from connectors.metering import Meter, Metered
from connectors.wrappers import Batches, Breaker, Deadline, Limit, Retry, Validate, wrap
from tests.connectors import samples

TEXTS_ONLY = {"id": Form.TEXT, "name": Form.TEXT}
PERSON = Offering("person", "person", "id", ("id", "name"), False, 2, Tell.NONE, timedelta(), TEXTS_ONLY)
ROLES = replace(PERSON, name="roles", many=True)
Answering = Callable[[Ask, int], Answer]


class Scripted:
    """Answers by a function of the ask and the number of the call; keeps what it was asked."""

    def __init__(self, answering: Answering, delay: float = 0.0) -> None:
        self.answering = answering
        self.delay = delay
        self.asked: list[Ask] = []
        self.at_once = 0
        self.most_at_once = 0
        self.closed = False

    def describe(self) -> tuple[Offering, ...]:
        return (PERSON, ROLES)

    async def health(self, _deadline: float) -> Fault | None:
        return fault(Kind.FAILED)

    async def fetch(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        number = len(self.asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.delay)
        self.at_once -= 1
        return self.answering(ask, number)

    async def close(self) -> None:
        self.closed = True


def ask(
    *keys: str, seconds: float = 1.0, offering: str = "person", tellings: tuple[Telling, ...] = ()
) -> Ask:
    return Ask(offering, keys or ("A",), ("id", "name"), tellings, time.monotonic() + seconds, "corr")


def found(asked: Ask, _number: int = 1) -> Answer:
    return Answer({key: ((key, "name"),) for key in asked.keys})


def failing(kind: Kind, retry_after: float | None = None, place: str | None = None) -> Answering:
    return lambda asked, _: all_failed(asked.keys, fault(kind, retry_after=retry_after, place=place))


def at_first(first: Answering, times: int = 1) -> Answering:
    return lambda asked, number: first(asked, number) if number <= times else found(asked)


def kinds(answer: Answer) -> dict[str, str]:
    return {key: why.kind for key, why in answer.faults.items()}


async def test_deadline_ends_a_call() -> None:
    slow = Scripted(found, delay=5)
    before = time.monotonic()
    assert kinds(await Deadline(slow, 0.05).fetch(ask())) == {"A": "timeout"}
    assert kinds(await Deadline(slow, 9.0).fetch(ask(seconds=0.05))) == {"A": "timeout"}
    assert time.monotonic() - before < 1
    assert slow.asked[0].deadline < before + 0.2


class Broken(Scripted):
    """A kind that breaks over what it is given."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(found)
        self.error = error

    async def health(self, _deadline: float) -> Fault | None:
        raise self.error

    async def fetch(self, _ask: Ask) -> Answer:
        raise self.error


async def test_a_kind_that_breaks_is_a_fault_and_its_values_are_not_told() -> None:
    broken = Deadline(Broken(OverflowError("11010519491231002X")), 1.0)
    with capture_logs() as told:
        answer = await broken.fetch(ask("A", "B"))
        why = await broken.health(0)
    assert kinds(answer) == {"A": "malformed", "B": "malformed"}
    assert answer.faults["A"].correlation == "corr"
    assert why == fault(Kind.MALFORMED)
    assert [one["offering"] for one in told] == ["person", "health"]
    assert told[0]["error"] == "OverflowError"
    assert told[0]["frames"][0].startswith("test_wrappers.py:")
    assert "11010519491231002X" not in repr(told)


@pytest.mark.parametrize("stop", [asyncio.CancelledError, KeyboardInterrupt, SystemExit])
async def test_what_ends_the_process_is_no_fault(stop: type[BaseException]) -> None:
    with pytest.raises(stop):
        await Deadline(Broken(stop()), 1.0).fetch(ask())


async def test_limit_holds_back_what_is_too_much_at_once() -> None:
    inner = Scripted(found, delay=0.02)
    limit = Limit(inner, 2, None)
    answers = await asyncio.gather(*(limit.fetch(ask()) for _ in range(6)))
    assert inner.most_at_once == 2
    assert all(not answer.faults for answer in answers)


async def test_limit_is_busy_when_no_turn_comes_and_gives_its_place_back() -> None:
    inner = Scripted(found, delay=0.3)
    limit = Limit(inner, 1, None)
    first = asyncio.create_task(limit.fetch(ask()))
    await asyncio.sleep(0)
    assert kinds(await limit.fetch(ask(seconds=0.05))) == {"A": "busy"}
    assert len(inner.asked) == 1
    await first
    assert not (await limit.fetch(ask())).faults


async def test_limit_holds_the_rate() -> None:
    inner = Scripted(found)
    limit = Limit(inner, 10, 2)
    answers = await asyncio.gather(*(limit.fetch(ask(seconds=0.2)) for _ in range(4)))
    assert len(inner.asked) == 2
    assert [kinds(answer) for answer in answers].count({"A": "busy"}) == 2


async def test_a_cancelled_call_gives_its_place_back() -> None:
    inner = Scripted(found, delay=5)
    limit = Limit(inner, 1, None)
    task = asyncio.create_task(limit.fetch(ask()))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    inner.delay = 0
    assert not (await limit.fetch(ask())).faults


@pytest.mark.parametrize("kind", [Kind.UNREACHABLE, Kind.BUSY, Kind.FAILED])
async def test_retry_of_what_passes(kind: Kind) -> None:
    inner = Scripted(at_first(failing(kind)))
    assert not (await Retry(inner, 2, frozenset({"person"})).fetch(ask())).faults
    assert len(inner.asked) == 2


@pytest.mark.parametrize(
    "kind", [kind for kind in Kind if kind not in (Kind.UNREACHABLE, Kind.BUSY, Kind.FAILED)]
)
async def test_no_retry_of_what_does_not_pass(kind: Kind) -> None:
    inner = Scripted(at_first(failing(kind)))
    assert kinds(await Retry(inner, 3, frozenset({"person"})).fetch(ask())) == {"A": kind}
    assert len(inner.asked) == 1


async def test_no_retry_of_what_is_not_safe_or_when_there_is_no_time() -> None:
    inner = Scripted(failing(Kind.FAILED))
    await Retry(inner, 3, frozenset()).fetch(ask())
    assert len(inner.asked) == 1
    patient = Scripted(failing(Kind.BUSY, retry_after=60))
    before = time.monotonic()
    answer = await Retry(patient, 3, frozenset({"person"})).fetch(ask())
    assert (kinds(answer), len(patient.asked)) == ({"A": "busy"}, 1)
    assert time.monotonic() - before < 0.2


async def test_retry_waits_as_long_as_it_is_told() -> None:
    inner = Scripted(at_first(failing(Kind.BUSY, retry_after=0.2)))
    before = time.monotonic()
    assert not (await Retry(inner, 2, frozenset({"person"})).fetch(ask())).faults
    assert time.monotonic() - before >= 0.2


async def test_retry_asks_only_for_what_failed() -> None:
    def partly(asked: Ask, number: int) -> Answer:
        if number == 1:
            return Answer({"A": (("A", "name"),)}, {"B": fault(Kind.FAILED)})
        return found(asked)

    inner = Scripted(partly)
    told = (Telling("c", "a", "p", "case A", "x"), Telling("c", "a", "p", "case B", "x"))
    answer = await Retry(inner, 2, frozenset({"person"})).fetch(ask("A", "B", tellings=told))
    assert set(answer.rows) == {"A", "B"}
    assert not answer.faults
    assert (inner.asked[1].keys, inner.asked[1].tellings) == (("B",), told[1:])


async def test_retries_end() -> None:
    inner = Scripted(failing(Kind.FAILED))
    assert kinds(await Retry(inner, 3, frozenset({"person"})).fetch(ask())) == {"A": "failed"}
    assert len(inner.asked) == 3


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "kind", [Kind.TIMEOUT, Kind.UNREACHABLE, Kind.FAILED, Kind.MALFORMED, Kind.TOO_LARGE]
)
async def test_breaker_opens_tries_one_and_closes(kind: Kind) -> None:
    clock = Time()
    inner = Scripted(at_first(failing(kind), 4))
    breaker = Breaker(inner, 3, 10.0, clock)
    for _ in range(3):
        assert kinds(await breaker.fetch(ask())) == {"A": kind}
    paused = await breaker.fetch(ask())
    assert (paused.faults["A"].kind, paused.faults["A"].retry_after) == ("paused", 10.0)
    assert not (await breaker.fetch(ask(offering="roles"))).rows, (
        "another offering is asked: it fails by itself"
    )
    assert len(inner.asked) == 4
    clock.now += 10.1
    assert not (await breaker.fetch(ask())).faults
    assert not (await breaker.fetch(ask())).faults


async def test_breaker_opens_again_when_the_try_fails_and_tries_only_one() -> None:
    clock = Time()
    inner = Scripted(failing(Kind.FAILED), delay=0.02)
    breaker = Breaker(inner, 1, 10.0, clock)
    await breaker.fetch(ask())
    clock.now += 10.1
    answers = await asyncio.gather(*(breaker.fetch(ask()) for _ in range(5)))
    assert sorted(kinds(answer)["A"] for answer in answers) == ["failed"] + ["paused"] * 4
    assert len(inner.asked) == 2
    assert kinds(await breaker.fetch(ask())) == {"A": "paused"}


async def test_a_cancelled_try_does_not_hold_the_breaker_open() -> None:
    clock = Time()
    inner = Scripted(at_first(failing(Kind.FAILED)))
    breaker = Breaker(inner, 1, 10.0, clock)
    await breaker.fetch(ask())
    clock.now += 10.1
    inner.delay = 5
    task = asyncio.create_task(breaker.fetch(ask()))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    inner.delay = 0
    assert not (await breaker.fetch(ask())).faults


@pytest.mark.parametrize(
    "answering",
    [
        failing(Kind.REFUSED),
        failing(Kind.PENDING),
        failing(Kind.BUSY),
        failing(Kind.CODE_UNKNOWN),
        failing(Kind.MALFORMED, place="birth_date"),
        lambda _ask, _number: Answer({"A": ()}, {"B": fault(Kind.FAILED)}),
    ],
)
async def test_breaker_does_not_count_what_is_no_failure_of_the_service(answering: Answering) -> None:
    inner = Scripted(answering)
    breaker = Breaker(inner, 1, 10.0, Time())
    for _ in range(3):
        await breaker.fetch(ask("A", "B"))
    assert len(inner.asked) == 3


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer({"A": (("A", "x"),), "B": ()}), {}),
        (Answer({"A": (("A", "x"),), "C": (("C", "x"),)}), {"A": "wrong_subject", "B": "wrong_subject"}),
        (Answer({"A": ()}, {"C": fault(Kind.FAILED)}), {"A": "wrong_subject", "B": "wrong_subject"}),
        (Answer({"A": (("A", "x"), ("A", "y")), "B": ()}), {"A": "wrong_subject"}),
        (Answer({"A": (("B", "x"),), "B": ()}), {"A": "wrong_subject"}),
        (Answer({"A": (("A",),), "B": ()}), {"A": "malformed"}),
        (Answer({"A": (("A", 5),), "B": ()}), {"A": "malformed"}),
        (Answer({"A": (("A", 0.5),), "B": ()}), {"A": "malformed"}),
        (Answer({"A": (("A", ["x"]),), "B": ()}), {"A": "malformed"}),
        (Answer({"A": (("A", ("x", 5)),), "B": ()}), {"A": "malformed"}),
        (Answer({"A": (("A", "x" * 100_001),), "B": ()}), {"A": "malformed"}),
        (Answer({"A": (("A", True),), "B": (("B", None),)}), {"A": "malformed"}),
        (Answer({"A": (("A", ("x",)),), "B": (("B", ""),)}), {"A": "malformed"}),
        (Answer({"A": ()}), {"B": "incomplete"}),
        (Answer({"A": (), "B": ()}, {"B": fault(Kind.FAILED)}), {"B": "failed"}),
    ],
)
async def test_validate(answer: Answer, expected: dict[str, str]) -> None:
    validated = await Validate(Scripted(lambda _ask, _number: answer)).fetch(ask("A", "B"))
    assert kinds(validated) == expected
    assert set(validated.rows) | set(validated.faults) == {"A", "B"}
    assert not set(validated.rows) & set(validated.faults)


async def test_validate_lets_several_rows_through_where_there_may_be_many() -> None:
    two = Answer({"A": (("A", "x"), ("A", "y"))})
    assert not (await Validate(Scripted(lambda _ask, _number: two)).fetch(ask(offering="roles"))).faults


async def test_batches() -> None:
    def aged(asked: Ask, _number: int) -> Answer:
        day = 1 + ord(asked.keys[0]) - ord("A")
        return found(asked)._replace(as_of=datetime(2026, 1, day, tzinfo=UTC))

    inner = Scripted(aged)
    told = tuple(Telling("c", "a", "p", key, "x") for key in "CBADE")
    answer = await Batches(inner).fetch(ask(*"CBADE", tellings=told))
    assert [one.keys for one in inner.asked] == [("C", "B"), ("A", "D"), ("E",)]
    assert [telling.case for telling in inner.asked[1].tellings] == ["A", "D"]
    assert set(answer.rows) == set("ABCDE")
    assert answer.as_of == datetime(2026, 1, 1, tzinfo=UTC)


async def test_an_age_that_is_not_known_of_all_is_not_known() -> None:
    def partly(asked: Ask, number: int) -> Answer:
        return found(asked)._replace(as_of=datetime(2026, 1, 1, tzinfo=UTC) if number == 1 else None)

    assert (await Batches(Scripted(partly)).fetch(ask(*"ABC"))).as_of is None


async def test_one_purpose_for_all_goes_with_every_batch() -> None:
    inner = Scripted(found)
    told = (Telling("c", "a", "p", "case", "x"),)
    await Batches(inner).fetch(ask(*"ABC", tellings=told))
    assert [one.tellings for one in inner.asked] == [told, told]


async def test_meter_counts_outcomes_and_names_no_values() -> None:
    registry = CollectorRegistry()
    answer = Answer({"A": (("A", "x"),), "B": ()}, {"C": fault(Kind.TIMEOUT, agency_code="E1")})
    await Metered(Scripted(lambda _ask, _number: answer), "police", Meter(registry)).fetch(ask(*"ABC"))
    labels = {"connector": "police", "offering": "person"}
    read = registry.get_sample_value
    assert read("hub_source_calls_total", labels) == 1
    assert read("hub_source_seconds_count", labels) == 1
    assert read("hub_source_keys_total", labels | {"outcome": "found", "kind": ""}) == 1
    assert read("hub_source_keys_total", labels | {"outcome": "absent", "kind": ""}) == 1
    assert read("hub_source_keys_total", labels | {"outcome": "unavailable", "kind": "timeout"}) == 1


async def test_all_wrappers_together() -> None:
    class Bare(Scripted):
        def describe(self) -> tuple[Offering, ...]:
            return (replace(PERSON, batch=1),)

    inner = Bare(at_first(failing(Kind.UNREACHABLE)))
    manifest = samples.manifest(samples.graphql("http://127.0.0.1:1"))
    wrapped = wrap(inner, manifest, Meter(CollectorRegistry()))
    answer = await wrapped.fetch(ask("A", "B"))
    assert set(answer.rows) == {"A", "B"}
    assert len(inner.asked) == 3
    assert (await wrapped.health(0)) == fault(Kind.FAILED)
    await wrapped.close()
    assert inner.closed


async def test_limits_are_shared_among_workers() -> None:
    inner = Scripted(found, delay=0.02)
    manifest = samples.manifest(samples.graphql("http://127.0.0.1:1"))
    wrapped = wrap(inner, manifest, Meter(CollectorRegistry()), workers=4)
    await asyncio.gather(*(wrapped.fetch(ask(offering="roles")) for _ in range(6)))
    assert inner.most_at_once == 2
