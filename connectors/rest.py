"""The kind ``rest``: an agency that answers HTTP calls with JSON or XML, as its manifest declares."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

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
from connectors.calls import Request
from connectors.contract import Answer, Ask, Fault, Offering
from connectors.dates import WrongForm
from connectors.documents import NotADocument, decode
from connectors.exchange import Exchange
from connectors.faults import Kind, all_failed, fault
from connectors.manifest.model import Manifest, Meaning, Offered, RestSource
from connectors.mapping import as_code, compile_path
from connectors.transport import Reply

UNREADABLE = object()


class RestConnector:
    """Asks one agency's HTTP service. To be used behind ``connectors.wrappers.wrap``."""

    def __init__(self, manifest: Manifest, exchange: Exchange, health_path: str | None) -> None:
        self._offerings = tuple(one.offering for one in manifest.offerings)
        self._calls = {
            one.offering.name: _Call(one, one.source, exchange)
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

    def __init__(self, offered: Offered, source: RestSource, exchange: Exchange) -> None:
        self._offered = offered
        self._request = Request(source)
        self._format = source.format
        self._encoding = source.encoding
        self._exchange = exchange
        self._judge = Judge(rule for rule in offered.outcomes if not rule.row)
        self._sorter = Sorter(offered)
        self._reach_rows = compile_path(offered.rows.path)
        self._reach_total = compile_path(offered.rows.total or ())

    async def fetch(self, ask: Ask) -> Answer:
        call, headers = self._request.fill(ask)
        reply = await self._exchange.send(call, headers, ask)
        if isinstance(reply, Fault):
            return all_failed(ask.keys, replace(reply, correlation=ask.correlation))
        tree = self._decode(reply)
        judgement = self._judge.judge(None if tree is UNREADABLE else tree, reply.status)
        if judgement.meaning in (Meaning.FOUND, Meaning.ABSENT) and tree is UNREADABLE:
            return all_failed(ask.keys, fault(Kind.MALFORMED, correlation=ask.correlation))
        if judgement.meaning is Meaning.FOUND:
            return self._found(tree, ask)
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

    def _found(self, tree: object, ask: Ask) -> Answer:
        try:
            rows = self._reach_rows(tree)
            whole = self._is_whole(tree, rows)
        except WrongForm:
            rows, whole = None, True
        if rows is None:
            return all_failed(ask.keys, fault(Kind.MALFORMED, correlation=ask.correlation))
        if not whole:
            return all_failed(ask.keys, fault(Kind.INCOMPLETE, correlation=ask.correlation))
        as_of = self._offered.as_of
        at = instant(as_of, tree) if as_of is not None and not as_of.row else None
        return self._sorter.sort(as_list(rows), ask, at)

    def _is_whole(self, tree: object, rows: object) -> bool:
        if self._offered.rows.total is None:
            return True
        return as_code(self._reach_total(tree)) == str(len(as_list(rows)))


def _refusal(judgement: Judgement, reply: Reply, ask: Ask, *, unreadable: bool) -> Fault:
    if judgement.meaning is not None:
        return fault_of(judgement, ask, reply.retry_after)
    otherwise = Kind.MALFORMED if unreadable and reply.status < 300 else Kind.CODE_UNKNOWN
    return http_fault(reply.status, judgement.code, ask, reply.retry_after, otherwise)
