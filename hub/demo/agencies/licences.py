"""The demo's licence store: a GraphQL Federation v2 subgraph that answers ``_entities`` and ``_service``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hmac import compare_digest
from importlib.resources import files
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_schema, execute_sync, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from hub.demo.agencies.process import Mood, Post, serve, take_post

BATCH = 100
DOCUMENTS = 256  # remembered parsed and validated; values travel beside them
KEYS = {"Person": "idNumber", "Business": "uscc"}
FEDERATION = """
scalar _Any
scalar link__Import
directive @link(url: String!, import: [link__Import]) repeatable on SCHEMA
directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT
union _Entity = Person | Business
type _Service { sdl: String! }
type Query { _entities(representations: [_Any!]!): [_Entity]!  _service: _Service! }
schema { query: Query }
"""
COLUMNS = {
    "code": "zzbs",
    "type": "zzlx",
    "licenceNo": "zzhm",
    "ownerCode": "czzdm",
    "ownerCodeType": "czzdmlx",
    "ownerName": "czzmc",
    "authorityCode": "bfjgdm",
    "authorityName": "bfjgmc",
    "issueDate": "bfrq",
    "beginDate": "yxqqs",
    "endDate": "yxqjz",
    "state": "zzzt",
    "face": "zmxx",
}
STATEMENT = f"SELECT {','.join(COLUMNS.values())} FROM zzk WHERE czzdm = ? AND zzlx = ? ORDER BY zzbs"  # noqa: S608 - constants
ASKED_WRONG = {"code": "BAD_REQUEST"}


class Holder:
    """A person or business that holds licences; resolves the fields of both types."""

    def __init__(self, typename: str, code: str, store: sqlite3.Connection) -> None:
        self.__typename = typename
        self.idNumber = self.uscc = code
        self._store = store

    def typename(self) -> str:
        """The GraphQL type of this holder."""
        return self.__typename

    def licences(self, _: object, type: str) -> list[dict[str, Any]]:  # noqa: A002 - the argument's GraphQL name
        """The holder's licences of one type."""
        rows = self._store.execute(STATEMENT, (self.idNumber, type))
        updated = datetime.now(UTC).replace(minute=0, second=0, microsecond=0).isoformat()
        return [dict(zip(COLUMNS, row, strict=True), updatedAt=updated) for row in rows]


class Subgraph:
    """Executes operations over the store."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._store = sqlite3.connect(f"file:{post.folder}/licences.sqlite?mode=ro", uri=True)
        self._sdl = files("hub.demo.agencies").joinpath("licences.graphqls").read_text("utf-8")
        self._schema = _schema(self._sdl)
        self._checked = lru_cache(DOCUMENTS)(self._check)

    async def answer(self, request: Request) -> Response:
        """One GraphQL operation by POST; the token stands in ``Authorization``."""
        if await self._post.feel() is Mood.BROKEN:
            return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>")
        expected = f"Bearer {self._post.secrets['licences_token']}"
        if not compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
            return JSONResponse({"errors": [_error("UNAUTHENTICATED", "invalid token")]}, status_code=401)
        return JSONResponse(self._executed(await request.body()))

    def _executed(self, body: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(body)
            (document, mistakes), variables = self._checked(asked["query"]), asked.get("variables") or {}
        except (ValueError, KeyError, TypeError, GraphQLError):
            return {"errors": [_error("BAD_REQUEST", "unreadable request")]}
        if mistakes:
            return {"errors": [mistake.formatted for mistake in mistakes]}
        result = execute_sync(self._schema, document, self, variable_values=variables)
        return dict(result.formatted)

    def _check(self, query: str) -> tuple[DocumentNode, list[GraphQLError]]:
        document = parse(query)
        return document, validate(self._schema, document)

    def _service(self, _: object) -> dict[str, str]:
        return {"sdl": self._sdl}

    def _entities(self, _: object, representations: list[Mapping[str, Any]]) -> list[Holder]:
        if len(representations) > BATCH:
            raise GraphQLError("too many representations", extensions=ASKED_WRONG)
        return [self._holder(one) for one in representations]

    def _holder(self, representation: Mapping[str, Any]) -> Holder:
        typename = representation.get("__typename", "")
        code = representation.get(KEYS.get(typename, ""))
        if not isinstance(code, str):
            raise GraphQLError("unknown representation", extensions=ASKED_WRONG)
        return Holder(typename, code, self._store)


def _schema(sdl: str) -> GraphQLSchema:
    schema = build_schema(FEDERATION + sdl.partition("\n")[2])
    schema.type_map["_Entity"].resolve_type = lambda holder, *_: holder.typename()  # type: ignore[attr-defined]
    return schema


def _error(code: str, message: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


def application(post: Post) -> Starlette:
    """The subgraph's endpoint."""
    return Starlette(routes=[Route("/graphql", Subgraph(post).answer, methods=["POST"])])


def main() -> None:
    """Serves the subgraph until told to end."""
    post = take_post("licences")
    serve(application(post), post)


if __name__ == "__main__":
    main()
