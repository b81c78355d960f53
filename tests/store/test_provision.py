"""A command gets a database that is there and migrated, or is told why not."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path

import pytest

from hub.command.doctor import check_database
from hub.kernel.db.migrate import load_migrations, migrate
from hub.kernel.db.provision import embedded, provided
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.settings import read_settings
from tests.conftest import Cluster


def problem(environ: dict[str, str]) -> Problem:
    with pytest.raises(HubError) as caught, provided(read_settings(environ)):
        pass
    return caught.value.problem


def refusal(environ: dict[str, str]) -> Code:
    return problem(environ).code


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


def test_the_log_is_not_served_by_who_could_change_it(cluster: Cluster, tmp_path: Path) -> None:
    databases = asyncio.run(cluster.make())
    for url in (databases.owner, databases.admin):
        found = problem({"HUB_DATA": str(tmp_path / "data"), "HUB_DATABASE_URL": url})
        assert (found.code, found.detail["setting"]) == (Code.SETTING_INVALID, "HUB_DATABASE_URL")
        assert "hub_server" in found.detail["rule"]


def test_the_doctor_says_which_of_them_it_is(cluster: Cluster) -> None:
    databases = asyncio.run(cluster.make())
    empty = asyncio.run(cluster.make(empty=True))
    said = [
        check_database(read_settings({"HUB_DATABASE_URL": url})).en
        for url in (databases.serving, databases.owner, empty.serving)
    ]
    assert said[0] == ""
    assert "may only add to the log" in said[1]
    assert "hub migrate" in said[2]


def test_an_owner_alone_does_not_lead_to_an_embedded_database(cluster: Cluster, tmp_path: Path) -> None:
    """Else whoever has migrated a database of his own would serve, or keep up, another one that is empty."""
    owner = asyncio.run(cluster.make()).owner
    found = problem({"HUB_DATA": str(tmp_path / "data"), "HUB_OWNER_DATABASE_URL": owner})
    assert (found.code, found.detail["setting"]) == (Code.SETTING_INVALID, "HUB_DATABASE_URL")
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://hub_server:s3cret/x@127.0.0.1/hub",  # the driver would quote what stands for a port
        "postgresql://hub_server:s3cret#x@127.0.0.1/hub",
        "postgresql://hub_server:s3cret?x@127.0.0.1/hub",
        "postgresql://hub_server:s3cret[@127.0.0.1/hub",
        "postgresql://hub_server:s3cret@127.0.0.1/hub?port=5x",
    ],
)
def test_a_url_that_cannot_be_read_is_named_and_not_quoted(url: str, tmp_path: Path) -> None:
    found = problem({"HUB_DATA": str(tmp_path / "data"), "HUB_DATABASE_URL": url})
    assert (found.code, found.detail["setting"]) == (Code.SETTING_INVALID, "HUB_DATABASE_URL")
    with pytest.raises(HubError) as caught:
        asyncio.run(migrate(url))
    assert caught.value.problem.code is Code.SETTING_INVALID
    assert caught.value.problem.detail["setting"] == "HUB_OWNER_DATABASE_URL"
    told = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in f"{found}{told}"
