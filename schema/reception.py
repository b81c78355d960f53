"""Receives one question over HTTP: who asks and why, which document it names, and the answer to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.types import Receive, Scope, Send

from hub.audit.model import Purpose
from hub.audit.rules import stated_purpose
from hub.clients.model import INTROSPECT, Caller
from hub.clients.service import ClientService
from hub.documents.rules import choose
from hub.documents.service import DocumentService
from hub.http.presence import Presence
from hub.http.problems import language_of, problem_headers
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.log import CONCERNING, get_log
from hub.kernel.trace import Tracing
from hub.procedures.service import ProcedureService
from hub.quotas.service import QuotaService
from hub.subjects.rules import resident_id
from hub.texts import Language, Texts
from schema.errand import Errand
from schema.execution.run import Answered, Answering, Asker, Request, refusal
from schema.faults import Words
from schema.incoming import Headers, Incoming, header, headers_of

SAFE = "GET"
REQUEST_SPAN = "request"
ENCODER: Final = msgspec.json.Encoder()


class Visit(msgspec.Struct, frozen=True):
    """One HTTP request as far as its head tells, and how its body comes."""

    scope: Scope
    headers: Headers
    words: Words
    receive: Receive
    errand: Errand


Read = Callable[[Visit], Awaitable[Incoming | Problem]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the operator allows: bytes of a body, cost of a question, and whether any document is answered."""

    largest_body: int
    cost_limit: int
    only_trusted: bool


class Reception:
    """The narrator of a question, from its token to its answer."""

    def __init__(
        self,
        answering: Answering,
        clients: ClientService,
        procedures: ProcedureService,
        documents: DocumentService,
        texts: Mapping[Language, Texts],
        bounds: Bounds,
        quotas: QuotaService,
        tracing: Tracing,
    ) -> None:
        self.answering = answering
        self.clients = clients
        self.procedures = procedures
        self.documents = documents
        self.words = {language: Words(texts, language) for language in Language}
        self.bounds = bounds
        self.quotas = quotas
        self.tracing = tracing

    def visit(self, scope: Scope, receive: Receive) -> Visit:
        """The request whose connection this is."""
        headers = headers_of(scope["headers"])
        language = language_of(header(headers, b"accept-language"))
        return Visit(scope, headers, self.words[language], receive, Errand(self.quotas))

    async def answer(self, visit: Visit, read: Read) -> Answered | None:
        """The answer to what ``read`` reads, or the numbered refusal; None when the client went away."""
        running = CONCERNING.set(visit.errand.known_as)
        try:
            with self.tracing.request(REQUEST_SPAN, visit.headers):
                answered = await self._answer(visit, read)
                refused = answered.refused.code.label if answered and answered.refused else ""
                self.tracing.note(inquiry=visit.errand.known_as(), code=refused)
                return answered
        finally:
            CONCERNING.reset(running)

    def caller(self, headers: Headers) -> Caller | Problem:
        """Whose bearer token the request carries (RFC 6750)."""
        return self.clients.verify_bearer(header(headers, b"authorization"))

    async def _answer(self, visit: Visit, read: Read) -> Answered | None:
        try:
            caller = self.caller(visit.headers)
            if isinstance(caller, Problem):
                return refusal(visit.words, caller)
            excess = await visit.errand.admit(caller.client)
            if excess:
                return refusal(visit.words, excess)
            answered = await self._answer_to(caller, visit, read)
            if answered and answered.refused:
                code = answered.refused.code.label
                get_log().info("request_refused", client=caller.client, code=code)
            return answered
        except HubError as error:
            return refusal(visit.words, error.problem)
        except Exception:  # noqa: BLE001  the edge: whatever broke, the client gets a numbered answer
            get_log().exception(
                "request_failed"
            )  # the id and the frames tell where; a path may name anything
            return refusal(visit.words, Problem(Code.INTERNAL))

    async def _answer_to(self, caller: Caller, visit: Visit, read: Read) -> Answered | None:
        incoming = await read(visit)
        if isinstance(incoming, Problem):
            return refusal(visit.words, incoming)
        request = self._request(visit, incoming)
        if isinstance(request, Problem):
            return refusal(visit.words, request)
        presence = Presence(visit.receive)
        asker = Asker(
            INTROSPECT in caller.rights,
            self._purpose(visit, incoming, caller),
            visit.words,
            caller.cost_limit or self.bounds.cost_limit,
            presence,
            visit.errand,
        )
        try:
            return await self.answering.answer(request, asker)
        except asyncio.CancelledError:
            if presence.explains_cancellation():
                return None
            raise

    def _request(self, visit: Visit, incoming: Incoming) -> Request | Problem:
        only_trusted = self.bounds.only_trusted
        trusted = self.documents.trusted
        chosen = choose(trusted, incoming.query, incoming.document_id, only_trusted=only_trusted)
        if isinstance(chosen, Problem):
            return chosen
        return Request(
            chosen.text,
            incoming.operation_name,
            incoming.variables,
            incoming.members,
            chosen.trusted,
            visit.scope["method"] == SAFE,
        )

    def _purpose(self, visit: Visit, incoming: Incoming, caller: Caller) -> Purpose | Problem:
        stated = incoming.extensions.get("purpose")
        raw = visit.scope["headers"]
        purpose = stated_purpose(stated, raw, caller.client, caller.agencies, resident_id)
        if isinstance(purpose, Purpose) and self.procedures.find(purpose.procedure) is None:
            return Problem(Code.PROCEDURE_UNKNOWN)
        return purpose


async def respond(
    send: Send, answered: Answered, status: int, media_type: str, more: Mapping[bytes, bytes]
) -> None:
    """Sends an answer with the headers of its refusal, its cost, and those in ``more``."""
    body = ENCODER.encode(answered.body)
    headers = {b"cache-control": b"no-store", b"vary": b"Accept, Accept-Language"}
    if answered.refused:
        headers = _refusal_headers(answered.refused) | headers
    if answered.cost is not None:
        headers[b"hub-cost"] = str(answered.cost).encode()
    headers[b"content-type"] = f"{media_type}; charset=utf-8".encode()
    headers[b"content-length"] = str(len(body)).encode()
    headers |= more
    await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": body})


def _refusal_headers(problem: Problem) -> dict[bytes, bytes]:
    return {name.lower().encode(): value.encode() for name, value in problem_headers(problem.code).items()}
