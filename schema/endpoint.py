"""The HTTP face of GraphQL: who asks, in what form and why, and the answer in the form asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from graphql import print_schema
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.audit.model import Purpose
from hub.audit.rules import stated_purpose
from hub.clients.model import INTROSPECT, Caller
from hub.clients.service import ClientService
from hub.http.bodies import read_body, strict_json
from hub.http.problems import Problems, language_of, problem_headers
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.log import get_log
from hub.procedures.service import ProcedureService
from hub.subjects.rules import resident_id
from hub.texts import Language, Texts
from schema.execution.run import Answered, Answering, Asker, Request, refusal
from schema.faults import Words

GRAPHQL_PATH = "/graphql"
SCHEMA_PATH = "/schema.graphql"
RESPONSE = "application/graphql-response+json"
JSON = "application/json"
DOCUMENT_CODES = range(110, 128)
"""Numbers of errors in the GraphQL request itself: with the older media type they keep the status 200."""


class GraphQLEndpoint:
    """Answers ``POST /graphql`` (GraphQL over HTTP) and ``GET /schema.graphql``."""

    def __init__(
        self,
        answering: Answering,
        clients: ClientService,
        procedures: ProcedureService,
        texts: Mapping[Language, Texts],
        largest_body: int,
    ) -> None:
        self.answering = answering
        self.clients = clients
        self.procedures = procedures
        self.words = {language: Words(texts, language) for language in Language}
        self.problems = Problems(texts)
        self.largest_body = largest_body

    async def answer(self, http: HttpRequest) -> Response:
        """The answer, or the numbered refusal, as a GraphQL response."""
        words = self.words[language_of(http.headers.get("accept-language"))]
        media_type = accepted(http.headers.get("accept"))
        try:
            answered = await self._answer(http, words, media_type)
        except HubError as error:
            answered = refusal(words, error.problem)
        except Exception:  # noqa: BLE001  the edge: whatever broke, the client gets a numbered answer
            get_log().exception("request_failed", route=GRAPHQL_PATH)
            answered = refusal(words, Problem(Code.INTERNAL))
        return _response(answered, media_type or RESPONSE)

    async def _answer(self, http: HttpRequest, words: Words, media_type: str | None) -> Answered:
        wrong = _form_problem(http, media_type)
        if wrong:
            return refusal(words, wrong)
        caller = self._caller(http)
        if isinstance(caller, Problem):
            return refusal(words, caller)
        body = await read_body(http, self.largest_body)
        posted = body if isinstance(body, Problem) else _posted(strict_json(body))
        if isinstance(posted, Problem):
            return refusal(words, posted)
        request, extensions = posted
        purpose = self._purpose(http, extensions.get("purpose"), caller)
        return await self.answering.answer(request, Asker(INTROSPECT in caller.rights, purpose, words))

    async def print(self, http: HttpRequest) -> Response:
        """The contract as SDL, for callers who may introspect."""
        caller = self._caller(http)
        if not isinstance(caller, Problem) and INTROSPECT not in caller.rights:
            caller = Problem(Code.INTROSPECTION_NOT_ALLOWED)
        if isinstance(caller, Problem):
            return self.problems.answer(caller, accept_language=http.headers.get("accept-language"))
        contract, _ = self.answering.contract()
        return PlainTextResponse(print_schema(contract.schema) + "\n", headers={"Cache-Control": "no-store"})

    def _caller(self, http: HttpRequest) -> Caller | Problem:
        scheme, _, token = http.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return Problem(Code.TOKEN_MISSING)
        return self.clients.verify_token(token.strip())

    def _purpose(self, http: HttpRequest, extension: object, caller: Caller) -> Purpose | Problem:
        purpose = stated_purpose(extension, http.headers.raw, caller.client, caller.agencies, resident_id)
        if isinstance(purpose, Purpose) and self.procedures.find(purpose.procedure) is None:
            return Problem(Code.PROCEDURE_UNKNOWN)
        return purpose


def graphql_routes(endpoint: GraphQLEndpoint) -> list[Route]:
    """``/graphql`` (every method, so that the wrong ones get a numbered answer) and ``/schema.graphql``."""
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return [
        Route(GRAPHQL_PATH, endpoint.answer, methods=methods),
        Route(SCHEMA_PATH, endpoint.print, methods=["GET"]),
    ]


def accepted(accept: str | None) -> str | None:
    """The media type to answer in by the Accept header; None when the hub speaks none of those asked for."""
    wanted = [part.split(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    for media_type in wanted:
        if media_type in (RESPONSE, JSON):
            return media_type
    return RESPONSE if any(media_type in ("*/*", "application/*") for media_type in wanted) else None


def _form_problem(http: HttpRequest, media_type: str | None) -> Problem | None:
    if media_type is None:
        return Problem(Code.NOT_ACCEPTABLE)
    if http.method != "POST":
        return Problem(Code.METHOD_NOT_ALLOWED)
    content_type, _, parameters = http.headers.get("content-type", "").lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "")
    if content_type.strip() != JSON or charset not in ("", "charset=utf-8", "charset=utf8"):
        return Problem(Code.MEDIA_TYPE_UNSUPPORTED)
    return None


def _posted(body: Any) -> tuple[Request, Mapping[str, Any]] | Problem:
    if isinstance(body, Problem):
        return body
    members = body if isinstance(body, dict) else {}
    query, name = members.get("query"), members.get("operationName")
    variables, extensions = members.get("variables"), members.get("extensions")
    if not isinstance(query, str) or not isinstance(name, str | None):
        return Problem(Code.REQUEST_SHAPE)
    if not isinstance(variables, dict | None) or not isinstance(extensions, dict | None):
        return Problem(Code.REQUEST_SHAPE)
    return Request(query, name, variables or {}, members), extensions or {}


def _response(answered: Answered, media_type: str) -> Response:
    status, headers = 200, {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}
    if answered.refused:
        code = answered.refused.code
        headers = problem_headers(code) | headers
        status = 200 if media_type == JSON and code.number in DOCUMENT_CODES else code.status
        if code is Code.METHOD_NOT_ALLOWED:
            headers["Allow"] = "POST"
    return Response(msgspec.json.encode(answered.body), status, headers, f"{media_type}; charset=utf-8")
