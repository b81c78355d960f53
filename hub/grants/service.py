"""Gives permits from the grants in force, and takes grants in and back."""

from __future__ import annotations

from collections import OrderedDict

from hub.audit.model import AgencyCode, ClientId, ProcedureCode, Purpose
from hub.catalogue.model import RecordCode
from hub.grants import rules
from hub.grants.model import Grant, Permit
from hub.grants.store import GrantStore
from hub.kernel.clock import Clock
from hub.kernel.errors import HubError, Problem

CHANNEL = "grants"
REMEMBERED = 10_000  # combinations of client, agency and procedure

Key = tuple[ClientId, AgencyCode, ProcedureCode]


class GrantService:
    """Remembers the grants of each (client, agency, procedure) until any grant changes."""

    def __init__(self, store: GrantStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: OrderedDict[Key, tuple[Grant, ...]] = OrderedDict()

    async def start(self) -> None:
        """Follows changes: a revoked grant counts no more within a second in every worker."""
        await self._store.database.listen(CHANNEL, lambda _payload: self._forget())

    async def decide(
        self, purpose: Purpose, fields: rules.Fields, records: rules.Records
    ) -> Permit | Problem:
        """As ``rules.decide`` with the grants in force now. Raises HubError(STORE_UNAVAILABLE)."""
        grants = await self._grants((purpose.client, purpose.agency, purpose.procedure))
        return rules.decide(purpose, fields, grants, records, self._clock.now())

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

    async def _grants(self, key: Key) -> tuple[Grant, ...]:
        known = self._known
        grants = known.get(key)
        if grants is None:
            grants = await self._store.read(*key)
            known[key] = grants  # the dict of before the reading: a change meanwhile replaced it
            if len(known) > REMEMBERED:
                known.popitem(last=False)
        return grants

    def _forget(self) -> None:
        self._known = OrderedDict()
