"""Bounds lists, and pages longer ones the way Relay's Connections specification says."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import strawberry

from hub.kernel.errors import Code, HubError, Problem
from schema.faults import Unanswered
from schema.records import plain
from schema.words import both

LIST_LIMIT = 200
PAGE_LIMIT = 200

Item = TypeVar("Item")


@strawberry.type(description=both("Where a page stands in its list.", "分页信息。"))
class PageInfo:
    has_next_page: bool = plain("Whether more follow.", "之后是否还有。")
    has_previous_page: bool = plain("Whether some come before.", "之前是否还有。")
    start_cursor: str | None = plain("Cursor of the first.", "首项游标。")
    end_cursor: str | None = plain("Cursor of the last.", "末项游标。")


@strawberry.type(description=both("One item of a page.", "分页中的一项。"))
class Edge(Generic[Item]):
    cursor: str = plain("Where it stands.", "位置游标。")
    node: Item | None = plain("The item.", "内容。")


@strawberry.type(description=both("A page of a longer list.", "长列表的一页。"))
class Connection(Generic[Item]):
    edges: list[Edge[Item]] = plain("The items of this page.", "本页各项。")
    page_info: PageInfo = plain("Where the page stands.", "分页信息。")
    total_count: int = plain("Length of the whole list.", "列表总数。")


def bounded(items: Sequence[Item]) -> list[Item]:
    """The whole list, or a refusal that names the bound: nothing is cut off silently."""
    if len(items) > LIST_LIMIT:
        raise Unanswered(Problem(Code.PAGE_NEEDED, {"maximum": str(LIST_LIMIT)}), "refused")
    return list(items)


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is wanted: ``size`` items from position ``start``."""

    start: int
    size: int

    @classmethod
    def of(cls, first: int, after: str | None) -> Window:
        """From a Connection's arguments; raises HubError(PAGE_SIZE_INVALID, CURSOR_INVALID)."""
        if not 1 <= first <= PAGE_LIMIT:
            raise HubError(Code.PAGE_SIZE_INVALID, maximum=str(PAGE_LIMIT))
        return cls(0 if after is None else _position(after) + 1, first)


def page(items: Sequence[Item | None], window: Window) -> Connection[Item]:
    """The part of a list that a window shows."""
    start, end = window.start, window.start + window.size
    edges = [Edge(cursor=_cursor(start + at), node=item) for at, item in enumerate(items[start:end])]
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=end < len(items),
            has_previous_page=start > 0,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        total_count=len(items),
    )


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _position(cursor: str) -> int:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = int(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, binascii.Error):
        raise HubError(Code.CURSOR_INVALID) from None
    if position < 0 or _cursor(position) != cursor:
        raise HubError(Code.CURSOR_INVALID)
    return position
