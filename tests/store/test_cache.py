"""What an agency wants forgotten is forgotten in every worker, and its number never travels."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.cache import Cache, Stamp
from hub.cache.model import CHANNEL, SCHEME
from hub.cache.service import CacheService, open_cache
from hub.cache.store import CacheStore
from hub.command.cache import app
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Database
from hub.kernel.db.embedded import EmbeddedPostgres

ANNA, BEN = "11010519491231002X", "360426199101010071"
MASTER_KEY = bytes(range(32))
PSEUDONYMS = Pseudonyms(MASTER_KEY)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def filled() -> Cache:
    """A worker's cache with two people in it."""
    cache = open_cache(100_000, PSEUDONYMS, lambda: NOW)
    for key in (ANNA, BEN):
        cache.put((0, key), ((key,),), Stamp(None, NOW, 1e9))
    return cache


def kept(cache: Cache) -> list[str]:
    return [key for key in (ANNA, BEN) if cache.get((0, key), 0.0) is not None]


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not reached():  # noqa: ASYNC110  what is awaited has no event
            await asyncio.sleep(0.01)


async def test_every_worker_forgets_a_subject_and_keeps_the_others(database_url: str) -> None:
    workers = []
    for _ in range(2):
        database, cache = await Database.open(database_url), filled()
        service = CacheService(CacheStore(database), PSEUDONYMS, cache)
        await service.start()
        workers.append((database, cache, service))
    await workers[0][2].forget(ANNA)
    for database, cache, service in workers:
        await until(lambda cache=cache: kept(cache) == [BEN])  # type: ignore[misc]  # bound here
        await service.stop()
        await database.close()


async def test_what_travels_is_a_keyed_name_and_not_the_logs(database: Database) -> None:
    heard: list[str] = []
    await database.listen(CHANNEL, heard.append)
    await CacheService(CacheStore(database), PSEUDONYMS).forget(ANNA)
    await until(lambda: bool(heard))
    assert heard == [PSEUDONYMS.of(SCHEME, ANNA).hex()]
    assert heard != [PSEUDONYMS.of("111", ANNA).hex()]


async def test_whatever_cannot_be_understood_forgets_everything(database: Database) -> None:
    cache = filled()
    service = CacheService(CacheStore(database), PSEUDONYMS, cache)
    await service.start()
    await database.execute("SELECT pg_notify($1, 'nonsense')", CHANNEL)
    await until(lambda: kept(cache) == [])
    await service.stop()


async def test_a_worker_that_may_have_missed_something_forgets_everything(
    own_postgres: EmbeddedPostgres,
) -> None:
    database, cache = await Database.open(own_postgres.dsn("hub_server")), filled()
    service = CacheService(CacheStore(database), PSEUDONYMS, cache)
    await service.start()
    assert kept(cache) == [ANNA, BEN]
    os.kill(own_postgres.pid, signal.SIGKILL)
    await until(lambda: kept(cache) == [])
    await service.stop()
    await database.close()


@pytest.fixture
def surroundings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", database_url)
    monkeypatch.setenv("HUB_DATA", str(tmp_path))
    monkeypatch.setenv("HUB_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")


async def test_the_command_announces_the_number_on_standard_input(
    surroundings: None, database: Database
) -> None:
    cache = filled()
    service = CacheService(CacheStore(database), PSEUDONYMS, cache)
    await service.start()
    result = await asyncio.to_thread(CliRunner().invoke, app, ["forget"], input=f"{ANNA}\n")
    assert result.exit_code == 0, result.output
    assert ANNA not in result.output
    await until(lambda: kept(cache) == [BEN])
    await service.stop()


async def test_the_command_refuses_what_is_no_number(surroundings: None) -> None:
    result = await asyncio.to_thread(CliRunner().invoke, app, ["forget"], input="110105194912310021\n")
    assert result.exit_code == 2
    assert "110105194912310021" not in result.output
