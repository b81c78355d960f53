"""The kind ``graphql``: an agency that answers Federation ``_entities`` or a plain query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

import msgspec

from connectors.answers import (
    Judgement,
    Sorter,
    all_absent,
    as_list,
    fault_of,
    http_fault,
    instant,
    shown,
)
from connectors.contract import Answer, Ask, Fault, Offering
from connectors.dates import WrongForm
from connectors.documents import Format, NotADocument, decode
from connectors.exchange import Exchange
from connectors.faults import Kind, all_failed, fault
from connectors.manifest.model import EntitySource, Manifest, Meaning, Offered, QuerySource
from connectors.mapping import Path, compile_path
from connectors.signing import Unsigned
from connectors.transport import Reply

COMPILED_HIGHEST = 256
Selection = dict[str, "Selection"]


class GraphqlConnector:
    """Asks one agency's GraphQL endpoint. To be used behind ``connectors.wrappers.wrap``."""

    def __init__(self, manifest: Manifest, exchange: Exchange) -> None:
        self._offerings = tuple(one.offering for one in manifest.offerings)
        self._questions = {
            one.offering.name: _Question(one, one.source, exchange)
            for one in manifest.offerings
            if isinstance(one.source, EntitySource | QuerySource)
        }
        self._exchange = exchange

    def describe(self) -> tuple[Offering, ...]:
        """The declared offerings."""
        return self._offerings

    async def health(self, deadline: float) -> Fault | None:
        """Whether a connection can be made."""
        return await self._exchange.reach(deadline)

    async def fetch(self, ask: Ask) -> Answer:
        """One GraphQL request for all keys."""
        return await self._questions[ask.offering].fetch(ask)

    async def close(self) -> None:
        """The transport's connections belong to the transport."""


