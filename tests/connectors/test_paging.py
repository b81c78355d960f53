"""An answer in pages: all of them, in order, or none; never more than was declared."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from connectors.contract import Answer, Ask
from connectors.manifest import read
from tests.connectors import samples, services

MANIFEST = """
[connector]
id = "agency"
agency = "11370300004220030X"
kind = "rest"
name = { zh = "甲", en = "A" }
tell = "none"
[connector.address]
url = "http://127.0.0.1:PORT"
[connector.limits]
max_rows = 6
attempts = 1
[[offerings]]
name = "role"
record = "role"
key = "id_number"
many = true
freshness = "PT0S"
[offerings.request]
REQUEST
[offerings.response]
rows = "rows"
TOTAL
[offerings.response.paging]
PAGING
[offerings.as_of]
path = "at"
date = "iso"
[offerings.fields]
role = "r"
[[offerings.outcomes]]
status = 404
outcome = "absent"
[[offerings.outcomes]]
status = 200
outcome = "found"
"""
QUERY = 'path = "/roles/$key"\nquery = { p = "$page", size = "2" }'
BODY = 'method = "POST"\npath = "/roles"\nbody = { who = "$key", after = "$cursor" }\nsafe = true'
COUNTED = 'first = 0\npages = "page.pages"\nmost = 3'
HANDED_ON = 'cursor = "next"\nmost = 3'


def written(request: str, paging: str, total: str = "") -> str:
    return MANIFEST.replace("REQUEST", request).replace("PAGING", paging).replace("TOTAL", total)


class Pages:
    """A service that answers one page after another, whatever it is asked, and keeps the questions."""

    def __init__(self, *pages: Any) -> None:
        self.pages = list(pages)
        self.asked: list[Any] = []

    async def __call__(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked.append(json.loads(body) if body else request.raw_path)
        page = self.pages[min(len(self.asked), len(self.pages)) - 1]
        if isinstance(page, int):
            return web.json_response({}, status=page)
        return web.json_response(page)


async def fetch(text: str, service: Callable[[web.Request], Any]) -> Answer:
    through = samples.transport()
    async with services.http(service) as port:
        connector = samples.opened(text.replace("PORT", str(port)), through)
        try:
            asked = Ask("role", ("A",), ("role",), (), time.monotonic() + 3, "c")
            return await connector.fetch(asked)
        finally:
            await connector.close()
            await through.close()


def page(rows: str, pages: object = 3, at: str = "2026-02-01", **more: object) -> dict[str, object]:
    return {"rows": [{"r": row} for row in rows], "page": {"pages": pages}, "at": at, **more}


def kinds(answer: Answer) -> list[str]:
    return [why.kind for why in answer.faults.values()]


async def test_counted_pages_are_asked_for_one_by_one() -> None:
    service = Pages(page("ab"), page("cd", at="2026-01-05"), page("e"))
    answer = await fetch(written(QUERY, COUNTED), service)
    assert answer.rows == {"A": (("a",), ("b",), ("c",), ("d",), ("e",))}
    assert service.asked == [f"/roles/A?p={number}&size=2" for number in range(3)]
    assert answer.as_of is not None
    assert answer.as_of.date().isoformat() == "2026-01-04"  # the oldest page's; midnight there is UTC+8
    assert answer.as_of.hour == 16


async def test_pages_may_be_counted_from_one() -> None:
    service = Pages(page("a", "2"), page("b", "2"))
    answer = await fetch(written(QUERY, COUNTED.replace("0", "1")), service)
    assert answer.rows == {"A": (("a",), ("b",))}
    assert service.asked == ["/roles/A?p=1&size=2", "/roles/A?p=2&size=2"]


async def test_a_cursor_is_handed_on_until_there_is_none() -> None:
    service = Pages(page("a", next="x y"), page("b", next=7), page("c", next=None))
    answer = await fetch(written(BODY, HANDED_ON), service)
    assert answer.rows == {"A": (("a",), ("b",), ("c",))}
    assert service.asked == [{"who": "A", "after": after} for after in (None, "x y", "7")]


async def test_the_first_page_of_a_query_has_no_cursor_at_all() -> None:
    service = Pages(page("a", next="x&y"), page("b"))
    answer = await fetch(written(QUERY.replace("$page", "$cursor"), HANDED_ON), service)
    assert answer.rows == {"A": (("a",), ("b",))}
    assert service.asked == ["/roles/A?size=2", "/roles/A?p=x%26y&size=2"]


async def test_no_page_at_all_is_an_empty_answer_and_404_is_absent() -> None:
    declared = written(QUERY, COUNTED).replace("freshness", 'absent = "missing"\nfreshness')
    assert (await fetch(declared, Pages(page("", 0)))).rows == {"A": ()}
    assert (await fetch(written(QUERY, COUNTED), Pages(404))).rows == {"A": ()}


@pytest.mark.parametrize(
    ("pages", "kind"),
    [
        ((page("ab"), 404), "incomplete"),  # a page that was announced, and is not there
        ((page("ab"), 500), "failed"),
        ((page("ab"), {"page": {"pages": 3}}), "malformed"),
        ((page("ab", "many"),), "malformed"),
        ((page("ab", None),), "malformed"),
        ((page("ab", -1),), "malformed"),
        ((page("ab", "٣"),), "malformed"),
        ((page("ab", 4), page("c", 4), page("d", 4)), "too_large"),  # most = 3
        ((page("abcd"), page("efgh"), page("i")), "too_large"),  # max_rows = 6
    ],
)
async def test_a_part_is_never_taken_for_the_whole(pages: tuple[Any, ...], kind: str) -> None:
    answer = await fetch(written(QUERY, COUNTED), Pages(*pages))
    assert (kinds(answer), answer.rows) == ([kind], {})


async def test_the_total_counts_the_rows_of_all_pages() -> None:
    text = written(QUERY, COUNTED, 'total = "total"')
    right = await fetch(text, Pages(page("ab", 2, total=3), page("c", 2, total=3)))
    assert len(right.rows["A"]) == 3
    assert kinds(await fetch(text, Pages(page("ab", 2, total=4), page("c", 2, total=4)))) == ["incomplete"]


async def test_a_cursor_that_leads_nowhere_ends() -> None:
    service = Pages(page("a", next="same"))
    assert kinds(await fetch(written(BODY, HANDED_ON), service)) == ["malformed"]
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    ("request_", "paging", "path"),
    [
        (QUERY, HANDED_ON, "offerings[0].request.query"),  # $page, but cursors
        (QUERY.replace('p = "$page", ', ""), COUNTED, "offerings[0].request"),
        (QUERY, COUNTED + '\ncursor = "next"', "offerings[0].response.paging"),
        (QUERY, COUNTED.replace('pages = "page.pages"\n', ""), "offerings[0].response.paging"),
        (QUERY, COUNTED.replace("most = 3", "most = 100_000"), "offerings[0].response.paging.most"),
        (QUERY, COUNTED.replace("first = 0", "first = 7"), "offerings[0].response.paging.first"),
    ],
)
def test_a_wrong_declaration_is_told_by_its_path(request_: str, paging: str, path: str) -> None:
    mistakes = read(written(request_, paging).replace("PORT", "80"))
    assert isinstance(mistakes, tuple)
    assert path in [one.path for one in mistakes]


def test_a_placeholder_of_pages_stands_only_where_there_are_pages() -> None:
    text = (
        written(QUERY, COUNTED).replace("[offerings.response.paging]\n" + COUNTED, "").replace("PORT", "80")
    )
    mistakes = read(text)
    assert isinstance(mistakes, tuple)
    assert [one.path for one in mistakes] == ["offerings[0].request.query"]
