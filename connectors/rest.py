"""The kind ``rest``: an agency that answers HTTP calls with JSON or XML, as its manifest declares."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import datetime

from connectors.answers import (
    Judge,
    Judgement,
    Sorter,
    all_absent,
    as_list,
    fault_of,
    http_fault,
    instant,
)
from connectors.calls import FIRST, Request
from connectors.contract import Answer, Ask, Fault, Offering
from connectors.dates import WrongForm
from connectors.documents import NotADocument, decode
from connectors.exchange import Exchange
from connectors.faults import Kind, all_failed, fault
from connectors.manifest.model import Manifest, Meaning, Offered, Paging, RestSource
from connectors.manifest.templates import CURSOR, PAGE
from connectors.mapping import as_code, compile_path
from connectors.transport import Reply

UNREADABLE = object()
LONGEST_COUNT = 10  # digits
Page = Mapping[str, object]  # by placeholder


class RestConnector:
    """Asks one agency's HTTP service. To be used behind ``connectors.wrappers.wrap``."""

    def __init__(self, manifest: Manifest, exchange: Exchange, health_path: str | None) -> None:
        self._offerings = tuple(one.offering for one in manifest.offerings)
        self._calls = {
            one.offering.name: _Call(one, one.source, exchange, manifest.limits.max_rows)
            for one in manifest.offerings
            if isinstance(one.source, RestSource)
        }
        self._exchange = exchange
        self._health_path = health_path

    def describe(self) -> tuple[Offering, ...]:
        """The declared offerings."""
        return self._offerings

    async def health(self, deadline: float) -> Fault | None:
        """Whether the declared health path answers 2xx; without one, whether a connection can be made."""
        if self._health_path is None:
            return await self._exchange.reach(deadline)
        reply = await self._exchange.get(self._health_path, deadline)
        if isinstance(reply, Fault):
            return reply
        if 200 <= reply.status < 300:
            return None
        return fault(Kind.FAILED, agency_code=str(reply.status))

    def fetch(self, ask: Ask) -> Awaitable[Answer]:
        """One HTTP call for all keys."""
        return self._calls[ask.offering].fetch(ask)

    async def close(self) -> None:
        """The transport's connections belong to the transport."""


