"""Keeps the catalogue: brings connectors into service, and swaps one immutable serving state for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import Protocol

import msgspec

from connectors.contract import Answer, Ask, Connector, Fault, Offering, Outcome
from hub.audit.model import AgencyCode
from hub.catalogue import rules
from hub.catalogue.model import (
    Agency,
    ConnectorId,
    Officer,
    RecordCode,
    RecordType,
    Snapshot,
    State,
    Step,
    Supply,
    Version,
)
from hub.catalogue.store import CatalogueStore, Changes, ConnectorRow
from hub.kernel.clock import Clock
from hub.kernel.crypto.canonical import canonical
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.log import get_log
from hub.kernel.watch import Watched

CHANNEL = "catalogue"
MAINTENANCE = "maintenance"  # a kind of fault
POLL_SECONDS = 5.0  # in case a notice is lost

Credentials = Mapping[str, str]  # slot name -> secret


class Seal(Protocol):
    """Encrypts what is stored; ``context`` binds the ciphertext to its place."""

    def seal(self, plain: bytes, context: bytes) -> bytes: ...
    def open(self, sealed: bytes, context: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Active:
    """The serving state: the snapshot and the live connectors that its supplies name."""

    snapshot: Snapshot
    connectors: Mapping[ConnectorId, Connector]
    versions: Mapping[ConnectorId, int]


@dataclass(frozen=True, slots=True)
class Supplied:
    """The supplies of one live connector, and what they were found to fit."""

    version: int
    connector: Connector
    agency: Agency
    records: Mapping[RecordCode, RecordType | None]
    supplies: tuple[Supply, ...]

    def holds(
        self, version: int, connector: Connector, agency: Agency, records: Mapping[RecordCode, RecordType]
    ) -> bool:
        """Whether nothing of it has changed."""
        same = (self.version, self.agency) == (version, agency) and self.connector is connector
        return same and all(records.get(code) is record for code, record in self.records.items())


NOTHING = Active(
    Snapshot(0, MappingProxyType({}), MappingProxyType({}), MappingProxyType({})),
    MappingProxyType({}),
    MappingProxyType({}),
)


class CatalogueService:
    """Registers with the owner's store; serves ``active`` from memory, swapped whole on a change.

    ``connect`` opens a connector from a manifest's text and credentials; it raises
    HubError(MANIFEST_INVALID) for a manifest that does not hold. ``grace``: seconds for which a replaced
    connector still answers requests in flight.
    """

    def __init__(
        self,
        store: CatalogueStore,
        seal: Seal,
        connect: Callable[[str, Credentials], Connector],
        grace: float,
        clock: Clock,
    ) -> None:
        self.store = store
        self.clock = clock
        self.seal = seal
        self.connect = connect
        self.grace = grace
        self.closing: set[asyncio.Task[None]] = set()
        self.watched = Watched(store.database, CHANNEL, self._load, NOTHING, POLL_SECONDS)
        self.supplied: dict[ConnectorId, Supplied] = {}

    @property
    def active(self) -> Active:
        """The present state; hold on to it for the length of a request."""
        return self.watched.value

    async def start(self) -> None:
        """Reads the catalogue and follows its changes; raises HubError(STORE_UNAVAILABLE)."""
        await self.watched.start()

    async def stop(self) -> None:
        """Ends the following of changes and closes every live connector."""
        await self.watched.stop()
        for closing in self.closing:
            closing.cancel()
        await asyncio.gather(*self.closing, return_exceptions=True)
        await asyncio.gather(*(connector.close() for connector in self.active.connectors.values()))

    async def put_agency(self, agency: Agency) -> None:
        """Adds or renames an agency."""
        await self.store.put_agency(agency)

    async def put_record_type(self, record: RecordType) -> None:
        """Stores a record type; raises HubError(MANIFEST_INVALID) naming the path of what is wrong."""
        _require_none(rules.record_type_mistake(record))
        await self.store.put_record_type(record)

    async def _load(self) -> Active:
        before = self.active
        if await self.store.version() == before.snapshot.version:
            return before
        rows = await self.store.read()
        connectors = {row.id: live for row in rows.connectors if (live := self._connector(row, before))}
        agencies = {agency.code: agency for agency in rows.agencies}
        records = {record.code: record for record in rows.records}
        self.supplied = {
            row.id: self._supplied(row, connectors[row.id], agencies[row.agency], records)
            for row in rows.connectors
            if row.id in connectors
        }
        supplies = chain.from_iterable([one.supplies for one in self.supplied.values()])
        snapshot = rules.snapshot(rows.version, rows.agencies, rows.records, supplies)
        self._retire(before, connectors)
        get_log().info("catalogue_active", version=rows.version, count=len(connectors))
        return Active(
            snapshot,
            MappingProxyType(connectors),
            MappingProxyType({row.id: row.version for row in rows.connectors}),
        )

    def _supplied(
        self,
        row: ConnectorRow,
        connector: Connector,
        agency: Agency,
        records: Mapping[RecordCode, RecordType],
    ) -> Supplied:
        """What a connector supplies; looked at anew only when it, or a record type of it, has changed."""
        known = self.supplied.get(row.id)
        if known is not None and known.holds(row.version, connector, agency, records):
            return known
        offerings = connector.describe()
        needed = {code: records.get(code) for code in (RecordCode(one.record) for one in offerings)}
        supplies = [Supply(row.id, row.version, agency, offering) for offering in offerings]
        fitting = tuple(supply for supply in supplies if _still_fits(supply, records))
        return Supplied(row.version, connector, agency, needed, fitting)

    def _connector(self, row: ConnectorRow, before: Active) -> Connector | None:
        """The live connector of a row; one that cannot be opened takes nobody else down with it."""
        if row.id in before.connectors and before.versions.get(row.id) == row.version:
            live = _bare(before.connectors[row.id])
            return Resting(live, row.paused_until, self.clock) if row.paused else live
        try:
            plain = self.seal.open(row.sealed_credentials, row.id.encode())
            live = self.connect(row.manifest, msgspec.json.decode(plain, type=dict[str, str]))
        except HubError as error:
            get_log().error("connector_unusable", connector=row.id, code=error.problem.code.label)
        except Exception as error:  # noqa: BLE001 whatever is wrong with one agency's row is its own affair
            get_log().error("connector_unusable", connector=row.id, error=type(error).__name__)
        else:
            return Resting(live, row.paused_until, self.clock) if row.paused else live
        return None

    def _retire(self, before: Active, kept: Mapping[ConnectorId, Connector]) -> None:
        still = {id(_bare(connector)) for connector in kept.values()}
        for connector in before.connectors.values():
            if id(_bare(connector)) not in still:
                closing = asyncio.create_task(self._close_later(connector))
                self.closing.add(closing)
                closing.add_done_callback(self.closing.discard)

    async def _close_later(self, connector: Connector) -> None:
        try:
            await asyncio.sleep(self.grace)
        finally:
            await connector.close()


class Resting:
    """A connector in announced maintenance: until it is over, every ask is told when that will be."""

    def __init__(self, inner: Connector, until: datetime | None, clock: Clock) -> None:
        self.inner = inner
        self._until = until
        self._clock = clock

    def describe(self) -> tuple[Offering, ...]:
        """As the connector does."""
        return self.inner.describe()

    async def health(self, deadline: float) -> Fault | None:
        """Its maintenance, or its own health when that is over."""
        return self._rest(None) or await self.inner.health(deadline)

    def fetch(self, ask: Ask) -> Awaitable[Answer]:
        """Nobody is asked while it rests."""
        rest = self._rest(ask.correlation)
        return self.inner.fetch(ask) if rest is None else _at_once(Answer({}, dict.fromkeys(ask.keys, rest)))

    async def close(self) -> None:
        """As the connector does."""
        await self.inner.close()

    def _rest(self, correlation: str | None) -> Fault | None:
        left = None if self._until is None else (self._until - self._clock.now()).total_seconds()
        if left is not None and left <= 0:
            return None
        return Fault(Outcome.UNAVAILABLE, MAINTENANCE, correlation=correlation, retry_after=left)


async def _at_once(answer: Answer) -> Answer:
    return answer


def _bare(connector: Connector) -> Connector:
    return connector.inner if isinstance(connector, Resting) else connector


class ConnectorRegister:
    """Brings connector versions into service and out of it: each step an officer's, and in the log.

    Works with the owner's store; ``connect`` and ``seal`` as of CatalogueService.
    """

    def __init__(
        self,
        store: CatalogueStore,
        seal: Seal,
        connect: Callable[[str, Credentials], Connector],
        clock: Clock,
    ) -> None:
        self.store = store
        self.seal = seal
        self.connect = connect
        self.clock = clock

    async def put_officer(self, officer: Officer) -> None:
        """Registers an officer, or changes what an account stands for."""
        await self.store.put_officer(officer)

    async def officer(self, account: str) -> Officer:
        """The officer with this account; raises HubError(OFFICER_UNKNOWN)."""
        found = await self.store.officer(account)
        if found is None:
            raise HubError(Code.OFFICER_UNKNOWN)
        return found

    async def propose(
        self,
        officer: Officer,
        connector: ConnectorId,
        manifest: str,
        credentials: Credentials,
        report: bytes | None = None,
    ) -> int:
        """Checks a manifest against the catalogue and proposes it as a new version; returns its number.

        ``report``: SHA-256 of the test's report. Raises HubError(MANIFEST_INVALID) with the first mistake,
        HubError(CONNECTOR_OF_ANOTHER) when the connector is another agency's.
        """
        await self._check(connector, officer.agency, manifest, credentials)
        sealed = self.seal.seal(_plain(credentials), connector.encode())
        async with self.store.changing(connector) as changes:
            if await changes.owner() not in (None, officer.agency):
                raise HubError(Code.CONNECTOR_OF_ANOTHER)
            number = await changes.add(officer, officer.agency, manifest, sealed, report)
            version = (await changes.versions())[-1]
            await self._note(changes, officer, Step.PROPOSE, version, State.PROPOSED)
        return number

    async def take(
        self,
        step: Step,
        officer: Officer,
        connector: ConnectorId,
        number: int,
        until: datetime | None = None,
    ) -> State:
        """Takes a step with a version; the one that it replaces is superseded in the same moment.

        ``until``: when announced maintenance ends. Raises HubError(CONNECTOR_UNKNOWN) and those of
        ``rules.after``; then nothing has changed.
        """
        async with self.store.changing(connector) as changes:
            versions = await changes.versions()
            version = next((one for one in versions if one.number == number), None)
            if version is None:
                raise HubError(Code.CONNECTOR_UNKNOWN)
            led = rules.after(step, officer, version)
            if isinstance(led, Problem):
                raise HubError(led.code, **led.detail)
            if led is State.ACTIVE:
                await self._supersede(changes, officer, versions, version)
            approved_by = officer.account if step is Step.APPROVE else None
            await changes.set_state(version, led, approved_by, until if led is State.PAUSED else None)
            await self._note(changes, officer, step, version, led)
        return led

    async def register(
        self,
        proposer: Officer,
        approver: Officer,
        connector: ConnectorId,
        manifest: str,
        credentials: Credentials,
    ) -> int:
        """The whole way into service with two officers, unless just this serves already; the version."""
        serving = await self.store.serving(connector)
        if serving and serving[1] == manifest and self._opened(connector, serving[2]) == _plain(credentials):
            return serving[0]
        number = await self.propose(proposer, connector, manifest, credentials)
        await self.take(Step.APPROVE, approver, connector, number)
        await self.take(Step.ACTIVATE, proposer, connector, number)
        return number

    async def add_types(self, officer: Officer, records: Sequence[RecordType], sheet: bytes) -> None:
        """Takes evidence types into the catalogue, which the bureau keeps; ``sheet``: SHA-256 of it."""
        if not officer.approves:
            raise HubError(Code.CONNECTOR_OF_ANOTHER)
        at = self.clock.now()
        content = canonical(rules.types_content(at, officer, records, sheet))
        await self.store.add_types(records, at, content)

    async def _supersede(
        self, changes: Changes, officer: Officer, versions: Sequence[Version], by: Version
    ) -> None:
        for version in versions:
            if version.state in rules.IN_SERVICE and version.number != by.number:
                led = rules.STEPS[version.state, Step.SUPERSEDE]
                await changes.set_state(version, led, None, None)
                await self._note(changes, officer, Step.SUPERSEDE, version, led)

    async def _note(
        self, changes: Changes, officer: Officer, step: Step, version: Version, led: State
    ) -> None:
        at = self.clock.now()
        await changes.note(at, canonical(rules.step_content(at, officer, step, version, led)))

    def _opened(self, connector: ConnectorId, sealed: bytes) -> bytes:
        return self.seal.open(sealed, connector.encode())

    async def _check(
        self, connector: ConnectorId, agency: AgencyCode, manifest: str, credentials: Credentials
    ) -> None:
        rows = await self.store.read()
        records = {record.code: record for record in rows.records}
        known = {known.code: known for known in rows.agencies}
        if agency not in known:
            raise HubError(Code.MANIFEST_INVALID, path="connector.agency", rule="agency")
        opened = self.connect(manifest, credentials)
        try:
            for offering in opened.describe():
                _require_none(rules.supply_mistake(Supply(connector, 0, known[agency], offering), records))
        finally:
            await opened.close()


def _plain(credentials: Credentials) -> bytes:
    return msgspec.json.encode(dict(credentials), order="sorted")


def _still_fits(supply: Supply, records: Mapping[RecordCode, RecordType]) -> bool:
    """A record type may have changed after the offering was registered; what no longer fits is not asked."""
    if rules.supply_mistake(supply, records) is None:
        return True
    get_log().error("offering_unusable", connector=supply.connector, offering=supply.offering.name)
    return False


def _require_none(mistake: Problem | None) -> None:
    if mistake:
        raise HubError(mistake.code, **mistake.detail)
