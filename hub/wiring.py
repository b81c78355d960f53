"""The only place where concrete things meet: stores, services, connectors and the contract of one worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from ssl import SSLError
from types import MappingProxyType
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from connectors.addresses import Endpoint, endpoints_of
from connectors.cache import Cache
from connectors.contract import Connector
from connectors.files_folder import Folder
from connectors.manifest import Manifest, read
from connectors.metering import Meter
from connectors.opening import SecretsMissing, SecretUnusable, open_connector
from connectors.staged import Staged
from connectors.transport import Transport
from connectors.wrappers import wrap
from hub.audit.service import AuditService, LogUpkeep
from hub.audit.store import AuditStore
from hub.cache.service import CacheService, open_cache
from hub.cache.store import CacheStore
from hub.catalogue.service import CatalogueService, ConnectorRegister, Credentials
from hub.catalogue.store import CatalogueStore
from hub.clients.service import ClientService
from hub.clients.store import ClientStore
from hub.documents.service import DocumentService
from hub.documents.store import DocumentStore
from hub.evidence.service import ReceiptService
from hub.facts.rules import fault_code
from hub.facts.service import FactService
from hub.grants.service import GrantService
from hub.grants.store import GrantStore
from hub.http.board import AgencyState
from hub.http.health import Check
from hub.kernel.clock import SystemClock
from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.keyring import Keyring
from hub.kernel.crypto.master import master_key
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Database
from hub.kernel.db.places import places
from hub.kernel.errors import Code, HubError
from hub.kernel.log import get_log
from hub.kernel.settings import Settings
from hub.kernel.trace import UNTRACED, Tracing, open_tracing
from hub.procedures.service import ProcedureService
from hub.procedures.store import ProcedureStore
from hub.quotas.model import Limits
from hub.quotas.service import QuotaService
from hub.quotas.store import QuotaStore
from hub.regions.service import RegionService
from hub.regions.store import RegionStore
from hub.staging.rules import drops_of
from hub.staging.service import FileDesk, Sealing, StagedRows, StagingService
from hub.staging.store import StagingStore
from schema.build import Contracts
from schema.execution.detours import Detours
from schema.execution.run import Answering
from schema.stale import StaleDocuments

HEALTH_SECONDS = 2.0
LOAD_SECONDS = 3600.0  # for one statement that writes, checks or removes the rows of a whole file
CLOCKS_APART = timedelta(minutes=5)  # at the most, of two machines: what one forgets, none may accept
HTTP_PORTS = MappingProxyType({"http": 80, "https": 443})


@dataclass(frozen=True, slots=True)
class Hub:
    """Everything one worker serves with. Start and stop follow the order of the fields."""

    settings: Settings
    clock: SystemClock
    database: Database
    keyring: Keyring
    regions: RegionService
    procedures: ProcedureService
    clients: ClientService
    documents: DocumentService
    grants: GrantService
    catalogue: CatalogueService
    register: ConnectorRegister
    audit: AuditService
    cache: CacheService
    quotas: QuotaService
    answering: Answering
    stale: StaleDocuments
    tracing: Tracing
    close_connections: Callable[[], Awaitable[None]]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Hub]:
        """Reads everything into memory and follows changes until the block ends."""
        followers = (
            self.keyring,
            self.regions,
            self.procedures,
            self.clients,
            self.documents,
            self.catalogue,
            self.quotas,
            self.stale,
        )
        try:
            for follower in followers:
                await follower.start()
            await self.grants.start()
            await self.cache.start()
            yield self
        finally:
            for follower in followers:
                await follower.stop()
            await self.close_connections()
            await self.cache.stop()
            await self.audit.stop()
            await self.database.close()
            await asyncio.to_thread(self.tracing.close)

    def checks(self) -> Mapping[str, Check]:
        """What readiness depends on, by name; each check raises when its part is away."""

        async def database() -> None:
            await self.database.fetchval("SELECT 1")

        async def log() -> None:
            await self.audit.check()

        async def catalogue() -> None:
            if not self.catalogue.active.snapshot.version:
                raise HubError(Code.STORE_UNAVAILABLE)

        return {"database": database, "log": log, "catalogue": catalogue}

    async def agencies(self) -> Sequence[AgencyState]:
        """Each agency with a connector, and the error that asking it now would meet."""
        active = self.catalogue.active
        deadline = self.clock.monotonic() + HEALTH_SECONDS
        owners = {supply.connector: supply.agency for supply in active.snapshot.supplies.values()}
        names = sorted(owners)
        faults = await asyncio.gather(*(active.connectors[name].health(deadline) for name in names))
        return [
            AgencyState(owners[name].name, None if fault is None else fault_code(fault))
            for name, fault in zip(names, faults, strict=True)
        ]


class Connectors:
    """Opens connectors from manifests, all through one transport with the operator's bounds."""

    def __init__(
        self,
        settings: Settings,
        clock: SystemClock,
        meter: Meter,
        cache: Cache,
        tracing: Tracing = UNTRACED,
        staged: Staged | None = None,
    ) -> None:
        own = _own_endpoints(settings)
        self.transport = Transport(settings.agency_networks, own, clock.now, tracing.traceparent)
        self.clock = clock
        self.workers = settings.workers
        self.meter = meter
        self.cache = cache
        self.staged = staged

    def open(self, text: str, credentials: Credentials) -> Connector:
        """A connector with all its wrappers; raises HubError(MANIFEST_INVALID) with the first mistake."""
        manifest = read(text)
        if not isinstance(manifest, Manifest):
            raise HubError(Code.MANIFEST_INVALID, path=manifest[0].path, rule=manifest[0].expected)
        try:
            connector = open_connector(manifest, self.transport, credentials, self.clock.now, self.staged)
            return wrap(connector, manifest, self.meter, self.workers, self.cache)
        except SecretsMissing as missing:
            slots = ", ".join(sorted(missing.slots))
            raise HubError(Code.MANIFEST_INVALID, path="connector.credentials", rule=slots) from missing
        except SecretUnusable as unusable:
            where = f"connector.credentials.{unusable.slot}"
            raise HubError(Code.MANIFEST_INVALID, path=where, rule=unusable.expected) from unusable
        except SSLError as error:
            raise HubError(Code.MANIFEST_INVALID, path="connector.address.ca", rule="PEM") from error
        except Exception as error:
            raise HubError(Code.MANIFEST_INVALID, path="connector", rule="can be opened") from error

    async def close(self) -> None:
        """Closes the connections that the connectors shared."""
        await self.transport.close()


