"""One request on its way: the id it is known by, and what it may take of its client's quotas."""

from __future__ import annotations

from hub.audit.model import ClientId
from hub.facts.model import Question
from hub.facts.service import Inquiry
from hub.kernel.errors import Problem
from hub.kernel.ids import new_id
from hub.quotas.model import Decision, headers_after
from hub.quotas.service import QuotaService

REQUEST_ID = b"hub-request-id"


class Errand:
    """What a request's answer tells of it besides data and errors."""

    __slots__ = ("_decisions", "_id", "_quotas", "_roots")

    def __init__(self, quotas: QuotaService) -> None:
        self._quotas = quotas
        self._decisions: list[Decision] = []
        self._id: str | None = None
        self._roots = 0

    def known_as(self) -> str:
        """The id under which client, hub and agencies log the request.

        It is the inquiry's, which the log of look-ups keeps, agencies are sent and the receipt seals as
        ``jti``; where no inquiry has begun, one of its own.
        """
        if self._id is None:
            self._id = str(new_id())
        return self._id

    async def admit(self, client: ClientId) -> Problem | None:
        """Why the client may not ask now at all. Raises HubError(STORE_UNAVAILABLE)."""
        return self._noted(await self._quotas.admit(client))

    async def take(self, client: ClientId, question: Question) -> Problem | None:
        """Why the client may not ask this now; else it has been counted. Raises as ``admit``."""
        return self._noted(await self._quotas.take(client, len(question.roots), question.fields))

    def begin(self, inquiry: Inquiry) -> None:
        """From now on the request is known as this inquiry."""
        self._id = inquiry.correlation
        self._roots = len(inquiry.trail.commitments)

    def end(self, inquiry: Inquiry) -> None:
        """Counts the subjects that the inquiry has met on the way."""
        met = len(inquiry.trail.commitments) - self._roots
        if met:
            self._quotas.charge(inquiry.purpose.client, met, inquiry.permit.fields)

    def headers(self) -> dict[bytes, bytes]:
        """The request's id, and where its client stands (``RateLimit`` and what belongs to it)."""
        headers = headers_after(self._decisions)
        headers[REQUEST_ID] = self.known_as().encode()
        return headers

    def _noted(self, decision: Decision) -> Problem | None:
        self._decisions.append(decision)
        return decision.problem
