"""The way of one question: permit and intent, then waves of fetches, then seal and outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from connectors.contract import Answer, Ask, Fault, Outcome, Tell, Telling
from hub.audit.model import LookedUp, Purpose, Result, SourceUse
from hub.audit.rules import period
from hub.audit.service import AuditService, Trail
from hub.catalogue.model import FieldCode, Supply
from hub.catalogue.service import Active
from hub.evidence.model import Sealed
from hub.evidence.service import ReceiptService
from hub.facts.model import Need, Question, Sourced
from hub.facts.rules import tally
from hub.grants.model import Permit
from hub.grants.service import GrantService
from hub.kernel.clock import Clock
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.trace import UNTRACED, Tracing
from hub.subjects.model import Subject

MAX_LOOKED_UP = 5_000
"""Distinct subjects of one inquiry, those met on the way included."""

NOTHING: frozenset[FieldCode] = frozenset()
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
        tracing: Tracing = UNTRACED,
    ) -> None:
        """``patience``: seconds a request may take from its beginning, for all its waves together."""
        self.grants = grants
        self.audit = audit
        self.receipts = receipts
        self.clock = clock
        self.patience = patience
        self.tracing = tracing

    async def begin(self, purpose: Purpose, question: Question, active: Active) -> Inquiry | Problem:
        """Permit, then the durable intent; a refusal leaves no trace of an inquiry and asks nobody.

        Raises HubError(LOG_UNAVAILABLE) when the intent cannot be written.
        """
        deadline = self.clock.monotonic() + self.patience
        with self.tracing.span("permit"):
            permit = await self.grants.decide(purpose, question.fields, active.snapshot.records)
        if isinstance(permit, Problem):
            return permit
        with self.tracing.span("log"):
            trail = await self.audit.record_intent(purpose, question.digest, question.fields, question.roots)
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
        self.correlation = str(self.id)

    async def fetch(self, wave: Sequence[Need]) -> list[Sourced]:
        """Asks the agencies, all in parallel; subjects that are new are in the durable log before.

        Raises HubError(LOG_UNAVAILABLE) when they cannot be written; an agency's failure is a fault in
        its answer, never an exception.
        """
        self._require_permitted(wave)
        groups = {id(need.subjects): need.subjects for need in wave}  # many ask about the very same
        await self._log_subjects(groups.values())
        began = self.service.clock.now()
        keys = {group: tuple([value for _, value in subjects]) for group, subjects in groups.items()}
        supplies = self.active.snapshot.supplies
        found = [supplies.get((need.record, need.key)) for need in wave]
        answers = await _all_of(
            [
                None if supply is None else self._ask(need, supply, keys[id(need.subjects)])
                for need, supply in zip(wave, found, strict=True)
            ]
        )
        sourced = [
            Sourced(None, {}, dict.fromkeys(keys[id(need.subjects)], NOBODY), None, began)
            if answer is None
            else Sourced(supply, answer.rows, answer.faults, answer.as_of, answer.fetched_at or began)
            for need, supply, answer in zip(wave, found, answers, strict=True)
        ]
        self.ledger.waves.append((wave, sourced))
        return sourced

    async def finish(self, request: Mapping[str, Any], response: Mapping[str, Any]) -> Sealed:
        """Seals the answer, then makes the outcome durable; only then may the answer leave.

        Raises HubError(OUTCOME_UNRECORDED) when it cannot be written.
        """
        sources = self.ledger.sources()
        with self.service.tracing.span("seal"):
            sealed = self.service.receipts.seal(request, response, self.purpose, sources, self.id)
        looked_up = LookedUp(
            Result.ANSWERED,
            tuple(self.ledger.subjects()),
            sources,
            sealed.receipt_digest,
            sealed.response_digest,
        )
        with self.service.tracing.span("log"):
            await self.service.audit.record_outcome(self.trail, looked_up)
        return sealed

    async def give_up(self, result: Result) -> None:
        """Makes durable that no answer left: the hub failed in the middle, or the caller went away."""
        looked_up = LookedUp(result, tuple(self.ledger.subjects()), self.ledger.sources())
        await self.service.audit.record_outcome(self.trail, looked_up)

    def _require_permitted(self, wave: Sequence[Need]) -> None:
        for need in wave:
            if not self.permit.fields.get(need.record, NOTHING).issuperset(need.columns):
                raise PermissionError(f"{need.record}: columns beyond the permit")

    async def _log_subjects(self, groups: Iterable[tuple[Subject, ...]]) -> None:
        subjects = dict.fromkeys(chain.from_iterable(groups))
        new = subjects.keys() - self.trail.commitments.keys()
        if not new:
            return
        if len(self.trail.commitments) + len(new) > MAX_LOOKED_UP:
            raise HubError(Code.DOCUMENT_TOO_LARGE, limit="subjects", maximum=str(MAX_LOOKED_UP))
        with self.service.tracing.span("log", count=len(new)):
            await self.service.audit.add_subjects(self.trail, subjects)

    def _ask(self, need: Need, supply: Supply, keys: tuple[str, ...]) -> Awaitable[Answer]:
        self.ledger.asked.append(need.subjects)
        offering = supply.offering
        tellings = () if offering.tell is Tell.NONE else _tellings(offering.tell, self.purpose, len(keys))
        ask = Ask(offering.name, keys, need.columns, tellings, self.deadline, self.correlation)
        fetch, tracing = self.active.connectors[supply.connector].fetch, self.service.tracing
        if tracing is UNTRACED:  # as it would do itself; there are many asks
            return fetch(ask)
        return tracing.within(
            "fetch", fetch, ask, record=need.record, connector=supply.connector, count=len(keys)
        )


async def _all_of(asked: Iterable[Awaitable[Answer] | None]) -> list[Answer | None]:
    """What comes of all of them; whoever gives up waiting gives all of them up."""
    answers = [
        one if one is None or isinstance(one, asyncio.Future) else asyncio.ensure_future(one) for one in asked
    ]
    try:
        return [None if answer is None else await answer for answer in answers]
    except BaseException:
        for answer in answers:
            if answer is not None:
                answer.cancel()
        raise


class Ledger:
    """Whom an inquiry has asked about, from the moment of asking, and what came of it, by supply."""

    def __init__(self) -> None:
        self.asked: list[tuple[Subject, ...]] = []
        self.waves: list[tuple[Sequence[Need], Sequence[Sourced]]] = []

    def subjects(self) -> dict[Subject, None]:
        """Everyone whom an agency was asked about."""
        different = {id(group): group for group in self.asked}
        return dict.fromkeys(chain.from_iterable(different.values()))

    def sources(self) -> tuple[SourceUse, ...]:
        """One for each record and key that an agency was asked by, in their order."""
        entries: dict[tuple[str, str], list[tuple[Supply, Sourced]]] = {}
        for wave, answers in self.waves:
            for need, sourced in zip(wave, answers, strict=True):
                if sourced.supply is not None:
                    entries.setdefault(need[:2], []).append((sourced.supply, sourced))
        return tuple([_use(*at, entries[at]) for at in sorted(entries)])


def _use(record: str, key: str, entries: Sequence[tuple[Supply, Sourced]]) -> SourceUse:
    supply = entries[0][0]
    moments = [sourced.as_of for _, sourced in entries if sourced.as_of is not None]
    span = period(min(moments), max(moments)) if moments else None
    counts = tally([sourced for _, sourced in entries])
    return SourceUse(record, key, supply.connector, supply.version, counts, span)


def _tellings(tell: Tell, purpose: Purpose, keys: int) -> tuple[Telling, ...]:
    if tell is Tell.NONE:
        return ()
    told = Telling(purpose.client, purpose.agency, purpose.procedure, purpose.case, purpose.actor.account)
    return (told,) * (keys if tell is Tell.PER_KEY else 1)