def _own_endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    """Where the hub itself and its databases listen: no manifest may lead there.

    Raises HubError(SETTING_INVALID) for an address that cannot be read, since it could not be kept shut.
    """
    own = endpoints_of(settings.host, settings.port)
    for setting, url, read_places in (
        ("HUB_DATABASE_URL", settings.database_url, places),
        ("HUB_OWNER_DATABASE_URL", settings.owner_database_url, places),
        ("HUB_ISSUER", settings.issuer, _public_place),
    ):
        try:
            named = read_places(url) if url else ()
        except ValueError as error:
            raise HubError(Code.SETTING_INVALID, setting=setting, rule="a URL with readable hosts") from error
        for host, port in named:
            own += endpoints_of(host, port)
    return own


def _public_place(url: str) -> tuple[tuple[str, int], ...]:
    address = urlsplit(url)
    port = address.port or HTTP_PORTS[address.scheme]
    return ((address.hostname, port),) if address.hostname else ()


def open_hub(settings: Settings, registry: CollectorRegistry) -> Hub:
    """A worker's hub over the database and the agencies' networks that the settings name, not yet started."""
    if settings.database_url is None:
        raise HubError(Code.DATABASE_UNREACHABLE, database="HUB_DATABASE_URL")
    database = Database(
        settings.database_url, size=settings.database_connections, statement_cache=settings.statement_cache
    )
    clock, tracing = SystemClock(), open_tracing(settings.otel_endpoint)
    pseudonyms = Pseudonyms(master_key(settings.master_key, settings.data))
    cache = open_cache(settings.cache_bytes, pseudonyms, clock.now)
    staged = StagedRows(StagingStore(database), sealing_of(settings))
    connectors = Connectors(settings, clock, Meter(registry), cache, tracing, staged)
    return assemble(settings, database, connectors.open, connectors.close, registry, cache, tracing)


