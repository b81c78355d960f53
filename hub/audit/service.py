"""Keeps the log of look-ups: who asks why about whom, before anybody is asked; the end, before it is told."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

import msgspec

from hub.audit import rules
from hub.audit.model import ClientId, InquiryId, LookedUp, LookUp, Purpose, Result, Search, SubjectKey
from hub.audit.store import Addition, AuditStore
from hub.kernel.clock import Clock
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.errors import Code, HubError
from hub.kernel.ids import new_id

SALT_BYTES = 32
MONTHS_AHEAD = 12
SCOPES_KEPT = 1_000


@dataclass(slots=True)
class Trail:
    """One look-up while its request lasts: its id, and the commitment (hexadecimal) of everyone.

    A subject stands in ``commitments``, and may be asked about, only when its entry is durable.
    """

    inquiry: InquiryId
    commitments: dict[SubjectKey, str] = field(default_factory=dict, repr=False)


class AuditService:
    """Writes the log with the serving role. Identifiers end here: what is stored is keyed or salted."""

    def __init__(self, store: AuditStore, pseudonyms: Pseudonyms, clock: Clock) -> None:
        self._store = store
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._scopes: dict[int, tuple[object, msgspec.Raw]] = {}

    async def record_intent(
        self,
        purpose: Purpose,
        operation: bytes,
        fields: Mapping[rules.Record, Iterable[str]],
        roots: Iterable[SubjectKey],
    ) -> Trail:
        """Makes a look-up durable before any agency is asked; ``operation`` is a digest, never the text.

        Raises HubError(LOG_UNAVAILABLE).
        """
        trail = Trail(InquiryId(new_id()))
        subjects, marks, commitments = self._committed(trail, roots)
        scope = self._scope(fields)
        entry = rules.intent_entry(trail.inquiry, self._clock.now(), purpose, operation, scope, commitments)
        addition = Addition(entry, marks, self._pseudonyms.version)
        await self._store.add(addition, Code.LOG_UNAVAILABLE, lambda: self._abandon(trail))
        trail.commitments.update(zip(subjects, commitments, strict=True))
        return trail

    async def add_subjects(self, trail: Trail, subjects: Iterable[SubjectKey]) -> None:
        """Makes the new ones of the subjects durable before their agency is asked; writes nothing for none.

        Raises HubError(LOG_UNAVAILABLE).
        """
        fresh, marks, commitments = self._committed(trail, subjects)
        if not fresh:
            return
        entry = rules.subjects_entry(new_id(), trail.inquiry, self._clock.now(), commitments)
        await self._store.add(Addition(entry, marks, self._pseudonyms.version), Code.LOG_UNAVAILABLE)
        trail.commitments.update(zip(fresh, commitments, strict=True))

    async def record_outcome(self, trail: Trail, looked_up: LookedUp) -> None:
        """Makes the end of a look-up durable before its answer leaves.

        Raises HubError(OUTCOME_UNRECORDED), also for a subject that was looked up without being in the trail.
        """
        try:
            commitments = [trail.commitments[subject] for subject in dict.fromkeys(looked_up.subjects)]
        except KeyError:
            raise HubError(Code.OUTCOME_UNRECORDED, state="a subject is not in the trail") from None
        entry = rules.outcome_entry(new_id(), trail.inquiry, self._clock.now(), looked_up, commitments)
        await self._store.add(Addition(entry), Code.OUTCOME_UNRECORDED)

    def _abandon(self, trail: Trail) -> None:
        """The caller went away while the intent was on its way into the log: nobody was asked."""
        looked_up = LookedUp(Result.ABANDONED, (), ())
        entry = rules.outcome_entry(new_id(), trail.inquiry, self._clock.now(), looked_up, ())
        self._store.add_unattended(Addition(entry))

    async def stop(self) -> None:
        """Returns when every entry so far is durable or has failed."""
        await self._store.settled()

    async def check(self) -> None:
        """Returns when an entry could be written now; else raises HubError, so nobody would be answered."""
        if not await self._store.is_writable(self._clock.now()):
            raise HubError(Code.LOG_UNAVAILABLE, state="no partition or no right to write")

    def _scope(self, fields: Mapping[rules.Record, Iterable[str]]) -> msgspec.Raw:
        """The questions of one plan share their fields, so that they are written out once."""
        known = self._scopes.get(id(fields))
        if known is None or known[0] is not fields:
            if len(self._scopes) == SCOPES_KEPT:
                self._scopes.clear()
            known = self._scopes[id(fields)] = fields, rules.scope_content(fields)
        return known[1]

    def _committed(
        self, trail: Trail, subjects: Iterable[SubjectKey]
    ) -> tuple[list[SubjectKey], bytes, list[str]]:
        """Those who are new, what finds and opens their commitments (pseudonym and salt), and these."""
        keys = [key for key in dict.fromkeys(subjects) if key not in trail.commitments]
        random = secrets.token_bytes(SALT_BYTES * len(keys))
        salts = [random[start : start + SALT_BYTES] for start in range(0, len(random), SALT_BYTES)]
        pseudonyms = self._pseudonyms.of_each(keys)
        marks = b"".join(chain.from_iterable(zip(pseudonyms, salts, strict=True)))
        return keys, marks, rules.commitments_to(pseudonyms, salts)


class LogReader:
    """Lists look-ups for those who check. ``pseudonyms`` has one for each key version still in the log."""

    def __init__(self, store: AuditStore, pseudonyms: Sequence[Pseudonyms]) -> None:
        self._store = store
        self._pseudonyms = pseudonyms

    async def look_ups(
        self,
        limit: int,
        *,
        subject: SubjectKey | None = None,
        client: ClientId | None = None,
        since: datetime | None = None,
    ) -> list[LookUp]:
        """The newest look-ups, at most ``limit``: about a subject, by a client, since a time, where given."""
        names = None
        if subject is not None:
            names = tuple(version.of(*subject) for version in self._pseudonyms)
        return await self._store.find(Search(limit, client, since, pseudonyms=names))

    async def look_up(self, inquiry: InquiryId) -> LookUp | None:
        """One look-up by its id, which is the ``jti`` of its receipt."""
        found = await self._store.find(Search(1, inquiry=inquiry))
        return found[0] if found else None


class LogUpkeep:
    """Keeps months ahead ready to be written; works with the owner's store, as the serving role may not."""

    def __init__(self, store: AuditStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def make_months(self, ahead: int = MONTHS_AHEAD) -> int:
        """Makes the partitions of this month and ``ahead`` more; returns how many tables were missing."""
        return await self._store.make_partitions(self._clock.now().date(), 1 + ahead)
