"""Whatever waits is written together, and each who waits hears of its own item only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hub.audit.store import Groups
from hub.kernel.errors import Code, HubError


class Paper:
    """A log on paper: each group is written when the test lets it be."""

    def __init__(self, bad: frozenset[int] = frozenset()) -> None:
        self.bad = bad
        self.groups: list[list[int]] = []
        self.written: list[int] = []
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.lost = False

    async def write(self, items: Sequence[int]) -> None:
        self.groups.append(list(items))
        await self.may_write.wait()
        await asyncio.sleep(0)
        if self.lost:
            raise HubError(Code.STORE_UNAVAILABLE)
        if self.bad.intersection(items):
            raise ValueError
        self.written += items


async def settled(waiting: Sequence[asyncio.Future[None]]) -> list[object]:
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_what_comes_while_a_group_is_on_its_way_is_the_next_group() -> None:
    paper = Paper()
    paper.may_write.clear()
    groups = Groups(paper.write, 10)
    waiting = [groups.add(1), groups.add(2)]
    await asyncio.sleep(0)
    waiting += [groups.add(number) for number in (3, 4, 5)]
    assert not any(one.done() for one in waiting)
    paper.may_write.set()
    await settled(waiting)
    assert paper.groups == [[1, 2], [3, 4, 5]]


async def test_nobody_wakes_before_the_own_group_is_written() -> None:
    paper = Paper()
    groups = Groups(paper.write, 2)
    waiting = [groups.add(number) for number in range(5)]
    for number, one in enumerate(waiting):
        await one
        assert number in paper.written
    assert paper.groups == [[0, 1], [2, 3], [4]]


async def test_a_bad_item_fails_alone() -> None:
    paper = Paper(bad=frozenset({2}))
    groups = Groups(paper.write, 10)
    outcomes = await settled([groups.add(number) for number in range(4)])
    assert [isinstance(one, ValueError) for one in outcomes] == [False, False, True, False]
    assert paper.written == [0, 1, 3]


async def test_after_a_loss_everybody_of_the_group_hears_of_it_and_nothing_is_tried_again() -> None:
    paper = Paper()
    groups = Groups(paper.write, 10)
    paper.lost = True
    outcomes = await settled([groups.add(number) for number in range(3)])
    assert all(isinstance(one, HubError) for one in outcomes)
    assert paper.groups == [[0, 1, 2]]
    paper.lost = False
    await groups.add(7)
    assert paper.written == [7]


async def test_who_is_cancelled_while_waiting_takes_the_item_back() -> None:
    paper = Paper()
    paper.may_write.clear()
    orphans: list[int] = []
    groups = Groups(paper.write, 10)
    first = groups.add(1)
    await asyncio.sleep(0)
    second, third = groups.add(2, lambda: orphans.append(2)), groups.add(3)
    second.cancel()
    paper.may_write.set()
    await settled([first, third])
    assert (paper.written, orphans) == ([1, 3], [])


async def test_an_item_on_its_way_is_written_whole_and_its_orphan_told() -> None:
    paper = Paper()
    paper.may_write.clear()
    orphans: list[int] = []
    groups = Groups(paper.write, 10)
    first, second = groups.add(1, lambda: orphans.append(1)), groups.add(2)
    await asyncio.sleep(0)
    first.cancel()
    assert orphans == []
    paper.may_write.set()
    await second
    assert (paper.written, orphans) == ([1, 2], [1])


async def test_an_item_that_was_not_written_leaves_no_orphan() -> None:
    paper = Paper(bad=frozenset({1}))
    paper.may_write.clear()
    orphans: list[int] = []
    groups = Groups(paper.write, 10)
    first = groups.add(1, lambda: orphans.append(1))
    await asyncio.sleep(0)
    first.cancel()
    paper.may_write.set()
    await groups.drained()
    assert (paper.written, orphans) == ([], [])


async def test_the_end_of_the_writer_leaves_nobody_waiting() -> None:
    paper = Paper()
    paper.may_write.clear()
    groups = Groups(paper.write, 1)
    waiting = [groups.add(1), groups.add(2)]
    await asyncio.sleep(0)
    (writer,) = [task for task in asyncio.all_tasks() if task.get_name() == "group commit"]
    writer.cancel()
    outcomes = await settled(waiting)
    assert all(isinstance(one, asyncio.CancelledError) for one in outcomes)


async def test_a_group_is_bounded_in_number_and_in_weight() -> None:
    paper = Paper()
    groups = Groups(paper.write, 2, lambda item: item, 10)
    await settled([groups.add(number) for number in (1, 2, 9, 8, 3)])
    assert paper.groups == [[1, 2], [9], [8], [3]]


Step = tuple[str, int]
steps = st.lists(st.tuples(st.sampled_from(["add", "cancel", "turn", "lose", "find"]), st.integers(0, 7)))


@given(steps, st.frozensets(st.integers(0, 30)), st.integers(1, 4))
def test_each_is_told_what_became_of_its_item(taken: list[Step], bad: frozenset[int], most: int) -> None:
    asyncio.run(_walk(taken, bad, most))


async def _walk(taken: Sequence[Step], bad: frozenset[int], most: int) -> None:
    paper, orphans = Paper(bad), list[int]()
    groups = Groups(paper.write, most)
    waiting: list[asyncio.Future[None]] = []
    for kind, which in taken:
        match kind:
            case "add":
                number = len(waiting)
                waiting.append(groups.add(number, lambda number=number: orphans.append(number)))  # type: ignore[misc]  # bound here
            case "cancel" if waiting:
                waiting[which % len(waiting)].cancel()
            case "turn":
                for _ in range(which):
                    await asyncio.sleep(0)
            case _:
                paper.lost = kind == "lose"
    await groups.drained()
    outcomes = await settled(waiting)
    told = {number for number, outcome in enumerate(outcomes) if outcome is None}
    gone = {number for number, one in enumerate(outcomes) if isinstance(one, asyncio.CancelledError)}
    assert paper.written == sorted(set(paper.written))  # in their order, and none twice
    assert all(len(group) <= most for group in paper.groups)
    assert told == set(paper.written) - gone
    assert set(orphans) == set(paper.written) & gone
    assert len(orphans) == len(set(orphans))


async def test_a_group_as_large_as_can_be() -> None:
    paper = Paper()
    groups = Groups(paper.write, 3)
    await settled([groups.add(number) for number in range(100)])
    assert paper.written == list(range(100))