def assemble(
    settings: Settings,
    database: Database,
    connect: Callable[[str, Credentials], Connector],
    close_connections: Callable[[], Awaitable[None]],
    registry: CollectorRegistry,
    cache: Cache | None = None,
    tracing: Tracing = UNTRACED,
) -> Hub:
    """Everything one worker serves with, not yet started; ``cache`` is what the connectors keep facts in."""
    clock, master = SystemClock(), master_key(settings.master_key, settings.data)
    pseudonyms, envelope = Pseudonyms(master), Envelope(master)
    keyring = Keyring(database, envelope)
    regions = RegionService(RegionStore(database))
    grants = GrantService(GrantStore(database), clock)
    catalogue, register = _catalogue(settings, database, envelope, connect, clock)
    contracts, documents = Contracts(catalogue), DocumentService(DocumentStore(database))
    audit = AuditService(AuditStore(database), pseudonyms, clock)
    receipts = ReceiptService(keyring, settings.issuer, clock)
    facts = FactService(grants, audit, receipts, clock, settings.deadline_seconds, tracing)
    return Hub(
        settings,
        clock,
        database,
        keyring,
        regions,
        ProcedureService(ProcedureStore(database)),
        ClientService(ClientStore(database), keyring, clock, settings.issuer, settings.token_seconds),
        documents,
        grants,
        catalogue,
        register,
        audit,
        CacheService(CacheStore(database), pseudonyms, cache),
        QuotaService(QuotaStore(database), clock, _limits(settings), settings.workers),
        Answering(contracts, facts, regions, Detours(registry)),
        StaleDocuments(contracts, documents),
        tracing,
        close_connections,
    )


def sealing_of(settings: Settings) -> Sealing:
    """What seals and names the rows of files that are handed over."""
    master = master_key(settings.master_key, settings.data)
    return Sealing(Envelope(master), Pseudonyms(master))


@asynccontextmanager
async def file_desk(settings: Settings) -> AsyncIterator[FileDesk]:
    """Where files are taken in while the block runs, with the owner's role."""
    if settings.owner_database_url is None:
        raise HubError(Code.DATABASE_UNREACHABLE, database="HUB_OWNER_DATABASE_URL")
    owner = await Database.open(settings.owner_database_url, size=2, timeout=LOAD_SECONDS)
    try:
        staging = StagingService(StagingStore(owner), sealing_of(settings), SystemClock())
        rows = await CatalogueStore(owner).read()
        officers = {one.account: one for one in await CatalogueStore(owner).officers()}
        drops = [drop for row in rows.connectors for drop in drops_of(row.id, row.manifest, rows.records)]
        yield FileDesk(staging, tuple(drops), {row.id: row.agency for row in rows.connectors}, officers)
    finally:
        await owner.close()


async def take_files(folder: Path, settings: Settings) -> int:
    """Loads what lies new in the watched folders; how many files were looked into.

    What breaks one agency's file keeps nobody else's from being loaded.
    """
    taken = 0
    async with file_desk(settings) as desk:
        for drop in desk.drops:
            try:
                taken += await desk.staging.take_newest(drop, Folder(folder / drop.connector)) is not None
            except HubError:
                raise
            except Exception as error:  # noqa: BLE001 as said above
                get_log(__name__).error("file_broke", connector=drop.connector, error=type(error).__name__)
    return taken


def _catalogue(
    settings: Settings,
    database: Database,
    envelope: Envelope,
    connect: Callable[[str, Credentials], Connector],
    clock: SystemClock,
) -> tuple[CatalogueService, ConnectorRegister]:
    store = CatalogueStore(database)
    serving = CatalogueService(store, envelope, connect, settings.deadline_seconds, clock)
    return serving, ConnectorRegister(store, envelope, connect, clock)


def _limits(settings: Settings) -> Limits:
    return Limits(
        settings.client_requests_per_second,
        settings.client_requests_per_minute,
        settings.client_subjects_per_day,
    )


async def upkeep(settings: Settings) -> None:
    """What the worker does every hour with the owner's role: months of log ahead, used assertions gone."""
    if settings.owner_database_url is None:
        raise HubError(Code.DATABASE_UNREACHABLE, database="HUB_OWNER_DATABASE_URL")
    clock = SystemClock()
    owner = await Database.open(settings.owner_database_url, size=1)
    try:
        await LogUpkeep(AuditStore(owner), clock).make_months()
        await ClientStore(owner).forget_assertions(clock.now() - CLOCKS_APART)
    finally:
        await owner.close()
