"""The hubs' databases: one for each way in which the sources are registered, made when a row needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hub.kernel.db.embedded import EmbeddedPostgres
from hub.kernel.db.migrate import migrate
from hub.kernel.settings import Settings, read_settings
from tests.bench.manifests import Supply
from tests.bench.registration import register

PLAIN, FRESH, HTTP, BATCHED = "hub", "hub_fresh", "hub_http", "hub_batched"
ALL = (PLAIN, FRESH, HTTP, BATCHED)
CACHE_BYTES = 64_000_000
BATCH = 64  # keys a call where calls are counted


@dataclass(frozen=True, slots=True)
class Place:
    """A registered hub: its settings, its sources, and the secret of its one client."""

    environment: Mapping[str, str]
    supply: Supply
    secret: str

    @property
    def settings(self) -> Settings:
        """The settings that its servers read."""
        return read_settings(self.environment)


def supplies(sql: Supply, http: Supply) -> dict[str, Supply]:
    """How the sources are registered in each place."""
    return {
        PLAIN: sql,
        FRESH: replace(sql, freshness="P1D"),
        HTTP: http,
        BATCHED: replace(http, freshness="P1D", batch=BATCH),
    }


async def make(name: str, database: EmbeddedPostgres, folder: Path, supply: Supply) -> Place:
    """Migrates the database of this name and registers everything in it."""
    await migrate(database.dsn("hub_owner", name))
    environment = {
        "HUB_DATABASE_URL": database.dsn("hub_server", name),
        "HUB_OWNER_DATABASE_URL": database.dsn("hub_owner", name),
        "HUB_DATA": str(folder / name),
        "HUB_AGENCY_NETWORKS": supply.network,
        "HUB_CACHE_BYTES": str(CACHE_BYTES if name in (FRESH, BATCHED) else 0),
        "HUB_TOKEN_SECONDS": "3600",
        # Limits that are counted and never reached.
        "HUB_CLIENT_REQUESTS_PER_SECOND": "1000000000",
        "HUB_CLIENT_REQUESTS_PER_MINUTE": "1000000000",
        "HUB_CLIENT_SUBJECTS_PER_DAY": "1000000000",
    }
    return Place(environment, supply, await register(read_settings(environment), supply))
