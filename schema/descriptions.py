"""Describes the hub to developers: the contract as SDL, and trusted documents as OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from graphql import print_schema
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub.clients.model import INTROSPECT, Caller
from hub.documents.model import Trusted
from hub.http.problems import Problems
from hub.kernel.errors import Code, Problem
from hub.texts import Language, Texts
from schema.build import Contract
from schema.incoming import headers_of
from schema.openapi import described
from schema.reception import Reception

SCHEMA_PATH = "/schema.graphql"
OPENAPI_PATH = "/openapi.json"
NOT_KEPT = {"Cache-Control": "no-store"}


class Descriptions:
    """Answers ``GET /schema.graphql`` for callers who may introspect, ``/openapi.json`` for any client."""

    def __init__(self, reception: Reception, texts: Mapping[Language, Texts], issuer: str) -> None:
        self.reception = reception
        self.problems = Problems(texts)
        self.issuer = issuer
        self.made: tuple[Contract, Trusted, bytes] | None = None

    async def schema(self, request: Request) -> Response:
        """The contract as SDL."""
        caller = await self._caller(request)
        if not isinstance(caller, Problem) and INTROSPECT not in caller.rights:
            caller = Problem(Code.INTROSPECTION_NOT_ALLOWED)
        if isinstance(caller, Problem):
            return self._refused(request, caller)
        contract, _ = self.reception.answering.contract()
        return PlainTextResponse(print_schema(contract.schema) + "\n", headers=NOT_KEPT)

    async def openapi(self, request: Request) -> Response:
        """The trusted documents that the contract answers, as an OpenAPI 3.1 description."""
        caller = await self._caller(request)
        if isinstance(caller, Problem):
            return self._refused(request, caller)
        return Response(self._openapi(), headers=NOT_KEPT, media_type="application/json")

    async def _caller(self, request: Request) -> Caller | Problem:
        """Whose token it is; reading a description counts as a request."""
        caller = self.reception.caller(headers_of(request.headers.raw))
        if isinstance(caller, Problem):
            return caller
        return (await self.reception.quotas.admit(caller.client)).problem or caller

    def _openapi(self) -> bytes:
        contract, _ = self.reception.answering.contract()
        trusted = self.reception.documents.trusted
        if self.made is None or self.made[0] is not contract or self.made[1] is not trusted:
            self.made = contract, trusted, msgspec.json.encode(described(contract, trusted, self.issuer))
        return self.made[2]

    def _refused(self, request: Request, problem: Problem) -> Response:
        return self.problems.answer(problem, accept_language=request.headers.get("accept-language"))
