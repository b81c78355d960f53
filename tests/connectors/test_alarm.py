"""One timer for all: who is ended by it, and that whoever else ends a task is heard."""

from __future__ import annotations

import asyncio
import time

import pytest

from connectors.alarm import Alarm


async def limited(alarm: Alarm, seconds: float, lasts: float = 5.0) -> str:
    try:
        with alarm.until(time.monotonic() + seconds):
            await asyncio.sleep(lasts)
    except TimeoutError:
        return "ended"
    return "over by itself"


async def test_each_is_ended_at_its_own_deadline() -> None:
    alarm, before = Alarm(), time.monotonic()
    ends: dict[float, float] = {}

    async def note(seconds: float) -> None:
        assert await limited(alarm, seconds) == "ended"
        ends[seconds] = time.monotonic() - before

    await asyncio.gather(*map(note, (0.15, 0.05, 0.25, 0.0)), limited(alarm, 0.2, lasts=0.01))
    for due, end in ends.items():
        assert due - 0.005 <= end < due + 0.1


async def test_what_is_over_in_time_is_never_ended() -> None:
    alarm = Alarm()
    assert await limited(alarm, 0.05, lasts=0.0) == "over by itself"
    await asyncio.sleep(0.1)
    assert await limited(alarm, 0.05) == "ended", "and the alarm still rings for the next"


async def test_a_deadline_that_has_passed_ends_what_waits_but_not_what_is_there() -> None:
    alarm = Alarm()
    with alarm.until(time.monotonic() - 1):
        there = "there"
    assert there
    assert await limited(alarm, -1.0) == "ended"


async def test_a_cancellation_from_outside_passes() -> None:
    alarm = Alarm()
    task = asyncio.create_task(limited(alarm, 0.05))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.1)
    assert task.cancelling() == 1


async def test_a_cancellation_that_came_before_and_was_not_heeded_changes_nothing() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            return await limited(Alarm(), 0.02)
        return "never cancelled"

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0.01)
    task.cancel()
    assert (await task, task.cancelling()) == ("ended", 1)


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_cancellation_at_the_very_moment_of_the_alarm_passes(is_first: bool) -> None:
    alarm, loop = Alarm(), asyncio.get_running_loop()
    limit = alarm.until(time.monotonic() + 60)

    async def wait() -> None:
        with limit:
            await asyncio.sleep(5)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0.01)
    for end in (task.cancel, limit.ring) if is_first else (limit.ring, task.cancel):
        loop.call_soon(end)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1, "the alarm has taken its own request back, and no other"


async def test_a_task_that_was_ended_can_go_on_and_be_ended_again() -> None:
    alarm = Alarm()

    async def twice() -> list[str]:
        return [await limited(alarm, 0.02), await limited(alarm, 0.02), await limited(alarm, 1, lasts=0.0)]

    task = asyncio.create_task(twice())
    assert await task == ["ended", "ended", "over by itself"]
    assert task.cancelling() == 0


async def test_of_two_limits_the_outer_one_is_heard_outside() -> None:
    outer, inner = Alarm(), Alarm()
    before = time.monotonic()
    with pytest.raises(TimeoutError), outer.until(time.monotonic() + 0.03):
        assert await limited(inner, 0.03) == "never", "at the same moment it is the outer one's"
    assert time.monotonic() - before < 1
    with outer.until(time.monotonic() + 1):
        assert await limited(inner, 0.03) == "ended"


async def test_cleaning_up_is_not_cut_short() -> None:
    alarm = Alarm()
    cleaned = []

    async def clean() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            await asyncio.sleep(0.05)
            cleaned.append("up")

    with pytest.raises(TimeoutError), alarm.until(time.monotonic() + 0.02):
        await clean()
    assert cleaned == ["up"]


async def test_what_breaks_stays_what_it_is_even_if_the_time_is_up() -> None:
    alarm = Alarm()

    async def breaks() -> None:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            raise ValueError("broken") from None

    with pytest.raises(ValueError, match="broken"), alarm.until(time.monotonic() + 0.02):
        await breaks()
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


def test_only_a_task_can_be_ended() -> None:
    async def outside() -> None:
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def enter() -> None:
            try:
                with Alarm().until(0.0):
                    told.set_result("entered")
            except RuntimeError as error:
                told.set_result(str(error))

        asyncio.get_running_loop().call_soon(enter)
        assert await told == "only a task can be ended"

    asyncio.run(outside())
