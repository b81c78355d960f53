"""A command gets a database that is there and migrated, or is told why not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub.kernel.db.migrate import load_migrations, migrate
from hub.kernel.db.provision import embedded, provided
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import read_settings
from tests.conftest import Cluster


def refusal(environ: dict[str, str]) -> Code:
    with pytest.raises(HubError) as caught, provided(read_settings(environ)):
        pass
    return caught.value.problem.code


def test_without_a_database_an_embedded_one_is_made_and_migrated(tmp_path: Path) -> None:
    with provided(read_settings({"HUB_DATA": str(tmp_path / "data")})) as ready:
        assert ready.database_url is not None
        assert ready.owner_database_url is not None
        assert asyncio.run(migrate(ready.owner_database_url)) == 0


def test_migrating_the_embedded_one_is_left_to_the_command(tmp_path: Path) -> None:
    with embedded(read_settings({"HUB_DATA": str(tmp_path / "data")})) as filled:
        assert asyncio.run(migrate(filled.owner_database_url or "")) == len(load_migrations())


def test_the_operators_database_is_only_looked_at(cluster: Cluster, tmp_path: Path) -> None:
    data = {"HUB_DATA": str(tmp_path / "data")}
    databases = asyncio.run(cluster.make())
    settings = read_settings({**data, "HUB_DATABASE_URL": databases.serving})
    with provided(settings) as ready:
        assert ready == settings
    empty = asyncio.run(cluster.make(empty=True))
    assert refusal({**data, "HUB_DATABASE_URL": empty.serving}) is Code.DATABASE_NOT_MIGRATED
    nobody = "postgresql://a:b@127.0.0.1:1/hub"
    assert refusal({**data, "HUB_DATABASE_URL": nobody}) is Code.DATABASE_UNREACHABLE