class _Question:
    """One offering, compiled: a document by choice of columns."""

    def __init__(self, offered: Offered, source: EntitySource | QuerySource, exchange: Exchange) -> None:
        self._offered = offered
        self._source = source
        self._exchange = exchange
        self._sorter = Sorter(offered)
        self._reach_rows = compile_path(offered.rows.path)
        self._meanings = {rule.code: rule.meaning for rule in reversed(offered.outcomes) if not rule.row}
        self._document = lru_cache(COMPILED_HIGHEST)(self._write)

    async def fetch(self, ask: Ask) -> Answer:
        body = {"query": self._document(ask.columns), "variables": self._variables(ask)}
        call = Unsigned("POST", "", "", msgspec.json.encode(body))
        reply = await self._exchange.send(call, {"Accept": "application/json"}, ask)
        if isinstance(reply, Fault):
            return all_failed(ask.keys, replace(reply, correlation=ask.correlation))
        return self._read(reply, ask)

    def _read(self, reply: Reply, ask: Ask) -> Answer:
        try:
            tree = decode(reply.body, Format.JSON)
        except NotADocument:
            tree = None
        if not isinstance(tree, dict) or not ("data" in tree or "errors" in tree):
            return all_failed(ask.keys, _http_fault(reply, ask))
        errors = [error for error in as_list(tree.get("errors")) if isinstance(error, dict)]
        judged = [(self._key(error, ask), self._judge(error)) for error in errors]
        general = [judgement for key, judgement in judged if key is None]
        if general and general[0].meaning is Meaning.ABSENT:
            return all_absent(ask.keys)
        if general:
            return all_failed(ask.keys, fault_of(general[0], ask, reply.retry_after))
        if reply.status >= 400 and not errors:
            return all_failed(ask.keys, _http_fault(reply, ask))
        return self._sort(tree, {key: one for key, one in judged if key is not None}, ask)

    def _sort(self, tree: Mapping[str, object], judged: Mapping[str, Judgement], ask: Ask) -> Answer:
        try:
            rows = self._reach_rows(tree)
        except WrongForm:
            rows = None
        if not self._has_form(rows):
            return all_failed(ask.keys, fault(Kind.MALFORMED, correlation=ask.correlation))
        elements = as_list(rows)
        if isinstance(self._source, EntitySource) and len(elements) < len(ask.keys):
            return all_failed(ask.keys, fault(Kind.INCOMPLETE, correlation=ask.correlation))
        as_of = self._offered.as_of
        at = instant(as_of, tree) if as_of is not None and not as_of.row else None
        absent = [key for key, one in judged.items() if one.meaning is Meaning.ABSENT]
        faults = {key: fault_of(one, ask) for key, one in judged.items() if key not in absent}
        return self._sorter.sort([one for one in elements if one is not None], ask, at, faults, absent)

    def _has_form(self, rows: object) -> bool:
        if isinstance(self._source, QuerySource) and not self._source.many:
            return rows is None or isinstance(rows, list | dict)
        return isinstance(rows, list)

    def _key(self, error: dict[str, object], ask: Ask) -> str | None:
        """The key of the one entity that an error is about; None when it is about the whole answer.

        Only ``_entities`` answers in the order of the question (Apollo Federation 2, subgraph specification).
        """
        path = error.get("path")
        if not isinstance(self._source, EntitySource) or not isinstance(path, list):
            return None
        match path:
            case ["_entities", int(index), *_] if 0 <= index < len(ask.keys):
                return ask.keys[index]
            case _:
                return None

    def _judge(self, error: dict[str, object]) -> Judgement:
        extensions = error.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        text = code if isinstance(code, str) else None
        return Judgement(self._meanings.get(text), shown(text))

    def _variables(self, ask: Ask) -> dict[str, object]:
        if isinstance(self._source, QuerySource):
            return {"keys": list(ask.keys) if self._source.many else ask.keys[0]}
        typename, key = self._source.typename, (self._offered.rows.key or ("id",))[0]
        return {"keys": [{"__typename": typename, key: value} for value in ask.keys]}

    def _write(self, columns: tuple[str, ...]) -> str:
        key = self._offered.rows.key or ()
        in_element = [rule.path for rule in self._offered.outcomes if rule.row and rule.path]
        in_row = [path for column in columns for path in self._paths(column)]
        if self._offered.as_of is not None and self._offered.as_of.row:
            in_row.append(self._offered.as_of.path)
        if not self._items():
            return self._wrapped(_written(_selection([key, *in_element, *in_row])))
        items = self._written_items(_written(_selection(in_row)) or "__typename")
        return self._wrapped(f"{_written(_selection([key, *in_element]))} {items}")

    def _paths(self, column: str) -> tuple[Path, ...]:
        rule = self._offered.fields.get(column)
        return () if rule is None else rule.sources()

    def _items(self) -> Path:
        return self._offered.rows.items or ()

    def _written_items(self, inner: str) -> str:
        *outer, last = self._items()
        arguments = self._source.arguments if isinstance(self._source, EntitySource) else {}
        written = f"{last}{_arguments(arguments)} {{ {inner} }}"
        for step in reversed(outer):
            written = f"{step} {{ {written} }}"
        return written

    def _wrapped(self, selection: str) -> str:
        if isinstance(self._source, EntitySource):
            fragment = f"... on {self._source.typename} {{ {selection} }}"
            return f"query ($keys: [_Any!]!) {{ _entities(representations: $keys) {{ {fragment} }} }}"
        source = self._source
        constants = "".join(f", {name}: {_literal(value)}" for name, value in source.arguments.items())
        call = f"{source.field}({source.argument}: $keys{constants})"
        return f"query ($keys: {source.type}) {{ {call} {{ {selection} }} }}"


def _http_fault(reply: Reply, ask: Ask) -> Fault:
    otherwise = Kind.MALFORMED if reply.status < 300 else Kind.CODE_UNKNOWN
    return http_fault(reply.status, str(reply.status), ask, reply.retry_after, otherwise)


def _selection(paths: Iterable[Path]) -> Selection:
    root: Selection = {}
    for path in paths:
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def _written(selection: Selection) -> str:
    return " ".join(f"{name} {{ {_written(inner)} }}" if inner else name for name, inner in selection.items())


def _arguments(arguments: Mapping[str, str | int | bool]) -> str:
    if not arguments:
        return ""
    return "(" + ", ".join(f"{name}: {_literal(value)}" for name, value in arguments.items()) + ")"


def _literal(value: str | int | bool) -> str:
    return json.dumps(value, ensure_ascii=False)  # a GraphQL string takes JSON's escapes
