"""Reads a GraphQL request out of an HTTP request: its form, its members and which document it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType, NoneType
from typing import Any

import msgspec

from hub.http.parameters import read_parameters
from hub.kernel.errors import Code, Problem
from hub.kernel.strict_json import strict_json

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EITHER = ("*/*", "application/*")
CHARSETS = ("", "charset=utf-8", "charset=utf8")
TEXTS = frozenset({"query", "documentId", "operationName"})
OBJECTS = frozenset({"variables", "extensions"})
TEXT_OR_NULL = (str, NoneType)
OBJECT_OR_NULL = (dict, NoneType)
PERSISTED_VERSION = 1
HEADERS_REMEMBERED = 256

Headers = Mapping[bytes, bytes]
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Incoming(msgspec.Struct, frozen=True):
    """One GraphQL request whose members have their types. ``members`` are as they came, for the receipt."""

    query: str | None
    document_id: str | None
    operation_name: str | None
    variables: Mapping[str, Any]
    extensions: Mapping[str, Any]
    members: Mapping[str, Any]


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers by their lower-case names; one that stands several times is one list (RFC 9110 §5.3)."""
    headers: dict[bytes, bytes] = {}
    for name, value in raw:
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


def header(headers: Headers, name: bytes) -> str | None:
    """A header as text."""
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def post_problem(content_type: str | None) -> Problem | None:
    """MEDIA_TYPE_UNSUPPORTED unless a body is declared as JSON in UTF-8."""
    if content_type == JSON:
        return None
    media_type, _, parameters = (content_type or "").lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "")
    if media_type.strip() != JSON or charset not in CHARSETS:
        return Problem(Code.MEDIA_TYPE_UNSUPPORTED)
    return None


@lru_cache(HEADERS_REMEMBERED)
def accepted(accept: str | None) -> str | None:
    """The media type to answer in by the Accept header (RFC 9110 §12.5.1); None: the hub speaks none of it.

    Where the client has no wish, JSON: it may be older than the other (GraphQL over HTTP, "Media types").
    """
    liked: dict[str, float] = {}
    for part in (accept or "*/*").lower().split(","):
        name, _, parameters = part.partition(";")
        media_type = JSON if name.strip() in EITHER else name.strip()
        if media_type in (RESPONSE, JSON):
            liked.setdefault(media_type, _quality(parameters))
    best = max(liked, key=lambda media_type: liked[media_type], default=None)
    return best if best and liked[best] > 0 else None


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            return float(value) if value.replace(".", "", 1).isdecimal() else 0.0
    return 1.0


def in_body(body: bytes) -> Incoming | Problem:
    """The request that was posted as JSON."""
    posted = strict_json(body)
    if isinstance(posted, Problem):
        return posted
    return of_members(posted) if isinstance(posted, dict) else Problem(Code.REQUEST_SHAPE, {"part": "body"})


def in_address(query_string: bytes) -> Incoming | Problem:
    """The request in a URL's query (GraphQL over HTTP, "GET"); an empty parameter counts as left out."""
    given = read_parameters(query_string, TEXTS | OBJECTS)
    if isinstance(given, Problem):
        return given
    members: dict[str, Any] = dict(given)
    for name in OBJECTS & members.keys():
        members[name] = strict_json(members[name].encode())
        if isinstance(members[name], Problem):
            problem: Problem = members[name]
            return problem
    return of_members(members)


def of_members(members: Mapping[str, Any]) -> Incoming | Problem:
    """The request with these members; REQUEST_SHAPE when one has another type than the specification says."""
    for name in TEXTS:
        if not isinstance(members.get(name), TEXT_OR_NULL):
            return Problem(Code.REQUEST_SHAPE, {"part": name})
    for name in OBJECTS:
        if not isinstance(members.get(name), OBJECT_OR_NULL):
            return Problem(Code.REQUEST_SHAPE, {"part": name})
    extensions = members.get("extensions") or NOTHING
    document_id = _document_id(members.get("documentId"), extensions.get("persistedQuery"))
    if isinstance(document_id, Problem):
        return document_id
    return Incoming(
        members.get("query"),
        document_id,
        members.get("operationName"),
        members.get("variables") or NOTHING,
        extensions,
        members,
    )


def _document_id(stated: str | None, persisted: Any) -> str | Problem | None:
    """The id of a trusted document, in the specification's form or in Apollo's."""
    if persisted is None:
        return stated
    shape = Problem(Code.REQUEST_SHAPE, {"part": "extensions.persistedQuery"})
    if not isinstance(persisted, dict) or persisted.get("version") != PERSISTED_VERSION:
        return shape
    digest = persisted.get("sha256Hash")
    if not isinstance(digest, str) or stated not in (None, digest):
        return shape
    return digest
