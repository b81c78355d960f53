"""The way of one question: permit and intent, then waves of fetches, then seal and outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from connectors.contract import Answer, Ask, Connector, Fault, Outcome, Row, Tell, Telling
from hub.audit.model import LookedUp, Purpose, Result, SourceUse
from hub.audit.service import AuditService, Trail
from hub.catalogue.model import Supply
from hub.catalogue.service import Active
from hub.evidence.model import Sealed
from hub.evidence.service import ReceiptService
from hub.facts.model import Need, Question, Sourced
from hub.facts.rules import batches, tally
from hub.grants.model import Permit
from hub.grants.service import GrantService
from hub.kernel.clock import Clock
from hub.kernel.errors import Code, HubError, Problem
from hub.subjects.model import Subject

MAX_SUBJECTS = 5_000
"""Distinct subjects of one inquiry, those met on the way included."""

Came = TypeVar("Came")

NOBODY = Fault(Outcome.UNAVAILABLE, "no_offering")


class FactService:
    """Begins inquiries: nobody is asked before the permit is given and the intent is durable."""

    def __init__(
        self,
        grants: GrantService,
        audit: AuditService,
        receipts: ReceiptService,
        clock: Clock,
        patience: float,
    ) -> None:
        """``patience``: seconds a request may take from its beginning, for all its waves together."""
        self.grants = grants
        self.audit = audit
        self.receipts = receipts
        self.clock = clock
        self.patience = patience

    async def begin(self, purpose: Purpose, question: Question, active: Active) -> Inquiry | Problem:
        """Permit, then the durable intent; a refusal leaves no trace of an inquiry and asks nobody.

        Raises HubError(LOG_UNAVAILABLE) when the intent cannot be written.
        """
        deadline = self.clock.monotonic() + self.patience
        permit = await self.grants.decide(purpose, question.fields, active.snapshot.records)
        if isinstance(permit, Problem):
            return permit
        fields = {str(record): codes for record, codes in question.fields.items()}
        trail = await self.audit.record_intent(purpose, question.digest, fields, question.roots)
        return Inquiry(self, trail, purpose, permit, active, deadline)


class Inquiry:
    """One request's look-ups, from its durable intent to its durable outcome."""

    def __init__(
        self,
        service: FactService,
        trail: Trail,
        purpose: Purpose,
        permit: Permit,
        active: Active,
        deadline: float,
    ) -> None:
        self.service = service
        self.trail = trail
        self.id = trail.inquiry
        self.purpose = purpose
        self.permit = permit
        self.active = active
        self.deadline = deadline
        self.ledger = Ledger()

    async def fetch(self, wave: Sequence[Need]) -> tuple[Sourced, ...]:
        """Asks the agencies, all in parallel; subjects that are new are in the durable log before.

        Raises HubError(LOG_UNAVAILABLE) when they cannot be written; an agency's failure is a fault in
        its answer, never an exception.
        """
        for need in wave:
            self._require_permitted(need)
        await self._log_subjects(wave)
        return tuple(await together([self._answer(need) for need in wave]))

    async def finish(self, request: Mapping[str, Any], response: Mapping[str, Any]) -> Sealed:
        """Seals the answer, then makes the outcome durable; only then may the answer leave.

        Raises HubError(OUTCOME_UNRECORDED) when it cannot be written.
        """
        sources = self.ledger.sources()
        sealed = self.service.receipts.seal(request, response, self.purpose, sources, self.id)
        looked_up = LookedUp(
            Result.ANSWERED,
            tuple(self.ledger.subjects),
            sources,
            sealed.receipt_digest,
            sealed.response_digest,
        )
        await self.service.audit.record_outcome(self.trail, looked_up)
        return sealed

    async def give_up(self, result: Result) -> None:
        """Makes durable that no answer left: the hub failed in the middle, or the caller went away."""
        looked_up = LookedUp(result, tuple(self.ledger.subjects), self.ledger.sources())
        await self.service.audit.record_outcome(self.trail, looked_up)

    def _require_permitted(self, need: Need) -> None:
        permitted = self.permit.fields.get(need.record, frozenset())
        if not permitted.issuperset(need.columns):
            raise PermissionError(f"{need.record}: columns beyond the permit")

    async def _log_subjects(self, wave: Sequence[Need]) -> None:
        subjects = dict.fromkeys(subject for need in wave for subject in need.subjects)
        new = sum((subject.scheme, subject.value) not in self.trail.commitments for subject in subjects)
        if len(self.trail.commitments) + new > MAX_SUBJECTS:
            raise HubError(Code.DOCUMENT_TOO_LARGE, limit="subjects", maximum=str(MAX_SUBJECTS))
        await self.service.audit.add_subjects(self.trail, subjects)

    async def _answer(self, need: Need) -> Sourced:
        supply = self.active.snapshot.supplies.get((need.record, need.key))
        if supply is None:
            sourced = self._nobody(need)
        else:
            sourced = await self._ask(need, supply, self.active.connectors[supply.connector])
        self.ledger.enter(need, sourced)
        return sourced

    def _nobody(self, need: Need) -> Sourced:
        faults = {subject.value: NOBODY for subject in need.subjects}
        return Sourced(None, {}, faults, None, self.service.clock.now())

    async def _ask(self, need: Need, supply: Supply, connector: Connector) -> Sourced:
        fetched_at = self.service.clock.now()
        keys = list(dict.fromkeys(subject.value for subject in need.subjects))
        asks = [self._batch(supply, batch, need.columns) for batch in batches(keys, supply.offering.batch)]
        return _merged(supply, await together([connector.fetch(ask) for ask in asks]), fetched_at)

    def _batch(self, supply: Supply, keys: Sequence[str], columns: Sequence[str]) -> Ask:
        return Ask(
            supply.offering.name,
            tuple(keys),
            tuple(columns),
            _tellings(supply.offering.tell, self.purpose, len(keys)),
            self.deadline,
            str(self.id),
        )


