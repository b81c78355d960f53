"""Gives permits from the grants in force, and takes grants in and back."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import TypeVar

import msgspec

from hub.audit.model import AgencyCode, ClientId, ProcedureCode, Purpose
from hub.catalogue.model import RecordCode
from hub.grants import rules
from hub.grants.model import Grant, Permit
from hub.grants.store import GrantStore
from hub.kernel.clock import Clock
from hub.kernel.errors import HubError, Problem

CHANNEL = "grants"
REMEMBERED = 10_000  # combinations of client, agency and procedure
PERMITS_REMEMBERED = 1_000

Key = tuple[ClientId, AgencyCode, ProcedureCode]
Asked = tuple[ClientId, AgencyCode, ProcedureCode, int]
"""Who asks for whom, and the identity of the asked fields: it finds a permit, and proves nothing."""

Place = TypeVar("Place")
Value = TypeVar("Value")


class Given(msgspec.Struct, frozen=True):
    """A permit, the catalogue's records that it was given by, and when the first grant behind it ends."""

    permit: Permit
    records: rules.Records
    until: datetime

    def holds(self, fields: rules.Fields, records: rules.Records, now: datetime) -> bool:
        """Whether it answers this question now as well."""
        return self.records is records and now < self.until and self.permit.fields == fields


class GrantService:
    """Remembers the grants of each (client, agency, procedure), and permits, until any grant changes.

    A permit is given again only for the same fields, before any of its grants has ended.
    """

    def __init__(self, store: GrantStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: OrderedDict[Key, tuple[Grant, ...]] = OrderedDict()
        self._given: OrderedDict[Asked, Given] = OrderedDict()

    async def start(self) -> None:
        """Follows changes: a revoked grant counts no more within a second in every worker."""
        await self._store.database.listen(CHANNEL, lambda _payload: self._forget())

    async def decide(
        self, purpose: Purpose, fields: rules.Fields, records: rules.Records
    ) -> Permit | Problem:
        """As ``rules.decide`` with the grants in force now. Raises HubError(STORE_UNAVAILABLE)."""
        asked = (purpose.client, purpose.agency, purpose.procedure, id(fields))
        known = self._given.get(asked)
        if known is not None and known.holds(fields, records, self._clock.now()):
            return known.permit
        return await self._decide(asked, purpose, fields, records)

    async def of_client(self, client: ClientId) -> tuple[Grant, ...]:
        """All grants of a client, read now, expired ones too. Raises HubError(STORE_UNAVAILABLE)."""
        return await self._store.of_client(client)

    async def put(self, grant: Grant, records: rules.Records) -> None:
        """Makes one grant; see ``put_all``."""
        await self.put_all((grant,), records)

    async def put_all(self, grants: tuple[Grant, ...], records: rules.Records) -> None:
        """Makes grants, each replacing the one for the same client, agency, procedure and record.

        Needs the owner's connection; client and procedure must exist. Raises HubError when a grant
        names what the catalogue's ``records`` lack or may not share; then none is made.
        """
        for grant in grants:
            mistake = rules.grant_mistake(grant, records)
            if mistake:
                raise HubError(mistake.code, **mistake.detail)
        await self._store.put(grants)

    async def revoke(
        self, client: ClientId, agency: AgencyCode, procedure: ProcedureCode, record: RecordCode
    ) -> bool:
        """Takes one grant back; False: there was none. Needs the owner's connection."""
        return await self._store.revoke(client, agency, procedure, record)

    async def _decide(
        self, asked: Asked, purpose: Purpose, fields: rules.Fields, records: rules.Records
    ) -> Permit | Problem:
        given = self._given  # of before the reading, as in ``_grants``
        grants = await self._grants(asked[:3])
        now = self._clock.now()
        decided = rules.decide(purpose, fields, grants, records, now)
        if isinstance(decided, Permit):
            _keep(given, asked, Given(decided, records, rules.first_end(grants, now)), PERMITS_REMEMBERED)
        return decided

    async def _grants(self, key: Key) -> tuple[Grant, ...]:
        known = self._known
        grants = known.get(key)
        if grants is None:
            grants = await self._store.read(*key)
            _keep(known, key, grants, REMEMBERED)  # of before the reading: a change meanwhile replaced it
        return grants

    def _forget(self) -> None:
        self._known, self._given = OrderedDict(), OrderedDict()


def _keep(kept: OrderedDict[Place, Value], place: Place, value: Value, most: int) -> None:
    kept[place] = value
    if len(kept) > most:
        kept.popitem(last=False)
