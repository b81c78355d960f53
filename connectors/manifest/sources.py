"""Reads how one offering is asked for, by kind: a call, a view, an entity or a query."""

from __future__ import annotations

from dataclasses import replace

from connectors.documents import Format
from connectors.manifest.cursor import Cursor
from connectors.manifest.fields import read_optional_path, read_path
from connectors.manifest.files import read_file
from connectors.manifest.model import (
    EntitySource,
    Kind,
    Paging,
    QuerySource,
    RestSource,
    Rows,
    Source,
    SqlSource,
)
from connectors.manifest.templates import (
    CURSOR,
    KEY,
    KEYS,
    PAGE,
    TOLD,
    Setting,
    can_be_sent,
    objection,
    placeholders,
)

HEADER = r"[A-Za-z][A-Za-z0-9-]{0,63}"
A_HEADER = "a header's name"
HEADER_VALUE = r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?"
RESERVED = ("host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect")
PATH = r"/|(/([A-Za-z0-9_~-][A-Za-z0-9._~%-]*|\$key))+/?"
PAGES, PAGES_HIGHEST = 20, 1000
NAME = r"[_A-Za-z][_0-9A-Za-z]{0,127}"
A_NAME = "a GraphQL name"
ARGUMENT_TYPE = rf"\[?{NAME}!?\]?!?"
IDENTIFIER = r"[^\W\d]\w{0,62}"
VIEW = rf"({IDENTIFIER}\.)?{IDENTIFIER}"


def read_source(cursor: Cursor, kind: Kind, setting: Setting) -> tuple[Source, Rows]:
    """The source of one offering and where rows stand in its answers."""
    match kind:
        case Kind.REST:
            return _read_rest(cursor, setting)
        case Kind.SQL:
            return _read_view(cursor)
        case Kind.GRAPHQL:
            return _read_graphql(cursor, setting)
        case Kind.FILES:
            return read_file(cursor)


def read_header(cursor: Cursor, name: str) -> str:
    """A header's name that a manifest may use."""
    header = cursor.text(name, A_HEADER, HEADER)
    if header.lower() in RESERVED:
        cursor.mistake(name, "a header that is not part of HTTP's own framing")
    return header


def _read_rest(cursor: Cursor, setting: Setting) -> tuple[Source, Rows]:
    request, response = cursor.table("request"), cursor.table("response")
    form = Format(response.choice("format", tuple(Format), "json"))
    source = RestSource(
        request.choice("method", ("GET", "POST"), "GET"),
        request.text("path", "a path like /people/$key", PATH),
        request.text_table("query"),
        _read_headers(request),
        request.take("body"),
        form,
        response.choice("encoding", ("utf-8", "gb18030"), "utf-8"),
        _read_paging(response),
    )
    request.flag("safe", default=False)
    _check_call(request, source, setting)
    rows = Rows(
        read_optional_path(response, "rows") or (),
        _read_row_key(response, setting),
        read_optional_path(response, "items"),
        read_optional_path(response, "total"),
    )
    request.finish()
    response.finish()
    return source, rows


def _read_paging(response: Cursor) -> Paging | None:
    cursor = response.optional_table("paging")
    if cursor is None:
        return None
    paging = Paging(
        cursor.whole("first", 0, 1, 1),
        read_optional_path(cursor, "pages"),
        read_optional_path(cursor, "cursor"),
        cursor.whole("most", 1, PAGES_HIGHEST, PAGES),
    )
    if (paging.pages is None) == (paging.cursor is None):
        cursor.mistake("", "either pages or cursor")
    cursor.finish()
    return paging


def _page_placeholder(source: RestSource) -> str | None:
    if source.paging is None:
        return None
    return CURSOR if source.paging.pages is None else PAGE


def _read_headers(request: Cursor) -> dict[str, str]:
    inner = request.optional_table("headers")
    if inner is None:
        return {}
    for name in inner.names():
        if name.lower() in RESERVED:
            inner.mistake(name, "a header that is not part of HTTP's own framing")
    return {name: inner.text(name, "printable ASCII", HEADER_VALUE) for name in inner.names()}


