"""A world for plans: agencies with gaps and faults in memory, and one operation answered in two ways."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, cast

import msgspec
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from connectors.contract import Answer, Ask, Fault, Offering, Outcome
from connectors.wrappers import Batches
from hub.audit.model import (
    Actor,
    ActorKind,
    AgencyCode,
    CaseReference,
    ClientId,
    InquiryId,
    ProcedureCode,
    Purpose,
)
from hub.audit.service import AuditService, Trail
from hub.catalogue import rules
from hub.catalogue.model import ConnectorId, Supply
from hub.catalogue.service import Active
from hub.evidence.service import ReceiptService
from hub.facts.model import Need, Sourced
from hub.facts.service import FactService, Inquiry
from hub.grants.model import Permit
from hub.grants.service import GrantService
from hub.kernel.errors import HubError, Problem
from hub.kernel.ids import new_id
from hub.regions.service import RegionService
from hub.texts import Language, load_texts
from schema.build import Contract, build_schema
from schema.context import Context
from schema.execution.detours import Detours
from schema.execution.document import Document
from schema.execution.prepare import Plans, Prepared, Ready
from schema.execution.run import Request, Run
from schema.faults import Words
from schema.loaders import Loaders
from tests.graphql.town import AS_OF, MARKET, POLICE, RECORDS, STORE, Desk, Town

PATIENCE = 60.0
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
WORDS = Words({language: load_texts(language) for language in Language}, Language.EN)
PURPOSE = Purpose(
    ClientId("window"),
    AgencyCode(STORE.code),
    ProcedureCode("open-pharmacy"),
    CaseReference("1"),
    Actor(ActorKind.OFFICER, "li.na"),
    (),
)
FAULTS = (
    Fault(Outcome.UNAVAILABLE, "timeout", None, "c-1"),
    Fault(Outcome.REFUSED, "refused", "E42", "c-2"),
    Fault(Outcome.PENDING, "pending", None, "c-3", 30.0),
    Fault(Outcome.UNAVAILABLE, "malformed"),
)


class Noon:
    """A clock that stands still, so that two runs tell the same times."""

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return time.monotonic()


class SilentAudit:
    """Stands in for the log: it takes everything and keeps the trail's promise in memory."""

    async def add_subjects(self, trail: Trail, subjects: Mapping[Any, None]) -> None:
        trail.commitments.update({(str(one.scheme), one.value): "" for one in subjects})


class Regions:
    """Stands in for the register of regions."""

    def full_name(self, code: str) -> str | None:
        return {"370303": "张店区"}.get(code)


class SometimesDown(Desk):
    """A desk that has no answer for some keys of some offerings, always for the same ones."""

    def __init__(self, desk: Desk, faults: Mapping[tuple[str, str], Fault]) -> None:
        self.offerings, self.rows, self.asks = desk.offerings, desk.rows, []
        self.faults = faults

    async def fetch(self, ask: Ask) -> Answer:
        self.asks.append(ask)
        faults = {
            key: self.faults[ask.offering, key] for key in ask.keys if (ask.offering, key) in self.faults
        }
        held = self.rows[ask.offering]
        rows = {
            key: tuple(tuple(row[column] for column in ask.columns) for row in held.get(key, []))
            for key in ask.keys
            if key not in faults
        }
        return Answer(rows, faults, AS_OF)