async def together(waiting: Sequence[Coroutine[Any, Any, Came]]) -> Sequence[Came]:
    """All at the same time; a single one, which is the common case, without a task of its own."""
    if len(waiting) == 1:
        return (await waiting[0],)
    return await asyncio.gather(*waiting)


class Ledger:
    """What an inquiry has looked up so far, by supply."""

    def __init__(self) -> None:
        self.subjects: dict[Subject, None] = {}
        self.entries: dict[tuple[str, str], list[tuple[Supply, Sourced]]] = {}

    def enter(self, need: Need, sourced: Sourced) -> None:
        if sourced.supply is None:
            return
        self.subjects.update(dict.fromkeys(need.subjects))
        self.entries.setdefault((need.record, need.key), []).append((sourced.supply, sourced))

    def sources(self) -> tuple[SourceUse, ...]:
        """One for each record and key that an agency was asked by, in their order."""
        return tuple(
            _use(*at, entries) for at, entries in sorted(self.entries.items(), key=lambda item: item[0])
        )


def _use(record: str, key: str, entries: Sequence[tuple[Supply, Sourced]]) -> SourceUse:
    supply = entries[0][0]
    moments = [sourced.as_of for _, sourced in entries if sourced.as_of is not None]
    outcomes = [outcome for _, sourced in entries for outcome in _outcomes(sourced)]
    return SourceUse(
        record,
        key,
        supply.connector,
        supply.version,
        tally(outcomes),
        min(moments, default=None),
        max(moments, default=None),
    )


def _outcomes(sourced: Sourced) -> list[str]:
    found = [Outcome.FOUND if rows else Outcome.ABSENT for rows in sourced.rows.values()]
    return [outcome.value for outcome in (*found, *(fault.outcome for fault in sourced.faults.values()))]


def _tellings(tell: Tell, purpose: Purpose, keys: int) -> tuple[Telling, ...]:
    told = Telling(purpose.client, purpose.agency, purpose.procedure, purpose.case, purpose.actor.account)
    return (told,) * {Tell.NONE: 0, Tell.PER_CALL: 1, Tell.PER_KEY: keys}[tell]


def _merged(supply: Supply, answers: Sequence[Answer], fetched_at: datetime) -> Sourced:
    rows: dict[str, tuple[Row, ...]] = {}
    faults: dict[str, Fault] = {}
    for answer in answers:
        rows.update(answer.rows)
        faults.update(answer.faults)
    moments = [answer.as_of for answer in answers if answer.as_of is not None]
    kept = [answer.fetched_at for answer in answers if answer.fetched_at is not None]
    return Sourced(supply, rows, faults, min(moments, default=None), min(kept, default=fetched_at))
