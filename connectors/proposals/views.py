"""Proposes from a view of a PostgreSQL database, which is looked at in a session that only reads."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

from connectors.manifest.model import Kind
from connectors.manifest.sources import IDENTIFIER, VIEW
from connectors.proposals.guess import likely_key
from connectors.proposals.model import (
    Choice,
    Choices,
    Column,
    Declared,
    Findings,
    Line,
    Note,
    Reason,
    Refusal,
)
from connectors.proposals.openapi_document import shown
from connectors.proposals.sheets import is_reachable
from connectors.proposals.toml import quoted
from connectors.sql_views import LoginRefused, Unreachable, View, ViewColumn, list_views, read_view

SCHEMES = ("postgresql", "postgres")
ALLOWED = {"sslmode"}
TYPES = {
    "bool": Declared.BOOLEAN,
    "date": Declared.DATE,
    "timestamp": Declared.DATE,
    "timestamptz": Declared.DATE,
    **dict.fromkeys(("int2", "int4", "int8", "numeric", "float4", "float8"), Declared.NUMBER),
    **dict.fromkeys(("_text", "_varchar"), Declared.TEXTS),
    **dict.fromkeys(("text", "varchar", "bpchar", "uuid", "name"), Declared.TEXT),
}
TITLE_LONGEST = 30


def objection(url: str) -> Refusal | None:
    """Why a database's address cannot be used; a password in it would stand in the shell's history."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in SCHEMES and parts.hostname and parts.username and parts.path.strip("/")
        asked = set(parse_qs(parts.query))
        _ = parts.port
    except ValueError:
        return Refusal(Reason.URL_INVALID)
    if parts.password is not None or "password" in asked:
        return Refusal(Reason.PASSWORD_IN_URL)
    return None if usable and asked <= ALLOWED else Refusal(Reason.URL_INVALID)


async def read_views(url: str, password: str | None, choice: str | None) -> Findings | Choices | Refusal:
    """What the chosen view holds, or the only one; all of them when none was chosen."""
    try:
        views = await list_views(url, password)
        if choice is not None:
            views = tuple(view for view in views if choice in (view.full_name, view.name))
            if not views:
                return Refusal(Reason.CHOICE_UNKNOWN, shown(choice))
        if len(views) == 1:
            return findings(url, views[0], await read_view(url, password, views[0]))
    except LoginRefused:
        return Refusal(Reason.LOGIN_REFUSED)
    except Unreachable:
        return Refusal(Reason.UNREACHABLE)
    listed = tuple(Choice(shown(view.full_name), "view", shown(view.title)) for view in views)
    return Choices(listed) if listed else Refusal(Reason.NO_VIEWS)


def findings(url: str, view: View, found: tuple[ViewColumn, ...]) -> Findings | Refusal:
    """The findings of a view."""
    if not re.fullmatch(VIEW, view.full_name):
        return Refusal(Reason.PATH_UNSUPPORTED, shown(view.full_name))
    columns = [_column(one) for one in found]
    usable = tuple(one for one in columns if one.declared is not None and is_reachable(one.name))
    keys = [
        one for one in usable if re.fullmatch(IDENTIFIER, one.name) and one.declared is not Declared.TEXTS
    ]
    if not keys:
        return Refusal(Reason.NO_FIELDS, shown(view.full_name))
    key = likely_key(keys)
    source = (
        Line(""),
        Line("[offerings.view]"),
        Line(f"name = {quoted(view.full_name)}"),
        Line(f"key = {quoted(key.name)}", (Note.KEY,)),
    )
    left_out = tuple(shown(one.name) for one in columns if one not in usable)
    password = Line(f"password = {{ slot = {quoted('password')} }}", (Note.CREDENTIALS,))
    many = len(set(key.values)) < len(key.values)
    return Findings(
        Kind.SQL, view.name, _address(url), (password,), source, (), key, usable, many, 50, True, left_out
    )


def _address(url: str) -> tuple[Line, ...]:
    parts = urlsplit(url)
    return (
        Line(f"host = {quoted(parts.hostname or '')}", (Note.ADDRESS,)),
        *([Line(f"port = {parts.port}")] if parts.port else []),
        Line(f"database = {quoted(unquote(parts.path.strip('/')))}"),
        Line(f"user = {quoted(unquote(parts.username or ''))}", (Note.FILL_USER,)),
    )


def _column(one: ViewColumn) -> Column:
    title = one.title.strip()
    usable = len(title) <= TITLE_LONGEST and title.isprintable() and sum(map(str.isdigit, title)) < 5
    declared = TYPES.get(one.type)
    values = one.values if declared in (Declared.TEXT, Declared.NUMBER) else ()
    return Column((one.name,), title if usable else "", declared, values)
