"""Keeps the catalogue: takes what is registered in, and swaps one immutable serving state for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Protocol

import msgspec

from connectors.contract import Connector
from hub.audit.model import AgencyCode
from hub.catalogue import rules
from hub.catalogue.model import Agency, ConnectorId, RecordCode, RecordType, Snapshot, Supply
from hub.catalogue.store import CatalogueStore, ConnectorRow
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.log import get_log
from hub.kernel.watch import Watched

CHANNEL = "catalogue"
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
    ) -> None:
        self.store = store
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

    async def put_connector(
        self, connector: ConnectorId, agency: AgencyCode, manifest: str, credentials: Credentials
    ) -> int:
        """Checks a manifest against the catalogue and makes it active; returns its version."""
        await self._check(connector, agency, manifest, credentials)
        plain = msgspec.json.encode(dict(credentials), order="sorted")
        context = connector.encode()
        return await self.store.put_connector(
            connector,
            agency,
            manifest,
            self.seal.seal(plain, context),
            lambda old: self.seal.open(old, context) == plain,
        )

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
            return before.connectors[row.id]
        try:
            plain = self.seal.open(row.sealed_credentials, row.id.encode())
            return self.connect(row.manifest, msgspec.json.decode(plain, type=dict[str, str]))
        except HubError as error:
            get_log().error("connector_unusable", connector=row.id, code=error.problem.code.label)
        except Exception as error:  # noqa: BLE001 whatever is wrong with one agency's row is its own affair
            get_log().error("connector_unusable", connector=row.id, error=type(error).__name__)
        return None

    def _retire(self, before: Active, kept: Mapping[ConnectorId, Connector]) -> None:
        for name, connector in before.connectors.items():
            if kept.get(name) is not connector:
                closing = asyncio.create_task(self._close_later(connector))
                self.closing.add(closing)
                closing.add_done_callback(self.closing.discard)

    async def _close_later(self, connector: Connector) -> None:
        try:
            await asyncio.sleep(self.grace)
        finally:
            await connector.close()


def _still_fits(supply: Supply, records: Mapping[RecordCode, RecordType]) -> bool:
    """A record type may have changed after the offering was registered; what no longer fits is not asked."""
    if rules.supply_mistake(supply, records) is None:
        return True
    get_log().error("offering_unusable", connector=supply.connector, offering=supply.offering.name)
    return False


def _require_none(mistake: Problem | None) -> None:
    if mistake:
        raise HubError(mistake.code, **mistake.detail)