class _Call:
    """One offering, compiled."""

    def __init__(self, offered: Offered, source: RestSource, exchange: Exchange, max_rows: int) -> None:
        self._offered = offered
        self._request = Request(source)
        self._format = source.format
        self._encoding = source.encoding
        self._paging = None if source.paging is None else _Pages(source.paging)
        self._exchange = exchange
        self._max_rows = max_rows
        self._judge = Judge(rule for rule in offered.outcomes if not rule.row)
        self._sorter = Sorter(offered)
        self._reach_rows = compile_path(offered.rows.path)
        self._reach_total = compile_path(offered.rows.total or ())

    async def fetch(self, ask: Ask) -> Answer:
        if self._paging is not None:
            return await self._fetch_pages(ask, self._paging)
        tree = await self._fetch_one(ask, FIRST)
        return tree if isinstance(tree, Answer) else self._found([tree], ask)

    async def _fetch_pages(self, ask: Ask, paging: _Pages) -> Answer:
        trees: list[object] = []
        page: Page | None = paging.first()
        while page is not None:
            if len(trees) == paging.most:
                return all_failed(ask.keys, fault(Kind.TOO_LARGE, correlation=ask.correlation))
            tree = await self._fetch_one(ask, page)
            if isinstance(tree, Answer):
                return tree if not trees or tree.faults else _broken_off(ask)
            trees.append(tree)
            try:
                page = paging.after(page, tree)
            except WrongForm:
                return all_failed(ask.keys, fault(Kind.MALFORMED, correlation=ask.correlation))
        return self._found(trees, ask)

    async def _fetch_one(self, ask: Ask, page: Page) -> object:
        """What a found answer's body says; an Answer where nothing was found, or nothing came."""
        call, headers = self._request.fill(ask, page)
        reply = await self._exchange.send(call, headers, ask)
        if isinstance(reply, Fault):
            return all_failed(ask.keys, replace(reply, correlation=ask.correlation))
        tree = self._decode(reply)
        judgement = self._judge.judge(None if tree is UNREADABLE else tree, reply.status)
        if judgement.meaning in (Meaning.FOUND, Meaning.ABSENT) and tree is UNREADABLE:
            return all_failed(ask.keys, fault(Kind.MALFORMED, correlation=ask.correlation))
        if judgement.meaning is Meaning.FOUND:
            return tree
        if judgement.meaning is Meaning.ABSENT:
            return all_absent(ask.keys)
        return all_failed(ask.keys, _refusal(judgement, reply, ask, unreadable=tree is UNREADABLE))

    def _decode(self, reply: Reply) -> object:
        if reply.status == 204:
            return None
        try:
            return decode(reply.body, self._format, self._encoding)
        except NotADocument:
            return UNREADABLE

    def _found(self, trees: list[object], ask: Ask) -> Answer:
        """``trees``: the answer's pages, most often one."""
        try:
            rows = self._rows(trees)
            whole = rows is None or self._is_whole(trees[-1], rows)
        except WrongForm:
            rows, whole = None, True
        if rows is None:
            return all_failed(ask.keys, fault(Kind.MALFORMED, correlation=ask.correlation))
        if not whole:
            return _broken_off(ask)
        if len(trees) > 1 and len(rows) > self._max_rows:
            return all_failed(ask.keys, fault(Kind.TOO_LARGE, correlation=ask.correlation))
        return self._sorter.sort(rows, ask, self._as_of(trees))

    def _rows(self, trees: list[object]) -> list[object] | None:
        parts = [self._reach_rows(tree) for tree in trees]
        if None in parts:
            return None
        return as_list(parts[0]) if len(parts) == 1 else [row for part in parts for row in as_list(part)]

    def _as_of(self, trees: list[object]) -> datetime | None:
        """The oldest of what the pages say; None where one of them says nothing."""
        as_of = self._offered.as_of
        if as_of is None or as_of.row:
            return None
        instants = [instant(as_of, tree) for tree in trees]
        known = [one for one in instants if one is not None]
        return min(known) if len(known) == len(instants) else None

    def _is_whole(self, tree: object, rows: list[object]) -> bool:
        if self._offered.rows.total is None:
            return True
        return as_code(self._reach_total(tree)) == str(len(rows))


class _Pages:
    """Which page comes after another, as a manifest declares."""

    def __init__(self, declared: Paging) -> None:
        self.most = declared.most
        self._first = declared.first
        self._is_counted = declared.pages is not None
        self._reach = compile_path(declared.pages or declared.cursor or ())

    def first(self) -> Page:
        """What asks for the first one."""
        return {PAGE: self._first} if self._is_counted else {CURSOR: None}

    def after(self, page: Page, tree: object) -> Page | None:
        """What asks for the next one, None at the end. Raises WrongForm where the answer does not say."""
        if not self._is_counted:
            cursor = as_code(self._reach(tree))
            if cursor is not None and cursor == page[CURSOR]:
                raise WrongForm
            return None if cursor is None else {CURSOR: cursor}
        count = as_code(self._reach(tree))
        if count is None or not (count.isascii() and count.isdigit() and len(count) < LONGEST_COUNT):
            raise WrongForm
        number = int(str(page[PAGE])) + 1
        return {PAGE: number} if number - self._first < int(count) else None


def _broken_off(ask: Ask) -> Answer:
    return all_failed(ask.keys, fault(Kind.INCOMPLETE, correlation=ask.correlation))


def _refusal(judgement: Judgement, reply: Reply, ask: Ask, *, unreadable: bool) -> Fault:
    if judgement.meaning is not None:
        return fault_of(judgement, ask, reply.retry_after)
    otherwise = Kind.MALFORMED if unreadable and reply.status < 300 else Kind.CODE_UNKNOWN
    return http_fault(reply.status, judgement.code, ask, reply.retry_after, otherwise)
