"""Turns a declared call and an ask into the method, path, query, headers and body of one HTTP request."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import quote

import msgspec

from connectors.contract import Ask, Telling
from connectors.manifest.model import RestSource
from connectors.manifest.templates import EACH, KEY, KEYS
from connectors.signing import Unsigned

Values = dict[str, object]
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


def fill(source: RestSource, ask: Ask) -> tuple[Unsigned, dict[str, str]]:
    """The request, and the headers that the manifest declares for it."""
    values = _values(ask)
    body = b"" if source.body is None else msgspec.json.encode(_fill_body(source.body, values, ask))
    path = "/".join(quote(ask.keys[0], safe="") if step == KEY else step for step in source.path.split("/"))
    query = "&".join(
        f"{quote(name, safe='')}={quote(_text(value, values), safe='')}"
        for name, value in source.query.items()
    )
    headers = {name: quote(_text(value, values), safe=PRINTABLE) for name, value in source.headers.items()}
    return Unsigned(source.method, path, query, body), headers


def _values(ask: Ask) -> Values:
    told = _told(ask.tellings[0]) if ask.tellings else {}
    return {KEY: ask.keys[0], KEYS: list(ask.keys), "$correlation": ask.correlation, **told}


def _told(telling: Telling) -> Values:
    return {f"${part}": value for part, value in asdict(telling).items()}


def _text(template: str, values: Values) -> str:
    return str(values.get(template, template))


def _fill_body(template: object, values: Values, ask: Ask) -> object:
    if isinstance(template, str):
        return values.get(template, template)
    if isinstance(template, dict):
        return {name: _fill_body(value, values, ask) for name, value in template.items()}
    if isinstance(template, list):
        if len(template) == 2 and template[0] == EACH:
            return [_fill_body(template[1], one, ask) for one in _values_by_key(values, ask)]
        return [_fill_body(value, values, ask) for value in template]
    return template


def _values_by_key(values: Values, ask: Ask) -> list[Values]:
    tellings = ask.tellings if len(ask.tellings) == len(ask.keys) else ask.tellings * len(ask.keys)
    if not tellings:
        return [values | {KEY: key} for key in ask.keys]
    return [values | {KEY: key} | _told(told) for key, told in zip(ask.keys, tellings, strict=True)]
