"""What all tests share: a PostgreSQL of their own, a migrated database for each test, no silent skips."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from hub.kernel.db import Database
from hub.kernel.db.embedded import EmbeddedPostgres
from hub.kernel.db.migrate import migrate

FOREIGN_AWAY = "real agencies' answers do not lie beside this clone"
TEMPLATE = "template_hub"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}

KILLABLE = {"fsync": "off"}  # enough against a kill: what was committed is in the kernel's memory


@dataclass(frozen=True, slots=True)
class Databases:
    """The connection URLs of one test's database."""

    serving: str
    owner: str
    admin: str


class Cluster:
    """The PostgreSQL of one test process, with a migrated template to copy."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._numbers = itertools.count(1)

    def make_template(self) -> None:
        """Migrate the template once."""
        asyncio.run(self._make_template())

    async def _make_template(self) -> None:
        admin = await asyncpg.connect(self.server.dsn("postgres", "postgres"))
        await admin.execute(f"create database {TEMPLATE} owner hub_owner")
        await admin.close()
        await migrate(self.server.dsn("hub_owner", TEMPLATE))

    async def make(self, *, empty: bool = False) -> Databases:
        """A new database: a copy of the template, or an empty one."""
        name = f"test_{next(self._numbers)}"
        admin = await asyncpg.connect(self.server.dsn("postgres", "postgres"))
        try:
            source = "template0" if empty else TEMPLATE
            await admin.execute(f"create database {name} template {source} owner hub_owner")
        finally:
            await admin.close()
        return Databases(*(self.server.dsn(role, name) for role in ("hub_server", "hub_owner", "postgres")))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running PostgreSQL for this test process."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), databases=(), settings=FAST)
    server.start()
    made = Cluster(server)
    made.make_template()
    yield made
    server.stop()


@pytest.fixture
async def databases(cluster: Cluster) -> Databases:
    """A migrated database of this test's own, as connection URLs of its roles."""
    return await cluster.make()


@pytest.fixture
def database_url(databases: Databases) -> str:
    """The URL of this test's database as the serving role."""
    return databases.serving


@pytest.fixture
def owner_database_url(databases: Databases) -> str:
    """The URL of this test's database as the owner role."""
    return databases.owner


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """This test's database as the serving role sees it."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def owner_database(owner_database_url: str) -> AsyncIterator[Database]:
    """This test's database as its owner sees it."""
    opened = await Database.open(owner_database_url)
    yield opened
    await opened.close()


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL that one test may kill."""
    server = EmbeddedPostgres(tmp_path / "postgres", settings=KILLABLE)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def foreign_data() -> Path:
    """Real agencies' answers, which are not ours to commit and lie beside the project where there are any."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(FOREIGN_AWAY)
    return folder


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With HUB_TEST_FORBID_SKIPS set, as on the build machine, a skipped test is a failed one.

    But for those with other people's data, which no clone of the project brings along.
    """
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if not report.skipped or hasattr(report, "wasxfail") or FOREIGN_AWAY in str(report.longrepr):
        return
    if os.environ.get("HUB_TEST_FORBID_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped where skips are forbidden: {report.longrepr}"
