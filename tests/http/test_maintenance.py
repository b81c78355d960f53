"""Whoever asks an agency in announced maintenance hears until when, and nobody is asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hub.catalogue.model import ConnectorId, Officer, Step
from hub.catalogue.service import CatalogueService, ConnectorRegister
from hub.catalogue.store import CatalogueStore
from hub.kernel.clock import SystemClock
from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.master import master_key
from hub.kernel.db import Database
from tests.graphql.conftest import BUREAU, Counter
from tests.graphql.town import ANNA, POLICE
from tests.http.conftest import until


async def test_who_asks_hears_of_the_maintenance(counter: Counter, owner_database: Database) -> None:
    hub = counter.hub
    seal = Envelope(master_key(None, counter.hub.settings.data))
    register = ConnectorRegister(CatalogueStore(owner_database), seal, counter.town.open, hub.clock)
    ends = datetime(2036, 5, 12, 1, 30, tzinfo=UTC)
    await register.take(Step.PAUSE, BUREAU, ConnectorId("police"), 1, ends)
    await until(lambda: type(hub.catalogue.active.connectors[ConnectorId("police")]).__name__ == "Resting")
    reply = await counter.ask('{ person(idNumber: "%s") { name } }' % ANNA)
    assert reply.codes == ["HUB-216"]
    assert "2036-05-12 09:30" in reply.body["errors"][0]["message"] + json.dumps(reply.body["errors"][0])
    assert counter.town.police.asks == []


async def test_an_agency_that_is_retired_supplies_nothing(counter: Counter, owner_database: Database) -> None:
    register = ConnectorRegister(
        CatalogueStore(owner_database),
        Envelope(master_key(None, counter.hub.settings.data)),
        counter.town.open,
        SystemClock(),
    )
    await register.take(Step.RETIRE, Officer("p", POLICE.code), ConnectorId("police"), 1)
    catalogue: CatalogueService = counter.hub.catalogue
    await until(lambda: ConnectorId("police") not in catalogue.active.connectors)
    assert (await counter.ask('{ person(idNumber: "%s") { name } }' % ANNA)).codes == ["HUB-310"]
