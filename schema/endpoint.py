"""The HTTP face of GraphQL: ``/graphql`` as GraphQL over HTTP says, and trusted documents by name."""

from __future__ import annotations

from functools import partial

from starlette.types import Receive, Scope, Send

from hub.documents.model import TrustedDocument
from hub.documents.rules import SHA256
from hub.http.bodies import read_body
from hub.kernel.errors import Code, Problem
from hub.kernel.strict_json import strict_json
from schema.execution.run import Answered, refusal
from schema.incoming import (
    JSON,
    RESPONSE,
    Incoming,
    accepted,
    header,
    in_address,
    in_body,
    of_members,
    post_problem,
)
from schema.reception import SAFE, Reception, Visit, respond

GRAPHQL_PATH = "/graphql"
NAMED_PATH = "/q/{name}"
ALLOW = b"allow"
DOCUMENT = b"hub-document"
DOCUMENT_CODES = frozenset(range(110, 130)) - {Code.NUMBER_NOT_PORTABLE.number, Code.REQUEST_TOO_SLOW.number}
"""Numbers of errors in the GraphQL request itself: with the older media type they keep the status 200."""


class GraphQLEndpoint:
    """Answers ``POST`` and, of queries, ``GET /graphql`` as a bare ASGI application."""

    def __init__(self, reception: Reception) -> None:
        self.reception = reception

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        visit = self.reception.visit(scope, receive)
        media_type = accepted(header(visit.headers, b"accept"))
        wrong = _form_problem(visit, media_type)
        if wrong:
            answered: Answered | None = refusal(visit.words, wrong)
        else:
            answered = await self.reception.answer(visit, self._read)
        if answered is not None:
            more = visit.errand.headers()
            if _is_of(answered, Code.METHOD_NOT_ALLOWED):
                more[ALLOW] = b"GET, POST"
            status = _status(answered, media_type)
            await respond(send, answered, status, media_type or RESPONSE, more)

    async def _read(self, visit: Visit) -> Incoming | Problem:
        body = await read_body(visit.receive, self.reception.bounds.largest_body)
        if isinstance(body, Problem):
            return body
        return in_address(visit.scope["query_string"]) if visit.scope["method"] == SAFE else in_body(body)


class NamedEndpoint:
    """Answers ``POST /q/{name}``: a trusted document by its name, its variables as the whole body.

    The answer is that of ``/graphql``, its receipt for the request ``{documentId, variables}``, with the
    document's id in the header ``Hub-Document``. The status says of every refusal what kind it is.
    """

    def __init__(self, reception: Reception) -> None:
        self.reception = reception

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        visit = self.reception.visit(scope, receive)
        found = self.reception.documents.trusted.by_name.get(scope["path_params"]["name"])
        wrong = _named_problem(visit)
        if wrong:
            answered: Answered | None = refusal(visit.words, wrong)
        else:
            answered = await self.reception.answer(visit, partial(self._read, found))
        if answered is None:
            return
        status = answered.refused.code.status if answered.refused else 200
        more = visit.errand.headers()
        if _is_of(answered, Code.METHOD_NOT_ALLOWED):
            more[ALLOW] = b"POST"
        if found and not answered.refused:
            more[DOCUMENT] = (SHA256 + found.digest).encode()
        await respond(send, answered, status, JSON, more)

    async def _read(self, found: TrustedDocument | None, visit: Visit) -> Incoming | Problem:
        if found is None:
            return Problem(Code.ROUTE_UNKNOWN)
        body = await read_body(visit.receive, self.reception.bounds.largest_body)
        variables = body if isinstance(body, Problem) else strict_json(body)
        if isinstance(variables, Problem):
            return variables
        return of_members({"documentId": SHA256 + found.digest, "variables": variables})


def _form_problem(visit: Visit, media_type: str | None) -> Problem | None:
    if media_type is None:
        return Problem(Code.NOT_ACCEPTABLE)
    match visit.scope["method"]:
        case "POST":
            return post_problem(header(visit.headers, b"content-type"))
        case "GET":
            return None
        case _:
            return Problem(Code.METHOD_NOT_ALLOWED)


def _named_problem(visit: Visit) -> Problem | None:
    if accepted(header(visit.headers, b"accept")) is None:
        return Problem(Code.NOT_ACCEPTABLE)
    if visit.scope["method"] != "POST":
        return Problem(Code.METHOD_NOT_ALLOWED)
    return post_problem(header(visit.headers, b"content-type"))


def _status(answered: Answered, media_type: str | None) -> int:
    if answered.refused is None:
        return 200
    code = answered.refused.code
    return 200 if media_type == JSON and code.number in DOCUMENT_CODES else code.status


def _is_of(answered: Answered, code: Code) -> bool:
    return answered.refused is not None and answered.refused.code is code