class WatchedInquiry(Inquiry):
    """An inquiry that remembers its waves; nobody decides and nothing is written down."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.waves: list[tuple[Need, ...]] = []

    async def fetch(self, wave: Sequence[Need]) -> tuple[Sourced, ...]:
        self.waves.append(tuple(wave))
        return await super().fetch(wave)


@dataclass(frozen=True)
class World:
    """One day of all agencies, and the contract over them."""

    town: Town
    desks: Mapping[str, SometimesDown]
    active: Active
    contract: Contract

    @classmethod
    def of(cls, town: Town, faults: Mapping[tuple[str, str], Fault] | None = None) -> World:
        """The town with some (offering, key) pairs that have no answer."""
        desks = {name: SometimesDown(desk, faults or {}) for name, desk in town.desks.items()}
        agencies = {"police": POLICE, "market": MARKET, "store": STORE}
        supplies = [
            Supply(ConnectorId(name), 1, agencies[name], offering)
            for name, desk in desks.items()
            for offering in desk.describe()
        ]
        snapshot = rules.snapshot(1, [POLICE, MARKET, STORE], RECORDS, supplies)
        connectors = {ConnectorId(name): Batches(desk) for name, desk in desks.items()}
        active = Active(snapshot, connectors, dict.fromkeys(connectors, 1))
        return cls(town, desks, active, build_schema(snapshot))

    def with_faults(self, faults: Mapping[tuple[str, str], Fault]) -> World:
        """The same town and contract on another day."""
        desks = {name: SometimesDown(desk, faults) for name, desk in self.town.desks.items()}
        connectors = {ConnectorId(name): Batches(desk) for name, desk in desks.items()}
        return World(self.town, desks, Active(self.active.snapshot, connectors, {}), self.contract)

    def inquiry(self) -> WatchedInquiry:
        """A look-up that may read everything."""
        service = FactService(
            cast(GrantService, None),
            cast(AuditService, SilentAudit()),
            cast(ReceiptService, None),
            Noon(),
            PATIENCE,
        )
        records = self.active.snapshot.records
        permit = Permit({code: frozenset(record.fields) for code, record in records.items()})
        trail = Trail(InquiryId(new_id()))
        return WatchedInquiry(service, trail, PURPOSE, permit, self.active, time.monotonic() + PATIENCE)

    def asks(self) -> list[Ask]:
        """What has reached the agencies since the last time, and forgets it."""
        found = [one for desk in self.desks.values() for one in desk.asks]
        for desk in self.desks.values():
            desk.asks.clear()
        return found

    def offering(self, need: Need) -> Offering | None:
        """Who supplies a need."""
        supply = self.active.snapshot.supplies.get((need.record, need.key))
        return supply.offering if supply else None


def faults_of(world: World, random: Random) -> dict[tuple[str, str], Fault]:
    """Some (offering, key) pairs without an answer; now and then a whole offering."""
    found: dict[tuple[str, str], Fault] = {}
    for desk in world.town.desks.values():
        for name, rows in desk.rows.items():
            whole = random.random() < 0.1
            for key in rows:
                if whole or random.random() < 0.08:
                    found[name, key] = random.choice(FAULTS)
    return found


class WatchedRun(Run, frozen=True):
    """A run that remembers whether the ordinary executor had to answer."""

    was_ordinary: list[bool] = msgspec.field(default_factory=list)

    async def ordinarily(self, context: Context) -> Any:
        self.was_ordinary.append(True)
        return await super().ordinarily(context)


@dataclass(frozen=True)
class Told:
    """One answer, how it came about and what it cost."""

    body: dict[str, Any]
    was_ordinary: bool
    asks: tuple[Ask, ...]
    waves: tuple[tuple[Need, ...], ...]

    @property
    def data(self) -> str:
        """The data as text, so that the order of fields counts."""
        return json.dumps(self.body["data"], ensure_ascii=False)

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """Path, number and place of every error, in no order of their own."""
        return sorted(
            (json.dumps(one.get("path")), one["extensions"]["code"], json.dumps(one.get("locations")))
            for one in self.body.get("errors", [])
        )


class Trial:
    """One operation of one document against a world."""

    def __init__(self, world: World, text: str, name: str | None = None) -> None:
        self.world, self.text, self.name = world, text, name
        read = world.contract.documents.read(text)
        self.mistakes = read if isinstance(read, tuple) else ()
        self.document = cast(Document, read)
        if not self.mistakes:
            self.operation: Any = self.document.operation(name)
            self.prepared = self.fresh()

    def fresh(self) -> Prepared:
        """The operation as if nobody had asked it before."""
        contract = self.world.contract
        return Prepared(
            contract.schema,
            contract.snapshot.records,
            contract.record_of_type,
            Plans(),
            self.document,
            self.operation,
        )

    def ready(self, prepared: Prepared, variables: Mapping[str, Any]) -> Ready | tuple[Problem, ...]:
        """The prepared operation, or every problem of these variables however it was said."""
        try:
            return prepared.ready(variables)
        except HubError as refused:
            return (refused.problem,)

    async def both(self, ready: Ready, fresh: Ready, variables: Mapping[str, Any]) -> tuple[Told, Told]:
        """The answer as the hub gives it, and as graphql-core does; what they log is dropped."""
        with capture_logs():
            return await self._planned(ready, variables), await self._ordinary(fresh, variables)

    async def _planned(self, ready: Ready, variables: Mapping[str, Any]) -> Told:
        run, inquiry = self._run(ready, variables), self.world.inquiry()
        self.world.asks()
        body = await run.body(inquiry, cast(RegionService, Regions()))
        asks = tuple(self.world.asks())
        return Told(body, bool(run.was_ordinary), asks, tuple(inquiry.waves))

    async def _ordinary(self, ready: Ready, variables: Mapping[str, Any]) -> Told:
        run, inquiry = self._run(ready, variables), self.world.inquiry()
        self.world.asks()
        body = await run.ordinarily(run.context(cast(RegionService, Regions()), Loaders(inquiry)))
        return Told(body, True, tuple(self.world.asks()), tuple(inquiry.waves))

    def _run(self, ready: Ready, variables: Mapping[str, Any]) -> WatchedRun:
        request = Request(self.text, self.name, variables, {})
        detours = Detours(CollectorRegistry())
        return WatchedRun(self.world.contract, self.document, request, ready, WORDS, detours)
