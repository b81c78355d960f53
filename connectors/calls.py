"""Turns a declared call and an ask into the method, path, query, headers and body of one HTTP request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import quote

import msgspec

from connectors.contract import Ask, Telling
from connectors.manifest.model import RestSource
from connectors.manifest.templates import CORRELATION, CURSOR, EACH, KEY, KEYS, PAGE, PURPOSE, TOLD
from connectors.signing import Unsigned

Values = dict[str, object]
Write = Callable[[Values, Ask], object]
PLACEHOLDERS = frozenset({KEY, KEYS, CORRELATION, PAGE, CURSOR, *TOLD})
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
FIRST: Mapping[str, object] = MappingProxyType({})
BODY = msgspec.json.Encoder()


class Request:
    """A declared call, compiled: what every request has in common is written once."""

    def __init__(self, source: RestSource) -> None:
        self._method = source.method
        steps = source.path.split("/")
        self._steps = steps if KEY in steps else None
        self._path = source.path
        self._query = {quote(name, safe=""): value for name, value in source.query.items()}
        self._headers = source.headers
        self._write_body = None if source.body is None else _compile(source.body)

    def fill(self, ask: Ask, page: Mapping[str, object] = FIRST) -> tuple[Unsigned, Mapping[str, str]]:
        """The request, and the headers that the manifest declares for it. ``page``: which of several."""
        values = _values(ask)
        if page:
            values |= page
        body = b"" if self._write_body is None else BODY.encode(self._write_body(values, ask))
        query = self._fill_query(values) if self._query else ""
        headers = self._fill_headers(values) if self._headers else {}
        return Unsigned(self._method, self._fill_path(ask), query, body), headers

    def _fill_path(self, ask: Ask) -> str:
        if self._steps is None:
            return self._path
        key = quote(ask.keys[0], safe="")
        return "/".join([key if step == KEY else step for step in self._steps])

    def _fill_query(self, values: Values) -> str:
        filled = [(name, _text(value, values)) for name, value in self._query.items()]
        return "&".join([f"{name}={quote(text, safe='')}" for name, text in filled if text is not None])

    def _fill_headers(self, values: Values) -> dict[str, str]:
        filled = [(name, _text(value, values)) for name, value in self._headers.items()]
        return {name: quote(text, safe=PRINTABLE) for name, text in filled if text is not None}


def _values(ask: Ask) -> Values:
    values: Values = {KEY: ask.keys[0], KEYS: list(ask.keys), CORRELATION: ask.correlation}
    return values | _told(ask.tellings[0]) if ask.tellings else values


def _told(telling: Telling) -> Values:
    return {f"${part}": getattr(telling, part) for part in PURPOSE}


def _text(template: str, values: Values) -> str | None:
    """None where a placeholder stands for nothing yet: the first page has no cursor."""
    value = values.get(template, template)
    return None if value is None else str(value)


def _compile(template: object) -> Write:
    """A function that fills a body, or a part of one."""
    if isinstance(template, str) and template in PLACEHOLDERS:
        return lambda values, _ask: values.get(template, template)
    if isinstance(template, dict):
        named = [(name, _compile(value)) for name, value in template.items()]
        return lambda values, ask: {name: write(values, ask) for name, write in named}
    if isinstance(template, list):
        if len(template) == 2 and template[0] == EACH:
            each = _compile(template[1])
            return lambda values, ask: [each(one, ask) for one in _values_by_key(values, ask)]
        parts = [_compile(value) for value in template]
        return lambda values, ask: [write(values, ask) for write in parts]
    return lambda _values, _ask: template


def _values_by_key(values: Values, ask: Ask) -> list[Values]:
    tellings = ask.tellings if len(ask.tellings) == len(ask.keys) else ask.tellings * len(ask.keys)
    if not tellings:
        return [values | {KEY: key} for key in ask.keys]
    return [values | {KEY: key} | _told(told) for key, told in zip(ask.keys, tellings, strict=True)]