def _read_row_key(response: Cursor, setting: Setting) -> tuple[str, ...] | None:
    if setting.batch > 1 or response.has("key"):
        return read_path(response, "key")
    return None


def _check_call(request: Cursor, source: RestSource, setting: Setting) -> None:
    if source.body is not None and (source.method == "GET" or not can_be_sent(source.body)):
        request.mistake("body", "no body for GET; for POST tables, lists, texts, whole numbers and booleans")
    page = _page_placeholder(source)
    setting = replace(setting, page=page)
    segments = [segment for segment in source.path.split("/") if segment == KEY]
    places = {"path": segments, "query": source.query, "headers": source.headers, "body": source.body}
    sent = set()
    for place, content in places.items():
        for placeholder, inside in placeholders(content):
            sent.add(placeholder)
            why_not = objection(placeholder, setting, inside_each=inside)
            listed = place != "body" and placeholder == KEYS
            if why_not is not None or listed:
                request.mistake(place, why_not or "$keys only in the body")
    if not sent & {KEY, KEYS}:
        request.mistake("", "$key or $keys somewhere in path, query, headers or body")
    if page is not None and page not in sent:
        request.mistake("", f"{page} somewhere in query, headers or body, since there are pages")


def _read_view(cursor: Cursor) -> tuple[Source, Rows]:
    view = cursor.table("view")
    name = view.text("name", "schema.view", VIEW)
    key = view.text("key", "a column", IDENTIFIER)
    view.finish()
    return SqlSource(tuple(name.split(".")), key), Rows((), (key,), None)


def _read_graphql(cursor: Cursor, setting: Setting) -> tuple[Source, Rows]:
    if cursor.has("entity") == cursor.has("query"):
        cursor.mistake("", "either an entity or a query")
    return _read_query(cursor, setting) if cursor.has("query") else _read_entity(cursor)


def _read_entity(parent: Cursor) -> tuple[Source, Rows]:
    cursor = parent.table("entity")
    source = EntitySource(cursor.text("typename", A_NAME, NAME), _read_arguments(cursor))
    rows = Rows(
        ("data", "_entities"), (cursor.text("key", A_NAME, NAME),), read_optional_path(cursor, "items")
    )
    if source.arguments and rows.items is None:
        cursor.mistake("arguments", "arguments only beside items")
    cursor.finish()
    return source, rows


def _read_query(parent: Cursor, setting: Setting) -> tuple[Source, Rows]:
    cursor = parent.table("query")
    field = cursor.text("field", A_NAME, NAME)
    many = cursor.flag("list", default=True)
    if not many and setting.batch > 1:
        cursor.mistake("list", "true, or batch = 1")
    source = QuerySource(
        field,
        cursor.text("argument", A_NAME, NAME),
        cursor.text("type", "a GraphQL type like [String!]!", ARGUMENT_TYPE),
        many,
        _read_arguments(cursor),
    )
    rows = Rows(("data", field), read_path(cursor, "key"), read_optional_path(cursor, "items"))
    cursor.finish()
    return source, rows


def _read_arguments(cursor: Cursor) -> dict[str, str | int | bool]:
    inner = cursor.optional_table("arguments")
    arguments: dict[str, str | int | bool] = {}
    for name in inner.names() if inner is not None else ():
        value = inner.take(name) if inner is not None else None
        if isinstance(value, str | int):
            arguments[name] = value
        elif inner is not None:
            inner.mistake(name, "a text, a whole number, true or false")
    return arguments


def tells_in_body(source: Source) -> bool:
    """Whether a call carries a part of the purpose in its own words."""
    if not isinstance(source, RestSource):
        return False
    sent = [one for place in (source.body, source.query, source.headers) for one, _ in placeholders(place)]
    return any(one in TOLD for one in sent)
