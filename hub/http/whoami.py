"""Tells a client who it is here, what it may read for which procedure until when, and what it has left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.audit.model import AgencyCode
from hub.catalogue.model import Label
from hub.catalogue.service import CatalogueService
from hub.clients.model import FACTS, Caller, Client
from hub.clients.service import ClientService
from hub.grants.model import Grant
from hub.grants.service import GrantService
from hub.http.problems import Problems
from hub.kernel.clock import Clock
from hub.kernel.errors import Code, HubError, Problem
from hub.procedures.service import ProcedureService
from hub.quotas.model import Decision, Standing, headers_after
from hub.quotas.service import QuotaService
from hub.texts import Language, Texts

WHOAMI_PATH = "/whoami"
NOT_KEPT = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Sources:
    """What is known of a client, by the slice that knows it. ``cost_limit``: of a client without its own."""

    clients: ClientService
    procedures: ProcedureService
    grants: GrantService
    quotas: QuotaService
    catalogue: CatalogueService
    clock: Clock
    cost_limit: int


def whoami_routes(sources: Sources, texts: Mapping[Language, Texts]) -> list[Route]:
    """``GET /whoami`` for any client with a token; it counts as a request, and nobody is looked up."""
    return [Route(WHOAMI_PATH, Introduction(sources, texts).answer)]


class Introduction:
    """Answers from what would decide the client's next question."""

    def __init__(self, sources: Sources, texts: Mapping[Language, Texts]) -> None:
        self._sources = sources
        self._problems = Problems(texts)

    async def answer(self, request: Request) -> Response:
        """The client's standing, or the numbered refusal that any other request would meet."""
        try:
            return await self._answer(request)
        except HubError as error:
            return self._refusal(request, error.problem)

    async def _answer(self, request: Request) -> Response:
        authorization = request.headers.get("authorization")
        caller = self._sources.clients.verify_bearer(authorization)
        if isinstance(caller, Problem):
            return self._refusal(request, caller)
        decision = await self._sources.quotas.admit(caller.client)
        if decision.problem:
            return self._refusal(request, decision.problem, decision)
        client = self._sources.clients.find(caller.client)
        if client is None:
            return self._refusal(request, Problem(Code.TOKEN_INVALID))
        ends = self._sources.clients.token_ends(authorization)
        body = msgspec.json.format(msgspec.json.encode(await self._told(caller, client, ends)), indent=2)
        return Response(
            body, headers=NOT_KEPT | _text(headers_after([decision])), media_type="application/json"
        )

    async def _told(self, caller: Caller, client: Client, ends: datetime | None) -> dict[str, Any]:
        grants = await self._sources.grants.of_client(caller.client)
        return {
            "client": caller.client,
            "name": client.name,
            "agencies": [self._agency(code) for code in sorted(client.agencies)],
            "scopes": sorted({FACTS, *caller.rights}),
            "token": {"until": _moment(ends)},
            "credentials": {"secrets": len(client.secrets), "keys": [key.get("kid") for key in client.keys]},
            "costLimit": caller.cost_limit or self._sources.cost_limit,
            "limits": [_limit(one) for one in self._sources.quotas.standings(caller.client)],
            "grants": [self._grant(one, caller) for one in grants],
        }

    def _agency(self, code: AgencyCode) -> dict[str, Any]:
        known = self._sources.catalogue.active.snapshot.agencies.get(code)
        return {"code": code, "name": _label(known.name if known else None)}

    def _grant(self, grant: Grant, caller: Caller) -> dict[str, Any]:
        """``state`` is why it counts or not: active, expired, or no longer delegated by its agency."""
        procedure = self._sources.procedures.find(grant.procedure)
        record = self._sources.catalogue.active.snapshot.records.get(grant.record)
        known = set(record.fields) if record else set()
        return {
            "agency": grant.agency,
            "procedure": {
                "code": grant.procedure,
                "name": _label(Label(procedure.name_zh, procedure.name_en) if procedure else None),
            },
            "record": {"code": grant.record, "name": _label(record.name if record else None)},
            "fields": sorted(grant.fields & known),
            "gone": sorted(grant.fields - known),
            "until": _moment(grant.until),
            "state": self._state(grant, caller),
        }

    def _state(self, grant: Grant, caller: Caller) -> str:
        if grant.until <= self._sources.clock.now():
            return "expired"
        return "active" if grant.agency in caller.agencies else "undelegated"

    def _refusal(self, request: Request, problem: Problem, decision: Decision | None = None) -> Response:
        return self._problems.answer(
            problem,
            accept_language=request.headers.get("accept-language"),
            headers=_text(headers_after([decision])) if decision else None,
        )


def _limit(standing: Standing) -> dict[str, Any]:
    return {
        "name": standing.measure.label,
        "record": standing.record,
        "unit": standing.measure.unit,
        "quota": standing.quota,
        "remaining": standing.remaining,
        "seconds": standing.seconds,
    }


def _label(label: Label | None) -> dict[str, str] | None:
    return None if label is None else {"zh": label.zh, "en": label.en}


def _moment(moment: datetime | None) -> str | None:
    return (
        None
        if moment is None
        else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    )


def _text(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers.items()}
