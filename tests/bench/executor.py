"""The executor alone: document, plan, fetches, shape and one encode; no permit, seal, log or HTTP's rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from hub.audit.model import (
    Actor,
    ActorKind,
    AgencyCode,
    CaseReference,
    ClientId,
    InquiryId,
    ProcedureCode,
    Purpose,
)
from hub.audit.service import Trail
from hub.catalogue.service import Active
from hub.facts.model import Need
from hub.facts.service import Inquiry
from hub.grants.model import Permit
from hub.texts import Language, load_texts
from hub.wiring import Hub
from schema.execution.run import Request, Run
from schema.faults import Words

NOBODY = InquiryId(UUID(int=0))
PURPOSE = Purpose(
    ClientId(""), AgencyCode(""), ProcedureCode(""), CaseReference(""), Actor(ActorKind.OFFICER, ""), ()
)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Posted(msgspec.Struct):
    """What is read of a request."""

    query: str
    variables: dict[str, Any]


class Unchecked(Inquiry):
    """An inquiry that asks the agencies as the product does, but was never permitted and is not logged."""

    def _require_permitted(self, need: Need) -> None:
        """Everything is."""

    async def _log_subjects(self, wave: Sequence[Need]) -> None:
        """Nobody is."""


class Executor:
    """A bare ASGI callable around the product's execution, as the floor is one around its statements."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.answering = hub.answering
        self.words = Words({language: load_texts(language) for language in Language}, Language.EN)
        self.decode = msgspec.json.Decoder(Posted).decode
        self.encode = msgspec.json.Encoder().encode

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One request, or the life span."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        answer = self.encode(await self._answer(self.decode(body))) if body else b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, posted: Posted) -> Mapping[str, Any]:
        contract, active = self.answering.contract()
        document: Any = contract.documents.read(posted.query)
        operation = document.operation(None)
        ready: Any = contract.prepared(document, operation).ready(posted.variables)
        request = Request(posted.query, None, posted.variables, {})
        run = Run(contract, document, request, ready, self.words, self.answering.detours)
        return await run.body(self._inquiry(active), self.answering.regions)

    def _inquiry(self, active: Active) -> Inquiry:
        facts = self.answering.facts
        deadline = facts.clock.monotonic() + facts.patience
        return Unchecked(facts, Trail(NOBODY), PURPOSE, Permit({}), active, deadline)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.hub.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
